"""A batch made ready while the one before it is being committed knows what that one holds; and what a pause hides."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK, TELEMETRY, City, publisher, running, said

from firetower.devices.readings import Bools, Mark, Readings


def counted_looks(city: City, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each batch that is held against what is known."""
    looks: list[int] = []
    plain = city.engine.unsure

    def unsure(readings: Readings) -> Bools:
        looks.append(len(readings))
        return plain(readings)

    monkeypatch.setattr(city.engine, "unsure", unsure)
    return looks


async def test_a_standing_clock_is_known_by_a_reading_whose_commit_is_still_under_way(
    nats: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is asked only once it holds the batch before: else the second value would be taken for a repeat."""
    city = City(nats.url)
    looks = counted_looks(city, monkeypatch)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    first = said(smoke=0.01)
    async with running(lane, pub):
        city.store.held = {"telemetry"}
        city.store.gate.clear()
        await pub.publish(TELEMETRY, first)
        await until(lambda: city.store.attempts, what="the first batch is being committed")
        await pub.publish(TELEMETRY, json.dumps({**json.loads(first), "smoke": 0.02}).encode())
        await until(lambda: len(looks) >= 2, what="the second batch is being made ready")
        city.store.gate.set()
        await until(lambda: lane.acknowledged == 2)
    assert [value for value, _ in sorted(city.store.readings.values())] == [0.01, 0.02]
    (stuck,) = [flags for value, flags in city.store.readings.values() if value == 0.02]
    assert stuck & Mark.CLOCK_STUCK


async def test_a_message_without_a_time_that_comes_again_during_its_commit_is_stored_once(nats: Any) -> None:
    """Its arrival would be its key, and the second one arrives later."""
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    untimed = json.dumps({"seq": 7, "smoke": 0.01}).encode()
    async with running(lane, pub):
        city.store.held = {"telemetry"}
        city.store.gate.clear()
        await pub.publish(TELEMETRY, untimed)
        await until(lambda: city.store.attempts, what="the first batch is being committed")
        heard = int(city.registry.last_seen[1])
        await pub.publish(TELEMETRY, untimed)
        await until(lambda: int(city.registry.last_seen[1]) > heard, what="the second batch is being made ready")
        city.store.gate.set()
        await until(lambda: lane.acknowledged == 2)
    assert city.values() == [0.01]


@pytest.mark.parametrize(("long_pause_s", "counts_anew"), [(0.0, True), (3600.0, False)])
async def test_after_a_long_pause_of_our_own_silence_counts_from_its_end(
    nats: Any, monkeypatch: pytest.MonkeyPatch, long_pause_s: float, counts_anew: bool
) -> None:
    """What waits unread at the broker was not heard; so while a lane is full, and after, nobody is silent for that."""
    monkeypatch.setattr("firetower.ingest.intake._LONG_PAUSE_S", long_pause_s)
    city = City(nats.url, batch_messages=20)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        connected_since = lane.session.connected_since
        assert lane.listening_since(CLOCK.now()) == connected_since
        city.store.failing = True
        for n in range(100):
            await pub.publish(TELEMETRY, said(smoke=n / 1e5))
        await until(lambda: lane.paused)
        assert lane.listening_since(CLOCK.now()) is None
        healed = CLOCK.now()
        city.store.failing = False
        await until(lambda: lane.acknowledged == 100, seconds=30)
        since = lane.listening_since(CLOCK.now())
        assert since is not None
        assert connected_since is not None
        assert (since >= healed) if counts_anew else (since == connected_since)
