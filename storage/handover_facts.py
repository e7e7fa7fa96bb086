"""What is known of an alert when 119 is told of it, from the registry and the open alerts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from firetower.alerts.contacts import to_call
from firetower.alerts.handover.facts import Facts, Person, Premises, Signal, Told, Water
from firetower.alerts.handover.model import Kind
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, from_datetime
from firetower.core.logs import logger
from firetower.storage import contacts, nearest
from firetower.storage.alert_acts import get
from firetower.storage.pool import Pool, heed_cancellation, store_errors

Read = TypeVar("Read")

READ_S = 1.0
"""Longest that 119 waits for one of the things it is told beside the alert."""

MOST_SIGNALS = 20
"""Other signals of the unit that are told, those of the same zone first."""
MOST_PERSONS = 10
MOST_WATER = 5

_log = logger("storage.handover_facts")

_PREMISES = """
SELECT u.category, u.address, u.lon, u.lat,
    coalesce(nullif(b.name, ''), b.code, '') AS building, coalesce(nullif(f.name, ''), f.code, '') AS floor, f.level,
    coalesce(nullif(z.name, ''), z.code, '') AS zone
FROM unit u
LEFT JOIN building b ON b.unit_id = u.id AND b.code = $2
LEFT JOIN floor f ON f.building_id = b.id AND f.code = $3
LEFT JOIN zone z ON z.floor_id = f.id AND z.code = $4
WHERE u.code = $1
"""
_SIGNALS = """
SELECT id AS alert_id, alert_class, title_zh, title_en, device, device_kind, component, place, raised_at,
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


async def told(pool: Pool, message_id: int, now: Micros, zone: ZoneInfo) -> Told:
    """Return a message with all that is known of its alert. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            row: Any = await conn.fetchrow(_MESSAGE, message_id)
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
        facts=await facts(pool, alert, now, zone),
    )


async def facts(pool: Pool, alert: Alert, now: Micros, zone: ZoneInfo) -> Facts:
    """Return what is known of an alert; ``zone``: by whose clock the hours of its contacts go.

    What cannot be read within a second is left out: 119 is told without it rather than later.
    """
    premises = await premises_of(pool, alert)
    where = Facts(alert, premises).coordinates
    return Facts(
        alert,
        premises,
        signals=await _read(pool, "other signals", (), lambda conn: _signals(conn, alert)),
        persons=await _read(pool, "whom to call", (), lambda conn: _persons(conn, alert, where, now, zone)),
        water=await _read(pool, "the nearest water", (), lambda conn: _water(conn, where)),
    )


async def premises_of(pool: Pool, alert: Alert) -> Premises:
    """Return the place of an alert by the registry's names."""
    return await _read(pool, "the place", Premises(), lambda conn: _premises(conn, alert))


async def _read(pool: Pool, what: str, without: Read, ask: Callable[[Any], Awaitable[Read]]) -> Read:
    try:
        async with asyncio.timeout(READ_S), pool.acquire() as conn:
            return await ask(conn)
    except Exception as err:  # noqa: BLE001  # reason: nothing that is missing may keep 119 from being told
        heed_cancellation(err)
        _log.error("119 is told without %s: %s: %s", what, type(err).__name__, err)
        return without


async def _premises(conn: Any, alert: Alert) -> Premises:
    codes = [*(alert.zone or "").split("/"), "", ""][:3]
    row = None if alert.unit is None else await conn.fetchrow(_PREMISES, alert.unit, *codes)
    return Premises() if row is None else Premises(**row)


async def _signals(conn: Any, alert: Alert) -> tuple[Signal, ...]:
    if alert.unit is None:
        return ()
    rows = await conn.fetch(_SIGNALS, alert.unit, alert.id, alert.zone, MOST_SIGNALS)
    return tuple(Signal(**{**row, "raised_at": from_datetime(row["raised_at"])}) for row in rows)


async def _persons(
    conn: Any, alert: Alert, where: tuple[float, float] | None, now: Micros, zone: ZoneInfo
) -> tuple[Person, ...]:
    found = to_call(await contacts.for_place(conn, alert.unit, None, *(where or (None, None))), now, zone)
    return tuple(
        Person(each.role, each.name, each.phone, reach.now, each.distance_m)
        for each, reach in found
        if each.phone is not None
    )[:MOST_PERSONS]


async def _water(conn: Any, where: tuple[float, float] | None) -> tuple[Water, ...]:
    if where is None:
        return ()
    return tuple(
        Water(
            kind=each.kind,
            name=f"{each.unit}/{each.device}",
            place=each.place,
            lon=each.lon,
            lat=each.lat,
            distance_m=each.distance_m,
            bearing=each.bearing,
            faulty=each.faulty,
        )
        for each in await nearest.water(conn, *where, limit=MOST_WATER)
    )
