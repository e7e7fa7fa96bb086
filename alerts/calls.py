"""Calls 通话 about an alert: whom, under which number, what came of it, and the reference to the voice recording."""

from dataclasses import dataclass
from enum import StrEnum

from firetower.alerts.contacts import Contact
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, Transition
from firetower.alerts.moves import entry
from firetower.alerts.words import NAME_LIMIT, NOTE_LIMIT, words
from firetower.core.clock import DAY, Micros
from firetower.core.errors import InvalidInput
from firetower.devices.contacts import dialled

CALLED = "called"
"""The reason of the history entry."""
RECORDING_KEPT: Micros = 183 * DAY
"""How long whoever records keeps a recording: six months (GB 50440, commonly given)."""
NUMBER_OF_119 = "119"


class Direction(StrEnum):
    """Who rang."""

    OUT = "out"  # 呼出
    IN = "in"  # 来电


class Purpose(StrEnum):
    """What for."""

    VERIFY = "verify"  # 电话回核
    INFORM = "inform"  # 告知
    CALL_BACK = "call_back"  # 回拨: the unit confirms a test, a drill, or that it is over
    FIRE_BRIGADE = "119"  # 转警电话


class Result(StrEnum):
    """What came of it."""

    ANSWERED = "answered"  # 已接通
    NO_ANSWER = "no_answer"  # 无人接听
    BUSY = "busy"  # 占线
    WRONG_NUMBER = "wrong_number"  # 号码有误
    REFUSED = "refused"  # 拒接
    UNREACHABLE = "unreachable"  # 无法接通


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call as an operator tells it: a contact, or a name and a number of somebody else."""

    purpose: Purpose
    result: Result
    direction: Direction = Direction.OUT
    contact_id: int | None = None
    name: str | None = None
    number: str | None = None
    said: str | None = None
    recording: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call on record, at ``at`` (µs) by the account ``by``. What it says of the contact stays when that is gone."""

    id: int
    alert_id: int
    at: Micros
    by: str
    contact_id: int | None
    role: str | None
    name: str
    number: str | None
    direction: Direction
    purpose: Purpose
    result: Result
    said: str | None
    recording: str | None

    def recording_kept(self, now: Micros) -> bool:
        """Say whether its recording may still be asked for."""
        return self.recording is not None and now - self.at <= RECORDING_KEPT


def called(alert: Alert, new: NewCall, contact: Contact | None, actor: str, at: Micros) -> Call:
    """Return the call to be put on record, its id still 0; ``contact``: that of ``new.contact_id``.

    Raises InvalidInput for one that does not say whom, under which number, or what was said where nobody answered.
    """
    following(alert, Trigger.NOTE)
    what = f"the call about alert {alert.id}"
    name, number = words("name", new.name, NAME_LIMIT), words("number", new.number, NAME_LIMIT)
    if number is not None:  # a contact's own is taken as it stands: it may be from before numbers were checked
        number = _dialled(number)
    said, recording = words("said", new.said, NOTE_LIMIT), words("recording", new.recording, NAME_LIMIT)
    if new.purpose is Purpose.FIRE_BRIGADE and contact is None:
        name, number = name or NUMBER_OF_119, number or NUMBER_OF_119
    if contact is not None:
        name, number = name or contact.name, number or contact.phone
    if name is None:
        raise InvalidInput(f"{what} needs contact_id, or a name and a number; say who was called", {"field": "name"})
    if number is None and new.direction is Direction.OUT:
        raise InvalidInput(f"{what} needs a number; say under which {name} was called", {"field": "number"})
    if new.direction is Direction.IN and new.result is not Result.ANSWERED:
        raise InvalidInput(
            f"{what} came in and cannot be {new.result}; write answered, or direction out", {"field": "result"}
        )
    if said is not None and new.result is not Result.ANSWERED:
        raise InvalidInput(
            f"{what} is {new.result}, so nothing was said; leave said out, or write answered", {"field": "said"}
        )
    return Call(
        id=0,
        alert_id=alert.id,
        at=at,
        by=actor,
        contact_id=None if contact is None else contact.id,
        role=None if contact is None else contact.role.value,
        name=name,
        number=number,
        direction=new.direction,
        purpose=new.purpose,
        result=new.result,
        said=said,
        recording=recording,
    )


def on_record(alert: Alert, call: Call) -> Transition:
    """Return the entry of a stored call in its alert's history, which seals it."""
    told = {
        "call": call.id,
        "direction": call.direction,
        "purpose": call.purpose,
        "outcome": call.result,
        "person": call.name,
        "number": call.number,
        "text": call.said,
        "recording": call.recording,
    }
    return entry(alert, alert, CALLED, told, actor=call.by, at=call.at)


def _dialled(number: str) -> str:
    try:
        return dialled(number)
    except ValueError as err:
        raise InvalidInput(str(err), {"field": "number"}) from err
