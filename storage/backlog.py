"""The backlog of alarms that the lane has no room for: kept as they came, in order, until it has time for them."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.mqtt import Incoming
from firetower.devices.wire_json import clean
from firetower.ingest.ports import BACKLOG
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors

_COUNTED_WITHIN_S = 60
"""A million alarms are counted within a second; a start that waits for a disk waits longer."""


class AlarmBacklog:
    """``ingest.ports.Backlog`` on PostgreSQL. ``lease``: checked by whatever is written; None without one."""

    def __init__(self, pool: asyncpg.Pool, lease: Lease | None = None) -> None:
        self._pool = pool
        self._lease = lease

    async def senders(self) -> Sequence[tuple[str, int, Micros]]:
        """Return whose alarms are there, how many, and when the first came, µs; the first put away first."""
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT sender, count(*) AS count, min(received_at) AS since FROM alarm_backlog"
                " GROUP BY sender ORDER BY min(id)",
                timeout=_COUNTED_WITHIN_S,
            )
        return [(row["sender"], row["count"], from_datetime(row["since"])) for row in rows]

    async def put(self, rows: Sequence[tuple[str, Incoming]]) -> None:
        """Keep (sender, message), in one transaction. Raises LeaseLost."""
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                if self._lease is not None:
                    await self._lease.hold(conn)
                await conn.copy_records_to_table(
                    "alarm_backlog",
                    records=[
                        (
                            clean(sender),
                            to_datetime(message.received_at),
                            clean(message.topic),
                            message.retain,
                            message.payload,
                        )
                        for sender, message in rows
                    ],
                    columns=("sender", "received_at", "topic", "retain", "payload"),
                )

    async def take(self, wanted: Sequence[tuple[str, int]]) -> Sequence[tuple[str, Incoming]]:
        """Return (sender, message), oldest first: of each of ``wanted`` the oldest, as many; they stay until a commit.

        Bounded by who asks. A table that grew from nothing within seconds has no statistics, so the plan is named.
        """
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction(readonly=True):
                await conn.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
                rows = await conn.fetch(
                    "SELECT b.* FROM unnest($1::text[], $2::int[]) AS s (sender, most) CROSS JOIN LATERAL"
                    " (SELECT * FROM alarm_backlog a WHERE a.sender = s.sender ORDER BY a.sender, a.id LIMIT s.most) b"
                    " ORDER BY b.id",
                    [sender for sender, _ in wanted],
                    [most for _, most in wanted],
                )
        return [
            (
                row["sender"],
                Incoming(
                    topic=row["topic"], payload=row["payload"], mid=row["id"], qos=0, dup=False, retain=row["retain"],
                    received_at=from_datetime(row["received_at"]), epoch=BACKLOG,
                ),
            )
            for row in rows
        ]  # fmt: skip


async def leave(conn: Any, numbers: Sequence[int]) -> None:
    """Delete what has been judged, on the transaction that holds what it caused."""
    if numbers:
        await conn.execute("DELETE FROM alarm_backlog WHERE id = ANY($1::int8[])", list(numbers))
