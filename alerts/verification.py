"""Verifying 核实 an alert, forwarding 转警 it to 119, and the receipt 签收 of whoever took it there."""

from dataclasses import dataclass, replace
from enum import StrEnum

from firetower.alerts.deadlines import ESCALATED, HIGHEST
from firetower.alerts.flags import DURING_TEST, IN_TEST
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, Method, Verification
from firetower.alerts.moves import Decided, as_fire, entry, moved
from firetower.alerts.words import CAUSE_LIMIT, NAME_LIMIT, needed, words
from firetower.core.clock import Micros, rfc3339
from firetower.core.errors import Conflict, InvalidInput
from firetower.devices.events import AlertClass

FORWARDED = (AlertClass.FIRE, AlertClass.PREALARM, AlertClass.HAZARD, AlertClass.UNREADABLE)
"""Classes of which 119 is told; anything else is no fire, and a fire seen beside it is reported as one."""

_BURNS = {AlertClass.FIRE, AlertClass.PREALARM}


class Channel(StrEnum):
    """How 119 took it."""

    VOICE = "voice"  # a recorded call
    INTERFACE = "interface"  # 火警信息终端


@dataclass(frozen=True, slots=True)
class Verify:
    """核实: what looking into it gave, how, and who said so. ``cause``: what set it off, of a false one.

    ``call``: id of the call on which it was said, of ``phone``; the store knows whom it was with.
    """

    result: Verification
    method: Method
    person: str | None = None
    cause: str | None = None
    call: int | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """转警: 119 is to be told. ``unverified``: though nobody could verify it."""

    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """签收: ``person`` at 119 has taken it; ``reference``: the number it has there, or of the recording.

    A call is on record only by its recording: ``voice`` needs it.
    """

    person: str
    channel: Channel
    reference: str | None = None


def verify(alert: Alert, act: Verify, actor: str, at: Micros) -> Decided:
    """Write the outcome on the alert and take it on.

    ``real`` makes a fire of a prealarm, for a person saw it burn, and forwards a fire in the same breath; in a test it
    is treated as real from then on.
    ``unverifiable`` on a fire escalates it: whoever said so is at it still, so its state stays.
    """
    following(alert, Trigger.VERIFY)
    person, cause = words("person", act.person, NAME_LIMIT), words("cause", act.cause, CAUSE_LIMIT)
    _check(alert, act, person, cause)
    is_real = act.result is Verification.REAL
    burns = is_real and alert.alert_class in _BURNS
    after = moved(
        as_fire(alert) if burns else alert,
        Trigger.VERIFY,
        actor=actor,
        at=at,
        verification=act.result,
        verified_at=at,
        verified_by=actor,
        verify_method=act.method,
        flags=tuple(DURING_TEST if is_real and word == IN_TEST else word for word in alert.flags),
    )
    said = {"result": act.result, "method": act.method, "person": person, "cause": cause, "call": act.call}
    if after.alert_class is not alert.alert_class:
        said["class"] = after.alert_class
    entries = [entry(alert, after, "verified", said, actor=actor, at=at)]
    if burns and not after.is_forwarded:
        forwarded = replace(_forwarded(after, actor, at), version=after.version)
        entries.append(entry(after, forwarded, "forwarded", {"verification": act.result}, actor=actor, at=at))
        after = forwarded
    if act.result is Verification.UNVERIFIABLE and after.is_fire:
        after = replace(after, escalation=min(after.escalation + 1, HIGHEST))
        why = {"reason": act.result, "level": after.escalation}
        entries.append(entry(after, after, ESCALATED, why, actor=actor, at=at))
    return after, tuple(entries)


def forward(alert: Alert, act: Forward, actor: str, at: Micros) -> Decided:
    """Decide that 119 is told, and take the alert on; from then on it closes only with a disposition."""
    following(alert, Trigger.FORWARD)
    what = f"{alert.alert_class} alert {alert.id}"
    if alert.alert_class not in FORWARDED:
        raise InvalidInput(
            f"{what} is nothing 119 is told of: {', '.join(FORWARDED)} are forwarded; report a fire seen there as one"
        )
    if alert.forwarded_at is not None and alert.is_forwarded:
        raise Conflict(
            f"{what} was forwarded at {rfc3339(alert.forwarded_at)}; record who took it (receipt)", current=alert
        )
    if alert.verification is Verification.FALSE:
        raise Conflict(f"{what} was verified as false by {alert.verified_by}; verify it again first", current=alert)
    if alert.verification is not Verification.REAL and not act.unverified:
        raise InvalidInput(
            f"{what} is not verified as real; verify it, or forward it all the same with unverified true",
            {"field": "unverified"},
        )
    after = _forwarded(alert, actor, at)
    unverified = True if alert.verification is not Verification.REAL else None
    said = {"verification": alert.verification, "unverified": unverified}
    return after, (entry(alert, after, "forwarded", said, actor=actor, at=at),)


def receipt(alert: Alert, act: Receipt, actor: str, at: Micros) -> Decided:
    """Write down who at 119 took it; a further one (a call after the interface's) stands in the history."""
    following(alert, Trigger.RECEIPT)
    what = f"the receipt of {alert.alert_class} alert {alert.id}"
    if alert.forwarded_at is None:
        raise Conflict(f"{what} cannot be recorded: it was not forwarded; forward it first", current=alert)
    person = needed(what, "person", act.person, NAME_LIMIT, "name who at 119 took it")
    reference = words("reference", act.reference, NAME_LIMIT)
    if act.channel is Channel.VOICE and reference is None:
        raise InvalidInput(
            f"{what} by voice needs a reference; give the number of the call's recording, or channel interface with the"
            " number it has at 119",
            {"field": "reference"},
        )
    said = {"person": person, "channel": act.channel, "reference": reference}
    first = at if alert.receipted_at is None else alert.receipted_at
    after = moved(alert, Trigger.RECEIPT, actor=actor, at=at, receipted_at=first)
    return after, (entry(alert, after, "receipted", said, actor=actor, at=at),)


def _forwarded(alert: Alert, actor: str, at: Micros) -> Alert:
    return moved(alert, Trigger.FORWARD, actor=actor, at=at, forwarded_at=at, receipted_at=None, latched=True)


def _check(alert: Alert, act: Verify, person: str | None, cause: str | None) -> None:
    what = f"verifying alert {alert.id}"
    if act.call is not None and act.method is not Method.PHONE:
        raise InvalidInput(f"{what} by {act.method} names a call; leave it out, or write phone", {"field": "call_id"})
    if act.method in {Method.PHONE, Method.ON_SITE} and person is None:
        raise InvalidInput(
            f"{what} by {act.method} needs a person; name who was spoken to, or who went there", {"field": "person"}
        )
    if act.result is Verification.FALSE and cause is None:
        raise InvalidInput(
            f"{what} as false needs a cause; say what set it off, for example cooking, steam, dust", {"field": "cause"}
        )
