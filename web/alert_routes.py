"""Alerts to look at: list, one, its history; acting on them is in ``act_routes``."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from firetower.alerts.model import Alert, Hold, State
from firetower.alerts.ports import PAGE_LIMIT, AlertFilter, Entry
from firetower.core.errors import NotFound
from firetower.devices.events import AlertClass
from firetower.web.alert_json import AlertOut, AlertWithAdvice, HistoryEntry, alert_out, alert_with_advice
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, AsMany, Moment, Nothing, instant

PATH = "/api/v1/alerts"

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
    limits = call.deps.limits
    return AlertPage(items=[alert_out(alert, limits) for alert in page.items], next_cursor=page.next_cursor)


async def get_alert(call: Call[Nothing, None]) -> BaseModel:
    """Return one alert, with what its rule advises to do."""
    alert = await shown_alert(call)
    return alert_with_advice(alert, call.deps.limits, call.deps.rulebook().rule(alert.rule))


async def get_alert_history(call: Call[Nothing, None]) -> BaseModel:
    """Return everything that happened to an alert, by whom and why."""
    entries = await call.deps.alerts.history((await shown_alert(call)).id)
    return History(items=[history_entry(entry) for entry in entries])


def history_entry(entry: Entry) -> HistoryEntry:
    """Return an entry of a history as the API writes it."""
    return HistoryEntry(
        seq=entry.seq,
        at=instant(entry.transition.at),
        old=entry.transition.old,
        new=entry.transition.new,
        actor=entry.transition.actor,
        reason=entry.transition.reason,
        evidence=dict(entry.transition.evidence),
    )


async def shown_alert(call: Call[Any, Any]) -> Alert:
    """Return the alert asked for; to a unit's account another unit's is as if it were not there."""
    alert = await call.deps.alerts.get(alert_id(call))
    if not call.may_see(alert.unit):
        raise NotFound(f"there is no alert {alert.id}; list alerts to find the one you mean")
    return alert


def alert_id(call: Call[object, object]) -> int:
    """Return the alert id of the path; NotFound for what can be none."""
    given = call.path("id")
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise NotFound(f"there is no alert {given[:64]!r}")
    return int(given)


ROUTES = (
    Route(
        "GET", PATH, list_alerts, "List alerts", "alerts", access=Access.EVERYBODY, query=AlertQuery, answer=AlertPage
    ),
    Route("GET", PATH + "/{id}", get_alert, "One alert", "alerts", access=Access.EVERYBODY, answer=AlertWithAdvice),
    Route(
        "GET",
        PATH + "/{id}/history",
        get_alert_history,
        "An alert's history",
        "alerts",
        access=Access.EVERYBODY,
        answer=History,
    ),
)
