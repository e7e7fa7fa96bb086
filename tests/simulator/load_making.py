"""A load in the test's own process: a city's frames over connections to a sink."""

from collections.abc import Callable

import numpy as np

from firetower.core.clock import SECOND, Clock, Micros, SteadyClock
from firetower.devices.readings import Int64s
from firetower.simulator.city import build
from firetower.simulator.load.arrivals import ArrivalName, Arrivals, shares
from firetower.simulator.load.connections import Wiring, plan
from firetower.simulator.load.frames import Frames
from firetower.simulator.load.shapes import Profile
from firetower.simulator.load.tally import Tally
from firetower.simulator.load.telemetry import Telemetry
from firetower.simulator.load.wires import Wires, address_of
from firetower.simulator.run import intervals
from firetower.simulator.signals import Signals


class Load:
    """Connections to ``url``, to be opened with ``wires.opened()``, and what goes over them."""

    def __init__(self, url: str, *, wiring: Wiring | None = None, clock: Clock | None = None) -> None:
        self.how = wiring or Wiring()
        self.clock = clock or SteadyClock()
        city = build(5, 100)
        self.devices = city.city.devices
        self.plan = plan(self.devices, self.how.connections, self.how.accounts)
        address = address_of(url, self.how.ca)
        self.wires = Wires(self.plan, address, name=f"test-{id(self)}", qos=self.how.qos, clock=self.clock)
        signals = Signals(5, city.city)
        every = intervals(self.devices, signals)
        self.which: Int64s = np.flatnonzero(every > 0)
        self.share = shares(every)[self.which]
        self.frames = Frames(
            self.devices, self.which, signals, now=self.clock.now(), qos=self.how.qos, version=address.version
        )

    async def send(
        self,
        profile: Profile,
        *,
        arrival: ArrivalName = "device",
        watch: Callable[[Micros], None] = lambda _: None,
        drain: float = 5,
    ) -> Tally:
        """Send it all; the connections must be open."""
        self.start = self.clock.now()
        arrivals = Arrivals(5, self.which, self.share, arrival, profile)
        source = Telemetry(arrivals, self.frames, self.plan.wire[self.which], start=self.start)
        end = self.start + round(profile.seconds * SECOND)
        await self.wires.play(source, lambda now: now >= end, watch, until=end)
        await self.wires.drain(drain, watch)
        return self.wires.tally
