"""One sender's flood of alarms delays nobody else's alarm, keeps its order and loses nothing."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK, City, publisher, running

from firetower.core.mqtt import Incoming
from firetower.ingest.fairness import EACH, FIRE_SHARE, SHARE, sender_of
from firetower.ingest.ports import BACKLOG, Work


class MemoryBacklog:
    """``ports.Backlog``; what a commit of the lane brought back is taken out by ``forget``."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[str, Incoming]] = {}
        self.most = 0
        self._next = 1

    async def senders(self) -> Sequence[str]:
        return sorted({sender for sender, _ in self.rows.values()})

    async def put(self, rows: Sequence[tuple[str, Incoming]]) -> None:
        for sender, message in rows:
            self.rows[self._next] = (sender, msgspec.structs.replace(message, epoch=BACKLOG, qos=0, mid=self._next))
            self._next += 1
        self.most = max(self.most, len(self.rows))

    async def take(self, senders: Sequence[str], each: int, most: int) -> Sequence[Incoming]:
        found: list[Incoming] = []
        for sender in senders:
            found += [message for whose, message in self.rows.values() if whose == sender][:each]
        return found[:most]

    def forget(self, work: Work) -> None:
        for number in work.brought_back:
            del self.rows[number]


class BackloggedCity(City):
    """A city whose store takes out of the backlog what a commit holds."""

    def __init__(self, url: str, backlog: MemoryBacklog) -> None:
        super().__init__(url, backlog=backlog)
        plain = self.store.commit

        async def commit(work: Work) -> Any:
            done = await plain(work)
            backlog.forget(work)
            return done

        self.store.commit = commit  # type: ignore[method-assign]


def alarm(n: int, event: str = "fault") -> bytes:
    return json.dumps({"ts": CLOCK.now() // 1000 - 100_000 + n, "event": event, "component": str(n)}).encode()


async def test_another_units_alarm_passes_a_flood_and_the_flood_is_stored_in_order(nats: Any) -> None:
    backlog = MemoryBacklog()
    city = BackloggedCity(nats.url, backlog)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    flood = 4 * SHARE
    async with running(lane, pub):
        city.store.held = {"alarm"}
        city.store.gate.clear()
        for n in range(flood):
            pub.publish_nowait("firetower/v1/noisy/d/alarm", alarm(n))
        await until(lambda: backlog.most >= flood - SHARE - 1, what="what is over the share is put away")
        await until(lambda: lane.acknowledged >= flood - SHARE - 1, what="and acknowledged there")
        await pub.publish("firetower/v1/other/d/alarm", alarm(0, "fire"))
        await until(lambda: lane.received == flood + 1)
        city.store.gate.set()
        await until(lambda: len(city.store.events) == flood + 1, seconds=30)
        await until(lambda: not backlog.rows)
        await until(lambda: lane.acknowledged == flood + 1)
    events = [(event.unit, event.component) for event in city.store.events]
    assert events.index(("other", "0")) <= SHARE + EACH, "it waited at most for the noisy unit's share"
    noisy = [int(component) for unit, component in events if unit == "noisy"]
    assert noisy == list(range(flood)), "one sender's alarms are judged in the order they came"


async def test_a_flood_left_in_the_backlog_is_worked_off_by_the_next_start(nats: Any) -> None:
    backlog = MemoryBacklog()
    await backlog.put([
        (
            "noisy",
            Incoming(
                topic="firetower/v1/noisy/d/alarm", payload=alarm(n), mid=0, qos=0, dup=False, retain=False,
                received_at=CLOCK.now(), epoch=BACKLOG,
            ),
        )
        for n in range(60)
    ])  # fmt: skip
    city = BackloggedCity(nats.url, backlog)
    lane = city.lane("alarm")
    async with running(lane):
        await until(lambda: not backlog.rows)
    assert [int(event.component) for event in city.store.events] == list(range(60))


async def test_a_units_fire_passes_the_flood_of_its_own_faults(nats: Any) -> None:
    backlog = MemoryBacklog()
    city = BackloggedCity(nats.url, backlog)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        city.store.held = {"alarm"}
        city.store.gate.clear()
        for n in range(2 * SHARE):
            pub.publish_nowait("firetower/v1/noisy/d/alarm", alarm(n))
        await until(lambda: backlog.rows)
        await pub.publish("firetower/v1/noisy/d/alarm", alarm(9999, "fire"))
        await until(lambda: lane.received == 2 * SHARE + 1)
        city.store.gate.set()
        await until(lambda: len(city.store.events) == 2 * SHARE + 1, seconds=30)
    events = [event.event for event in city.store.events]
    assert events.index("fire") <= SHARE + EACH


def test_who_is_a_sender() -> None:
    """A word for fire in any writing makes it one of the urgent, which have a larger share of their own."""

    def of(topic: str, payload: bytes) -> str:
        return sender_of(Incoming(topic, payload, 1, 1, False, False, 0, 1))

    assert FIRE_SHARE > SHARE
    assert of("firetower/v1/mall/d/alarm", b'{"event":"fault"}') == "mall"
    assert of("firetower/v1/mall/gateway/alarm", b'{"d":[{"event":"fault"}]}') == "mall"
    for payload in (
        b'{"event":"fire"}',
        b'{"event":"manual_call"}',
        '{"event":"火警"}'.encode(),
        b'{"event":"\\u706b"}',
    ):
        assert of("firetower/v1/mall/d/alarm", payload) == "!mall"
    assert of("nonsense", b"") == "nonsense"
