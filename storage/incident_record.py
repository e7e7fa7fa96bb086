"""The incident record 警情处置单 of an alert, read from everything that is stored of it."""

from typing import Any

from firetower.alerts.handover.pictures import PictureLine
from firetower.alerts.handover.record import IncidentRecord, LetterLine, Reading, Seal
from firetower.alerts.model import Alert
from firetower.core.clock import MINUTE, Micros, from_datetime, to_datetime
from firetower.devices.metrics import catalogue
from firetower.storage import calls, handover_facts, handover_list, snapshots
from firetower.storage.alert_acts import get
from firetower.storage.alert_rows import read_history
from firetower.storage.pool import Pool, store_errors

MOST_READINGS = 200
MOST_LETTERS = 200
AROUND: Micros = 10 * MINUTE
"""Readings so long before and after the alarm are on its record."""

_READINGS = """
SELECT r.ts, r.metric, c.name AS channel, r.value,
    CASE r.flags & 3 WHEN 0 THEN 'good' WHEN 1 THEN 'uncertain' ELSE 'bad' END AS quality
FROM device d JOIN unit u ON u.id = d.unit_id
JOIN reading r ON r.device = d.id AND r.ts BETWEEN $3 AND $4
LEFT JOIN channel c ON c.id = r.channel
WHERE u.code = $1 AND d.name = $2
ORDER BY abs(extract(epoch FROM r.ts - $5)), r.metric, r.channel LIMIT $6
"""
_LETTERS = """
SELECT created_at, channel, role, name, reason, state, sent_at, delivered_at, read_at, acted_at, trouble
FROM letter WHERE alert_id = $1 ORDER BY id DESC LIMIT $2
"""
_SEAL = "SELECT n, seq, hash, sealed_at FROM history_seal WHERE alert_id = $1 ORDER BY seq DESC LIMIT 1"


_TIMES = ("created_at", "sent_at", "delivered_at", "read_at", "acted_at")


async def read(pool: Pool, alert_id: int) -> IncidentRecord:
    """Return the record of an alert. Raises NotFound, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            alert = await get(conn, alert_id)
            entries = await read_history(conn, alert_id)
            letters = await conn.fetch(_LETTERS, alert_id, MOST_LETTERS)
            seal = await conn.fetchrow(_SEAL, alert_id)
            readings = await _readings(conn, alert)
    return IncidentRecord(
        alert=alert,
        premises=await handover_facts.premises_of(pool, alert),
        entries=entries,
        messages=await handover_list.messages(pool, alert_id),
        calls=await calls.of_alert(pool, alert_id),
        letters=[_letter(row) for row in reversed(letters)],
        readings=readings,
        pictures=[_picture(each) for each in reversed(await snapshots.of_alert(pool, alert_id))],
        seal=None
        if seal is None
        else Seal(seal["n"], seal["seq"], bytes(seal["hash"]).hex(), from_datetime(seal["sealed_at"])),
    )


async def _readings(conn: Any, alert: Alert) -> list[Reading]:
    """Return the readings nearest to the alarm, in order of time."""
    if alert.unit is None or alert.device is None:
        return []
    at = alert.device_at
    span = (to_datetime(at - AROUND), to_datetime(at + AROUND), to_datetime(at))
    rows = await conn.fetch(_READINGS, alert.unit, alert.device, *span, MOST_READINGS)
    found = [_reading(row) for row in rows if row["metric"] in catalogue().by_number]
    return sorted(found, key=lambda each: (each.at, each.metric))


def _reading(row: Any) -> Reading:
    metric = catalogue().by_number[row["metric"]]
    name = f"{metric.name}.{row['channel']}" if row["channel"] else metric.name
    return Reading(from_datetime(row["ts"]), name, row["value"], metric.unit, row["quality"])


def _letter(row: Any) -> LetterLine:
    times: dict[str, Any] = {name: None if row[name] is None else from_datetime(row[name]) for name in _TIMES}
    words = {name: row[name] for name in ("channel", "role", "name", "reason", "state", "trouble")}
    return LetterLine(**words, **times)


def _picture(kept: snapshots.Snapshot) -> PictureLine:
    why = kept.trouble if kept.state == "failed" else None
    return PictureLine(
        id=kept.id,
        camera=kept.camera,
        camera_name=kept.camera_name,
        unit=kept.unit,
        moment=kept.moment,
        by=kept.by,
        at=kept.taken_at or kept.asked_at or kept.due_at,
        sha256=kept.sha256,
        trouble=None if why is None else (why.words("zh"), why.words("en")),
    )
