"""Leases: one instance at a time, the next at once when it dies, and an overtaken one commits nothing more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest
from waiting import until

from firetower.core.clock import ManualClock
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.ingest.ports import Stranger, Work
from firetower.storage import lease as leases
from firetower.storage.ingest import IngestStore
from firetower.storage.lease import Lease, LeaseTaken

NOW = ManualClock().now()
MakeLease = Callable[..., Lease]


@pytest.fixture(autouse=True)
def renewed_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY_S", 0.02)
    monkeypatch.setattr(leases, "_PATIENCE_MS", 100)


@pytest.fixture
def make(database_url: str) -> Iterator[MakeLease]:
    """Leases of this test's database, released at its end."""
    made: list[Lease] = []

    def lease(owner: str, partition: int = 0) -> Lease:
        made.append(Lease(database_url, partition, owner=owner))
        return made[-1]

    yield lease
    for one in made:
        one.release()


@contextlib.asynccontextmanager
async def kept(lease: Lease) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(lease.keep())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def some_work() -> Work:
    return Work("telemetry", Readings.of([0], [1], [5], [0], [NOW], [NOW], [0.1], [0]))


def store_with(pool: asyncpg.Pool, lease: Lease) -> IngestStore:
    return IngestStore(pool, Registry(), ManualClock(), lease=lease)


async def end_connections(pool: asyncpg.Pool) -> int:
    """End every lease connection as a restart of PostgreSQL would; return how many."""
    return await pool.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'firetower-lease'"
    )


