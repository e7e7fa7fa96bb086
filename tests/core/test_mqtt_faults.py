"""The MQTT session on a wire that is cut, stalled and healed, and with brokers that err."""

import asyncio
import contextlib
import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import FaultProxy
from waiting import until

from firetower.core import mqtt, mqtt_connection
from firetower.core.mqtt import BrokerRefused, BrokerUnavailable, Incoming, MqttSession
from firetower.core.mqtt_protocol import MOST

sys.path.insert(0, str(Path(__file__).parent))
from mqtt_sessions import TOPIC, packet, publisher, running, scripted, subscriber

CONNACK, RESUMED, CONNACK5 = b"\x20\x02\x00\x00", b"\x20\x02\x01\x00", b"\x20\x03\x00\x00\x00"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is silent for a second counts as hung."""
    monkeypatch.setattr(mqtt_connection, "KEEPALIVE", 1)
    monkeypatch.setattr(mqtt, "_ANSWER_WITHIN", 1.0)


async def sent(pub: MqttSession, topic: str, payload: bytes) -> None:
    """Publish over as many connections as it takes: a busy machine may starve the broker for its second."""

    async def once() -> bool:
        try:
            await pub.publish(topic, payload)
        except BrokerUnavailable:
            return False
        return True

    await until(once, seconds=20)


def acknowledging(url: str, name: str, got: list[Incoming]) -> MqttSession:
    """A subscriber that acknowledges at once what it takes."""
    session = subscriber(url, name, got)

    def take(messages: Sequence[Incoming]) -> None:
        got.extend(messages)
        session.ack(messages)

    session.on_messages = take
    return session


def once_a_connection(got: list[Incoming]) -> bool:
    return max(Counter((message.epoch, message.payload) for message in got).values()) == 1


async def test_a_cut_wire_loses_nothing_and_repeats_nothing_on_one_connection(url: str) -> None:
    """Cut three times between messages: the session returns by itself each time."""
    got: list[Incoming] = []
    numbers: Iterator[int] = itertools.count()
    async with FaultProxy(url) as proxy, running(publisher(url)) as pub:
        session = acknowledging(proxy.url, "cut", got)
        async with running(session):
            for _ in range(3):
                for _ in range(20):
                    await pub.publish(TOPIC, b"%d" % next(numbers))
                proxy.cut()
                await pub.publish(TOPIC, b"%d" % next(numbers))
                await until(lambda: not session.connected)
                assert session.last_error is not None
                proxy.heal()
                await until(lambda: session.connected, seconds=20)
            await until(lambda: {m.payload for m in got} == {b"%d" % n for n in range(63)}, seconds=30)
    assert once_a_connection(got)


@pytest.mark.usefixtures("impatient")
async def test_a_stalled_broker_is_noticed_and_nothing_is_lost_when_it_goes_on(url: str) -> None:
    """The connection stands, but nobody answers: the session says so, and comes back by itself."""
    got: list[Incoming] = []
    async with FaultProxy(url) as proxy, running(publisher(url)) as pub:
        session = acknowledging(proxy.url, "stall", got)
        async with running(session):
            await sent(pub, TOPIC, b"before")
            await until(lambda: got)
            proxy.stall()
            await sent(pub, TOPIC, b"during")
            await until(lambda: "has not answered for 1 s" in (session.last_error or ""))
            await until(lambda: "does not answer 'stall' within 1 s" in (session.last_error or ""))
            proxy.heal()
            await until(lambda: session.connected, seconds=20)
            await sent(pub, TOPIC, b"after")
            await until(lambda: {m.payload for m in got} == {b"before", b"during", b"after"}, seconds=30)
    assert once_a_connection(got)


@pytest.mark.parametrize("size", [1, 2, 30, 500, 999])
async def test_half_a_message_is_no_message_and_the_whole_one_comes_again(nats: Any, size: int) -> None:
    """The wire breaks inside a frame: after its first byte, its length, in its topic, in its payload."""
    got: list[Incoming] = []
    async with FaultProxy(nats.url) as proxy, running(publisher(nats.url)) as pub:
        session = acknowledging(proxy.url, "half", got)
        async with running(session):
            proxy.half_frame(size)
            await pub.publish(TOPIC, b"x" * 1000)
            await until(lambda: not session.connected)
            assert got == []
            proxy.heal()
            await until(lambda: got, seconds=30)
    assert [message.payload for message in got] == [b"x" * 1000]


@pytest.mark.usefixtures("impatient")
async def test_a_paused_session_keeps_its_connection_alive() -> None:
    """It asks for signs of life though it does not read the answers, for three times the keep alive."""
    asked: list[bytes] = []

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(RESUMED)
        while True:
            asked.append(await packet(reader))
            writer.write(b"\xd0\x00")

    async with scripted(broker) as url, running(subscriber(url, "asleep", [])) as session:
        session.pause()
        await until(lambda: len(asked) >= 9, seconds=20)
        assert set(asked) == {b"\xc0\x00"}
        assert session.connected
        assert session.quiet_for == 0
        session.resume()
        await until(lambda: len(asked) >= 12, seconds=20)
        assert session.connected


async def test_a_repeat_without_the_dup_flag_is_dropped_while_the_first_is_in_work() -> None:
    """And another message under its packet id, which a broker must not send, is not."""
    got: list[Incoming] = []
    acked: list[bytes] = []

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, second = b"\x32\x06\x00\x01t\x00\x07x", b"\x32\x06\x00\x01t\x00\x07y"
        writer.write(RESUMED + first + first)
        await writer.drain()
        writer.write(first + second)
        acked.append(await packet(reader))
        writer.write(first)
        await packet(reader)

    async with scripted(broker) as url, running(subscriber(url, "again", got)) as session:
        await until(lambda: len(got) == 2)
        assert [message.payload for message in got] == [b"x", b"y"]
        assert session.ack(got) == 1, "one packet id, one acknowledgement"
        await until(lambda: len(got) == 3)
        assert acked == [b"\x40\x02\x00\x07"]
        assert got[2].payload == b"x", "after its acknowledgement the packet id is free again"


async def test_the_loser_of_a_session_says_that_another_client_took_over(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Two programs with one client id throw each other off."""
    first, second = subscriber(url, "twin", []), subscriber(url, "twin", [])
    async with running(first), running(second):
        await until(lambda: "another client took over the session (client id 'twin')" in caplog.text)


