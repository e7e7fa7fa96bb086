"""What units are rated by, gathered from the store: few statements over all units, rows read as columns.

Rows come by binary COPY: of fixed width, so that a hundred thousand units are one array and never objects.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
import numpy.typing as npt

from firetower.alerts.contacts import Hours
from firetower.alerts.duty.self_tests import Period
from firetower.alerts.flags import IN_TEST
from firetower.alerts.risk.facts import COLUMNS, NOWHERE, ROW, Facts
from firetower.alerts.risk.model import CATEGORIES, Model
from firetower.alerts.risk.near import nearest_m
from firetower.alerts.selftests.schedule import Bounds
from firetower.core.clock import DAY, MINUTE, Micros, to_datetime
from firetower.storage import self_tests
from firetower.storage.pool import store_errors

WITHIN_S = 60.0
"""A gathering that takes longer is given up; the next one comes."""
_PLANS_OF_ALL = "SET LOCAL jit = off; SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'"
"""Compiling takes longer than it would save, and what the planner takes for few rows may be ten thousand."""

_HEAD = 19  # bytes of a binary COPY before its first row
_NOT_COUNTED = "('false_alarm','test','drill','maintenance')"

# What may set fire to something, by what was measured or said. A fire is none of these: it holds the unit by itself.
_IGNITION = """CASE
    WHEN a.alert_class NOT IN ('hazard', 'prealarm') THEN NULL
    WHEN a.metric = 'cable_temperature' THEN 'cable'
    WHEN a.metric = 'gas' OR a.rule = 'event:gas' OR a.device_kind = 'gas' THEN 'gas'
    WHEN a.rule = 'event:arc' OR a.device_kind = 'electrical'
      OR a.metric IN ('residual_current', 'current', 'voltage') THEN 'electrical'
END"""

_OPEN = f"""
chosen AS MATERIALIZED (
    SELECT u.id, u.code, u.category, u.grid_id, u.lon, u.lat, u.registered_at FROM unit u WHERE {{units}}
),
open AS MATERIALIZED (
    SELECT a.unit, a.device, a.device_kind, a.component, a.rule, a.alert_class, a.priority, a.state, a.hold, a.metric,
           a.missed, a.alarmed_at, a.condition = 'active' AS active, '{IN_TEST}' = ANY(a.flags) AS test,
           {_IGNITION} AS ignition
    FROM alert a WHERE (a.state <> 'closed' OR a.condition = 'active') AND {{alerts}}
),
standing AS (
    SELECT unit,
        count(*) FILTER (WHERE alert_class = 'fire' AND state <> 'closed') AS fires,
        count(*) FILTER (WHERE active AND NOT test AND ignition = 'gas') AS open_gas,
        count(*) FILTER (WHERE active AND NOT test AND ignition = 'cable') AS open_cable,
        count(*) FILTER (WHERE active AND NOT test AND ignition = 'electrical') AS open_electrical,
        count(*) FILTER (WHERE active AND NOT test AND alert_class IN ('hazard', 'supervisory')
            AND (metric IN ('level', 'pressure') OR rule = 'event:valve_closed')) AS water_limits,
        count(*) FILTER (WHERE active AND NOT test AND rule = 'event:shielded' AND component <> '') AS shielded_points,
        count(*) FILTER (WHERE waits) AS unacknowledged,
        count(*) FILTER (WHERE state <> 'closed' AND NOT test
            AND (missed <> '{{{{}}}}' OR waits AND alarmed_at < $2)) AS overdue
    FROM (SELECT *, state IN ('unacknowledged', 'returned') AND hold = 'none' AND priority <= 3 AND NOT test AS waits
          FROM open) o
    GROUP BY unit
),
down AS MATERIALIZED (
    SELECT DISTINCT c.id AS unit_id, o.device FROM open o JOIN chosen c ON c.code = o.unit
    WHERE o.device IS NOT NULL AND o.active AND NOT o.test AND (o.alert_class = 'offline'
        OR o.alert_class = 'fault' AND o.priority <= 3 OR o.hold = 'out_of_service'
        OR o.rule = 'event:shielded' AND o.component = '')
)"""
_HAVE = (
    """
