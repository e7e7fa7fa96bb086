"""Read queries for the API: devices and units (``device_history.py``: what devices said)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from firetower.core.clock import Micros, from_datetime
from firetower.storage.pool import Pool, store_errors

QUERY_S = 20.0


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device with its file. Times are µs; ``interval_s`` in s; ``zone`` is ``building/floor/zone``.

    ``seq_missed``, ``seq_repeated``: messages. ``clock_skew_ms``: behind is positive; None while unknown.
    """

    unit: str
    unit_name: str
    device: str
    kind: str
    model: str | None
    status: str
    place: str
    lon: float | None
    lat: float | None
    interval_s: int
    zone: str | None
    main: str | None
    gateway: str | None
    attributes: dict[str, float]
    registered_by: str
    registered_at: Micros
    retired_at: Micros | None
    last_seen_at: Micros | None
    seq_missed: int
    seq_repeated: int
    clock_skew_ms: int | None


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point of a panel; ``zone`` is ``building/floor/zone``."""

    component: str
    zone: str | None
    place: str


@dataclass(frozen=True, slots=True)
class DeviceFilter:
    """Which devices: None or empty means any. ``q``: a part of a name, a place or a unit's name."""

    unit: str | None = None
    kinds: Sequence[str] = ()
    statuses: Sequence[str] = ()
    q: str | None = None
    retired: bool = False
    number: int | None = None


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit 联网单位 with its devices in service counted by status."""

    code: str
    name: str
    category: str
    grid: str | None
    address: str
    lon: float | None
    lat: float | None
    devices: dict[str, int]


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A unit with whom to call first and its buildings: [{code, name, floors: [{code, name, level, zones: […]}]}].

    Whom else, and when: ``contacts.listed``.
    """

    unit: UnitRow
    contact_name: str | None
    contact_phone: str | None
    registered_at: Micros
    buildings: list[dict[str, Any]] = field(default_factory=list)


_DEVICE = """
select u.code as unit, u.name as unit_name, d.name as device, d.kind, d.model, d.status, d.place, d.lon, d.lat,
       d.interval_s, b.code || '/' || f.code || '/' || z.code as zone, m.code as main, d.gateway, d.attributes,
       d.registered_by, d.registered_at, d.retired_at, d.last_seen_at, d.seq_missed, d.seq_repeated, d.clock_skew_ms
  from device d
  join unit u on u.id = d.unit_id
  left join zone z on z.id = d.zone_id
  left join floor f on f.id = z.floor_id
  left join building b on b.id = f.building_id
  left join water_main m on m.id = d.main_id
"""


async def list_devices(
    pool: Pool, which: DeviceFilter, *, limit: int, after: tuple[str, str] | None = None
) -> list[DeviceRow]:
    """Return up to ``limit`` devices by (unit, device), those after ``after``. Raises StoreUnavailable."""
    given: list[Any] = []

    def bind(value: Any) -> str:
        given.append(value)
        return f"${len(given)}"

    terms = [] if which.retired else ["d.retired_at is null"]
    if which.number is not None:
        terms.append(f"d.id = {bind(which.number)}::int8")
    if which.unit is not None:
        terms.append(f"u.code = {bind(which.unit)}")
    if which.kinds:
        terms.append(f"d.kind = any({bind(list(which.kinds))}::text[])")
    if which.statuses:
        terms.append(f"d.status = any({bind(list(which.statuses))}::text[])")
    if which.q:
        like = bind(_like(which.q))
        terms.append(f"(d.name ilike {like} or d.place ilike {like} or u.name ilike {like} or u.code ilike {like})")
    if after is not None:
        unit, name = bind(after[0]), bind(after[1])
        terms.append(f"u.code >= {unit} and (u.code, d.name) > ({unit}, {name})")
    where = " where " + " and ".join(terms) if terms else ""
    rows = await fetch(pool, f"{_DEVICE}{where} order by u.code, d.name limit {bind(limit)}", given)
    return [_device(row) for row in rows]


async def get_device(pool: Pool, unit: str, device: str) -> tuple[int, DeviceRow] | None:
    """Return (number, device), None for a stranger. Raises StoreUnavailable."""
    sql = _DEVICE.replace("select ", "select d.id, ", 1) + " where u.code = $1 and d.name = $2"
    rows = await fetch(pool, sql, [unit, device])
    return (rows[0]["id"], _device(rows[0])) if rows else None


_UNIT = """
select u.id, u.code, u.name, u.category, g.code as grid, u.address, u.lon, u.lat, u.registered_at,
       (select coalesce(jsonb_object_agg(s.status, s.n), '{}') from (
          select d.status, count(*) as n from device d where d.unit_id = u.id and d.retired_at is null group by 1
        ) s) as devices
  from unit u left join grid g on g.id = u.grid_id
"""

