"""What an operator may do to an alert, decided without I/O: ``(Alert, act) -> (Alert, Transition)``."""

from dataclasses import dataclass, replace
from typing import Any

from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, Disposition, State, Transition
from firetower.core.clock import Micros
from firetower.core.errors import InvalidInput

NOTE_LIMIT = 2000
"""Characters of a note."""
CAUSE_LIMIT = 200
"""Characters of a cause."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """受理: somebody is dealing with it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Words added to the history, in any state."""

    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """办结: what it turned out to be. ``disposition`` may be None for what has returned to normal by itself."""

    disposition: Disposition | None
    cause: str | None = None
    note: str | None = None


Act = Acknowledge | Note | Close

_NOT_FOR_FIRE = {
    Disposition.UNKNOWN: "a fire is never closed unexplained: verify it, and close it with what it turned out to be",
    Disposition.HAZARD_FIXED: "that ends a broken limit; close a fire as real_fire, false_alarm, test or drill",
    Disposition.MAINTENANCE: "work is no verdict on a fire; close it as false_alarm with its cause, test or drill",
}

_NEEDS_NOTE = {
    Disposition.REAL_FIRE: "who at 119 took the recorded voice call, and when",
    Disposition.TEST: "who confirmed the test by call-back, and by which number",
    Disposition.DRILL: "who confirmed the drill by call-back, and by which number",
}


def decide(alert: Alert, act: Act, *, actor: str, at: Micros) -> tuple[Alert, Transition]:
    """Return the alert after ``act`` by ``actor`` and the transition for its history.

    Raises InvalidInput when the act lacks something or is not for this alert, Conflict when the state refuses it.
    """
    match act:
        case Acknowledge():
            return _acknowledge(alert, actor, at)
        case Note():
            words = _words("note", act.text, NOTE_LIMIT)
            if words is None:
                raise InvalidInput(
                    f"note on alert {alert.id} is empty; write between 1 and {NOTE_LIMIT} characters",
                    {"field": "text"},
                )
            state = following(alert, Trigger.NOTE)
            return alert, Transition(alert.state, state, at, actor, "noted", {"text": words})
        case Close():
            return _close(alert, act, actor, at)


def _acknowledge(alert: Alert, actor: str, at: Micros) -> tuple[Alert, Transition]:
    state = following(alert, Trigger.ACKNOWLEDGE)
    changes: dict[str, Any] = {"acknowledged_at": at, "acknowledged_by": actor}
    if state is State.CLOSED:
        changes |= {"closed_at": at, "closed_by": actor}
    after = replace(alert, state=state, version=alert.version + 1, **changes)
    return after, Transition(alert.state, state, at, actor, "acknowledged")


def _close(alert: Alert, act: Close, actor: str, at: Micros) -> tuple[Alert, Transition]:
    state = following(alert, Trigger.CLOSE)
    cause, note = _words("cause", act.cause, CAUSE_LIMIT), _words("note", act.note, NOTE_LIMIT)
    _check_disposition(alert, act.disposition, cause, note)
    after = replace(
        alert,
        state=state,
        disposition=act.disposition,
        cause=cause,
        closed_at=at,
        closed_by=actor,
        version=alert.version + 1,
    )
    said = {"disposition": act.disposition, "cause": cause, "note": note}
    evidence = {name: str(value) for name, value in said.items() if value is not None}
    return after, Transition(alert.state, state, at, actor, "closed", evidence)


def _check_disposition(alert: Alert, disposition: Disposition | None, cause: str | None, note: str | None) -> None:
    what = f"{alert.alert_class} alert {alert.id}"
    if disposition is None:
        if alert.latched or alert.state is not State.RETURNED:
            why = "is latched" if alert.latched else "has not returned to normal"
            allowed = [word for word in Disposition if not (alert.is_fire and word in _NOT_FOR_FIRE)]
            raise InvalidInput(
                f"{what} {why} and is closed only with a disposition; give one of {', '.join(allowed)}",
                {"field": "disposition"},
            )
        return
    if alert.is_fire and disposition in _NOT_FOR_FIRE:
        raise InvalidInput(
            f"{what} cannot be closed as {disposition}: {_NOT_FOR_FIRE[disposition]}", {"field": "disposition"}
        )
    if disposition is Disposition.FALSE_ALARM and cause is None:
        raise InvalidInput(
            f"{what} closed as false_alarm needs a cause; say what set it off, for example cooking, steam, dust",
            {"field": "cause"},
        )
    if disposition in _NEEDS_NOTE and note is None:
        raise InvalidInput(
            f"{what} closed as {disposition} needs a note; write {_NEEDS_NOTE[disposition]}", {"field": "note"}
        )


def _words(field: str, given: str | None, limit: int) -> str | None:
    """Return ``given`` without space around it, None when nothing is left; too long or unstorable is InvalidInput."""
    words = (given or "").strip()
    if len(words) > limit:
        raise InvalidInput(
            f"{field} has {len(words)} characters, at most {limit} are kept; shorten it or add a second note",
            {"field": field},
        )
    if not storable(words):
        raise InvalidInput(
            f"{field} holds a NUL or half a character (a lone surrogate), which cannot be stored; remove it",
            {"field": field},
        )
    return words or None


def storable(text: str) -> bool:
    """Say whether the database can hold ``text``: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
