"""Closing 办结 an alert with what it turned out to be, and reopening one whose verdict was wrong."""

from dataclasses import dataclass

from firetower.alerts import flags
from firetower.alerts.announced import ANNOUNCED
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, Condition, Disposition, Verification
from firetower.alerts.moves import Decided, entry, moved
from firetower.alerts.verification import FORWARDED
from firetower.alerts.words import CAUSE_LIMIT, NAME_LIMIT, NOTE_LIMIT, needed, words
from firetower.core.clock import Micros, rfc3339
from firetower.core.errors import Conflict, InvalidInput


@dataclass(frozen=True, slots=True)
class CallBack:
    """回拨: who confirmed it, called under which number."""

    person: str
    number: str


@dataclass(frozen=True, slots=True)
class Close:
    """办结: what it turned out to be. ``disposition`` may be None for what has returned to normal by itself."""

    disposition: Disposition | None
    cause: str | None = None
    note: str | None = None
    call_back: CallBack | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    """The verdict was wrong: everybody is to hear of it again."""

    reason: str


_NOT_FOR_FIRE = {
    Disposition.UNKNOWN: "a fire is never closed unexplained: verify it, and close it with what it turned out to be",
    Disposition.HAZARD_FIXED: "that ends a broken limit; close a fire as real_fire, false_alarm, test or drill",
    Disposition.MAINTENANCE: "work is no verdict on a fire; close it as false_alarm with its cause, test or drill",
}

_ANNOUNCED = {
    Disposition.TEST: {flags.IN_TEST, flags.DURING_TEST, flags.AFTER_TEST},
    Disposition.DRILL: {flags.IN_DRILL, flags.AFTER_DRILL},
}

_NOBODY_NEEDED = {Disposition.FALSE_ALARM, Disposition.TEST, Disposition.DRILL, Disposition.MAINTENANCE}
"""What 119 is on its way for nothing."""

_CONTRADICTS = {
    (Disposition.REAL_FIRE, Verification.FALSE),
    (Disposition.FALSE_ALARM, Verification.REAL),
    (Disposition.TEST, Verification.REAL),
    (Disposition.DRILL, Verification.REAL),
}


def close(alert: Alert, act: Close, actor: str, at: Micros) -> Decided:
    """Close the alert; any hold ends with it."""
    following(alert, Trigger.CLOSE)
    cause, note = words("cause", act.cause, CAUSE_LIMIT), words("note", act.note, NOTE_LIMIT)
    call_back = _call_back(alert, act.call_back)
    _check(alert, act.disposition, cause)
    if act.disposition in _ANNOUNCED and call_back is None and not _ANNOUNCED[act.disposition] & set(alert.flags):
        raise InvalidInput(
            f"{alert.alert_class} alert {alert.id} was raised in no announced {act.disposition}; close it as"
            f" {act.disposition} with a call_back: who confirmed it, and under which number",
            {"field": "call_back"},
        )
    after = moved(alert, Trigger.CLOSE, actor=actor, at=at, disposition=act.disposition, cause=cause)
    said = {"disposition": act.disposition, "cause": cause, "note": note, "call_back": call_back}
    return after, (entry(alert, after, "closed", said, actor=actor, at=at),)


def reopen(alert: Alert, act: Reopen, actor: str, at: Micros) -> Decided:
    """Open a closed alert again, unacknowledged, as if nobody had looked into it; what was said stands in its history.

    It is in no test or drill any more: to close it as one takes a call-back. That no other alert holds its key is for
    the store to see to.
    """
    following(alert, Trigger.REOPEN)
    reason = needed(f"reopening alert {alert.id}", "reason", act.reason, CAUSE_LIMIT, "say why the verdict was wrong")
    after = moved(
        alert,
        Trigger.REOPEN,
        actor=actor,
        at=at,
        disposition=None,
        cause=None,
        closed_at=None,
        closed_by=None,
        verification=None,
        verified_at=None,
        verified_by=None,
        verify_method=None,
        forwarded_at=None,
        receipted_at=None,
        missed=(),
        flags=tuple(flag for flag in alert.flags if flag not in ANNOUNCED),
    )
    said = {
        "reason": reason,
        "disposition": alert.disposition,
        "cause": alert.cause,
        "closed_at": _instant(alert.closed_at),
        "closed_by": alert.closed_by,
        "verification": alert.verification,
        "forwarded_at": _instant(alert.forwarded_at),
        "receipted_at": _instant(alert.receipted_at),
    }
    return after, (entry(alert, after, "reopened", said, actor=actor, at=at),)


def _check(alert: Alert, disposition: Disposition | None, cause: str | None) -> None:
    what = f"{alert.alert_class} alert {alert.id}"
    if disposition is None:
        if alert.latched or alert.condition is Condition.ACTIVE:
            why = "is latched" if alert.latched else "has not returned to normal"
            allowed = [word for word in Disposition if not (alert.is_fire and word in _NOT_FOR_FIRE)]
            raise _refused(f"{what} {why} and is closed only with a disposition; give one of {', '.join(allowed)}")
        return
    if alert.is_fire and disposition in _NOT_FOR_FIRE:
        raise _refused(f"{what} cannot be closed as {disposition}: {_NOT_FOR_FIRE[disposition]}")
    if alert.verification is not None and (disposition, alert.verification) in _CONTRADICTS:
        raise _refused(
            f"{what} cannot be closed as {disposition}: {alert.verified_by} verified it as {alert.verification};"
            " verify it again first, if that was wrong"
        )
    if disposition is Disposition.REAL_FIRE:
        _check_handed_over(alert, what)
    if disposition in _NOBODY_NEEDED and alert.handover is not None and not alert.is_cancelled:
        raise Conflict(
            f"{what} cannot be closed as {disposition}: it was handed over to 119, who may be on their way; cancel the"
            f" hand-over first (cancel, with its reason), then close it",
            current=alert,
        )
    if disposition is Disposition.FALSE_ALARM and cause is None:
        raise InvalidInput(
            f"{what} closed as false_alarm needs a cause; say what set it off, for example cooking, steam, dust",
            {"field": "cause"},
        )


def _check_handed_over(alert: Alert, what: str) -> None:
    said = f"{what} cannot be closed as real_fire"
    if alert.alert_class not in FORWARDED:
        raise _refused(f"{said}: 119 is told of {', '.join(FORWARDED)}; report the fire as one, and close this apart")
    if alert.is_cancelled:
        raise _refused(f"{said}: its hand-over to 119 was cancelled; forward it again")
    if alert.forwarded_at is None:
        raise _refused(f"{said}: it was not forwarded to 119; verify it as real, or forward it")
    if alert.receipted_at is None:
        raise _refused(f"{said}: nobody at 119 has taken it; record the receipt, or the voice call, with its person")


def _call_back(alert: Alert, given: CallBack | None) -> dict[str, str] | None:
    if given is None:
        return None
    what = f"the call-back of alert {alert.id}"
    return {
        "person": needed(what, "person", given.person, NAME_LIMIT, "name who confirmed it"),
        "number": needed(what, "number", given.number, NAME_LIMIT, "say under which number"),
    }


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, {"field": "disposition"})


def _instant(at: Micros | None) -> str | None:
    return None if at is None else rfc3339(at)
