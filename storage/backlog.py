"""The backlog of alarms over their sender's share: kept as they came, in order, until the lane has time for them."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from firetower.core.clock import from_datetime, to_datetime
from firetower.core.mqtt import Incoming
from firetower.devices.wire_json import clean
from firetower.ingest.ports import BACKLOG
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors


class AlarmBacklog:
    """``ingest.ports.Backlog`` on PostgreSQL. ``lease``: checked by whatever is written; None without one."""

    def __init__(self, pool: asyncpg.Pool, lease: Lease | None = None) -> None:
        self._pool = pool
        self._lease = lease

    async def senders(self) -> Sequence[str]:
        """Return whose alarms are there."""
        with store_errors():
            # a loose scan of the index: a flood of one sender is one step
            rows = await self._pool.fetch(
                "WITH RECURSIVE s AS ((SELECT sender FROM alarm_backlog ORDER BY sender LIMIT 1) UNION ALL"
                " SELECT (SELECT b.sender FROM alarm_backlog b WHERE b.sender > s.sender ORDER BY b.sender LIMIT 1)"
                " FROM s WHERE s.sender IS NOT NULL) SELECT sender FROM s WHERE sender IS NOT NULL"
            )
        return [row["sender"] for row in rows]

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

    async def take(self, senders: Sequence[str], each: int, most: int) -> Sequence[Incoming]:
        """Return the oldest ``each`` of every sender, ``most`` in all; they stay until the commit that holds them."""
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT b.* FROM unnest($1::text[]) AS s (sender) CROSS JOIN LATERAL (SELECT *,"
                "  row_number() OVER (ORDER BY id) AS place FROM (SELECT * FROM alarm_backlog a"
                "   WHERE a.sender = s.sender ORDER BY id LIMIT $2) oldest) b ORDER BY b.place, b.id LIMIT $3",
                list(senders),
                each,
                most,
            )
        return [
            Incoming(
                topic=row["topic"], payload=row["payload"], mid=row["id"], qos=0, dup=False, retain=row["retain"],
                received_at=from_datetime(row["received_at"]), epoch=BACKLOG,
            )
            for row in rows
        ]  # fmt: skip


async def leave(conn: Any, numbers: Sequence[int]) -> None:
    """Delete what has been judged, on the transaction that holds what it caused."""
    if numbers:
        await conn.execute("DELETE FROM alarm_backlog WHERE id = ANY($1::int8[])", list(numbers))