async def test_a_broker_that_breaks_the_protocol_is_left_with_the_reason_and_tried_again() -> None:
    """What it said before still counts."""
    got: list[Incoming] = []

    async def broker(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(RESUMED + b"\x32\x06\x00\x01t\x00\x07x" + b"\x30\xff\xff\xff\xff\x01")
        await writer.drain()
        await asyncio.sleep(0.1)

    async with scripted(broker) as url, running(subscriber(url, "strict", got), wait=False) as session:
        await until(lambda: "broke the protocol: a length of more than four bytes" in (session.last_error or ""))
        await until(lambda: len(got) >= 2)
        assert {message.epoch for message in got} >= {1, 2}


async def test_a_broker_that_hangs_up_on_mqtt_5_makes_the_session_name_the_remedy() -> None:
    """Older brokers close without a word."""

    async def broker(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    async with scripted(broker, "?version=5") as url, running(subscriber(url, "modern", []), wait=False) as session:
        await until(lambda: "take version=5 out of its URL" in (session.last_error or ""))


async def test_no_more_is_sent_unconfirmed_than_an_mqtt_5_broker_takes() -> None:
    """Receive maximum 2: the third waits for a PUBACK, in order."""
    seen: list[bytes] = []
    confirm = asyncio.Event()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x20\x06\x00\x00\x03\x21\x00\x02")
        seen.extend([await packet(reader), await packet(reader)])
        await confirm.wait()
        for number in range(5):
            writer.write(b"\x40\x02" + seen[number][5:7])
            if number < 3:
                seen.append(await packet(reader))
        await packet(reader)

    async with scripted(broker, "?version=5") as url, running(publisher(url)) as pub:
        assert all(pub.publish_nowait("t", b"%d" % number) for number in range(5))
        await until(lambda: len(seen) == 2)
        confirm.set()
        await until(lambda: pub.published == 5)
    assert [said[-1:] for said in seen] == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_message_an_mqtt_5_broker_does_not_take_is_told_with_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """To whoever waits as an error, else once in the log; either way it is counted as not confirmed."""

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK5)
        while (said := await packet(reader))[0] != 0xE0:
            writer.write(b"\x40\x04" + said[5:7] + b"\x87\x00")

    async with scripted(broker, "?version=5") as url, running(publisher(url)) as pub:
        with pytest.raises(BrokerRefused, match="not authorized"):
            await pub.publish("t", b"x")
        for _ in range(3):
            assert pub.publish_nowait("t", b"x")
        await until(lambda: pub.unconfirmed == 4)
        assert pub.published == 0
    assert caplog.text.count("does not take a message") == 1


async def test_whoever_waits_for_an_answer_is_told_when_the_wire_is_cut() -> None:
    """A publish that was not confirmed may or may not have arrived: the caller decides."""

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        await packet(reader)

    async with scripted(broker) as url, running(publisher(url)) as pub:
        with pytest.raises(BrokerUnavailable, match="the broker closed the connection"):
            await pub.publish("t", b"x")
        await until(lambda: pub.unconfirmed == 1)


async def test_what_the_network_does_not_take_is_refused_before_it_fills_the_memory(nats: Any) -> None:
    """Large messages while the wire stalls: the limit is bytes, long before the number of messages."""
    async with FaultProxy(nats.url) as proxy, running(publisher(proxy.url, nowait_limit=10_000)) as pub:
        proxy.stall()
        sent = 0
        while pub.publish_nowait(TOPIC, bytes(60_000)):
            sent += 1
            await asyncio.sleep(0)
        assert sent < 1000
        with pytest.raises(BrokerUnavailable, match="wait for the network"):
            await pub.publish(TOPIC, b"x")
        assert pub.connected
        proxy.heal()
        await until(lambda: pub.published == sent)
        await pub.publish(TOPIC, b"x")


def test_clients_of_one_broker_do_not_return_in_step() -> None:
    """Each wait lies between half and one and a half of its step, and steps double up to 15 s."""
    steps = [0.2 * 2**n for n in range(7)] + [15.0] * 5
    spread: list[set[float]] = [set() for _ in steps]
    for _ in range(200):
        for seen, wait in zip(spread, mqtt.waits(), strict=False):
            seen.add(wait)
    for step, seen in zip(steps, spread, strict=True):
        assert 0.5 * step <= min(seen) < 0.7 * step
        assert 1.3 * step < max(seen) <= 1.5 * step


async def test_a_flood_of_tiny_messages_is_handed_on_in_bounded_pieces_and_in_order() -> None:
    """So that other tasks get their turn between two pieces."""
    pieces: list[list[int]] = []
    count = 20_000

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(RESUMED + b"".join(b"\x32\x05\x00\x01t" + n.to_bytes(2, "big") for n in range(1, count + 1)))
        await packet(reader)

    async with scripted(broker) as url:
        session = subscriber(url, "flood", [])
        session.on_messages = lambda messages: pieces.append([message.mid for message in messages])
        async with running(session):
            await until(lambda: sum(map(len, pieces)) == count)
    assert max(map(len, pieces)) <= MOST
    assert [mid for piece in pieces for mid in piece] == list(range(1, count + 1))


async def test_a_session_paused_in_a_flood_keeps_one_socket_buffer_and_the_sender_has_to_wait() -> None:
    """Paused by its receiver in the middle, as a full lane does; resumed, it misses nothing."""
    got: list[Incoming] = []
    connected, waiting = asyncio.Event(), asyncio.Event()
    count = 20_000

    async def broker(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(RESUMED)
        await connected.wait()
        for number in range(1, count + 1):
            writer.write(b"\x32\xed\x07\x00\x01t" + number.to_bytes(2, "big") + bytes(1000))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await writer.drain()
                    continue
            waiting.set()
            await writer.drain()

    async with scripted(broker) as url:
        session = subscriber(url, "flood", got)

        def take(messages: Sequence[Incoming]) -> None:
            if not got:
                session.pause()
            got.extend(messages)

        session.on_messages = take
        async with running(session):
            connected.set()
            await waiting.wait()
            assert session._connection is not None
            assert len(got) <= 65_536 // 1000
            assert len(session._connection._parser._buffer) <= 65_536
            session.resume()
            await until(lambda: len(got) == count, seconds=30)
    assert [message.mid for message in got] == list(range(1, count + 1))
