"""Lanes and the tick share one engine: what it decided of a key first is committed first, and nothing else waits."""

import asyncio
import sys
from pathlib import Path

from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from alert_making import T0, clear, fire, hazard
from memory_store import MemoryStore

from firetower.core.clock import SECOND, ManualClock
from firetower.devices.registry import Registry
from firetower.ingest.committer import Committer
from firetower.ingest.order import CommitOrder
from firetower.ingest.ports import Work
from firetower.rules.verdicts import Verdict


async def test_a_clear_is_not_committed_before_the_raise_that_was_decided_first(clock: ManualClock) -> None:
    store, order = MemoryStore(Registry(), clock), CommitOrder()
    tick, telemetry, alarm = (Committer(name, store, clock, order) for name in ("tick", "telemetry", "alarm"))
    store.held.add("tick")
    store.gate.clear()
    raised, other = hazard("h1"), hazard("h2")

    async def commit(committer: Committer, lane: str, *verdicts: Verdict) -> None:
        await committer.commit(Work(lane, verdicts=list(verdicts)), committer.take_turn(verdicts))

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(commit(tick, "tick", raised))
        await until(lambda: store.attempts)
        tasks.create_task(commit(telemetry, "telemetry", clear(raised, T0 + SECOND)))
        await commit(alarm, "alarm", other, fire())
        assert [work.lane for work in store.attempts] == ["tick", "alarm"], "only the same key waits"
        store.gate.set()
    assert [work.lane for work in store.commits] == ["alarm", "tick", "telemetry"]


async def test_a_turn_given_up_lets_the_next_one_go_on(clock: ManualClock) -> None:
    """A lane that is cancelled while it waits for its turn must not leave the next one waiting for ever."""
    store, order = MemoryStore(Registry(), clock), CommitOrder()
    committer = Committer("alarm", store, clock, order)
    first = order.take([hazard()])
    given_up = asyncio.create_task(committer.commit(Work("alarm"), order.take([hazard()])))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait({given_up})
    first.done()
    async with asyncio.timeout(5):
        await order.take([hazard()]).come()
