"""How the alarms and those who answer them did: shifts, and the figures of ISA-18.2 / IEC 62682 over one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from firetower.alerts.floods import WITHIN
from firetower.core.clock import Micros, from_datetime, to_datetime

INTERVAL: Micros = WITHIN
"""Alarms are counted over so long, from the shift's begin on."""
WORST = 10
"""Bad actors whose share of all alarms is told."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift 班次. ``id``: its begin by the local clock, ``2026-11-23T08:00``; ``begin``, ``end``: µs."""

    id: str
    begin: Micros
    end: Micros


@dataclass(frozen=True, slots=True)
class Roster:
    """When shifts begin (``starts``, times of day in order) by the clock of ``zone``; each lasts until the next."""

    starts: tuple[time, ...] = (time(8), time(20))
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))

    def at(self, now: Micros) -> Shift:
        """Return the shift that is on at ``now``."""
        return self.recent(now, 1)[0]

    def recent(self, now: Micros, limit: int) -> list[Shift]:
        """Return the shift that is on at ``now`` and those before it, ``limit`` in all, newest first."""
        today = self._day(now)
        days = -(-limit // len(self.starts)) + 1
        begun = self._between(today - timedelta(days=days), today + timedelta(days=2))
        past = [shift for shift in begun if shift.begin <= now]
        return past[: -limit - 1 : -1]

    def named(self, shift_id: str) -> Shift | None:
        """Return the shift of an id; None where none begins."""
        try:
            day = datetime.strptime(shift_id, "%Y-%m-%dT%H:%M").date()  # noqa: DTZ007  # reason: local by definition
            around = self._between(day - timedelta(days=1), day + timedelta(days=2))
        except (ValueError, OverflowError):
            return None
        return next((shift for shift in around if shift.id == shift_id), None)

    def _day(self, at: Micros) -> date:
        return to_datetime(at).astimezone(self.zone).date()

    def _between(self, first: date, last: date) -> list[Shift]:
        """Return the shifts that begin from ``first`` to before the last one of ``last``."""
        begins: dict[Micros, str] = {}
        for more in range((last - first).days + 1):
            for start in self.starts:
                local = datetime.combine(first + timedelta(days=more), start)
                begins[from_datetime(local.replace(tzinfo=self.zone))] = local.isoformat(timespec="minutes")
        order = sorted(begins)
        return [Shift(begins[begin], begin, end) for begin, end in pairwise(order)]


@dataclass(frozen=True, slots=True)
class Rate:
    """New alarms that asked somebody to act. ``average``, ``peak``: an operator in INTERVAL; ``in_flood``: per cent of
    the time."""

    operators: int
    average: float
    peak: float
    in_flood: float


def rate(
    shift: Shift,
    now: Micros,
    alarms: Mapping[int, int],
    operators: int,
    floods: Sequence[tuple[Micros, Micros | None]],
) -> Rate:
    """Return the rate over a shift, as far as it has come at ``now``.

    ``alarms``: new ones by the number of the INTERVAL since the shift's begin; ``operators``: who worked, at least one
    is taken; ``floods``: begin and end (None: not yet) of floods, µs.
    """
    operators = max(operators, 1)
    until = max(min(shift.end, now), shift.begin)
    passed = until - shift.begin
    spans = max(passed / INTERVAL, 1.0)
    flooded = sum(max(min(until if end is None else end, until) - max(begin, shift.begin), 0) for begin, end in floods)
    return Rate(
        operators=operators,
        average=sum(alarms.values()) / spans / operators,
        peak=max(alarms.values(), default=0) / operators,
        in_flood=100.0 * flooded / passed if passed else 0.0,
    )


def share(part: int, whole: int) -> float:
    """Return ``part`` of ``whole`` in per cent; 0 of nothing."""
    return 100.0 * part / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Delay:
    """How long something took, s: the median and what 95 of 100 stayed under; None where it was never done."""

    count: int
    median_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Answers:
    """What one operator did in a shift, or all together (``operator`` None).

    ``acknowledge``: from when an alert asked for somebody until it was taken on; ``verify``: until it was verified, of
    those whom this operator had taken on. Both of all alerts, and of fires alone.
    """

    operator: str | None
    acknowledged: int
    verified: int
    closed: int
    noted: int
    acknowledge: Delay
    acknowledge_fire: Delay
    verify: Delay
    verify_fire: Delay


@dataclass(frozen=True, slots=True)
class BadActor:
    """A point and rule that raise more than others 高频报警点.

    ``raised``: alerts; ``occurrences``: times the condition began in them; ``chattering``, ``fleeting``: alerts among
    them; ``stale``: whether one is open for longer than a day now. ``place``: as last frozen.
    """

    rule: str
    subject_kind: str
    subject: str
    unit: str | None
    device: str | None
    component: str
    alert_class: str
    title_zh: str
    title_en: str
    place: str | None
    raised: int
    occurrences: int
    chattering: int
    fleeting: int
    stale: bool
    last_raised_at: Micros


@dataclass(frozen=True, slots=True)
class Counts:
    """What there was of alerts in a shift. ``raised``: by (class, priority); ``open_at_end``: whenever raised.

    ``checked``: closed in the shift with a verdict on what it was, never a test, a drill, maintenance or one nobody
    could tell; ``false_alarms``: of these (误报率). ``due``: fires raised in the shift, no tests, that are handled or
    overdue; ``in_time``: of these, those that missed no deadline (处置率).
    """

    raised: Mapping[tuple[str, int], int]
    open_at_end: int
    stale: int
    chattering: int
    fleeting: int
    escalations: int
    worst_share: float
    checked: int
    false_alarms: int
    due: int
    in_time: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """The hash on the report: of the end of ``day``, or while that is not over as of the newest entry. ``n``: its
    number; ``hash``: hexadecimal."""

    day: date
    is_over: bool
    n: int
    hash: str


@dataclass(frozen=True, slots=True)
class Report:
    """A shift report 交接班报表; ``sealed`` None before anything was."""

    shift: Shift
    is_over: bool
    counts: Counts
    rate: Rate
    everyone: Answers
    operators: Sequence[Answers]
    sealed: Sealed | None
