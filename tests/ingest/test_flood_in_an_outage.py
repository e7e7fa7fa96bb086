"""A flood of one unit's alarms while the store is away hides nobody else's fire, and memory stays bounded."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK, City, publisher, running

from firetower.alerts.provisional import ProvisionalBoard
from firetower.core.clock import MINUTE, SECOND, ManualClock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.mqtt import Incoming, MqttSession
from firetower.devices.events import Event
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.devices.topics import lane_filters
from firetower.devices.wire import Decoder
from firetower.ingest import lane as lanes
from firetower.ingest import lookout as lookouts
from firetower.ingest.first_look import may_be_fire
from firetower.ingest.lookout import Lookout

NOISY, OTHER = "firetower/v1/noisy/d/alarm", "firetower/v1/other/d/alarm"
ROOT = Path(__file__).parents[2]


class NoBacklog:
    """``ports.Backlog`` of a store that is away."""

    async def senders(self) -> Sequence[tuple[str, int, Micros]]:
        raise StoreUnavailable("the database cannot be reached (test)")

    async def put(self, rows: Any) -> None:
        raise StoreUnavailable("the database cannot be reached (test)")

    async def take(self, wanted: Any) -> Sequence[tuple[str, Incoming]]:
        raise StoreUnavailable("the database cannot be reached (test)")


class Events:
    """``lookout.Stored``. ``known``: the components it has; ``asked``: how many events each question was for."""

    def __init__(self, *, away: bool) -> None:
        self.away = away
        self.known: set[str] = set()
        self.asked: list[int] = []

    def events_known(self, events: Sequence[Event]) -> Coroutine[Any, Any, list[bool]]:
        return self._answer(events)

    async def _answer(self, events: Sequence[Event]) -> list[bool]:
        self.asked.append(len(events))
        if self.away:
            raise StoreUnavailable("the database cannot be reached (test)")
        return [event.component in self.known for event in events]


def alarm(component: str, event: str = "fault") -> bytes:
    return json.dumps({"ts": CLOCK.now() // 1000, "event": event, "component": component}).encode()


async def flood(pub: MqttSession, count: int) -> None:
    """Publish so many faults of one unit."""
    for number in range(count):
        payload = alarm(str(number))
        await until(lambda payload=payload: pub.publish_nowait(NOISY, payload))


def fires(board: ProvisionalBoard) -> list[str]:
    return [alarm.component for alarm in board.alarms() if alarm.is_fire]


async def test_a_fire_behind_twelve_thousand_faults_of_another_unit_is_shown_while_the_store_is_away(
    nats: Any,
) -> None:
    city = City(nats.url, backlog=NoBacklog())
    board = ProvisionalBoard(city.registry, CLOCK)
    city = City(nats.url, backlog=NoBacklog(), provisional=board)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        city.store.failing = True
        await flood(pub, 12_000)
        await pub.publish(OTHER, alarm("7-1", "fire"))
        await until(lambda: fires(board) == ["7-1"], 60)
        assert not lane.paused
        assert lane.acknowledged == 0
        await until(lambda: len(board.alarms()) + board.more == 12_001, 60, "every fault is counted, too")


async def test_a_fire_behind_a_full_alarm_lane_is_shown_by_the_look_out(nats: Any) -> None:
    """The broker hands out 20,000 unacknowledged alarms and no more; the look-out hears what is behind them."""
    board = ProvisionalBoard(Registry(), CLOCK)
    city = City(nats.url, backlog=NoBacklog(), provisional=board)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    session = MqttSession(nats.url, "test-look-out", filters=lane_filters("alarm"), clean=True, clock=CLOCK)
    lookout = Lookout(
        session, Decoder(catalogue(), city.registry), Events(away=True), board, CLOCK, active=lambda: lane.paused
    )
    async with running(lane, pub):
        looking = asyncio.create_task(lookout.run())
        try:
            await until(lambda: lookout.connected)
            city.store.failing = True
            await flood(pub, 25_000)
            await until(lambda: lane.paused, 60)
            await pub.publish(OTHER, alarm("7-1", "fire"))
            await until(lambda: fires(board) == ["7-1"], 60)
            assert lane.received < 25_000
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking


def test_the_alarm_lane_takes_as_many_as_the_shipped_brokers_hand_out() -> None:
    """A lane that stopped sooner would not see what the broker would have given it."""
    for file in ("deploy/nats.conf", "src/firetower/embedded.py"):
        assert f"max_ack_pending: {lanes.MOST_ALARMS}\n" in (ROOT / file).read_text()
    assert f"max_inflight_messages {lanes.MOST_ALARMS}\n" in (ROOT / "deploy/mosquitto.conf").read_text()


def test_what_may_be_a_fire_is_any_message_with_one_in_it_and_any_that_says_no_event() -> None:
    """A fire among the faults of a gateway's message counts, in any writing; a fault's text does not."""

    def may(payload: bytes) -> bool:
        return may_be_fire(Incoming(NOISY, payload, 1, 1, False, False, 0, 1))

    assert may(b'{"d1":[{"event":"fault"}],"d2":[{"event":"FIRE"}]}')
    assert may('{"event": "火警"}'.encode())
    assert may(b"not JSON")
    assert may(b'{"smoke":0.5}')
    assert not may(b'{"event":"fault","text":"fire door"}')


# the look-out without a broker ------------------------------------------------------------------


class Post:
    """A look-out that hears what it is told by hand; ``active``: whether it looks."""

    def __init__(self, *, away: bool, active: bool = True) -> None:
        self.clock = ManualClock(CLOCK.now())
        self.board = ProvisionalBoard(Registry(), self.clock)
        self.stored = Events(away=away)
        self.active = active
        self._session = MqttSession("mqtt://127.0.0.1:1", "test", clean=True, clock=self.clock)
        self.lookout = Lookout(
            self._session, Decoder(catalogue(), Registry()), self.stored, self.board, self.clock,
            active=lambda: self.active,
        )  # fmt: skip

    def hears(self, topic: str, payloads: Iterator[bytes]) -> None:
        assert self._session.on_messages is not None
        now = self.clock.now()
        self._session.on_messages([Incoming(topic, payload, 1, 1, False, False, now, 1) for payload in payloads])

    async def looks(self, after: int = 3 * SECOND) -> None:
        self.clock.advance(after)
        await self.lookout.look()

    @property
    def waiting(self) -> int:
        return len(self.board.alarms()) + self.board.more


def faults(first: int, end: int) -> Iterator[bytes]:
    return (alarm(str(number)) for number in range(first, end))


async def test_a_full_look_out_keeps_the_fire_and_says_how_many_more_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fire before the flood, one within and one after it are shown; of the faults as many as there is room for."""
    monkeypatch.setattr(lookouts, "MOST", 300)
    post = Post(away=True)
    post.hears(OTHER, iter([alarm("first", "fire")]))
    post.hears(NOISY, faults(0, 1000))
    post.hears(OTHER, iter([alarm("within", "fire")]))
    post.hears(NOISY, faults(1000, 2000))
    await post.looks()
    assert post.waiting == 2002
    assert post.board.more == 1702
    post.hears(OTHER, iter([alarm("after", "fire")]))
    await post.looks()
    assert set(fires(post.board)) == {"first", "within", "after"}
    assert post.waiting == 2003
    post.stored.away = False
    post.stored.known = {"first", "within", "after", *map(str, range(2000))}
    await post.looks()
    assert post.waiting == 0, "once all that is shown is stored, nothing is said to wait"


