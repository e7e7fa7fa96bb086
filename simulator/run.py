"""Plays a city against a broker: an open loop over few connections or one a device, counted to the last message."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field

import numpy as np

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import ConfigError
from firetower.devices.city import Device
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Int64s
from firetower.simulator import messages
from firetower.simulator.city import SimCity
from firetower.simulator.load.block import Block, of_messages
from firetower.simulator.load.connections import Plan, Wiring, plan, room_for
from firetower.simulator.load.tally import Tally
from firetower.simulator.load.wires import Wires, address_of
from firetower.simulator.messages import Message
from firetower.simulator.play import Expected, Play
from firetower.simulator.schedule import NEVER, Schedule, natural_rate
from firetower.simulator.script import Script, load_script
from firetower.simulator.signals import Signals

TAKE = 2048  # reports encoded at once
TICK = 0.01  # s between two looks at the schedule
DRAIN = 5.0  # s that the last PUBACKs are waited for


@dataclass(frozen=True, slots=True)
class Stats:
    """How far a run is: its ``tally``, and µs since the start.

    ``published``: handed to a connection, ``acked``: PUBACK came, ``lost``: it never will, or they were dropped unsent.
    """

    tally: Tally = field(default_factory=Tally)
    elapsed: Micros = 0

    @property
    def published(self) -> int:
        """Messages sent."""
        return self.tally.sent

    @property
    def acked(self) -> int:
        """Messages the broker has acknowledged."""
        return self.tally.acknowledged

    @property
    def lost(self) -> int:
        """Messages whose connection ended before their PUBACK, or that were refused."""
        return self.tally.cut_off + self.tally.refused

    @property
    def late(self) -> int:
        """Messages sent more than 250 ms after their time."""
        return self.tally.late

    @property
    def latest(self) -> Micros:
        """The longest of these delays."""
        return self.tally.latest

    @property
    def in_flight(self) -> int:
        """Messages whose PUBACK is due."""
        return self.tally.in_flight


async def run(
    city: SimCity,
    *,
    broker_url: str,
    scenario: str | Script = "demo",
    seed: int | None = None,
    rate: float | None = None,
    seconds: float | None = None,
    clock: Clock,
    on_stats: Callable[[Stats], None] | None = None,
    on_truth: Callable[[Expected], None] | None = None,
    wiring: Wiring | None = None,
) -> Stats:
    """Publish what the city's devices say until ``seconds`` are over or the task is cancelled; return the counts.

    ``seed``: of the signals, the city's when None. ``rate``: messages a second of all devices together, their intervals
    scaled to it; what the scenario adds comes on top. ``on_stats`` is called each second and at the end, ``on_truth``
    with each alert to be expected.
    Raises ConfigError when the broker cannot be reached at the start; later the connections come back by themselves.
    """
    script = scenario if isinstance(scenario, Script) else load_script(scenario)
    how = wiring or Wiring()
    devices = city.city.devices
    address = address_of(broker_url, how.ca)
    who = plan(devices, how.connections, how.accounts)
    room_for(len(who.accounts))
    # two simulators at one broker must not take over each other's connections
    wires = Wires(who, address, name=f"firetower-sim-{secrets.token_hex(4)}", qos=how.qos, clock=clock)
    signals = Signals(city.seed if seed is None else seed, city.city)
    every = intervals(devices, signals, rate)
    async with wires.opened():
        start = clock.now()
        show = _Show(city, script, signals, every, who=who, how=how, version=address.version, start=start)
        telling = _Telling(show, wires.tally, start, on_stats, on_truth)
        end = NEVER if seconds is None else start + round(seconds * SECOND)
        await wires.play(show, lambda now: now >= end and show.exhausted, telling.tell, until=end)
        await wires.drain(DRAIN, telling.tell)
        wires.give_up()
        return telling.finish(clock.now())


def intervals(devices: Sequence[Device], signals: Signals, rate: float | None = None) -> Int64s:
    """Return µs between the reports of each device, scaled so that together they make ``rate`` messages a second.

    0 for kinds the simulator has no signals for; gateways report their status.
    """
    every: Int64s = np.array([device.interval_s for device in devices], np.int64) * SECOND
    gateway = np.array([device.kind is DeviceKind.GATEWAY for device in devices], np.bool_)
    every[(signals.shape < 0) & ~gateway] = 0
    if rate is not None:
        if not rate > 0:
            raise ConfigError(f"a rate of {rate} messages a second is not possible: give more than 0")
        every = (every * (natural_rate(every) / rate)).astype(np.int64)
    return every


class _Show:
    """A play as a source of frames: what its steps send, and what the schedule says is due."""

    def __init__(
        self,
        city: SimCity,
        script: Script,
        signals: Signals,
        every: Int64s,
        *,
        who: Plan,
        how: Wiring,
        version: int,
        start: Micros,
    ) -> None:
        devices = city.city.devices
        gateway = np.array([device.kind is DeviceKind.GATEWAY for device in devices], np.bool_)
        leaves = ["status" if device.kind is DeviceKind.GATEWAY else "telemetry" for device in devices]
        self._topics = [messages.topic(device, leaf) for device, leaf in zip(devices, leaves, strict=True)]
        # what a step sends goes the way of its device's reports, so that a device's messages keep their order
        self._wire = {
            topic.rpartition("/")[0]: wire for topic, wire in zip(self._topics, who.wire.tolist(), strict=True)
        }
        self._qos, self._version = how.qos, version
        self._schedule = Schedule(signals.seed, start, every)
        # the gateways say that they are there within the first second, then at their own pace
        self._schedule.due[gateway] = start + self._schedule.due[gateway] % SECOND
        self.play = Play(script, city.city, signals, self._schedule, seed=signals.seed, start=start)
        self.exhausted = False

    def due(self, now: Micros) -> Iterator[tuple[int, Block]]:
        """Yield what is due by ``now``; of the reports, TAKE."""
        yield from self._blocks(self.play.perform(now))
        index, due = self._schedule.take(now, TAKE)
        self.exhausted = len(index) < TAKE
        made = []
        for device, at, text in zip(index.tolist(), due.tolist(), self.play.reports(index, due), strict=True):
            # what has no signals reports its status: a gateway
            made.append(Message(at, self._topics[device], text.encode() or b"online", retain=not text))
        yield from self._blocks(made)

    def _blocks(self, made: Sequence[Message]) -> Iterator[tuple[int, Block]]:
        if made:
            wire = np.array([self._wire[message.topic.rpartition("/")[0]] for message in made])
            order = np.argsort(wire, kind="stable")
            block = of_messages([made[row] for row in order.tolist()], qos=self._qos, version=self._version)
            yield from block.split(wire[order])


class _Telling:
    """Hands on the truth that is new, and the counts once a second."""

    def __init__(
        self,
        show: _Show,
        tally: Tally,
        start: Micros,
        on_stats: Callable[[Stats], None] | None,
        on_truth: Callable[[Expected], None] | None,
    ) -> None:
        self._show, self._tally, self._start = show, tally, start
        self._on_stats, self._on_truth = on_stats, on_truth
        self._next = start + SECOND
        self._told = 0

    def tell(self, now: Micros) -> None:
        """Tell what is new at ``now``."""
        for expected in self._show.play.truth[self._told :]:
            self._told += 1
            if self._on_truth is not None:
                self._on_truth(expected)
        if now >= self._next:
            self._next += SECOND
            self._count(now)

    def finish(self, now: Micros) -> Stats:
        """Tell the last; return the counts at the end."""
        self.tell(now)
        return self._count(now)

    def _count(self, now: Micros) -> Stats:
        stats = Stats(copy(self._tally), now - self._start)
        if self._on_stats is not None:
            self._on_stats(stats)
        return stats
