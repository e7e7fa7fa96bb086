"""What a verdict of the rules or of a device does to the alert of its key: begin, repeat, rise, return, succeed."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from firetower.alerts.evidence import actor_of, evidence_of, metric_of, priority_of
from firetower.alerts.flags import IMPAIRED, SECOND_SIGNAL
from firetower.alerts.holds import NEVER_HELD
from firetower.alerts.lifecycle import Trigger, following, hold_after, holds_key
from firetower.alerts.model import Alert, Condition, Hold, State, Transition
from firetower.alerts.moves import awaited_anew
from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import HISTORICAL, SubjectKind, Verdict, VerdictKind

_REASON: dict[Trigger, str] = {
    Trigger.REPEATS: "repeated",
    Trigger.EASES: "eased",
    Trigger.RISES: "priority_rose",
    Trigger.OCCURS: "occurred_again",
    Trigger.RETURNS: "returned",
    Trigger.RETURNS_HELD: "returned",
    Trigger.SUCCEEDED: "succeeded",
    Trigger.LATE_EVIDENCE: "late_evidence",
    Trigger.RELEASED: "suppression_over",
}


# What was found out was found out of the alarm before; where it was forwarded, 119 is on its way all the same.
_UNANSWERED: dict[str, Any] = dict.fromkeys(
    ("acknowledged_at", "acknowledged_by", "verification", "verified_at", "verified_by", "verify_method")
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verdict did: the alert after it, its transition for the history, and whether it is a new alert (``id`` 0).

    ``alert`` is the same object when nothing changed. ``ended``: the closed alert whose key the new one takes over,
    with a transition of its own; it must be stored before the new one.
    """

    alert: Alert | None
    transition: Transition | None = None
    began: bool = False
    ended: Alert | None = None
    ended_transition: Transition | None = None


def judge(held: Alert | None, verdict: Verdict, at: Micros, over: AbstractSet[str] = frozenset()) -> Outcome:
    """Decide what a raise or clear, committed at ``at``, does to the alert last seen under its key (None: none was).

    What is for the record only (late evidence of anything but a fire) is a note on the alert that holds the key, else
    an alert that begins closed. RECORD verdicts are not about one key: see ``record``. ``over``: words of the alert
    whose test or drill is over (``announced.over``); news takes them off, and news of a fire is an occurrence.
    """
    alert = held if held is not None and holds_key(held) else None
    if alert is None:
        return _begin(verdict, at) if verdict.kind is VerdictKind.RAISE else Outcome(held)
    if verdict.for_the_record:
        state = following(alert, Trigger.LATE_EVIDENCE)
        return Outcome(alert, _transition(alert, state, Trigger.LATE_EVIDENCE, verdict, at))
    trigger = classify(alert, verdict)
    if trigger is None:
        return Outcome(alert)
    if trigger is Trigger.SUCCEEDED:
        state = following(alert, trigger)
        ended = replace(alert, condition=Condition.NORMAL, condition_at=max(alert.condition_at, verdict.at))
        begun = _begin(verdict, at, standing=alert.condition)
        return replace(begun, ended=ended, ended_transition=_transition(alert, state, trigger, verdict, at))
    gone = over & set(alert.flags) if _is_news(alert, trigger, verdict) else frozenset()
    if gone and trigger is Trigger.REPEATS and alert.is_fire and verdict.alert_class is AlertClass.FIRE:
        trigger = Trigger.OCCURS
    return _move(alert, trigger, verdict, at, gone)


