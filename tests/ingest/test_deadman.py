"""The dead-man signal: sent while canaries are committed, stopped when three are missing, its own failure a warning."""

import asyncio

import pytest
from outside_server import receiving
from waiting import until

from firetower.core.clock import SECOND, ManualClock
from firetower.core.outside import Outside
from firetower.ingest.canary import CanaryWatch, Flight
from firetower.ingest.deadman import DeadMan


class Flown:
    """A canary watch whose canary flies when it is told to."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.last: Flight | None = None
        self.watch = CanaryWatch(self._latest, clock)

    async def _latest(self) -> Flight | None:
        return self.last

    async def fly(self) -> None:
        self.last = (self.clock.now(), self.clock.now())
        await self.watch.look()


@pytest.fixture
def flown(clock: ManualClock) -> Flown:
    return Flown(clock)


async def test_it_is_sent_while_the_canary_lives_and_no_longer(
    flown: Flown, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving() as receiver, Outside() as outside:
        dead_man = DeadMan(receiver.url, outside, flown.watch, clock)
        await dead_man.call()
        assert receiver.calls == [], "nothing is proved before the first canary"
        await flown.fly()
        await dead_man.call()
        clock.advance(90 * SECOND)
        await dead_man.call()
        assert [call.method for call in receiver.calls] == ["GET", "GET"]
        clock.advance(SECOND)
        await dead_man.call()
        await dead_man.call()
        assert len(receiver.calls) == 2
        assert caplog.text.count("three canaries are missing") == 1
        await flown.fly()
        await dead_man.call()
    assert len(receiver.calls) == 3


async def test_an_address_that_does_not_take_it_is_told_once_and_the_signal_goes_on(
    flown: Flown, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await flown.fly()
    async with receiving() as receiver, Outside() as outside:
        dead_man = DeadMan(receiver.url, outside, flown.watch, clock)
        receiver.statuses = [503, 503]
        await dead_man.call()
        await dead_man.call()
        assert dead_man.trouble is not None
        assert "status 503" in dead_man.trouble
        assert caplog.text.count("status 503") == 1
        await dead_man.call()
        assert dead_man.trouble is None


async def test_after_a_failure_it_is_sent_again_long_before_the_next_is_due(flown: Flown, clock: ManualClock) -> None:
    await flown.fly()
    async with receiving() as receiver, Outside() as outside:
        receiver.statuses = [500]
        task = asyncio.create_task(DeadMan(receiver.url, outside, flown.watch, clock).run())
        try:
            await until(lambda: len(receiver.calls) == 2)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
