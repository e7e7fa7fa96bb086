"""One process of a load: it builds its share of the city's frames, sends them when they are due, and says how it goes.

It is told what to do in lines of JSON on its standard input and answers in lines of JSON on its standard output:

    {order, "worker": n}        → {"built": devices, "natural_rate": messages/s}   or {"error": text}, and it ends
    {"legs": […], "drain": s}   → {"ready": connections}        connections open anew for each load
    {"begin": µs}               → {"second": n, "tally": {…}} each second; at last also "over" (µs), "cpu" (s), "open"
    {"stop": true}              → what is due is no longer sent; the answers to the rest are waited for

Counts grow; histograms hold what came since the line before. When its input ends, so does it.
"""

import asyncio
import contextlib
import gc
import json
import resource
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from firetower.core.clock import SECOND, Micros, SteadyClock
from firetower.core.errors import FiretowerError
from firetower.devices.readings import Floats, Int64s
from firetower.simulator.city import build
from firetower.simulator.load.arrivals import Arrivals, check_devices, shares
from firetower.simulator.load.connections import Plan, room_for
from firetower.simulator.load.frames import Frames
from firetower.simulator.load.histogram import Histogram
from firetower.simulator.load.order import Order
from firetower.simulator.load.shapes import Leg, Profile
from firetower.simulator.load.telemetry import Telemetry
from firetower.simulator.load.wires import Wires, address_of
from firetower.simulator.run import intervals
from firetower.simulator.schedule import natural_rate
from firetower.simulator.signals import Signals

_LONGEST_LINE = 1 << 26
"""Bytes of an order: the accounts of a hundred thousand units."""


@dataclass(slots=True)
class _Share:
    """A worker's part of a load: its devices' frames and who carries them."""

    frames: Frames
    device: Int64s
    share: Floats
    plan: Plan


class _Worker:
    def __init__(self, order: Order, number: int, lines: asyncio.StreamReader) -> None:
        self._order, self._number, self._lines = order, number, lines
        self._clock = SteadyClock(order.wall, order.steady)
        self._address = address_of(order.broker_url, order.wiring.ca)
        city = build(order.seed, order.devices, pace=order.pace)
        devices = city.city.devices
        signals = Signals(order.seed, city.city)
        every = intervals(devices, signals)
        mine, plan = order.share(number, devices)
        reporting = every[mine] > 0
        self._shares = shares(every)
        self._share = _Share(
            Frames(
                devices, mine[reporting], signals, now=self._clock.now(), qos=order.wiring.qos,
                version=self._address.version,
            ),
            mine[reporting], self._shares[mine][reporting], plan,
        )  # fmt: skip
        self._wire: Int64s = plan.wire[reporting]
        gc.collect()
        gc.freeze()  # a collection that goes through a million devices would stand in the figures
        _say({"built": len(devices), "natural_rate": natural_rate(every)})

    async def serve(self) -> None:
        """Send one load after the other until there is none."""
        while (asked := await _hear(self._lines)) is not None:
            if "legs" in asked:
                await self._load(Profile([Leg(*leg) for leg in asked["legs"]]), float(asked["drain"]))

    async def _load(self, profile: Profile, drain: float) -> None:
        order, share = self._order, self._share
        check_devices(self._shares, max(max(leg.first, leg.last) for leg in profile.legs))
        connections = len(share.plan.accounts)
        room_for(connections, of_all=connections * order.workers)
        wires = Wires(
            share.plan, self._address, name=f"{order.run}-{self._number}", qos=order.wiring.qos, clock=self._clock
        )
        async with wires.opened():
            _say({"ready": wires.tally.connected})
            asked = await _hear(self._lines)
            if asked is None or "begin" not in asked:
                return
            start: Micros = asked["begin"]
            arrivals = Arrivals(order.seed, share.device, share.share, order.arrival, profile)
            source = Telemetry(arrivals, share.frames, self._wire, start=start)
            teller = _Teller(wires, start)
            end = start + round(profile.seconds * SECOND)
            stopped = asyncio.create_task(_hear(self._lines), name="stop")
            try:
                await wires.play(source, lambda now: now >= end or stopped.done(), teller.tell, until=end)
                left = wires.tally.waiting + wires.tally.in_flight
                await wires.drain(drain, teller.tell)
                wires.give_up()
                teller.finish(self._clock.now(), left)
            finally:
                stopped.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await stopped


class _Teller:
    """Says each second how the load goes."""

    def __init__(self, wires: Wires, start: Micros) -> None:
        self._wires, self._start = wires, start
        self._next, self._second = start + SECOND, 0
        self._cpu = _cpu()

    def tell(self, now: Micros, **more: object) -> None:
        """Say it where a second is over."""
        if now >= self._next or more:
            self._next += SECOND
            self._second += 1
            tally = self._wires.tally
            _say({"second": self._second, "tally": tally.line(), **more})
            tally.latency, tally.lateness = Histogram(), Histogram()

    def finish(self, now: Micros, left: int) -> None:
        """Say the last; ``left``: messages open when the schedule ended."""
        self.tell(now, over=now - self._start, open=left, cpu=_cpu() - self._cpu)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def _hear(lines: asyncio.StreamReader) -> dict[str, Any] | None:
    line = await lines.readline()
    return json.loads(line) if line else None


async def work() -> None:
    """Do as told until the standard input ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    order = await _hear(lines)
    if order is None:
        return
    try:
        await _Worker(Order.of(order["order"]), order["worker"], lines).serve()
    except FiretowerError as err:
        _say({"error": str(err)})


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    with contextlib.suppress(BrokenPipeError):  # whoever listened is gone, and so is the load
        asyncio.run(work())
