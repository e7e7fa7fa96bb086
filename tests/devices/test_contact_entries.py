"""Contacts as files and the API write them: numbers as people write them are taken, what nobody could dial is not."""

from typing import Any

import pytest
from pydantic import ValidationError

from firetower.devices.city import read_city
from firetower.devices.contacts import (
    CentreContact,
    GridContact,
    HoursEntry,
    Role,
    StationContact,
    UnitContact,
    dialled,
)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("13800000000", "13800000000"),
        ("138 0000-0000", "13800000000"),
        ("0777-1234567", "07771234567"),
        ("(0777) 123 4567", "07771234567"),
        ("0777-1234567 转 8012", "07771234567,8012"),
        ("0777-1234567 ext. 12", "07771234567,12"),
        ("0777-1234567#12", "07771234567,12"),
        ("+86 138 0000 0000", "+8613800000000"),
        ("４００-８００-８８８８", "4008008888"),
        ("119", "119"),
        (" 95119 ", "95119"),
    ],
)
def test_numbers_are_taken_as_people_write_them(given: str, number: str) -> None:
    assert dialled(given) == number
    assert dialled(number) == number, "what was stored can be given again"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Wang",
        "1380000O000",
        "12",
        "+0861380000",
        "13800000000/13900000000",
        "1" * 16,
        "+861",
        "转8012",
        "١٢٣",
    ],
)
def test_what_nobody_could_dial_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValueError, match=r"no telephone number; write one number.*138 0000 0000"):
        dialled(given)


def entry(**more: Any) -> UnitContact:
    return UnitContact(**({"role": "manager", "name": "Wang", "phone": "119"} | more))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"hours": [{"from": "8:00"}]}, "HH:MM"),
        ({"hours": [{"to": "24:01"}]}, "HH:MM"),
        ({"hours": [{"days": [0]}]}, "greater than or equal to 1"),
        ({"hours": [{"days": []}]}, "at least 1"),
        ({"hours": [{"days": [1, 1]}]}, "twice"),
        ({"email": "wang"}, "pattern"),
        ({"language": "fr"}, "'zh' or 'en'"),
        ({"order": 0}, "greater than or equal to 1"),
        ({"role": "grid_worker"}, "control_room"),
        ({"addresses": {"phone": "1"}}, "field of the contact itself"),
        ({"addresses": {"a b": "1"}}, "pattern"),
        ({"addresses": {"sms": "ask Li"}}, "no telephone number"),
        ({"name": " "}, "at least 1"),
        ({"name": "a\x00"}, "pattern"),
        ({"fone": "119"}, "not permitted"),
    ],
)
def test_a_contact_that_is_wrong_says_in_what(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        entry(**wrong)


def test_hours_are_minutes_of_the_day() -> None:
    assert HoursEntry.model_validate({"from": "22:00", "to": "06:30"}).minutes == (1320, 390)
    assert HoursEntry().minutes == (0, 1440)


def test_every_role_is_somebodys() -> None:
    kinds = (UnitContact, GridContact, StationContact, CentreContact)
    taken = {role for kind in kinds for role in kind.model_fields["role"].annotation.__args__}  # type: ignore[union-attr]
    assert taken == set(Role)


def test_a_contact_that_is_wrong_is_an_error_of_its_unit_grid_or_station_and_hides_no_other() -> None:
    city, errors = read_city(
        {
            "format": "firetower-registry/1",
            "grids": [
                {"code": "g1", "contacts": [{"name": "Li", "phone": "138 0000 0000"}]},
                {"code": "g2", "contacts": [{"name": "Li", "phone": "call me"}]},
            ],
            "units": [
                {"code": "u1", "contacts": [{"role": "manager", "name": "Wang"}]},
                {"code": "u2", "contacts": [{"role": "manager", "name": "W", "phone": "119"}] * 2},
                {"code": "u3", "contact_name": "Zhao", "contact_phone": "0777-123 4567"},
                {"code": "u4", "contact_phone": "ask at the gate"},
            ],
            "stations": [
                {"code": "s1", "lon": 108.6, "lat": 21.9, "contacts": [{"name": "desk", "email": "s1@example.org"}]},
                {"code": "s2", "lon": 108.6},
                {"code": "s1", "lon": 108.6, "lat": 21.9},
            ],
        }
    )
    assert [(error.where, error.item) for error in errors] == [
        ("/grids/1", "g2"), ("/units/0", "u1"), ("/units/1", "u2"), ("/units/3", "u4"),
        ("/stations/1", "s2"), ("/stations/2", "s1"),
    ]  # fmt: skip
    told = " ".join(error.message for error in errors)
    assert "'call me' is no telephone number" in told
    assert "'Wang' cannot be reached" in told
    assert "stands twice as manager" in told
    assert [unit.contact_phone for unit in city.units] == ["07771234567"]
    assert [station.code for station in city.stations] == ["s1"]
