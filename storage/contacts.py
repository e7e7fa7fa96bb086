"""Contacts on PostgreSQL: whose they are, who is to be called for a place, and lists written whole."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firetower.alerts.contacts import Contact, ContactScope, Hours, Role
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import NotFound
from firetower.devices.contacts import ContactEntry
from firetower.storage import nearest
from firetower.storage.pool import Pool, store_errors

Owner = tuple[ContactScope, str]
"""Whose contacts: the scope, and the code of the unit, grid or station; "" of the centre."""

CENTRE: Owner = (ContactScope.CENTRE, "")

_COLUMNS = "c.id, c.scope, c.owner, c.role, c.name, c.addresses, c.hours, c.rank, c.language"
_OF_PLACE = f"""
SELECT {_COLUMNS} FROM contact c
WHERE c.scope = 'unit' AND c.owner = $1 OR c.scope = 'centre' OR c.scope = 'station' AND c.owner = $3
   OR c.scope = 'grid' AND c.owner =
      coalesce($2, (SELECT g.code FROM unit u JOIN grid g ON g.id = u.grid_id WHERE u.code = $1))
ORDER BY c.id
"""
_EXISTS = {
    ContactScope.UNIT: "SELECT id FROM unit WHERE code = $1",
    ContactScope.GRID: "SELECT id FROM grid WHERE code = $1",
    ContactScope.STATION: "SELECT id FROM station WHERE code = $1",
}
_LOCK = 0x6669_7265_0007
"""Advisory lock of whoever writes contacts: two lists of one owner are never mixed."""

_GIVEN = (
    "unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int2[], $8::text[])"
    " WITH ORDINALITY AS g (scope, owner, role, name, addresses, hours, rank, language, n)"
)
_SAME = "(c.scope, c.owner, c.role, c.name) = (g.scope, g.owner, g.role, g.name)"
_UPDATE = f"""
UPDATE contact c SET addresses = g.addresses::jsonb, hours = g.hours::jsonb, rank = g.rank, language = g.language,
    changed_by = $9, changed_at = $10
FROM {_GIVEN}
WHERE {_SAME} AND (c.addresses, c.hours, c.rank, c.language)
    IS DISTINCT FROM (g.addresses::jsonb, g.hours::jsonb, g.rank, g.language)
"""
_CREATE = f"""
INSERT INTO contact (scope, owner, role, name, addresses, hours, rank, language, changed_by, changed_at)
SELECT g.scope, g.owner, g.role, g.name, g.addresses::jsonb, g.hours::jsonb, g.rank, g.language, $9, $10
FROM {_GIVEN} WHERE NOT EXISTS (SELECT FROM contact c WHERE {_SAME}) ORDER BY g.n
"""
_FORGET = f"""
DELETE FROM contact c USING unnest($1::text[], $2::text[], $3::text[]) AS o (scope, owner, role)
WHERE (c.scope, c.owner) = (o.scope, o.owner) AND (o.role = '' OR c.role = o.role) AND NOT EXISTS (
    SELECT FROM unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS g (scope, owner, role, name) WHERE {_SAME})
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A contact with who wrote it last, and when, µs."""

    contact: Contact
    changed_by: str
    changed_at: Micros


async def for_place(
    conn: Any, unit: str | None, grid: str | None, lon: float | None, lat: float | None
) -> list[Contact]:
    """Return everybody who may be called for a place, by id: of its unit, its grid, the nearest station, the centre.

    ``grid`` None: the unit's; ``lon``, ``lat`` None: the unit's. The station is the nearest within
    ``nearest.REACH_M`` that has contacts; theirs tell how far it is. ``alerts.contacts.on_call`` chooses among them.
    """
    if (lon is None or lat is None) and unit is not None:
        place = await conn.fetchrow("SELECT lon, lat FROM unit WHERE code = $1", unit)
        lon, lat = (None, None) if place is None else (place["lon"], place["lat"])
    station = None
    if lon is not None and lat is not None:
        found = await nearest.stations(conn, lon, lat, limit=1, with_contact=True)
        station = found[0] if found else None
    rows = await conn.fetch(_OF_PLACE, unit, grid, None if station is None else station.code)
    away = None if station is None else station.distance_m
    return [to_contact(row, away if row["scope"] == ContactScope.STATION else None) for row in rows]


async def of_alert(pool: Pool, alert: Alert) -> list[Contact]:
    """Return everybody who may be called for an alert, by id. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            return await for_place(conn, alert.unit, None, alert.lon, alert.lat)


