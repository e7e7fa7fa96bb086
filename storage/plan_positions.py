"""Where devices and points are on the plans of their floors: listed, and placed together, each with its own result."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firetower.alerts.floor_plan import Spot
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.devices.city import City, ItemError
from firetower.storage.devices import fetch
from firetower.storage.floor_plans import to_spot
from firetower.storage.pool import Pool, store_errors

_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class OnPlan:
    """A device (``component`` "") or a point of a panel that stands on a floor; ``spot`` None: not on its plan."""

    building: str
    floor: str
    device: str
    component: str
    kind: str
    status: str
    place: str
    zone: str
    spot: Spot | None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a device or a point is to be: ``x``, ``y`` 0 to 1; both None takes it off the plan."""

    device: str
    component: str
    x: float | None
    y: float | None


_Row = tuple[int, str, int, float | None, float | None]
"""Device, component, floor, x, y."""

_STANDING = """
SELECT b.code AS building, f.code AS floor, s.name AS device, s.component, s.kind, s.status, s.place,
       b.code || '/' || f.code || '/' || z.code AS zone, q.x, q.y, q.placed_at, q.placed_by
  FROM (SELECT d.id, d.name, '' AS component, d.kind, d.status, d.place, d.zone_id FROM device d
         WHERE d.unit_id = (SELECT id FROM unit WHERE code = $1) AND d.retired_at IS NULL
        UNION ALL
        SELECT d.id, d.name, p.component, d.kind, d.status, p.place, p.zone_id FROM point p
          JOIN device d ON d.id = p.device_id
         WHERE d.unit_id = (SELECT id FROM unit WHERE code = $1) AND d.retired_at IS NULL) s
  JOIN zone z ON z.id = s.zone_id JOIN floor f ON f.id = z.floor_id JOIN building b ON b.id = f.building_id
  LEFT JOIN plan_position q ON q.device_id = s.id AND q.component = s.component AND q.floor_id = f.id
 WHERE ($2::text IS NULL OR b.code = $2) AND ($3::text IS NULL OR f.code = $3)
 ORDER BY b.code, f.level, f.code, s.name, s.component
"""

# One row for each that is given: its device, the floor of its zone, and where it stands there.
_FOUND = """
SELECT g.n, d.id AS device_id, z.floor_id, q.x, q.y
  FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS g (unit, device, component, n)
  JOIN unit u ON u.code = g.unit JOIN device d ON d.unit_id = u.id AND d.name = g.device
  LEFT JOIN point p ON p.device_id = d.id AND p.component = g.component
  LEFT JOIN zone z ON z.id = CASE WHEN g.component = '' THEN d.zone_id ELSE p.zone_id END
  LEFT JOIN plan_position q ON q.device_id = d.id AND q.component = g.component AND q.floor_id = z.floor_id
 WHERE g.component = '' OR p.component IS NOT NULL
"""
_BURNING = """
SELECT unit, device, component, id FROM alert
 WHERE alert_class = 'fire' AND state <> 'closed' AND device IS NOT NULL AND unit = ANY($1::text[]) ORDER BY id
"""
_PUT = """
INSERT INTO plan_position (device_id, component, floor_id, x, y, placed_at, placed_by)
SELECT g.*, $6, $7 FROM unnest($1::int4[], $2::text[], $3::int4[], $4::float8[], $5::float8[]) AS g
ON CONFLICT (device_id, component) DO UPDATE SET floor_id = excluded.floor_id, x = excluded.x, y = excluded.y,
    placed_at = excluded.placed_at, placed_by = excluded.placed_by
"""


async def listed(pool: Pool, unit: str, building: str | None = None, floor: str | None = None) -> list[OnPlan]:
    """Return what stands on the floors of a unit, or of one, by floor and name; none retired. StoreUnavailable."""
    rows = await fetch(pool, _STANDING, [unit, building, floor])
    return await asyncio.to_thread(_listed, rows)  # a panel has thousands of points


def _listed(rows: Sequence[Any]) -> list[OnPlan]:
    return [
        OnPlan(
            building=row["building"],
            floor=row["floor"],
            device=row["device"],
            component=row["component"],
            kind=row["kind"],
            status=row["status"],
            place=row["place"],
            zone=row["zone"],
            spot=None if row["x"] is None else to_spot(row),
        )
        for row in rows
    ]


