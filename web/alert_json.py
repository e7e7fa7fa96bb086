"""An alert as the API and the live feed write it."""

from typing import Any

import msgspec
from pydantic import Field

from firetower.alerts.deadlines import Due, Limits, awaited
from firetower.alerts.model import Alert, Condition, Deadline, Disposition, Hold, Method, State, Verification
from firetower.alerts.provisional import key_of
from firetower.core.clock import SECOND
from firetower.devices.events import AlertClass
from firetower.devices.metrics import catalogue
from firetower.rules.book.model import Rule
from firetower.web.api_models import Answered, Instant, instant, instant_or_none
from firetower.web.handover_json import HandoverOut, handover_out


class Title(Answered):
    """The headline in both languages."""

    zh: str
    en: str


class Figure(Answered):
    """What a value and its limit are where they are derived from readings of the metric."""

    of: str = Field(description="rise, drop, rate, mean, … pattern, trend, imbalance: docs/api.md lists them")
    over: str | None = Field(description="of how long a time, as a rulebook writes it; null: of none")


class DueOut(Answered):
    """What somebody has to do next, and until when."""

    deadline: Deadline
    at: Instant = Field(description="may have passed: it is overdue then, and escalated")
    limit_s: float = Field(description="how long it leaves, as the duty plan says")


class AlertOut(Answered):
    """One alert; the words and clocks are those of the contract."""

    id: str = Field(description="opaque")
    key: str = Field(description="opaque; of what was said of which point; the same on the provisional alarm it was")
    alert_class: AlertClass = Field(serialization_alias="class")
    priority: int = Field(ge=1, le=4, description="1 red, 2 orange, 3 yellow, 4 blue")
    state: State
    hold: Hold
    condition: Condition = Field(description="what the device says, whatever the state")
    disposition: Disposition | None
    cause: str | None
    unit: str | None
    unit_name: str | None
    device: str | None
    device_kind: str | None
    component: str = Field(description="the point (部位), or the metric with its channel")
    subject_kind: str
    subject: str
    rule: str = Field(description="the rule's id, `event:<name>` for a device's own alarm, or `manual:report`")
    rule_version: int
    title: Title
    metric: str | None
    value: float | None
    limit: float | None
    uom: str | None = Field(description="unit of measure of value and limit")
    figure: Figure | None = Field(description="what value and limit are of the metric; null: as measured")
    text: str = Field(description="the panel's own words")
    place: str | None = Field(description="the registry's words, frozen when it was raised")
    lon: float | None
    lat: float | None
    flags: list[str]
    latched: bool = Field(description="closes only with a disposition")
    occurrences: int
    repeats: int
    version: int = Field(
        description="rises with state, hold, assignee, priority, occurrences, verification and forwarding"
    )
    assignee: str | None
    device_at: Instant
    received_at: Instant
    raised_at: Instant
    condition_at: Instant
    last_event_at: Instant
    shown_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    verified_at: Instant | None
    forwarded_at: Instant | None
    receipted_at: Instant | None
    closed_at: Instant | None
    closed_by: str | None
    zone: str | None = Field(description="`building/floor/zone` within the unit, frozen when it was raised")
    main: str | None = Field(description="the water main it stands on")
    gateway: str | None = Field(description="the gateway it reports through")
    incident_id: str | None = Field(description="the incident (警情) it belongs to; null until it was given one")
    hold_reason: str | None
    held_until: Instant | None = Field(description="when a hold ends by itself")
    held_by: str | None
    window_id: str | None = Field(description="the announced window it was raised in or is held by")
    cause_id: str | None = Field(description="the alert that explains it, of hold `suppressed`")
    verification: Verification | None
    verified_by: str | None
    verify_method: Method | None
    escalation: int = Field(description="how often nobody answered in time (逐级上报)")
    handover: HandoverOut | None = Field(description="through the interface to 119; null: 119 is called")
    due: DueOut | None = Field(description="what somebody has to do next; null: nothing is awaited, or no fire")


class AlertWithAdvice(AlertOut):
    """One alert, and what its rule advises to do."""

    advice: Title | None = Field(
        description="what to do, in the words of the rulebook in force; null for what no rule of it raised"
    )


