"""Whom to call about an alert, what lies near it, and the calls that were made."""

from typing import Literal

from pydantic import BaseModel, Field

from firetower.alerts import calls as decided
from firetower.alerts.calls import Direction, NewCall, Purpose, Result
from firetower.alerts.contacts import to_call
from firetower.alerts.words import NAME_LIMIT, NOTE_LIMIT
from firetower.core.clock import Micros
from firetower.storage import calls, contacts, nearest
from firetower.web.alert_routes import PATH, alert_id
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Instant, Nothing, instant, instant_or_none
from firetower.web.contact_models import ContactOut, NearOut, NearQuery, contact_out, near_out


class NewCallIn(Asked):
    """A call that was made or taken: a contact, or a name and a number of somebody else."""

    purpose: Purpose
    result: Result
    direction: Direction = Direction.OUT
    contact_id: str | None = Field(None, pattern=r"^[0-9]{1,18}$", description="of the alert's contacts")
    name: str | None = Field(None, max_length=NAME_LIMIT, description="absent: the contact's, or 119 for purpose `119`")
    number: str | None = Field(None, max_length=40, description="absent: the contact's; may be unknown of a call in")
    said: str | None = Field(None, max_length=NOTE_LIMIT, description="only of what was answered")
    recording: str | None = Field(None, max_length=NAME_LIMIT, description="reference to the voice recording")


class CallOut(Answered):
    """A call on record."""

    id: str
    at: Instant
    by: str
    contact_id: str | None = Field(description="may be gone; name and number stay")
    role: str | None
    name: str
    number: str | None
    direction: Direction
    purpose: Purpose
    result: Result
    said: str | None
    recording: str | None = Field(description="reference to the voice recording")
    recording_kept: bool | None = Field(
        description="false: it is older than the six months that recordings are kept, and no longer kept; null: none"
    )


class CallList(Answered):
    """Calls about an alert, oldest first."""

    items: list[CallOut]


class ToCallOut(ContactOut):
    """Somebody to call about an alert now."""

    reachable: bool
    why: Literal["off_hours", "no_phone"] | None = Field(description="why not")
    reachable_from: Instant | None = Field(description="when their next hours begin")
    distance_m: int | None = Field(description="of a station's: how far it is")
    last_call: CallOut | None = Field(description="the newest call to them about this alert")


class ToCall(Answered):
    """Whom to call, who can be reached first, then by role and order."""

    items: list[ToCallOut]


async def alert_contacts(call: Call[Nothing, None]) -> BaseModel:
    """Say whom to call about an alert now, in order, and who cannot be reached and why."""
    alert, now = await call.deps.alerts.get(alert_id(call)), call.deps.clock.now()
    last = await calls.last_by_contact(call.deps.pool, alert.id)
    known = to_call(await contacts.of_alert(call.deps.pool, alert), now, call.deps.roster.zone)
    items = []
    for contact, reach in known:
        made = last.get(contact.id)
        items.append(
            ToCallOut.model_validate(
                dict(contact_out(contact))
                | {
                    "reachable": reach.now,
                    "why": reach.why or None,
                    "reachable_from": instant_or_none(reach.from_at),
                    "distance_m": None if contact.distance_m is None else round(contact.distance_m),
                    "last_call": None if made is None else call_out(made, now),
                }
            )
        )
    return ToCall(items=items)


async def alert_near(call: Call[NearQuery, None]) -> BaseModel:
    """Return the nearest water, with what is known to be wrong with it, and the nearest micro fire stations."""
    alert = await call.deps.alerts.get(alert_id(call))
    return near_out(await nearest.of_alert(call.deps.pool, alert, limit=call.query.limit))


async def list_calls(call: Call[Nothing, None]) -> BaseModel:
    """List the calls about an alert, oldest first."""
    now = call.deps.clock.now()
    return CallList(items=[call_out(each, now) for each in await calls.of_alert(call.deps.pool, alert_id(call))])


async def record_call(call: Call[Nothing, NewCallIn]) -> BaseModel:
    """Put a call on record, with an entry in the alert's history that is sealed with it."""
    body, now = call.body, call.deps.clock.now()
    given = body.model_dump(exclude={"contact_id"})
    new = NewCall(**given, contact_id=None if body.contact_id is None else int(body.contact_id))
    made = await calls.add(
        call.deps.pool,
        alert_id(call),
        new,
        actor=call.person.username,
        at=now,
        idempotency_key=call.idempotency_key,
    )
    return call_out(made, now)


def call_out(made: decided.Call, now: Micros) -> CallOut:
    """Return a call as the API writes it at ``now``."""
    return CallOut(
        id=str(made.id),
        at=instant(made.at),
        by=made.by,
        contact_id=None if made.contact_id is None else str(made.contact_id),
        role=made.role,
        name=made.name,
        number=made.number,
        direction=made.direction,
        purpose=made.purpose,
        result=made.result,
        said=made.said,
        recording=made.recording,
        recording_kept=None if made.recording is None else made.recording_kept(now),
    )


ROUTES = (
    Route("GET", PATH + "/{id}/contacts", alert_contacts, "Whom to call about an alert", "contacts", answer=ToCall),
    Route(
        "GET", PATH + "/{id}/near", alert_near, "Water and stations nearby", "contacts", query=NearQuery, answer=NearOut
    ),
    Route("GET", PATH + "/{id}/calls", list_calls, "The calls about an alert", "contacts", answer=CallList),
    Route(
        "POST",
        PATH + "/{id}/calls",
        record_call,
        "Record a call",
        "contacts",
        access=Access.OPERATOR,
        body=NewCallIn,
        answer=CallOut,
        status=201,
        errors=(409,),
        headers=(("Idempotency-Key", "1 to 200 characters of your own; the same key again answers the same call"),),
    ),
)
