"""Alerts: list, look, acknowledge, note, close."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from firetower.alerts.model import Alert, Disposition, Hold, State
from firetower.alerts.ports import PAGE_LIMIT, AlertFilter
from firetower.core.errors import InvalidInput, NotFound
from firetower.devices.events import AlertClass
from firetower.web.alert_json import AlertOut, HistoryEntry, alert_out
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, AsMany, Moment, Nothing, instant, is_storable

PATH = "/api/v1/alerts"
_KEY = (("Idempotency-Key", "1 to 200 characters of your own; the same key again does nothing and answers the alert"),)

Priority = Annotated[int, Field(ge=1, le=4)]


class AlertQuery(Asked):
    """Which alerts; several values of one parameter are written with commas between."""

    state: Annotated[tuple[State, ...], AsMany] = ()
    hold: Annotated[tuple[Hold, ...], AsMany] = ()
    priority: Annotated[tuple[Priority, ...], AsMany] = ()
    alert_class: Annotated[tuple[AlertClass, ...], AsMany] = Field((), alias="class")
    unit: str | None = Field(None, max_length=64)
    device: str | None = Field(None, max_length=64)
    incident: int | None = Field(None, ge=0, lt=2**63, description="id of the incident it belongs to")
    q: str | None = Field(None, max_length=200, description="part of a place, text, title, unit, device or component")
    since: Moment | None = Field(None, description="raised at or after")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=PAGE_LIMIT)


class AlertPage(Answered):
    """Highest priority first, then unacknowledged before the others, then newest."""

    items: list[AlertOut]
    next_cursor: str | None


class History(Answered):
    """An alert's transitions, oldest first."""

    items: list[HistoryEntry]


class Acknowledgement(Asked):
    """受理."""

    expected_version: int | None = Field(None, ge=1, lt=2**31, description="refuse with 409 if it changed since")


class NewNote(Asked):
    """Words for the history."""

    text: str = Field(min_length=1, max_length=2000)
    expected_version: int | None = Field(None, ge=1, lt=2**31)


class Closing(Asked):
    """办结. A latched alert needs a disposition; a false alarm its cause."""

    disposition: Disposition | None = None
    cause: str | None = Field(None, max_length=200)
    note: str | None = Field(None, max_length=2000)
    expected_version: int | None = Field(None, ge=1, lt=2**31)


async def list_alerts(call: Call[AlertQuery, None]) -> BaseModel:
    """List alerts, highest and newest first."""
    query = call.query
    page = await call.deps.alerts.list(
        AlertFilter(
            states=query.state,
            holds=query.hold,
            priorities=query.priority,
            classes=query.alert_class,
            unit=call.unit_shown(query.unit),
            device=query.device,
            incident=query.incident,
            q=query.q,
            since=query.since,
            cursor=query.cursor,
            limit=query.limit,
        )
    )
    return AlertPage(items=[alert_out(alert) for alert in page.items], next_cursor=page.next_cursor)


async def get_alert(call: Call[Nothing, None]) -> BaseModel:
    """Return one alert."""
    return alert_out(await _shown(call))


async def get_alert_history(call: Call[Nothing, None]) -> BaseModel:
    """Return everything that happened to an alert, by whom and why."""
    entries = await call.deps.alerts.history((await _shown(call)).id)
    return History(
        items=[
            HistoryEntry(
                seq=entry.seq,
                at=instant(entry.transition.at),
                old=entry.transition.old,
                new=entry.transition.new,
                actor=entry.transition.actor,
                reason=entry.transition.reason,
                evidence=dict(entry.transition.evidence),
            )
            for entry in entries
        ]
    )


async def acknowledge_alert(call: Call[Nothing, Acknowledgement]) -> BaseModel:
    """Take an alert on (受理). It says that somebody has seen it, not that it is solved."""
    after = await call.deps.alerts.acknowledge(
        _id(call),
        actor=call.person.username,
        expected_version=call.body.expected_version,
        idempotency_key=_key(call.request),
    )
    return alert_out(after)


async def note_alert(call: Call[Nothing, NewNote]) -> BaseModel:
    """Add words to an alert's history."""
    after = await call.deps.alerts.note(
        _id(call),
        call.body.text,
        actor=call.person.username,
        expected_version=call.body.expected_version,
        idempotency_key=_key(call.request),
    )
    return alert_out(after)


async def close_alert(call: Call[Nothing, Closing]) -> BaseModel:
    """Close an alert (办结) with what it turned out to be. A fire is acknowledged first and needs a verdict."""
    body = call.body
    after = await call.deps.alerts.close(
        _id(call),
        body.disposition,
        body.cause,
        body.note,
        actor=call.person.username,
        expected_version=body.expected_version,
        idempotency_key=_key(call.request),
    )
    return alert_out(after)


async def _shown(call: Call[Nothing, None]) -> Alert:
    """Return the alert asked for; to a unit's account another unit's is as if it were not there."""
    alert = await call.deps.alerts.get(_id(call))
    if not call.may_see(alert.unit):
        raise NotFound(f"there is no alert {alert.id}; list alerts to find the one you mean")
    return alert


def _id(call: Call[Nothing, object]) -> int:
    given = call.path("id")
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise NotFound(f"there is no alert {given[:64]!r}")
    return int(given)


def _key(request: web.Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= 200 and is_storable(key)):
        raise InvalidInput(f"Idempotency-Key has {len(key)} characters; send 1 to 200 of plain text")
    return key


ROUTES = (
    Route(
        "GET", PATH, list_alerts, "List alerts", "alerts", access=Access.EVERYBODY, query=AlertQuery, answer=AlertPage
    ),
    Route("GET", PATH + "/{id}", get_alert, "One alert", "alerts", access=Access.EVERYBODY, answer=AlertOut),
    Route(
        "GET",
        PATH + "/{id}/history",
        get_alert_history,
        "An alert's history",
        "alerts",
        access=Access.EVERYBODY,
        answer=History,
    ),
    Route(
        "POST",
        PATH + "/{id}/acknowledge",
        acknowledge_alert,
        "Acknowledge an alert",
        "alerts",
        body=Acknowledgement,
        access=Access.OPERATOR,
        answer=AlertOut,
        errors=(409,),
        headers=_KEY,
    ),
    Route(
        "POST",
        PATH + "/{id}/note",
        note_alert,
        "Add a note to an alert",
        "alerts",
        body=NewNote,
        access=Access.OPERATOR,
        answer=AlertOut,
        errors=(409,),
        headers=_KEY,
    ),
    Route(
        "POST",
        PATH + "/{id}/close",
        close_alert,
        "Close an alert",
        "alerts",
        body=Closing,
        access=Access.OPERATOR,
        answer=AlertOut,
        errors=(409,),
        headers=_KEY,
    ),
)
