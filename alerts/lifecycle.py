"""The life of an alert: which state follows which event (``judge.py`` names the event a verdict amounts to).

States are those of ISA-18.2, by name. An alert begins ``unacknowledged``. What happens to it afterwards is one of the
``Trigger`` words, and a table per nature of alert says where each leads:

*Plain* (a limit broken, a fault, a silence). Return to normal before anyone acknowledged makes it ``returned``, which
an acknowledgement closes; return to normal after that closes it by itself. Alarming again from ``returned`` is a
re-alarm.

*Latched* (a cover opened, a gas alarm, a prealarm). Return to normal is an event on the alert: it changes the
condition, not the state, and only a disposition ends it. Alarming again after it had returned is a re-alarm.

*Fire* (火警). Latched, and more: closing needs an acknowledgement first, and any further fire *event* on an
acknowledged fire is a new occurrence, unacknowledged and sounding again; so is one on an unacknowledged fire whose
test or drill is over. After a person's verdict it is a new alert.

A rise in priority, or of anything to fire, is unacknowledged again. A closed alert whose condition still stands keeps
its key: the same condition said once more is a repeat of what was already disposed. A new alert *succeeds* it when a
fire is said, when the priority rises, or when a latched event happens again, since a device that never says "normal"
would else be silenced for good.

*Late evidence* (补报) tells of the past and flips no condition. Of anything but a fire it is an entry in the history of
the alert that holds its key; where none does, it is an alert that begins ``closed``, its condition normal, and
nobody is called. A fire is raised like any other, unacknowledged and latched, its condition normal unless known
otherwise; on an acknowledged fire it is a new occurrence when it is of a later time than all that was said.

*People* verify, forward, shelve, reopen. Verifying, forwarding and shelving take the alert on, as acknowledging does;
what was forwarded is latched from then on. A hand-over to 119 is followed up, even of what is closed by then, or
cancelled; neither moves the alert, for what it turned out to be is a verdict of its own. A fire that nobody answers for
in time *escalates* and is unacknowledged again. Reopening what was closed makes it unacknowledged: the verdict was
wrong, and everybody is to hear of it.

*Holds* have a table of their own, ``HOLDS``: shelved 限时搁置 by a person, always with an end; suppressed 设计抑制 by a
cause that explains it, by a permit, or by its rule's own design, until a verdict says that no more; out of service 停用
in an approved window. None ever holds a fire: what becomes a fire is held no more. When a hold ends by itself, what
still stands is unacknowledged, and a plain alert that returned meanwhile is closed; so is one that returns while
suppressed or out of service, since nobody waits for it. A latched one that is suppressed by design comes up as it
returns, since nobody says later that the suppression is over.

A pair that is in no table is an error naming both. Whatever a device or a rule can say of an alert in some state is in
its table, so that no message can stop the ingest; a test proves it.
"""

from enum import StrEnum

from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.core.clock import rfc3339
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
    RETURNS_HELD = "returns_held"  # the same, of a plain alert that is suppressed or out of service
    ESCALATES = "escalates"  # 逐级上报: nobody answered in time
    OVERRULED = "overruled"  # raised in a test, and to be treated as real
    SUPPRESSED = "suppressed"  # 设计抑制: something else explains it
    OUT_OF_SERVICE = "out_of_service"  # 停用: a window that covers it began
    RELEASED = "released"  # its hold is over, its condition stands
    RELEASED_NORMAL = "released_normal"  # its hold is over, its condition is normal
    ACKNOWLEDGE = "acknowledge"  # 受理
    VERIFY = "verify"  # 核实
    FORWARD = "forward"  # 转警
    RECEIPT = "receipt"  # 签收
    FOLLOW_UP = "follow_up"  # 续报
    CANCEL = "cancel"  # 撤警
    ASSIGN = "assign"
    SHELVE = "shelve"  # 限时搁置
    UNSHELVE = "unshelve"
    NOTE = "note"
    CLOSE = "close"  # 办结
    REOPEN = "reopen"