class HistoryEntry(Answered):
    """One transition of an alert."""

    seq: int
    at: Instant
    old: State | None
    new: State
    actor: str
    reason: str
    evidence: dict[str, object]


def alert_out(alert: Alert, limits: Limits) -> AlertOut:
    """Return an alert as the API writes it; ``limits``: how long each step of a fire may take."""
    said = members_of(alert, limits)
    return AlertOut(alert_class=said.pop("class"), **said)


def members_of(alert: Alert, limits: Limits) -> dict[str, Any]:
    """Return the members of an ``AlertOut`` in its order, each as JSON has it.

    What REST answers and what the feed says are both made of this one: the model checks and describes it, the feed
    writes it as it is, at less than half of the cost.
    """
    known = None if alert.metric is None else catalogue().by_name.get(alert.metric.partition(".")[0])
    of, over, uom = alert.figure.split(" ") if alert.figure else ("", "", "")
    handover = handover_out(alert)
    return {
        "id": str(alert.id),
        "key": key_of(alert.rule, alert.subject_kind, alert.subject, alert.component),
        "class": alert.alert_class,
        "priority": alert.priority,
        "state": alert.state,
        "hold": alert.hold,
        "condition": alert.condition,
        "disposition": alert.disposition,
        "cause": alert.cause,
        "unit": alert.unit,
        "unit_name": alert.unit_name,
        "device": alert.device,
        "device_kind": alert.device_kind,
        "component": alert.component,
        "subject_kind": alert.subject_kind,
        "subject": alert.subject,
        "rule": alert.rule,
        "rule_version": alert.rule_version,
        "title": {"zh": alert.title_zh, "en": alert.title_en},
        "metric": alert.metric,
        "value": alert.value,
        "limit": alert.limit_value,
        "uom": uom or (None if known is None else known.unit),
        "figure": {"of": of, "over": None if over == "-" else over} if of else None,
        "text": alert.text,
        "place": alert.place,
        "lon": alert.lon,
        "lat": alert.lat,
        "flags": list(alert.flags),
        "latched": alert.latched,
        "occurrences": alert.occurrences,
        "repeats": alert.repeats,
        "version": alert.version,
        "assignee": alert.assignee,
        "device_at": instant(alert.device_at),
        "received_at": instant(alert.received_at),
        "raised_at": instant(alert.raised_at),
        "condition_at": instant(alert.condition_at),
        "last_event_at": instant(alert.last_event_at),
        "shown_at": instant_or_none(alert.shown_at),
        "acknowledged_at": instant_or_none(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "verified_at": instant_or_none(alert.verified_at),
        "forwarded_at": instant_or_none(alert.forwarded_at),
        "receipted_at": instant_or_none(alert.receipted_at),
        "closed_at": instant_or_none(alert.closed_at),
        "closed_by": alert.closed_by,
        "zone": alert.zone,
        "main": alert.main,
        "gateway": alert.gateway,
        "incident_id": _text(alert.incident_id),
        "hold_reason": alert.hold_reason,
        "held_until": instant_or_none(alert.held_until),
        "held_by": alert.held_by,
        "window_id": _text(alert.window_id),
        "cause_id": _text(alert.cause_id),
        "verification": alert.verification,
        "verified_by": alert.verified_by,
        "verify_method": alert.verify_method,
        "escalation": alert.escalation,
        "handover": None if handover is None else handover.model_dump(mode="json"),
        "due": _due(awaited(alert, limits)),
    }


def alert_with_advice(alert: Alert, limits: Limits, rule: Rule | None) -> AlertWithAdvice:
    """Return an alert as the API writes one alone; ``rule``: that it is of, None where the rulebook has none."""
    advice = None if rule is None else Title(zh=rule.advice.zh, en=rule.advice.en)
    return AlertWithAdvice(**dict(alert_out(alert, limits)), advice=advice)


def _due(due: Due | None) -> dict[str, Any] | None:
    if due is None:
        return None
    return {"deadline": due.deadline, "at": instant(due.at), "limit_s": due.limit / SECOND}


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def alert_bytes(alert: Alert, limits: Limits) -> bytes:
    """Return an alert as JSON."""
    return msgspec.json.encode(members_of(alert, limits))
