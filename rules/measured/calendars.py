"""Local time, kinds of day, and when rules are active 时段: a calendar asked about many instants at once."""

from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros, to_datetime
from firetower.devices.readings import Bools, Int64s
from firetower.rules.book.model import Calendar, Schedule, Season, Span

WORKING, REST = 0, 1
"""Kinds of day in ``hours_and_kinds``: a working day; a rest day, which is a weekend or a holiday."""
Int8s = npt.NDArray[np.int8]
_HOLIDAY = 2
_SLOT: Micros = 15 * MINUTE
"""Clocks are put forward and back at quarters of an hour of UTC only."""
_SATURDAY = 5
_EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; Monday is 0."""


class Days:
    """A calendar, asked about instants in µs since the epoch, arrays of any shape (n,)."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._holidays = _day_numbers(calendar.holidays)
        self._worked = _day_numbers(calendar.working_days)

    def local(self, ts: Int64s) -> Int64s:
        """Return the local time of each instant: µs since the epoch as clocks in the calendar's zone show it."""
        if not len(ts):
            return ts
        slot = ts // _SLOT
        first = int(slot[0])
        if (slot == first).all():
            return ts + _offset(self._calendar.zone, first)
        slots, place = np.unique(slot, return_inverse=True)
        offsets = np.array([_offset(self._calendar.zone, each) for each in slots.tolist()], np.int64)
        return ts + offsets[place]

    def hours_and_kinds(self, ts: Int64s) -> tuple[Int8s, Int8s]:
        """Return, for each instant, the local hour of day (0 to 23) and the kind of day (WORKING or REST)."""
        local = self.local(ts)
        day = local // DAY
        return ((local - day * DAY) // HOUR).astype(np.int8), np.minimum(self._kinds(day), REST)

    def active(self, schedule: Schedule, ts: Int64s) -> Bools:
        """Return at which instants a schedule is active.

        The hours after midnight of a span over midnight belong to the day on which it began, for ``days`` and for
        ``season``. A span whose ends are equal is the whole day from there on.
        """
        local = self.local(ts)
        day = local // DAY
        active = np.ones(len(ts), np.bool_)
        if schedule.during is not None:
            span = self._calendar.spans[schedule.during] if isinstance(schedule.during, str) else schedule.during
            active, after_midnight = _within(span, local - day * DAY)
            day = day - after_midnight
        if schedule.days is not None:
            kinds = self._kinds(day)
            of_kinds = np.zeros(len(ts), np.bool_)
            if "working_day" in schedule.days:
                of_kinds |= kinds == WORKING
            if "rest_day" in schedule.days:
                of_kinds |= kinds >= REST
            if "holiday" in schedule.days:
                of_kinds |= kinds == _HOLIDAY
            active &= of_kinds
        if schedule.season is not None:
            active &= _in_season(schedule.season, day)
        return active

    def _kinds(self, day: Int64s) -> Int8s:
        """Return WORKING, REST (a weekend) or _HOLIDAY for days since the epoch."""
        weekend = (day + _EPOCH_WEEKDAY) % 7 >= _SATURDAY
        kinds = (weekend & ~np.isin(day, self._worked)).astype(np.int8)
        kinds[np.isin(day, self._holidays)] = _HOLIDAY
        return kinds


@lru_cache(maxsize=1 << 14)
def _offset(zone: str, slot: int) -> Micros:
    """Return how far clocks of a zone are ahead of UTC in a quarter of an hour since the epoch, µs."""
    offset = to_datetime(slot * _SLOT).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None  # it is aware
    return round(offset.total_seconds()) * SECOND


def _within(span: Span, time: Int64s) -> tuple[Bools, Bools]:
    """Return which times of day lie in a span, and which of them after the midnight it goes over."""
    start, end = _time(span.start), _time(span.end)
    if start < end:
        return (time >= start) & (time < end), np.zeros(len(time), np.bool_)
    after_midnight = time < end
    return (time >= start) | after_midnight, after_midnight


def _in_season(season: Season, day: Int64s) -> Bools:
    days, place = np.unique(day, return_inverse=True)
    start, end = _month_day(season.start), _month_day(season.end)
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    number = (month.astype(np.int64) % 12 + 1) * 100 + (date - month).astype(np.int64) + 1
    within = (number >= start) & (number <= end) if start <= end else (number >= start) | (number <= end)
    of_day: Bools = within[place]
    return of_day


def _time(text: str) -> Micros:
    hours, minutes = text.split(":")
    return int(hours) * HOUR + int(minutes) * MINUTE


def _month_day(text: str) -> int:
    month, day = text.split("-")
    return int(month) * 100 + int(day)


def _day_numbers(dates: frozenset[str]) -> Int64s:
    return np.array(sorted(dates), "datetime64[D]").astype(np.int64)
