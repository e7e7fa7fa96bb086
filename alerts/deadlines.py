"""Until when somebody must have answered for a fire, and what happens when nobody did 逐级上报: decided without I/O.

An unanswered period begins when a fire is raised or alarms again, and when the test it is in ends. In it a fire
escalates once for the missing acknowledgement. Acknowledged, it escalates when it is not verified in time, or found
unverifiable and not forwarded: it is then unacknowledged, and so sounds, again, which begins the next period. Each
deadline runs from the newest acknowledgement at the earliest, so that none escalates more often than once in its own
time.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from firetower.alerts.flags import IN_TEST
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, State, Transition, Verification
from firetower.core.clock import SECOND, Micros, rfc3339

ESCALATED = "escalated"
"""The reason of the history entry."""
TIMER = "timer"
"""The actor of what happens because time passed."""

HIGHEST = 9999
"""``Alert.escalation`` does not rise beyond."""


class Deadline(StrEnum):
    """What nobody did in time."""

    ACKNOWLEDGE = "acknowledgement_overdue"  # 超时未受理
    VERIFY = "verification_overdue"  # 超时未核实
    FORWARD = "forwarding_overdue"  # 无法核实且超时未转警


ALLOWED: dict[Deadline, Micros] = {
    Deadline.ACKNOWLEDGE: 30 * SECOND,
    Deadline.VERIFY: 180 * SECOND,
    Deadline.FORWARD: 60 * SECOND,
}
"""How long each may take; 30 s and 60 s are this project's judgement, 180 s an investigation time (NFPA)."""


@dataclass(frozen=True, slots=True)
class Due:
    """``deadline`` passes at ``at``, µs."""

    deadline: Deadline
    at: Micros


def next_due(alert: Alert, *, alarmed_at: Micros, escalated: bool) -> Due | None:
    """Return what somebody must do next for an alert, and until when; None when nothing is awaited.

    ``alarmed_at``: when it last became unacknowledged, rose, or was treated as real for the first time;
    ``escalated``: it did since, for want of an acknowledgement. Nothing is awaited of what is no fire, or is in a test.
    """
    if not alert.is_fire or IN_TEST in alert.flags:
        return None
    if alert.state in {State.UNACKNOWLEDGED, State.RETURNED}:
        return None if escalated else _due(Deadline.ACKNOWLEDGE, alarmed_at)
    if alert.state is State.CLOSED or alert.forwarded_at is not None or alert.acknowledged_at is None:
        return None
    since = max(alert.acknowledged_at, alarmed_at)
    if alert.verification is None:
        return _due(Deadline.VERIFY, since)
    if alert.verification is Verification.UNVERIFIABLE and alert.verified_at is not None:
        return _due(Deadline.FORWARD, max(alert.verified_at, since))
    return None


def escalate(alert: Alert, due: Due, at: Micros) -> tuple[Alert, Transition]:
    """Return a fire after ``due`` passed, and the entry for its history."""
    state = following(alert, Trigger.ESCALATES)
    changes: dict[str, Any] = {"state": state, "escalation": min(alert.escalation + 1, HIGHEST)}
    if state is not alert.state:
        changes |= {"acknowledged_at": None, "acknowledged_by": None, "version": alert.version + 1}
    evidence = {
        "deadline": due.deadline.value,
        "due_at": rfc3339(due.at),
        "overdue_s": (at - due.at) // SECOND,
        "level": changes["escalation"],
    }
    return replace(alert, **changes), Transition(alert.state, state, at, TIMER, ESCALATED, evidence)


def _due(deadline: Deadline, since: Micros) -> Due:
    return Due(deadline, since + ALLOWED[deadline])
