"""Readings by day: partitions made ahead and on demand, closed ones indexed, old ones dropped; or TimescaleDB's own."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import asyncpg

from firetower.core.clock import DAY, HOUR, Micros, to_datetime
from firetower.core.logs import logger
from firetower.storage.pool import store_errors

DAYS_AHEAD = 3
"""Partitions stand ready for yesterday, today and this many days more; late data makes its own on demand."""
CLOSED_AFTER: Micros = HOUR
"""A day counts as closed this long after it ended: by then hardly anything is still written to it."""
INDEX_PATIENCE = "10s"
"""How long an index build waits for the transactions of others before it is left for the next maintenance."""
BUILD_TIMEOUT_S = 3600.0

_LOCK = 0x6669_7265_0001
_log = logger("storage.partitions")


def day_of(at: Micros) -> date:
    """Return the UTC day that holds ``at``: the partition its reading lies in."""
    return to_datetime(at).date()


def partition_name(day: date) -> str:
    """Return the table of a day's readings, for example ``reading_20251122``."""
    return f"reading_{day:%Y%m%d}"


async def is_hypertable(conn: Any) -> bool:
    """Say whether TimescaleDB keeps the readings; decided once, by the first migration."""
    return bool(await conn.fetchval("SELECT relkind <> 'p' FROM pg_class WHERE oid = 'reading'::regclass"))


async def existing(conn: Any) -> set[date]:
    """Return the days that have a partition."""
    rows = await conn.fetch(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'reading'::regclass"
    )
    return {date.fromisoformat(row["relname"].removeprefix("reading_")) for row in rows}


async def ensure(conn: Any, days: Iterable[date]) -> int:
    """Create the partitions of ``days`` that are missing; return how many. Nothing to do on TimescaleDB.

    To be called inside a transaction. A partition is made beside the table and then attached, which, unlike
    creating it in place, lets readers and writers of the other days go on.
    """
    wanted = set(days)
    if not wanted or await is_hypertable(conn):
        return 0
    missing = sorted(wanted - await existing(conn))
    if not missing:
        return 0
    await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    missing = sorted(wanted - await existing(conn))
    for day in missing:
        name = partition_name(day)
        await conn.execute(
            f"CREATE TABLE {name} (LIKE reading);"
            f"ALTER TABLE reading ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + timedelta(days=1)} 00:00:00+00')"
        )
    return len(missing)


async def prepare(conn: Any, now: Micros) -> int:
    """Create the partitions of yesterday, today and the days ahead that are missing; return how many."""
    today = day_of(now)
    async with conn.transaction():
        return await ensure(conn, (today + timedelta(days=n) for n in range(-1, DAYS_AHEAD + 1)))


async def maintain(pool: asyncpg.Pool, now: Micros, retention_days: int) -> None:
    """Create partitions ahead, index closed ones by device, drop those older than ``retention_days``.

    To be called every few minutes. What cannot get its lock at once is left for the next call, so that
    maintenance never makes a commit wait.
    """
    oldest = now - retention_days * DAY
    with store_errors():
        async with pool.acquire() as conn:
            if await is_hypertable(conn):
                await _maintain_chunks(conn, oldest, now)
                return
            await prepare(conn, now)
            for day in sorted(await existing(conn)):
                if day < day_of(oldest):
                    await _drop(conn, day)
                elif day < day_of(now - CLOSED_AFTER):
                    await _index(conn, "public", partition_name(day))


async def _drop(conn: Any, day: date) -> None:
    try:
        async with conn.transaction():
            await conn.execute("SET LOCAL lock_timeout = '500ms'")
            await conn.execute(f"DROP TABLE {partition_name(day)}")
    except asyncpg.LockNotAvailableError:
        _log.info("readings of %s are in use; they are dropped at the next maintenance", day)
    else:
        _log.info("readings of %s dropped: older than the retention", day)


async def _index(conn: Any, schema: str, table: str) -> None:
    """Give a closed table its device-history index, without locking out late data.

    A build that was broken off leaves an index that is not valid; it is dropped and built again.
    """
    name = f"{table}_history"
    valid = await conn.fetchval(
        "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1 AND n.nspname = $2",
        name,
        schema,
    )
    if valid:
        return
    await conn.execute("SELECT set_config('lock_timeout', $1, false)", INDEX_PATIENCE)
    try:
        if valid is False:
            await conn.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{schema}"."{name}"')
        on = f'"{name}" ON "{schema}"."{table}" (device, metric, channel, ts)'
        try:
            await conn.execute(f"CREATE INDEX CONCURRENTLY {on}", timeout=BUILD_TIMEOUT_S)
        except asyncpg.FeatureNotSupportedError:  # a TimescaleDB that wants its chunks indexed the plain way
            await conn.execute(f"CREATE INDEX {on}", timeout=BUILD_TIMEOUT_S)
    except asyncpg.LockNotAvailableError:
        _log.info("a long transaction holds up the index of %s; it is built at the next maintenance", table)
    except asyncpg.FeatureNotSupportedError as err:
        _log.warning("%s stays without its device-history index (%s): histories of that day are slower", table, err)
    finally:
        await conn.execute("RESET lock_timeout")


async def _maintain_chunks(conn: Any, oldest: Micros, now: Micros) -> None:
    await conn.execute("SELECT drop_chunks('reading', older_than => $1::timestamptz)", to_datetime(oldest))
    closed = await conn.fetch(
        "SELECT chunk_schema, chunk_name FROM timescaledb_information.chunks"
        " WHERE hypertable_name = 'reading' AND range_end <= $1",
        to_datetime(now - CLOSED_AFTER),
    )
    for chunk in closed:
        await _index(conn, chunk["chunk_schema"], chunk["chunk_name"])