async def test_with_the_store_away_one_look_shows_thousands_and_asks_once() -> None:
    """A store that hangs costs its three seconds once a look, not once for each of the questions."""
    post = Post(away=True)
    post.hears(NOISY, faults(0, 6000))
    await post.looks()
    assert post.waiting >= 5000
    assert len(post.stored.asked) == 1


async def test_a_look_out_beside_a_lane_with_room_asks_nothing_and_remembers_the_last_five_seconds() -> None:
    post = Post(away=False, active=False)
    post.hears(OTHER, iter([alarm("old", "fire")]))
    await post.looks(4 * SECOND)
    post.hears(OTHER, iter([alarm("new", "fire")]))
    await post.looks(3 * SECOND)
    assert (post.stored.asked, post.waiting) == ([], 0)
    post.active = True
    await post.looks(0)
    assert fires(post.board) == ["new"]
    post.active = False
    post.stored.known = {"new"}
    await post.looks(MINUTE)
    assert post.waiting == 0, "what it shows it takes back, whether it looks or not"


async def test_a_look_out_holds_no_more_bytes_than_a_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookouts, "MOST_BYTES", 10_000)
    post = Post(away=True)
    post.hears(
        NOISY, (json.dumps({"event": "fault", "component": str(n), "text": "x" * 900}).encode() for n in range(50))
    )
    post.hears(OTHER, iter([alarm("7-1", "fire")]))
    await post.looks()
    assert fires(post.board) == ["7-1"]
    assert len(post.board.alarms()) < 12
    assert post.waiting == 51
