"""When rules are active: local time, kinds of day, spans over midnight, seasons; what a schedule does to a limit."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scenario import START, World, at, brief

from firetower.core.clock import MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.model import Calendar, Rule, Schedule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.measured.calendars import REST, WORKING, Days

CALENDAR = Calendar.model_validate(
    {
        "holidays": ["2026-10-01", "2026-10-02"],
        "working_days": ["2026-10-10"],
        "spans": {"night": {"from": "22:00", "to": "06:00"}},
    }
)


def instant(text: str, zone: str = "Asia/Shanghai") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * SECOND)


def active(schedule: dict[str, object], *texts: str) -> list[bool]:
    moments = np.array([instant(text) for text in texts], np.int64)
    return Days(CALENDAR).active(Schedule.model_validate(schedule), moments).tolist()


def test_kinds_of_day_follow_weekday_and_calendar() -> None:
    """A holiday is a rest day too; a Saturday worked is a working day."""
    days = ["2026-10-09T12:00", "2026-10-10T12:00", "2026-10-11T12:00", "2026-10-01T12:00"]
    assert active({"days": ["working_day"]}, *days) == [True, True, False, False]
    assert active({"days": ["rest_day"]}, *days) == [False, False, True, True]
    assert active({"days": ["holiday"]}, *days) == [False, False, False, True]
    assert active({"days": ["holiday", "working_day"]}, *days) == [True, True, False, True]


def test_a_span_holds_its_beginning_and_not_its_end() -> None:
    """To the microsecond."""
    span = {"during": {"from": "09:00", "to": "18:00"}}
    times = ["2026-03-02T08:59:59.999999", "2026-03-02T09:00", "2026-03-02T17:59:59.999999", "2026-03-02T18:00"]
    assert active(span, *times) == [False, True, True, False]


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_began() -> None:
    """Friday's night goes on until Saturday morning; Sunday's is none of a working day's."""
    times = ["2026-03-06T21:59:59.999999", "2026-03-06T22:00", "2026-03-07T05:59:59.999999", "2026-03-07T06:00"]
    assert active({"during": "night"}, *times) == [False, True, True, False]
    nights = ["2026-03-07T03:00", "2026-03-08T03:00", "2026-03-09T03:00", "2026-03-10T03:00"]  # Saturday to Tuesday
    assert active({"during": "night", "days": ["working_day"]}, *nights) == [True, False, False, True]


def test_a_season_holds_both_its_days_and_may_go_over_new_year() -> None:
    """A night belongs to the day on which it began here too."""
    season = {"season": {"from": "11-15", "to": "03-15"}}
    days = ["2026-11-14T23:59:59", "2026-11-15T00:00", "2027-01-01T00:00", "2027-03-15T23:59:59", "2027-03-16T00:00"]
    assert active(season, *days) == [False, True, True, True, False]
    summer = {"season": {"from": "05-01", "to": "05-01"}}
    assert active(summer, "2026-04-30T12:00", "2026-05-01T12:00", "2026-05-02T12:00") == [False, True, False]
    assert active(season | {"during": "night"}, "2027-03-16T05:00", "2026-11-15T05:00") == [True, False]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_hours_and_kinds_are_those_of_the_zones_clocks(zone: str) -> None:
    """Against the standard library, over a year with the clocks put forward and back."""
    days = Days(Calendar(zone=zone, holidays=frozenset({"2026-10-01"})))
    moments = np.sort(np.random.default_rng(1).integers(instant("2026-01-01"), instant("2027-01-01"), 3_000))
    hours, kinds = days.hours_and_kinds(moments)
    for moment, hour, kind in zip(moments.tolist(), hours.tolist(), kinds.tolist(), strict=True):
        there = datetime.fromtimestamp(moment / SECOND, ZoneInfo(zone))
        rest = there.weekday() >= 5 or there.date().isoformat() == "2026-10-01"
        assert (hour, kind) == (there.hour, REST if rest else WORKING)


NIGHT_START = (instant("2026-03-06T22:00") - START) / SECOND
NIGHT_END = NIGHT_START + 8 * 3600


def _world(**band: object) -> tuple[World, int]:
    """A tank whose level may not fall below 2 m by night, for 10 minutes; reported every 5 minutes."""
    rule = Rule.model_validate(
        {
            "id": "night-level", "version": 1, "title": {"zh": "夜", "en": "n"}, "advice": {"zh": "看", "en": "look"},
            "class": "hazard", "kinds": ["water_level"], "metric": "level", "schedule": {"during": "night"},
            "condition": {"limit": {"side": "below", "bands": [
                {"priority": 3, "limit": "2 m", "clear": "2.1 m", "on_delay": "10min", "source": "J, test", **band}
            ]}},
        }
    )  # fmt: skip
    world = World(Rulebook((rule,), calendar=CALENDAR))
    return world, world.device(DeviceKind.WATER_LEVEL, 300)


def _report(world: World, tank: int, *seconds: float, value: float = 1.0) -> list[tuple[str, str, int, float]]:
    found = []
    for moment in seconds:
        found += brief(world.report((tank, "level", moment, value)))
    return found


def test_outside_its_schedule_a_reading_counts_as_in_order() -> None:
    """Nothing is raised by day; the delay of the night begins at the night's first reading, at its very beginning."""
    world, tank = _world()
    assert _report(world, tank, *(NIGHT_START - 900 + 300 * each for each in range(5))) == []
    assert _report(world, tank, NIGHT_START + 600) == [("raise", "night-level", 3, NIGHT_START + 600)]


def test_what_is_active_is_over_at_the_first_reading_outside() -> None:
    """After its off delay, though the value has not moved: its end is the first instant outside."""
    world, tank = _world(off_delay="5min")
    assert len(_report(world, tank, NIGHT_END - 900, NIGHT_END - 600, NIGHT_END - 300)) == 1
    assert _report(world, tank, NIGHT_END, NIGHT_END + 300) == [("clear", "night-level", 3, NIGHT_END + 300)]


def test_a_delay_whose_end_lies_outside_the_schedule_is_not_met_while_a_reading_stands() -> None:
    """One microsecond before the night's end it is met; at its end it is not, whatever tick comes."""
    for early, raised in ((1e-6, 1), (0, 0)):
        world, tank = _world()
        assert _report(world, tank, NIGHT_END - 600 - early, NIGHT_END - 300) == []
        assert len(world.tick(NIGHT_END + 3600)) == raised
    assert at(NIGHT_END) % (60 * MINUTE) == 0


def test_readings_of_two_nights_go_on_where_none_came_by_day() -> None:
    """A gap by itself neither ends a run nor meets it: the next night's reading, still beyond, meets the delay."""
    world, tank = _world()
    assert _report(world, tank, NIGHT_END - 300) == []
    assert world.tick(NIGHT_END + 3600) == []
    next_night = NIGHT_START + 86_400
    assert _report(world, tank, next_night) == [("raise", "night-level", 3, next_night)]
