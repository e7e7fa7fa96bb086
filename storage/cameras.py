"""Cameras on PostgreSQL: those that see a place, those of a unit."""

from collections.abc import Sequence
from typing import Any

from firetower.alerts.cameras.sight import OUTDOOR_M, Camera, Place, Seen, cameras_of
from firetower.alerts.model import Alert
from firetower.devices.earth import box
from firetower.storage.pool import Pool, store_errors

COLUMNS = "c.id, c.code, c.name, u.code AS unit, c.sees, c.lon, c.lat, c.link, c.snapshot, c.secret"
FROM = "FROM camera c LEFT JOIN unit u ON u.id = c.unit_id"
# two look-ups by index; a union, since a plan of an OR would read the whole table
_AROUND = f"""
SELECT {COLUMNS} {FROM} WHERE c.retired_at IS NULL AND u.code = ANY($1::text[])
UNION
SELECT {COLUMNS} {FROM} WHERE c.retired_at IS NULL AND c.id IN (
    SELECT o.id FROM unnest($2::float8[], $3::float8[], $4::float8[], $5::float8[]) AS b (west, south, east, north)
    JOIN camera o ON o.retired_at IS NULL AND o.lon BETWEEN b.west AND b.east AND o.lat BETWEEN b.south AND b.north
)
"""
_OF_UNIT = f"SELECT {COLUMNS} {FROM} WHERE c.retired_at IS NULL AND u.code = $1 ORDER BY c.code LIMIT $2"
MOST = 1000
"""Cameras of one unit that are listed."""


def place_of(alert: Alert) -> Place:
    """Return where an alert is, as cameras look for it."""
    return Place(alert.unit, alert.zone, alert.lon, alert.lat)


async def around(conn: Any, places: Sequence[Place]) -> list[Camera]:
    """Return every camera that may have to do with one of ``places``, in any order."""
    units = sorted({each.unit for each in places if each.unit is not None})
    spots = {(each.lon, each.lat) for each in places if each.lon is not None and each.lat is not None}
    boxes = [box(lon, lat, OUTDOOR_M) for lon, lat in sorted(spots) if lon is not None and lat is not None]
    sides = [[each[side] for each in boxes] for side in range(4)]
    return [camera_of(row) for row in await conn.fetch(_AROUND, units, *sides)]


async def of_alert(pool: Pool, alert: Alert) -> Sequence[Seen]:
    """Return the cameras of an alert, those that see its place first. Raises StoreUnavailable."""
    place = place_of(alert)
    with store_errors():
        return cameras_of(place, await around(pool, [place]))


async def of_unit(pool: Pool, unit: str) -> Sequence[Camera]:
    """Return the cameras of a unit by code, at most MOST. Raises StoreUnavailable."""
    with store_errors():
        return [camera_of(row) for row in await pool.fetch(_OF_UNIT, unit, MOST)]


def camera_of(row: Any) -> Camera:
    """Return the camera of a row with COLUMNS."""
    plain = ("id", "code", "name", "unit", "lon", "lat", "link", "snapshot", "secret")
    return Camera(**{name: row[name] for name in plain}, sees=tuple(row["sees"]))
