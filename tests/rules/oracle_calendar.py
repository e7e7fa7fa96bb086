"""The oracle's calendar: one instant at a time, with datetime."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from firetower.core.clock import SECOND
from firetower.rules.book.model import Calendar, Schedule, Span


def local(ts: int, calendar: Calendar) -> datetime:
    """Return the local time of an instant, µs."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts)).astimezone(ZoneInfo(calendar.zone))


def days_of(day: date, calendar: Calendar) -> set[str]:
    """Return what kinds of day a date is."""
    if day.isoformat() in calendar.holidays:
        return {"holiday", "rest_day"}
    if day.weekday() >= 5 and day.isoformat() not in calendar.working_days:
        return {"rest_day"}
    return {"working_day"}


def hour_and_rest(ts: int, calendar: Calendar) -> tuple[int, bool]:
    """Return the hour of day, and whether the day is a rest day."""
    when = local(ts, calendar)
    return when.hour, "rest_day" in days_of(when.date(), calendar)


def hour_number(ts: int) -> int:
    """Return the running number of the hour an instant lies in."""
    return ts // (3600 * SECOND)


def is_active(schedule: Schedule | None, ts: int, calendar: Calendar) -> bool:
    """Whether a rule with this schedule is active at an instant."""
    if schedule is None:
        return True
    when = local(ts, calendar)
    day, clock = when.date(), when.time()
    if schedule.during is not None:
        span = schedule.during if isinstance(schedule.during, Span) else calendar.spans[schedule.during]
        start, end = time.fromisoformat(span.start), time.fromisoformat(span.end)
        if start < end:
            if not start <= clock < end:
                return False
        elif clock < end:
            day -= timedelta(days=1)  # the stretch began yesterday
        elif clock < start:
            return False
    if schedule.days is not None and not set(schedule.days) & days_of(day, calendar):
        return False
    if schedule.season is None:
        return True
    first, last, today = schedule.season.start, schedule.season.end, f"{when:%m-%d}"
    return first <= today <= last if first <= last else today >= first or today <= last
