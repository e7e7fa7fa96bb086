"""The one place that reads a clock; everything else is handed the time.

Instants inside Firetower are whole microseconds since 1970-01-01 UTC (``Micros``): they fit a numpy
``int64`` column and PostgreSQL's ``timestamptz`` without rounding.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

Micros = int

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Whoever can say what time it is."""

    def now(self) -> Micros:
        """Return the present instant in microseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Micros:
        """Return the present instant in microseconds since the epoch, UTC."""
        return time.time_ns() // 1000


class SteadyClock:
    """The machine's clock as it was at ``wall`` (µs), carried on by its steady one, which nobody sets.

    For measurements: a duration is one whatever is done to the clock meanwhile, and processes of one machine that are
    given the same ``wall`` and ``steady`` (ns) agree to the microsecond.
    """

    def __init__(self, wall: Micros | None = None, steady: int | None = None) -> None:
        self.wall: Micros = time.time_ns() // 1000 if wall is None else wall
        self.steady = time.monotonic_ns() if steady is None else steady

    def now(self) -> Micros:
        """Return the present instant in microseconds since the epoch, UTC."""
        return self.wall + (time.monotonic_ns() - self.steady) // 1000


class ManualClock:
    """A clock that stands until it is moved: for tests, replay and back-test."""

    def __init__(self, start: Micros = 1_763_800_000 * SECOND) -> None:
        self._now = start

    def now(self) -> Micros:
        """Return the instant the clock was set to."""
        return self._now

    def advance(self, by: Micros) -> None:
        """Move forward by ``by`` microseconds."""
        self._now += by

    def set(self, to: Micros) -> None:
        """Move to the instant ``to``."""
        self._now = to


def to_datetime(at: Micros) -> datetime:
    """Return ``at`` as an aware UTC datetime, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=at)


def from_datetime(at: datetime) -> Micros:
    """Return an aware datetime as microseconds since the epoch; a naive one is refused with ValueError."""
    if at.tzinfo is None:
        raise ValueError(f"time {at.isoformat()} has no zone; give one, for example {at.isoformat()}+08:00")
    return (at - _EPOCH) // timedelta(microseconds=1)


def rfc3339(at: Micros) -> str:
    """Return ``at`` as RFC 3339 text in UTC with milliseconds, as the API writes every time."""
    second, micros = divmod(at, SECOND)
    return f"{_second(second)}.{micros // 1000:03d}Z"


@lru_cache(maxsize=4096)  # what is written at one time says the same few seconds again and again
def _second(at: int) -> str:
    return to_datetime(at * SECOND).isoformat(timespec="seconds").removesuffix("+00:00")