def classify(alert: Alert, verdict: Verdict) -> Trigger | None:
    """Name what a raise or clear means for the alert that holds its key; None when it means nothing.

    A stale verdict never flips the condition.
    """
    stale = _is_stale(alert, verdict)
    active = alert.condition is Condition.ACTIVE
    if verdict.kind is VerdictKind.CLEAR:
        return Trigger.RETURNS if active and not stale else None
    fire = verdict.alert_class is AlertClass.FIRE
    said_anew = (verdict.event is not None or verdict.historical) and verdict.at > alert.last_event_at
    rises = (fire and not alert.is_fire) or (not stale and priority_of(verdict) < alert.priority)
    if alert.state is State.CLOSED:
        # A fire dated before the last one is doubtful (late, or a clock set back), and doubt raises.
        # That more devices join what a rule says of a group is no new alert: each of them has its own.
        anew = verdict.at != alert.last_event_at and not verdict.again if fire else alert.latched and said_anew
        return Trigger.SUCCEEDED if rises or anew else Trigger.REPEATS
    if rises:
        return Trigger.RISES
    again = not active and not stale
    # An event dated before the last one may come of a clock set back, and doubt sounds; what is late is told apart.
    doubtful = verdict.event is not None and not verdict.historical and verdict.at != alert.last_event_at
    if alert.state is not State.UNACKNOWLEDGED and (again or (fire and (said_anew or doubtful))):
        return Trigger.OCCURS
    if alert.held_by_design and not (stale or verdict.suppressed):
        return Trigger.RELEASED
    if alert.state is State.ACKNOWLEDGED and not (stale or alert.is_fire) and _falls(alert, verdict):
        return Trigger.EASES
    return Trigger.REPEATS


def _is_news(alert: Alert, trigger: Trigger, verdict: Verdict) -> bool:
    """Say whether something alarmed once more, whatever it does to the alert; in doubt it did."""
    if trigger not in {Trigger.REPEATS, Trigger.EASES}:
        return trigger in {Trigger.OCCURS, Trigger.RISES, Trigger.RELEASED}
    again = alert.condition is Condition.NORMAL and not _is_stale(alert, verdict)
    return again or ((verdict.event is not None or verdict.historical) and verdict.at != alert.last_event_at)


def _is_stale(alert: Alert, verdict: Verdict) -> bool:
    """Say whether a device's event is older than what is known: than the last change of condition, a clear than the
    last word at all.

    Late evidence always is: it says nothing of the present. A rule's other verdicts are committed in the order they
    were decided in, so the last one holds, whatever its time: what a device said just before its silence was found may
    be read just after.
    """
    if verdict.event is None:
        return verdict.historical
    clears = verdict.kind is VerdictKind.CLEAR
    return verdict.at < (max(alert.condition_at, alert.last_event_at) if clears else alert.condition_at)


def record(alert: Alert, verdict: Verdict, at: Micros) -> Transition:
    """Return the history entry of a reset 复位, feedback 反馈 or test said by the sender of an open alert."""
    state = following(alert, Trigger.RECORDED)
    reason = verdict.rule.removeprefix("event:")
    return Transition(alert.state, state, at, actor_of(verdict), reason, evidence_of(verdict))


def sender_of(verdict: Verdict) -> tuple[str | None, str | None]:
    """Return (unit, device) a verdict is about, as far as its subject tells."""
    match verdict.subject_kind:
        case SubjectKind.DEVICE | SubjectKind.SENDER | SubjectKind.GATEWAY:
            unit, _, device = verdict.subject.partition("/")
            return unit, device or None
        case SubjectKind.UNIT:
            return verdict.subject, None
        case SubjectKind.ZONE:
            return verdict.subject.partition("/")[0], None
        case _:
            return None, None


