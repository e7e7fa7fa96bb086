"""Runs a load, or looks for the rate that just holds, in processes of its own; Ctrl-C ends it with its report."""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from firetower.core.clock import SteadyClock
from firetower.core.errors import ConfigError
from firetower.simulator.load.arrivals import ArrivalName
from firetower.simulator.load.connections import Wiring
from firetower.simulator.load.fleet import Fleet, Outcome, Second, fleet
from firetower.simulator.load.knee import Search
from firetower.simulator.load.limits import Limits, not_held, refused
from firetower.simulator.load.order import Order
from firetower.simulator.load.report import Report
from firetower.simulator.load.shapes import ShapeName, profile
from firetower.simulator.models import Pace

DRAIN = 10.0
"""Seconds that the last acknowledgements are waited for."""
TRIAL_SECONDS = 10.0
"""How long find-the-limit tries each rate."""
FIRST_RATE = 1000.0
LIMIT_P99_MS = 250.0
"""p99 that find-the-limit takes for held when no other is given."""

Watch = Callable[[Second, Outcome], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a tester asks for. ``rate``, ``to``: messages/s, None: the city's own pace, and the shape's own peak."""

    shape: ShapeName
    rate: float | None = None
    to: float | None = None
    seconds: float | None = None
    steps: int | None = None


def order(
    broker_url: str, *, seed: int, devices: int, pace: Pace, arrival: ArrivalName, wiring: Wiring, workers: int
) -> Order:
    """Return the order of a load that begins now; ConfigError when it cannot be."""
    clock = SteadyClock()
    made = Order(
        broker_url=broker_url, seed=seed, devices=devices, pace=pace, arrival=arrival, wiring=wiring, workers=workers,
        run=f"firetower-load-{secrets.token_hex(4)}", wall=clock.wall, steady=clock.steady,
    )  # fmt: skip
    made.check()
    return made


async def load(what: Order, asked: Asked, limits: Limits, watch: Watch) -> Report:
    """Send one load and report on it. Raises FiretowerError when it cannot be, or a process is lost."""
    if asked.rate is not None:  # what is no load is said before a city is built
        profile(asked.shape, asked.rate, to=asked.to, seconds=asked.seconds, steps=asked.steps)
    async with _interruptible(what) as running:
        rate = running.natural_rate if asked.rate is None else asked.rate
        shape = profile(asked.shape, rate, to=asked.to, seconds=asked.seconds, steps=asked.steps)
        outcome = await running.load(shape, drain=DRAIN, on_second=watch)
    return Report(what, asked.shape, outcome, limits)


async def find_limit(what: Order, asked: Asked, limits: Limits, watch: Watch, tried: Callable[[str], None]) -> Report:
    """Try rates until the highest that holds is known; ``tried`` is told of each. Raises as ``load`` does."""
    if asked.shape != "steady":
        raise ConfigError(f"--find-limit tries steady loads: leave --load {asked.shape} out")
    search = Search(asked.rate or FIRST_RATE, asked.to or float("inf"))
    if not 0 < search.start <= search.most:
        raise ConfigError(f"a search from {search.start:g} to {search.most:g} messages a second is not possible")
    best: Outcome | None = None
    the_generators = False
    async with _interruptible(what) as running:
        while (rate := search.next()) is not None and not running.stopping:
            shape = profile("steady", rate, seconds=asked.seconds or TRIAL_SECONDS)
            outcome = await running.load(shape, drain=DRAIN, on_second=watch)
            if running.stopping:
                break
            its_own = refused(outcome.tally, limits)
            why = its_own or not_held(outcome, limits)
            search.tell(rate, why)
            tried(f"{rate:,.0f} messages/s {'held' if why is None else f'did not hold: {why}'}")
            if why is None and (best is None or rate > best.profile.rate(0)):
                best = outcome
            if search.failed is not None and search.failed.rate == rate:
                the_generators = its_own is not None
        stopped = running.stopping
    report = Report(what, "find-limit", best, limits, search)
    if stopped:
        report.problems.append("stopped before the limit was found")
    elif search.held is None:
        report.problems.append("no rate held")
    elif the_generators:
        report.problems.append("what did not hold was the generator: the limit of the system lies above")
    return report


@contextlib.asynccontextmanager
async def _interruptible(what: Order) -> AsyncIterator[Fleet]:
    """Give the processes of a load that Ctrl-C and SIGTERM let end early; before it begins they end the command."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    running: Fleet | None = None

    def interrupt() -> None:
        if running is None or running.stopping:
            task.cancel()
        else:
            running.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        async with fleet(what) as running:
            yield running
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
