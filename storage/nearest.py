"""What lies nearest to a place: water 水源 with what is known to be wrong with it, and micro fire stations 微型消防站.

A box around the place grows until enough lies within it, so that an index answers and a city's devices are never read.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from firetower.alerts.model import Alert
from firetower.devices.earth import Bearing, bearing, box, distance_m
from firetower.devices.kinds import DeviceKind
from firetower.storage.pool import Pool, store_errors

REACH_M = 20_000.0
"""What is further away is not near."""
_FIRST_M, _GROWS = 300.0, 3.0
_MOST = 60
"""Rows of one look; of what is ever further, so many of the nearest."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An open alert that speaks against drawing water there."""

    alert_id: int
    alert_class: str
    title_zh: str
    title_en: str


@dataclass(frozen=True, slots=True)
class Water:
    """A hydrant, water crane or water point near a place. ``bearing``: where it lies as seen from there.

    ``faulty``: something open says that it gives no water, or that nobody knows: ``trouble`` says what, and ``status``.
    """

    unit: str
    device: str
    kind: DeviceKind
    place: str
    main: str | None
    status: str
    lon: float
    lat: float
    distance_m: float
    bearing: Bearing
    trouble: tuple[Trouble, ...] = ()

    @property
    def faulty(self) -> bool:
        """Whether it is known to be in doubt."""
        return bool(self.trouble) or self.status == "offline"


@dataclass(frozen=True, slots=True)
class Station:
    """A micro fire station near a place."""

    code: str
    name: str
    grid: str | None
    unit: str | None
    lon: float
    lat: float
    distance_m: float
    bearing: Bearing


@dataclass(frozen=True, slots=True)
class Near:
    """What lies near an alert. ``place``: (lon, lat) it was looked for from, None where nobody knows one.

    ``of``: whose place that is: the alert's own, or else its unit's.
    """

    place: tuple[float, float] | None
    of: Literal["alert", "unit"] | None
    water: Sequence[Water] = ()
    stations: Sequence[Station] = ()


_IN_BOX = "{t}.lon BETWEEN $1 AND $3 AND {t}.lat BETWEEN $2 AND $4"
_BY_DISTANCE = "ORDER BY ({t}.lat - $6) ^ 2 + (({t}.lon - $5) * $7) ^ 2, {t}.id LIMIT " + str(_MOST)

# the index device_water_idx is of exactly these
_WATER = (
    "SELECT d.id, u.code AS unit, d.name, d.kind, d.place, d.status, m.code AS main, d.lon, d.lat"
    " FROM (SELECT * FROM device w WHERE w.kind IN ('hydrant', 'water_crane', 'water_point')"
    " AND w.retired_at IS NULL AND w.lon IS NOT NULL"
    f" AND {_IN_BOX.format(t='w')} {_BY_DISTANCE.format(t='w')}) d"
    " JOIN unit u ON u.id = d.unit_id LEFT JOIN water_main m ON m.id = d.main_id"
)
_STATIONS = (
    "SELECT s.id, s.code, s.name, g.code AS grid, u.code AS unit, s.lon, s.lat"
    " FROM station s LEFT JOIN grid g ON g.id = s.grid_id LEFT JOIN unit u ON u.id = s.unit_id"
    f" WHERE {_IN_BOX.format(t='s')}"
)
_WITH_CONTACT = " AND EXISTS (SELECT FROM contact c WHERE c.scope = 'station' AND c.owner = s.code)"

# A limit broken or a link lost, of the thing itself or of the main it stands on; a battery is changed another day.
_TROUBLE = """
SELECT w.n, a.id, a.alert_class, a.title_zh, a.title_en
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS w (unit, device, main, n)
JOIN alert a ON a.state <> 'closed' AND a.condition = 'active'
    AND (a.alert_class IN ('hazard', 'offline') OR a.alert_class = 'fault' AND a.priority <= 3)
    AND (a.unit = w.unit AND a.device = w.device OR a.subject_kind = 'main' AND a.subject = w.main)
ORDER BY w.n, a.priority, a.id
"""


async def of_alert(pool: Pool, alert: Alert, *, limit: int = 3) -> Near:
    """Return the nearest water and stations of an alert, at most ``limit`` of each. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            place, of = await place_of(conn, alert)
            if place is None:
                return Near(None, None)
            found = await water(conn, *place, limit=limit)
            return Near(place, of, found, await stations(conn, *place, limit=limit))


async def place_of(conn: Any, alert: Alert) -> tuple[tuple[float, float] | None, Literal["alert", "unit"] | None]:
    """Return where an alert is and whose place that is: its own, else its unit's; None for both where neither has."""
    if alert.lon is not None and alert.lat is not None:
        return (alert.lon, alert.lat), "alert"
    row = await conn.fetchrow("SELECT lon, lat FROM unit WHERE code = $1", alert.unit)
    if row is None or row["lon"] is None or row["lat"] is None:
        return None, None
    return (row["lon"], row["lat"]), "unit"


async def water(conn: Any, lon: float, lat: float, *, limit: int = 3, within_m: float = REACH_M) -> list[Water]:
    """Return at most ``limit`` hydrants, water cranes and water points in service, the nearest first."""
    near = await _around(conn, _WATER, (lon, lat), limit, within_m)
    if not near:
        return []
    columns = [[row[name] for row, _ in near] for name in ("unit", "name", "main")]
    trouble: dict[int, list[Trouble]] = {}
    for row in await conn.fetch(_TROUBLE, *columns):
        told = Trouble(row["id"], row["alert_class"], row["title_zh"], row["title_en"])
        trouble.setdefault(row["n"], []).append(told)
    return [
        Water(
            unit=row["unit"],
            device=row["name"],
            kind=DeviceKind(row["kind"]),
            place=row["place"],
            main=row["main"],
            status=row["status"],
            lon=row["lon"],
            lat=row["lat"],
            distance_m=away,
            bearing=bearing(lon, lat, row["lon"], row["lat"]),
            trouble=tuple(trouble.get(n, ())),
        )
        for n, (row, away) in enumerate(near, 1)
    ]


async def stations(
    conn: Any, lon: float, lat: float, *, limit: int = 3, within_m: float = REACH_M, with_contact: bool = False
) -> list[Station]:
    """Return at most ``limit`` micro fire stations, the nearest first; ``with_contact``: only those one can call."""
    query = f"{_STATIONS}{_WITH_CONTACT if with_contact else ''} {_BY_DISTANCE.format(t='s')}"
    return [
        Station(
            code=row["code"],
            name=row["name"],
            grid=row["grid"],
            unit=row["unit"],
            lon=row["lon"],
            lat=row["lat"],
            distance_m=away,
            bearing=bearing(lon, lat, row["lon"], row["lat"]),
        )
        for row, away in await _around(conn, query, (lon, lat), limit, within_m)
    ]


async def _around(
    conn: Any, query: str, place: tuple[float, float], limit: int, within_m: float
) -> Sequence[tuple[Any, float]]:
    """Return the nearest rows of ``query`` with their distances, from boxes that grow until ``limit`` lie within."""
    lon, lat = place
    radius = min(_FIRST_M, within_m)
    while True:
        rows = await conn.fetch(query, *box(lon, lat, radius), lon, lat, math.cos(math.radians(lat)))
        known = ((row, distance_m(lon, lat, row["lon"], row["lat"])) for row in rows)
        near = sorted((pair for pair in known if pair[1] <= radius), key=lambda pair: (pair[1], pair[0]["id"]))[:limit]
        if len(near) == limit or radius >= within_m:
            return near
        radius = min(radius * _GROWS, within_m)
