"""Fires nobody answered for in time 逐级上报: a step of the desk. What counts as answered: ``alerts/deadlines.py``.

Since when somebody is awaited, and which deadlines have passed, stands on the alert: nothing of it is lost in a
restart, and nothing escalates twice.
"""

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from firetower.alerts.ahead import SET_BACK, Ahead
from firetower.alerts.deadlines import SHIPPED, Due, Limits, escalate, next_due
from firetower.alerts.holds import Move
from firetower.alerts.model import Alert
from firetower.core.clock import Micros
from firetower.storage.alert_moves import BATCH, Fence, fenced, in_turns, locked, write
from firetower.storage.alert_rows import COLUMNS, chunks, to_alert
from firetower.storage.pool import store_errors

_OPEN_FIRES = "SELECT array_agg(id ORDER BY id) FROM alert WHERE state <> 'closed' AND alert_class = 'fire'"
_FIRES = (
    f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[]) AND a.state <> 'closed' AND a.alert_class = 'fire'"
)
_LOOKS = 50
"""Most times in a call that what is overdue is looked at before it is locked: nobody announces that it was shown."""


class Escalations:
    """Escalates fires whose deadline passed. What falls due when is kept between calls, from what changed."""

    name = "escalations"

    def __init__(self, pool: asyncpg.Pool, lease: Fence, limits: Limits = SHIPPED) -> None:
        self._pool = pool
        self._lease = lease
        self._limits = limits
        self._due: dict[int, Due] = {}
        self._ahead = Ahead()
        self._now: Micros = 0

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Escalate what is overdue, the longest first. Raises LeaseLost, StoreUnavailable."""
        is_set_back = now <= self._now - SET_BACK
        self._now = now
        with store_errors():
            if changed is None or is_set_back:
                changed = await self._pool.fetchval(_OPEN_FIRES) or []
                self._due.clear()
            for chunk in chunks(changed):
                await self._look(self._pool, chunk, now)
            ids = await self._still_overdue(now)
        if not ids:
            return
        async with fenced(self._pool, self._lease) as conn:
            moves: list[Move] = []
            async for alert in in_turns(await locked(conn, ids)):
                due = self._note(alert, now)
                if due is not None and due.at <= now:
                    moves.append(escalate(alert, due, now))
            await write(conn, moves, now)
        for alert, _ in moves:
            self._note(alert, now)

    async def _still_overdue(self, now: Micros) -> list[int]:
        """Return alerts, at most BATCH, whose deadline passed; what was shown meanwhile is none of them."""
        found: list[int] = []
        for _ in range(_LOOKS):
            ids = await self._overdue(now)
            if ids == found:
                break
            for chunk in chunks(ids):
                await self._look(self._pool, chunk, now)
            found = [alert_id for alert_id in ids if (due := self._due.get(alert_id)) is not None and due.at <= now]
        return found

    async def _overdue(self, now: Micros) -> list[int]:
        """Return the alerts, at most BATCH, whose deadline passed, the longest ago first."""
        first: list[tuple[Micros, int]] = []
        for chunk in chunks(list(self._due.items())):
            passed = [(due.at, alert_id) for alert_id, due in chunk if due.at <= now]
            if passed:
                first = heapq.nsmallest(BATCH, [*first, *passed])
            await asyncio.sleep(0)
        return [alert_id for _, alert_id in first]

    async def _look(self, conn: Any, alert_ids: Sequence[int], now: Micros) -> None:
        """Note what falls due for alerts, at most CHUNK, as they stand."""
        alerts = {row["id"]: to_alert(row) for row in await conn.fetch(_FIRES, list(alert_ids))}
        for alert_id in alert_ids:
            if alert_id in alerts:
                self._note(alerts[alert_id], now)
            else:
                self._due.pop(alert_id, None)
                self._ahead.forget(alert_id)

    def _note(self, alert: Alert, now: Micros) -> Due | None:
        """Note what falls due next for an alert, by the clock as it goes, and return it."""
        self._due.pop(alert.id, None)
        due = next_due(alert, self._limits)
        if due is None:
            self._ahead.forget(alert.id)
            return None
        began = self._ahead.began(alert.id, due.at - due.limit, now)
        self._due[alert.id] = due = replace(due, at=began + due.limit)
        return due
