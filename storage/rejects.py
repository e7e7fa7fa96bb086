"""The reject ledger: every message that could not be used, with its reason, its sender and its bytes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.core.clock import DAY, Micros, from_datetime, to_datetime
from firetower.core.errors import InvalidInput
from firetower.core.logs import logger
from firetower.ingest.ports import Reject
from firetower.storage import meters
from firetower.storage.listening import follow
from firetower.storage.pool import store_errors

KEEP_DAYS = 90
KEEP_ALARM_DAYS = 365
"""Rejects of the alarm lane are evidence: kept a year, whatever the size of the ledger."""
KEEP_BYTES = 1 << 30
REPLAYABLE = "unknown_device"
"""What a message is usually refused for that is good a second time: its device is registered by now."""
ASKED = "firetower_replay"
"""NOTIFY channel on which somebody says that a replay is asked for."""

_log = logger("storage.rejects")


@dataclass(frozen=True, slots=True)
class RejectPage:
    """Rejects newest first, each with its id, and the cursor of the next page; None on the last."""

    items: list[tuple[int, Reject]]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rejects were dropped for their age and for the size of the ledger."""

    by_age: int
    by_size: int


async def store(conn: Any, rejects: Sequence[Reject]) -> None:
    """Write rejects on the caller's transaction.

    Topic and detail may hold what made the message unusable; a NUL or a broken character, which PostgreSQL's
    text cannot hold, is written as U+FFFD.
    """
    if rejects:
        await conn.execute(
            "INSERT INTO reject (at, lane, topic, reason, detail, payload) SELECT * FROM"
            " unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])",
            [to_datetime(reject.at) for reject in rejects],
            [reject.lane for reject in rejects],
            [_storable(reject.topic) for reject in rejects],
            [reject.reason for reject in rejects],
            [_storable(reject.detail) for reject in rejects],
            [reject.payload for reject in rejects],
        )


def _reject(row: Any) -> Reject:
    return Reject(from_datetime(row["at"]), row["lane"], row["topic"], row["reason"], row["detail"], row["payload"])


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Which:
    """Which rejects: of one unit's topics, one device (itself the sender, or named in its gateway's message), one
    reason, with this text in their topic; None: whatever it is. ``since``: µs.
    """

    unit: str | None = None
    device: str | None = None
    reason: str | None = None
    topic: str | None = None
    since: Micros | None = None


_WHICH = """($1::text IS NULL OR split_part(topic, '/', 3) = $1)
 AND ($2::text IS NULL OR split_part(topic, '/', 4) = $2
  OR (split_part(topic, '/', 4) = 'gateway' AND strpos(detail, $2) > 0))
 AND ($3::text IS NULL OR reason = $3) AND ($4::text IS NULL OR strpos(topic, $4) > 0)
 AND ($5::timestamptz IS NULL OR at >= $5)"""


def _values(which: Which) -> list[Any]:
    since = None if which.since is None else to_datetime(which.since)
    return [which.unit, which.device, which.reason, which.topic, since]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many were refused for one reason, and when the newest was, µs."""

    reason: str
    count: int
    last_at: Micros


async def counted(pool: asyncpg.Pool, which: Which) -> list[ReasonCount]:
    """Return how many rejects there are by reason, the most first. Raises StoreUnavailable."""
    with store_errors():
        rows = await pool.fetch(
            f"SELECT reason, count(*) AS n, max(at) AS last_at FROM reject WHERE {_WHICH}"
            " GROUP BY 1 ORDER BY 2 DESC, 1",
            *_values(which),
        )
    return [ReasonCount(row["reason"], row["n"], from_datetime(row["last_at"])) for row in rows]


async def list_rejects(
    pool: asyncpg.Pool, which: Which | None = None, *, limit: int = 100, cursor: str | None = None
) -> RejectPage:
    """Return up to ``limit`` rejects, newest first. Raises InvalidInput for a cursor that no page gave."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidInput(f"cursor {cursor!r} is none of this list; start again without a cursor")
    with store_errors():
        rows = await pool.fetch(
            f"SELECT * FROM reject WHERE {_WHICH} AND ($6::int8 IS NULL OR id < $6) ORDER BY id DESC LIMIT $7",
            *_values(which or Which()),
            None if cursor is None else int(cursor),
            limit + 1,
        )
    items = [(int(row["id"]), _reject(row)) for row in rows[:limit]]
    return RejectPage(items, str(items[-1][0]) if len(rows) > limit else None)


