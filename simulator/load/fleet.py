"""The processes of a load from outside: begun at one instant, listened to, and none of them silently missing."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from firetower.core.clock import SECOND, Micros, SteadyClock
from firetower.core.errors import FiretowerError
from firetower.simulator.load.histogram import Histogram
from firetower.simulator.load.order import Order
from firetower.simulator.load.shapes import Profile
from firetower.simulator.load.tally import Tally

_LONGEST_LINE = 1 << 26
MILLI = 1000
"""µs in a millisecond, the unit of all latencies that are shown."""
_SOON: Micros = SECOND // 4
"""From the last process's being ready until the common start."""
SILENT = 30.0
"""Seconds without a word from a process that should say one each second."""
_SAID = 2000
"""Characters kept of what a process says on its standard error."""


class WorkerLost(FiretowerError):
    """A process of the load ended before its time: what it would have measured is missing, so there is no figure."""

    code = "worker_lost"


@dataclass(slots=True)
class Second:
    """One second of a load over all processes. ``tally``: counts since the start, histograms of this second alone."""

    number: int
    tally: Tally

    def row(self) -> dict[str, float]:
        """Return its figures: counts since the start, latencies of this second in ms."""
        tally = self.tally
        p50, p99, most = (value / MILLI for value in tally.latency.percentiles([50, 99, 100]))
        return {
            "second": self.number, "intended": tally.intended, "sent": tally.sent, "acknowledged": tally.acknowledged,
            "in_flight": tally.in_flight, "waiting": tally.waiting, "connected": tally.connected, "p50_ms": p50,
            "p99_ms": p99, "max_ms": most, "lateness_p99_ms": tally.lateness.percentile(99) / MILLI,
        }  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """What a load came to. ``began``: µs; ``elapsed``: µs until the last answer; ``cpu``: processor seconds of each.

    ``seconds``: a row of figures for each, without its histograms, as a soak has many. ``open_at_end``: messages sent
    or waiting, and not acknowledged, when the schedule ended.
    """

    profile: Profile
    began: Micros = 0
    elapsed: Micros = 0
    tally: Tally = field(default_factory=Tally)
    seconds: list[dict[str, float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    open_at_end: int = 0
    stopped: bool = False


class _Process:
    """One worker."""

    def __init__(self, number: int, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.number, self.pid = number, process.pid
        self._process, self._input, self._output = process, process.stdin, process.stdout
        self._said = ""
        self._listening = asyncio.create_task(self._listen(process.stderr), name=f"worker {number}")

    async def _listen(self, errors: asyncio.StreamReader) -> None:
        while data := await errors.read(4096):
            self._said = (self._said + data.decode("utf-8", "replace"))[-_SAID:]

    def tell(self, what: dict[str, Any]) -> None:
        """Send it a line; one that is gone is noticed when it is listened to."""
        with contextlib.suppress(OSError):
            self._input.write(json.dumps(what).encode() + b"\n")

    async def hear(self) -> dict[str, Any]:
        """Return its next line; raises what it says went wrong, or WorkerLost when it is gone."""
        line = await self._output.readline()
        if not line.endswith(b"\n"):
            status = await self._process.wait()
            await self._listening
            raise WorkerLost(
                f"worker {self.number} (process {self.pid}) ended with status {status} before its load was over: what "
                f"it measured is missing, so there is no figure. It said: {self._said.strip() or 'nothing'}"
            )
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise FiretowerError(said["error"])
        return said

    async def end(self) -> None:
        """End it."""
        self._input.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self._listening


class Fleet:
    """The processes of an order, running inside ``fleet``. ``natural_rate``: messages a second of the city's own
    pace. ``stopping``: whether it was told to end early."""

    def __init__(self, processes: list[_Process], clock: SteadyClock, natural_rate: float) -> None:
        self._processes, self._clock = processes, clock
        self.natural_rate = natural_rate
        self.stopping = False

    @property
    def pids(self) -> list[int]:
        """The process ids."""
        return [process.pid for process in self._processes]

    def stop(self) -> None:
        """Let the load that runs end early."""
        self.stopping = True
        for process in self._processes:
            process.tell({"stop": True})

    async def load(
        self, profile: Profile, *, drain: float, on_second: Callable[[Second, Outcome], None] | None = None
    ) -> Outcome:
        """Send one load, beginning in all processes at one instant; return what it came to.

        ``drain``: seconds that the last acknowledgements are waited for. Raises WorkerLost when a process ends.
        """
        legs = [[leg.seconds, leg.first, leg.last] for leg in profile.legs]
        outcome = Outcome(profile)
        for process in self._processes:
            process.tell({"legs": legs, "drain": drain})
        for process in self._processes:
            await process.hear()
        outcome.began = self._clock.now() + _SOON
        for process in self._processes:
            process.tell({"begin": outcome.began})
        gathering = _Gathering(outcome, len(self._processes), on_second)
        following = [
            asyncio.create_task(self._follow(place, process, gathering), name=f"follow worker {process.number}")
            for place, process in enumerate(self._processes)
        ]
        try:
            await asyncio.gather(*following)
        finally:
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        outcome.stopped = self.stopping
        return outcome

    async def _follow(self, place: int, process: _Process, gathering: "_Gathering") -> None:
        over = False
        while not over:
            try:
                async with asyncio.timeout(SILENT):
                    said = await process.hear()
            except TimeoutError:
                raise WorkerLost(
                    f"worker {process.number} (process {process.pid}) has said nothing for {SILENT:g} s, and "
                    "should each second: what it measured is missing, so there is no figure"
                ) from None
            over = "over" in said
            gathering.take(place, said)


class _Gathering:
    """Puts together what the processes say of each second."""

    def __init__(self, outcome: Outcome, many: int, on_second: Callable[[Second, Outcome], None] | None) -> None:
        self._outcome, self._on_second = outcome, on_second
        self._last = [Tally() for _ in range(many)]
        self._over = [False] * many
        self._told = [0] * many
        self._recent: dict[int, tuple[Histogram, Histogram]] = {}

    def take(self, place: int, said: dict[str, Any]) -> None:
        """Add what one process says of its next second."""
        tally, outcome, number = Tally.of(said["tally"]), self._outcome, int(said["second"])
        latency, lateness = self._recent.setdefault(number, (Histogram(), Histogram()))
        latency.add(tally.latency)
        lateness.add(tally.lateness)
        outcome.tally.latency.add(tally.latency)
        outcome.tally.lateness.add(tally.lateness)
        tally.latency, tally.lateness = Histogram(), Histogram()
        self._last[place], self._told[place] = tally, number
        if "over" in said:
            self._over[place] = True
            outcome.elapsed = max(outcome.elapsed, said["over"])
            outcome.cpu.append(said["cpu"])
            outcome.open_at_end += said["open"]
        self._finish()

    def _finish(self) -> None:
        outcome = self._outcome
        told = [number for number, over in zip(self._told, self._over, strict=True) if not over]
        done = min(told, default=max(self._told))
        for number in sorted(number for number in self._recent if number <= done):
            latency, lateness = self._recent.pop(number)
            total = Tally()
            for one in self._last:
                total.add(one)
            total.latency, total.lateness = outcome.tally.latency, outcome.tally.lateness
            outcome.tally = total
            second = Second(number, _of_second(total, latency, lateness))
            outcome.seconds.append(second.row())
            if self._on_second is not None:
                self._on_second(second, outcome)


def _of_second(total: Tally, latency: Histogram, lateness: Histogram) -> Tally:
    tally = Tally()
    tally.add(total)
    tally.latency, tally.lateness = latency, lateness
    return tally


@contextlib.asynccontextmanager
async def fleet(order: Order) -> AsyncIterator[Fleet]:
    """Give the processes of ``order``, built and waiting for a load; they are ended afterwards, whatever happened.

    Raises FiretowerError with what is wrong with the order, as the process says it.
    """
    order.check()
    processes: list[_Process] = []
    try:
        for number in range(order.workers):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "firetower.simulator.load.worker", limit=_LONGEST_LINE,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is ours: they are told to stop, and report
            )  # fmt: skip
            processes.append(_Process(number, process))
            processes[-1].tell({"order": order.line(), "worker": number})
        built = [await process.hear() for process in processes]
        yield Fleet(processes, SteadyClock(order.wall, order.steady), built[0]["natural_rate"])
    finally:
        await asyncio.gather(*(process.end() for process in processes))
