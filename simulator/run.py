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
from firetower.simulator.acting import Acting, Conduct
from firetower.simulator.casting import Casting, cast
from firetower.simulator.city import SimCity
from firetower.simulator.hastened import length, start_of
from firetower.simulator.load.block import Block, of_messages
from firetower.simulator.load.connections import Plan, Wiring, plan, room_for
from firetower.simulator.load.tally import Tally
from firetower.simulator.load.wires import Wires, address_of
from firetower.simulator.messages import Message
from firetower.simulator.play import Play
from firetower.simulator.schedule import NEVER, Schedule, natural_rate
from firetower.simulator.script_file import Part, load_parts
from firetower.simulator.signals import Signals
from firetower.simulator.truth import Run, TruthLine

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
    scenario: str | Sequence[Part] = "demo",
    seed: int | None = None,
    rate: float | None = None,
    seconds: float | None = None,
    clock: Clock,
    on_stats: Callable[[Stats], None] | None = None,
    on_truth: Callable[[TruthLine], None] | None = None,
    wiring: Wiring | None = None,
    speed: float = 1.0,
    conduct: Conduct | None = None,
    on_play: Callable[[Play], None] | None = None,
) -> Stats:
    """Publish what the city's devices say until ``seconds`` are over or the task is cancelled; return the counts.

    ``seed``: of the signals, the city's when None. ``rate``: messages a second of all devices together, their intervals
    scaled to it; what the scenarios add comes on top. ``on_stats`` is called each second and at the end, ``on_truth``
    with each line of the truth log. ``seconds`` are those of the devices, who live ``speed`` times as fast as time;
    None: until the scenarios are over; what follows an act under way then is played to its end. ``conduct`` does what
    scenarios do to the service. ``on_play`` is handed the play before it begins.
    Raises ConfigError when the broker cannot be reached at the start; later the connections come back by themselves.
    """
    parts = load_parts((scenario,)) if isinstance(scenario, str) else tuple(scenario)
    casting = cast(parts, city.city)
    how = wiring or Wiring()
    devices = casting.city.devices
    address = address_of(broker_url, how.ca)
    who = plan(devices, how.connections, how.accounts)
    room_for(len(who.accounts))
    # two simulators at one broker must not take over each other's connections
    wires = Wires(who, address, name=f"firetower-sim-{secrets.token_hex(4)}", qos=how.qos, clock=clock)
    signals = Signals(city.seed if seed is None else seed, casting.city)
    every = intervals(devices, signals, rate)
    async with wires.opened():
        wall = clock.now()
        start = start_of(parts, now=wall, speed=speed, seconds=seconds)
        course = Run(start, wall, speed, signals.seed, len(city.city.devices), tuple(part.name for part in parts))
        show = _Show(parts, casting, signals, every, who=who, how=how, version=address.version, course=course)
        telling = _Telling(show, wires.tally, course, on_stats, on_truth)
        if on_play is not None:
            on_play(show.play)
        lasts = length(parts, seconds)
        end = NEVER if lasts is None else course.real(start + round(lasts * SECOND))
        show.until = end
        async with Acting(show.play, course, conduct, clock) as acting:

            def watch(now: Micros) -> None:
                acting.look(now)
                telling.tell(now)

            def over(now: Micros) -> bool:
                owed = acting.busy or course.at(now) < show.play.owed_until
                show.until = NEVER if owed else end  # what follows an act comes, however long that took
                return now >= end and show.exhausted and not owed

            await wires.play(show, over, watch, until=NEVER)
        await wires.drain(DRAIN, telling.tell)
        wires.give_up()
        return telling.finish(clock.now(), acting.failed)


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
        parts: Sequence[Part],
        casting: Casting,
        signals: Signals,
        every: Int64s,
        *,
        who: Plan,
        how: Wiring,
        version: int,
        course: Run,
    ) -> None:
        devices = casting.city.devices
        gateway = np.array([device.kind is DeviceKind.GATEWAY for device in devices], np.bool_)
        # what a step sends goes the way of its device's reports, so that a device's messages keep their order
        self._wire = {
            messages.topic(device, "telemetry").rpartition("/")[0]: wire
            for device, wire in zip(devices, who.wire.tolist(), strict=True)
        }
        self._qos, self._version, self._course = how.qos, version, course
        schedule = Schedule(signals.seed, course.start, every)
        # the gateways say that they are there within the first second, then at their own pace
        schedule.due[gateway] = course.start + schedule.due[gateway] % SECOND
        self.play = Play(parts, casting, signals, schedule, seed=signals.seed, start=course.start)
        self.exhausted = False
        self.until = NEVER

    def due(self, now: Micros) -> Iterator[tuple[int, Block]]:
        """Yield what is due by ``now``; of the reports, TAKE."""
        made, self.exhausted = self.play.messages(self._course.at(min(now, self.until - 1)), TAKE)
        yield from self._blocks(made)

    def _blocks(self, made: Sequence[Message]) -> Iterator[tuple[int, Block]]:
        if made:
            wire = np.array([self._wire[message.topic.rpartition("/")[0]] for message in made])
            order = np.argsort(wire, kind="stable")
            block = of_messages([made[row] for row in order.tolist()], qos=self._qos, version=self._version)
            if self._course.speed > 1:  # meant to go out when that instant is played
                block.due[:] = [self._course.real(at) for at in block.due.tolist()]
            yield from block.split(wire[order])


class _Telling:
    """Hands on the truth that is new, and the counts once a second."""

    def __init__(
        self,
        show: _Show,
        tally: Tally,
        course: Run,
        on_stats: Callable[[Stats], None] | None,
        on_truth: Callable[[TruthLine], None] | None,
    ) -> None:
        self._play, self._tally, self._course = show.play, tally, course
        self._on_stats, self._on_truth = on_stats, on_truth
        self._next = course.wall + SECOND
        self._told = 0
        self._say(course)
        for each in self._play.forbidden:
            self._say(each)

    def tell(self, now: Micros) -> None:
        """Tell what is new at ``now``."""
        for expected in self._play.expected[self._told :]:
            self._told += 1
            self._say(expected)
        if now >= self._next:
            self._next += SECOND
            self._count(now)

    def finish(self, now: Micros, failed: Sequence[str]) -> Stats:
        """Tell the last; return the counts at the end."""
        self.tell(now)
        stats = self._count(now)
        at, tally = self._course.at(now), stats.tally
        lost = tally.unacknowledged + tally.unsent  # nobody waits for them any more
        self._say(self._play.sent(at, acked=tally.acknowledged, lost=lost, failed=failed))
        return stats

    def _say(self, line: TruthLine) -> None:
        if self._on_truth is not None:
            self._on_truth(line)

    def _count(self, now: Micros) -> Stats:
        stats = Stats(copy(self._tally), now - self._course.wall)
        if self._on_stats is not None:
            self._on_stats(stats)
        return stats
