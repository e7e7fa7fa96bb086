"""While the store cannot commit, what the alarm lane raises is shown as provisional; nothing is acknowledged."""

import asyncio
import sys
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import ALARM, CLOCK, TELEMETRY, City, publisher, running, said

from firetower.core.clock import MINUTE
from firetower.ingest.precedence import Precedence
from firetower.rules.verdicts import Verdict, VerdictKind


class Shown:
    """Who is told: what waits under which token."""

    def __init__(self) -> None:
        self.tokens: dict[Hashable, list[str]] = {}

    def waiting(self, token: Hashable, verdicts: Sequence[Verdict]) -> None:
        raised = [verdict for verdict in verdicts if verdict.kind is VerdictKind.RAISE]
        self.tokens[token] = [f"{verdict.rule} {verdict.component}" for verdict in raised]

    def settled(self, token: Hashable) -> None:
        self.tokens.pop(token, None)

    def names(self) -> set[str]:
        return {name for names in self.tokens.values() for name in names}


async def test_alarms_are_shown_while_the_store_is_away_and_stored_once_when_it_is_back(nats: Any) -> None:
    shown = Shown()
    city = City(nats.url, provisional=shown)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        city.store.failing = True
        for component in ("1", "2", "3"):
            await pub.publish(ALARM, said(event="fire", component=component))
        await until(lambda: {f"event:fire {n}" for n in (1, 2, 3)} <= shown.names())
        await pub.publish(ALARM, b"not JSON")
        await until(lambda: any(name.startswith("event:unreadable") for name in shown.names()))
        assert lane.acknowledged == 0
        city.store.failing = False
        await until(lambda: lane.acknowledged == 4)
        await until(lambda: not shown.tokens, what="what is stored is not provisional any more")
    assert sorted(event.component for event in city.store.events if event.event == "fire") == ["1", "2", "3"]


async def test_smoke_beyond_the_fire_limit_in_the_alarm_lane_is_shown_though_rules_raise_it(nats: Any) -> None:
    shown = Shown()
    city = City(nats.url, provisional=shown)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        city.store.failing = True
        for _ in range(3):
            await pub.publish(ALARM, said(smoke=0.5))
        await until(lambda: any("smoke" in name for name in shown.names()))
        city.store.failing = False
        await until(lambda: lane.acknowledged == 3)
    assert not shown.tokens


async def test_a_lane_that_waits_for_a_look_at_the_store_still_shows_the_alarms_behind(nats: Any) -> None:
    """A reading older than the engine remembers needs the store; a fire behind it must not wait for that to be seen."""
    shown = Shown()
    city = City(nats.url, provisional=shown)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        city.store.failing = True
        await pub.publish(ALARM, said(smoke=0.01, ts=(CLOCK.now() - 120 * MINUTE) // 1000))
        await until(lambda: lane.store_trouble)
        await pub.publish(ALARM, said(event="fire", component="behind"))
        await until(lambda: "event:fire behind" in shown.names())
        city.store.failing = False
        await until(lambda: lane.acknowledged == 2)
    assert not shown.tokens


async def test_alarms_that_commit_at_once_are_never_provisional(nats: Any) -> None:
    told: list[Any] = []

    class Counting(Shown):
        def waiting(self, token: Hashable, verdicts: Sequence[Verdict]) -> None:
            told.append(verdicts)

    city = City(nats.url, provisional=Counting())
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        for n in range(50):
            await pub.publish(ALARM, said(event="fire", component=str(n)))
        await until(lambda: lane.acknowledged == 50)
    assert not told


async def test_telemetry_makes_way_for_an_alarm_and_goes_on_when_it_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bounds of its patience are out of the way here, so that only the alarm's commit can end the wait."""
    monkeypatch.setattr("firetower.ingest.precedence.LONGEST_S", 60.0)
    monkeypatch.setattr("firetower.ingest.precedence.HANGING_S", 60.0)
    precedence = Precedence()
    precedence.begin()
    telemetry = asyncio.create_task(precedence.give_way())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not telemetry.done()
    precedence.end()
    async with asyncio.timeout(5):
        await telemetry


async def test_an_alarm_that_hangs_in_the_store_does_not_hold_telemetry_up(nats: Any) -> None:
    city = City(nats.url)
    alarms, telemetry, pub = city.lane("alarm"), city.lane("telemetry"), publisher(nats.url)
    async with running(alarms, telemetry, pub):
        city.store.held = {"alarm"}
        city.store.gate.clear()
        await pub.publish(ALARM, said(event="fire"))
        await until(lambda: city.store.attempts)
        for n in range(100):
            await pub.publish(TELEMETRY, said(smoke=n / 1e5))
        await until(lambda: telemetry.acknowledged == 100)
        assert alarms.acknowledged == 0
        city.store.gate.set()
        await until(lambda: alarms.acknowledged == 1)
