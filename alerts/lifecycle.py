"""The life of an alert: which state follows which event (``judge.py`` names the event a verdict amounts to).

States are those of ISA-18.2, by name. An alert begins ``unacknowledged``. What happens to it afterwards is one of the
``Trigger`` words, and a table per nature of alert says where each leads:

*Plain* (a limit broken, a fault, a silence). Return to normal before anyone acknowledged makes it ``returned``, which
an acknowledgement closes; return to normal after that closes it by itself. Alarming again from ``returned`` is a
re-alarm.

*Latched* (a cover opened, a gas alarm, a prealarm). Return to normal is an event on the alert: it changes the
condition, not the state, and only a disposition ends it. Alarming again after it had returned is a re-alarm.

*Fire* (火警). Latched, and more: closing needs an acknowledgement first, and any further fire *event* on an
acknowledged fire is a new occurrence, unacknowledged and sounding again. After a person's verdict it is a new alert.

A rise in priority, or of anything to fire, is unacknowledged again. A closed alert whose condition still stands keeps
its key: the same condition said once more is a repeat of what was already disposed. A new alert *succeeds* it when a
fire is said, when the priority rises, or when a latched event happens again, since a device that never says "normal"
would else be silenced for good.

*Late evidence* (补报) tells of the past and flips no condition. Of anything but a fire it is an entry in the history of
the alert that holds its key; where none does, it is an alert that begins ``closed``, its condition normal, and
nobody is called. A fire is raised like any other, unacknowledged and latched, its condition normal unless known
otherwise; on an acknowledged fire it is a new occurrence when it is of a later time than all that was said.

A pair that is in no table is an error naming both. Whatever a device or a rule can say of an alert in some state is in
its table, so that no message can stop the ingest; a test proves it.
"""

from enum import StrEnum

from firetower.alerts.model import Alert, Condition, State
from firetower.core.errors import Conflict


class Trigger(StrEnum):
    """What can happen to an alert."""

    REPEATS = "repeats"  # said again, nothing new in it
    EASES = "eases"  # said again at a lower priority
    RISES = "rises"  # a higher priority, or now a fire
    OCCURS = "occurs"  # alarms again after return to normal; for a fire, every further event
    RETURNS = "returns"  # the condition is over
    SUCCEEDED = "succeeded"  # a new alert takes the key of this closed one
    LATE_EVIDENCE = "late_evidence"  # a late reading shows that the condition once held
    RECORDED = "recorded"  # reset, feedback or test said by its sender
    ACKNOWLEDGE = "acknowledge"  # 受理
    NOTE = "note"
    CLOSE = "close"  # 办结


_UNACKED, _ACKED, _RETURNED, _CLOSED = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.CLOSED

Table = dict[tuple[State, Trigger], State]

PLAIN: Table = {
    (_UNACKED, Trigger.REPEATS): _UNACKED,
    (_UNACKED, Trigger.RISES): _UNACKED,
    (_UNACKED, Trigger.RETURNS): _RETURNED,
    (_UNACKED, Trigger.RECORDED): _UNACKED,
    (_UNACKED, Trigger.ACKNOWLEDGE): _ACKED,
    (_UNACKED, Trigger.LATE_EVIDENCE): _UNACKED,
    (_UNACKED, Trigger.NOTE): _UNACKED,
    (_UNACKED, Trigger.CLOSE): _CLOSED,
    (_ACKED, Trigger.REPEATS): _ACKED,
    (_ACKED, Trigger.EASES): _ACKED,
    (_ACKED, Trigger.RISES): _UNACKED,
    (_ACKED, Trigger.OCCURS): _UNACKED,
    (_ACKED, Trigger.RETURNS): _CLOSED,
    (_ACKED, Trigger.RECORDED): _ACKED,
    (_ACKED, Trigger.LATE_EVIDENCE): _ACKED,
    (_ACKED, Trigger.NOTE): _ACKED,
    (_ACKED, Trigger.CLOSE): _CLOSED,
    (_RETURNED, Trigger.REPEATS): _RETURNED,
    (_RETURNED, Trigger.RISES): _UNACKED,
    (_RETURNED, Trigger.OCCURS): _UNACKED,
    (_RETURNED, Trigger.RETURNS): _RETURNED,
    (_RETURNED, Trigger.RECORDED): _RETURNED,
    (_RETURNED, Trigger.ACKNOWLEDGE): _CLOSED,
    (_RETURNED, Trigger.LATE_EVIDENCE): _RETURNED,
    (_RETURNED, Trigger.NOTE): _RETURNED,
    (_RETURNED, Trigger.CLOSE): _CLOSED,
    (_CLOSED, Trigger.REPEATS): _CLOSED,
    (_CLOSED, Trigger.RETURNS): _CLOSED,
    (_CLOSED, Trigger.SUCCEEDED): _CLOSED,
    (_CLOSED, Trigger.LATE_EVIDENCE): _CLOSED,
    (_CLOSED, Trigger.NOTE): _CLOSED,
}

LATCHED: Table = PLAIN | {
    (_UNACKED, Trigger.RETURNS): _UNACKED,
    (_ACKED, Trigger.RETURNS): _ACKED,
    (_RETURNED, Trigger.ACKNOWLEDGE): _ACKED,
}

FIRE: Table = {
    pair: state
    for pair, state in LATCHED.items()
    if pair not in {(_UNACKED, Trigger.CLOSE), (_RETURNED, Trigger.CLOSE)}
}


def table_of(alert: Alert) -> Table:
    """Return the table that governs an alert."""
    if alert.is_fire:
        return FIRE
    return LATCHED if alert.latched else PLAIN


def following(alert: Alert, trigger: Trigger) -> State:
    """Return the state after ``trigger``; a pair the alert's table does not know is a Conflict naming both."""
    state = table_of(alert).get((alert.state, trigger))
    if state is None:
        raise Conflict(_refusal(alert, trigger), current=alert)
    return state


def _refusal(alert: Alert, trigger: Trigger) -> str:
    said = f"alert {alert.id} is {alert.state}; {trigger} is not possible"
    match alert.state, trigger:
        case State.CLOSED, _:
            by = f" by {alert.closed_by}" if alert.closed_by else ""
            return f"{said}: it was closed{by} and takes only notes; act on the newer alert, if there is one"
        case State.ACKNOWLEDGED, Trigger.ACKNOWLEDGE:
            return f"{said}: {alert.acknowledged_by} has acknowledged it; reload it and note or close it"
        case _, Trigger.CLOSE if alert.is_fire:
            return f"{said}: a fire is closed only after it was acknowledged; acknowledge it first"
        case _:
            allowed = sorted(known for state, known in table_of(alert) if state is alert.state)
            return f"{said}; possible: {', '.join(allowed)}"


def holds_key(alert: Alert) -> bool:
    """Say whether no other alert of its key may begin: it is open, or what it was closed over still stands."""
    return alert.state is not State.CLOSED or alert.condition is Condition.ACTIVE