have AS (
    SELECT d.unit_id, count(*) AS devices,
        count(*) FILTER (WHERE d.status <> 'never_seen') AS seen,
        count(*) FILTER (WHERE d.status <> 'never_seen' AND d.kind IN ('electrical', 'gas')) AS watched,
        count(*) FILTER (WHERE d.status <> 'online') AS silent,
        count(*) FILTER (WHERE d.kind IN ('panel', 'gateway', 'pump_room') AND d.status <> 'online') AS key_silent,
        bool_or(d.kind = 'panel') AS has_panel
    FROM device d WHERE d.retired_at IS NULL AND {devices} GROUP BY d.unit_id
),
broken AS (  -- of those that report; OFFSET 0: by the index, they are few of all devices
    SELECT w.unit_id, count(*) AS broken,
        count(*) FILTER (WHERE d.kind IN ('panel', 'gateway', 'pump_room')) AS key_broken
    FROM down w CROSS JOIN LATERAL (
        SELECT d.kind FROM device d WHERE d.unit_id = w.unit_id AND d.name = w.device AND d.retired_at IS NULL
            AND d.status = 'online' OFFSET 0
    ) d GROUP BY w.unit_id
),
late AS (
    SELECT unit, sum(recent) FILTER (WHERE ignition = 'gas') AS recent_gas,
        sum(recent) FILTER (WHERE ignition = 'cable') AS recent_cable,
        sum(recent) FILTER (WHERE ignition = 'electrical') AS recent_electrical,
        count(*) FILTER (WHERE times >= $5) AS repeated
    FROM (
        SELECT a.unit, IGNITION AS ignition, sum(a.occurrences) AS times,
            count(*) FILTER (WHERE a.raised_at >= $3 AND a.condition = 'normal') AS recent
        FROM alert a
        WHERE a.raised_at >= $4 AND a.alert_class IN ('hazard', 'prealarm', 'fault') AND a.subject_kind <> 'system'
            AND coalesce(a.disposition, '') NOT IN NOT_COUNTED AND NOT 'TESTED' = ANY(a.flags) AND {alerts}
        GROUP BY a.unit, 2, a.rule, a.subject_kind, a.subject, a.component
    ) r GROUP BY unit
)""".replace("IGNITION", _IGNITION)
    .replace("NOT_COUNTED", _NOT_COUNTED)
    .replace("TESTED", IN_TEST)
)
_KEPT = """
announced AS (
    SELECT w.unit, count(*) FILTER (WHERE w.kind = 'impairment') AS impaired,
        count(*) FILTER (WHERE btrim(coalesce(w.measure, '')) = '') AS unmeasured
    FROM announced_window w
    WHERE w.kind IN ('impairment', 'maintenance') AND w.starts_at <= $1 AND w.ends_at > $1 AND w.ended_at IS NULL
        AND w.approved_at IS NOT NULL AND w.refused_at IS NULL AND {windows}
    GROUP BY w.unit
),
tests AS (
    SELECT c.id, coalesce(t.result, '') = 'failed' AS failed, coalesce(t.at, greatest(c.registered_at, $6)) < $7 AS old
    FROM have h JOIN chosen c ON c.id = h.unit_id LEFT JOIN LATERAL (
        SELECT l.at, l.result FROM self_test l WHERE l.kind = 'unit_fire_test' AND l.unit = c.code
        ORDER BY l.at DESC, l.id DESC LIMIT 1
    ) t ON true
    WHERE h.has_panel AND $7::timestamptz IS NOT NULL
),
people AS (
    SELECT p.owner, count(*) AS contacts, count(*) FILTER (WHERE p.hours::text = ANY($8::text[])) AS reachable
    FROM contact p WHERE p.scope = 'unit' AND p.addresses ? 'phone' AND {contacts} GROUP BY p.owner
)"""
_VALUES = {
    "id": "c.id",
    "grid": "c.grid_id",
    "category": "array_position($9::text[], c.category) - 1",
    "not_working": "h.silent + coalesce(b.broken, 0)",
    "key_down": "h.key_silent + coalesce(b.key_broken, 0)",
    "test_failed": "t.failed::int",
    "test_overdue": "(t.old AND NOT t.failed)::int",
}
_SELECT = (
    "SELECT "
    + ", ".join(f"coalesce({_VALUES.get(name, name)}, {-1 if name == 'category' else 0})::int4" for name in COLUMNS)
    + """, coalesce(c.lon, NOWHERE)::float8, coalesce(c.lat, NOWHERE)::float8
