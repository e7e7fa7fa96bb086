"""Acting on alerts: what a person decides about one, from acknowledging it to closing it, and reports by telephone."""

from typing import Any

from pydantic import BaseModel, Field

from firetower.alerts.acts import Acknowledge, Act, Assign, Note, Shelve, Unshelve
from firetower.alerts.closing import CallBack, Close, Reopen
from firetower.alerts.handover.acts import Cancel, FollowUp
from firetower.alerts.model import Disposition, Method, Verification
from firetower.alerts.reports import REPORTED, Report
from firetower.alerts.verification import Channel, Forward, Receipt, Verify
from firetower.alerts.words import CAUSE_LIMIT, NAME_LIMIT, NOTE_LIMIT
from firetower.devices.events import AlertClass
from firetower.web.alert_json import AlertOut, alert_out
from firetower.web.alert_routes import PATH, alert_id
from firetower.web.api import Access, Call, Handler, Route
from firetower.web.api_models import Asked, Moment, Nothing

_KEY = (("Idempotency-Key", "1 to 200 characters of your own; the same key again does nothing and answers the alert"),)


class Acting(Asked):
    """What every act takes."""

    expected_version: int | None = Field(None, ge=1, lt=2**31, description="refuse with 409 if it changed since")


class Acknowledgement(Acting):
    """受理."""


class Verifying(Acting):
    """核实."""

    result: Verification
    method: Method
    person: str | None = Field(
        None, max_length=NAME_LIMIT, description="who was spoken to, or went there; of `phone` and `on_site` needed"
    )
    cause: str | None = Field(None, max_length=CAUSE_LIMIT, description="what set it off; of `false` needed")
    call_id: str | None = Field(
        None, pattern=r"^[0-9]{1,18}$", description="of `phone`: the call on which it was said; it knows the `person`"
    )


class Forwarding(Acting):
    """转警."""

    unverified: bool = Field(False, description="tell 119 though it is not verified as real")


class Receiving(Acting):
    """签收."""

    person: str = Field(max_length=NAME_LIMIT, description="who at 119 took it")
    channel: Channel = Field(description="`voice`: a recorded call")
    reference: str | None = Field(
        None, max_length=NAME_LIMIT, description="the number of the recording, which `voice` needs, or the one at 119"
    )


class FollowingUp(Acting):
    """续报."""

    text: str = Field(min_length=1, max_length=NOTE_LIMIT, description="what is known by now")


class Cancelling(Acting):
    """撤警."""

    reason: str = Field(min_length=1, max_length=CAUSE_LIMIT, description="why 119 need not come")


class Assigning(Acting):
    """接管."""

    to: str = Field(min_length=1, max_length=64, description="username of an operator or admin")


class Shelving(Acting):
    """限时搁置."""

    until: Moment = Field(description="1 minute to 24 hours from now")
    reason: str = Field(max_length=CAUSE_LIMIT)


class Unshelving(Acting):
    """Back into the queue."""


class NewNote(Acting):
    """Words for the history."""

    text: str = Field(min_length=1, max_length=NOTE_LIMIT)


class CalledBack(Asked):
    """回拨."""

    person: str = Field(max_length=NAME_LIMIT, description="who confirmed it")
    number: str = Field(max_length=NAME_LIMIT, description="under which number")


class Closing(Acting):
    """办结. A latched alert needs a disposition; a false alarm its cause."""

    disposition: Disposition | None = None
    cause: str | None = Field(None, max_length=CAUSE_LIMIT)
    note: str | None = Field(None, max_length=NOTE_LIMIT)
    call_back: CalledBack | None = Field(None, description="of `test` and `drill` outside an announced window")


class Reopening(Acting):
    """The verdict was wrong."""

    reason: str = Field(max_length=CAUSE_LIMIT)


class NewReport(Asked):
    """电话报警. Where it is: a place in words, a unit, or coordinates."""

    alert_class: AlertClass = Field(alias="class", description=f"one of {', '.join(REPORTED)}")
    text: str = Field(max_length=NOTE_LIMIT, description="what the caller says")
    place: str | None = Field(None, max_length=CAUSE_LIMIT)
    unit: str | None = Field(None, max_length=64, description="code of a registered unit")
    zone: str | None = Field(None, max_length=200, description="`building/floor/zone` within the unit")
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)
    caller: str | None = Field(None, max_length=NAME_LIMIT)
    phone: str | None = Field(None, max_length=NAME_LIMIT)


async def report_alert(call: Call[Nothing, NewReport]) -> BaseModel:
    """Raise an alert that a person reported (电话报警): latched, flag `manual`, and never joined to another."""
    said = Report(**call.body.model_dump())
    alert = await call.deps.alerts.report(said, actor=call.person.username, idempotency_key=call.idempotency_key)
    return alert_out(alert, call.deps.limits)


async def acknowledge_alert(call: Call[Nothing, Acknowledgement]) -> BaseModel:
    """Take an alert on (受理). It says that somebody has seen it, not that it is solved."""
    return await _do(call, Acknowledge())


