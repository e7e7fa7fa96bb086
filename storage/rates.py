"""Counting what the rates are made of, by the database: a few rows here, however many devices there are.

One statement counts devices and one counts units, for the whole city at once with its grids and kinds, or for one
unit. What is counted is said in ``devices/rates.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from firetower.alerts.flags import IN_TEST
from firetower.core.clock import SECOND, Micros, from_datetime, to_datetime
from firetower.devices.liveness import MISSED_INTERVALS
from firetower.devices.rates import LATELY, MUST_CONNECT, WATER_KINDS, Figures
from firetower.storage.pool import Pool, store_errors
from firetower.storage.windows import ACTIVE

Scope = Literal["city", "grid", "kind"]
Part = tuple[Scope, str]
"""What figures are of: ``("city", "")``, a grid by its code ("": of units without one), or a kind of device."""

CITY: Part = ("city", "")
COUNT_S = 60.0
"""A count that takes longer is given up."""
_ONE_CORE = "SET LOCAL max_parallel_workers_per_gather = 0"
"""Nobody waits for a rate: it leaves the other cores to the alarms."""

# A window on a single point of a panel is not one on the panel.
_COVERED = f"""
covered AS (
    SELECT d.id, bool_or(w.kind = 'maintenance') AS maintained
    FROM announced_window w JOIN unit u ON u.code = w.unit JOIN device d ON d.unit_id = u.id
    LEFT JOIN zone z ON z.id = d.zone_id LEFT JOIN floor f ON f.id = z.floor_id
    LEFT JOIN building b ON b.id = f.building_id
    WHERE {ACTIVE} AND w.kind IN ('maintenance', 'impairment') AND w.component IS NULL {{of_window}}
    AND (w.device IS NULL OR w.device = d.name)
    AND (w.zone IS NULL OR starts_with(concat_ws('/', b.code, f.code, z.code) || '/', w.zone || '/'))
    GROUP BY d.id
)
"""
_WATER = ", ".join(f"'{kind}'" for kind in WATER_KINDS)
_BROKEN = (
    f"a.device_id IS NOT NULL AND NOT '{IN_TEST}' = ANY(a.flags) AND"
    f" (a.alert_class IN ('fault', 'quality') OR a.alert_class = 'hazard' AND a.device_kind IN ({_WATER}))"
)
# A closed alert whose condition stands is still a fault: closing it says that somebody knows.
_TROUBLED = f"""
troubled AS (
    SELECT DISTINCT a.device_id AS id FROM alert a
    WHERE (a.state <> 'closed' OR a.condition = 'active') AND a.condition = 'active' AND {_BROKEN} {{of_unit}}
)
"""
_IN_SERVICE = "d.retired_at IS NULL"
_WATCHED = "d.status <> 'never_seen' AND NOT coalesce(c.maintained, false)"
_DEVICE_COUNTS = ("devices", "online", "intact", "never_reported", "in_maintenance")


def _by_parts(*counts: str) -> str:
    """Return what adds ``counts`` up by part: a million devices are then some thousand cells of a grid and a kind."""
    sums = ", ".join(f"coalesce(sum(n.{each}), 0)::float8 AS {each}" for each in counts)
    return (
        f"SELECT grouping(g.code) = 0 AS of_grid, grouping(n.kind) = 0 AS of_kind, g.code AS grid, n.kind, {sums}"
        " FROM cells n LEFT JOIN grid g ON g.id = n.grid_id GROUP BY GROUPING SETS ((), (g.code), (n.kind))"
    )


_DEVICES = f"""
WITH {_COVERED}, {_TROUBLED},
cells AS MATERIALIZED (
    SELECT u.grid_id, d.kind,
           count(*) FILTER (WHERE {_WATCHED}) AS devices,
           count(*) FILTER (WHERE {_WATCHED} AND d.status = 'online') AS online,
           count(*) FILTER (WHERE {_WATCHED} AND d.status = 'online' AND t.id IS NULL AND c.id IS NULL) AS intact,
           count(*) FILTER (WHERE d.status = 'never_seen' AND NOT coalesce(c.maintained, false)) AS never_reported,
           count(*) FILTER (WHERE c.maintained) AS in_maintenance
    FROM device d JOIN unit u ON u.id = d.unit_id
    LEFT JOIN covered c ON c.id = d.id LEFT JOIN troubled t ON t.id = d.id
    WHERE {_IN_SERVICE} {{of_device}} GROUP BY u.grid_id, d.kind
)
{_by_parts(*_DEVICE_COUNTS)}
"""

HEARD_LATELY = (
    f"{_IN_SERVICE} AND d.last_seen_at > $1::timestamptz"
    f" - greatest(interval '{LATELY // SECOND} s', d.interval_s * interval '{MISSED_INTERVALS} s')"
)
"""Whether a device, a table called ``d``, keeps its unit connected at $1."""
_MUST = "coalesce(u.must_connect, u.category = ANY($2::text[]))"

_UNITS = f"""
SELECT grouping(g.code) = 0 AS of_grid, false AS of_kind, g.code AS grid, NULL AS kind,
       count(*) AS units_due, count(*) FILTER (WHERE heard.unit_id IS NOT NULL) AS units_connected
