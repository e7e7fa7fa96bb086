"""Until when somebody must have answered for a fire, and what happens when nobody did 逐级上报: decided without I/O.

An unanswered period begins when a fire is raised or alarms again, and when the test it is in ends (``alarmed_at``). In
it a fire escalates once for not being shown on any seat, and once for the missing acknowledgement. Acknowledged, it
escalates when it is not verified in time, or found unverifiable and not forwarded: it is then unacknowledged, and so
sounds, again, which begins the next period. Each deadline runs from the newest acknowledgement at the earliest, so that
none escalates more often than once in its own time. What was forwarded escalates once for want of its receipt.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from firetower.alerts.flags import IN_TEST
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, Deadline, State, Transition, Verification
from firetower.alerts.moves import awaited_anew
from firetower.core.clock import SECOND, Micros, rfc3339

ESCALATED = "escalated"
"""The reason of the history entry."""
TIMER = "timer"
"""The actor of what happens because time passed."""

HIGHEST = 9999
"""``Alert.escalation`` does not rise beyond."""

_FIELD: dict[Deadline, str] = {
    Deadline.SHOW: "shown",
    Deadline.ACKNOWLEDGE: "acknowledged",
    Deadline.VERIFY: "verified",
    Deadline.FORWARD: "forwarded",
    Deadline.RECEIPT: "receipted",
}
BASIS: dict[Deadline, str] = {
    Deadline.SHOW: "GB 25506: shown at the centre within 10 s",
    Deadline.ACKNOWLEDGE: "Firetower's own judgement: 30 s",
    Deadline.VERIFY: "NFPA 72, positive alarm sequence: 180 s to investigate",
    Deadline.FORWARD: "Firetower's own judgement: 60 s",
    Deadline.RECEIPT: "GB 50440: a confirmed fire reaches 119 within 3 s",
}
"""Where each limit comes from, as it ships."""
BY_PLAN = "the duty plan of this centre"
"""The basis of any other limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each step of a fire may take, µs; as they ship unless the duty plan says otherwise."""

    shown: Micros = 10 * SECOND
    acknowledged: Micros = 30 * SECOND
    verified: Micros = 180 * SECOND
    forwarded: Micros = 60 * SECOND
    receipted: Micros = 3 * SECOND

    def of(self, deadline: Deadline) -> Micros:
        """Return how long ``deadline`` leaves."""
        limit: Micros = getattr(self, _FIELD[deadline])
        return limit


SHIPPED = Limits()


@dataclass(frozen=True, slots=True)
class Due:
    """``deadline`` passes at ``at``, ``limit`` after it began; both µs."""

    deadline: Deadline
    at: Micros
    limit: Micros


def next_due(alert: Alert, limits: Limits = SHIPPED) -> Due | None:
    """Return which deadline of an alert passes next, of those that have not; None when none does.

    None passes of what is no fire, or is in a test that 119 was not told of.
    """
    left = (due for due in _awaited(alert, limits) if due.deadline not in alert.missed)
    return min(left, key=_when, default=None)


def awaited(alert: Alert, limits: Limits = SHIPPED) -> Due | None:
    """Return what a person has to do next about an alert, and until when; ``at`` has passed where it is overdue.

    That it is to be shown is left out: whoever asks is shown it.
    """
    by_people = [due for due in _awaited(alert, limits) if due.deadline is not Deadline.SHOW]
    return min(by_people, key=lambda due: (due.deadline in alert.missed, due.at), default=None)


def escalate(alert: Alert, due: Due, at: Micros) -> tuple[Alert, Transition]:
    """Return a fire after ``due`` passed, and the entry for its history."""
    is_shown_or_told = due.deadline in {Deadline.SHOW, Deadline.RECEIPT}
    state = alert.state if is_shown_or_told else following(alert, Trigger.ESCALATES)
    changes: dict[str, Any] = {
        "state": state,
        "escalation": min(alert.escalation + 1, HIGHEST),
        "missed": (*alert.missed, due.deadline),
    }
    if state is not alert.state:
        changes |= {"acknowledged_at": None, "acknowledged_by": None, "version": alert.version + 1}
        changes |= awaited_anew(alert, at)
    evidence = {
        "deadline": due.deadline.value,
        "due_at": rfc3339(due.at),
        "overdue_s": (at - due.at) // SECOND,
        "limit_s": due.limit / SECOND,
        "basis": BASIS[due.deadline] if due.limit == SHIPPED.of(due.deadline) else BY_PLAN,
        "level": changes["escalation"],
    }
    return replace(alert, **changes), Transition(alert.state, state, at, TIMER, ESCALATED, evidence)


def _awaited(alert: Alert, limits: Limits) -> Iterator[Due]:
    """Yield every deadline that runs for an alert as it stands, passed ones too."""
    if not alert.is_fire or alert.state is State.CLOSED:
        return
    if alert.forwarded_at is not None and alert.is_forwarded and alert.receipted_at is None:
        yield _due(Deadline.RECEIPT, alert.forwarded_at, limits)
    if IN_TEST in alert.flags:
        return
    if alert.state is not State.ACKNOWLEDGED:
        if alert.shown_at is None:
            yield _due(Deadline.SHOW, alert.alarmed_at, limits)
        yield _due(Deadline.ACKNOWLEDGE, alert.alarmed_at, limits)
        return
    if alert.forwarded_at is not None or alert.acknowledged_at is None:
        return
    since = max(alert.acknowledged_at, alert.alarmed_at)
    if alert.verification is None:
        yield _due(Deadline.VERIFY, since, limits)
    elif alert.verification is Verification.UNVERIFIABLE and alert.verified_at is not None:
        yield _due(Deadline.FORWARD, max(alert.verified_at, since), limits)


def _due(deadline: Deadline, since: Micros, limits: Limits) -> Due:
    limit = limits.of(deadline)
    return Due(deadline, since + limit, limit)


def _when(due: Due) -> Micros:
    return due.at
