"""Shifts by the clock on the wall, and the rates of ISA-18.2 over one."""

from datetime import datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from firetower.alerts.performance import INTERVAL, Roster, Shift, rate
from firetower.core.clock import HOUR, MINUTE, Micros, from_datetime, rfc3339, to_datetime

SHIFT = Shift("2026-11-23T08:00", 0, 12 * HOUR)


def at(text: str) -> Micros:
    return from_datetime(datetime.fromisoformat(text))


def test_the_shift_that_is_on_began_last_and_lasts_until_the_next_one() -> None:
    roster = Roster()
    night = roster.at(at("2026-11-24T03:00+08:00"))
    assert night.id == "2026-11-23T20:00"
    assert (rfc3339(night.begin), rfc3339(night.end)) == ("2026-11-23T12:00:00.000Z", "2026-11-24T00:00:00.000Z")
    assert roster.at(night.end).id == "2026-11-24T08:00", "the moment of the change is the next shift's"


def test_recent_shifts_follow_each_other_without_a_gap_newest_first_and_are_found_by_their_ids() -> None:
    roster = Roster((time(0), time(8), time(16)))
    recent = roster.recent(at("2026-11-24T03:00+08:00"), 7)
    assert [shift.id for shift in recent[:4]] == [
        "2026-11-24T00:00", "2026-11-23T16:00", "2026-11-23T08:00", "2026-11-23T00:00",
    ]  # fmt: skip
    assert len(recent) == 7
    assert all(later.begin == earlier.end for later, earlier in pairwise(recent))
    assert all(roster.named(shift.id) == shift for shift in recent)


@pytest.mark.parametrize("name", ["2026-11-23T09:00", "2026-11-23", "x", "9999-12-31T20:00", "2026-11-23T08:00+08:00"])
def test_a_name_of_no_shift_names_none(name: str) -> None:
    assert Roster().named(name) is None


def test_a_shift_over_the_change_to_summer_time_is_an_hour_shorter() -> None:
    roster = Roster((time(20), time(8)), ZoneInfo("Europe/Berlin"))
    night = roster.named("2026-03-28T20:00")
    assert night is not None
    assert night.end - night.begin == 11 * HOUR
    assert to_datetime(night.end).astimezone(roster.zone).hour == 8


def test_rates_are_those_of_one_operator_in_ten_minutes() -> None:
    found = rate(SHIFT, 13 * HOUR, {0: 40, 5: 104}, 2, [(HOUR, 4 * HOUR), (11 * HOUR, None)])
    assert (found.operators, found.average, found.peak) == (2, 1.0, 52.0)
    assert found.in_flood == pytest.approx(100 * 4 / 12)


def test_a_shift_that_is_on_is_measured_by_what_has_passed_of_it() -> None:
    """In its first minutes the average is that of one interval, not a multiple of it; nobody at work counts as one."""
    assert rate(SHIFT, 2 * HOUR, {0: 24}, 1, [(HOUR, None)]).in_flood == 50.0
    assert rate(SHIFT, 2 * HOUR, {0: 24}, 1, []).average == 2.0
    first = rate(SHIFT, MINUTE, {0: 3}, 0, [(-INTERVAL, None)])
    assert (first.operators, first.average, first.in_flood) == (1, 3.0, 100.0)
    assert rate(SHIFT, 0, {}, 0, []).in_flood == 0.0
