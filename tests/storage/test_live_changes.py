"""The durable sequence: in commit order, without gaps, resumed, and heard through lost connections."""

import asyncio

import asyncpg
import pytest
from alert_making import T0, clear, commit, fire, hazard
from waiting import until

from firetower.alerts.acts import Acknowledge
from firetower.alerts.model import Alert
from firetower.alerts.ports import LiveView
from firetower.core.clock import HOUR, SECOND, ManualClock
from firetower.core.errors import Conflict
from firetower.storage import changes
from firetower.storage import pool as pools
from firetower.storage.alerts import AlertStore


@pytest.fixture
async def wide(database_url: str):
    """A pool wide enough for several writers and readers."""
    made = await pools.connect(database_url, size=12)
    yield made
    made.terminate()


@pytest.fixture
def store(wide: asyncpg.Pool, clock: ManualClock) -> AlertStore:
    clock.set(T0 + 60 * SECOND)
    return AlertStore(wide, clock)


async def test_snapshot_and_changes_see_every_change_in_order_under_four_writers(store, wide):
    per_writer = 25
    writing = asyncio.Event()
    writing.set()

    async def write(writer: int) -> None:
        for n in range(per_writer):
            device = f"w{writer}-{n % 5}"
            at = T0 + n * SECOND
            # Every second commit also touches an alert all writers share, so that they wait for one another.
            shared = [hazard("shared", at)] if n % 2 else []
            verdict = hazard(device, at)
            applied = await commit(wide, [clear(verdict, at) if n % 10 >= 5 else verdict, *shared])
            if n % 4 == 0 and applied.alert_ids:
                try:
                    await store.act(applied.alert_ids[0], Acknowledge(), actor=f"op{writer}")
                except Conflict:
                    continue

    async def follow() -> tuple[dict[int, Alert], list[int]]:
        view = await store.snapshot()
        known = {alert.id: alert for alert in view.alerts}
        numbers = [view.seq]
        while True:
            last_round = not writing.is_set()
            changed = await store.changes(numbers[-1])
            assert changed is not None
            for alert in changed.alerts:
                known[alert.id] = alert
            if changed.seq != numbers[-1]:
                numbers.append(changed.seq)
            if last_round:
                return known, numbers
            await asyncio.sleep(0)

    followers = [asyncio.create_task(follow()) for _ in range(2)]
    await asyncio.gather(*(write(writer) for writer in range(4)))
    writing.clear()
    stored = {row["id"]: await store.get(row["id"]) for row in await wide.fetch("SELECT id FROM alert")}
    rows = await wide.fetch("SELECT seq, alerts FROM live_change ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert {alert_id for row in rows for alert_id in row["alerts"]} == set(stored)
    for known, numbers in await asyncio.gather(*followers):
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == len(rows)
        still_relevant = {alert_id: alert for alert_id, alert in stored.items() if alert_id in known}
        assert known == still_relevant
        assert {alert_id for alert_id, alert in stored.items() if alert.state != "closed"} <= set(known)


async def test_a_number_is_visible_only_after_every_smaller_one(store, wide):
    async with wide.acquire() as first, wide.acquire() as second:
        one = first.transaction()
        await one.start()
        assert await changes.announce(first, [1], T0) == 1

        async def later() -> int | None:
            async with second.transaction():
                return await changes.announce(second, [2], T0)

        waiting = asyncio.create_task(later())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert await store.changes(0) == LiveView(0, [], [], [])
        await one.commit()
        assert await waiting == 2


async def test_an_undone_transaction_leaves_no_gap(wide):
    async with wide.acquire() as conn:
        undone = conn.transaction()
        await undone.start()
        assert await changes.announce(conn, [1], T0) == 1
        await undone.rollback()
        async with conn.transaction():
            assert await changes.announce(conn, [2], T0) == 1


async def test_nothing_changed_announces_nothing(wide):
    async with wide.acquire() as conn, conn.transaction():
        assert await changes.announce(conn, [], T0) is None


async def test_changes_older_than_an_hour_are_forgotten_and_the_numbers_go_on(store, wide):
    for n in range(3):
        await commit(wide, [fire(at=T0 + n * SECOND)], T0 + n * SECOND)
    assert await changes.prune(wide, T0 + HOUR + 2 * SECOND) == 2
    assert await store.changes(1) is None
    assert await store.changes(2) is not None
    assert await changes.prune(wide, T0 + 5 * HOUR) == 0
    assert await store.changes(3) == LiveView(3, [], [], [])
    await commit(wide, [fire(at=T0 + 9 * SECOND)], T0 + 5 * HOUR)
    found = await store.changes(3)
    assert found is not None
    assert found.seq == 4


async def test_a_number_of_another_database_asks_for_a_new_snapshot(store):
    assert await store.changes(17) is None
    assert await store.changes(-1) is None
    assert await store.changes(0) == LiveView(0, [], [], [])
    assert await store.snapshot() == LiveView(0, [], [], [])


@pytest.mark.parametrize("through", ["pool", "url"])
async def test_a_listener_hears_every_commit_and_catches_up_when_its_connection_was_cut(wide, database_url, through):
    heard: list[int] = []
    listener = await pools.connect(database_url, size=1)
    pid = await listener.fetchval("SELECT pg_backend_pid()")
    task = asyncio.create_task(changes.listen(listener if through == "pool" else database_url, heard.append))
    try:
        await until(lambda: heard == [0])
        await commit(wide, [fire(at=T0)])
        await until(lambda: heard[-1] == 1)
        cut = await wide.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND (pid = $1 OR application_name = 'firetower-live')",
            pid if through == "pool" else None,
        )
        assert cut == 1
        await commit(wide, [fire(at=T0 + SECOND)])
        await until(lambda: heard[-1] == 2)
        await commit(wide, [fire(at=T0 + 2 * SECOND)])
        await until(lambda: heard[-1] == 3)
        assert heard == sorted(heard)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        listener.terminate()
