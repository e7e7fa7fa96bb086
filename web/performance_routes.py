"""How alarms and operators did: shift reports, and the points that raise more alarms than others."""

from typing import Self

from pydantic import BaseModel, Field

from firetower.alerts import performance as figures
from firetower.core.clock import DAY
from firetower.core.errors import NotFound
from firetower.devices.rates import share
from firetower.storage import performance, watch_log
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Nothing, instant


class ShiftQuery(Asked):
    """Which shifts."""

    limit: int = Field(20, ge=1, le=1000)


class ShiftOut(Answered):
    """A shift."""

    id: str = Field(description="the local time it begins", examples=["2026-11-23T08:00"])
    begin: Instant
    end: Instant
    is_over: bool


class ShiftPage(Answered):
    """Shifts, newest first."""

    items: list[ShiftOut]
    next_cursor: str | None


class RaisedOut(Answered):
    """Alerts raised of one class and priority."""

    alert_class: str = Field(serialization_alias="class")
    priority: int
    count: int


class DelayOut(Answered):
    """How long something took; null where it was never done."""

    count: int
    median_s: float | None
    p95_s: float | None

    @classmethod
    def of(cls, delay: figures.Delay) -> Self:
        """Return a delay as the API writes it."""
        return cls(count=delay.count, median_s=_rounded(delay.median_s), p95_s=_rounded(delay.p95_s))


class AnswersOut(Answered):
    """What an operator, or all together, did in the shift."""

    operator: str | None
    acknowledged: int
    verified: int
    closed: int
    noted: int
    acknowledge: DelayOut = Field(description="from when an alert asked for somebody until it was taken on")
    acknowledge_fire: DelayOut
    verify: DelayOut = Field(description="until it was verified, of those whom this operator had taken on")
    verify_fire: DelayOut

    @classmethod
    def of(cls, answers: figures.Answers) -> Self:
        """Return answers as the API writes them."""
        return cls(
            operator=answers.operator,
            acknowledged=answers.acknowledged,
            verified=answers.verified,
            closed=answers.closed,
            noted=answers.noted,
            acknowledge=DelayOut.of(answers.acknowledge),
            acknowledge_fire=DelayOut.of(answers.acknowledge_fire),
            verify=DelayOut.of(answers.verify),
            verify_fire=DelayOut.of(answers.verify_fire),
        )


class RateOut(Answered):
    """New alarms that asked somebody to act."""

    operators: int = Field(description="accounts that acted in the shift, at least 1")
    average_10min: float = Field(description="an operator in ten minutes")
    peak_10min: float
    in_flood_percent: float = Field(description="of the time")


class SealedOut(Answered):
    """The hash of the alert history, for `firetower db verify-history --day … --hash …`."""

    day: str = Field(examples=["2026-11-23"])
    is_over: bool = Field(description="false: the hash is that of the newest entry; give its number n as --day")
    n: int
    hash: str


class ShareOut(Answered):
    """What share of alerts something is true of; null of none."""

    rate: float | None
    count: int
    of: int

    @classmethod
    def of_counts(cls, count: int, of: int) -> Self:
        """Return a share as the API writes it."""
        return cls(rate=share(count, of), count=count, of=of)


class ReportOut(Answered):
    """A shift report."""

    shift: ShiftOut
    raised: list[RaisedOut]
    rate: RateOut
    everyone: AnswersOut
    operators: list[AnswersOut]
    open_at_end: int
    stale: int = Field(description="those among them that had been open for more than a day")
    chattering: int
    fleeting: int = Field(description="normal again within 30 s")
    escalations: int
    worst_ten_percent: float = Field(description="share of the ten worst bad actors in all alarms")
    false_alarms: ShareOut = Field(
        description="误报率: false, of alerts closed in the shift as real fires, false alarms or mended hazards"
    )
    handled: ShareOut = Field(
        description="处置率: no deadline missed, of fires raised in the shift that are closed or overdue, no tests"
    )
    sealed: SealedOut | None
    log: str = Field(description="where its shift log is", examples=["/api/v1/shifts/2026-11-23T08:00/log"])
    log_entries: int


class BadActorQuery(Asked):
    """Over how long."""

    days: int = Field(7, ge=1, le=366)
    limit: int = Field(100, ge=1, le=1000)


