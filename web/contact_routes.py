"""Contacts of units, grids and the centre, and micro fire stations: to read and to keep up to date."""

from aiohttp import web
from pydantic import BaseModel

from firetower.alerts.contacts import ContactScope
from firetower.core.errors import InvalidInput, NotFound
from firetower.devices.city import Station
from firetower.storage import contacts, stations
from firetower.storage.contacts import Owner
from firetower.web.api import Access, Call, Route
from firetower.web.api_models import Nothing, cursor_of, parts_of
from firetower.web.contact_models import (
    CentreContactsIn,
    ContactList,
    GridContactsIn,
    StationIn,
    StationOut,
    StationPage,
    StationQuery,
    UnitContactsIn,
    listed_out,
    station_out,
)

UNIT = "/api/v1/units/{unit}/contacts"
GRID = "/api/v1/grids/{grid}/contacts"
CENTRE = "/api/v1/centre/contacts"
STATIONS = "/api/v1/stations"
STATION = STATIONS + "/{station}"


async def unit_contacts(call: Call[Nothing, None]) -> BaseModel:
    """List whom to call of a unit, by role and order."""
    return await _listed(call, _unit(call))


async def put_unit_contacts(call: Call[Nothing, UnitContactsIn]) -> BaseModel:
    """Replace the contacts of a unit by a list; a unit's own account does so for its own, and leaves somebody on it."""
    owner = _unit(call)
    if call.person.unit is not None and not call.body.contacts:
        raise InvalidInput(
            f"unit {owner[1]} would have nobody to call; name at least one contact, or ask the centre to empty it",
            {"field": "contacts"},
        )
    return await _put(call, owner)


async def grid_contacts(call: Call[Nothing, None]) -> BaseModel:
    """List whom to call of a grid."""
    return await _listed(call, (ContactScope.GRID, call.path("grid")))


async def put_grid_contacts(call: Call[Nothing, GridContactsIn]) -> BaseModel:
    """Replace the contacts of a grid by a list."""
    return await _put(call, (ContactScope.GRID, call.path("grid")))


async def centre_contacts(call: Call[Nothing, None]) -> BaseModel:
    """List whom to call of the centre itself: who leads the watch, and who stands by."""
    return await _listed(call, contacts.CENTRE)


async def put_centre_contacts(call: Call[Nothing, CentreContactsIn]) -> BaseModel:
    """Replace the contacts of the centre by a list."""
    return await _put(call, contacts.CENTRE)


async def list_stations(call: Call[StationQuery, None]) -> BaseModel:
    """List micro fire stations by code, with who is called there."""
    query = call.query
    after = None if query.cursor is None else parts_of(query.cursor, 1)[0]
    rows = await stations.list_stations(call.deps.pool, grid=query.grid, limit=query.limit + 1, after=after)
    kept = rows[: query.limit]
    more = cursor_of(kept[-1].code) if len(rows) > query.limit else None
    return StationPage(items=[station_out(row) for row in kept], next_cursor=more)


async def get_station(call: Call[Nothing, None]) -> BaseModel:
    """Return one micro fire station."""
    return station_out(await stations.get(call.deps.pool, call.path("station")))


async def put_station(call: Call[Nothing, StationIn]) -> BaseModel:
    """Register a micro fire station, or change it."""
    body, code = call.body, call.path("station")
    if not (code.isascii() and 1 <= len(code) <= 64 and code.replace("-", "").replace("_", "").isalnum()):
        raise InvalidInput(f"station {code[:64]!r} is no code; use 1 to 64 of A-Z, a-z, 0-9, _ and -")
    station = Station(
        code=code, name=body.name, lon=body.lon, lat=body.lat, grid=body.grid, unit=body.unit, contacts=body.contacts
    )
    return station_out(await stations.put(call.deps.pool, station, call.person.username, call.deps.clock.now()))


async def remove_station(call: Call[Nothing, None]) -> web.StreamResponse:
    """Remove a micro fire station that is closed."""
    await stations.remove(call.deps.pool, call.path("station"))
    return web.Response(status=204)


async def _put(call: Call[Nothing, UnitContactsIn | GridContactsIn | CentreContactsIn], owner: Owner) -> BaseModel:
    by, at = call.person.username, call.deps.clock.now()
    rows = await contacts.replace(call.deps.pool, owner, call.body.contacts, by, at)
    return listed_out(rows, at, call.deps.roster.zone)


async def _listed(call: Call[Nothing, None], owner: Owner) -> BaseModel:
    rows = await contacts.listed(call.deps.pool, owner)
    return listed_out(rows, call.deps.clock.now(), call.deps.roster.zone)


def _unit(call: Call[Nothing, object]) -> Owner:
    code = call.path("unit")
    if not call.may_see(code):
        raise NotFound(f"there is no unit {code!r}")
    return ContactScope.UNIT, code


ROUTES = (
    Route("GET", UNIT, unit_contacts, "A unit's contacts", "contacts", access=Access.EVERYBODY, answer=ContactList),
    Route(
        "PUT",
        UNIT,
        put_unit_contacts,
        "Replace a unit's contacts",
        "contacts",
        access=Access.ASKING,
        body=UnitContactsIn,
        answer=ContactList,
    ),
    Route("GET", GRID, grid_contacts, "A grid's contacts", "contacts", answer=ContactList),
    Route(
        "PUT",
        GRID,
        put_grid_contacts,
        "Replace a grid's contacts",
        "contacts",
        access=Access.OPERATOR,
        body=GridContactsIn,
        answer=ContactList,
    ),
    Route("GET", CENTRE, centre_contacts, "The centre's contacts", "contacts", answer=ContactList),
    Route(
        "PUT",
        CENTRE,
        put_centre_contacts,
        "Replace the centre's contacts",
        "contacts",
        access=Access.OPERATOR,
        body=CentreContactsIn,
        answer=ContactList,
    ),
    Route(
        "GET", STATIONS, list_stations, "List micro fire stations", "contacts", query=StationQuery, answer=StationPage
    ),
    Route("GET", STATION, get_station, "One micro fire station", "contacts", answer=StationOut),
    Route(
        "PUT",
        STATION,
        put_station,
        "Register or change a micro fire station",
        "contacts",
        access=Access.OPERATOR,
        body=StationIn,
        answer=StationOut,
    ),
    Route(
        "DELETE",
        STATION,
        remove_station,
        "Remove a micro fire station",
        "contacts",
        access=Access.OPERATOR,
        status=204,
    ),
)
