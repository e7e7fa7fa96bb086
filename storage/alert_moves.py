"""How the desk's steps change alerts: short transactions fenced by the lease, decided on rows locked in key order."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import asyncpg

from firetower.alerts.holds import Move
from firetower.alerts.model import Alert
from firetower.alerts.moves import Decided
from firetower.core.clock import Micros
from firetower.storage import changes
from firetower.storage.alert_rows import COLUMNS, KEY_ORDER, append_history, to_alert, update
from firetower.storage.pool import store_errors

Item = TypeVar("Item")

BATCH = 200
"""Most alerts that a step moves in one transaction, and so in one call; it goes on when it is called next."""

PIECE = 50
"""Alerts read, or decided on, before the event loop gets its turn: a millisecond or two."""

_LOCKED = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[]) ORDER BY {KEY_ORDER} FOR NO KEY UPDATE"


_PLANS = "SET LOCAL enable_seqscan = off; "
"""Few rows by their keys, and their foreign keys: by the indexes, though a table was empty when last analysed."""


class Fence(Protocol):
    """What says inside a transaction that this instance may still act (``storage/lease.py``)."""

    async def hold(self, conn: Any, first: str = "") -> None:
        """Run the script ``first``; return while it may. Raises LeaseLost."""
        ...


@asynccontextmanager
async def fenced(pool: asyncpg.Pool, lease: Fence) -> AsyncIterator[Any]:
    """Yield the connection of a READ COMMITTED transaction that holds the lease. Raises LeaseLost, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await lease.hold(conn, _PLANS)
            yield conn


async def locked(conn: Any, alert_ids: Iterable[int]) -> list[Alert]:
    """Lock alerts until the transaction ends and return them as they stand, in key order."""
    return await read(conn, _LOCKED, list(alert_ids))


async def read(conn: Any, query: str, *arguments: Any) -> list[Alert]:
    """Return the alerts of a query for COLUMNS, some rows at a time; ``conn`` must be in a transaction."""
    return [to_alert(row) async for row in conn.cursor(query, *arguments, prefetch=PIECE)]


async def in_turns(things: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield ``things``; after each PIECE of them the event loop gets its turn."""
    for number, each in enumerate(things, 1):
        yield each
        if number % PIECE == 0:
            await asyncio.sleep(0)


async def write(conn: Any, moves: Sequence[Move], at: Micros, *, windows: Sequence[int] = ()) -> None:
    """Store moves of locked alerts, and announce them and ``windows``; to be the transaction's last act."""
    done = [(alert, () if entry is None else (entry,)) for alert, entry in moves]
    await write_decided(conn, done, at, windows=windows)


async def write_decided(conn: Any, done: Sequence[Decided], at: Micros, *, windows: Sequence[int] = ()) -> None:
    """Store what was decided on locked alerts, and announce them and ``windows``; to be the transaction's last act."""
    await asyncio.sleep(0)  # deciding took a turn of its own
    await update(conn, [alert for alert, _ in done])
    await append_history(conn, [(alert.id, entry) for alert, entries in done for entry in entries])
    await changes.announce(conn, [alert.id for alert, _ in done], at, windows=windows)
