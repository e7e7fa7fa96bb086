"""Firetower's own voice: its probes measure each lane's lag, its canary is committed, nobody can speak in its name."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK, City, publisher, running, said

from firetower.core.clock import HOUR, SECOND, Clock, ManualClock
from firetower.core.mqtt import BrokerUnavailable, Incoming, MqttSession
from firetower.devices.topics import OWN_UNIT, ROOT
from firetower.ingest.probe import CANARY_TOPIC, Probe

INSTALLATION = "0123456789abcdef"


class Wire:
    """A session that publishes into a list, or fails as a broker that is away does."""

    def __init__(self) -> None:
        self.away = False
        self.published: list[tuple[str, bytes]] = []

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.away:
            raise BrokerUnavailable("the broker is away (test)")
        self.published.append((topic, payload))


def made(wire: Wire, clock: Clock, installation: str = INSTALLATION) -> Probe:
    return Probe(wire, installation, clock)  # type: ignore[arg-type]


def incoming(topic: str, payload: bytes, at: int) -> Incoming:
    return Incoming(topic, payload, mid=1, qos=1, dup=False, retain=False, received_at=at, epoch=1)


def hear(probe: Probe, wire: Wire, clock: Clock, lane: str) -> None:
    """Let a lane hear everything that was published for it."""
    for topic, payload in wire.published:
        if topic.endswith(f"/{lane}"):
            assert probe.heard(lane, incoming(topic, payload, clock.now())) is not None


async def test_a_lane_is_as_far_behind_as_its_oldest_probe_that_was_not_heard(clock: ManualClock) -> None:
    wire = Wire()
    probe = made(wire, clock)
    await probe.publish()
    first = list(wire.published)
    for _ in range(90):
        clock.advance(SECOND)
        await probe.publish()
    assert probe.lag("telemetry", clock.now()) == 90 * SECOND
    for topic, payload in first:
        probe.heard("telemetry", incoming(topic, payload, clock.now()))
    assert probe.lag("telemetry", clock.now()) == 89 * SECOND
    hear(probe, wire, clock, "telemetry")
    assert probe.lag("telemetry", clock.now()) == 0
    assert probe.lag("alarm", clock.now()) == 90 * SECOND
    assert probe.lag("status", clock.now()) == 0


async def test_a_probe_that_the_broker_lost_does_not_count_once_a_later_one_is_heard(clock: ManualClock) -> None:
    wire = Wire()
    probe = made(wire, clock)
    await probe.publish()
    wire.published.clear()
    clock.advance(5 * SECOND)
    await probe.publish()
    assert probe.lag("telemetry", clock.now()) == 5 * SECOND
    hear(probe, wire, clock, "telemetry")
    assert probe.lag("telemetry", clock.now()) == 0


async def test_while_the_broker_is_away_lag_stands_still(clock: ManualClock) -> None:
    wire = Wire()
    probe = made(wire, clock)
    await probe.publish()
    wire.away = True
    for _ in range(600):
        clock.advance(SECOND)
        await probe.publish()
    assert probe.lag("telemetry", clock.now()) <= 2 * SECOND
    assert probe.trouble == "the broker is away (test)"
    wire.away = False
    await probe.publish()
    assert probe.trouble is None


async def test_a_queue_from_before_the_restart_tells_how_far_the_lane_is_behind(clock: ManualClock) -> None:
    wire = Wire()
    former = made(wire, clock)
    for _ in range(3):
        await former.publish()
        clock.advance(SECOND)
    clock.advance(HOUR)
    queued = [each for each in wire.published if each[0].endswith("/telemetry")]
    wire.published.clear()
    probe = made(wire, clock)
    await probe.publish()
    assert not probe.known("telemetry")
    topic, payload = queued[0]
    probe.heard("telemetry", incoming(topic, payload, clock.now()))
    assert probe.lag("telemetry", clock.now()) == HOUR + 3 * SECOND
    topic, payload = queued[-1]
    probe.heard("telemetry", incoming(topic, payload, clock.now()))
    assert probe.lag("telemetry", clock.now()) == HOUR + SECOND
    assert not probe.known("telemetry")
    hear(probe, wire, clock, "telemetry")
    assert probe.lag("telemetry", clock.now()) == 0
    assert probe.known("telemetry")
    probe.heard("telemetry", incoming(topic, payload, clock.now()))  # redelivered
    assert probe.lag("telemetry", clock.now()) == 0


async def test_a_day_of_unheard_probes_stays_bounded_and_tells_its_age(clock: ManualClock) -> None:
    wire = Wire()
    probe = made(wire, clock)
    for _ in range(10_000):
        await probe.publish()
        clock.advance(SECOND)
    assert probe.lag("telemetry", clock.now()) == 10_000 * SECOND
    assert len(probe._lanes["telemetry"].sent) <= 4096


async def test_a_canary_says_when_it_was_sent_and_flies_each_thirty_seconds_not_each_probe(clock: ManualClock) -> None:
    wire = Wire()
    probe = made(wire, clock)
    for _ in range(3):
        await probe.publish()
    flown = [payload for topic, payload in wire.published if topic == CANARY_TOPIC]
    assert len(flown) == 1
    word = probe.heard("alarm", incoming(CANARY_TOPIC, flown[0], clock.now()))
    assert word is not None
    assert word.canary == clock.now()


async def test_until_the_first_canary_of_a_start_is_heard_they_fly_more_often(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firetower.ingest.probe._FIRST_CANARY_S", 0.0)
    wire = Wire()
    probe = made(wire, clock)
    await probe.publish()
    await probe.publish()
    flown = [payload for topic, payload in wire.published if topic == CANARY_TOPIC]
    assert len(flown) == 2
    probe.heard("alarm", incoming(CANARY_TOPIC, flown[0], clock.now()))
    for _ in range(3):
        await probe.publish()
    assert sum(topic == CANARY_TOPIC for topic, _ in wire.published) == 3


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"{", b"[" * 400, b"[]", b"7", b"{}", b'{"event":"fire"}',
     b'{"instance":1,"number":"x","sent":null,"code":[]}',
     b'{"instance":"a","number":1,"sent":1,"code":"\xed\xa0\x80"}',
     b'{"instance":"a","number":1,"sent":1,"code":"\\ud800"}', b" " * 600],
)  # fmt: skip
async def test_a_strangers_message_is_not_firetowers(payload: bytes, clock: ManualClock) -> None:
    probe = made(Wire(), clock)
    assert probe.heard("alarm", incoming(CANARY_TOPIC, payload, clock.now())) is None


async def test_neither_another_installation_nor_a_changed_time_or_topic_passes(clock: ManualClock) -> None:
    wire = Wire()
    await made(wire, clock, "another").publish()
    probe = made(wire, clock)
    for topic, payload in wire.published:
        assert probe.heard("alarm", incoming(topic, payload, clock.now())) is None
    wire.published.clear()
    await probe.publish()
    for topic, payload in wire.published:
        assert INSTALLATION.encode() not in payload
        later = json.loads(payload) | {"sent": clock.now() + HOUR}
        assert probe.heard("alarm", incoming(topic, json.dumps(later).encode(), clock.now())) is None
        elsewhere = topic.replace("probe-0", "canary") if "probe-0" in topic else topic.replace("canary", "probe-0")
        assert probe.heard("alarm", incoming(elsewhere, payload, clock.now())) is None


@contextlib.asynccontextmanager
async def speaking(probe: Probe) -> AsyncIterator[None]:
    """Run a probe for the length of a block."""
    task = asyncio.create_task(probe.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Probed(City):
    """A city whose lanes hear Firetower's own voice."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        session = MqttSession(url, "firetower-p0-probe-test", clean=True, clock=CLOCK)
        self.probe = Probe(session, INSTALLATION, CLOCK)
        self.shared = replace(self.shared, own=self.probe)


