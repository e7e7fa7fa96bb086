"""The demo scenario against a real broker, as somebody else's MQTT client sees it."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from waiting import until

from firetower.core.clock import SECOND, Micros, SystemClock
from firetower.core.errors import ConfigError
from firetower.devices.kinds import DeviceKind
from firetower.devices.topics import GATEWAY, parse_topic
from firetower.simulator.city import SimCity, build
from firetower.simulator.run import Stats, run
from firetower.simulator.truth import Expected, TruthLine

SPEED = 20
LEAP: Micros = SECOND // 5
"""Most that passes between two looks at the clock: what one tick of the simulator takes at this speed."""


class HurriedClock:
    """A clock that goes SPEED times as fast, so that a minute of the scenario takes seconds.

    It waits for a simulator that gets no turn on a busy machine: it never goes on by more than LEAP unseen.
    """

    def __init__(self) -> None:
        self.start: Micros = 1_763_800_000 * SECOND
        self._now = self.start
        self._seen_ns = time.monotonic_ns()

    def now(self) -> Micros:
        seen_ns = time.monotonic_ns()
        self._now += min((seen_ns - self._seen_ns) // 1000 * SPEED, LEAP)
        self._seen_ns = seen_ns
        return self._now


@dataclass
class Observer:
    """An independent paho client that hears everything."""

    heard: list[tuple[str, bytes]] = field(default_factory=list)
    ready: bool = False

    def objects(self, topic: str) -> list[Any]:
        """Every JSON payload of a topic, in order."""
        found = []
        for name, payload in list(self.heard):
            if name == topic:
                try:
                    found.append(json.loads(payload))
                except ValueError:
                    continue
        return found


@pytest.fixture
def observer(nats: Any) -> Iterator[Observer]:
    seen = Observer()
    url = urlsplit(nats.url)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="observer", protocol=paho.MQTTv311)
    client.username_pw_set(url.username, url.password)
    client.on_connect = lambda *_: client.subscribe("firetower/v1/#", 1)
    client.on_subscribe = lambda *_: setattr(seen, "ready", True)
    client.on_message = lambda _client, _data, message: seen.heard.append((message.topic, message.payload))
    client.connect(url.hostname or "", url.port or 0)
    client.loop_start()
    yield seen
    client.disconnect()
    client.loop_stop()


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(31, 200)


async def test_the_demo_sends_what_it_promises_within_its_first_minute(
    nats: Any, observer: Observer, city: SimCity
) -> None:
    await until(lambda: observer.ready)
    truth: list[TruthLine] = []
    clock = HurriedClock()
    stats = await run(city, broker_url=nats.device_url, scenario="demo", seconds=65, clock=clock, on_truth=truth.append)
    assert (stats.lost, stats.in_flight) == (0, 0)
    assert stats.acked == stats.published > 300
    await until(lambda: len(observer.heard) >= stats.published)
    assert len(observer.heard) == stats.published

    def who(step: str) -> tuple[str, str]:
        expected = next(each.about for each in truth if isinstance(each, Expected) and each.step == step)
        return (
            f"firetower/v1/{expected.unit}/{expected.device}/telemetry",
            f"firetower/v1/{expected.unit}/{expected.device}/alarm",
        )

    def after_start(body: dict[str, Any]) -> float:
        return float(body["ts"]) / 1000 - clock.start / SECOND

    # fire: two readings over 0.20 dB/m and the alarm within about eight seconds; the second detector some seconds later
    telemetry, alarm = who("fire rises")
    over = [after_start(body) for body in observer.objects(telemetry) if body["smoke"] >= 0.2]
    assert over[1] <= 10
    (fire,) = observer.objects(alarm)[:1]
    assert (fire["event"], fire["active"]) == ("fire", True)
    assert after_start(fire) <= 9
    assert fire["text"]
    _, second = who("fire spreads")
    assert 3 <= after_start(observer.objects(second)[0]) - after_start(fire) <= 30

    # the weak hydrant: 20 minutes of backlog first, oldest first, then live, all below 0.10 MPa
    telemetry, _ = who("weak hydrant")
    first, *live = observer.objects(telemetry)
    times = [body["ts"] for body in first]
    assert times == sorted(times)
    assert times[-1] - times[0] == 1200 * 1000
    assert live
    assert live[0]["ts"] > times[-1]
    assert all(body["pressure"] < 0.10 for body in [*first, *live])
    sequence = [body["seq"] for body in [*first, *live]]
    assert sequence == list(range(len(sequence)))

    # reports once, then no more
    telemetry, _ = who("gone quiet")
    assert len(observer.objects(telemetry)) == 1

    telemetry, _ = who("insulation fails")
    assert observer.objects(telemetry)[-1]["residual_current"] >= 300
    telemetry, _ = who("loose terminal")
    hot = observer.objects(telemetry)[-1]
    assert max(value for name, value in hot.items() if name.startswith("cable_temperature")) >= 70
    telemetry, _ = who("tank runs empty")
    levels = [body["level"] for body in observer.objects(telemetry)]
    assert levels[-1] < levels[0] - 0.1

    events = {
        body["event"] for topic, payload in observer.heard if topic.endswith("/alarm") for body in [json.loads(payload)]
    }
    assert events == {"fire", "low_battery"}
    units = {topic.split("/")[2] for topic, payload in observer.heard if payload == b"online"}
    assert units == {unit.code for unit in city.city.units}


async def test_everything_but_the_garbled_payloads_follows_the_contract(
    nats: Any, observer: Observer, city: SimCity
) -> None:
    await until(lambda: observer.ready)
    stats = await run(city, broker_url=nats.device_url, scenario="demo", seconds=40, clock=HurriedClock())
    await until(lambda: len(observer.heard) >= stats.published)
    names = {(device.unit, device.device): device.kind for device in city.city.devices}
    bad = 0
    for topic, payload in observer.heard:
        parsed = parse_topic(topic)
        kind = names[parsed.unit, parsed.device]
        if parsed.leaf == "status":
            assert (parsed.device, payload) == (GATEWAY, b"online")
            continue
        try:
            body = json.loads(payload)
        except ValueError:
            bad += 1
            continue
        if parsed.leaf == "telemetry":
            for item in body if isinstance(body, list) else [body]:
                assert {"ts", "seq"} < item.keys()
                assert ("pressure" in item) == (
                    kind in {DeviceKind.HYDRANT, DeviceKind.WATER_CRANE, DeviceKind.PUMP_ROOM}
                )
                assert ("smoke" in item) == (kind is DeviceKind.SMOKE)
    assert bad == 1  # the one of the first minute that is not JSON


async def test_gateways_say_online_retained_so_that_a_late_comer_learns_of_it(nats: Any, city: SimCity) -> None:
    await run(city, broker_url=nats.device_url, scenario="quiet", seconds=1.2, clock=SystemClock())
    url = urlsplit(nats.url)
    heard: list[bytes] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="late", protocol=paho.MQTTv311)
    client.username_pw_set(url.username, url.password)
    client.on_connect = lambda *_: client.subscribe("firetower/v1/mall-01/gateway/status", 1)
    client.on_message = lambda _client, _data, message: heard.append(message.payload)
    client.connect(url.hostname or "", url.port or 0)
    client.loop_start()
    try:
        await until(lambda: heard)
    finally:
        client.disconnect()
        client.loop_stop()
    assert heard[0] == b"online"


async def test_a_rate_is_kept_by_scaling_the_intervals(nats: Any, city: SimCity) -> None:
    told: list[Stats] = []
    stats = await run(
        city,
        broker_url=nats.device_url,
        scenario="quiet",
        rate=40,
        seconds=24,
        clock=HurriedClock(),
        on_stats=told.append,
    )
    gateways = len(city.city.units)  # say hello in the first second, on top of their phase
    assert 24 * 40 - 40 <= stats.published <= 24 * 40 + 40 + gateways
    assert len(told) >= 10
    assert told[-1].published == stats.published


async def test_an_outage_makes_messages_late_and_loses_none_of_the_schedule(nats: Any, city: SimCity) -> None:
    told: list[Stats] = []
    running = asyncio.create_task(
        run(
            city,
            broker_url=nats.device_url,
            scenario="quiet",
            rate=20,
            seconds=100,
            clock=HurriedClock(),
            on_stats=told.append,
        ),
        name="simulator",
    )
    await until(lambda: told and told[-1].published > 100)
    nats.kill()
    await asyncio.sleep(0.5)  # the length of the outage
    nats.start()
    stats = await running
    assert stats.late > 0
    assert stats.latest > SECOND
    assert stats.published >= 100 * 20 - 60
    assert stats.published == stats.acked + stats.lost


async def test_being_cancelled_it_stops_within_a_second_and_leaves_no_task(nats: Any, city: SimCity) -> None:
    told: list[Stats] = []
    before = asyncio.all_tasks()
    running = asyncio.create_task(
        run(city, broker_url=nats.device_url, clock=SystemClock(), on_stats=told.append), name="simulator"
    )
    await until(lambda: told)
    running.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await running
    assert asyncio.all_tasks() == before


async def test_an_unreachable_broker_is_named_with_what_to_check_and_not_its_password(city: SimCity) -> None:
    with pytest.raises(ConfigError) as caught:
        await run(city, broker_url="mqtt://user:geheim@127.0.0.1:9", clock=SystemClock())
    assert "127.0.0.1:9" in str(caught.value)
    assert "--broker" in str(caught.value)
    assert "geheim" not in str(caught.value)
