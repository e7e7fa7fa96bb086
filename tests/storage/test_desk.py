"""The desk: one acts, another goes on when it ends; what a step failed to take comes again; nothing is missed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import asyncpg
import pytest
from alert_making import commit, fire
from waiting import until

from firetower.core.clock import ManualClock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.storage import changes, desk, follower
from firetower.storage import lease as leases
from firetower.storage.correlation import SecondSignalStep
from firetower.storage.desk import Desk
from firetower.storage.incident_step import IncidentStep
from firetower.storage.lease import DESK, Lease, LeaseTaken

NOW = ManualClock().now()
MakeLease = Callable[[str], Lease]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEWED_EVERY_S", 0.02)
    monkeypatch.setattr(leases, "_PATIENCE_MS", 50)
    monkeypatch.setattr(desk, "STANDS_BY_S", 0.05)
    monkeypatch.setattr(desk, "TICK_S", 0.05)
    monkeypatch.setattr(desk, "GATHERS_S", 0.0)


@pytest.fixture
def make(database_url: str) -> Iterator[MakeLease]:
    """Leases of this test's desk, released at its end."""
    made: list[Lease] = []

    def lease(owner: str) -> Lease:
        made.append(Lease(database_url, DESK, owner=owner))
        return made[-1]

    yield lease
    for one in made:
        one.release()


class Seen:
    """A step that notes what it is given, and fails while it is told to."""

    def __init__(self, name: str = "seen") -> None:
        self.name = name
        self.given: list[list[int] | None] = []
        self.ids: list[int] = []
        self.failing: Exception | None = None

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        assert now == NOW
        self.given.append(None if changed is None else list(changed))
        if self.failing is not None:
            raise self.failing
        self.ids += changed or ()


@contextlib.asynccontextmanager
async def running(url: str, pool: asyncpg.Pool, lease: Lease, *steps: desk.Step) -> AsyncIterator[Desk]:
    made = Desk(url, pool, lease, ManualClock(), steps)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def taken(lease: Lease) -> Lease:
    await lease.take()
    return lease


async def announced(pool: asyncpg.Pool, *ids: int) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await changes.announce(conn, ids, NOW)


async def position(pool: asyncpg.Pool) -> int | None:
    return await follower.position(pool, "desk")


async def has_read(pool: asyncpg.Pool, seq: int) -> bool:
    return await position(pool) == seq


async def test_a_step_looks_at_everything_first_and_then_gets_changes_in_commit_order(
    database_url: str, pool: asyncpg.Pool, make: MakeLease
) -> None:
    """At a first start nothing is known; from then on each change comes once, and time passes without any."""
    step = Seen()
    async with running(database_url, pool, make("hall-1"), step):
        await until(lambda: step.given)
        await announced(pool, 9)
        await announced(pool, 3, 7)
        await until(lambda: len(step.ids) == 3)
        await until(lambda: step.given[-1] == [])
    assert step.given[0] is None
    assert step.ids == [9, 3, 7]


async def test_what_changed_while_no_desk_was_there_comes_after_the_look_at_everything(
    database_url: str, pool: asyncpg.Pool, make: MakeLease
) -> None:
    """An alert that was raised and closed meanwhile is not open, and yet a step hears of it."""
    first, second = Seen(), Seen()
    async with running(database_url, pool, make("hall-1"), first):
        await until(lambda: first.given)
        await announced(pool, 1)
        await until(lambda: position(pool))
    await announced(pool, 2)
    async with running(database_url, pool, make("hall-2"), second):
        await until(lambda: second.ids)
    assert second.given[:2] == [None, [2]]


async def test_a_step_that_fails_is_given_the_same_again_and_stops_neither_the_others_nor_loses_its_place(
    database_url: str, pool: asyncpg.Pool, make: MakeLease
) -> None:
    """The other step goes on; the position waits for the one that failed, which then takes old and new together."""
    bad, good = Seen("bad"), Seen("good")
    async with running(database_url, pool, make("hall-1"), bad, good) as running_desk:
        await until(lambda: bad.given and good.given)
        await announced(pool, 1)
        await until(lambda: position(pool))
        bad.failing = ValueError("a figure that does not fit")
        await announced(pool, 2)
        await until(lambda: bad.given[-1] == [2])
        await announced(pool, 3)
        await until(lambda: good.ids == [1, 2, 3])
        assert running_desk.trouble == "bad: ValueError: a figure that does not fit"
        assert await position(pool) == 1
        bad.failing = None
        await until(lambda: bad.ids == [1, 2, 3])
        await until(lambda: running_desk.trouble is None)
        await until(lambda: has_read(pool, 3))


async def test_of_two_desks_one_acts_and_the_other_goes_on_when_it_ends(
    database_url: str, pool: asyncpg.Pool, make: MakeLease
) -> None:
    """Whoever stands by does nothing, and takes over by itself."""
    first, second = Seen(), Seen()
    async with contextlib.AsyncExitStack() as later:
        async with running(database_url, pool, make("hall-1"), first):
            await until(lambda: first.given)
            await later.enter_async_context(running(database_url, pool, make("hall-2"), second))
            with pytest.raises(LeaseTaken, match=r"the desk is kept by hall-1 .*this instance stands by"):
                await make("hall-3").take()
            await announced(pool, 1)
            await until(lambda: first.ids == [1])
            assert second.given == []
        await announced(pool, 2)
        await until(lambda: second.given)
        assert first.ids == [1]