async def test_probes_and_canary_pass_the_lanes_and_leave_nothing_but_the_canary(nats: Any) -> None:
    city = Probed(nats.url)
    alarm, telemetry = city.lane("alarm"), city.lane("telemetry")
    started = CLOCK.now()
    async with running(alarm, telemetry), speaking(city.probe):
        await until(lambda: city.probe.known("alarm") and city.probe.known("telemetry"), 20)
        await until(lambda: any(work.canary for work in city.store.commits))
        assert telemetry.lag(CLOCK.now()) < 20 * SECOND
    (canary,) = [work.canary for work in city.store.commits]
    assert canary is not None
    assert started <= canary <= CLOCK.now()
    kept = city.store.rejects, city.store.verdicts, city.store.events, city.store.readings
    assert not any(kept), kept


async def test_a_stranger_under_the_reserved_unit_stands_in_the_ledger_and_in_the_alarm_lane_on_the_screen(
    nats: Any,
) -> None:
    city = Probed(nats.url)
    alarm, telemetry, pub = city.lane("alarm"), city.lane("telemetry"), publisher(nats.url)
    async with running(alarm, telemetry, pub):
        await pub.publish(CANARY_TOPIC, said(event="fire"))
        await pub.publish(f"{ROOT}/{OWN_UNIT}/probe-0/telemetry", b'{"sent": 1}')
        await until(lambda: alarm.acknowledged == 1 and telemetry.acknowledged == 1)
    assert sorted((reject.lane, reject.reason) for reject in city.store.rejects) == [
        ("alarm", "bad_topic"),
        ("telemetry", "bad_topic"),
    ]
    assert [event.event for event in city.store.events] == ["unreadable"]


async def test_while_the_store_is_away_a_probe_is_no_provisional_alarm(nats: Any) -> None:
    city = Probed(nats.url)
    shown: list[Any] = []

    class Board:
        def waiting(self, token: object, verdicts: list[Any]) -> None:
            shown.extend(verdicts)

        def settled(self, token: object) -> None: ...

    city.shared = replace(city.shared, provisional=Board())
    city.store.failing = True
    alarm, pub = city.lane("alarm"), publisher(nats.url)
    async with running(alarm, pub):
        # what has no time waits for the store's word, and everything behind it waits undecoded
        await pub.publish("firetower/v1/mall-01/smk-1/alarm", b'{"event": "fault", "seq": 1, "smoke": 0.01}')
        await until(lambda: alarm.received == 1)
        async with speaking(city.probe):
            await until(lambda: alarm.received >= 4, 20)
            await pub.publish("firetower/v1/mall-01/smk-1/alarm", said(event="fire"))
            await until(lambda: any(verdict.rule == "event:fire" for verdict in shown), 20)
            city.store.failing = False
            await until(lambda: any(work.canary for work in city.store.commits), 20)
    assert {verdict.rule for verdict in shown} == {"event:fault", "event:fire"}
