"""The wire between the service and its broker, and its database, broken under load: nothing lost, nothing doubled."""

import random
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import FaultProxy
from ledger import Ledger
from service import running
from waiting import until

FAULTS = ("cut", "stall", "half_frame")


@pytest.mark.timeout(300)
async def test_cut_stalled_and_cut_within_a_frame_on_both_wires_the_service_comes_back_and_nothing_is_lost_or_doubled(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    """The devices go on meanwhile; the service ends no instance of it and connects again by itself each time."""
    async with (
        FaultProxy(database_url) as database,
        FaultProxy(nats.url) as broker,
        running(database.url, broker.url, tmp_path) as service,
    ):
        chance = random.Random(1)
        ledger = Ledger(nats.device_url, 1)
        try:
            for fault in FAULTS:
                for wire in (broker, database):
                    before = wire.accepted
                    if fault == "half_frame":
                        wire.half_frame(chance.randint(1, 2000))
                    else:
                        getattr(wire, fault)()
                    goal = ledger.published + 300
                    await until(lambda goal=goal: ledger.published >= goal, 60, "the devices go on")
                    wire.heal()
                    if fault != "stall":
                        await until(lambda wire=wire, before=before: wire.accepted > before, 40, "connected again")
                    goal = ledger.published + 100
                    await until(lambda goal=goal: ledger.published >= goal, 60, "the devices go on")
            await ledger.stop()

            async def complete() -> bool:
                return not await ledger.lost(database_url)

            await until(complete, 90, "everything that was published is stored")
            assert await ledger.differences(database_url) == {}, "nothing is doubled"
            await until(service.ready, 40, "ready again")
        finally:
            await ledger.stop()
        assert service.log().count("partition 0 is ours: epoch") == 1, "one instance outlived it all"