async def listed(pool: Pool, owner: Owner) -> list[Listed]:
    """Return the contacts of ``owner`` by role and order. Raises NotFound, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            await _check_exists(conn, owner)
            return await _listed(conn, owner)


async def replace(pool: Pool, owner: Owner, entries: Sequence[ContactEntry], by: str, at: Micros) -> list[Listed]:
    """Make ``entries`` the contacts of ``owner``: what is the same keeps its id. Raises NotFound, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await _check_exists(conn, owner)
            await write(conn, [(owner, None)], [(owner, each) for each in entries], by, at)
            return await _listed(conn, owner)


async def write(
    conn: Any,
    whole: Sequence[tuple[Owner, Role | None]],
    rows: Sequence[tuple[Owner, ContactEntry]],
    by: str,
    at: Micros,
    *,
    within_s: float | None = None,
) -> tuple[int, int]:
    """Write contacts on the caller's transaction and return how many were created and updated.

    ``whole``: whose lists ``rows`` are, all of it or of one role: what else stands there is forgotten.
    """
    columns: list[list[Any]] = [
        [owner[0].value for owner, _ in rows],
        [owner[1] for owner, _ in rows],
        [each.role.value for _, each in rows],
        [each.name for _, each in rows],
        [json.dumps(each.everywhere, ensure_ascii=False) for _, each in rows],
        [json.dumps([[list(hours.days), *hours.minutes] for hours in each.hours]) for _, each in rows],
        [each.order for _, each in rows],
        [each.language for _, each in rows],
    ]
    written = (by, to_datetime(at))
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK, timeout=within_s)
    await conn.execute(
        _FORGET,
        [owner[0].value for owner, _ in whole],
        [owner[1] for owner, _ in whole],
        [role or "" for _, role in whole],
        *columns[:4],
        timeout=within_s,
    )
    updated = await conn.execute(_UPDATE, *columns, *written, timeout=within_s)
    created = await conn.execute(_CREATE, *columns, *written, timeout=within_s)
    return int(created.rsplit(" ", 1)[1]), int(updated.rsplit(" ", 1)[1])


async def of_owners(conn: Any, scope: ContactScope, owners: Sequence[str]) -> list[Contact]:
    """Return the contacts of several owners of one scope, each's by order."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM contact c WHERE c.scope = $1 AND c.owner = ANY($2::text[])"
        " ORDER BY c.owner, c.rank, c.name, c.id",
        scope,
        list(owners),
    )
    return [to_contact(row) for row in rows]


async def by_id(conn: Any, contact_id: int) -> Contact | None:
    """Return one contact, None where there is none."""
    row = await conn.fetchrow(f"SELECT {_COLUMNS} FROM contact c WHERE c.id = $1", contact_id)
    return None if row is None else to_contact(row)


def to_contact(row: Any, distance_m: float | None = None) -> Contact:
    """Return the contact of a row; ``distance_m``: how far its station is."""
    return Contact(
        id=row["id"],
        scope=ContactScope(row["scope"]),
        of=row["owner"],
        role=Role(row["role"]),
        name=row["name"],
        addresses=row["addresses"],
        hours=tuple(Hours(tuple(days), since, until) for days, since, until in row["hours"]),
        order=row["rank"],
        language=row["language"],
        distance_m=distance_m,
    )


async def _listed(conn: Any, owner: Owner) -> list[Listed]:
    rows = await conn.fetch(
        f"SELECT {_COLUMNS}, c.changed_by, c.changed_at FROM contact c WHERE c.scope = $1 AND c.owner = $2"
        " ORDER BY c.role, c.rank, c.name, c.id",
        *owner,
    )
    return [Listed(to_contact(row), row["changed_by"], from_datetime(row["changed_at"])) for row in rows]


async def _check_exists(conn: Any, owner: Owner) -> None:
    scope, code = owner
    if scope is not ContactScope.CENTRE and await conn.fetchval(_EXISTS[scope], code) is None:
        raise NotFound(f"there is no {scope} {code!r}; register it first")
