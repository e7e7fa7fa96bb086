"""The rulebook in force, as an operator or a script may read it."""

import asyncio
from typing import Any

from pydantic import BaseModel, Field

from firetower.alerts.ports import PAGE_LIMIT
from firetower.core.errors import InvalidInput, NotFound
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.changed import text_of
from firetower.rules.book.conditions import Condition
from firetower.rules.book.model import Loosened, Override, Rule, Schedule, Suppression
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.verdicts import SubjectKind
from firetower.storage import rule_figures, shadow_alerts
from firetower.storage.shadow_alerts import ShadowAlert
from firetower.web.alert_json import Title
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Moment, Nothing, instant, instant_or_none


class RuleOut(Answered):
    """One rule. Durations in µs; limits in the metric's unit."""

    id: str
    version: int
    title: Title
    advice: Title = Field(description="what to do about it")
    alert_class: AlertClass = Field(serialization_alias="class")
    kinds: list[DeviceKind]
    metric: str | None
    condition: Condition
    suppressed: Suppression | None = Field(description="what holds its alerts back by design, and why; never a fire's")
    schedule: Schedule | None = Field(description="when it is active; null: always")
    overrides: list[Override] = Field(description="where its limits are other ones, or it is off")
    loosened: Loosened | None = Field(description="who made a fire or prealarm limit looser than it is shipped")
    shadow: bool = Field(description="on trial: its alerts are counted and listed, not shown or sent")
    where: str | None = Field(description="file and line of the rulebook")


class RaisedOut(Answered):
    """How often a rule raised, alerts of the past and of tests included."""

    open: int = Field(description="alerts of it that stand")
    last_24_h: int
    last_7_d: int
    false_7_d: int = Field(description="of those of seven days, closed as false alarms")
    by_day: list[int] = Field(description="of the last seven days of 24 hours, the oldest first")


class RuleFileOut(RuleOut):
    """One rule, as it is written, and what it raised."""

    written: dict[str, Any] = Field(description="as a rulebook writes it, of JSON's types; empty where nobody wrote it")
    text: str = Field(description="the same as YAML of a rulebook's file, to be changed and back-tested")
    raised: RaisedOut


class RuleList(Answered):
    """All rules, in the rulebook's order."""

    items: list[RuleOut]
    next_cursor: None = None


class ShadowQuery(Asked):
    """Which of a rule's shadow alerts."""

    since: Moment | None = Field(None, description="begun at or after")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=PAGE_LIMIT)


class ShadowAlertOut(Answered):
    """An alert that a rule on trial would have raised. Times are the devices'."""

    id: str
    rule_version: int
    subject_kind: SubjectKind
    subject: str
    component: str
    alert_class: AlertClass = Field(serialization_alias="class")
    priority: int
    title: Title
    value: float | None = Field(description="of the last time, in the metric's unit")
    limit: float | None
    raised_at: Instant
    last_at: Instant
    cleared_at: Instant | None = Field(description="null: it stands")
    occurrences: int


class ShadowCounts(Answered):
    """How many a rule would have raised."""

    open: int = Field(description="those that stand")
    last_24_h: int
    last_7_d: int


class ShadowList(Answered):
    """What a rule on trial would have raised, newest first."""

    counts: ShadowCounts
    items: list[ShadowAlertOut]
    next_cursor: str | None


async def list_rules(call: Call[Nothing, None]) -> BaseModel:
    """List the rules in force, each limit with its source."""
    book = call.deps.rulebook()
    return RuleList(items=[_rule_out(book, rule) for rule in book.rules])


async def get_rule(call: Call[Nothing, None]) -> BaseModel:
    """Return one rule as it is written, and what it raised lately."""
    book = call.deps.rulebook()
    rule = _rule(call, book)
    raised = await rule_figures.raised(call.deps.pool, rule.id, call.deps.clock.now())
    written = book.written.get(rule.id, {})
    known = _rule_out(book, rule)
    return RuleFileOut(
        **{name: getattr(known, name) for name in RuleOut.model_fields},
        written=written,
        text=await asyncio.to_thread(text_of, written) if written else "",
        raised=RaisedOut(
            open=raised.open,
            last_24_h=raised.by_day[-1],
            last_7_d=sum(raised.by_day),
            false_7_d=raised.false,
            by_day=list(raised.by_day),
        ),
    )


async def list_shadow(call: Call[ShadowQuery, None]) -> BaseModel:
    """List what a rule raised while it was on trial, and count it; of a rule that never was, nothing."""
    rule = _rule(call, call.deps.rulebook())
    query = call.query
    if query.cursor is not None and not (
        query.cursor.isascii() and query.cursor.isdecimal() and len(query.cursor) <= 18
    ):
        raise InvalidInput(
            f"cursor {query.cursor[:80]!r} is none of this list; start again without a cursor", {"field": "cursor"}
        )
    page = await shadow_alerts.page(
        call.deps.pool,
        rule.id,
        now=call.deps.clock.now(),
        since=query.since,
        before=None if query.cursor is None else int(query.cursor),
        limit=query.limit,
    )
    return ShadowList(
        counts=ShadowCounts(open=page.open, last_24_h=page.day, last_7_d=page.week),
        items=[_shadow_out(each) for each in page.items],
        next_cursor=None if page.last_id is None else str(page.last_id),
    )


def _rule(call: Call[Asked, None], book: Rulebook) -> Rule:
    rule_id = call.path("rule")
    rule = book.rule(rule_id)
    if rule is None:
        raise NotFound(f"there is no rule {rule_id!r}; GET /api/v1/rules lists them")
    return rule


def _shadow_out(each: ShadowAlert) -> ShadowAlertOut:
    return ShadowAlertOut(
        id=str(each.id),
        rule_version=each.rule_version,
        subject_kind=each.subject_kind,
        subject=each.subject,
        component=each.component,
        alert_class=each.alert_class,
        priority=each.priority,
        title=Title(zh=each.title_zh, en=each.title_en),
        value=each.value,
        limit=each.limit,
        raised_at=instant(each.raised_at),
        last_at=instant(each.last_at),
        cleared_at=instant_or_none(each.cleared_at),
        occurrences=each.occurrences,
    )


def _rule_out(book: Rulebook, rule: Rule) -> RuleOut:
    return RuleOut(
        id=rule.id,
        version=rule.version,
        title=Title(zh=rule.title.zh, en=rule.title.en),
        advice=Title(zh=rule.advice.zh, en=rule.advice.en),
        alert_class=rule.alert_class,
        kinds=list(rule.kinds),
        metric=rule.metric,
        condition=rule.condition,
        suppressed=rule.suppressed,
        schedule=rule.schedule,
        overrides=[override for override in book.overrides if override.rule == rule.id],
        loosened=rule.loosened,
        shadow=rule.shadow,
        where=book.where.get(rule.id),
    )


ROUTES = (
    Route("GET", "/api/v1/rules", list_rules, "The rulebook", "records", answer=RuleList),
    Route("GET", "/api/v1/rules/{rule}", get_rule, "One rule", "records", answer=RuleFileOut),
    Route(
        "GET",
        "/api/v1/rules/{rule}/shadow",
        list_shadow,
        "What a rule on trial would have raised",
        "records",
        query=ShadowQuery,
        answer=ShadowList,
    ),
)