def _begin(verdict: Verdict, at: Micros, *, standing: Condition = Condition.NORMAL) -> Outcome:
    """Begin an alert. Late evidence leaves the condition at what is ``standing``, and closes it unless it is a fire."""
    unit, device = sender_of(verdict)
    closed = verdict.for_the_record
    held = not closed and holds_back(verdict)
    alert = Alert(
        id=0,
        rule=verdict.rule,
        rule_version=verdict.rule_version,
        subject_kind=verdict.subject_kind.value,
        subject=verdict.subject,
        component=verdict.component,
        alert_class=verdict.alert_class,
        priority=priority_of(verdict),
        latched=_latches(verdict),
        state=State.CLOSED if closed else State.UNACKNOWLEDGED,
        hold=Hold.SUPPRESSED if held else Hold.NONE,
        hold_reason=verdict.suppressed if held else None,
        condition=standing if verdict.historical else Condition.ACTIVE,
        disposition=None,
        cause=None,
        unit=unit,
        unit_name=None,
        device=device,
        device_kind=None,
        metric=metric_of(verdict),
        value=verdict.value,
        limit_value=verdict.limit,
        figure=verdict.figure,
        title_zh=verdict.title_zh,
        title_en=verdict.title_en,
        text=verdict.text,
        place=None,
        lon=None,
        lat=None,
        flags=verdict.flags,
        occurrences=1,
        repeats=0,
        version=1,
        assignee=None,
        device_at=verdict.at,
        received_at=at if verdict.event is None else verdict.event.received_at,
        raised_at=at,
        condition_at=verdict.at,
        last_event_at=verdict.at,
        alarmed_at=at,
        closed_at=at if closed else None,
        closed_by=actor_of(verdict) if closed else None,
    )
    reason = "closed_historical" if closed else "raised"
    transition = Transition(None, alert.state, at, actor_of(verdict), reason, evidence_of(verdict))
    return Outcome(alert, transition, began=True)


def _move(alert: Alert, trigger: Trigger, verdict: Verdict, at: Micros, gone: AbstractSet[str]) -> Outcome:
    if trigger is Trigger.RETURNS and _nobody_waits(alert):
        trigger = Trigger.RETURNS_HELD
    state = following(alert, trigger)
    changes: dict[str, Any] = {"state": state}
    if trigger in {Trigger.RETURNS, Trigger.RETURNS_HELD}:
        changes |= {"condition": Condition.NORMAL, "condition_at": max(alert.condition_at, verdict.at)}
    else:
        changes |= _said_again(alert, verdict)
    if trigger in {Trigger.REPEATS, Trigger.EASES}:
        changes["repeats"] = alert.repeats + 1
    if trigger is Trigger.OCCURS:
        changes["occurrences"] = alert.occurrences + 1
        gone = {*gone, SECOND_SIGNAL}  # that was said of the alarm before
    if trigger in {Trigger.RISES, Trigger.EASES, Trigger.OCCURS, Trigger.RELEASED}:
        changes |= _level(alert, verdict, may_fall=trigger is Trigger.EASES)
        changes["version"] = alert.version + 1
    if gone:
        changes["flags"] = tuple(flag for flag in changes.get("flags", alert.flags) if flag not in gone)
    if gone or state is not alert.state:
        changes["version"] = alert.version + 1
    changes |= _asks_anew(alert, trigger, state, at)
    if state is State.CLOSED and state is not alert.state:
        changes |= {"closed_at": at, "closed_by": actor_of(verdict)}
    moved = replace(alert, **changes)
    hold = Hold.NONE if state is State.CLOSED else _hold(alert, trigger, moved.alert_class, verdict)
    if hold is not alert.hold:
        moved = _no_longer_held(alert, moved)
    # A repeat of anything but a fire is counted, not written down: a chattering point would fill the history.
    elif trigger is Trigger.REPEATS and verdict.alert_class is not AlertClass.FIRE and not gone:
        return Outcome(moved)
    entry = _transition(alert, state, trigger, verdict, at)
    more: dict[str, Any] = {"hold_ended": alert.hold.value} if hold is not alert.hold else {}
    more |= {"no_longer": sorted(gone)} if gone else {}
    return Outcome(moved, replace(entry, evidence={**entry.evidence, **more}) if more else entry)


def _asks_anew(alert: Alert, trigger: Trigger, state: State, at: Micros) -> dict[str, Any]:
    """Return the fields of an alert for which somebody is awaited anew; none where nobody is."""
    calls_again = trigger is Trigger.OCCURS or (state is State.UNACKNOWLEDGED and state is not alert.state)
    if not calls_again and trigger is not Trigger.RISES:
        return {}
    return (_UNANSWERED if calls_again else {}) | awaited_anew(alert, at)