async def test_a_desk_that_lost_its_lease_lets_go_and_competes_again(
    database_url: str, pool: asyncpg.Pool, make: MakeLease
) -> None:
    """A takeover is seen at the next renewal; when the other is gone it looks at everything again."""
    step = Seen()
    lease = make("hall-1")
    async with running(database_url, pool, lease, step):
        await until(lambda: step.given)
        await pool.execute("UPDATE lease SET epoch = epoch + 1, owner = 'hall-9'")
        await until(lambda: step.given.count(None) == 2)
        assert lease.epoch == 3


async def test_changes_that_are_forgotten_are_a_look_at_everything(
    database_url: str, pool: asyncpg.Pool, make: MakeLease
) -> None:
    """A position of more than an hour ago is worth nothing, and is not waited for."""
    await pool.execute("INSERT INTO follower VALUES ('desk', 3)")
    await pool.execute("INSERT INTO live_change (seq, at, alerts) VALUES (40, now(), '{5}')")
    step = Seen()
    async with running(database_url, pool, make("hall-1"), step):
        await until(lambda: step.given)
        await announced(pool, 6)
        await until(lambda: step.ids)
    assert step.given[0] is None
    assert step.ids == [6]


async def test_an_outage_of_the_database_is_sat_out(database_url: str, pool: asyncpg.Pool, make: MakeLease) -> None:
    """A step that cannot reach the store is asked again; connections that end are made again."""
    step = Seen()
    async with running(database_url, pool, make("hall-1"), step):
        await until(lambda: step.given)
        step.failing = StoreUnavailable("away")
        await announced(pool, 1)
        await until(lambda: step.given[-1] == [1])
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name IN ('firetower-lease', 'firetower-live')"
        )
        step.failing = None
        await until(lambda: step.ids == [1])
        await announced(pool, 2)
        await until(lambda: step.ids == [1, 2])


async def test_many_alerts_come_in_pieces_and_too_many_for_a_step_that_fails_are_a_look_at_everything(
    database_url: str, pool: asyncpg.Pool, make: MakeLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No step is handed a flood at once, and what waits for one that fails is bounded."""
    monkeypatch.setattr(desk, "CHUNK", 2)
    monkeypatch.setattr(desk, "_MOST_WAITING", 5)
    step = Seen()
    async with running(database_url, pool, make("hall-1"), step):
        await until(lambda: step.given)
        await announced(pool, 1, 2, 3, 4, 5)
        await until(lambda: len(step.ids) == 5)
        assert [given for given in step.given if given] == [[1, 2], [3, 4], [5]]
        step.failing = ValueError("no")
        await announced(pool, 6, 7, 8, 9, 10, 11)
        await until(lambda: step.given[-1] is None)
        step.failing = None
        await announced(pool, 12)
        await until(lambda: step.ids[-1] == 12)
    assert step.ids == [1, 2, 3, 4, 5, 12]


async def test_a_crash_between_two_steps_leaves_one_incident_and_both_fires_confirmed(
    database_url: str, pool: asyncpg.Pool, make: MakeLease
) -> None:
    """The first desk ends when one of its steps has acted; the next does what is missing, and nothing twice."""
    ids = (await commit(pool, [fire("s-1"), fire("s-2")])).alert_ids
    await pool.execute("UPDATE alert SET scene = 'zone:u1/za', zone = 'za', device_kind = 'smoke'")
    await IncidentStep(pool, await taken(make("hall-1"))).take(ids, NOW)
    lease = make("hall-2")
    await pool.execute("UPDATE lease SET renewed_at = now() - interval '1 hour'")
    async with running(database_url, pool, lease, SecondSignalStep(pool, lease), IncidentStep(pool, lease)):
        await until(lambda: pool.fetchval("SELECT count(*) = 2 FROM alert WHERE flags = '{second_signal}'"))
        await until(lambda: has_read(pool, 3))
    assert await pool.fetchval("SELECT count(*) FROM incident") == 1
    assert await pool.fetchval("SELECT count(*) FROM alert_history WHERE reason = 'second_signal'") == 2


async def test_in_a_storm_the_desk_gathers_until_a_fire_is_among_what_changed(
    database_url: str, pool: asyncpg.Pool, make: MakeLease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Round after round costs the processor that the alarms need; but a fire waits for its headline and its letters."""
    monkeypatch.setattr(desk, "GATHERS_MORE_S", 60.0)
    monkeypatch.setattr(desk, "STORM_PAUSE_S", 60.0)
    monkeypatch.setattr(desk, "TICK_S", 60.0)
    burning = (await commit(pool, [fire("smk-1")], at=NOW)).alert_ids
    step = Seen()
    async with running(database_url, pool, make("hall-1"), step):
        await until(lambda: step.given)
        for number in range(desk.STORM_ROUNDS):
            await announced(pool, 1000 + number)
            await until(lambda number=number: step.ids[-1:] == [1000 + number])  # type: ignore[misc]
        await announced(pool, 2001)
        await announced(pool, 2002)
        await announced(pool, *burning)
        await until(lambda: step.ids[-1:] == burning)
    assert step.given[-1] == [2001, 2002, *burning]
