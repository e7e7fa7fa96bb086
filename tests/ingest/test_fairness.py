"""One sender's flood of alarms delays nobody else's alarm, keeps its order and loses nothing."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import CLOCK, City, publisher, running

from firetower.core.clock import Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.mqtt import Incoming
from firetower.ingest.fairness import SHARE
from firetower.ingest.first_look import Sender, look_at
from firetower.ingest.ports import BACKLOG, Work
from firetower.ingest.turns import EACH
from firetower.rules.verdicts import Verdict


class MemoryBacklog:
    """``ports.Backlog``; what a commit of the lane brought back is taken out by ``forget``.

    ``failing``: it takes nothing and raises StoreUnavailable.
    """

    def __init__(self) -> None:
        self.failing = False
        self.rows: dict[int, tuple[str, Incoming]] = {}
        self.most = 0
        self._next = 1

    async def senders(self) -> Sequence[tuple[str, int, Micros]]:
        counts = Counter(sender for sender, _ in self.rows.values())
        return [(sender, count, CLOCK.now()) for sender, count in counts.items()]

    async def put(self, rows: Sequence[tuple[str, Incoming]]) -> None:
        if self.failing:
            raise StoreUnavailable("the database cannot be reached (test)")
        for sender, message in rows:
            self.rows[self._next] = (sender, msgspec.structs.replace(message, epoch=BACKLOG, qos=0, mid=self._next))
            self._next += 1
        self.most = max(self.most, len(self.rows))

    async def take(self, wanted: Sequence[tuple[str, int]]) -> Sequence[tuple[str, Incoming]]:
        found: list[tuple[str, Incoming]] = []
        for sender, most in wanted:
            found += [row for row in self.rows.values() if row[0] == sender][:most]
        return sorted(found, key=lambda row: row[1].mid)

    def forget(self, work: Work) -> None:
        for number in work.brought_back:
            del self.rows[number]


class BackloggedCity(City):
    """A city whose store takes out of the backlog what a commit holds."""

    def __init__(self, url: str, backlog: MemoryBacklog, *, provisional: Any = None) -> None:
        super().__init__(url, backlog=backlog, provisional=provisional)
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
            str(Sender("noisy", urgent=False)),
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


async def test_a_units_fires_have_a_larger_share_and_are_not_put_away_with_its_faults(nats: Any) -> None:
    """Three hundred fires are a large building on fire, not a flood: each is raised in its turn, none from a table."""
    backlog = MemoryBacklog()
    city = BackloggedCity(nats.url, backlog)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    fires = SHARE + 100
    async with running(lane, pub):
        city.store.held = {"alarm"}
        city.store.gate.clear()
        for n in range(fires):
            pub.publish_nowait("firetower/v1/tower/d/alarm", alarm(n, "fire"))
        await until(lambda: lane.received == fires)
        city.store.gate.set()
        await until(lambda: lane.acknowledged == fires, seconds=30)
    assert backlog.most == 0
    assert [int(event.component) for event in city.store.events] == list(range(fires))


class Counted:
    """Who is told of provisional alarms: which waits under which token, and all that ever did."""

    def __init__(self) -> None:
        self.tokens: dict[Hashable, set[str]] = {}
        self.ever: set[str] = set()

    def waiting(self, token: Hashable, verdicts: Sequence[Verdict]) -> None:
        self.tokens[token] = {verdict.component for verdict in verdicts}
        self.ever |= self.tokens[token]

    def settled(self, token: Hashable) -> None:
        self.tokens.pop(token, None)


async def test_while_the_store_is_away_what_is_over_a_share_is_shown_too_and_stored_afterwards(nats: Any) -> None:
    """What cannot be put away is not acknowledged, and the operator sees all of it meanwhile."""
    backlog, shown = MemoryBacklog(), Counted()
    city = BackloggedCity(nats.url, backlog, provisional=shown)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    flood = 2 * SHARE
    async with running(lane, pub):
        city.store.failing = backlog.failing = True
        for n in range(flood):
            pub.publish_nowait("firetower/v1/noisy/d/alarm", alarm(n))
        await until(lambda: len(shown.ever) == flood, seconds=30, what="every alarm of the flood is shown")
        assert lane.acknowledged == 0
        city.store.failing = backlog.failing = False
        await until(lambda: lane.acknowledged == flood, seconds=30)
        await until(lambda: len(city.store.events) == flood, seconds=30)
        await until(lambda: not shown.tokens, what="what is stored is not provisional any more")


def of(topic: str, payload: bytes) -> Sender:
    return look_at(Incoming(topic, payload, 1, 1, False, False, 0, 1)).sender


def test_who_is_a_sender() -> None:
    """A unit; its fires, in any writing, and its readings are of the urgent, which have a larger share of their own."""
    topic = "firetower/v1/mall/d/alarm"
    assert of(topic, b'{"event":"fault"}') == Sender("mall", urgent=False)
    assert of("firetower/v1/mall/gateway/alarm", b'{"d":[{"event":"fault"}]}') == Sender("mall", urgent=False)
    for event in ("fire", "FIRE", "Manual_Call", "火警", "\\u706b\\u8b66"):
        assert of(topic, f'{{"event" : "{event}"}}'.encode()) == Sender("mall", urgent=True), event
    assert of(topic, b'{"smoke": 0.4}') == Sender("mall", urgent=True)
    assert of("firetower/v1/!mall/d/alarm", b'{"event":"fault"}') != of(topic, b'{"event":"fire"}')
    assert Sender.read(str(Sender("!x", urgent=False))) == Sender("!x", urgent=False)


def test_a_raise_and_its_return_are_of_one_sender_whatever_their_texts_say() -> None:
    """Else the return would pass its raise in the backlog, and the alert would stand for ever."""
    topic = "firetower/v1/mall/d/alarm"
    raised = of(topic, b'{"event":"fault","component":"P","text":"loop 3"}')
    assert of(topic, b'{"event":"fault","component":"P","active":false,"text":"smoke head and fire door ok"}') == raised


@pytest.mark.parametrize("topic", ["firetower/v1//d/alarm", "firetower/v1/", "x", "", "firetower/v1/" + "u" * 60_000])
def test_a_topic_nobody_understands_has_a_sender_too(topic: str) -> None:
    """The broker delivers it again and again; failing at it would silence the lane."""
    assert len(str(of(topic, b"\x00"))) <= 65


async def test_a_message_on_a_broken_topic_silences_nobody(nats: Any) -> None:
    """An empty unit once made the whole socket buffer fail, at every start anew."""
    city = BackloggedCity(nats.url, MemoryBacklog())
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        for n in range(5):
            await pub.publish("firetower/v1//x/alarm", b"{}")
            await pub.publish("firetower/v1/mall/d/alarm", alarm(n, "fire"))
        await until(lambda: lane.acknowledged == 10)
    assert [event.component for event in city.store.events if event.event == "fire"] == ["0", "1", "2", "3", "4"]


async def test_a_backlog_that_refuses_costs_no_alarm(nats: Any) -> None:
    class Refusing(MemoryBacklog):
        async def put(self, rows: Sequence[tuple[str, Incoming]]) -> None:
            raise ValueError("a value the table cannot hold")

    city = BackloggedCity(nats.url, Refusing())
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        for n in range(3 * SHARE):
            pub.publish_nowait("firetower/v1/noisy/d/alarm", alarm(n))
        await until(lambda: lane.acknowledged == 3 * SHARE, seconds=30)
    assert len(city.store.events) == 3 * SHARE


async def test_what_an_earlier_start_put_away_goes_before_what_comes_now(nats: Any) -> None:
    """A return that arrives while the backlog is still asked whose alarms it has must not pass its raise there."""

    class Slow(MemoryBacklog):
        gate = asyncio.Event()

        async def senders(self) -> Sequence[tuple[str, int, Micros]]:
            await self.gate.wait()
            return await super().senders()

    backlog = Slow()
    raised = Incoming("firetower/v1/noisy/d/alarm", alarm(1), 0, 0, False, False, CLOCK.now(), BACKLOG)
    await backlog.put([(str(look_at(raised).sender), raised)])
    city = BackloggedCity(nats.url, backlog)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        back = json.dumps({**json.loads(alarm(2)), "component": "1", "active": False}).encode()
        await pub.publish("firetower/v1/noisy/d/alarm", back)
        await until(lambda: lane.received == 1)
        backlog.gate.set()
        await until(lambda: len(city.store.events) == 2)
    assert [event.active for event in city.store.events] == [True, False]
