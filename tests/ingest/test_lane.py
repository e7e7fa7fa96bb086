"""Lanes on a real broker, the real rules and a store that can fail: nothing acknowledged before it is committed."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mqtt_sessions import retained
from prometheus_client import REGISTRY
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import ALARM, CLOCK, STATUS, TELEMETRY, City, publisher, running, said

from firetower.core.clock import MINUTE, SECOND
from firetower.devices.readings import Mark
from firetower.ingest.ticker import Ticker
from firetower.rules.verdicts import VerdictKind


async def test_a_message_is_committed_at_once_when_idle_and_acknowledged_after(nats: Any) -> None:
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        await pub.publish(TELEMETRY, said(smoke=0.01, battery=3.6))
        await until(lambda: lane.acknowledged == 1)
        assert city.values() == [0.01]
        assert city.registry.last_seen[1] > 0
        assert lane.lag(CLOCK.now()) == 0


async def test_while_the_store_fails_nothing_is_acknowledged_and_when_it_heals_nothing_is_lost(nats: Any) -> None:
    city = City(nats.url, batch_messages=50)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        city.store.failing = True
        counted = _received("telemetry")
        for n in range(1000):
            await pub.publish(TELEMETRY, said(smoke=n / 1e5))
        await until(lambda: len(city.store.attempts) >= 3)
        assert lane.acknowledged == 0
        assert lane.store_trouble
        assert lane.paused, "memory is bounded: the broker keeps the rest"
        assert lane.received < 1000
        assert _received("telemetry") - counted == lane.received, "messages count when they come, not when they commit"
        assert len({id(work) for work in city.store.attempts}) == 1, "the same unit of work is tried again, unchanged"
        assert lane.listening_since(CLOCK.now()) is None, "a lane that does not read cannot say who is silent"
        city.store.failing = False
        await until(lambda: lane.acknowledged == 1000, seconds=30)
        assert city.values() == [n / 1e5 for n in range(1000)]
        assert lane.store_trouble is None
        assert not lane.paused


async def test_a_stopped_lane_leaves_what_it_had_not_acknowledged_to_the_next_and_it_is_stored_once(nats: Any) -> None:
    city = City(nats.url)
    pub = publisher(nats.url)
    async with running(pub):
        city.store.held = {"telemetry"}
        city.store.gate.clear()
        async with running(city.lane("telemetry")):
            for n in range(20):
                await pub.publish(TELEMETRY, said(smoke=n / 1000))
            await until(lambda: city.store.attempts)
        assert city.store.commits == []
        city.store.gate.set()
        again = city.lane("telemetry")
        async with running(again):
            await until(lambda: again.acknowledged == 20, seconds=60)  # NATS repeats after its ack_wait of 5 s
        assert city.values() == [n / 1000 for n in range(20)]


async def test_a_killed_broker_that_comes_back_loses_and_doubles_nothing(nats: Any) -> None:
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        for n in range(50):
            await pub.publish(TELEMETRY, said(smoke=n / 1000))
        await until(lambda: lane.acknowledged == 50)
        nats.kill()
        await until(lambda: not lane.connected and not pub.connected)
        assert lane.trouble
        assert lane.listening_since(CLOCK.now()) is None
        nats.start()
        await until(lambda: lane.connected and pub.connected, seconds=30)
        for n in range(50, 100):
            await pub.publish(TELEMETRY, said(smoke=n / 1000))
        await until(lambda: len(city.values()) == 100, seconds=30)
        assert city.values() == [n / 1000 for n in range(100)]
        assert lane.trouble is None


async def test_a_stalled_telemetry_store_does_not_delay_an_alarm(nats: Any) -> None:
    city = City(nats.url, batch_messages=50)
    telemetry, alarm, pub = city.lane("telemetry"), city.lane("alarm"), publisher(nats.url)
    async with running(telemetry, alarm, pub):
        city.store.held = {"telemetry"}
        city.store.gate.clear()
        for n in range(500):
            await pub.publish(TELEMETRY, said(smoke=n / 1e5))
        await until(lambda: telemetry.paused)
        await pub.publish(ALARM, said(event="fire", component="3-17"))
        await until(lambda: alarm.acknowledged == 1)
        assert telemetry.acknowledged == 0
        assert [event.event for event in city.store.events] == ["fire"]
        (verdict,) = city.store.verdicts
        assert (verdict.rule, verdict.kind, verdict.priority) == ("event:fire", VerdictKind.RAISE, 1)
        city.store.gate.set()
        await until(lambda: telemetry.acknowledged == 500, seconds=30)


async def test_repeats_are_stored_once_and_a_standing_clock_makes_new_readings(nats: Any) -> None:
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    first = said(smoke=0.01)
    async with running(lane, pub):
        await pub.publish(TELEMETRY, first)
        await until(lambda: lane.acknowledged == 1)
        await pub.publish(TELEMETRY, first)
        await pub.publish(TELEMETRY, first.replace(b"0.01", b"0.02"))
        await pub.publish(TELEMETRY, b'{"seq":7,"smoke":0.03}')
        await pub.publish(TELEMETRY, b'{"seq":7,"smoke":0.03}')
        await until(lambda: lane.acknowledged == 5)
        await pub.publish(TELEMETRY, b'{"seq":7,"smoke":0.03}')
        await until(lambda: lane.acknowledged == 6)
    assert city.values() == [0.01, 0.02, 0.03]
    marks = dict(city.store.readings.values())
    assert marks[0.01] == 0
    assert marks[0.02] == Mark.CLOCK_STUCK
    assert marks[0.03] == Mark.ARRIVAL_TIME


async def test_late_readings_are_stored_and_marked(nats: Any) -> None:
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    earlier, later = said(smoke=0.01), said(smoke=0.02)
    async with running(lane, pub):
        for count, payload in enumerate((later, earlier)):
            await pub.publish(TELEMETRY, payload)
            await until(lambda count=count: lane.acknowledged > count)
    assert dict(city.store.readings.values()) == {0.02: 0, 0.01: Mark.LATE}


async def test_a_limit_broken_in_telemetry_raises_with_the_batch_that_broke_it(nats: Any) -> None:
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        start = CLOCK.now() // 1000 - 200_000
        burning = [{"ts": start + n * 1000, "smoke": 5.0} for n in range(190)]
        await pub.publish(TELEMETRY, json.dumps(burning).encode())
        await until(lambda: lane.acknowledged == 1)
    (work,) = city.store.commits
    assert len(work.readings) == 190
    assert any(verdict.kind is VerdictKind.RAISE and verdict.subject == "mall-01/smk-1" for verdict in work.verdicts)


async def test_strangers_are_registered_on_first_sight_where_they_are_welcome(nats: Any) -> None:
    city = City(nats.url, auto_register=True)
    lane, alarm, pub = city.lane("telemetry"), city.lane("alarm"), publisher(nats.url)
    async with running(lane, alarm, pub):
        await pub.publish("firetower/v1/new/hyd-9/telemetry", said(**{"pressure": 0.3, "flow.out": 1}))
        await pub.publish("firetower/v1/new/pan-1/alarm", said(event="fire"))
        await until(lambda: lane.acknowledged == 1 and alarm.acknowledged == 1)
    hydrant, panel = city.registry.number("new", "hyd-9"), city.registry.number("new", "pan-1")
    assert hydrant is not None
    assert panel is not None
    assert city.values("pressure") == [0.3]
    assert city.registry.channel("out") in {key[2] for key in city.store.readings}
    assert city.store.events[0].device_number == panel
    assert city.registry.last_seen[hydrant] > 0


async def test_an_alarm_of_a_stranger_is_raised_unregistered_where_strangers_are_not_welcome(nats: Any) -> None:
    city = City(nats.url)
    alarm, pub = city.lane("alarm"), publisher(nats.url)
    async with running(alarm, pub):
        await pub.publish("firetower/v1/new/pan-1/alarm", said(event="fire"))
        await pub.publish("firetower/v1/new/pan-1/alarm", b"\x00garbage")
        await until(lambda: alarm.acknowledged == 2)
    assert [verdict.rule for verdict in city.store.verdicts] == ["event:fire", "event:unreadable"]
    assert all("unregistered" in verdict.flags for verdict in city.store.verdicts)
    assert [reject.reason for reject in city.store.rejects] == ["bad_json"]


async def test_a_device_that_says_offline_is_offline_until_it_is_heard_again(nats: Any) -> None:
    city = City(nats.url)
    status, telemetry, pub = city.lane("status"), city.lane("telemetry"), publisher(nats.url)
    await retained(nats.url, STATUS, b"online")
    async with running(pub), running(status, telemetry):
        await until(lambda: city.store.commits)
        assert city.store.commits[0].liveness[0].online
        assert city.registry.last_seen[1] == 0, "a retained word is no sign of life"
        await pub.publish(STATUS, b"offline", retain=True)
        await until(lambda: city.registry.offline[1])
        await pub.publish(TELEMETRY, said(smoke=0.01))
        await until(lambda: not city.registry.offline[1])
        await pub.publish(STATUS, b'"online"')
        await until(lambda: len(city.store.commits) == 4)
        assert city.registry.last_seen[1] > 0


async def test_large_messages_bound_what_waits_by_bytes(nats: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firetower.ingest.intake.MOST_BYTES", 300_000)
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        city.store.failing = True
        for _ in range(20):
            await pub.publish(TELEMETRY, said(smoke=0.01, padding="x" * 50_000))
        await until(lambda: lane.paused)
        assert lane.received < 20
        city.store.failing = False
        await until(lambda: lane.acknowledged == 20, seconds=30)


async def test_the_ticker_commits_what_time_decides_and_silence_is_not_judged_before_anybody_listens() -> None:
    city = City("mqtt://127.0.0.1:1")
    city.registry.registered_at[1] = CLOCK.now() - 3 * 24 * 60 * MINUTE
    city.registry.last_seen[1] = CLOCK.now() - 2 * 24 * 60 * MINUTE
    lane = city.lane("telemetry")
    ticker = Ticker(city.engine, city.store, CLOCK, city.shared.order, telemetry=lane)
    await ticker.tick()
    assert city.store.verdicts == [], "not connected: nobody knows who is silent"
    lane.session.connected_since = CLOCK.now() - 2 * 24 * 60 * MINUTE + SECOND
    await ticker.tick()
    assert [verdict.subject for verdict in city.store.verdicts] == ["mall-01/smk-1"]
    assert city.store.commits[-1].lane == "tick"


async def test_what_the_broker_repeats_to_a_paused_lane_is_stored_once_though_it_has_no_time(nats: Any) -> None:
    """NATS sends again after 5 s what waits for its PUBACK; a lane that is full reads it after it acknowledged."""
    city = City(nats.url, batch_messages=20)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        city.store.failing = True
        for number in range(200):
            await pub.publish(TELEMETRY, json.dumps({"smoke": number / 1e5}).encode())
        await until(lambda: lane.paused)
        await until(lambda: lane.lag(CLOCK.now()) > 7 * SECOND, seconds=20)  # past NATS's ack_wait
        city.store.failing = False
        await until(lambda: lane.acknowledged >= 200, seconds=30)
        await pub.publish(TELEMETRY, said(smoke=0.5))
        await until(lambda: 0.5 in city.values(), seconds=30)
    assert city.values() == sorted([number / 1e5 for number in range(200)] + [0.5])


def _received(lane: str) -> float:
    """The counter as Prometheus reads it."""
    return REGISTRY.get_sample_value("firetower_messages_received_total", {"lane": lane}) or 0.0


async def test_a_redelivered_reading_of_a_standing_clock_is_stored_once(nats: Any) -> None:
    """A crash between commit and PUBACK brings it again, at another arrival: its key is the time it was sent with."""
    city = City(nats.url)
    pub = publisher(nats.url)
    first, second = said(smoke=0.01), b""
    second = json.dumps({**json.loads(first), "smoke": 0.02}).encode()
    async with running(pub):
        for _ in range(3):
            lane = city.lane("telemetry")
            async with running(lane):
                for payload in (first, second):
                    await pub.publish(TELEMETRY, payload)
                await until(lambda lane=lane: lane.acknowledged == 2)
    assert city.values() == [0.01, 0.02]
