"""The messages of an alert to 119, to look at."""

from typing import Any

from firetower.alerts.handover.model import Kind, MessageState, OnRecord, Signed
from firetower.core.clock import from_datetime
from firetower.storage.pool import Pool, store_errors

_TIMES = (
    "created_at", "due_at", "missed_at", "first_sent_at", "last_sent_at", "next_try_at", "received_at", "receipt_at",
)  # fmt: skip
_MESSAGES = f"""
SELECT h.key, coalesce(r.key, h.key) AS report_key, h.kind, h.text, h.actor, h.state, h.tries, h.trouble,
    h.receipt_number, h.receipt_person, {", ".join(f"h.{name}" for name in _TIMES)}
FROM handover h LEFT JOIN handover r ON r.id = h.report_id WHERE h.alert_id = $1 ORDER BY h.id
"""


async def messages(pool: Pool, alert_id: int) -> list[OnRecord]:
    """Return an alert's messages in the order in which they are sent. Raises StoreUnavailable."""
    with store_errors():
        return [_stored(row) for row in await pool.fetch(_MESSAGES, alert_id)]


def _stored(row: Any) -> OnRecord:
    times: dict[str, Any] = {name: None if row[name] is None else from_datetime(row[name]) for name in _TIMES}
    at = times.pop("receipt_at")
    words: dict[str, Any] = {name: row[name] for name in ("key", "report_key", "text", "actor", "tries", "trouble")}
    return OnRecord(
        **words,
        **times,
        kind=Kind(row["kind"]),
        state=MessageState(row["state"]),
        receipt=None if at is None else Signed(row["receipt_number"], row["receipt_person"], at),
    )
