"""Whether what an announced window names is registered, and what is registered near it."""

from typing import Any

from firetower.alerts.windows import WATER_KINDS, Window, WindowKind
from firetower.core.errors import InvalidInput

_NEAR = 3
"""How many names before and after a wrong one its error tells of."""

_UNITS = "SELECT code FROM unit"
_MAINS = "SELECT code FROM water_main"
_DEVICES = "SELECT name AS code FROM device WHERE unit_id = $2 AND retired_at IS NULL"
_POINTS = "SELECT component AS code FROM point WHERE device_id = $2"
_FLOORS = "FROM building b JOIN floor f ON f.building_id = b.id"
_ZONES = (  # by the number of slashes in their name
    "SELECT b.code FROM building b WHERE b.unit_id = $2",
    f"SELECT b.code || '/' || f.code AS code {_FLOORS} WHERE b.unit_id = $2",
    f"SELECT b.code||'/'||f.code||'/'||z.code AS code {_FLOORS} JOIN zone z ON z.floor_id = f.id WHERE b.unit_id = $2",
)


async def unit_number(conn: Any, code: str) -> int:
    """Return the number of the unit ``code``; InvalidInput names those near it where there is none."""
    found = await conn.fetchval("SELECT id FROM unit WHERE code = $1", code)
    if found is None:
        raise await _unknown(conn, "unit", code, "", _UNITS)
    return int(found)


async def check_registered(conn: Any, window: Window) -> None:
    """Raise InvalidInput for a unit, zone, device, point or main that nobody registered, or a device out of use."""
    if window.main is not None and not await conn.fetchval("SELECT true FROM water_main WHERE code = $1", window.main):
        raise await _unknown(conn, "main", window.main, "", _MAINS)
    if window.unit is None:
        return
    unit = await unit_number(conn, window.unit)
    if window.zone is not None:
        zones = _ZONES[window.zone.count("/")]
        if not await conn.fetchval(f"SELECT true FROM ({zones}) c WHERE code = $1 LIMIT 1", window.zone, unit):
            raise await _unknown(conn, "zone", window.zone, f" in unit {window.unit}", zones, unit)
    if window.device is not None:
        await _check_device(conn, window, unit)


async def _check_device(conn: Any, window: Window, unit: int) -> None:
    row = await conn.fetchrow(
        "SELECT id, kind, retired_at FROM device WHERE unit_id = $1 AND name = $2", unit, window.device
    )
    if row is None:
        raise await _unknown(conn, "device", str(window.device), f" in unit {window.unit}", _DEVICES, unit)
    what = f"device {window.unit}/{window.device}"
    if row["retired_at"] is not None:
        raise InvalidInput(f"{what} is retired: nothing is expected of it; leave it out", {"field": "device"})
    if window.kind is WindowKind.WATER_PERMIT and row["kind"] not in WATER_KINDS:
        raise InvalidInput(
            f"{what} is a {row['kind']}; a water_permit is for one of {', '.join(sorted(WATER_KINDS))}",
            {"field": "device"},
        )
    if window.component is not None and not await conn.fetchval(
        "SELECT true FROM point WHERE device_id = $1 AND component = $2", row["id"], window.component
    ):
        raise await _unknown(conn, "component", window.component, f" of {what}", _POINTS, row["id"])


async def _unknown(conn: Any, field: str, code: str, within: str, candidates: str, *owner: int) -> InvalidInput:
    """Return the error for a name nobody registered, with those before and after it in order."""
    near = await conn.fetch(
        f"(SELECT code FROM ({candidates}) c WHERE code < $1 ORDER BY code DESC LIMIT {_NEAR})"
        f" UNION ALL (SELECT code FROM ({candidates}) c WHERE code > $1 ORDER BY code LIMIT {_NEAR}) ORDER BY code",
        code,
        *owner,
    )
    names = ", ".join(row["code"] for row in near)
    remedy = f"registered near it: {names}" if names else f"no {field} is registered{within or ' at all'}; leave it out"
    return InvalidInput(f"there is no {field} {code!r}{within}; {remedy}", {"field": field})