FROM chosen c LEFT JOIN have h ON h.unit_id = c.id LEFT JOIN broken b ON b.unit_id = c.id
    LEFT JOIN standing s ON s.unit = c.code
    LEFT JOIN late r ON r.unit = c.code LEFT JOIN announced w ON w.unit = c.code LEFT JOIN tests t ON t.id = c.id
    LEFT JOIN people p ON p.owner = c.code ORDER BY c.id""".replace("NOWHERE", str(NOWHERE))
)
_QUERY = f"WITH {_OPEN}, {_HAVE}, {_KEPT} {_SELECT}"
_ALL = _QUERY.format(
    units="true", devices="true", contacts="true",
    alerts="a.unit IS NOT NULL", windows="w.unit IS NOT NULL",
)  # fmt: skip
_SOME = _QUERY.format(
    units="u.id = ANY($10::int4[])", devices="d.unit_id = ANY($10::int4[])", contacts="p.owner = ANY($11::text[])",
    alerts="a.unit = ANY($11::text[])", windows="w.unit = ANY($11::text[])",
)  # fmt: skip

# As storage/nearest.py shows water to an operator: what is silent, out of limits or faulty, or on such a main, is none.
_WATER = """
WITH trouble AS MATERIALIZED (
    SELECT a.unit, a.device, a.subject_kind, a.subject FROM alert a
    WHERE a.state <> 'closed' AND a.condition = 'active'
        AND (a.alert_class IN ('hazard', 'offline') OR a.alert_class = 'fault' AND a.priority <= 3)
)
SELECT d.lon, d.lat FROM device d JOIN unit u ON u.id = d.unit_id LEFT JOIN water_main m ON m.id = d.main_id
WHERE d.kind IN ('hydrant', 'water_crane', 'water_point') AND d.retired_at IS NULL AND d.lon IS NOT NULL
    AND d.lat IS NOT NULL AND d.status <> 'offline'
    AND NOT EXISTS (SELECT FROM trouble t WHERE t.unit = u.code AND t.device = d.name)
    AND NOT EXISTS (SELECT FROM trouble t WHERE t.subject_kind = 'main' AND t.subject = m.code)
