"""What a change of an alert does to its letters: a step of the desk.

What waits for an alert that is handled is cancelled at once, not only when it would be sent; whoever was told and then
acknowledged the alert has acted on his letter.
"""

from collections.abc import Sequence

import asyncpg

from firetower.alerts.notify import meters
from firetower.alerts.notify.wanted import HANDLED, wanted
from firetower.core.clock import Micros
from firetower.storage.alert_moves import BATCH, Fence, fenced, in_turns, read
from firetower.storage.alert_rows import COLUMNS, chunks
from firetower.storage.pool import store_errors

_OPEN_LETTERS = "SELECT array_agg(DISTINCT alert_id) FROM letter WHERE state = 'waiting'"
_WITH_WAITING = (
    "SELECT DISTINCT alert_id FROM letter WHERE alert_id = ANY($1::int8[]) AND state = 'waiting' AND claimed_at IS NULL"
)
_ACTED = (
    " FROM alert a WHERE a.id = l.alert_id AND a.id = ANY($1::int8[]) AND l.acted_at IS NULL AND l.sent_at IS NOT NULL"
    " AND a.acknowledged_at >= l.created_at AND a.acknowledged_by IN (l.name, l.address)"
)
_ALERTS = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::int8[])"


class LetterTurns:
    """Cancels letters of alerts that changed, and notes who acted."""

    name = "letters"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:  # noqa: ARG002  # reason: time changes no letter
        """Look at the letters of alerts that changed. Raises LeaseLost, StoreUnavailable."""
        if changed is None:
            with store_errors():
                changed = await self._pool.fetchval(_OPEN_LETTERS) or []
        for chunk in chunks(changed):
            await self._look(list(chunk))

    async def _look(self, ids: list[int]) -> None:
        with store_errors():
            waiting = [row["alert_id"] for row in await self._pool.fetch(_WITH_WAITING, ids)]
            acted = await self._pool.fetchval(
                f"SELECT EXISTS (SELECT FROM letter l, alert a {_ACTED.partition('FROM alert a')[2]})", ids
            )
        if not waiting and not acted:
            return
        async with fenced(self._pool, self._lease) as conn:
            if acted:
                done = await conn.fetch(
                    f"UPDATE letter l SET acted_at = a.acknowledged_at{_ACTED} RETURNING l.channel", ids
                )
                for row in done:
                    meters.notifications.labels(row["channel"], "acted").inc()
            alerts = {alert.id: alert async for alert in in_turns(await read(conn, _ALERTS, waiting))}
            letters = await conn.fetch(
                "SELECT id, alert_id, reason, channel FROM letter WHERE alert_id = ANY($1::int8[])"
                f" AND state = 'waiting' AND claimed_at IS NULL ORDER BY id LIMIT {BATCH} FOR NO KEY UPDATE",
                waiting,
            )
            handled = [row for row in letters if not wanted(alerts[row["alert_id"]], row["reason"])]
            if handled:
                await conn.execute(
                    f"UPDATE letter SET state = 'cancelled', trouble = '{HANDLED}' WHERE id = ANY($1::int8[])",
                    [row["id"] for row in handled],
                )
        for row in handled:
            meters.notifications.labels(row["channel"], HANDLED).inc()
