"""Floods 报警潮 on record, from their begin to their end: a step of the desk."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from firetower.alerts.floods import WITHIN, Flood
from firetower.core.clock import SECOND, Micros, rfc3339, to_datetime
from firetower.core.logs import logger
from firetower.storage.alarm_rate import AlarmRate, alarm_rate
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors

EVERY: Micros = 9 * SECOND // 10
"""The rate is asked for no more often."""

_ALARMS = "SELECT count(*) FROM alert WHERE raised_at > $1 AND raised_at <= $2"

_log = logger("storage.flood_episodes")


class FloodEpisodes:
    """``desk.Step`` that writes a flood's row when it begins, its highest rate meanwhile, and when it ends.

    ``alarms`` of the row: alerts raised from ten minutes before its begin to its end.
    """

    name = "floods"

    def __init__(self, pool: asyncpg.Pool, lease: Lease) -> None:
        self._pool = pool
        self._lease = lease
        self._asked_at: Micros | None = None

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:  # noqa: ARG002  # reason: the rate alone counts
        """Look at the rate of new alarms, a second after the last time at the soonest. Raises StoreUnavailable."""
        if self._asked_at is not None and 0 <= now - self._asked_at < EVERY:
            return
        with store_errors():
            measured = await alarm_rate(self._pool, now)
            before = Flood(measured.alarms, max(measured.operators, 1), measured.flood_since)
            after = Flood.after(before, measured.alarms, measured.operators, now)
            if before.active or after.active:
                async with self._pool.acquire() as conn, conn.transaction():
                    await self._lease.hold(conn)
                    await _write(conn, measured, after, now)
        self._asked_at = now


async def _write(conn: Any, measured: AlarmRate, after: Flood, now: Micros) -> None:
    if measured.flood_since is None:
        await conn.execute(
            "INSERT INTO flood (started_at, alarms, peak, operators) VALUES ($1, $2, $2, $3)",
            to_datetime(now),
            after.alarms,
            after.operators,
        )
        _log.warning("flood: %d new alarms in ten minutes for %d at the seats", after.alarms, after.operators)
        return
    await conn.execute(
        "UPDATE flood SET peak = $1, operators = $2 WHERE ended_at IS NULL AND peak < $1",
        after.alarms,
        after.operators,
    )
    if not after.active:
        alarms = await conn.fetchval(_ALARMS, to_datetime(measured.flood_since - WITHIN), to_datetime(now))
        await conn.execute(
            "UPDATE flood SET ended_at = $1, alarms = $2 WHERE ended_at IS NULL", to_datetime(now), alarms
        )
        _log.warning("flood since %s is over: %d alarms", rfc3339(measured.flood_since), alarms)
