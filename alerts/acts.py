"""What an operator may do to an alert, decided without I/O: ``(Alert, act) -> (Alert, its transitions)``.

Verifying, forwarding and their receipt stand in ``verification.py``, what 119 is told after that in
``handover/acts.py``, closing and reopening in ``closing.py``.
"""

from dataclasses import dataclass, replace

from firetower.alerts.closing import Close, Reopen, close, reopen
from firetower.alerts.handover.acts import Cancel, FollowUp, tell
from firetower.alerts.lifecycle import Trigger, following, hold_after
from firetower.alerts.model import Alert
from firetower.alerts.moves import Decided, entry, moved
from firetower.alerts.verification import Forward, Receipt, Verify, forward, receipt, verify
from firetower.alerts.words import CAUSE_LIMIT, NOTE_LIMIT, needed, words
from firetower.core.clock import HOUR, MINUTE, Micros, rfc3339
from firetower.core.errors import InvalidInput

SHORTEST_SHELVING: Micros = MINUTE
LONGEST_SHELVING: Micros = 24 * HOUR
"""For how long an alert may be shelved at once."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """受理: somebody is dealing with it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Words added to the history, in any state."""

    text: str


@dataclass(frozen=True, slots=True)
class Assign:
    """接管: ``to`` is the account that deals with it from now on; the store sees to it that it exists and may act."""

    to: str


@dataclass(frozen=True, slots=True)
class Shelve:
    """限时搁置: out of the queue until an instant, µs."""

    until: Micros
    reason: str


@dataclass(frozen=True, slots=True)
class Unshelve:
    """Back into the queue before its time."""


Act = Acknowledge | Verify | Forward | Receipt | FollowUp | Cancel | Assign | Shelve | Unshelve | Note | Close | Reopen


def decide(alert: Alert, act: Act, *, actor: str, at: Micros) -> Decided:
    """Return the alert after ``act`` by ``actor`` and its transitions; the same object when only its history grows.

    Raises InvalidInput when the act lacks something or is not for this alert, Conflict when its state refuses it.
    """
    match act:
        case Acknowledge():
            after = moved(alert, Trigger.ACKNOWLEDGE, actor=actor, at=at)
            return after, (entry(alert, after, "acknowledged", actor=actor, at=at),)
        case Verify():
            return verify(alert, act, actor, at)
        case Forward():
            return forward(alert, act, actor, at)
        case Receipt():
            return receipt(alert, act, actor, at)
        case FollowUp() | Cancel():
            return tell(alert, act, actor, at)
        case Assign():
            return _assign(alert, act, actor, at)
        case Shelve():
            return _shelve(alert, act, actor, at)
        case Unshelve():
            return _unshelve(alert, actor, at)
        case Note():
            return _note(alert, act, actor, at)
        case Close():
            return close(alert, act, actor, at)
        case Reopen():
            return reopen(alert, act, actor, at)


def _note(alert: Alert, act: Note, actor: str, at: Micros) -> Decided:
    text = words("text", act.text, NOTE_LIMIT)
    if text is None:
        raise InvalidInput(
            f"note on alert {alert.id} is empty; write between 1 and {NOTE_LIMIT} characters", {"field": "text"}
        )
    following(alert, Trigger.NOTE)
    return alert, (entry(alert, alert, "noted", {"text": text}, actor=actor, at=at),)


def _assign(alert: Alert, act: Assign, actor: str, at: Micros) -> Decided:
    after = moved(alert, Trigger.ASSIGN, actor=actor, at=at, assignee=act.to)
    if alert.assignee == act.to:
        after = replace(after, version=alert.version)
    return after, (entry(alert, after, "assigned", {"to": act.to, "from": alert.assignee}, actor=actor, at=at),)


def _shelve(alert: Alert, act: Shelve, actor: str, at: Micros) -> Decided:
    following(alert, Trigger.SHELVE)
    hold_after(alert, Trigger.SHELVE)
    what = f"shelving alert {alert.id}"
    reason = needed(what, "reason", act.reason, CAUSE_LIMIT, "say why nobody needs to look at it until then")
    if not at + SHORTEST_SHELVING <= act.until <= at + LONGEST_SHELVING:
        raise InvalidInput(
            f"{what} until {rfc3339(act.until)} is not possible: it is {rfc3339(at)} now, and an alert is shelved for"
            f" {SHORTEST_SHELVING // MINUTE} minute to {LONGEST_SHELVING // HOUR} hours; choose an instant between"
            f" {rfc3339(at + SHORTEST_SHELVING)} and {rfc3339(at + LONGEST_SHELVING)}",
            {"field": "until"},
        )
    after = moved(alert, Trigger.SHELVE, actor=actor, at=at, hold_reason=reason, held_until=act.until, held_by=actor)
    said = {"until": rfc3339(act.until), "reason": reason}
    return after, (entry(alert, after, "shelved", said, actor=actor, at=at),)


def _unshelve(alert: Alert, actor: str, at: Micros) -> Decided:
    after = moved(alert, Trigger.UNSHELVE, actor=actor, at=at)
    until = None if alert.held_until is None else rfc3339(alert.held_until)
    return after, (entry(alert, after, "unshelved", {"until": until}, actor=actor, at=at),)
