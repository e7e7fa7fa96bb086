"""Leases: one instance at a time hears a partition's sessions or keeps the desk; who was overtaken commits no more.

Two things make it. A session advisory lock, held by a connection of the lease's own, tells at once that the holder is
gone: PostgreSQL frees it when a killed process's connection closes. The row's ``epoch`` fences: a takeover raises it,
and every commit checks it (``checked``) in its own transaction. The check locks the row FOR KEY SHARE: a renewal is no
change of the key and waits for no commit, a takeover locks FOR UPDATE and waits for those under way.
"""

import asyncio
import os
import random
import socket
from typing import Any

import asyncpg

from firetower.core.clock import Clock, SystemClock, rfc3339
from firetower.core.errors import FiretowerError, LeaseLost
from firetower.core.logs import logger
from firetower.storage.pool import heed_cancellation, is_not_now, store_errors

RENEWED_EVERY_S = 3.0
STALE_AFTER_S = 15.0
"""A lease not renewed for so long is free for the taking, though PostgreSQL still holds its lock for a lost host."""
_PATIENCE_MS = 1500
"""How long a start waits for the lock: the backend of a predecessor killed this moment is still ending."""
_RAISE_MS = 25_000
"""How long a takeover waits for commits under way; those of a lost host end by ``pool.IDLE_LIMIT_S``."""
_ANSWER_S = 30.0
_LONGEST_WAIT_S = 1.0
_KIND = 0x4C65_6173
"""First key of the advisory lock; the second is the partition."""

DESK = 1_000_000
"""The number under which the desk's lease (``storage/desk.py``) lies among those of the partitions."""

_log = logger("storage.lease")

_RAISE = (
    "INSERT INTO lease (partition, owner, epoch, renewed_at) VALUES ($1, $2, 1, clock_timestamp())"
    " ON CONFLICT (partition) DO UPDATE SET owner = excluded.owner, epoch = lease.epoch + 1,"
    "  renewed_at = excluded.renewed_at RETURNING epoch"
)
_HOLDER = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = $1::int8::oid AND objid = $2::int8::oid"
)


class LeaseTaken(FiretowerError):
    """Another instance holds the lease and lives."""

    code = "lease_taken"


