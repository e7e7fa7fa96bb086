"""Fires nobody answered for in time 逐级上报: a step of the desk. What counts as answered: ``alerts/deadlines.py``.

When a period of waiting began, and whether it has escalated, is read from the alert's history: nothing of it is lost in
a restart, and nothing escalates twice.
"""

import asyncio
import heapq
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from firetower.alerts.deadlines import ALLOWED, ESCALATED, Due, escalate, next_due
from firetower.alerts.holds import Move
from firetower.core.clock import Micros, from_datetime
from firetower.storage.alarmed import ALARMED, ALARMED_AT
from firetower.storage.alert_moves import BATCH, Fence, fenced, in_turns, locked, write
from firetower.storage.alert_rows import COLUMNS, chunks, to_alert
from firetower.storage.pool import store_errors

_OPEN_FIRES = "SELECT array_agg(id ORDER BY id) FROM alert WHERE state <> 'closed' AND alert_class = 'fire'"
_FACTS = f"""
SELECT {COLUMNS}, {ALARMED_AT}, EXISTS (
    SELECT FROM alert_history h
    WHERE h.alert_id = a.id AND h.seq > coalesce(alarmed.seq, 0) AND h.reason = '{ESCALATED}'
) AS escalated
FROM alert a {ALARMED}
WHERE a.id = ANY($1::bigint[]) AND a.state <> 'closed' AND a.alert_class = 'fire'
"""


class Escalations:
    """Escalates fires whose deadline passed. What falls due when is kept between calls, from what changed."""

    name = "escalations"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease
        self._due: dict[int, Due] = {}
        self._now: Micros = 0

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Escalate what is overdue, the longest first. Raises LeaseLost, StoreUnavailable."""
        with store_errors():
            if changed is None:
                changed = await self._pool.fetchval(_OPEN_FIRES) or []
                self._due.clear()
            for chunk in chunks(changed):
                await self._look(self._pool, chunk, now)
        if now < self._now:
            async for alert_id, noted in in_turns(list(self._due.items())):
                self._due[alert_id] = _within(noted, noted, now)
        self._now = now
        ids = await self._overdue(now)
        if not ids:
            return
        async with fenced(self._pool, self._lease) as conn:
            alerts = await locked(conn, ids)
            for chunk in chunks(ids):
                await self._look(conn, chunk, now)
            moves: list[Move] = []
            async for alert in in_turns(alerts):
                due = self._due.get(alert.id)
                if due is not None and due.at <= now:
                    moves.append(escalate(alert, due, now))
            await write(conn, moves, now)
        # what escalated is looked at again as a change, its next deadline by then in its history
        for alert, _ in moves:
            del self._due[alert.id]

    async def _overdue(self, now: Micros) -> list[int]:
        """Return the alerts, at most BATCH, whose deadline passed, the longest ago first."""
        first: list[tuple[Micros, int]] = []
        for chunk in chunks(list(self._due.items())):
            passed = [(due.at, alert_id) for alert_id, due in chunk if due.at <= now]
            if passed:
                first = heapq.nsmallest(BATCH, [*first, *passed])
            await asyncio.sleep(0)
        return [alert_id for _, alert_id in first]

    async def _look(self, conn: Any, alert_ids: Iterable[int], now: Micros) -> None:
        """Note what falls due for alerts, at most CHUNK, as they stand."""
        ids = list(alert_ids)
        known = {alert_id: self._due.pop(alert_id, None) for alert_id in ids}
        for row in await conn.fetch(_FACTS, ids):
            due = next_due(to_alert(row), alarmed_at=from_datetime(row["alarmed_at"]), escalated=row["escalated"])
            if due is not None:
                self._due[row["id"]] = _within(due, known[row["id"]], now)


def _within(due: Due, known: Due | None, now: Micros) -> Due:
    """Return ``due``, no further ahead than somebody may take: it was reckoned from before the clock was set back.

    Such a period begins now, or went on since it was first seen, as ``known`` says.
    """
    latest = now + ALLOWED[due.deadline]
    if due.at <= latest:
        return due
    is_same = known is not None and known.deadline is due.deadline and known.at <= latest
    return known if known is not None and is_same else Due(due.deadline, latest)