_HOLDERS = (
    "SELECT array_agg(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'firetower-lease'"
)
_LOCKED = (
    "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


async def test_a_second_instance_is_told_who_has_the_lease_and_what_to_do(make: MakeLease) -> None:
    """Both start at once: one takes the partition, the other is refused with the owner's name and the remedies."""
    first = make("hall-1, process 12")
    await first.take()
    with pytest.raises(LeaseTaken, match=r"partition 0 .*hall-1, process 12 \(renewed \d+ s ago\).*--role web"):
        await make("hall-2").take()
    other = make("hall-2", partition=1)
    await other.take()
    assert (first.epoch, other.epoch) == (1, 1)


async def test_of_eight_that_start_at_once_one_takes_it(make: MakeLease) -> None:
    """A race for one partition has one winner."""
    done = await asyncio.gather(*(make(f"hall-{n}").take() for n in range(8)), return_exceptions=True)
    assert [type(one) for one in done if one is not None] == [LeaseTaken] * 7


async def test_a_killed_owner_is_followed_at_once_and_its_commits_are_refused(
    make: MakeLease, pool: asyncpg.Pool
) -> None:
    """When PostgreSQL sees the owner's connection end, the next one takes the lease without waiting for it to age."""
    first, second = make("hall-1"), make("hall-2")
    await first.take()
    assert await end_connections(pool) == 1
    await second.take()
    assert second.epoch == 2
    with pytest.raises(LeaseLost, match=r"ours was epoch 1, epoch 2 is held by hall-2"):
        await store_with(pool, first).commit(some_work())
    assert await pool.fetchval("SELECT count(*) FROM reading") == 0
    assert (await store_with(pool, second).commit(some_work())).stored == 1


async def test_an_overtaken_instance_registers_nothing(make: MakeLease, pool: asyncpg.Pool) -> None:
    """Strangers and channels are fenced like commits."""
    lease = make("hall-1")
    await lease.take()
    store = store_with(pool, lease)
    await store.channels(["2"])
    await pool.execute("UPDATE lease SET epoch = epoch + 1, owner = 'hall-2'")
    with pytest.raises(LeaseLost):
        await store.register([Stranger("mall", "s-1", DeviceKind.SMOKE)], NOW)
    with pytest.raises(LeaseLost):
        await store.channels(["3"])
    assert await pool.fetchval("SELECT count(*) FROM device") == 0
    assert await pool.fetchval("SELECT array_agg(name ORDER BY id) FROM channel") == ["", "2"]


async def test_a_commit_under_way_ends_before_a_takeover_and_does_not_hold_up_renewal(
    make: MakeLease, pool: asyncpg.Pool
) -> None:
    """What passed the check is committed under its own epoch; the new owner starts after it."""
    first, second = make("hall-1"), make("hall-2")
    await first.take()
    async with kept(first), pool.acquire() as conn:
        commit = conn.transaction()
        await commit.start()
        await first.hold(conn)
        before = await pool.fetchval("SELECT renewed_at FROM lease")
        await until(lambda: pool.fetchval("SELECT renewed_at > $1 FROM lease", before))
        await commit.commit()
    async with pool.acquire() as conn:
        commit = conn.transaction()
        await commit.start()
        await first.hold(conn)
        first.release()
        taking = asyncio.create_task(second.take())
        await asyncio.sleep(0.3)
        assert not taking.done()
        await commit.commit()
        await taking
    assert second.epoch == 2


async def test_after_a_restart_of_postgresql_the_owner_goes_on_under_its_epoch(
    make: MakeLease, pool: asyncpg.Pool
) -> None:
    """The lock is taken again, others are refused again, and no commit in between was refused."""
    lease = make("hall-1")
    await lease.take()
    store = store_with(pool, lease)
    async with kept(lease) as keeping:
        for n in range(3):
            ended = await pool.fetchval(_HOLDERS)
            assert await end_connections(pool) >= 1  # that of the refused one may still be ending
            work = some_work()
            work.readings = Readings.of([0], [1], [5], [0], [NOW + n], [NOW], [0.1], [0])
            assert (await store.commit(work)).stored == 1
            # by a connection made since: one that was ended may hold the lock for a moment yet
            await until(lambda ended=ended: pool.fetchval(f"{_LOCKED} AND pid <> ALL($1)", ended))
            with pytest.raises(LeaseTaken):
                await make("hall-2").take()
        assert not keeping.done()
    assert lease.epoch == 1


async def test_the_lease_of_a_host_that_vanished_is_taken_over(make: MakeLease, pool: asyncpg.Pool) -> None:
    """Its connection lingers in PostgreSQL and holds the lock, but nobody renews: the next one ends it."""
    first, second = make("hall-1"), make("hall-2")
    await first.take()
    with pytest.raises(LeaseTaken):
        await second.take()
    await pool.execute("UPDATE lease SET renewed_at = now() - interval '16 seconds'")
    await second.take()
    assert second.epoch == 2
    with pytest.raises(LeaseTaken, match="hall-2"):
        await make("hall-3").take()
    with pytest.raises(LeaseLost, match="hall-2"):
        await first.keep()


async def test_an_owner_that_was_overtaken_while_it_runs_ends(make: MakeLease, pool: asyncpg.Pool) -> None:
    """Keeping the lease raises a clear error the moment another epoch is seen."""
    lease = make("hall-1")
    await lease.take()
    async with kept(lease) as keeping:
        await pool.execute("UPDATE lease SET epoch = 7, owner = 'hall-9'")
        await until(keeping.done)
        with pytest.raises(LeaseLost, match=r"epoch 7 is held by hall-9.*--role web"):
            await keeping


async def test_a_released_lease_is_free_and_the_next_epoch_is_higher(make: MakeLease) -> None:
    """An instance that stops in order leaves the partition to the next at once."""
    for epoch in (1, 2, 3):
        lease = make(f"hall-{epoch}")
        await lease.take()
        assert lease.epoch == epoch
        lease.release()


async def test_a_database_that_is_away_is_unavailable_not_taken() -> None:
    """The lease of a database that cannot be reached is nobody's refusal."""
    with pytest.raises(StoreUnavailable, match="FIRETOWER_DATABASE_URL"):
        await Lease("postgresql://nobody@127.0.0.1:1/none", 0).take()
