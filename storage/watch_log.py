"""The shift log 值班日志 on PostgreSQL: added to inside the transactions of what it tells of, and read by time."""

import json
from collections.abc import Mapping
from typing import Any

from firetower.alerts.watch.log import LogEntry, LogKind
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import NotFound
from firetower.storage.idempotency import used_at
from firetower.storage.pool import Pool, store_errors

_COLUMNS = "id, at, kind, actor, text, refers_to, alert_id, evidence"
_WRITTEN_AT = (
    f"SELECT {_COLUMNS} FROM shift_log WHERE actor = $1 AND at = $2 AND text = $3 AND kind = 'note' ORDER BY id LIMIT 1"
)


async def log_entry(
    conn: Any,
    at: Micros,
    kind: LogKind,
    actor: str,
    *,
    text: str = "",
    refers_to: int | None = None,
    alert_id: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> LogEntry:
    """Add an entry inside the caller's transaction and return it. ``evidence``: of JSON's types (``LogKind``).

    Nothing that stands there is ever changed: the database refuses it.
    """
    said = dict(evidence or {})
    number = await conn.fetchval(
        "INSERT INTO shift_log (at, kind, actor, text, refers_to, alert_id, evidence)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        to_datetime(at),
        kind.value,
        actor,
        text,
        refers_to,
        alert_id,
        said,
    )
    return LogEntry(number, at, kind.value, actor, text, refers_to, alert_id, said)


async def write(
    pool: Pool, at: Micros, kind: LogKind, actor: str, *, evidence: Mapping[str, Any] | None = None
) -> LogEntry:
    """Add an entry in a transaction of its own. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            return await log_entry(conn, at, kind, actor, evidence=evidence)


async def note(
    pool: Pool,
    text: str,
    *,
    actor: str,
    at: Micros,
    refers_to: int | None = None,
    alert_id: int | None = None,
    idempotency_key: str | None = None,
) -> LogEntry:
    """Add a person's words. The same request under its key again: what that wrote.

    Raises NotFound where the entry or the alert they refer to is not there, Conflict for a key of another request.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            if idempotency_key is not None:
                request = json.dumps(["shift_log", text, refers_to, alert_id], ensure_ascii=False)
                before = await used_at(conn, idempotency_key, actor, request, at)
                if before is not None:
                    return _entry(await conn.fetchrow(_WRITTEN_AT, actor, to_datetime(before), text))
            for table, number in (("shift_log", refers_to), ("alert", alert_id)):
                if number is not None and not await conn.fetchval(f"SELECT true FROM {table} WHERE id = $1", number):
                    what = "entry of the shift log" if table == "shift_log" else "alert"
                    raise NotFound(f"there is no {what} {number}; leave it out, or name one that is there")
            return await log_entry(conn, at, LogKind.NOTE, actor, text=text, refers_to=refers_to, alert_id=alert_id)


async def entries(
    pool: Pool,
    since: Micros,
    until: Micros,
    *,
    limit: int,
    after: tuple[Micros, int] | None = None,
    newest_first: bool = False,
) -> list[LogEntry]:
    """Return up to ``limit`` entries from ``since`` to before ``until``, oldest first, or newest; ``after``: (at, id)
    of the last one known. Raises StoreUnavailable.
    """
    at, number = after or ((until, 0) if newest_first else (since, 0))
    beyond, order = ("<", " DESC") if newest_first else (">", "")
    with store_errors():
        rows = await pool.fetch(
            f"SELECT {_COLUMNS} FROM shift_log WHERE at >= $1 AND at < $2 AND (at, id) {beyond} ($3, $4)"
            f" ORDER BY at{order}, id{order} LIMIT $5",
            to_datetime(since),
            to_datetime(until),
            to_datetime(at),
            number,
            limit,
        )
    return [_entry(row) for row in rows]


async def count(pool: Pool, since: Micros, until: Micros) -> int:
    """Return how many entries there are from ``since`` to before ``until``. Raises StoreUnavailable."""
    counted = "SELECT count(*) FROM shift_log WHERE at >= $1 AND at < $2"
    with store_errors():
        return int(await pool.fetchval(counted, to_datetime(since), to_datetime(until)) or 0)


def _entry(row: Any) -> LogEntry:
    return LogEntry(**dict(row) | {"at": from_datetime(row["at"])})
