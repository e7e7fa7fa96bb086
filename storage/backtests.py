"""Back-tests asked for and done: one at a time, each with its rulebook, its state and what it told.

Whoever does one holds an advisory lock meanwhile, so that anybody can tell one that goes on from one whose process is
gone, on any node and after any restart.
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.core.clock import DAY, HOUR, SECOND, Micros, from_datetime, rfc3339, to_datetime
from firetower.core.errors import Conflict
from firetower.storage import history
from firetower.storage.pool import store_errors

STARTS_WITHIN: Micros = 60 * SECOND
"""A process that was asked for is at work by then."""
KEPT = 50
"""Finished back-tests that no rulebook in force names go, oldest first, past so many."""
ASKED_WITHIN: Micros = HOUR
"""A limit may lean on a back-test whose range ends at most this long before it was asked for."""
_LOCKS = 0x6669_7265  # the first half of an advisory lock's number; the second is of the back-test
_ASKING = 0x6669_7265_0004
_GONE = "its process ended without an answer: the service was stopped or its machine failed; ask again"
_COLUMNS = "id, asked_at, asked_by, from_at, to_at, digest, state, error, finished_at, progress"


@dataclass(frozen=True, slots=True)
class Backtest:
    """One back-test. ``state``: ``running``, ``done``, ``failed`` or ``cancelled``. ``digest``: of the rulebook
    (``fire_digest``). ``progress``: the share that is done, as last told; None before any was.
    """

    id: str
    asked_at: Micros
    asked_by: str
    since: Micros
    until: Micros
    digest: str
    state: str
    error: str | None
    finished_at: Micros | None
    progress: float | None = None


async def ask(
    pool: asyncpg.Pool,
    rulebook: Mapping[str, str],
    digest: str,
    *,
    since: Micros,
    until: Micros,
    by: str,
    at: Micros,
) -> Backtest:
    """Write down a back-test that is to be done, of the files of ``rulebook`` (text by name).

    Raises Conflict naming the one that goes on, StoreUnavailable.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", _ASKING)
            await _bury(conn, at)
            running = await conn.fetchrow(f"SELECT {_COLUMNS} FROM backtest WHERE state = 'running' LIMIT 1")
            if running is not None:
                raise Conflict(
                    f"back-test {running['id']}, asked for by {running['asked_by']} at"
                    f" {rfc3339(from_datetime(running['asked_at']))}, goes on, and one is done at a time; wait for it:"
                    f" GET /api/v1/rules/backtests/{running['id']}"
                )
            row = await conn.fetchrow(
                "INSERT INTO backtest (id, asked_at, asked_by, from_at, to_at, rulebook, digest)"
                f" VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}",
                f"bt-{secrets.token_hex(6)}",
                to_datetime(at),
                by,
                to_datetime(since),
                to_datetime(until),
                dict(rulebook),
                digest,
            )
            await conn.execute(
                "DELETE FROM backtest WHERE id IN (SELECT b.id FROM backtest b WHERE b.state <> 'running'"
                " AND NOT EXISTS (SELECT FROM rule_in_force r WHERE r.written #>> '{loosened,backtest}' = b.id)"
                " AND NOT EXISTS (SELECT FROM rulebook_in_force o WHERE o.overrides::text LIKE '%' || b.id || '%')"
                " ORDER BY b.asked_at DESC OFFSET $1)",
                KEPT,
            )
    return _backtest(row)


@asynccontextmanager
async def at_work(pool: asyncpg.Pool, backtest_id: str) -> AsyncIterator[Mapping[str, str] | None]:
    """Give the files of the rulebook of a running back-test to whoever does it, and let everybody know it goes on.

    None: it is not to be done, there is none such that runs, or another process does it. Raises StoreUnavailable.
    """
    with store_errors():
        async with pool.acquire() as conn:
            if not await conn.fetchval("SELECT pg_try_advisory_lock($1, hashtext($2))", _LOCKS, backtest_id):
                yield None
                return
            try:
                yield await conn.fetchval(
                    "SELECT rulebook FROM backtest WHERE id = $1 AND state = 'running'", backtest_id
                )
            finally:
                await conn.execute("SELECT pg_advisory_unlock($1, hashtext($2))", _LOCKS, backtest_id)


async def finish(pool: asyncpg.Pool, backtest_id: str, result: Mapping[str, Any], at: Micros) -> None:
    """Write down what a back-test told. Raises StoreUnavailable."""
    with store_errors():
        await pool.execute(
            "UPDATE backtest SET state = 'done', result = $2, finished_at = $3 WHERE id = $1 AND state = 'running'",
            backtest_id,
            dict(result),
            to_datetime(at),
        )


async def cancel(pool: asyncpg.Pool, backtest_id: str, by: str, at: Micros) -> None:
    """Call a back-test off; whoever does it stops within a second or so. Raises Conflict where it does not run."""
    with store_errors():
        row = await pool.fetchval(
            "UPDATE backtest SET state = 'cancelled', error = $2, finished_at = $3 WHERE id = $1 AND state = 'running'"
            " RETURNING id",
            backtest_id,
            f"{by} called it off",
            to_datetime(at),
        )
    if row is None:
        raise Conflict(f"back-test {backtest_id} does not run; there is nothing to call off")


