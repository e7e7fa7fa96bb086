"""The canary: stored and told with its commit, and never set back by an older one."""

import asyncio

import asyncpg
from waiting import until

from firetower.core.clock import SECOND, ManualClock
from firetower.devices.registry import Registry
from firetower.ingest.ports import Work
from firetower.storage import canary, changes
from firetower.storage.ingest import IngestStore


async def test_the_newest_canary_is_kept_with_when_it_was_committed(pool: asyncpg.Pool, clock: ManualClock) -> None:
    """A canary redelivered after a newer one does not make the alarm lane look late."""
    store = IngestStore(pool, Registry(), clock)
    assert await canary.latest(pool) is None
    sent = clock.now()
    clock.advance(SECOND)
    await store.commit(Work("alarm", canary=sent))
    assert await canary.latest(pool) == (sent, sent + SECOND)
    clock.advance(30 * SECOND)
    await store.commit(Work("alarm", canary=sent + 30 * SECOND))
    await store.commit(Work("alarm", canary=sent))
    assert await canary.latest(pool) == (sent + 30 * SECOND, sent + 31 * SECOND)


async def test_consoles_hear_of_a_canary_as_it_is_committed_and_when_they_connect(
    pool: asyncpg.Pool, clock: ManualClock, database_url: str
) -> None:
    """The live feed's listening carries canaries beside the numbers, and no canary takes a number."""
    store = IngestStore(pool, Registry(), clock)
    first = clock.now()
    await store.commit(Work("alarm", canary=first))
    numbers: list[int] = []
    flown: list[tuple[int, int]] = []
    task = asyncio.create_task(
        changes.listen(database_url, numbers.append, on_canary=lambda sent, committed: flown.append((sent, committed)))
    )
    try:
        await until(lambda: flown == [(first, first)])
        clock.advance(30 * SECOND)
        second = clock.now()
        await store.commit(Work("alarm", canary=second))
        await until(lambda: (second, second) in flown)
        assert set(numbers) == {0}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