class BadActorOut(Answered):
    """A point and rule that raise more alarms than others."""

    rule: str
    subject_kind: str
    subject: str
    unit: str | None
    device: str | None
    component: str
    alert_class: str = Field(serialization_alias="class")
    title_zh: str
    title_en: str
    place: str | None
    raised: int = Field(description="alerts")
    occurrences: int = Field(description="times its condition began in them")
    chattering: int = Field(description="alerts that chattered")
    fleeting: int = Field(description="alerts that were normal again within 30 s")
    stale: bool = Field(description="one is open, its condition standing, for more than a day now")
    last_raised_at: Instant


class BadActorPage(Answered):
    """Bad actors, worst first."""

    items: list[BadActorOut]
    next_cursor: str | None


async def list_shifts(call: Call[ShiftQuery, None]) -> BaseModel:
    """List the shift that is on and those before it."""
    now = call.deps.clock.now()
    recent = call.deps.roster.recent(now, call.query.limit)
    return ShiftPage(items=[_shift_out(shift, is_over=now >= shift.end) for shift in recent], next_cursor=None)


async def get_shift(call: Call[Nothing, None]) -> BaseModel:
    """Return a shift's report, of the one that is on as far as it has come."""
    roster, now = call.deps.roster, call.deps.clock.now()
    name = call.path("id")
    shift = roster.named(name)
    if shift is None or shift.begin > now:
        raise NotFound(f"there is no shift {name[:40]!r}; GET /api/v1/shifts lists them, {roster.at(now).id} is on")
    report = await performance.report(call.deps.pool, roster, shift, now)
    counts, sealed = report.counts, report.sealed
    return ReportOut(
        shift=_shift_out(shift, is_over=report.is_over),
        raised=[
            RaisedOut(alert_class=alert_class, priority=priority, count=count)
            for (alert_class, priority), count in sorted(counts.raised.items(), key=lambda item: (item[0][1], item[0]))
        ],
        rate=RateOut(
            operators=report.rate.operators,
            average_10min=round(report.rate.average, 2),
            peak_10min=round(report.rate.peak, 2),
            in_flood_percent=round(report.rate.in_flood, 2),
        ),
        everyone=AnswersOut.of(report.everyone),
        operators=[AnswersOut.of(each) for each in report.operators],
        open_at_end=counts.open_at_end,
        stale=counts.stale,
        chattering=counts.chattering,
        fleeting=counts.fleeting,
        escalations=counts.escalations,
        worst_ten_percent=round(counts.worst_share, 2),
        false_alarms=ShareOut.of_counts(counts.false_alarms, counts.checked),
        handled=ShareOut.of_counts(counts.in_time, counts.due),
        sealed=None if sealed is None else _sealed_out(sealed),
        log=f"/api/v1/shifts/{shift.id}/log",
        log_entries=await watch_log.count(call.deps.pool, shift.begin, shift.end),
    )


async def list_bad_actors(call: Call[BadActorQuery, None]) -> BaseModel:
    """List the points that raised most alarms, and those with an alarm of more than a day."""
    now = call.deps.clock.now()
    found = await performance.bad_actors(call.deps.pool, now - call.query.days * DAY, now, call.query.limit)
    return BadActorPage(items=[_bad_actor_out(each) for each in found], next_cursor=None)


def _shift_out(shift: figures.Shift, *, is_over: bool) -> ShiftOut:
    return ShiftOut(id=shift.id, begin=instant(shift.begin), end=instant(shift.end), is_over=is_over)


def _sealed_out(sealed: figures.Sealed) -> SealedOut:
    return SealedOut(day=sealed.day.isoformat(), is_over=sealed.is_over, n=sealed.n, hash=sealed.hash)


def _bad_actor_out(actor: figures.BadActor) -> BadActorOut:
    said = {name: getattr(actor, name) for name in actor.__slots__ if name != "last_raised_at"}
    return BadActorOut(**said, last_raised_at=instant(actor.last_raised_at))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


ROUTES = (
    Route("GET", "/api/v1/shifts", list_shifts, "Shifts", "performance", query=ShiftQuery, answer=ShiftPage),
    Route("GET", "/api/v1/shifts/{id}", get_shift, "A shift's report", "performance", answer=ReportOut),
    Route(
        "GET",
        "/api/v1/bad-actors",
        list_bad_actors,
        "Points that raise more alarms than others",
        "performance",
        query=BadActorQuery,
        answer=BadActorPage,
    ),
)
