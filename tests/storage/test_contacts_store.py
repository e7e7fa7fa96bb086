"""Contacts and micro fire stations in the store: imported again and again, and found for a place."""

from typing import Any

import asyncpg
import pytest

from firetower.alerts.contacts import ContactScope, Role
from firetower.core.clock import ManualClock
from firetower.core.errors import NotFound
from firetower.devices.city import City, read_city
from firetower.devices.contacts import CentreContact, UnitContact
from firetower.storage import contacts, devices
from firetower.storage.registry import import_city

NOW = ManualClock().now()
WANG = {"role": "manager", "name": "Wang", "phone": "13800000000"}


def city(**parts: Any) -> City:
    """A grid, a unit in it and two stations, one of them without anybody to call."""
    raw = {
        "format": "firetower-registry/1",
        "grids": [{"code": "g1", "contacts": [{"name": "Li", "phone": "13900000000"}]}],
        "units": [{"code": "mall", "grid": "g1", "lon": 108.620, "lat": 21.950, "contacts": [WANG]}],
        "stations": [
            {"code": "far", "lon": 108.640, "lat": 21.950, "contacts": [{"name": "desk", "phone": "119"}]},
            {"code": "near", "lon": 108.622, "lat": 21.951, "grid": "g1"},
        ],
    }
    made, errors = read_city(raw | parts)
    assert errors == []
    return made


async def names(pool: asyncpg.Pool, owner: contacts.Owner) -> list[tuple[str, str]]:
    return [(each.contact.role, each.contact.name) for each in await contacts.listed(pool, owner)]


MALL = (ContactScope.UNIT, "mall")


async def test_the_same_file_again_changes_nothing_and_ids_stay(pool: asyncpg.Pool) -> None:
    """A call or a letter names a contact by its id: an import must not give everybody a new one."""
    first = await import_city(pool, city())
    assert first.errors == []
    assert (first.created["stations"], first.created["contacts"]) == (2, 3)
    before = await pool.fetch("SELECT id, name, changed_at FROM contact ORDER BY id")
    again = await import_city(pool, city())
    assert (again.unchanged["stations"], again.unchanged["contacts"]) == (2, 3)
    assert set(again.created.values()) == set(again.updated.values()) == {0}
    assert await pool.fetch("SELECT id, name, changed_at FROM contact ORDER BY id") == before


async def test_a_list_in_the_file_is_the_whole_list_and_no_list_leaves_it_alone(pool: asyncpg.Pool) -> None:
    await import_city(pool, city())
    await import_city(pool, city(units=[{"code": "mall"}], grids=[{"code": "g1"}]))
    assert await names(pool, MALL) == [("manager", "Wang")]
    report = await import_city(
        pool, city(units=[{"code": "mall", "contacts": [{**WANG, "phone": "119"}, {**WANG, "name": "Zhao"}]}])
    )
    assert (report.created["contacts"], report.updated["contacts"]) == (1, 1)
    assert await names(pool, MALL) == [("manager", "Wang"), ("manager", "Zhao")]
    await import_city(pool, city(units=[{"code": "mall", "contacts": []}]))
    assert await names(pool, MALL) == []


async def test_a_units_one_contact_of_old_is_its_control_room_and_leaves_the_others(pool: asyncpg.Pool) -> None:
    """Files written before there were lists go on to be taken, and say whom to call first."""
    await import_city(pool, city())
    for name in ("Sun", "Zhou"):
        old = {"code": "mall", "contact_name": name, "contact_phone": "0777-123 4567"}
        assert (await import_city(pool, city(units=[old]))).errors == []
        assert await names(pool, MALL) == [("control_room", name), ("manager", "Wang")]
    found = await devices.get_unit(pool, "mall")
    assert found is not None
    assert (found.contact_name, found.contact_phone) == ("Zhou", "07771234567")
    both = {"code": "mall", "contact_phone": "119", "contacts": [WANG]}
    await import_city(pool, city(units=[both]))
    assert await names(pool, MALL) == [("control_room", "消控室"), ("manager", "Wang")]


async def test_a_station_in_a_grid_or_unit_nobody_registered_is_an_error_of_its_own(pool: asyncpg.Pool) -> None:
    report = await import_city(
        pool,
        city(stations=[{"code": "s", "lon": 1, "lat": 1, "grid": "gone", "unit": "gone-too"}]),
    )
    assert [(error.where, error.item) for error in report.errors] == [("/stations/0", "s")] * 2
    assert await pool.fetchval("SELECT count(*) FROM contact") == 0


async def test_for_a_place_are_its_unit_its_grid_the_centre_and_the_nearest_station_that_answers(
    pool: asyncpg.Pool,
) -> None:
    """The nearest one has nobody to call, so the next one is asked, and how far it is is told."""
    await import_city(pool, city())
    await contacts.replace(
        pool, contacts.CENTRE, [CentreContact(role=Role.DUTY_LEAD, name="Chen", phone="119")], "ada", NOW
    )
    found = await contacts.for_place(pool, "mall", None, 108.620, 21.950)
    assert [(each.scope, each.of, each.role) for each in found] == [
        ("grid", "g1", "grid_worker"), ("unit", "mall", "manager"), ("station", "far", "station"),
        ("centre", "", "duty_lead"),
    ]  # fmt: skip
    away = {each.of: each.distance_m for each in found}
    assert away["far"] == pytest.approx(2063, abs=5)
    assert away["mall"] is None
    # without a place of its own it is where its unit is; without a unit there is nobody but the centre and a station
    assert [each.of for each in await contacts.for_place(pool, "mall", None, None, None)] == ["g1", "mall", "far", ""]
    assert [each.of for each in await contacts.for_place(pool, None, None, 108.62, 21.95)] == ["far", ""]
    assert [each.of for each in await contacts.for_place(pool, "nobody", None, None, None)] == [""]
    assert [each.of for each in await contacts.for_place(pool, None, None, 100.0, 21.95)] == [""], "800 km off"


async def test_a_list_is_replaced_whole_by_name_and_of_what_is_not_there_nothing_is_written(pool: asyncpg.Pool) -> None:
    await import_city(pool, city())
    wang, zhao = (UnitContact(role=Role.MANAGER, name=name, phone="119") for name in ("Wang", "Zhao"))
    first = await contacts.replace(pool, MALL, [wang, zhao], "mall-room", NOW)
    second = await contacts.replace(pool, MALL, [zhao], "mall-room", NOW + 1)
    assert [each.contact.id for each in second] == [first[1].contact.id]
    assert (second[0].changed_by, second[0].changed_at) == ("mall-room", NOW), "it was not changed since"
    with pytest.raises(NotFound, match="there is no unit 'gone'"):
        await contacts.replace(pool, (ContactScope.UNIT, "gone"), [zhao], "ada", NOW)
