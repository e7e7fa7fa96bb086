"""Batches that fail as a whole are split; what is split loses nothing."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from quiet_session import heard, lanes_running, ms, quiet_city, quiet_lane

from firetower.core.mqtt import Incoming
from firetower.devices.readings import Mark


async def test_two_values_under_one_key_survive_a_batch_that_has_to_be_split() -> None:
    """What fails together is prepared one by one; the second value of a standing clock still sees the first."""
    city = quiet_city()
    lane, session = quiet_lane(city, "telemetry")
    together = lane._processing.prepare

    async def prepare(batch: Sequence[Incoming]) -> Any:
        if len(batch) > 1:
            raise RuntimeError("together they fail")
        return await together(batch)

    lane._processing.prepare = prepare  # type: ignore[method-assign]
    at = ms(-1000)
    async with lanes_running(lane):
        session.say(
            heard("smk-1/telemetry", {"ts": at, "smoke": 0.01}), heard("smk-1/telemetry", {"ts": at, "smoke": 0.5})
        )
        await until(lambda: len(session.acked) == 2)
    assert city.values() == [0.01, 0.5]
    assert [bool(flags & Mark.CLOCK_STUCK) for value, flags in sorted(city.store.readings.values())] == [False, True]
