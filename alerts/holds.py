"""How a hold begins, changes and ends by itself: shelving, windows, and alerts that another one explains. No I/O.

None of it ever holds a fire or a prealarm: in a window these are marked ``impaired``, and nothing else. What is held is
held with a reason and comes back by itself: what still stands then is unacknowledged, what has returned is closed,
or stays as the table of a latched alert says (``lifecycle.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from firetower.alerts.deadlines import TIMER
from firetower.alerts.flags import IMPAIRED
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, Condition, Hold, State, Transition
from firetower.alerts.moves import entry, moved
from firetower.alerts.windows import Where, Window, WindowKind, WindowState
from firetower.core.clock import MINUTE, Micros, rfc3339
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind

GRACE: Micros = 3 * MINUTE
"""What a cause explained stays hidden for so long after it is over: a gateway's points need their turn to report."""

TAKES_OUT = (WindowKind.MAINTENANCE, WindowKind.IMPAIRMENT)
"""Windows that take what they cover out of service."""

POWER_RULES = ("event:main_power_lost", "event:backup_power_lost", "event:power_lost")
"""A panel without power explains its other faults."""

NEVER_HELD = (AlertClass.FIRE, AlertClass.PREALARM, AlertClass.UNREADABLE)
"""Classes that no window holds."""

Move = tuple[Alert, Transition | None]
"""An alert after something happened, and the entry for its history, if it is worth one."""


def where_of(alert: Alert) -> Where:
    """Return where an alert is, as frozen when it was raised."""
    return Where(alert.unit, alert.zone, alert.device, alert.component, alert.main, alert.gateway)


# the end of any hold -----------------------------------------------------------------------------


def release(alert: Alert, reason: str, at: Micros, evidence: Mapping[str, Any] | None = None) -> Move:
    """Return a held alert after its hold ended by itself, re-evaluated: it sounds again where its condition stands."""
    trigger = Trigger.RELEASED if alert.condition is Condition.ACTIVE else Trigger.RELEASED_NORMAL
    after = moved(alert, trigger, actor=TIMER, at=at)
    return after, entry(alert, after, reason, evidence, actor=TIMER, at=at)


def after_shelving(alert: Alert, at: Micros) -> Move | None:
    """Return a shelved alert after its end has come; None when it has not, or the alert is not on the shelf."""
    if alert.state is State.CLOSED or alert.hold is not Hold.SHELVED or (alert.held_until or 0) > at:
        return None
    return release(alert, "shelving_ended", at, {"held_until": rfc3339(alert.held_until or at)})


# windows -----------------------------------------------------------------------------------------


def hold_reason(window: Window) -> str:
    """Return the words that stand on what a window holds."""
    return f"{window.kind.value}: {window.reason}"


def enter(alert: Alert, window: Window, at: Micros) -> Move | None:
    """Return an open alert after a window that takes out of service covers it; None when that changes nothing."""
    if alert.state is State.CLOSED or alert.hold is Hold.OUT_OF_SERVICE or not window.covers(where_of(alert)):
        return None
    if alert.alert_class in NEVER_HELD:
        if IMPAIRED in alert.flags:
            return None
        marked = replace(alert, state=following(alert, Trigger.NOTE), flags=(*alert.flags, IMPAIRED))
        return marked, entry(alert, marked, IMPAIRED, _evidence(window), actor=TIMER, at=at)
    return _held(alert, Trigger.OUT_OF_SERVICE, window, at)


def leave(alert: Alert, ended: Mapping[int, Window], active: Iterable[Window], at: Micros) -> Move | None:
    """Return an alert after the window that holds it ended; None when none of ``ended`` (by id) does.

    One of the ``active`` windows that may hold it too takes it over.
    """
    window = None if alert.window_id is None or alert.state is State.CLOSED else ended.get(alert.window_id)
    if window is None or not _is_held_by_window(alert):
        return None
    permit = alert.hold is Hold.SUPPRESSED
    kinds: tuple[WindowKind, ...] = (WindowKind.WATER_PERMIT,) if permit else TAKES_OUT
    for other in active:
        if other.kind in kinds and other.state(at) is WindowState.ACTIVE and other.covers(where_of(alert)):
            return _held(alert, Trigger.SUPPRESSED if permit else Trigger.OUT_OF_SERVICE, other, at)
    return release(alert, "permit_ended" if permit else "reinstated", at, _evidence(window))


def _is_held_by_window(alert: Alert) -> bool:
    permitted = alert.hold is Hold.SUPPRESSED and alert.cause_id is None and not alert.held_by_design
    return alert.hold is Hold.OUT_OF_SERVICE or permitted


