"""The messages of an alert to 119, to look at."""

from dataclasses import dataclass
from typing import Any

from firetower.alerts.handover.model import Kind, MessageState, Signed
from firetower.core.clock import Micros, from_datetime
from firetower.storage.pool import Pool, store_errors

_TIMES = (
    "created_at", "due_at", "missed_at", "first_sent_at", "last_sent_at", "next_try_at", "received_at", "receipt_at",
)  # fmt: skip
_MESSAGES = f"""
SELECT h.key, coalesce(r.key, h.key) AS report_key, h.kind, h.text, h.actor, h.state, h.tries, h.trouble,
    h.receipt_number, h.receipt_person, {", ".join(f"h.{name}" for name in _TIMES)}
FROM handover h LEFT JOIN handover r ON r.id = h.report_id WHERE h.alert_id = $1 ORDER BY h.id
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message with all that is known of it; times are µs, None for what has not happened."""

    key: str
    report_key: str
    kind: Kind
    text: str
    actor: str
    state: MessageState
    tries: int
    trouble: str | None
    created_at: Micros
    due_at: Micros
    missed_at: Micros | None
    first_sent_at: Micros | None
    last_sent_at: Micros | None
    next_try_at: Micros | None
    received_at: Micros | None
    receipt: Signed | None


async def messages(pool: Pool, alert_id: int) -> list[Stored]:
    """Return an alert's messages in the order in which they are sent. Raises StoreUnavailable."""
    with store_errors():
        return [_stored(row) for row in await pool.fetch(_MESSAGES, alert_id)]


def _stored(row: Any) -> Stored:
    times = {name: None if row[name] is None else from_datetime(row[name]) for name in _TIMES}
    at = times.pop("receipt_at")
    created_at, due_at = times.pop("created_at"), times.pop("due_at")
    assert created_at is not None
    assert due_at is not None
    return Stored(
        **{name: row[name] for name in ("key", "report_key", "text", "actor", "tries", "trouble")},
        kind=Kind(row["kind"]),
        state=MessageState(row["state"]),
        created_at=created_at,
        due_at=due_at,
        **times,
        receipt=None if at is None else Signed(row["receipt_number"], row["receipt_person"], at),
    )
