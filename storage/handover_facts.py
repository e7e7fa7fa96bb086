"""What is known of an alert when 119 is told of it, from the registry and the open alerts."""

from typing import Any

from firetower.alerts.handover.facts import Facts, Person, Premises, Signal, Told, Water
from firetower.alerts.handover.model import Kind
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, from_datetime
from firetower.storage.alert_acts import get

MOST_SIGNALS = 20
"""Other signals of the unit that are told, those of the same zone first."""
MOST_PERSONS = 10
MOST_WATER = 5

_PREMISES = """
SELECT u.category, u.address, u.lon, u.lat, u.contact_name, u.contact_phone,
    coalesce(nullif(b.name, ''), b.code, '') AS building, coalesce(nullif(f.name, ''), f.code, '') AS floor, f.level,
    coalesce(nullif(z.name, ''), z.code, '') AS zone
FROM unit u
LEFT JOIN building b ON b.unit_id = u.id AND b.code = $2
LEFT JOIN floor f ON f.building_id = b.id AND f.code = $3
LEFT JOIN zone z ON z.floor_id = f.id AND z.code = $4
WHERE u.code = $1
"""
_SIGNALS = """
SELECT id, alert_class, title_zh, title_en, device, device_kind, component, place, raised_at,
    coalesce(zone = $3, false) AS is_near
FROM alert
WHERE unit = $1 AND id <> $2 AND state <> 'closed' AND alert_class IN ('fire', 'prealarm')
ORDER BY is_near DESC, priority, raised_at, id LIMIT $4
"""
_MESSAGE = """
SELECT h.key, h.kind, h.text, h.actor, h.created_at, h.alert_id, coalesce(r.key, h.key) AS report_key,
    (SELECT e.key FROM handover e WHERE e.alert_id = h.alert_id AND e.kind = 'report' AND e.id < coalesce(r.id, h.id)
     ORDER BY e.id DESC LIMIT 1) AS earlier_key,
    coalesce((SELECT sender FROM command_centre), '') AS sender
FROM handover h LEFT JOIN handover r ON r.id = h.report_id WHERE h.id = $1
"""


async def told(conn: Any, message_id: int, now: Micros) -> Told:
    """Return a message with all that is known of its alert."""
    row = await conn.fetchrow(_MESSAGE, message_id)
    alert = await get(conn, row["alert_id"])
    return Told(
        key=row["key"],
        report_key=row["report_key"],
        earlier_key=row["earlier_key"],
        kind=Kind(row["kind"]),
        text=row["text"],
        actor=row["actor"],
        created_at=from_datetime(row["created_at"]),
        sender=row["sender"],
        facts=await facts(conn, alert, now),
    )


async def facts(conn: Any, alert: Alert, now: Micros) -> Facts:
    """Return what is known of an alert."""
    codes = (alert.zone or "").split("/")
    codes += [""] * (3 - len(codes))
    row = None if alert.unit is None else await conn.fetchrow(_PREMISES, alert.unit, *codes[:3])
    if row is None:
        return Facts(alert, Premises())
    premises = Premises(
        **{name: row[name] for name in ("category", "address", "lon", "lat", "building", "floor", "level", "zone")}
    )
    found = await conn.fetch(_SIGNALS, alert.unit, alert.id, alert.zone, MOST_SIGNALS)
    return Facts(
        alert,
        premises,
        signals=tuple(
            Signal(
                alert_id=each["id"],
                raised_at=from_datetime(each["raised_at"]),
                **{name: each[name] for name in _OF_SIGNAL},
            )
            for each in found
        ),
    )


_OF_SIGNAL = (
    "alert_class", "title_zh", "title_en", "device", "device_kind", "component", "place", "is_near",
)  # fmt: skip