FROM unit u LEFT JOIN grid g ON g.id = u.grid_id
LEFT JOIN (SELECT DISTINCT d.unit_id FROM device d WHERE {HEARD_LATELY}) heard ON heard.unit_id = u.id
WHERE {_MUST} GROUP BY GROUPING SETS ((), (g.code))
"""

_UNIT = f"""
SELECT u.must_connect, u.category, u.connected_since,
       EXISTS (SELECT FROM device d WHERE d.unit_id = u.id AND {HEARD_LATELY}) AS connected
FROM unit u WHERE u.code = $2
"""

# From when a condition began until it ended, or until the end of what is looked at; what came back meanwhile counts
# through. Overlapping alerts of a device count once.
_INTACT_TIME = f"""
WITH {_COVERED.format(of_window="")},
standing AS (
    SELECT a.device_id AS id, range_agg(tstzrange(since, greatest(until, since))) AS during
    FROM alert a CROSS JOIN LATERAL (
        SELECT greatest(least(a.device_at, a.raised_at), $2::timestamptz) AS since,
               least(CASE WHEN a.condition = 'active' THEN $3 ELSE a.condition_at END, $3::timestamptz) AS until
    ) AS s
    WHERE ({_BROKEN} OR a.alert_class = 'offline' AND a.device_id IS NOT NULL)
    AND least(a.device_at, a.raised_at) < $3 AND (a.condition = 'active' OR a.condition_at > $2)
    GROUP BY a.device_id
),
lost AS (
    SELECT id, (SELECT sum(extract(epoch FROM upper(r) - lower(r))) FROM unnest(during) AS r)::float8 AS seconds
    FROM standing
),
cells AS MATERIALIZED (
    SELECT u.grid_id, d.kind, count(*) AS devices, coalesce(sum(l.seconds), 0) AS seconds
    FROM device d JOIN unit u ON u.id = d.unit_id
    LEFT JOIN covered c ON c.id = d.id LEFT JOIN lost l ON l.id = d.id
    WHERE {_IN_SERVICE} AND {_WATCHED} GROUP BY u.grid_id, d.kind
)
{_by_parts("devices", "seconds")}
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """The city's figures as of ``as_of``, µs, by what they are of; ``names``: of grids by their codes."""

    as_of: Micros
    parts: Mapping[Part, Figures]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnitRates:
    """One unit's figures. ``given``: what its file says of having to connect; ``connected_since``: µs or unknown."""

    figures: Figures
    given: bool | None
    category: str
    connected: bool
    connected_since: Micros | None


async def count(pool: Pool, now: Micros) -> Counted:
    """Count the whole city, its grids and kinds, as of one instant of the store. Raises StoreUnavailable."""
    found: dict[Part, dict[str, int]] = {CITY: {}}
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            at = to_datetime(now)
            await conn.execute(_ONE_CORE)
            for row in await conn.fetch(_DEVICES.format(of_unit="", of_window="", of_device=""), at, timeout=COUNT_S):
                found.setdefault(_part(row), {}).update(_counts(row))
            for row in await conn.fetch(_UNITS, at, list(MUST_CONNECT), timeout=COUNT_S):
                due = {"units_due": row["units_due"], "units_connected": row["units_connected"]}
                found.setdefault(_part(row), {}).update(due)
            names = {row["code"]: row["name"] for row in await conn.fetch("SELECT code, name FROM grid")}
    return Counted(now, {part: Figures(**counts) for part, counts in found.items()}, names)


async def of_unit(pool: Pool, code: str, now: Micros) -> UnitRates | None:
    """Count one unit; None for one that nobody registered. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            at = to_datetime(now)
            unit = await conn.fetchrow(_UNIT, at, code)
            if unit is None:
                return None
            query = _DEVICES.format(of_unit="AND a.unit = $2", of_window="AND w.unit = $2", of_device="AND u.code = $2")
            rows = await conn.fetch(query, at, code, timeout=COUNT_S)
    whole = next(row for row in rows if _part(row) == CITY)
    since = unit["connected_since"]
    return UnitRates(
        figures=Figures(**_counts(whole)),
        given=unit["must_connect"],
        category=unit["category"],
        connected=unit["connected"],
        connected_since=from_datetime(since) if unit["connected"] and since is not None else None,
    )


async def intact_time(pool: Pool, begin: Micros, end: Micros) -> Mapping[Part, float]:
    """Return 1 - alarm duration / period from ``begin`` to ``end`` by what it is of, where a device is watched.

    Raises StoreUnavailable.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(readonly=True):
            await conn.execute(_ONE_CORE)
            given = to_datetime(end), to_datetime(begin), to_datetime(end)
            rows = await conn.fetch(_INTACT_TIME, *given, timeout=COUNT_S)
    period = (end - begin) / SECOND
    return {_part(row): 1 - row["seconds"] / (row["devices"] * period) for row in rows if row["devices"]}


def _counts(row: Any) -> dict[str, int]:
    return {name: int(row[name]) for name in _DEVICE_COUNTS}


def _part(row: Any) -> Part:
    if row["of_grid"]:
        return "grid", row["grid"] or ""
    return ("kind", row["kind"]) if row["of_kind"] else CITY
