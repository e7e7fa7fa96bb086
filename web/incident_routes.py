"""Incidents: list, look, and the alerts that belong to one."""

from typing import Literal

from pydantic import BaseModel, Field

from firetower.alerts.incidents import Incident
from firetower.alerts.ports import PAGE_LIMIT, AlertFilter, IncidentFilter
from firetower.core.errors import NotFound
from firetower.storage import incidents
from firetower.web.alert_json import alert_out
from firetower.web.alert_routes import AlertPage
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Answered, Asked, Nothing
from firetower.web.incident_json import IncidentOut, incident_out

PATH = "/api/v1/incidents"


class IncidentQuery(Asked):
    """Which incidents."""

    state: Literal["open", "closed"] | None = Field(None, description="open: a member is not closed")
    unit: str | None = Field(None, max_length=64)
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=PAGE_LIMIT)


class IncidentPageOut(Answered):
    """Incidents, newest first."""

    items: list[IncidentOut]
    next_cursor: str | None


class MembersQuery(Asked):
    """Which page of an incident's alerts."""

    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=PAGE_LIMIT)


async def list_incidents(call: Call[IncidentQuery, None]) -> BaseModel:
    """List incidents (警情), newest first."""
    query = call.query
    page = await incidents.list_incidents(
        call.deps.pool,
        IncidentFilter(
            is_open=None if query.state is None else query.state == "open",
            unit=call.unit_shown(query.unit),
            cursor=query.cursor,
            limit=query.limit,
        ),
    )
    return IncidentPageOut(items=[incident_out(each) for each in page.items], next_cursor=page.next_cursor)


async def get_incident(call: Call[Nothing, None]) -> BaseModel:
    """Return one incident."""
    return incident_out(await _seen(call))


async def list_members(call: Call[MembersQuery, None]) -> BaseModel:
    """List every alert of an incident, closed ones too, in the order of alerts."""
    incident = await _seen(call)
    wanted = AlertFilter(
        incident=incident.id, unit=call.unit_shown(None), cursor=call.query.cursor, limit=call.query.limit
    )
    page = await call.deps.alerts.list(wanted)
    limits = call.deps.limits
    return AlertPage(items=[alert_out(alert, limits) for alert in page.items], next_cursor=page.next_cursor)


async def _seen(call: Call[Asked, object]) -> Incident:
    """Return the incident asked for; to a unit's account another unit's is as if it were not there."""
    given = call.path("id")
    number = int(given) if given.isascii() and given.isdigit() and len(given) <= 18 else 0
    found = await incidents.get(call.deps.pool, number)
    if not call.may_see(found.unit):
        raise NotFound(f"there is no incident {number}; list incidents to find the one you mean")
    return found


ROUTES = (
    Route(
        "GET",
        PATH,
        list_incidents,
        "List incidents",
        "incidents",
        query=IncidentQuery,
        access=Access.EVERYBODY,
        answer=IncidentPageOut,
    ),
    Route(
        "GET", PATH + "/{id}", get_incident, "One incident", "incidents", access=Access.EVERYBODY, answer=IncidentOut
    ),
    Route(
        "GET",
        PATH + "/{id}/alerts",
        list_members,
        "The alerts of an incident",
        "incidents",
        query=MembersQuery,
        access=Access.EVERYBODY,
        answer=AlertPage,
    ),
)
