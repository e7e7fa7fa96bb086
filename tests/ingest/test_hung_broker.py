"""A broker that hangs without closing its connection: silence of the devices behind it is not judged."""

import os
import signal
from typing import Any

from lane_city import CLOCK, City, running
from waiting import until


async def test_while_the_broker_hangs_nobody_is_silent_and_afterwards_silence_counts_anew(nats: Any) -> None:
    lane = City(nats.url).lane("telemetry")
    async with running(lane):
        first = await until(lambda: lane.listening_since(CLOCK.now()))
        os.kill(nats.pid, signal.SIGSTOP)
        try:
            await until(lambda: lane.listening_since(CLOCK.now()) is None, 15)
            hung = CLOCK.now()
        finally:
            os.kill(nats.pid, signal.SIGCONT)
        again = await until(lambda: lane.listening_since(CLOCK.now()), 30)
        assert again >= hung > first
