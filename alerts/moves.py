"""What every move of an alert has in common: its state, its hold, who took it on or closed it, its version."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from firetower.alerts.lifecycle import Trigger, following, hold_after
from firetower.alerts.model import Alert, Deadline, Hold, State, Transition
from firetower.core.clock import Micros
from firetower.devices.events import AlertClass

Decided = tuple[Alert, tuple[Transition, ...]]
"""The alert after an act, and its transitions for the history, in order."""


def moved(alert: Alert, trigger: Trigger, *, actor: str, at: Micros, **more: Any) -> Alert:
    """Return the alert after ``trigger`` by ``actor``, a version on, with ``more`` of its fields changed.

    Who is the first to take it on, or closes it, is written down; unacknowledged again, nobody has taken it on, and
    somebody is awaited anew. What says why it was held goes when the hold does, and nothing closed is held. Raises
    Conflict where the tables refuse.
    """
    state, hold = following(alert, trigger), hold_after(alert, trigger)
    changes: dict[str, Any] = {"state": state, "hold": hold, "version": alert.version + 1}
    if hold is Hold.NONE or state is State.CLOSED:
        changes |= _not_held(alert)
    if trigger is Trigger.ACKNOWLEDGE or (state is State.ACKNOWLEDGED and alert.state is not state):
        changes |= {"acknowledged_at": at, "acknowledged_by": actor}
    if state is State.UNACKNOWLEDGED and alert.state is not state:
        changes |= {"acknowledged_at": None, "acknowledged_by": None} | awaited_anew(alert, at)
    if state is State.CLOSED:
        changes |= {"closed_at": at, "closed_by": actor}
    return replace(alert, **(changes | more))


def awaited_anew(alert: Alert, at: Micros) -> dict[str, Any]:
    """Return the fields of an alert for which somebody is awaited from ``at`` on; what 119 owes it owes still."""
    return {"alarmed_at": at, "missed": tuple(each for each in alert.missed if each is Deadline.RECEIPT)}


def as_fire(alert: Alert) -> Alert:
    """Return the alert as a fire: red, latched, and held by nothing."""
    return replace(alert, alert_class=AlertClass.FIRE, priority=1, latched=True, **_not_held(alert))


def entry(
    before: Alert, after: Alert, reason: str, said: Mapping[str, object] | None = None, *, actor: str, at: Micros
) -> Transition:
    """Return the transition between two moments of an alert; what was ``said`` is its evidence, None left out.

    A hold that ended between them stands there too.
    """
    evidence = {name: value for name, value in (said or {}).items() if value is not None}
    if before.hold is not Hold.NONE and after.hold is Hold.NONE:
        evidence |= {"hold": before.hold, "hold_reason": before.hold_reason, "held_by": before.held_by}
    return Transition(before.state, after.state, at, actor, reason, evidence)


def _not_held(alert: Alert) -> dict[str, Any]:
    permitted = alert.hold is Hold.SUPPRESSED and alert.cause_id is None and not alert.held_by_design
    by_window = alert.hold is Hold.OUT_OF_SERVICE or permitted
    return {
        "hold": Hold.NONE,
        "hold_reason": None,
        "held_until": None,
        "held_by": None,
        "cause_id": None,
        "window_id": None if by_window else alert.window_id,
    }
