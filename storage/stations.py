"""Micro fire stations 微型消防站 on PostgreSQL: listed, written, removed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firetower.alerts.contacts import Contact, ContactScope
from firetower.core.clock import Micros
from firetower.core.errors import InvalidInput, NotFound
from firetower.devices.city import Station
from firetower.storage import contacts
from firetower.storage.pool import Pool, store_errors

_COLUMNS = "s.id, s.code, s.name, s.lon, s.lat, g.code AS grid, u.code AS unit"
_FROM = "FROM station s LEFT JOIN grid g ON g.id = s.grid_id LEFT JOIN unit u ON u.id = s.unit_id"
_PUT = """
INSERT INTO station (code, name, lon, lat, grid_id, unit_id) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, lon = excluded.lon, lat = excluded.lat,
    grid_id = excluded.grid_id, unit_id = excluded.unit_id
"""


@dataclass(frozen=True, slots=True)
class StationFile:
    """A station and who is called there, by order."""

    code: str
    name: str
    lon: float
    lat: float
    grid: str | None
    unit: str | None
    contacts: Sequence[Contact]


async def list_stations(
    pool: Pool, *, grid: str | None = None, limit: int, after: str | None = None
) -> list[StationFile]:
    """Return up to ``limit`` stations by code, those after ``after``. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            rows = await conn.fetch(
                f"SELECT {_COLUMNS} {_FROM} WHERE ($1::text IS NULL OR g.code = $1)"
                " AND ($2::text IS NULL OR s.code > $2) ORDER BY s.code LIMIT $3",
                grid,
                after,
                limit,
            )
            return await _with_contacts(conn, rows)


async def get(pool: Pool, code: str) -> StationFile:
    """Return one station. Raises NotFound, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            rows = await conn.fetch(f"SELECT {_COLUMNS} {_FROM} WHERE s.code = $1", code)
            if not rows:
                raise NotFound(missing(code))
            return (await _with_contacts(conn, rows))[0]


async def put(pool: Pool, station: Station, by: str, at: Micros) -> StationFile:
    """Register a station or change it, and its contacts where they are given.

    Raises InvalidInput for a grid or unit nobody registered, StoreUnavailable.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            grid = await _id(conn, "grid", station.grid)
            unit = await _id(conn, "unit", station.unit)
            await conn.execute(_PUT, station.code, station.name, station.lon, station.lat, grid, unit)
            if station.contacts is not None:
                owner = (ContactScope.STATION, station.code)
                await contacts.write(conn, [(owner, None)], [(owner, each) for each in station.contacts], by, at)
            rows = await conn.fetch(f"SELECT {_COLUMNS} {_FROM} WHERE s.code = $1", station.code)
            return (await _with_contacts(conn, rows))[0]


async def remove(pool: Pool, code: str) -> None:
    """Remove a station that is closed, with its contacts; calls to them stay. Raises NotFound, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            gone = await conn.fetchval("DELETE FROM station WHERE code = $1 RETURNING id", code)
            if gone is None:
                raise NotFound(missing(code))
            await conn.execute("DELETE FROM contact WHERE scope = 'station' AND owner = $1", code)


def missing(code: str) -> str:
    """Return the words for a station that is not there."""
    return f"there is no micro fire station {code!r}; list stations to find the one you mean"


async def _id(conn: Any, table: str, code: str | None) -> int | None:
    if code is None:
        return None
    found = await conn.fetchval(f"SELECT id FROM {table} WHERE code = $1", code)
    if found is None:
        raise InvalidInput(f"there is no {table} {code!r}; register it first, or leave it out", {"field": table})
    return int(found)


async def _with_contacts(conn: Any, rows: Sequence[Any]) -> list[StationFile]:
    people: dict[str, list[Contact]] = {}
    for each in await contacts.of_owners(conn, ContactScope.STATION, [row["code"] for row in rows]):
        people.setdefault(each.of, []).append(each)
    names = ("code", "name", "lon", "lat", "grid", "unit")
    return [StationFile(**{name: row[name] for name in names}, contacts=people.get(row["code"], [])) for row in rows]
