"""The load generator, a process of its own, so that its processor time counts apart from the service's.

Telemetry of three readings a message, or fires, as fast as the broker acknowledges (``rate`` 0), or
at a rate on a fixed schedule that a slow broker does not slow down (open loop). Started with its load as JSON; it
prints ``ready``, begins when its standard input says so, and prints each second what it sent and what was acknowledged.
It sends the way ``firetower simulate --load`` does, messages of its own.
"""

import asyncio
import contextlib
import json
import resource
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.frames import Template
from firetower.core.clock import SECOND, SteadyClock
from firetower.simulator.load.block import Block
from firetower.simulator.load.connections import Plan
from firetower.simulator.load.tally import Tally
from firetower.simulator.load.wire import PACKET_IDS
from firetower.simulator.load.wires import Wires, address_of
from firetower.simulator.schedule import NEVER

READINGS = 3
WINDOW = 4000
"""Messages in flight: more makes NATS no faster."""
BLOCK = 250
PER_UNIT = 1000
"""Devices of a unit."""
_TELEMETRY = (
    '{"ts": <ts:13>, "seq": <seq:10>, "residual_current": 1<a:2>.<b:1>, '
    '"cable_temperature.1": 3<c:1>.<b:1>, "cable_temperature.2": 3<c:1>.<d:1>}'
)
_ALARM = '{"ts": <ts:13>, "event": "%s", "component": "<seq:7>"}'


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent. ``base``: device time of the first message, ms, one more with each; 0: the time it is sent.

    Messages go round ``devices`` in steps of ``stride``. ``rate`` in messages/s, 0: as fast as acknowledged. An alarm
    is ``event`` of panel ``first`` + number modulo ``devices``, each of a component of its own. ``counted``: each
    device counts its own messages, else they are counted together, and of each device most seem to be missing.
    """

    url: str
    count: int
    devices: int
    base: int = 0
    rate: float = 0.0
    kind: str = "telemetry"
    root: str = "firetower/v1"
    first: int = 0
    stride: int = 1
    event: str = "fire"
    counted: bool = False


@dataclass(slots=True)
class Progress:
    """How far a load is: counts, and when it began and ended (seconds of the monotonic clock; ``wall``: of the day's).

    ``late``: how far it fell behind its schedule at worst, s. ``cpu``: processor seconds it used.
    """

    sent: int = 0
    acknowledged: int = 0
    began: float = 0.0
    wall: float = 0.0
    ended: float = 0.0
    late: float = 0.0
    cpu: float = 0.0
    over: bool = False


def _template(load: Load) -> Template:
    if load.kind == "alarm":
        return Template(f"{load.root}/p<device:4>/panel/alarm", _ALARM % load.event)
    return Template(f"{load.root}/u<unit:4>/e<device:7>/telemetry", _TELEMETRY)


def _values(load: Load, number: np.ndarray) -> dict[str, np.ndarray]:
    device = (load.first if load.kind == "alarm" else 0) + number * load.stride % load.devices
    ts = load.base + number if load.base else np.full(len(number), time.time_ns() // 1_000_000)
    seq = number if load.kind == "alarm" else 1_000_000_000 + (number // load.devices if load.counted else number)
    a, b, c, d = number % 50, number % 10, number % 7, number % 9
    return {"ts": ts, "seq": seq, "device": device, "unit": device // PER_UNIT, "a": a, "b": b, "c": c, "d": d}


class _Round:
    """A load as a source of frames: at its rate, or so many that WINDOW are in flight."""

    def __init__(self, load: Load, tally: Tally, clock: SteadyClock) -> None:
        self._load, self._tally = load, tally
        self._template = _template(load)
        self._began = clock.now()

    def due(self, now: int) -> Iterator[tuple[int, Block]]:
        """Yield what is due by ``now``."""
        load, sent = self._load, self._tally.intended
        if load.rate:
            count = min(int((now - self._began) * load.rate / SECOND), load.count) - sent
        else:
            count = min(load.count - sent, WINDOW - self._tally.in_flight - self._tally.waiting)
        for first in range(sent, sent + count, BLOCK):
            number = np.arange(first, min(first + BLOCK, sent + count), dtype=np.int64)
            due = self._began + (number + 1) / load.rate * SECOND if load.rate else np.full(len(number), now)
            frames = self._template.block(len(number), _values(load, number))
            edges = np.arange(len(number) + 1) * self._template.size
            yield 0, Block(bytearray(frames), edges, edges[:-1] + self._template.packet_at, due.astype(np.int64))


async def _run(load: Load) -> None:
    clock, progress = SteadyClock(), Progress()
    account = Plan(np.zeros(1, np.int64), (None,), PACKET_IDS)
    name = f"bench-load-{time.time_ns()}"
    wires = Wires(account, address_of(load.url, None), name=name, qos=1, clock=clock)
    tally = wires.tally
    async with wires.opened():
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        started_cpu, said = _cpu(), clock.now()
        progress.began, progress.wall = time.monotonic(), time.time_ns() / 1e9

        def tell(now: int) -> None:
            nonlocal said
            if tally.cut_off or tally.dropped:
                raise SystemExit(f"the load generator lost its connection: {dict(tally.errors)}")
            if now >= said + SECOND or progress.over:
                said = now
                progress.sent, progress.acknowledged = tally.sent, tally.acknowledged
                progress.late, progress.cpu = tally.latest / SECOND, _cpu() - started_cpu
                print(json.dumps(asdict(progress)), flush=True)

        def done(_: int) -> bool:
            return tally.acknowledged >= load.count

        await wires.play(_Round(load, tally, clock), done, tell, until=NEVER)
        progress.ended = time.monotonic()
        progress.over = True
        tell(clock.now())


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@dataclass(slots=True)
class Generator:
    """A load generator from outside: its latest progress, and its end."""

    process: asyncio.subprocess.Process
    progress: Progress = field(default_factory=Progress)

    async def begin(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        await self.process.stdin.drain()

    async def done(self) -> Progress:
        """Follow it to its end; every message is acknowledged by the broker then."""
        assert self.process.stdout is not None
        while not self.progress.over:
            line = await self.process.stdout.readline()
            if not line:
                raise SystemExit(f"the load generator ended early, status {await self.process.wait()}")
            self.progress = Progress(**json.loads(line))
        await self.process.wait()
        return self.progress


@contextlib.asynccontextmanager
async def generator(load: Load) -> AsyncIterator[Generator]:
    """Give a connected generator that waits for ``begin``; end it afterwards, whatever happened."""
    async with process("bench.generator", asdict(load)) as running:
        yield Generator(running)


async def send(load: Load) -> Progress:
    """Send all of a load; return once the broker has acknowledged every message."""
    async with generator(load) as one:
        await one.begin()
        return await one.done()


@contextlib.asynccontextmanager
async def process(module: str, *arguments: dict[str, Any] | str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Give a module of ours as a process that said ``ready``; kill it at the end where it still runs."""
    given = [one if isinstance(one, str) else json.dumps(one) for one in arguments]
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *given,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        if (await running.stdout.readline()).strip() != b"ready":
            raise SystemExit(f"{module} did not start, status {await running.wait()}")
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


if __name__ == "__main__":
    asyncio.run(_run(Load(**json.loads(sys.argv[1]))))
