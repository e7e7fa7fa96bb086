"""Firetower's own alerts: telemetry that is behind, canaries that are missing; and how the canary is watched."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from firetower.core.clock import HOUR, SECOND, ManualClock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.devices.registry import Registry
from firetower.ingest.canary import CanaryWatch, Flight
from firetower.ingest.order import CommitOrder
from firetower.ingest.ports import Work
from firetower.ingest.system import SystemWatch
from firetower.ingest.ticker import Ticker
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine
from firetower.rules.verdicts import Verdict
from firetower.storage import canary
from firetower.storage.alerts import AlertStore
from firetower.storage.ingest import IngestStore


@dataclass
class Telemetry:
    """A lane that is as far behind as it is told."""

    behind: Micros = 0

    def lag(self, now: Micros) -> Micros:
        return self.behind

    def listening_since(self, now: Micros) -> Micros | None:
        return 0


class Flights:
    """What the store answers."""

    def __init__(self) -> None:
        self.last: Flight | None = None
        self.away = False

    async def latest(self) -> Flight | None:
        if self.away:
            raise StoreUnavailable("the database cannot be reached (test)")
        return self.last


class Stand:
    """A system watch, a lane and a canary, on a clock moved by hand."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.telemetry = Telemetry()
        self.flights = Flights()
        self.canary = CanaryWatch(self.flights.latest, clock)
        self.certain = True
        self.system = SystemWatch(self.telemetry, self.canary, certain=lambda: self.certain)

    async def fly(self) -> None:
        now = self.clock.now()
        self.flights.last = (now, now)
        await self.canary.look()

    def look(self) -> list[tuple[str, str]]:
        return [(verdict.kind.value, verdict.rule) for verdict in self.system.look(self.clock.now())]


@pytest.fixture
def stand(clock: ManualClock) -> Stand:
    return Stand(clock)


async def test_telemetry_over_60_s_behind_is_an_alert_until_it_is_less_than_30_s_behind(stand: Stand) -> None:
    assert stand.look() == [("clear", "system_lag")]
    said = []
    for behind in (60, 61, 90, 45, 61, 30, 29, 0):
        stand.telemetry.behind = behind * SECOND
        said.append(stand.look())
    raised, cleared = [("raise", "system_lag")], [("clear", "system_lag")]
    assert said == [[], raised, [], [], [], [], cleared, []]


async def test_after_a_start_nobody_says_that_telemetry_keeps_up_before_a_probe_was_heard(stand: Stand) -> None:
    stand.certain = False
    assert stand.look() == []
    stand.telemetry.behind = 61 * SECOND
    assert stand.look() == [("raise", "system_lag")]
    stand.telemetry.behind = 0
    assert stand.look() == []
    stand.certain = True
    assert stand.look() == [("clear", "system_lag")]


async def test_three_missed_canaries_are_an_alert_until_one_is_committed(stand: Stand) -> None:
    stand.look()
    await stand.fly()
    assert stand.look() == [("clear", "system_canary")]
    stand.clock.advance(90 * SECOND)
    assert stand.look() == []
    stand.clock.advance(SECOND)
    assert stand.look() == [("raise", "system_canary")]
    stand.clock.advance(HOUR)
    assert stand.look() == []
    await stand.fly()
    assert stand.look() == [("clear", "system_canary")]


async def test_a_canary_from_before_a_long_stop_is_missed_only_when_the_new_start_has_had_its_90_s(
    stand: Stand,
) -> None:
    stand.flights.last = (stand.clock.now() - HOUR, stand.clock.now() - HOUR)
    await stand.canary.look()
    now = stand.clock.now()
    assert (stand.canary.age(now), stand.canary.alive(now), stand.canary.missed(now)) == (HOUR, False, False)
    now += 91 * SECOND
    assert stand.canary.missed(now)


async def test_while_the_store_is_away_the_last_canary_known_grows_old(stand: Stand) -> None:
    await stand.fly()
    stand.flights.away = True
    stand.clock.advance(89 * SECOND)
    await stand.canary.look()
    assert stand.canary.alive(stand.clock.now())
    stand.clock.advance(2 * SECOND)
    await stand.canary.look()
    assert stand.canary.missed(stand.clock.now())
    assert stand.canary.age(stand.clock.now()) == 91 * SECOND


async def test_a_canary_of_the_future_proves_nothing(stand: Stand) -> None:
    stand.flights.last = (stand.clock.now() + HOUR, stand.clock.now() + HOUR)
    await stand.canary.look()
    assert not stand.canary.alive(stand.clock.now())


class Stored(Stand):
    """The same with the production engine, store and ticker."""

    def __init__(self, clock: ManualClock, pool: asyncpg.Pool) -> None:
        super().__init__(clock)
        self.alerts = AlertStore(pool, clock)
        self.registry = Registry()
        self.store = IngestStore(pool, self.registry, clock)
        self.canary = CanaryWatch(lambda: canary.latest(pool), clock)
        self.start()

    def start(self) -> None:
        """Start anew, as after a restart: nothing is remembered but what is stored."""
        self.system = SystemWatch(self.telemetry, self.canary, certain=lambda: self.certain)
        self.ticker = Ticker(
            Engine(rulebook.load(), self.registry), self.store, self.clock, CommitOrder(),
            telemetry=self.telemetry, system=self.system,
        )  # fmt: skip

    async def open(self) -> list[tuple[str, str, int, str]]:
        alerts = (await self.alerts.snapshot()).alerts
        return [(alert.rule, alert.alert_class.value, alert.priority, alert.condition.value) for alert in alerts]


async def test_a_restart_neither_doubles_the_lag_alert_nor_leaves_it_standing(
    pool: asyncpg.Pool, clock: ManualClock
) -> None:
    stored = Stored(clock, pool)
    stored.telemetry.behind = 75 * SECOND
    await stored.ticker.tick()
    (alert,) = (await stored.alerts.snapshot()).alerts
    assert (alert.subject_kind, alert.subject, alert.component) == ("system", "firetower", "telemetry")
    assert "75" in alert.text
    clock.advance(SECOND)
    stored.start()
    await stored.ticker.tick()
    assert await stored.open() == [("system_lag", "fault", 2, "active")]
    assert (await stored.alerts.get(alert.id)).version == alert.version
    clock.advance(SECOND)
    stored.start()
    stored.telemetry.behind = 0
    await stored.ticker.tick()
    assert await stored.open() == [("system_lag", "fault", 2, "normal")]


async def test_a_canary_that_is_committed_is_seen_and_ends_the_alert_of_its_absence(
    pool: asyncpg.Pool, clock: ManualClock
) -> None:
    stored = Stored(clock, pool)
    clock.advance(91 * SECOND)
    await stored.canary.look()
    await stored.ticker.tick()
    assert await stored.open() == [("system_canary", "fault", 2, "active")]
    sent = clock.now()
    clock.advance(SECOND)
    await stored.store.commit(Work("alarm", canary=sent))
    await stored.canary.look()
    assert stored.canary.last == (sent, clock.now())
    await stored.ticker.tick()
    assert await stored.open() == [("system_canary", "fault", 2, "normal")]


async def test_rules_that_fail_do_not_silence_firetowers_own_alerts(
    pool: asyncpg.Pool, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Stored(clock, pool)

    def fail(*_: Any, **__: Any) -> list[Verdict]:
        raise IndexError("a bug")

    monkeypatch.setattr(Engine, "evaluate", fail)
    stored.telemetry.behind = 61 * SECOND
    await stored.ticker.tick()
    assert stored.ticker.rules_trouble is not None
    assert await stored.open() == [("system_lag", "fault", 2, "active")]
