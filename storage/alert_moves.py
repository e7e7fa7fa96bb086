"""How the desk's steps change alerts: short transactions fenced by the lease, decided on rows locked in key order."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncpg

from firetower.alerts.holds import Move
from firetower.alerts.model import Alert
from firetower.core.clock import Micros
from firetower.storage import changes
from firetower.storage.alert_rows import COLUMNS, KEY_ORDER, append_history, to_alert, update
from firetower.storage.pool import store_errors

BATCH = 200
"""Most alerts that a step moves in one transaction, and so in one call; it goes on when it is called next."""

_LOCKED = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[]) ORDER BY {KEY_ORDER} FOR NO KEY UPDATE"


class Fence(Protocol):
    """What says inside a transaction that this instance may still act (``storage/lease.py``)."""

    async def hold(self, conn: Any) -> None:
        """Return while it may. Raises LeaseLost."""
        ...


@asynccontextmanager
async def fenced(pool: asyncpg.Pool, lease: Fence) -> AsyncIterator[Any]:
    """Yield the connection of a READ COMMITTED transaction that holds the lease. Raises LeaseLost, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await lease.hold(conn)
            yield conn


async def locked(conn: Any, alert_ids: Iterable[int]) -> list[Alert]:
    """Lock alerts until the transaction ends and return them as they stand, in key order."""
    return [to_alert(row) for row in await conn.fetch(_LOCKED, list(alert_ids))]


async def write(conn: Any, moves: Sequence[Move], at: Micros, *, windows: Sequence[int] = ()) -> None:
    """Store what was decided on locked alerts, and announce them and ``windows``; to be the transaction's last act."""
    await update(conn, [alert for alert, _ in moves])
    await append_history(conn, [(alert.id, entry) for alert, entry in moves if entry is not None])
    await changes.announce(conn, [alert.id for alert, _ in moves], at, windows=windows)
