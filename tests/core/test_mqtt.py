"""The MQTT session against real brokers: the embedded NATS server and, where installed, Mosquitto."""

import asyncio
import contextlib
import logging
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from firetower.core.clock import SystemClock
from firetower.core.errors import ConfigError
from firetower.core.mqtt import BrokerUnavailable, Incoming
from firetower.core.mqtt_address import parse_url

sys.path.insert(0, str(Path(__file__).parent))
from mosquitto_broker import MISSING, PROGRAM, mosquitto
from mqtt_sessions import TOPIC, publisher, retained, running, subscriber


async def test_a_published_message_arrives_with_its_bytes_topic_and_arrival_time(url: str) -> None:
    got: list[Incoming] = []
    async with running(subscriber(url, "s", got)) as session, running(publisher(url)) as pub:
        before = SystemClock().now()
        await pub.publish(TOPIC, b"\x00\xff{}")
        await until(lambda: got)
        assert (got[0].topic, got[0].payload, got[0].qos, got[0].dup, got[0].retain) == (
            TOPIC,
            b"\x00\xff{}",
            1,
            False,
            False,
        )
        assert before <= got[0].received_at <= SystemClock().now()
        assert session.ack(got) == 1
        assert session.ack(got) == 0, "a message is acknowledged once"
        assert session.last_error is None
        assert session.connected_since is not None


@pytest.mark.system
@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(tmp_path: Path, version: str) -> None:
    got: list[Incoming] = []
    async with mosquitto(tmp_path) as port, running(publisher(f"mqtt://127.0.0.1:{port}")) as pub:
        url = f"mqtt://127.0.0.1:{port}?version={version}"
        async with running(subscriber(url, "again", got)) as session:
            for n in range(3):
                await pub.publish(TOPIC, b"%d" % n)
            await until(lambda: len(got) == 3)
            session.ack([got[1]])
            await asyncio.sleep(0)  # the PUBACK is written before the goodbye, in order
        first, got[:] = list(got), []
        await pub.publish(TOPIC, b"while away")
        async with running(subscriber(url, "again", got)) as session:
            await until(lambda: len(got) == 3)
            assert [m.payload for m in got] == [b"0", b"2", b"while away"]
            assert [m.dup for m in got[:2]] == [True, True]
            assert session.ack(first) == 0, "an acknowledgement of an earlier connection must not hit a new packet id"
            assert session.ack(got) == 3


async def test_a_resumed_session_is_not_subscribed_again_so_retained_messages_come_once(url: str) -> None:
    got: list[Incoming] = []
    await retained(url, TOPIC, b"retained")
    async with running(publisher(url)) as pub:
        async with running(subscriber(url, "resumed", got)) as session:
            await until(lambda: got)
            session.ack(got)
            await asyncio.sleep(0)
        async with running(subscriber(url, "resumed", got)):
            await pub.publish(TOPIC, b"next")
            await until(lambda: len(got) >= 2)
        assert [m.payload for m in got] == [b"retained", b"next"]


async def test_a_clean_session_is_subscribed_each_time_and_gets_retained_messages_each_time(url: str) -> None:
    got: list[Incoming] = []
    await retained(url, TOPIC, b"online")
    for count in (1, 2):
        async with running(subscriber(url, "status", got, clean=True)) as session:
            await until(lambda count=count: len(got) == count)
            session.ack(got)
    assert all(m.retain for m in got)


async def test_a_paused_session_reads_nothing_more_and_gets_all_of_it_after_resume(url: str) -> None:
    got: list[Incoming] = []
    async with running(subscriber(url, "paused", got)) as session, running(publisher(url)) as pub:
        session.pause()
        for _ in range(50):
            await pub.publish(TOPIC, b"x" * 1000)
        assert got == []
        session.resume()
        await until(lambda: len(got) == 50)
        assert session.connected


async def test_the_last_will_is_published_when_the_connection_breaks_and_not_after_a_goodbye(url: str) -> None:
    got: list[Incoming] = []
    topic = "firetower/v1/u/d/status"
    async with running(subscriber(url, "w", got, topic=topic)):
        async with running(publisher(url, will=(topic, b"offline"))) as polite:
            await polite.publish(topic, b"online")
        async with running(publisher(url, will=(topic, b"offline"))) as rude:
            await rude.publish(topic, b"online again")
            connection = rude._connection
            assert connection is not None
            assert connection._transport is not None
            connection._transport.abort()
            await until(lambda: len(got) == 3)
    assert [m.payload for m in got] == [b"online", b"online again", b"offline"]