async def note_progress(pool: asyncpg.Pool, backtest_id: str, share: float) -> bool:
    """Write down how far a back-test has come; False: it is not to go on. Raises StoreUnavailable."""
    with store_errors():
        return bool(
            await pool.fetchval(
                "UPDATE backtest SET progress = $2 WHERE id = $1 AND state = 'running' RETURNING true",
                backtest_id,
                share,
            )
        )


async def fail(pool: asyncpg.Pool, backtest_id: str, error: str, at: Micros) -> None:
    """Write down why a back-test came to nothing; one that is over stays as it is. Raises StoreUnavailable."""
    with store_errors():
        await pool.execute(
            "UPDATE backtest SET state = 'failed', error = $2, finished_at = $3 WHERE id = $1 AND state = 'running'",
            backtest_id,
            error,
            to_datetime(at),
        )


async def listed(pool: asyncpg.Pool, at: Micros) -> list[Backtest]:
    """Return all back-tests, the newest first. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await _bury(conn, at)
            rows = await conn.fetch(f"SELECT {_COLUMNS} FROM backtest ORDER BY asked_at DESC, id LIMIT $1", 2 * KEPT)
    return [_backtest(row) for row in rows]


async def found(pool: asyncpg.Pool, backtest_id: str, at: Micros) -> tuple[Backtest, Mapping[str, Any] | None] | None:
    """Return a back-test and what it told, None as long as it did not; None where there is no such one."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await _bury(conn, at)
            row = await conn.fetchrow(f"SELECT {_COLUMNS}, result FROM backtest WHERE id = $1", backtest_id)
    return None if row is None else (_backtest(row), row["result"])


async def is_sound(pool: asyncpg.Pool, backtest_id: str, digest: str) -> str | None:
    """Return why a loosened limit may not lean on a back-test: None where it may.

    It has to be of all that was stored when it was asked for, ``history.LONGEST`` back at most: of a stretch in which
    nothing burned any limit is sound. ``digest``: of the rulebook that names it (``rules.backtest.fire_digest``).
    Raises StoreUnavailable.
    """
    with store_errors():
        row = await pool.fetchrow(
            f"SELECT {_COLUMNS}, (result #>> '{{fires,missed}}')::int AS missed,"
            " (result ->> 'readings')::int8 AS readings, (result ->> 'stored_from')::timestamptz AS stored_from"
            " FROM backtest WHERE id = $1",
            backtest_id,
        )
    if row is None:
        return f"there is no back-test {backtest_id!r}; do one: POST /api/v1/rules/backtests"
    if row["state"] == "running":
        return f"back-test {backtest_id} goes on still; wait until it is done"
    if row["state"] in {"failed", "cancelled"}:
        return f"back-test {backtest_id} came to nothing ({row['error']}); do another"
    if row["digest"] != digest:
        return (
            f"back-test {backtest_id} was of a rulebook whose fire and prealarm rules are other ones; back-test the"
            " rulebook as it is"
        )
    if row["missed"]:
        return f"back-test {backtest_id} missed {row['missed']} confirmed fires; such a limit may not come into force"
    if not row["readings"]:
        return f"back-test {backtest_id} replayed no reading, so it says nothing; take a range with stored readings"
    return await _left_out(pool, _backtest(row), from_datetime(row["stored_from"]))


async def _left_out(pool: asyncpg.Pool, done: Backtest, stored_from: Micros) -> str | None:
    """Return what of the history, stored since ``stored_from``, a back-test is not of; None where that is enough."""
    begin = max(stored_from, done.asked_at - history.LONGEST)
    before, after = (begin, min(done.since, done.asked_at)), (max(done.until, begin), done.asked_at)
    missing = [(since, until) for since, until in (before, after) if since < until]
    fires = sum([await history.confirmed_fires(pool, since, until) for since, until in missing])
    if not fires and before not in missing and done.asked_at - done.until <= ASKED_WITHIN:
        return None
    said = " and ".join(f"{rfc3339(since)} to {rfc3339(until)}" for since, until in missing)
    return (
        f"back-test {done.id} leaves out {said}" + (f", with {fires} confirmed fires" if fires else "") + "; take all"
        f" that is stored, the last {history.LONGEST // DAY} days at most, up to now"
    )


async def _bury(conn: Any, at: Micros) -> None:
    """Write down as failed what runs by its row only; nobody holds its lock."""
    for row in await conn.fetch(
        "SELECT id FROM backtest WHERE state = 'running' AND asked_at < $1", to_datetime(at - STARTS_WITHIN)
    ):
        if await conn.fetchval("SELECT pg_try_advisory_xact_lock($1, hashtext($2))", _LOCKS, row["id"]):
            await conn.execute(
                "UPDATE backtest SET state = 'failed', error = $2, finished_at = $3"
                " WHERE id = $1 AND state = 'running'",
                row["id"],
                _GONE,
                to_datetime(at),
            )


def _backtest(row: Any) -> Backtest:
    return Backtest(
        id=row["id"],
        asked_at=from_datetime(row["asked_at"]),
        asked_by=row["asked_by"],
        since=from_datetime(row["from_at"]),
        until=from_datetime(row["to_at"]),
        digest=row["digest"],
        state=row["state"],
        error=row["error"],
        finished_at=None if row["finished_at"] is None else from_datetime(row["finished_at"]),
        progress=row["progress"],
    )
