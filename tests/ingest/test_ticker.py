"""A tick hands the rules the time, since when telemetry was heard without a gap, and how far it is behind."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from memory_store import MemoryStore

from firetower.core.clock import DAY, HOUR, SECOND, ManualClock, Micros
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry, Registry
from firetower.ingest.order import CommitOrder
from firetower.ingest.ticker import Ticker
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Step, Tick
from firetower.rules.verdicts import Verdict
from firetower.rules.watches.silence import TOLD_A_TICK


class Asked(Engine):
    """The engine, noting what each tick was given."""

    ticks: list[tuple[Micros, Micros | None, Micros]]

    def evaluate(self, step: Step) -> list[Verdict]:
        if isinstance(step, Tick):
            self.ticks.append((step.now, step.listening_since, step.lag))
        return super().evaluate(step)


class Telemetry:
    """A lane that is as far behind as it is told."""

    def __init__(self, since: Micros | None, behind: Micros) -> None:
        self.since, self.behind = since, behind

    def listening_since(self, now: Micros) -> Micros | None:
        return self.since

    def lag(self, now: Micros) -> Micros:
        return self.behind


@pytest.mark.parametrize(("since", "behind"), [(ManualClock().now() - HOUR, 7 * SECOND), (None, 0)])
async def test_the_rules_are_told_what_the_telemetry_lane_says_of_itself(
    clock: ManualClock, since: Micros | None, behind: Micros
) -> None:
    registry = Registry()
    engine = Asked(rulebook.load(), registry)
    engine.ticks = []
    ticker = Ticker(engine, MemoryStore(registry, clock), clock, CommitOrder(), telemetry=Telemetry(since, behind))
    await ticker.tick()
    assert engine.ticks == [(clock.now(), since, behind)]


@pytest.mark.parametrize(("devices", "more"), [(TOLD_A_TICK, True), (3, False)])
async def test_after_a_tick_that_told_as_much_as_one_may_the_next_comes_sooner(
    clock: ManualClock, devices: int, more: bool
) -> None:
    """What a thousand silent devices put off is told in seconds, not in minutes."""
    registry = Registry()
    for number in range(1, devices + 1):
        registry.add(DeviceEntry(number, "mall", f"p{number}", DeviceKind.PANEL, 20 * SECOND, registered_at=0))
    registry.last_seen[1 : devices + 1] = clock.now() - HOUR
    heard = Telemetry(clock.now() - DAY, 0)
    engine = Engine(rulebook.load(), registry)
    ticker = Ticker(engine, MemoryStore(registry, clock), clock, CommitOrder(), telemetry=heard)
    assert await ticker.tick() is more
