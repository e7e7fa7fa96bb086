"""A manual report (电话报警) into the table of alerts."""

from dataclasses import fields
from hashlib import blake2s
from typing import Any
from uuid import uuid4

from firetower.alerts.model import Alert
from firetower.alerts.reports import RULE, Premises, Report, begin, checked
from firetower.core.clock import Micros, to_datetime
from firetower.core.errors import InvalidInput
from firetower.storage.alert_rows import COLUMNS, append_history, to_alert

_ROW = [field.name for field in fields(Alert) if field.name not in {"id", "handover"}]
_INSERT = (
    f"INSERT INTO alert AS a ({', '.join(_ROW)}) VALUES ({', '.join(f'${n}' for n in range(1, len(_ROW) + 1))})"
    f" RETURNING {COLUMNS}"
)
_PREMISES = """
SELECT nullif(u.name, '') AS unit_name, nullif(u.address, '') AS address, u.lon, u.lat, z.id AS zone_id,
       concat_ws(' / ', coalesce(nullif(b.name, ''), b.code), coalesce(nullif(f.name, ''), f.code),
                        coalesce(nullif(z.name, ''), z.code)) AS zone_place
FROM unit u
LEFT JOIN building b ON b.unit_id = u.id AND b.code = $2
LEFT JOIN floor f ON f.building_id = b.id AND f.code = $3
LEFT JOIN zone z ON z.floor_id = f.id AND z.code = $4
WHERE u.code = $1
"""


def component_of(key: str | None, actor: str, at: Micros) -> str:
    """Return the component that makes a report's key its own: of the request first made at ``at``, else fresh."""
    if key is None:
        return uuid4().hex
    return blake2s(f"{actor}\0{key}\0{at}".encode(), digest_size=16).hexdigest()


async def insert(conn: Any, report: Report, *, component: str, actor: str, at: Micros) -> Alert:
    """Store the alert of a report, with its history, in the caller's transaction, which is to announce it.

    Raises InvalidInput, also for a unit or a zone that the registry does not know.
    """
    said = checked(report)
    premises = Premises() if said.unit is None else await _premises(conn, said.unit, said.zone)
    alert, transition = begin(said, premises, component=component, actor=actor, at=at)
    row = await conn.fetchrow(_INSERT, *(_sent(alert, name) for name in _ROW))
    await append_history(conn, [(row["id"], transition)])
    return to_alert(row)


async def find(conn: Any, component: str) -> Alert:
    """Return the alert of the report that was stored under ``component``."""
    return to_alert(
        await conn.fetchrow(f"SELECT {COLUMNS} FROM alert a WHERE a.rule = $1 AND a.component = $2", RULE, component)
    )


async def _premises(conn: Any, unit: str, zone: str | None) -> Premises:
    parts = [None, None, None] if zone is None else zone.split("/")
    if len(parts) != 3:
        raise InvalidInput(f"zone {zone!r} is no zone; write building/floor/zone, by their codes", {"field": "zone"})
    row = await conn.fetchrow(_PREMISES, unit, *parts)
    if row is None:
        raise InvalidInput(
            f"there is no unit {unit!r}; give a registered one, or leave it out and say the place", {"field": "unit"}
        )
    if zone is not None and row["zone_id"] is None:
        raise InvalidInput(
            f"unit {unit!r} has no zone {zone!r}; give a registered one, or leave it out and say the place",
            {"field": "zone"},
        )
    place = row["zone_place"] if zone is not None else row["address"]
    return Premises(row["unit_name"], place, row["lon"], row["lat"])


def _sent(alert: Alert, name: str) -> Any:
    value = getattr(alert, name)
    if name.endswith(("_at", "_until")):
        return None if value is None else to_datetime(value)
    return list(value) if name in {"flags", "missed"} else value
