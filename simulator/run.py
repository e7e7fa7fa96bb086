"""Plays a city against a broker: an open loop over a handful of connections, counted to the last message."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import ConfigError
from firetower.core.mqtt import MqttSession
from firetower.devices.city import Device
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Int64s
from firetower.simulator import messages
from firetower.simulator.city import SimCity
from firetower.simulator.messages import Message
from firetower.simulator.play import Expected, Play
from firetower.simulator.schedule import NEVER, Schedule, natural_rate
from firetower.simulator.script import Script, load_script
from firetower.simulator.signals import Signals

CONNECTIONS = 4
NOWAIT_LIMIT = 2000  # messages of a connection that may wait for their PUBACK
TAKE = 2048  # reports encoded at once
SLICE = 200  # messages sent before the loop gets its turn
TICK = 0.01  # s between two looks at the schedule
LATE_AFTER: Micros = SECOND // 4
"""A message sent more than this after its time is counted as late."""
DRAIN = 5.0  # s that the last PUBACKs are waited for


@dataclass(slots=True)
class Stats:
    """Counts of a run. ``published``: handed to the connection, ``acked``: PUBACK came, ``lost``: it never will.

    ``late``: sent more than 250 ms after their time, ``latest``: longest delay, ``elapsed``: since the start, µs.
    """

    published: int = 0
    acked: int = 0
    lost: int = 0
    late: int = 0
    latest: Micros = 0
    elapsed: Micros = 0

    @property
    def in_flight(self) -> int:
        """Messages whose PUBACK is due."""
        return self.published - self.acked - self.lost


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
) -> Stats:
    """Publish what the city's devices say until ``seconds`` are over or the task is cancelled; return the counts.

    ``seed``: of the signals, the city's when None. ``rate``: messages a second of all devices together, their intervals
    scaled to it; what the scenario adds comes on top. ``on_stats`` is called each second and at the end, ``on_truth``
    with each alert to be expected.
    Raises ConfigError when the broker cannot be reached at the start; later the sessions reconnect by themselves.
    """
    script = scenario if isinstance(scenario, Script) else load_script(scenario)
    run_id = secrets.token_hex(4)  # two simulators at one broker must not take over each other's connections
    sessions = [
        MqttSession(
            broker_url,
            f"firetower-sim-{run_id}-{number}",
            on_messages=None,
            clean=True,
            clock=clock,
            nowait_limit=NOWAIT_LIMIT,
        )
        for number in range(CONNECTIONS)
    ]
    runner = _Runner(
        city,
        script,
        sessions=sessions,
        seed=city.seed if seed is None else seed,
        rate=rate,
        clock=clock,
        on_stats=on_stats,
        on_truth=on_truth,
    )
    tasks = [asyncio.create_task(session.run(), name=session.client_id) for session in sessions]
    try:
        for session, task in zip(sessions, tasks, strict=True):
            await _connected(session, task)
        return await runner.run(seconds, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _connected(session: MqttSession, task: asyncio.Task[None]) -> None:
    before = session.last_error
    while not session.connected:
        if task.done():
            task.result()
        if session.last_error not in {before, None}:
            raise ConfigError(f"{session.last_error}; another broker is given with --broker or FIRETOWER_MQTT_URL")
        await asyncio.sleep(0.02)


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


class _Runner:
    def __init__(
        self,
        city: SimCity,
        script: Script,
        *,
        sessions: list[MqttSession],
        seed: int,
        rate: float | None,
        clock: Clock,
        on_stats: Callable[[Stats], None] | None,
        on_truth: Callable[[Expected], None] | None,
    ) -> None:
        devices = city.city.devices
        self._sessions, self._clock = sessions, clock
        self._on_stats, self._on_truth = on_stats, on_truth
        self._city, self._script, self._seed = city.city, script, seed
        self._signals = Signals(seed, city.city)
        self._every = intervals(devices, self._signals, rate)
        self._gateways = np.array([device.kind is DeviceKind.GATEWAY for device in devices], np.bool_)
        self._topics = [
            messages.topic(device, "status" if device.kind is DeviceKind.GATEWAY else "telemetry") for device in devices
        ]
        # all of a unit goes over one connection, so that a device's messages keep their order
        numbers = {unit.code: number for number, unit in enumerate(city.city.units)}
        self._wire = {code: sessions[number % len(sessions)] for code, number in numbers.items()}
        self._stats = Stats()
        self._told = 0

    def _begin(self, start: Micros) -> None:
        self._start, self._end, self._next_stats = start, NEVER, start + SECOND
        self._schedule = Schedule(self._seed, start, self._every)
        # the gateways say that they are there within the first second, then at their own pace
        self._schedule.due[self._gateways] = start + self._schedule.due[self._gateways] % SECOND
        self._play = Play(self._script, self._city, self._signals, self._schedule, seed=self._seed, start=start)

    async def run(self, seconds: float | None, tasks: Sequence[asyncio.Task[None]]) -> Stats:
        """Begin now, and play until ``seconds`` are over; an error that ends a session's task ends the run."""
        self._tasks = tasks
        self._begin(self._clock.now())
        if seconds is not None:
            self._end = self._start + round(seconds * SECOND)
        while not self._over():
            now = self._clock.now()
            sent = await self._send(self._play.perform(now))
            sent += await self._send(self._due(now))
            self._tell(now)
            await asyncio.sleep(0 if sent >= TAKE else TICK)
        with contextlib.suppress(TimeoutError):  # what is still in flight then stands in the counts
            async with asyncio.timeout(DRAIN):
                while self._count().in_flight > 0:  # noqa: ASYNC110 - counts of several sessions, no one event
                    await asyncio.sleep(TICK)
        self._tell(NEVER)
        return self._count()

    def _over(self) -> bool:
        return self._clock.now() >= self._end

    def _due(self, now: Micros) -> list[Message]:
        """The reports due by ``now``, up to TAKE."""
        index, due = self._schedule.take(now, TAKE)
        made = []
        for device, at, text in zip(index.tolist(), due.tolist(), self._play.reports(index, due), strict=True):
            # what has no signals reports its status: a gateway
            made.append(Message(at, self._topics[device], text.encode() or b"online", retain=not text))
        return made

    async def _send(self, batch: list[Message]) -> int:
        """Hand ``batch`` over in order. A connection full or away is waited for: messages get late, not lost."""
        for number, message in enumerate(batch):
            session = self._wire[message.topic.split("/", 3)[2]]
            while not session.publish_nowait(message.topic, message.payload, retain=message.retain):
                await asyncio.sleep(TICK)
                self._tell(self._clock.now())
                if self._over():
                    return number
            self._stats.published += 1
            delay = self._clock.now() - message.due
            self._stats.latest = max(self._stats.latest, delay)
            self._stats.late += delay > LATE_AFTER
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        return len(batch)

    def _count(self) -> Stats:
        self._stats.acked = sum(session.published for session in self._sessions)
        self._stats.lost = sum(session.unconfirmed for session in self._sessions)
        self._stats.elapsed = self._clock.now() - self._start
        return self._stats

    def _tell(self, now: Micros) -> None:
        """Hand on the truth that is new, and the counts when a second has passed."""
        for expected in self._play.truth[self._told :]:
            self._told += 1
            if self._on_truth is not None:
                self._on_truth(expected)
        if now >= self._next_stats:
            self._next_stats += SECOND
            for task in self._tasks:
                if task.done():
                    task.result()
            if self._on_stats is not None:
                self._on_stats(replace(self._count()))