_FIRST_CONTACT = """
select c.name, c.addresses ->> 'phone' as phone from contact c
 where c.scope = 'unit' and c.owner = $1 order by c.role <> 'control_room', c.rank, c.name, c.id limit 1
"""


async def list_units(pool: Pool, *, q: str | None, limit: int, after: str | None = None) -> list[UnitRow]:
    """Return up to ``limit`` units by code, those after ``after``. Raises StoreUnavailable."""
    rows = await fetch(
        pool,
        f"""{_UNIT} where ($1::text is null or u.code ilike $1 or u.name ilike $1 or u.address ilike $1)
        and ($2::text is null or u.code > $2) order by u.code limit $3""",
        [None if q is None else _like(q), after, limit],
    )
    return [_unit(row) for row in rows]


async def get_unit(pool: Pool, code: str) -> UnitFile | None:
    """Return a unit's file, None for one that nobody registered. Raises StoreUnavailable."""
    rows = await fetch(pool, f"{_UNIT} where u.code = $1", [code])
    if not rows:
        return None
    row = rows[0]
    places = await fetch(
        pool,
        """
        select b.code as building, b.name as building_name, f.code as floor, f.name as floor_name, f.level,
               z.code as zone, z.name as zone_name
          from building b left join floor f on f.building_id = b.id left join zone z on z.floor_id = f.id
         where b.unit_id = $1 order by b.code, f.level, f.code, z.code
        """,
        [row["id"]],
    )
    first = await fetch(pool, _FIRST_CONTACT, [code])
    name, phone = (first[0]["name"], first[0]["phone"]) if first else (None, None)
    return UnitFile(_unit(row), name, phone, from_datetime(row["registered_at"]), _tree(places))


def _tree(places: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
    buildings: dict[str, dict[str, Any]] = {}
    floors: dict[tuple[str, str], dict[str, Any]] = {}
    for row in places:
        building = buildings.setdefault(
            row["building"], {"code": row["building"], "name": row["building_name"], "floors": []}
        )
        if row["floor"] is None:
            continue
        key = (row["building"], row["floor"])
        if key not in floors:
            floors[key] = {"code": row["floor"], "name": row["floor_name"], "level": row["level"], "zones": []}
            building["floors"].append(floors[key])
        if row["zone"] is not None:
            floors[key]["zones"].append({"code": row["zone"], "name": row["zone_name"]})
    return list(buildings.values())


async def fetch(pool: Pool, sql: str, given: Sequence[Any]) -> list[asyncpg.Record]:
    """Return the rows of a read query that may take 20 s, else StoreUnavailable."""
    with store_errors():
        async with asyncio.timeout(QUERY_S):  # waiting for a free connection included
            return list(await pool.fetch(sql, *given))


def _like(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _maybe(at: datetime | None) -> Micros | None:
    return None if at is None else from_datetime(at)


async def points(pool: Pool, device_number: int) -> list[PointRow]:
    """Return the points of a panel by component. Raises StoreUnavailable."""
    with store_errors():
        rows = await pool.fetch(
            "SELECT p.component, b.code || '/' || f.code || '/' || z.code AS zone, p.place FROM point p"
            " LEFT JOIN zone z ON z.id = p.zone_id LEFT JOIN floor f ON f.id = z.floor_id"
            " LEFT JOIN building b ON b.id = f.building_id"
            " WHERE p.device_id = $1 ORDER BY p.component",
            device_number,
            timeout=QUERY_S,
        )
    return [PointRow(row["component"], row["zone"], row["place"]) for row in rows]


def _device(row: asyncpg.Record) -> DeviceRow:
    return DeviceRow(
        unit=row["unit"],
        unit_name=row["unit_name"],
        device=row["device"],
        kind=row["kind"],
        model=row["model"],
        status=row["status"],
        place=row["place"],
        lon=row["lon"],
        lat=row["lat"],
        interval_s=row["interval_s"],
        zone=row["zone"],
        main=row["main"],
        gateway=row["gateway"],
        attributes=row["attributes"],
        registered_by=row["registered_by"],
        registered_at=from_datetime(row["registered_at"]),
        retired_at=_maybe(row["retired_at"]),
        last_seen_at=_maybe(row["last_seen_at"]),
        seq_missed=row["seq_missed"],
        seq_repeated=row["seq_repeated"],
        clock_skew_ms=row["clock_skew_ms"],
    )


def _unit(row: asyncpg.Record) -> UnitRow:
    return UnitRow(
        row["code"], row["name"], row["category"], row["grid"], row["address"], row["lon"], row["lat"], row["devices"]
    )
