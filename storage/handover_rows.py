"""Messages to 119 as they are written, with the history entry each is for, and what an alert's row says of them."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec

from firetower.alerts.handover.model import WRITTEN_FOR, HandedOver, Kind
from firetower.alerts.model import Transition
from firetower.core.clock import to_datetime


def micros(column: str) -> str:
    """Return the expression of an instant in µs."""
    return f"(extract(epoch FROM {column}) * 1000000)::int8"


SUMMARY = f"""CASE WHEN a.handover_id IS NULL THEN NULL ELSE (
    SELECT json_build_object(
        'key', r.key, 'since', {micros("r.created_at")}, 'due_at', {micros("r.due_at")}, 'state', r.state,
        'tries', r.tries, 'missed', r.missed_at IS NOT NULL, 'trouble', r.trouble,
        'receipt', CASE WHEN r.received_at IS NOT NULL THEN json_build_object(
            'number', r.receipt_number, 'person', r.receipt_person, 'at', {micros("r.receipt_at")}) END,
        'cancel', (SELECT c.state FROM handover c WHERE c.report_id = r.id AND c.kind = 'cancel'),
        'unreceived', (r.received_at IS NULL)::int + (
            SELECT count(*) FROM handover m WHERE m.report_id = r.id AND m.received_at IS NULL),
        'follow_ups_failed', (
            SELECT count(*) FROM handover m
            WHERE m.report_id = r.id AND m.kind = 'follow_up' AND m.state = 'failed')
    )::text FROM handover r WHERE r.id = a.handover_id
) END AS handover"""
"""What ``to_summary`` reads, of an alert ``a``. Of the many that were never handed over it costs nothing."""

_WRITE_REPORTS = """
WITH written AS (
    INSERT INTO handover (key, alert_id, kind, actor, created_at, due_at, next_try_at)
    SELECT n.key, n.alert_id, 'report', n.actor, n.at, n.at + c.receipt_within_ms * interval '1 millisecond', n.at
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[]) AS n (key, alert_id, actor, at)
    CROSS JOIN command_centre c
    RETURNING id, alert_id
)
UPDATE alert SET handover_id = written.id FROM written WHERE alert.id = written.alert_id
"""

# Whatever was given up is tried again with what follows it: it must not go out alone.
_WRITE_FURTHER = """
WITH revived AS (
    UPDATE handover SET state = 'waiting', refused = 0, next_try_at = $5
    FROM alert a
    WHERE a.id = $2 AND (handover.id = a.handover_id OR handover.report_id = a.handover_id)
        AND handover.received_at IS NULL
)
INSERT INTO handover (key, alert_id, report_id, kind, text, actor, created_at, due_at, next_try_at)
SELECT $1, a.id, r.id, $3, $6, $4, $5, $5 + (r.due_at - r.created_at), $5
FROM alert a JOIN handover r ON r.id = a.handover_id WHERE a.id = $2
"""


def to_summary(text: str | None) -> HandedOver | None:
    """Return what an alert shows of its hand-over, from SUMMARY."""
    return None if text is None else msgspec.json.decode(text, type=HandedOver)


async def write(conn: Any, entries: Sequence[tuple[int, Transition]]) -> None:
    """Write the messages that history entries of alerts, whose rows are locked, are told by.

    Where no command centre is configured, 119 is called: nothing is written.
    """
    told = [(alert_id, entry) for alert_id, entry in entries if entry.reason in WRITTEN_FOR]
    reports = [(alert_id, entry) for alert_id, entry in told if WRITTEN_FOR[entry.reason] is Kind.REPORT]
    if reports:
        await conn.execute(
            _WRITE_REPORTS,
            [str(uuid4()) for _ in reports],
            [alert_id for alert_id, _ in reports],
            [entry.actor for _, entry in reports],
            [to_datetime(entry.at) for _, entry in reports],
        )
    for alert_id, entry in told:
        kind = WRITTEN_FOR[entry.reason]
        if kind is not Kind.REPORT:
            words = entry.evidence.get("text") or entry.evidence.get("reason") or ""
            await conn.execute(_WRITE_FURTHER, str(uuid4()), alert_id, kind, entry.actor, to_datetime(entry.at), words)