def holds_back(verdict: Verdict) -> bool:
    """Say whether a raise begins out of the queue, suppressed by design; never a class that no window holds."""
    return bool(verdict.suppressed) and verdict.alert_class not in NEVER_HELD


def _nobody_waits(alert: Alert) -> bool:
    """Say whether an alert's return closes it though nobody acknowledged it; a latched one stays held until the end."""
    held = alert.hold in {Hold.SUPPRESSED, Hold.OUT_OF_SERVICE}
    return held and not alert.latched and alert.state is not State.CLOSED


def _hold(alert: Alert, trigger: Trigger, alert_class: AlertClass, verdict: Verdict) -> Hold:
    """Return the hold after ``trigger`` took an alert to ``alert_class``; what the class forbids ends at once.

    So does a suppression by design once it is not said any more, and when the condition is over: nobody would say so
    of a latched alert later.
    """
    hold = hold_after(alert, trigger)
    said_again = trigger in {Trigger.RISES, Trigger.OCCURS} and not verdict.suppressed
    if alert.held_by_design and (said_again or trigger is Trigger.RETURNS):
        return Hold.NONE
    if alert_class is AlertClass.FIRE or (alert_class in NEVER_HELD and hold is not Hold.SHELVED):
        return Hold.NONE
    return hold


def _no_longer_held(alert: Alert, moved: Alert) -> Alert:
    """Return ``moved`` without the hold it had; of a fire or prealarm it stays to be read where it comes from."""
    impaired = alert.hold is Hold.OUT_OF_SERVICE and moved.alert_class in NEVER_HELD
    return replace(
        moved,
        hold=Hold.NONE,
        hold_reason=None,
        held_until=None,
        held_by=None,
        cause_id=None,
        flags=tuple(dict.fromkeys((*moved.flags, IMPAIRED))) if impaired else moved.flags,
        version=alert.version + 1,
    )


def _said_again(alert: Alert, verdict: Verdict) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if verdict.at >= alert.last_event_at:
        changes |= {"last_event_at": verdict.at, "value": verdict.value, "limit_value": verdict.limit}
        changes["figure"] = verdict.figure  # the rule may be another edition by now, with another window
        if verdict.again and verdict.text and alert.state is not State.CLOSED:
            changes["text"] = verdict.text  # a group names its devices, of which there are more by now
    if alert.condition is Condition.NORMAL and not _is_stale(alert, verdict):
        changes |= {
            "condition": Condition.ACTIVE,
            "condition_at": max(alert.condition_at, verdict.at),
            "flags": tuple(flag for flag in alert.flags if flag != HISTORICAL),
        }
    return changes


def _level(alert: Alert, verdict: Verdict, *, may_fall: bool) -> dict[str, Any]:
    """Return what follows the verdict's level; a latch stays, and so does the higher level unless it may fall."""
    flags = dict.fromkeys(alert.flags + verdict.flags)
    if not (verdict.historical and HISTORICAL in alert.flags):
        flags.pop(HISTORICAL, None)  # only an alert of which nothing was ever said of the present is historical
    changes: dict[str, Any] = {"latched": alert.latched or _latches(verdict), "flags": tuple(flags)}
    if may_fall or not _falls(alert, verdict):
        changes |= {
            "alert_class": verdict.alert_class,
            "priority": priority_of(verdict),
            "rule_version": verdict.rule_version,
            "title_zh": verdict.title_zh,
            "title_en": verdict.title_en,
        }
    return changes


def _falls(alert: Alert, verdict: Verdict) -> bool:
    """Say whether the verdict is of a lower level; a fire is never brought down to anything else."""
    if alert.is_fire:
        return verdict.alert_class is not AlertClass.FIRE
    return priority_of(verdict) > alert.priority


def _latches(verdict: Verdict) -> bool:
    return verdict.latch or verdict.alert_class is AlertClass.FIRE


def _transition(alert: Alert, state: State, trigger: Trigger, verdict: Verdict, at: Micros) -> Transition:
    return Transition(alert.state, state, at, actor_of(verdict), _REASON[trigger], evidence_of(verdict))