ACTS = frozenset(
    {
        Trigger.ACKNOWLEDGE,
        Trigger.VERIFY,
        Trigger.FORWARD,
        Trigger.RECEIPT,
        Trigger.FOLLOW_UP,
        Trigger.CANCEL,
        Trigger.ASSIGN,
        Trigger.SHELVE,
        Trigger.UNSHELVE,
        Trigger.NOTE,
        Trigger.CLOSE,
        Trigger.REOPEN,
    }
)
"""What people do; everything else is said by devices, rules and timers."""

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
    (_CLOSED, Trigger.FOLLOW_UP): _CLOSED,  # 119 is told how it ended
    (_CLOSED, Trigger.REOPEN): _UNACKED,
    (_UNACKED, Trigger.RETURNS_HELD): _CLOSED,
    (_ACKED, Trigger.RETURNS_HELD): _CLOSED,
    (_RETURNED, Trigger.RETURNS_HELD): _CLOSED,
    (_UNACKED, Trigger.RELEASED): _UNACKED,
    (_ACKED, Trigger.RELEASED): _UNACKED,
    (_RETURNED, Trigger.RELEASED): _UNACKED,
    (_UNACKED, Trigger.RELEASED_NORMAL): _CLOSED,
    (_ACKED, Trigger.RELEASED_NORMAL): _CLOSED,
    (_RETURNED, Trigger.RELEASED_NORMAL): _CLOSED,
    (_UNACKED, Trigger.SHELVE): _ACKED,
    (_ACKED, Trigger.SHELVE): _ACKED,
    (_ACKED, Trigger.UNSHELVE): _ACKED,
    (_UNACKED, Trigger.UNSHELVE): _UNACKED,  # a re-alarm on the shelf
    (_UNACKED, Trigger.VERIFY): _ACKED,
    (_ACKED, Trigger.VERIFY): _ACKED,
    (_RETURNED, Trigger.VERIFY): _RETURNED,
    (_UNACKED, Trigger.FORWARD): _ACKED,
    (_ACKED, Trigger.FORWARD): _ACKED,
    (_RETURNED, Trigger.FORWARD): _ACKED,  # what 119 was told of does not end by itself
    (_RETURNED, Trigger.UNSHELVE): _RETURNED,  # a re-alarm on the shelf that is over
} | {
    (state, trigger): state
    for state in (_UNACKED, _ACKED, _RETURNED)
    for trigger in (
        Trigger.ASSIGN,
        Trigger.RECEIPT,
        Trigger.FOLLOW_UP,
        Trigger.CANCEL,
        Trigger.SUPPRESSED,
        Trigger.OUT_OF_SERVICE,
    )
}

LATCHED: Table = {pair: state for pair, state in PLAIN.items() if pair[1] is not Trigger.RETURNS_HELD} | {
    (_UNACKED, Trigger.RETURNS): _UNACKED,
    (_ACKED, Trigger.RETURNS): _ACKED,
    (_UNACKED, Trigger.RELEASED_NORMAL): _UNACKED,
    (_ACKED, Trigger.RELEASED_NORMAL): _UNACKED,
    (_RETURNED, Trigger.RELEASED_NORMAL): _RETURNED,
    (_RETURNED, Trigger.ACKNOWLEDGE): _ACKED,
    (_RETURNED, Trigger.VERIFY): _ACKED,
}

_NEVER_A_FIRE = {
    Trigger.SHELVE,
    Trigger.UNSHELVE,
    Trigger.SUPPRESSED,
    Trigger.OUT_OF_SERVICE,
    Trigger.RELEASED,
    Trigger.RELEASED_NORMAL,
}

FIRE: Table = {
    (state, trigger): after
    for (state, trigger), after in LATCHED.items()
    if trigger not in _NEVER_A_FIRE and (trigger is not Trigger.CLOSE or state is _ACKED)
} | {
    (_UNACKED, Trigger.OCCURS): _UNACKED,  # what its test announced is over, and it says fire again
    (_UNACKED, Trigger.ESCALATES): _UNACKED,
    (_ACKED, Trigger.ESCALATES): _UNACKED,
    (_RETURNED, Trigger.ESCALATES): _UNACKED,
    (_UNACKED, Trigger.OVERRULED): _UNACKED,
    (_ACKED, Trigger.OVERRULED): _UNACKED,
    (_RETURNED, Trigger.OVERRULED): _UNACKED,
}

