"""Incidents 警情 as they are stored: one, those that are open, lists of them, and writing what changed."""

from collections.abc import Sequence
from typing import Any

import msgspec

from firetower.alerts.incidents import Incident
from firetower.alerts.ports import PAGE_LIMIT, IncidentFilter, IncidentPage
from firetower.alerts.words import NAME_LIMIT, words
from firetower.core.clock import from_datetime
from firetower.core.errors import InvalidInput, NotFound
from firetower.devices.events import AlertClass
from firetower.storage.alert_rows import TYPES, chunks, given
from firetower.storage.pool import store_errors

_NAMES = (
    "id, scene, headline_zh, headline_en, alert_class, priority, unit, unit_name, place, lon, lat,"
    " members::text AS members, opened_at, last_raised_at, closed_at, version"
)
_SELECT = f"SELECT {_NAMES} FROM incident"

_COLUMNS: tuple[tuple[str, str], ...] = (
    ("id", "int8"),
    ("scene", "text"),
    ("headline_zh", "text"),
    ("headline_en", "text"),
    ("alert_class", "text"),
    ("priority", "int2"),
    ("unit", "text"),
    ("unit_name", "text"),
    ("place", "text"),
    ("lon", "float8"),
    ("lat", "float8"),
    ("members", "text"),
    ("opened_at", "timestamptz"),
    ("last_raised_at", "timestamptz"),
    ("closed_at", "timestamptz"),
    ("version", "int4"),
)
_CHANGING = [name for name, _ in _COLUMNS if name not in {"id", "scene", "opened_at"}]
_EXPRESSIONS = ", ".join("c.members::jsonb" if name == "members" else given(name, kind, "c") for name, kind in _COLUMNS)

_WRITE = (
    f"INSERT INTO incident ({', '.join(name for name, _ in _COLUMNS)}) SELECT {_EXPRESSIONS} FROM unnest("
    + ", ".join(f"${number}::{TYPES.get(kind, kind)}[]" for number, (_, kind) in enumerate(_COLUMNS, 1))
    + f") AS c ({', '.join(name for name, _ in _COLUMNS)})"
    + f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CHANGING)}"
)


async def list_incidents(conn: Any, wanted: IncidentFilter) -> IncidentPage:
    """Return a page, newest first; InvalidInput for a limit out of range or a cursor that is not ours.

    Raises StoreUnavailable.
    """
    if not 1 <= wanted.limit <= PAGE_LIMIT:
        raise InvalidInput(f"limit is {wanted.limit}; give 1 to {PAGE_LIMIT}", {"field": "limit"})
    asked = (
        wanted.is_open,
        words("unit", wanted.unit, NAME_LIMIT),
        None if wanted.cursor is None else _read_cursor(wanted.cursor),
        wanted.limit + 1,
    )
    with store_errors():
        rows = await conn.fetch(
            f"{_SELECT} WHERE ($1::bool IS NULL OR (closed_at IS NULL) = $1) AND ($2::text IS NULL OR unit = $2)"
            " AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
            *asked,
        )
    items = [to_incident(row) for row in rows[: wanted.limit]]
    return IncidentPage(items, str(items[-1].id) if len(rows) > wanted.limit else None)


async def get(conn: Any, incident_id: int) -> Incident:
    """Return one incident; NotFound, StoreUnavailable."""
    with store_errors():
        found = await by_ids(conn, [incident_id]) if 0 < incident_id < 2**63 else []
    if not found:
        raise NotFound(f"there is no incident {incident_id}; list incidents to find the one you mean")
    return found[0]


async def open_incidents(conn: Any) -> list[Incident]:
    """Return every incident that is open, newest first."""
    rows = await conn.fetch("SELECT id FROM incident WHERE closed_at IS NULL")
    return (await by_ids(conn, [row["id"] for row in rows]))[::-1]


async def by_ids(conn: Any, ids: Sequence[int]) -> list[Incident]:
    """Return the incidents of ``ids`` as they stand, open or closed, in order of id."""
    found: list[Incident] = []
    for chunk in chunks(sorted(ids)):
        rows = await conn.fetch(f"{_SELECT} WHERE id = ANY($1::bigint[]) ORDER BY id", list(chunk))
        found += map(to_incident, rows)
    return found


async def newest_open(conn: Any, scenes: Sequence[str]) -> dict[str, Incident]:
    """Return the newest open incident of each of ``scenes`` that has one."""
    rows = await conn.fetch(f"{_SELECT} WHERE closed_at IS NULL AND scene = ANY($1::text[]) ORDER BY id", list(scenes))
    return {row["scene"]: to_incident(row) for row in rows}


async def draw_ids(conn: Any, count: int) -> list[int]:
    """Return ``count`` new ids."""
    rows = await conn.fetch("SELECT nextval('incident_id_seq') AS id FROM generate_series(1, $1)", count)
    return [row["id"] for row in rows]


async def write(conn: Any, incidents: Sequence[Incident]) -> None:
    """Store incidents, new ones too, by their ids. Only the desk writes them."""
    for chunk in chunks(incidents):
        await conn.execute(
            _WRITE,
            *(
                [msgspec.json.encode(each.members).decode() for each in chunk]
                if name == "members"
                else [getattr(each, name) for each in chunk]
                for name, _ in _COLUMNS
            ),
        )


def to_incident(row: Any) -> Incident:
    """Return the incident of a row."""
    closed_at = row["closed_at"]
    return Incident(
        id=row["id"],
        scene=row["scene"],
        headline_zh=row["headline_zh"],
        headline_en=row["headline_en"],
        alert_class=AlertClass(row["alert_class"]),
        priority=row["priority"],
        unit=row["unit"],
        unit_name=row["unit_name"],
        place=row["place"],
        lon=row["lon"],
        lat=row["lat"],
        members=tuple((AlertClass(each), n, n_open) for each, n, n_open in msgspec.json.decode(row["members"])),
        opened_at=from_datetime(row["opened_at"]),
        last_raised_at=from_datetime(row["last_raised_at"]),
        closed_at=None if closed_at is None else from_datetime(closed_at),
        version=row["version"],
    )


def _read_cursor(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):
        raise InvalidInput(
            f"cursor {cursor[:80]!r} is not one of ours; take next_cursor of the page before, or leave it out",
            {"field": "cursor"},
        )
    return int(cursor)
