"""The reject ledger: every message that could not be used, with its reason, its sender and its bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.core.clock import DAY, Micros, from_datetime, to_datetime
from firetower.core.errors import InvalidInput
from firetower.core.logs import logger
from firetower.ingest.ports import Reject
from firetower.storage.pool import store_errors

KEEP_DAYS = 90
KEEP_ALARM_DAYS = 365
"""Rejects of the alarm lane are evidence: kept a year, whatever the size of the ledger."""
KEEP_BYTES = 1 << 30

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


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


async def list_rejects(
    pool: asyncpg.Pool, *, limit: int = 100, cursor: str | None = None, unit: str | None = None
) -> RejectPage:
    """Return up to ``limit`` rejects, newest first, of one unit's topics when ``unit`` is given.

    Raises InvalidInput for a cursor that no page gave.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidInput(f"cursor {cursor!r} is none of this list; start again without a cursor")
    with store_errors():
        rows = await pool.fetch(
            "SELECT * FROM reject WHERE ($1::int8 IS NULL OR id < $1)"
            " AND ($2::text IS NULL OR split_part(topic, '/', 3) = $2) ORDER BY id DESC LIMIT $3",
            None if cursor is None else int(cursor),
            unit,
            limit + 1,
        )
    items = [
        (
            int(row["id"]),
            Reject(
                from_datetime(row["at"]),
                row["lane"],
                row["topic"],
                row["reason"],
                row["detail"],
                row["payload"],
            ),
        )
        for row in rows[:limit]
    ]
    return RejectPage(items, str(items[-1][0]) if len(rows) > limit else None)


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
    if pruned.by_size:
        _log.warning(
            "%d oldest rejects dropped: the ledger is over %d bytes; see what sends them with `firetower rejects list`",
            pruned.by_size,
            keep_bytes,
        )
    return pruned
