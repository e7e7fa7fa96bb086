"""Fires nobody answered for in time 逐级上报: a step of the desk. What counts as answered: ``alerts/deadlines.py``.

When a period of waiting began, and whether it has escalated, is read from the alert's history: nothing of it is lost in
a restart, and nothing escalates twice.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from firetower.alerts.deadlines import ESCALATED, Due, escalate, next_due
from firetower.alerts.holds import Move
from firetower.alerts.model import State
from firetower.core.clock import Micros, from_datetime
from firetower.storage.alert_moves import BATCH, Fence, fenced, locked, write
from firetower.storage.alert_rows import COLUMNS, chunks, to_alert
from firetower.storage.pool import store_errors

_ALARMS_AGAIN = ("priority_rose", "overruled")
"""Reasons for which what is unacknowledged already sounds anew."""

_OPEN_FIRES = "SELECT id FROM alert WHERE state <> 'closed' AND alert_class = 'fire' ORDER BY raised_at, id"
_FACTS = f"""
SELECT {COLUMNS}, coalesce(alarmed.at, a.raised_at) AS alarmed_at, EXISTS (
    SELECT FROM alert_history h
    WHERE h.alert_id = a.id AND h.seq > coalesce(alarmed.seq, 0) AND h.reason = '{ESCALATED}'
) AS escalated
FROM alert a LEFT JOIN LATERAL (
    SELECT h.seq, h.at FROM alert_history h
    WHERE h.alert_id = a.id AND h.new = '{State.UNACKNOWLEDGED}'
    AND (h.old IS DISTINCT FROM '{State.UNACKNOWLEDGED}' OR h.reason = ANY($2::text[]))
    ORDER BY h.seq DESC LIMIT 1
) alarmed ON true
WHERE a.id = ANY($1::bigint[]) AND a.state <> 'closed' AND a.alert_class = 'fire'
"""


class Escalations:
    """Escalates fires whose deadline passed. What falls due when is kept between calls, from what changed."""

    name = "escalations"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease
        self._due: dict[int, Due] = {}

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Escalate what is overdue, the longest first. Raises LeaseLost, StoreUnavailable."""
        with store_errors():
            if changed is None:
                changed = [row["id"] for row in await self._pool.fetch(_OPEN_FIRES)]
                self._due.clear()
            for chunk in chunks(changed):
                await self._look(self._pool, chunk)
        overdue = sorted((due.at, alert_id) for alert_id, due in self._due.items() if due.at <= now)[:BATCH]
        if not overdue:
            return
        ids = [alert_id for _, alert_id in overdue]
        async with fenced(self._pool, self._lease) as conn:
            alerts = await locked(conn, ids)
            for chunk in chunks(ids):
                await self._look(conn, chunk)
            moves: list[Move] = []
            for alert in alerts:
                due = self._due.get(alert.id)
                if due is not None and due.at <= now:
                    moves.append(escalate(alert, due, now))
            await write(conn, moves, now)
        # what escalated is looked at again as a change, its next deadline by then in its history
        for alert, _ in moves:
            del self._due[alert.id]

    async def _look(self, conn: Any, alert_ids: Iterable[int]) -> None:
        """Note what falls due for alerts, at most CHUNK, as they stand."""
        ids = list(alert_ids)
        for alert_id in ids:
            self._due.pop(alert_id, None)
        for row in await conn.fetch(_FACTS, ids, list(_ALARMS_AGAIN)):
            due = next_due(to_alert(row), alarmed_at=from_datetime(row["alarmed_at"]), escalated=row["escalated"])
            if due is not None:
                self._due[row["id"]] = due
