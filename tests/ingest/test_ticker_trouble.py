"""A tick whose rules fail is told to whoever asks for readiness, and the next one tries again."""

from typing import Any

from firetower.core.clock import ManualClock, Micros
from firetower.devices.registry import Registry
from firetower.health import Health
from firetower.ingest.order import CommitOrder
from firetower.ingest.ticker import Ticker
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Step
from firetower.rules.verdicts import Verdict
from firetower.storage.ingest import IngestStore


class FailingOnce(Engine):
    """The engine with a fault in its first tick."""

    failed = False

    def evaluate(self, step: Step) -> list[Verdict]:
        if not self.failed:
            self.failed = True
            raise IndexError("index 7 is out of bounds")
        return super().evaluate(step)


class Listening:
    """Somebody who has always heard everything."""

    def listening_since(self, now: Micros) -> Micros | None:
        return 0

    def lag(self, now: Micros) -> Micros:
        return 0


async def test_rules_that_fail_at_a_tick_make_the_service_unready_until_a_tick_succeeds(
    pool: Any, clock: ManualClock
) -> None:
    registry = Registry()
    engine = FailingOnce(rulebook.load(), registry)
    ticker = Ticker(engine, IngestStore(pool, registry, clock), clock, CommitOrder(), telemetry=Listening())
    health = Health(pool, [], clock, ticker=ticker)
    await ticker.tick()
    assert [(ok, detail) for name, ok, detail in health.ready() if name == "rules"] == [
        (False, "tick: no delay ends and no silence is found (IndexError: index 7 is out of bounds)")
    ]
    await ticker.tick()
    assert [ok for name, ok, _ in health.ready() if name == "rules"] == [True]
