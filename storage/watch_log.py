"""The shift log 值班日志 on PostgreSQL: added to inside the transactions of what it tells of, and read by time."""

from collections.abc import Mapping
from typing import Any

from firetower.alerts.watch.log import LogEntry, LogKind
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import NotFound
from firetower.storage.pool import Pool, store_errors

_COLUMNS = "id, at, kind, actor, text, refers_to, alert_id, evidence"


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
    pool: Pool, text: str, *, actor: str, at: Micros, refers_to: int | None = None, alert_id: int | None = None
) -> LogEntry:
    """Add a person's words. Raises NotFound where the entry or the alert they refer to is not there."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            for table, number in (("shift_log", refers_to), ("alert", alert_id)):
                if number is not None and not await conn.fetchval(f"SELECT true FROM {table} WHERE id = $1", number):
                    what = "entry of the shift log" if table == "shift_log" else "alert"
                    raise NotFound(f"there is no {what} {number}; leave it out, or name one that is there")
            return await log_entry(conn, at, LogKind.NOTE, actor, text=text, refers_to=refers_to, alert_id=alert_id)


async def entries(
    pool: Pool, since: Micros, until: Micros, *, limit: int, after: tuple[Micros, int] | None = None
) -> list[LogEntry]:
    """Return up to ``limit`` entries from ``since`` to before ``until``, oldest first; ``after``: (at, id) of the last
    one known. Raises StoreUnavailable.
    """
    at, number = after or (since, 0)
    with store_errors():
        rows = await pool.fetch(
            f"SELECT {_COLUMNS} FROM shift_log WHERE at >= $1 AND at < $2 AND (at, id) > ($3, $4)"
            " ORDER BY at, id LIMIT $5",
            to_datetime(since),
            to_datetime(until),
            to_datetime(at),
            number,
            limit,
        )
    return [LogEntry(**dict(row) | {"at": from_datetime(row["at"])}) for row in rows]


async def count(pool: Pool, since: Micros, until: Micros) -> int:
    """Return how many entries there are from ``since`` to before ``until``. Raises StoreUnavailable."""
    counted = "SELECT count(*) FROM shift_log WHERE at >= $1 AND at < $2"
    with store_errors():
        return int(await pool.fetchval(counted, to_datetime(since), to_datetime(until)) or 0)