_NONE, _SHELVED, _SUPPRESSED, _OUT = Hold.NONE, Hold.SHELVED, Hold.SUPPRESSED, Hold.OUT_OF_SERVICE

HOLDS: dict[tuple[Hold, Trigger], Hold] = (
    {
        (_NONE, Trigger.SHELVE): _SHELVED,
        (_SHELVED, Trigger.SHELVE): _SHELVED,  # with another end
        (_SHELVED, Trigger.UNSHELVE): _NONE,
        (_SHELVED, Trigger.RISES): _NONE,
        (_NONE, Trigger.SUPPRESSED): _SUPPRESSED,
        (_NONE, Trigger.OUT_OF_SERVICE): _OUT,
        (_SHELVED, Trigger.OUT_OF_SERVICE): _OUT,
        (_SUPPRESSED, Trigger.OUT_OF_SERVICE): _OUT,
    }
    | {
        (hold, trigger): _NONE
        for hold in Hold
        for trigger in (Trigger.RELEASED, Trigger.RELEASED_NORMAL, Trigger.RETURNS_HELD)
        if hold is not _NONE
    }
    | {(hold, trigger): _NONE for hold in Hold for trigger in (Trigger.CLOSE, Trigger.REOPEN, Trigger.FORWARD)}
)
"""Where a trigger takes a hold; SHELVE and UNSHELVE are refused where they are not here, any other leaves it."""


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


def hold_after(alert: Alert, trigger: Trigger) -> Hold:
    """Return the hold after ``trigger``; a SHELVE or UNSHELVE that the hold does not allow is a Conflict."""
    hold = HOLDS.get((alert.hold, trigger))
    if hold is not None:
        return hold
    if trigger in {Trigger.SHELVE, Trigger.UNSHELVE}:
        why = "there is nothing on the shelf"
        if alert.hold is not Hold.NONE:
            why = f"it is out of the queue already, {_until_when(alert)}"
        raise Conflict(f"alert {alert.id} is of hold {alert.hold}; {trigger} is not possible: {why}", current=alert)
    return alert.hold


def _until_when(alert: Alert) -> str:
    """Say why an alert is held, and when it comes back."""
    why, when = f"for {alert.hold_reason}", "when that ends"
    if alert.cause_id is not None:
        why, when = f"for alert {alert.cause_id} explains it", f"minutes after alert {alert.cause_id} is over"
    if alert.held_until is not None:
        when = f"at {rfc3339(alert.held_until)}"
    return f"{why}; it comes back by itself {when}"


def _refusal(alert: Alert, trigger: Trigger) -> str:
    said = f"alert {alert.id} is {alert.state}; {trigger} is not possible"
    match alert.state, trigger:
        case _, Trigger.SHELVE | Trigger.UNSHELVE if alert.is_fire:
            return f"{said}: a fire is never shelved; verify it, and close it with what it turned out to be"
        case state, Trigger.REOPEN if state is not State.CLOSED:
            return f"{said}: it is open; act on it as it stands"
        case State.RETURNED, Trigger.SHELVE:
            return (
                f"{said}: its condition is normal again; acknowledge it{'' if alert.latched else ', which closes it'}"
            )
        case State.CLOSED, _:
            by = f" by {alert.closed_by}" if alert.closed_by else ""
            return (
                f"{said}: it was closed{by} and takes only notes; reopen it, or act on the newer alert, if there is one"
            )
        case State.ACKNOWLEDGED, Trigger.ACKNOWLEDGE:
            return f"{said}: {alert.acknowledged_by} has acknowledged it; reload it, then verify, note or close it"
        case _, Trigger.CLOSE if alert.is_fire:
            return f"{said}: a fire is closed only after it was acknowledged; acknowledge it first"
        case _:
            table = table_of(alert)
            allowed = sorted(act for act in ACTS if (alert.state, act) in table)
            return f"{said}; possible: {', '.join(allowed)}"


def holds_key(alert: Alert) -> bool:
    """Say whether no other alert of its key may begin: it is open, or what it was closed over still stands."""
    return alert.state is not State.CLOSED or alert.condition is Condition.ACTIVE