async def test_thousands_are_published_without_waiting_and_bounded_in_flight(url: str) -> None:
    got: list[Incoming] = []
    async with running(subscriber(url, "many", got)) as session, running(publisher(url, nowait_limit=100)) as pub:
        refused = sent = 0
        while sent < 3000:
            if pub.publish_nowait(TOPIC, b"%d" % sent):
                sent += 1
            else:
                refused += 1
                await asyncio.sleep(0)
                session.ack(got[-1000:])
        await until(lambda: session.ack(got[-1500:]) == 0 and len(got) == 3000)
        await until(lambda: pub.published == 3000)
        assert refused > 0
        assert [m.payload for m in got] == [b"%d" % n for n in range(3000)]


async def test_a_large_message_passes_in_both_directions(url: str) -> None:
    got: list[Incoming] = []
    async with running(subscriber(url, "large", got)), running(publisher(url)) as pub:
        await pub.publish(TOPIC, b"y" * 65_536)
        await until(lambda: got)
        assert len(got[0].payload) == 65_536


async def test_what_the_receiver_failed_at_comes_again_on_a_connection_of_its_own(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Kept back as in work, it would never come again on the old one."""
    got: list[Incoming] = []
    failures = iter([RuntimeError("receiver broke")])

    def receive(messages: Sequence[Incoming]) -> None:
        for failure in failures:
            raise failure
        got.extend(messages)
        session.ack(messages)

    session = subscriber(url, "fragile", got)
    session.on_messages = receive
    async with running(session), running(publisher(url)) as pub:
        await pub.publish(TOPIC, b"bad")
        await until(lambda: "were not taken" in caplog.text)
        await pub.publish(TOPIC, b"good")
        await until(lambda: {message.payload for message in got} >= {b"bad", b"good"})


async def test_the_session_returns_by_itself_when_the_broker_was_killed(nats: Any) -> None:
    got: list[Incoming] = []
    async with running(subscriber(nats.url, "phoenix", got)) as session, running(publisher(nats.url)) as pub:
        await pub.publish(TOPIC, b"before")
        await until(lambda: got)
        nats.kill()
        await until(lambda: not session.connected and not pub.connected)
        assert session.last_error is not None
        with pytest.raises(BrokerUnavailable, match="not connected"):
            await pub.publish(TOPIC, b"lost")
        assert not pub.publish_nowait(TOPIC, b"lost")
        nats.start()
        await until(lambda: session.connected and pub.connected, seconds=20)
        await pub.publish(TOPIC, b"after")
        await until(lambda: any(m.payload == b"after" for m in got))
        # NATS repeats what nobody acknowledged when its ack_wait of 5 s is over, not at once.
        again = await until(lambda: [m for m in got if m.epoch > 1 and m.payload == b"before"], seconds=60)
        # Whether the broker marks it as repeated is its own matter: one that was killed before it wrote down that it
        # had delivered does not know. That it is not taken for one in work is ours.
        assert len(again) == 1
        assert session.ack(got) == 2, "the first delivery cannot be acknowledged any more"


async def test_a_dup_of_a_message_in_work_or_just_acknowledged_is_dropped_and_a_new_one_is_not() -> None:
    """A broker of ten lines, since a real one repeats only after seconds."""
    got: list[Incoming] = []
    acked: list[bytes] = []

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x20\x02\x01\x00")  # CONNACK, session present
        body = b"\x00\x01t" + b"\x00\x07" + b"x"
        writer.write(bytes([0x32, len(body)]) + body + bytes([0x3A, len(body)]) + body)
        acked.append(await reader.readexactly(4))
        # after its PUBACK the packet id is free: what else comes under it is new
        writer.write(bytes([0x3A, len(body)]) + body + bytes([0x3A, len(body)]) + body[:-1] + b"y")
        acked.append(await reader.readexactly(4))
        writer.write(bytes([0x32, len(body)]) + body)
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readexactly(1)
        writer.close()
        closed.append(await writer.wait_closed())

    closed: list[None] = []
    async with await asyncio.start_server(broker, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with running(subscriber(f"mqtt://127.0.0.1:{port}", "dup", got)) as session:
            await until(lambda: got)
            assert session.ack(got) == 1
            await until(lambda: len(got) == 2)
            assert session.ack(got[1:]) == 1
            await until(lambda: len(got) == 3)
            assert acked == [b"\x40\x02\x00\x07"] * 2
            assert [(m.dup, m.payload) for m in got] == [(False, b"x"), (True, b"y"), (False, b"x")]
        await until(lambda: closed)


async def test_a_wrong_password_is_logged_once_and_told_with_the_remedy(
    nats: Any, caplog: pytest.LogCaptureFixture
) -> None:
    session = subscriber(nats.url.replace("mqtt://service:", "mqtt://service:not-"), "liar", [])
    with caplog.at_level(logging.ERROR):
        async with running(session, wait=False):
            await until(lambda: session._epoch >= 3)
            assert session.last_error is not None
            assert "refuses client 'liar'" in session.last_error
            assert "check user and password" in session.last_error
            assert "not-" not in session.last_error, "a password is never logged"
    assert len([r for r in caplog.records if "refuses" in r.message]) == 1


async def test_a_refused_subscription_is_told_and_tried_again_also_when_the_session_is_resumed() -> None:
    """A broker of ten lines: Mosquitto grants every SUBSCRIBE and filters afterwards."""

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # the session may hang up while this broker still writes
            await reader.readexactly((await reader.readexactly(2))[1])
            writer.write(b"\x20\x02\x01\x00" if session._epoch > 1 else b"\x20\x02\x00\x00")
            packet = await reader.readexactly((await reader.readexactly(2))[1])
            writer.write(b"\x90\x03" + packet[:2] + b"\x80")
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        closed.append(None)

    closed: list[None] = []
    async with await asyncio.start_server(broker, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        session = subscriber(f"mqtt://127.0.0.1:{port}", "unwanted", [])
        async with running(session, wait=False):
            await until(lambda: session._epoch >= 3)
            assert not session.connected
            assert session.last_error is not None
            assert "the subscription firetower/v1/+/+/alarm" in session.last_error
        await until(lambda: len(closed) == session._epoch)


async def test_nobody_listening_is_told_with_the_address_and_the_remedy() -> None:
    session = subscriber("mqtt://127.0.0.1:1", "lonely", [])
    async with running(session, wait=False):
        await until(lambda: "cannot be reached" in (session.last_error or ""))
    assert session.last_error is not None
    assert "mqtt://127.0.0.1:1" in session.last_error


@pytest.mark.system
@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed, so no certificate can be made")
async def test_tls_is_spoken_and_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    await asyncio.to_thread(
        subprocess.run,
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = f"allow_anonymous true\ncertfile {tmp_path}/cert.pem\nkeyfile {tmp_path}/key.pem\n"
    got: list[Incoming] = []
    async with mosquitto(tmp_path, tls) as port:
        trusted = f"mqtts://localhost:{port}?ca={tmp_path}/cert.pem"
        async with running(subscriber(trusted, "tls", got)), running(publisher(trusted)) as pub:
            for _ in range(20):
                await pub.publish(TOPIC, b"z" * 60_000)
            await until(lambda: len(got) == 20)
        doubtful = subscriber(f"mqtts://localhost:{port}", "doubt", [])
        async with running(doubtful, wait=False):
            await until(lambda: "certificate" in (doubtful.last_error or "").lower())


async def test_a_broker_without_mqtt_5_says_so_and_the_remedy_is_told(nats: Any) -> None:
    session = subscriber(f"{nats.url}?version=5", "modern", [])
    async with running(session, wait=False):
        await until(lambda: "does not speak MQTT 5: take version=5 out of" in (session.last_error or ""))


@pytest.mark.parametrize(
    ("options", "told"), [("version=4", "MQTT version '4'"), ("verison=5", "verison"), ("ca=a&tls=1", "tls")]
)
def test_an_unknown_option_in_the_broker_address_is_refused_with_its_name(options: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        parse_url(f"mqtt://host?{options}")


@pytest.mark.parametrize("bad", ["http://host", "mqtt://", "mqtt://host:port", "127.0.0.1:1883"])
def test_a_wrong_broker_address_is_refused_with_an_example(bad: str) -> None:
    with pytest.raises(ConfigError, match=r"mqtt://user:password@host:1883"):
        parse_url(bad)


def test_user_and_password_are_unquoted() -> None:
    address = parse_url("mqtts://a%40b:p%2Fw@broker.example")
    assert (address.user, address.password, address.port, address.tls) == ("a@b", "p/w", 8883, True)
    assert address.version == 4, "MQTT 3.1.1 unless asked for 5"
