"""Whom to call at an instant: by role, order and hour of the centre's clock, also at night and where it changes."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from firetower.alerts.contacts import CALL_ORDER, Contact, ContactScope, Hours, Role, on_call, reach, to_call
from firetower.core.clock import HOUR, Micros, from_datetime

CHINA = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = (1, 2, 3, 4, 5)


def at(text: str, zone: ZoneInfo = CHINA, fold: int = 0) -> Micros:
    """2026-11-23 is a Monday."""
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold))


def contact(
    number: int, role: Role = Role.MANAGER, *hours: Hours, order: int = 1, phone: str | None = "119"
) -> Contact:
    addresses = {} if phone is None else {"phone": phone}
    return Contact(number, ContactScope.UNIT, "mall", role, f"c{number}", addresses, hours, order)


def reached(hours: Hours, text: str, zone: ZoneInfo = CHINA) -> bool:
    return bool(on_call([contact(1, Role.MANAGER, hours)], Role.MANAGER, at(text, zone), zone))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T07:59:59", False),
        ("2026-11-23T08:00", True),
        ("2026-11-23T17:59:59", True),
        ("2026-11-23T18:00", False),
        ("2026-11-27T12:00", True),
        ("2026-11-28T12:00", False),  # Saturday
    ],
)
def test_office_hours_hold_from_their_first_minute_to_before_their_last(text: str, expected: bool) -> None:
    assert reached(Hours(WEEKDAYS, 8 * 60, 18 * 60), text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-27T21:59", False),
        ("2026-11-27T22:00", True),  # Friday night
        ("2026-11-28T05:59", True),  # is over on Saturday morning
        ("2026-11-28T06:00", False),
        ("2026-11-28T23:00", False),  # and Saturday's own night is nobody's
        ("2026-11-29T03:00", False),
        ("2026-11-30T03:00", False),  # nor is Sunday's
        ("2026-11-30T22:30", True),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(text: str, expected: bool) -> None:
    """Whoever works from Monday to Friday night is not called on Saturday night, but on Saturday morning is."""
    assert reached(Hours(WEEKDAYS, 22 * 60, 6 * 60), text) is expected


def test_sundays_night_reaches_into_monday() -> None:
    assert reached(Hours((7,), 20 * 60, 8 * 60), "2026-11-23T07:30")


def test_equal_ends_are_a_whole_day_and_no_hours_are_always() -> None:
    assert reached(Hours((1,), 8 * 60, 8 * 60), "2026-11-24T07:59")
    assert not reached(Hours((1,), 8 * 60, 8 * 60), "2026-11-24T08:00")
    assert on_call([contact(1)], Role.MANAGER, at("2026-11-29T03:00"), CHINA)


def test_the_centres_clock_decides_not_utc() -> None:
    """23:30 UTC on Sunday is Monday morning in China."""
    monday = from_datetime(datetime.fromisoformat("2026-11-22T23:30+00:00"))
    early = contact(1, Role.MANAGER, Hours((1,), 7 * 60, 8 * 60))
    assert on_call([early], Role.MANAGER, monday, CHINA) == [early]


def test_a_night_in_which_the_clock_changes_is_a_night() -> None:
    """An hour that the clock has twice holds twice, one that it leaves out costs nobody the rest of the night."""
    night = Hours((1, 2, 3, 4, 5, 6, 7), 22 * 60, 6 * 60)
    assert all(reached(night, f"2026-03-29T{hour}", BERLIN) for hour in ("01:59", "03:00", "05:59"))
    assert not reached(night, "2026-03-29T06:00", BERLIN)
    short = contact(1, Role.MANAGER, Hours((7,), 2 * 60, 3 * 60))
    for fold in (0, 1):
        assert on_call([short], Role.MANAGER, at("2026-10-25T02:30", BERLIN, fold), BERLIN) == [short]
    assert not on_call([short], Role.MANAGER, at("2026-10-25T03:00", BERLIN), BERLIN)


def test_who_is_first_by_order_and_only_of_the_role() -> None:
    people = [contact(3, order=2), contact(2), contact(1), contact(4, Role.KEEPER), contact(5, order=1, phone=None)]
    found = on_call(people, Role.MANAGER, at("2026-11-23T12:00"), CHINA)
    assert [each.id for each in found] == [1, 2, 5, 3], "a webhook's address is an address too: no telephone is needed"


def test_why_somebody_cannot_be_called_and_from_when_they_can() -> None:
    office = contact(1, Role.MANAGER, Hours(WEEKDAYS, 8 * 60, 18 * 60))
    now = at("2026-11-27T19:00")  # Friday evening
    assert reach(office, at("2026-11-27T12:00"), CHINA).now
    found = reach(office, now, CHINA)
    assert (found.now, found.why, found.from_at) == (False, "off_hours", at("2026-11-30T08:00"))
    assert reach(contact(2, phone=None), now, CHINA).why == "no_phone"
    once_a_week = contact(3, Role.MANAGER, Hours((5,), 18 * 60, 19 * 60))
    assert reach(once_a_week, now, CHINA).from_at == at("2026-12-04T18:00")


def test_next_hours_after_the_clock_changes_are_by_the_new_clock() -> None:
    sunday = contact(1, Role.MANAGER, Hours((7,), 8 * 60, 9 * 60))
    found = reach(sunday, at("2026-03-28T20:00", BERLIN), BERLIN)
    assert found.from_at == at("2026-03-28T20:00", BERLIN) + 11 * HOUR


def test_whoever_can_be_reached_comes_before_who_cannot_then_the_place_before_the_rest() -> None:
    at_night = Hours((1, 2, 3, 4, 5, 6, 7), 20 * 60, 8 * 60)
    people = [
        contact(1, Role.ON_CALL),
        contact(2, Role.RESPONSIBLE),
        contact(3, Role.CONTROL_ROOM, at_night),
        contact(4, Role.MANAGER, phone=None),
        contact(5, Role.CONTROL_ROOM),
    ]
    found = to_call(people, at("2026-11-23T12:00"), CHINA)
    assert [(each.id, how.now) for each, how in found] == [(5, True), (2, True), (1, True), (3, False), (4, False)]


def test_every_role_has_its_place_among_whom_to_call() -> None:
    assert set(CALL_ORDER) == set(Role)
