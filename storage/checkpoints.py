"""The engine's checkpoint in the store: a cache, and from when on stored readings are replayed on top of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np

from firetower.core.clock import MINUTE, Micros, from_datetime, to_datetime
from firetower.devices.readings import Mark, Readings
from firetower.rules.checkpoint import FORMAT
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors

MARGIN: Micros = 15 * MINUTE
"""How old a reading may be when it arrives without moving the instant from which a checkpoint is replayed."""
_NEVER: Micros = -(2**62)
_LATE = np.int16(Mark.LATE)


class ReplayFloor:
    """From when on readings are replayed, kept true by whoever stores one that is older.

    ``lock``: held by a commit that lowers it and by the last step of writing a checkpoint, so that neither misses the
    other. Until a checkpoint is read or begun nothing is replayed from one.
    """

    def __init__(self) -> None:
        self.at: Micros = _NEVER
        self.lowest: Micros = _NEVER
        self.lock = asyncio.Lock()

    def begin(self, at: Micros) -> None:
        """Note that a checkpoint begins, or was read, that is replayed from ``at`` on."""
        self.at = self.lowest = at

    def lowers(self, readings: Readings) -> bool:
        """Say whether readings are older, and remember how old. Late ones change nothing of the engine's state."""
        if not len(readings) or int(readings.ts.min()) >= self.at:
            return False
        in_time = readings.ts[(readings.flags & _LATE) == 0]
        if not len(in_time) or (oldest := int(in_time.min())) >= self.at:
            return False
        self.lowest = min(self.lowest, oldest)
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One that was read: its number, the digest of its rulebook, when it was taken and from when on readings are to be
    replayed, µs.
    """

    number: int
    rulebook: str
    taken_at: Micros
    replay_from: Micros


class CheckpointStore:
    """Checkpoints of this process's partition. Every method raises StoreUnavailable, ``write`` LeaseLost, too."""

    def __init__(self, pool: asyncpg.Pool, lease: Lease, floor: ReplayFloor) -> None:
        self._pool = pool
        self._lease = lease
        self._floor = floor

    async def write(self, rulebook: str, taken_at: Micros, pieces: Sequence[bytes]) -> None:
        """Put a checkpoint of the rulebook with that digest in the place of the one before."""
        with store_errors():
            async with contextlib.AsyncExitStack() as until_committed, self._pool.acquire() as conn, conn.transaction():
                await self._lease.hold(conn)
                number = await conn.fetchval("SELECT coalesce(max(id), 0) + 1 FROM rule_checkpoint")
                await conn.execute(
                    "INSERT INTO rule_checkpoint (id, taken_at, replay_from, rulebook, header)"
                    " VALUES ($1, $2, $2, $3, jsonb_build_object('format', $4::int))",
                    number, to_datetime(taken_at), rulebook, FORMAT,
                )  # fmt: skip
                for n, data in enumerate(pieces):
                    await conn.execute(
                        "INSERT INTO rule_checkpoint_piece (checkpoint_id, n, data) VALUES ($1, $2, $3)",
                        number,
                        n,
                        data,
                    )
                await until_committed.enter_async_context(self._floor.lock)
                await conn.execute("DELETE FROM rule_checkpoint WHERE id < $1", number)
                await conn.execute("UPDATE rule_checkpoint SET replay_from = $1", to_datetime(self._floor.lowest))

    async def read(self) -> Checkpoint | None:
        """Return the checkpoint; None when there is none, or one of another format."""
        with store_errors():
            row = await self._pool.fetchrow(
                "SELECT id, rulebook, taken_at, replay_from FROM rule_checkpoint"
                " WHERE (header->>'format')::int = $1 ORDER BY id DESC LIMIT 1",
                FORMAT,
            )
        if row is None:
            return None
        found = Checkpoint(
            row["id"], row["rulebook"], from_datetime(row["taken_at"]), from_datetime(row["replay_from"])
        )
        self._floor.begin(found.replay_from)
        return found

    async def pieces(self, number: int) -> AsyncIterator[bytes]:
        """Yield the pieces of a checkpoint, in their order."""
        n = 0
        while True:
            with store_errors():
                data = await self._pool.fetchval(
                    "SELECT data FROM rule_checkpoint_piece WHERE checkpoint_id = $1 AND n = $2", number, n
                )
            if data is None:
                return
            yield data
            n += 1

    async def drop(self) -> None:
        """Throw every checkpoint away."""
        with store_errors():
            await self._pool.execute("DELETE FROM rule_checkpoint")


async def lower(conn: Any, at: Micros) -> None:
    """Have the checkpoint replayed from ``at`` on, at the latest; inside the transaction that stores such a reading."""
    await conn.execute("UPDATE rule_checkpoint SET replay_from = $1 WHERE replay_from > $1", to_datetime(at))