async def place(pool: Pool, unit: str, given: Sequence[Placed], by: str, at: Micros) -> list[ItemError]:
    """Place each that can be, and return an error for each of the others; ``where`` is ``/positions/<n>``.

    A place that stands may not change while a fire of that device or point is open; the same place again says that it
    holds for the plan of now. Raises StoreUnavailable.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            good, _, errors = await _sorted_out(conn, [(f"/positions/{n}", unit, each) for n, each in enumerate(given)])
            await _write(conn, good, by, at)
            await forget(conn, [(device, component) for device, component, _, x, _ in good if x is None])
    return errors


async def forget(conn: Any, gone: Sequence[tuple[int, str]]) -> None:
    """Take devices or points, by the device's number and the component, off every plan."""
    await conn.execute(
        "DELETE FROM plan_position q USING unnest($1::int4[], $2::text[]) AS g (device_id, component)"
        " WHERE (q.device_id, q.component) = (g.device_id, g.component)",
        [device for device, _ in gone],
        [component for _, component in gone],
        timeout=_PATIENCE_S,
    )


async def write_imported(conn: Any, city: City, by: str) -> tuple[tuple[int, int, int] | None, list[ItemError]]:
    """Write the places that a registry file gives, on the importer's transaction, after its devices and points.

    What a file does not speak of stays where it is. Return (created, updated, unchanged), None where it speaks of none,
    and an error for each that a fire forbids to change.
    """
    given = [
        (f"/devices/{n}", each.unit, Placed(each.device, component, *at))
        for n, each in enumerate(city.devices)
        if each.plan_at is not None or each.points  # of a million devices few have either
        for component, at in (("", each.plan_at), *((point.component, point.plan_at) for point in each.points))
        if at is not None
    ]
    if not given:
        return None, []
    good, standing, errors = await _sorted_out(conn, given)
    changed = [row for row in good if standing.get(row[:2]) != row[3:]]
    await _write(conn, changed, by, from_datetime(await conn.fetchval("SELECT now()")))
    created = sum(row[:2] not in standing for row in changed)
    return (created, len(changed) - created, len(good) - len(changed)), errors


async def _sorted_out(
    conn: Any, given: Sequence[tuple[str, str, Placed]]
) -> tuple[list[_Row], dict[tuple[int, str], tuple[float, float]], list[ItemError]]:
    """Return the rows that may be written, where those stand now that stand, and an error for each other one."""
    found = {
        row["n"] - 1: row
        for row in await conn.fetch(
            _FOUND,
            [unit for _, unit, _ in given],
            [each.device for _, _, each in given],
            [each.component for _, _, each in given],
            timeout=_PATIENCE_S,
        )
    }
    burning: dict[tuple[str, str], list[tuple[str, int]]] = {}
    units = sorted({unit for _, unit, _ in given})
    for row in await conn.fetch(_BURNING, units, timeout=_PATIENCE_S):
        burning.setdefault((row["unit"], row["device"]), []).append((row["component"], row["id"]))
    good: dict[tuple[int, str], _Row] = {}
    standing: dict[tuple[int, str], tuple[float, float]] = {}
    errors: list[ItemError] = []
    for n, (where, unit, each) in enumerate(given):
        row = found.get(n)
        fires = [
            id_
            for component, id_ in burning.get((unit, each.device), ())
            if not each.component or component == each.component
        ]
        trouble = _trouble(unit, each, row, fires)
        if trouble is not None or row is None:
            errors.append(ItemError(where=where, item=f"{unit}/{_label(each)}", message=trouble or ""))
            continue
        key = (row["device_id"], each.component)
        good[key] = (*key, row["floor_id"], each.x, each.y)
        if row["x"] is not None:
            standing[key] = (row["x"], row["y"])
    return list(good.values()), standing, errors


def _trouble(unit: str, each: Placed, row: Any, fires: Sequence[int]) -> str | None:
    if row is None:
        what = f"point {each.component!r} of {each.device!r}" if each.component else f"device {each.device!r}"
        return f"unit {unit} has no {what}; register it first"
    if row["floor_id"] is None:
        return f"{_label(each)} has no zone, which says on which floor it is; give it one in the registry file"
    if fires and row["x"] is not None and (row["x"], row["y"]) != (each.x, each.y):
        return (
            f"the place of {_label(each)} on the plan may not change while fire alert {fires[0]} of it is open; close"
            " the alert first"
        )
    return None


def _label(each: Placed) -> str:
    return f"{each.device} {each.component}".strip()


async def _write(conn: Any, rows: Sequence[_Row], by: str, at: Micros) -> None:
    kept = [row for row in rows if row[3] is not None]
    if not kept:
        return
    columns = [list(column) for column in zip(*kept, strict=True)]
    await conn.execute(_PUT, *columns, to_datetime(at), by, timeout=_PATIENCE_S)