async def verify_alert(call: Call[Nothing, Verifying]) -> BaseModel:
    """Write down what looking into it gave (核实), and take it on. It sets no disposition.

    `real` on a fire forwards it, on a prealarm makes it a fire and forwards it; `unverifiable` on a fire escalates it.
    """
    body = call.body
    said_on = None if body.call_id is None else int(body.call_id)
    return await _do(call, Verify(body.result, body.method, body.person, body.cause, said_on))


async def forward_alert(call: Call[Nothing, Forwarding]) -> BaseModel:
    """Decide that 119 is told (转警). Only what is verified as real, unless `unverified`; never what is false.

    It records the decision. Where a command centre is configured its interface is told, and gives the receipt; else
    call 119, and record who took it with `receipt`.
    """
    return await _do(call, Forward(call.body.unverified))


async def receive_alert(call: Call[Nothing, Receiving]) -> BaseModel:
    """Write down who at 119 took a forwarded alert (签收)."""
    return await _do(call, Receipt(call.body.person, call.body.channel, call.body.reference))


async def follow_alert_up(call: Call[Nothing, FollowingUp]) -> BaseModel:
    """Tell 119 what is known by now (续报) of an alert handed over through the interface; after its report."""
    return await _do(call, FollowUp(call.body.text))


async def cancel_alert(call: Call[Nothing, Cancelling]) -> BaseModel:
    """Tell 119 that they need not come (撤警). It sets no disposition and closes nothing: that is for a person."""
    return await _do(call, Cancel(call.body.reason))


async def assign_alert(call: Call[Nothing, Assigning]) -> BaseModel:
    """Hand an alert to an account that deals with it from now on (接管)."""
    return await _do(call, Assign(call.body.to))


async def shelve_alert(call: Call[Nothing, Shelving]) -> BaseModel:
    """Take an alert out of the queue until an instant (限时搁置), and take it on. Never a fire."""
    return await _do(call, Shelve(call.body.until, call.body.reason))


async def unshelve_alert(call: Call[Nothing, Unshelving]) -> BaseModel:
    """Put a shelved alert back into the queue before its time."""
    return await _do(call, Unshelve())


async def note_alert(call: Call[Nothing, NewNote]) -> BaseModel:
    """Add words to an alert's history."""
    return await _do(call, Note(call.body.text))


async def close_alert(call: Call[Nothing, Closing]) -> BaseModel:
    """Close an alert (办结) with what it turned out to be. A fire is acknowledged first and needs a verdict.

    `real_fire` needs a receipt; `test` and `drill` an announced window or a call-back.
    """
    body, called = call.body, call.body.call_back
    back = None if called is None else CallBack(called.person, called.number)
    return await _do(call, Close(body.disposition, body.cause, body.note, back))


async def reopen_alert(call: Call[Nothing, Reopening]) -> BaseModel:
    """Open a closed alert again, unacknowledged and not yet looked into; its history keeps what was said."""
    return await _do(call, Reopen(call.body.reason))


async def _do(call: Call[Nothing, Any], act: Act) -> BaseModel:
    after = await call.deps.alerts.act(
        alert_id(call),
        act,
        actor=call.person.username,
        expected_version=call.body.expected_version,
        idempotency_key=call.idempotency_key,
    )
    return alert_out(after, call.deps.limits)


def _act(name: str, handler: Handler, summary: str, body: type[Acting]) -> Route:
    return Route(
        "POST",
        f"{PATH}/{{id}}/{name}",
        handler,
        summary,
        "alerts",
        body=body,
        access=Access.OPERATOR,
        answer=AlertOut,
        errors=(409,),
        headers=_KEY,
    )


ROUTES = (
    Route(
        "POST",
        PATH,
        report_alert,
        "Report an alert",
        "alerts",
        body=NewReport,
        access=Access.OPERATOR,
        answer=AlertOut,
        status=201,
        errors=(409,),
        headers=_KEY,
    ),
    _act("acknowledge", acknowledge_alert, "Acknowledge an alert", Acknowledgement),
    _act("verify", verify_alert, "Verify an alert", Verifying),
    _act("forward", forward_alert, "Forward an alert to 119", Forwarding),
    _act("receipt", receive_alert, "Record who at 119 took it", Receiving),
    _act("follow-up", follow_alert_up, "Tell 119 more", FollowingUp),
    _act("cancel", cancel_alert, "Cancel a hand-over to 119", Cancelling),
    _act("assign", assign_alert, "Assign an alert", Assigning),
    _act("shelve", shelve_alert, "Shelve an alert", Shelving),
    _act("unshelve", unshelve_alert, "Unshelve an alert", Unshelving),
    _act("note", note_alert, "Add a note to an alert", NewNote),
    _act("close", close_alert, "Close an alert", Closing),
    _act("reopen", reopen_alert, "Reopen an alert", Reopening),
)