class Lease:
    """The lease of one partition, or of the desk (``DESK``), for this process. ``epoch``: 0 until taken.

    ``owner``: what others are told of the holder; absent, host, process and start.
    """

    def __init__(self, url: str, partition: int, *, owner: str | None = None, clock: Clock | None = None) -> None:
        self._url = url
        self.partition = partition
        started = rfc3339((clock or SystemClock()).now())
        self.owner = owner or f"{socket.gethostname()}, process {os.getpid()}, started {started}"
        self.epoch = 0
        self._what = "the desk" if partition == DESK else f"partition {partition}"
        self._conn: Any = None
        self._lost = asyncio.Event()

    # taking and keeping ---------------------------------------------------------------------------

    async def take(self) -> None:
        """Take the lease and raise its epoch; to be called before the MQTT CONNECT.

        Raises LeaseTaken while another instance holds it and renews it, StoreUnavailable.
        """
        with store_errors():
            await self._connect()
            try:
                if await self._lock(_PATIENCE_MS):
                    self.epoch = await self._raise(None)
                else:
                    await self._take_over()
            except BaseException:
                self.release()
                raise
        _log.info("%s is ours: epoch %d, %s", self._what, self.epoch, self.owner)

    async def keep(self) -> None:
        """Renew the lease until cancelled, over lost connections and restarts of PostgreSQL.

        Raises LeaseLost when another instance has raised the epoch.
        """
        failures = 0
        while True:
            try:
                if self._conn is None or self._conn.is_closed():
                    await self._connect()
                    await self._lock_again()
                await self._renew()
                failures = 0
            except Exception as err:
                if not is_not_now(err):
                    raise
                heed_cancellation(err)
                if failures == 0:
                    _log.warning(
                        "the lease of %s cannot be renewed (%s: %s); trying again",
                        self._what, type(err).__name__, err,
                    )  # fmt: skip
                self.release()
                failures += 1
                await asyncio.sleep(random.uniform(0.05, min(_LONGEST_WAIT_S, 0.1 * 2 ** min(failures, 10))))
                continue
            await self._pause()

    def release(self) -> None:
        """Close the lease's connection, which frees the lock; the row and its epoch stay."""
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None

    # fencing --------------------------------------------------------------------------------------

    def checked(self) -> str:
        """Return the statement that a commit ends its first round trip with: it finds one row while the lease is ours.

        Of integers only, so that it may stand in a script. The row stays locked until the transaction ends.
        """
        return f"SELECT FROM lease WHERE partition = {self.partition:d} AND epoch = {self.epoch:d} FOR KEY SHARE"

    async def hold(self, conn: Any, first: str = "") -> None:
        """Check the lease inside the caller's transaction, after the script ``first``. Raises LeaseLost."""
        if await conn.execute(first + self.checked()) != "SELECT 1":
            raise await self.overtaken(conn)

    async def overtaken(self, conn: Any) -> LeaseLost:
        """Return the error that says who has the lease now."""
        row = await conn.fetchrow("SELECT owner, epoch FROM lease WHERE partition = $1", self.partition)
        now = "its row is gone" if row is None else f"epoch {row['epoch']} is held by {row['owner']}"
        then = (
            "it commits nothing more here and stands by"
            if self.partition == DESK
            else "this instance commits nothing more and ends. Run one instance that ingests, the others with"
            " --role web"
        )
        return LeaseLost(f"the lease of {self._what} was taken over: ours was epoch {self.epoch}, {now}; {then}")

    # ----------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        self.release()
        self._lost.clear()
        # PostgreSQL then notices within seconds that our host is gone, and frees the lock
        keepalives = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
        self._conn = await asyncpg.connect(
            self._url, timeout=10, command_timeout=_ANSWER_S,
            server_settings={"application_name": "firetower-lease", "timezone": "UTC", **keepalives},
        )  # fmt: skip
        self._conn.add_termination_listener(lambda _conn: self._lost.set())

    async def _lock(self, patience_ms: int) -> bool:
        await self._conn.execute(f"SET lock_timeout = {patience_ms:d}")
        try:
            await self._conn.execute("SELECT pg_advisory_lock($1, $2)", _KIND, self.partition)
        except asyncpg.LockNotAvailableError:
            return False
        return True

    async def _raise(self, seen: int | None) -> int:
        """Raise the epoch, when it is still ``seen`` (None: whatever it is), once commits under way have ended."""
        async with self._conn.transaction():
            await self._conn.execute(f"SET LOCAL lock_timeout = {_RAISE_MS:d}")
            found = await self._conn.fetchval("SELECT epoch FROM lease WHERE partition = $1 FOR UPDATE", self.partition)
            if seen is not None and found != seen:
                raise await self._taken()
            return int(await self._conn.fetchval(_RAISE, self.partition, self.owner))

    async def _row(self) -> Any:
        return await self._conn.fetchrow(
            "SELECT owner, epoch, renewed_at, extract(epoch FROM clock_timestamp() - renewed_at)::float8 AS age"
            " FROM lease WHERE partition = $1",
            self.partition,
        )

    async def _taken(self) -> LeaseTaken:
        row = await self._row()
        who = "another instance" if row is None else f"{row['owner']} (renewed {row['age']:.0f} s ago)"
        if self.partition == DESK:
            return LeaseTaken(f"the desk is kept by {who}; this instance stands by and takes it when that one ends")
        return LeaseTaken(
            f"{self._what} is ingested by {who}; a second one would fight it over the broker's sessions."
            " Stop that one first, or run this one with --role web"
        )

    async def _take_over(self) -> None:
        row = await self._row()
        if row is None or row["age"] < STALE_AFTER_S:
            raise await self._taken()
        _log.warning(
            "taking %s over from %s, who has not renewed it for %.0f s",
            self._what, row["owner"], row["age"],
        )  # fmt: skip
        self.epoch = await self._raise(row["epoch"])
        await self._end_holder()
        if not await self._lock(_PATIENCE_MS):
            _log.warning(
                "the lock of %s is still held for a connection that PostgreSQL has not given up; the epoch keeps its"
                " owner from committing", self._what,
            )  # fmt: skip

    async def _end_holder(self) -> None:
        for row in await self._conn.fetch(_HOLDER, _KIND, self.partition):
            try:
                await self._conn.execute("SELECT pg_terminate_backend($1)", row["pid"])
            except asyncpg.InsufficientPrivilegeError as err:
                _log.warning("the lease's former connection (backend %d) may not be ended: %s", row["pid"], err)

    async def _lock_again(self) -> None:
        """Take the lock on a new connection. While the epoch is ours, whoever holds it is our own former connection."""
        if await self._lock(_PATIENCE_MS):
            return
        await self._renew()
        await self._end_holder()
        await self._lock(_PATIENCE_MS)

    async def _renew(self) -> None:
        done = await self._conn.execute(
            "UPDATE lease SET renewed_at = clock_timestamp() WHERE partition = $1 AND epoch = $2",
            self.partition,
            self.epoch,
        )
        if done != "UPDATE 1":
            raise await self.overtaken(self._conn)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(RENEWED_EVERY_S):
                await self._lost.wait()
        except TimeoutError:
            return