"""
_STATIONS = "SELECT lon, lat FROM station"
_PLACE = np.dtype([("lon", np.float64), ("lat", np.float64)])

_AFFECTED = "SELECT DISTINCT u.id, u.code FROM alert a JOIN unit u ON u.code = a.unit WHERE a.id = ANY($1::int8[])"


@dataclass(frozen=True, slots=True)
class Around:
    """Working water and micro fire stations: ``lon``, ``lat``."""

    water: npt.NDArray[Any]
    stations: npt.NDArray[Any]


class Gatherer:
    """Gathers facts. ``period``: of the units' fire tests, None where this centre does none; ``zone``: the centre's."""

    def __init__(self, pool: asyncpg.Pool, model: Model, period: Period | None, zone: ZoneInfo) -> None:
        self._pool = pool
        self._model = model
        self._period = period
        self._zone = zone

    async def everything(self, now: Micros) -> tuple[Facts, Around]:
        """Return the facts of all units, and what lies around them. Raises StoreUnavailable."""
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
                await conn.execute(_PLANS_OF_ALL)
                around = Around(await _rows(conn, _PLACE, _WATER), await _rows(conn, _PLACE, _STATIONS))
                rows = await _rows(conn, ROW, _ALL, *await self._given(conn, now))
        return await self.complete(rows, around), around

    async def some(self, units: Sequence[tuple[int, str]], around: Around, now: Micros) -> Facts:
        """Return the facts of ``units`` (number, code), as ``around`` was known. Raises StoreUnavailable."""
        chosen = [number for number, _ in units], [code for _, code in units]
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
                await conn.execute("SET LOCAL jit = off; SET LOCAL enable_seqscan = off")
                rows = await _rows(conn, ROW, _SOME, *await self._given(conn, now), *chosen)
        return await self.complete(rows, around)

    async def affected(self, alerts: Sequence[int]) -> list[tuple[int, str]]:
        """Return the registered units (number, code) of alerts. Raises StoreUnavailable."""
        with store_errors():
            return [(row["id"], row["code"]) for row in await self._pool.fetch(_AFFECTED, list(alerts))]

    async def complete(self, rows: npt.NDArray[Any], around: Around) -> Facts:
        """Return facts with the distances, measured beside the event loop."""
        return await asyncio.to_thread(_with_distances, rows, around, self._model.response.reach_m)

    async def _given(self, conn: Any, now: Micros) -> list[Any]:
        ignition, management = self._model.ignition, self._model.management
        began = await self_tests.began(conn) or now
        overdue = None if self._period is None else Bounds.at(self._period, now, self._zone).overdue
        hours = [row["hours"] for row in await conn.fetch("SELECT DISTINCT hours::text AS hours FROM contact")]
        local = to_datetime(now).astimezone(self._zone)
        return [
            to_datetime(now),
            to_datetime(now - management.overdue_minutes * MINUTE),
            to_datetime(now - ignition.recent_days * DAY),
            to_datetime(now - management.repeated_days * DAY),
            management.repeated_times,
            to_datetime(began),
            None if overdue is None else to_datetime(overdue),
            await asyncio.to_thread(_holding, hours, local),
            list(CATEGORIES),
        ]


def _holding(stored: Sequence[str], local: datetime) -> list[str]:
    """Return those of stored hours that hold at ``local``."""
    return [text for text in stored if _hold(text, local)]


def _hold(text: str, local: datetime) -> bool:
    rows = json.loads(text)
    return not rows or any(Hours(tuple(days), since, until).hold(local) for days, since, until in rows)


def _with_distances(rows: npt.NDArray[Any], around: Around, reach_m: int) -> Facts:
    near = [
        nearest_m(rows["lon"], rows["lat"], places["lon"], places["lat"], reach_m)
        for places in (around.water, around.stations)
    ]
    return Facts(rows, near[0], near[1])


async def _rows(conn: Any, row: np.dtype[Any], query: str, *given: Any) -> npt.NDArray[Any]:
    """Return the rows of a query whose columns are those of ``row``, none of them null."""
    raw = bytearray()

    async def take(part: bytes) -> None:
        raw.extend(part)

    await conn.copy_from_query(query, *given, output=take, format="binary", timeout=WITHIN_S)
    return await asyncio.to_thread(_decoded, raw, row)


def _decoded(raw: bytearray, row: np.dtype[Any]) -> npt.NDArray[Any]:
    fields: list[Any] = [("count", ">i2")]
    for name in row.names or ():
        kind = row[name]
        fields += [(f"{name} length", ">i4"), (name, kind.newbyteorder(">"))]
    wire = np.dtype(fields)
    count = (len(raw) - _HEAD - 2) // wire.itemsize  # it ends with two bytes
    read = np.frombuffer(raw, wire, count, _HEAD)
    found = np.empty(count, row)
    for name in row.names or ():
        found[name] = read[name]
    return found