async def ask_replay(
    pool: asyncpg.Pool, at: Micros, *, unit: str | None = None, device: str | None = None, reason: str = REPLAYABLE
) -> int:
    """Ask for a second try of the rejects with ``reason``, of one unit or one device if given; return of how many.

    The running service does it (``ingest.replay``), or the next one that starts.
    """
    with store_errors():
        return int(
            await pool.fetchval(
                "WITH asked AS (UPDATE reject SET replay_asked_at = $1 WHERE reason = $2"
                "  AND ($3::text IS NULL OR split_part(topic, '/', 3) = $3)"
                "  AND ($4::text IS NULL OR split_part(topic, '/', 4) = $4"
                "   OR (split_part(topic, '/', 4) = 'gateway' AND strpos(detail, $4) > 0)) RETURNING id)"
                " SELECT count(*) FROM asked, (SELECT pg_notify($5, '')) AS told",
                to_datetime(at),
                reason,
                unit,
                device,
                ASKED,
            )
        )


class Ledger:
    """``ingest.replay.Ledger`` on PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def asked(self, limit: int) -> list[tuple[int, Reject]]:
        """Return up to ``limit`` messages asked for, oldest first; one number each though several rows are of it."""
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT * FROM (SELECT DISTINCT ON (at, topic, payload) * FROM reject WHERE replay_asked_at IS NOT NULL"
                " ORDER BY at, topic, payload, id LIMIT $1) r ORDER BY at, id",
                limit,
            )
        return [(int(row["id"]), _reject(row)) for row in rows]


async def asked_count(pool: asyncpg.Pool) -> int:
    """Return how many rejects wait for the second try they were asked for."""
    with store_errors():
        return int(await pool.fetchval("SELECT count(*) FROM reject WHERE replay_asked_at IS NOT NULL"))


async def follow_asked(pool: asyncpg.Pool, told: Callable[[], None]) -> None:
    """Call ``told`` whenever a replay may have been asked for, until cancelled."""

    async def look(_conn: Any, new: bool) -> None:
        if new:
            told()

    await follow(pool, ASKED, look=look, heard=lambda _: told())


async def forget(conn: Any, ids: Sequence[int]) -> None:
    """Delete, on the caller's transaction, every row of the messages that the rejects ``ids`` are of."""
    if ids:
        await conn.execute(
            "DELETE FROM reject r USING reject a WHERE a.id = ANY($1::int8[])"
            " AND (r.at, r.topic, r.payload) = (a.at, a.topic, a.payload)",
            list(ids),
        )


async def prune(pool: asyncpg.Pool, now: Micros, *, keep_bytes: int = KEEP_BYTES) -> Pruned:
    """Drop what is past its age, then the oldest until the ledger's bytes fit; return and log how many.

    The alarm lane's own bytes do not count and are never dropped for size.
    """
    with store_errors():
        aged = await pool.execute(
            "DELETE FROM reject WHERE at < $1 AND (lane <> 'alarm' OR at < $2)",
            to_datetime(now - KEEP_DAYS * DAY),
            to_datetime(now - KEEP_ALARM_DAYS * DAY),
        )
        sized = await pool.execute(
            "DELETE FROM reject WHERE id IN (SELECT id FROM (SELECT id, sum(octet_length(payload)"
            "  + octet_length(topic) + octet_length(detail)) OVER (ORDER BY id DESC) AS bytes"
            "  FROM reject WHERE lane <> 'alarm') newer WHERE bytes > $1)",
            keep_bytes,
        )
    pruned = Pruned(int(aged.rsplit(" ", 1)[1]), int(sized.rsplit(" ", 1)[1]))
    meters.rejects_dropped.labels("age").inc(pruned.by_age)
    meters.rejects_dropped.labels("size").inc(pruned.by_size)
    if pruned.by_size:
        _log.warning(
            "%d oldest rejects dropped: the ledger is over %d bytes; see what sends them with `firetower rejects list`",
            pruned.by_size,
            keep_bytes,
        )
    return pruned
