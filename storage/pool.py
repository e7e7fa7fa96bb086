"""The pool of database connections, and which of PostgreSQL's errors mean "not now" rather than "wrong"."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from firetower.core.errors import StoreUnavailable

COMMAND_TIMEOUT_S = 30.0
"""Longest a statement may take before its connection counts as lost; commits set tighter limits themselves."""

_CONTENT = ("22", "23", "42", "54")
"""SQLSTATE classes that speak of what was sent: data, integrity, syntax and names, size. Every other one, a known
or a new one, is the database's own trouble: connection, rollback, resources (disk full), operator, locks, system."""


Pool = asyncpg.Pool
"""The type of a pool, for parts that speak no SQL."""


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _left_clean(_connection: Any) -> None:
    """Nothing of ours leaves a connection with settings, locks or cursors: asking to reset them would be a round trip.

    An open transaction is rolled back by asyncpg all the same.
    """


async def connect(url: str, *, size: int = 8) -> asyncpg.Pool:
    """Return a pool of up to ``size`` connections: sessions in UTC, ``jsonb`` as Python objects.

    Raises StoreUnavailable when the database cannot be reached.
    """
    with store_errors():
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            init=_prepare,
            reset=_left_clean,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"timezone": "UTC", "application_name": "firetower"},
        )


async def ping(pool: asyncpg.Pool) -> None:
    """Ask the database whether it answers. Raises StoreUnavailable."""
    with store_errors():
        await pool.fetchval("SELECT 1")


def is_not_now(err: BaseException) -> bool:
    """Say whether ``err`` means that the same act may succeed later."""
    if isinstance(err, asyncpg.PostgresError):
        return str(err.sqlstate or "")[:2] not in _CONTENT
    if isinstance(err, asyncpg.InterfaceError):
        return not isinstance(err, ValueError)  # a ValueError among them is a value that does not fit its column
    # asyncpg's internal error is what a connection ends with when the server is gone between two of its messages
    return isinstance(err, asyncpg.InternalClientError | OSError | TimeoutError)


def heed_cancellation(err: BaseException) -> None:
    """Raise CancelledError where the task was cancelled: giving its connection back failed with ``err`` after that.

    Whoever tried again would go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from err


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn errors of a database that is away, full, restarting or overtaken into StoreUnavailable.

    Every other error, a constraint above all, is a bug and passes through.
    """
    try:
        yield
    except Exception as err:
        if not is_not_now(err):
            raise
        heed_cancellation(err)
        raise StoreUnavailable(
            f"the database cannot answer ({type(err).__name__}: {err}); "
            "check that PostgreSQL runs, that FIRETOWER_DATABASE_URL reaches it, and its free disk"
        ) from err