def _held(alert: Alert, trigger: Trigger, window: Window, at: Micros) -> Move:
    after = moved(
        alert,
        trigger,
        actor=TIMER,
        at=at,
        hold_reason=hold_reason(window),
        held_until=window.ends_at,
        held_by=window.approved_by,
        window_id=window.id,
        cause_id=None,
    )
    return after, entry(alert, after, after.hold, _evidence(window), actor=TIMER, at=at)


def _evidence(window: Window) -> dict[str, Any]:
    return {
        "window": window.id,
        "kind": window.kind.value,
        "reason": window.reason,
        "measure": window.measure,
        "approved_by": window.approved_by,
        "ends_at": rfc3339(window.ends_at),
        "ended_by": window.ended_by,
    }


# causes ------------------------------------------------------------------------------------------


def explains(cause: Alert, alert: Alert) -> bool:
    """Say whether ``cause``, open and standing, explains ``alert``: only faults and silence are ever explained away.

    A silent gateway explains the silence of what reports through it, a unit's dead link that of all its devices and
    gateways; a panel without power explains its own faults.
    """
    if cause.state is State.CLOSED or cause.condition is not Condition.ACTIVE or alert.unit is None:
        return False
    if cause.alert_class is AlertClass.OFFLINE and cause.subject_kind == SubjectKind.UNIT:
        return may_be_of_the_link(alert) and alert.unit == cause.unit
    if cause.alert_class is AlertClass.OFFLINE and cause.subject_kind == SubjectKind.GATEWAY:
        of_device = alert.alert_class is AlertClass.OFFLINE and alert.subject_kind == SubjectKind.DEVICE
        return of_device and alert.gateway is not None and f"{alert.unit}/{alert.gateway}" == cause.subject
    if cause.rule in POWER_RULES and alert.alert_class is AlertClass.FAULT and alert.rule not in POWER_RULES:
        return alert.device is not None and (alert.unit, alert.device) == (cause.unit, cause.device)
    return False


def may_be_of_the_link(alert: Alert) -> bool:
    """Say whether an alert is the silence of a device or gateway, which a dead link may explain."""
    silent = alert.alert_class is AlertClass.OFFLINE
    return silent and alert.subject_kind in {SubjectKind.DEVICE, SubjectKind.GATEWAY}


def suppress(alert: Alert, causes: Iterable[Alert], at: Micros) -> Move | None:
    """Return an alert hidden by the first of ``causes`` that explains it; None when none does or it is not in view."""
    if alert.hold is not Hold.NONE or alert.condition is not Condition.ACTIVE:
        return None
    if alert.state not in {State.UNACKNOWLEDGED, State.ACKNOWLEDGED}:
        return None
    cause = next((each for each in causes if explains(each, alert)), None)
    return None if cause is None else _hidden(alert, cause, at)


def under_cause(alert: Alert, causes: Mapping[int, Alert], at: Micros) -> Move | None:
    """Return a hidden alert as its cause stands by now; None when that changes nothing.

    ``causes``: by id, its own and whatever else may explain it. It stays hidden while one explains it. Else it waits
    for GRACE, in which what is well again says so, and comes back into view; at once when a person closed the cause
    though it stands.
    """
    if alert.hold is not Hold.SUPPRESSED or alert.cause_id is None or alert.state is State.CLOSED:
        return None
    own = causes.get(alert.cause_id)
    candidates = [*([own] if own is not None else []), *causes.values()]
    explaining = next((each for each in candidates if explains(each, alert)), None)
    if explaining is not None:
        if explaining.id != alert.cause_id:
            return _hidden(alert, explaining, at)
        return None if alert.held_until is None else (replace(alert, held_until=None), None)
    dismissed = own is not None and own.state is State.CLOSED and own.condition is Condition.ACTIVE
    if not dismissed:
        if alert.held_until is None:
            return replace(alert, held_until=at + GRACE), None
        if at < alert.held_until <= at + GRACE:  # later: it was set by a clock that has been set back since
            return None
    return release(alert, "cause_over", at, {"cause": alert.cause_id})


def _hidden(alert: Alert, cause: Alert, at: Micros) -> Move:
    after = moved(
        alert,
        Trigger.SUPPRESSED,
        actor=TIMER,
        at=at,
        hold_reason=f"cause:{cause.id}",
        held_until=None,
        held_by=None,
        cause_id=cause.id,
    )
    said = {"cause": cause.id, "rule": cause.rule, "subject": cause.subject}
    return after, entry(alert, after, after.hold, said, actor=TIMER, at=at)
