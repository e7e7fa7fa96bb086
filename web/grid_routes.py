"""Grids 网格 with their boundaries, for a map."""

import msgspec
from aiohttp import web
from pydantic import Field

from firetower.storage import grids
from firetower.web.api import Call, Route
from firetower.web.api_models import Answered, Asked, cursor_of, parts_of


class GridQuery(Asked):
    """Which grids."""

    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class GridOut(Answered):
    """A grid 网格."""

    grid: str
    name: str
    district: str | None
    boundary: list[tuple[float, float]] | None = Field(
        description="one closed ring of longitude and latitude, WGS-84 degrees; null: none is registered"
    )
    units: int = Field(description="units in it")


class GridPage(Answered):
    """Grids by code."""

    items: list[GridOut]
    next_cursor: str | None


async def list_grids(call: Call[GridQuery, None]) -> web.Response:
    """List grids by code, with their boundaries and how many units lie in each."""
    query = call.query
    after = None if query.cursor is None else parts_of(query.cursor, 1)[0]
    rows = await grids.list_grids(call.deps.pool, limit=query.limit + 1, after=after)
    kept = rows[: query.limit]
    items = [
        {
            "grid": row.code,
            "name": row.name,
            "district": row.district,
            # as stored: a thousand rings are half a million numbers, which nobody reads on the way
            "boundary": None if row.boundary is None else msgspec.Raw(row.boundary),
            "units": row.units,
        }
        for row in kept
    ]
    page = {"items": items, "next_cursor": cursor_of(kept[-1].code) if len(rows) > query.limit else None}
    return web.Response(body=msgspec.json.encode(page), content_type="application/json")


ROUTES = (Route("GET", "/api/v1/grids", list_grids, "List grids", "units", query=GridQuery, answer=GridPage),)
