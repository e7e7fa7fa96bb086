"""MQTT as bytes: ours are what paho writes, a broker's are read however they are cut, and nonsense is told."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firetower.core import mqtt_protocol as protocol
from firetower.core.errors import InvalidInput
from firetower.core.mqtt_message import Taken
from firetower.core.mqtt_protocol import LONGEST, Parser

NOW = 1_763_800_000_000_000
versions = pytest.mark.parametrize("version", [4, 5])


def frame(first: int, body: bytes) -> bytes:
    """A packet as the specification's own loop (section 2.2.3) writes it."""
    length, head = len(body), bytes([first])
    while True:
        length, digit = divmod(length, 128)
        head += bytes([digit | (128 if length else 0)])
        if not length:
            return head + body


def text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def properties(kind: int, **named: Any) -> bytes:
    made = Properties(kind)
    for name, value in named.items():
        setattr(made, name, value)
    return bytes(made.pack())


def arrival(topic: bytes, payload: bytes, mid: int, version: int, *, flags: int = 0, extra: bytes = b"\0") -> bytes:
    body = text(topic) + (mid.to_bytes(2, "big") if mid else b"") + (extra if version == 5 else b"") + payload
    return frame(0x30 | (2 if mid else 0) | flags, body)


def told(taken: Taken) -> list[Any]:
    """All of it that a session acts on; arrival times and epochs apart."""
    return [
        [(m.topic, m.payload, m.mid, m.qos, m.dup, m.retain) for m in taken.messages],
        taken.acknowledged, sorted(taken.refused.items()), taken.granted, taken.connack, taken.goodbye, taken.error,
    ]  # fmt: skip


def all_of(parser: Parser, before: Taken | None = None) -> Taken:
    """Everything the parser has, in one with what it had ``before``."""
    whole = before or Taken()
    while True:
        part = parser.take(NOW)
        whole.messages += part.messages
        whole.acknowledged += part.acknowledged
        whole.refused |= part.refused
        whole.granted = part.granted or whole.granted
        whole.connack = part.connack or whole.connack
        whole.goodbye = part.goodbye or whole.goodbye
        whole.error = part.error
        whole.repeats |= part.repeats
        if not part.more:
            return whole


def read(data: bytes, version: int = 4) -> Taken:
    parser = Parser(version, 1)
    parser.feed(data)
    return all_of(parser)


mids = st.integers(1, 65_535)
payloads = st.binary(max_size=300)
topics = st.text(min_size=1, max_size=60).map(lambda name: name.encode("utf-8", "replace"))


@st.composite
def packets(draw: st.DrawFn, version: int) -> bytes:
    kind = draw(st.sampled_from(["qos0", "qos1", "puback", "pingresp", "suback"]))
    mid = draw(mids)
    if kind in {"qos0", "qos1"}:
        flags = draw(st.sampled_from([0, 1, 8, 9] if kind == "qos1" else [0, 1]))
        extra = properties(PacketTypes.PUBLISH, UserProperty=draw(st.lists(st.just(("a", "b" * 90)), max_size=2)))
        mid = mid if kind == "qos1" else 0
        return arrival(draw(topics), draw(payloads), mid, version, flags=flags, extra=extra)
    number = mid.to_bytes(2, "big")
    if kind == "puback":
        more = properties(PacketTypes.PUBACK, ReasonString=draw(st.text(max_size=9))) if draw(st.booleans()) else b""
        return frame(0x40, number + (b"\x97" + more if version == 5 and draw(st.booleans()) else b""))
    if kind == "suback":
        return frame(0x90, number + (b"\0" if version == 5 else b"") + draw(st.sampled_from([b"\1", b"\0\x80"])))
    return b"\xd0\0"


@versions
@given(data=st.data())
@settings(max_examples=150)
def test_a_stream_says_the_same_wherever_it_is_cut(version: int, data: st.DataObject) -> None:
    """A valid stream, with or without nonsense behind it, in pieces of any size down to a byte."""
    stream = b"".join(data.draw(st.lists(packets(version), max_size=12)))
    stream += data.draw(st.sampled_from([b"", b"\x00\x00", b"\x30\xff\xff\xff\xff\x01"]))
    whole = read(stream, version)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=len(stream))))
    parser, pieces = Parser(version, 1), Taken()
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        parser.feed(stream[start:stop])
        all_of(parser, pieces)
    assert told(pieces) == told(whole)
    assert pieces.error is None or stream.endswith((b"\x00\x00", b"\x01"))


@versions
@given(data=st.lists(st.binary(max_size=80), max_size=8))
@settings(max_examples=400)
def test_any_bytes_at_all_are_read_or_told_as_an_error_and_nothing_else(version: int, data: list[bytes]) -> None:
    """No exception of any kind, and after an error neither another word nor a byte kept."""
    parser = Parser(version, 1)
    error: str | None = None
    for piece in data:
        parser.feed(piece)
        taken = all_of(parser)
        if error is not None:
            assert (taken.error, taken.messages, taken.acknowledged) == (error, [], [])
        error = taken.error
        assert error is None or error.startswith("a ")


@versions
@given(topic=topics, payload=payloads, mid=mids, qos=st.integers(0, 1), dup=st.booleans(), retain=st.booleans())
@settings(max_examples=100)
def test_a_message_is_read_as_it_was_written(
    version: int, topic: bytes, payload: bytes, mid: int, qos: int, dup: bool, retain: bool
) -> None:
    """Topic, payload, packet id and flags, with MQTT 5's properties skipped."""
    extra = properties(PacketTypes.PUBLISH, MessageExpiryInterval=7, ContentType="x" * 200, UserProperty=("k", "v"))
    taken = read(
        arrival(topic, payload, mid if qos else 0, version, flags=8 * (dup and qos) | retain, extra=extra), version
    )
    (message,) = taken.messages
    assert (message.topic, message.payload) == (topic.decode(), payload)
    again = bool(dup and qos)
    assert (message.mid, message.qos, message.dup, message.retain) == (mid if qos else 0, qos, again, retain)
    assert taken.repeats == again


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (b"\x00\x00", "packet type 0"),
        (b"\xf0\x00", "AUTH"),
        (b"\x10\x00", "CONNECT, which a broker does not send"),
        (b"\x62\x02\x00\x01", "PUBREL"),
        (b"\xc0\x00", "PINGREQ"),
        (b"HTTP/1.1 400 Bad Request\r\n" + b"." * 80, "PUBACK with flags 8"),
        (b"\xd0\x01x", "PINGRESP of 1 bytes"),
        (b"\x30\xff\xff\xff\xff\x01", "length of more than four bytes"),
        (frame(0x34, text(b"t") + b"\0\1x"), "PUBLISH at QoS 2"),
        (frame(0x36, text(b"t") + b"\0\1x"), "PUBLISH at QoS 3"),
        (frame(0x30, b"\0\0x"), "empty topic"),
        (frame(0x30, b"\0"), "no room for a topic"),
        (frame(0x30, b"\0\x09short"), "ends inside its topic"),
        (frame(0x32, b"\0\x09short"), "ends inside its topic or packet id"),
        (frame(0x32, text(b"t") + b"\0"), "ends inside its topic or packet id"),
        (frame(0x32, text(b"t") + b"\0\0x"), "packet id 0"),
        (frame(0x40, b"\0"), "PUBACK of 1 bytes"),
        (frame(0x40, b"\0\1\0"), "PUBACK of 3 bytes"),
        (frame(0x90, b"\0\1"), "SUBACK of 2 bytes has no answer"),
        (frame(0x20, b"\0"), "CONNACK of 1 bytes"),
        (frame(0xE0, b"\x8e"), "DISCONNECT of 1 bytes"),
    ],
)
def test_what_a_broker_must_not_send_is_told(stream: bytes, error: str) -> None:
    """The error names the packet and what is wrong with it; what came before it is still told."""
    good = arrival(b"t", b"before", 7, 4)
    taken = read(good + stream)
    assert taken.error is not None
    assert error in taken.error
    assert [message.payload for message in taken.messages] == [b"before"]


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (frame(0x30, text(b"t") + b"\x05ab"), "ends inside its properties"),
        (frame(0x30, text(b"t")), "ends inside its properties"),
        (frame(0x30, text(b"t") + b"\xff\xff\xff\xff\x01"), "length of more than four bytes"),
        (frame(0x30, text(b"") + b"\0x"), "empty topic (no alias was offered)"),
        (frame(0x20, b"\0\0\x02\x7f\0"), "unknown property 0x7f"),
        (frame(0x20, b"\0\0\x03\x11\0\0"), "ends inside its property 0x11"),
        (frame(0x20, b"\0\0\x04\x1f\0\x09a"), "ends inside its property 0x1f"),
        (frame(0x20, b"\0\0\x09\x11"), "properties do not end where it ends"),
        (frame(0xE0, b"\x8e\x09"), "properties do not end where it ends"),
    ],
)
def test_malformed_properties_of_mqtt_5_are_told(stream: bytes, error: str) -> None:
    """Properties that do not fit their packet are an error that says which."""
    taken = read(stream, 5)
    assert taken.error is not None
    assert error in taken.error


def test_a_packet_too_long_is_refused_by_its_head_with_limit_and_remedy() -> None:
    """Before a byte of its body is kept; one exactly at the limit is taken."""
    body = text(b"t") + b"\0\1" + bytes(LONGEST - 5)
    (message,) = read(frame(0x32, body)).messages
    assert len(message.payload) == LONGEST - 5
    taken = read(frame(0x32, body + b"x")[:5])
    assert taken.error is not None
    assert f"{LONGEST + 1} bytes, at most {LONGEST}" in taken.error
    assert "max_packet_size" in taken.error


def test_a_topic_that_is_not_utf8_is_handed_on_so_that_it_can_be_refused_once_for_all() -> None:
    """As an error it would come back with every connection, and nothing behind it ever would."""
    taken = read(arrival(b"firetower/\xff\xfe", b"x", 3, 4))
    assert taken.error is None
    assert [(m.topic, m.mid) for m in taken.messages] == [("firetower/��", 3)]


def test_a_turn_is_bounded_and_the_rest_is_told_by_the_next() -> None:
    """A buffer of tiny packets does not hold the loop."""
    parser = Parser(4, 1)
    parser.feed(arrival(b"t", b"", 1, 4) * 25)
    counts = [(len(taken.messages), taken.more) for taken in (parser.take(NOW, most=10) for _ in range(3))]
    assert counts == [(10, True), (10, True), (5, False)]


def test_arrival_times_rise_within_a_buffer_and_topics_are_kept_once() -> None:
    """A reading without a time of its own is keyed by its arrival; a topic's text is one object however often."""
    taken = read(arrival(b"t/1", b"a", 1, 4) + arrival(b"t/1", b"b", 2, 4) + arrival(b"t/1", b"c", 3, 4))
    assert [message.received_at for message in taken.messages] == [NOW, NOW + 1, NOW + 2]
    assert len({id(message.topic) for message in taken.messages}) == 1


def test_what_mqtt_5_adds_to_an_answer_is_told_in_the_brokers_words() -> None:
    """Keep alive and window of CONNACK, and the reasons of PUBACK, SUBACK and DISCONNECT."""
    said = properties(PacketTypes.CONNACK, ServerKeepAlive=5, ReceiveMaximum=20, AssignedClientIdentifier="me")
    connack = read(frame(0x20, b"\1\0" + said), 5).connack
    assert connack is not None
    assert (connack.session_present, connack.refusal, connack.keep_alive, connack.window) == (True, None, 5, 20)
    connack = read(frame(0x20, b"\0\x87" + properties(PacketTypes.CONNACK, ReasonString="expired")), 5).connack
    assert connack is not None
    assert connack.refusal == "not authorized ('expired')"
    full = properties(PacketTypes.PUBACK, ReasonString="disk full", UserProperty=[("a", "b"), ("c", "d")])
    assert read(frame(0x40, b"\0\x07\x97" + full), 5).refused == {7: "quota exceeded ('disk full')"}
    assert read(frame(0x40, b"\0\x07\x10\0"), 5).acknowledged == [7], "no subscriber is no refusal"
    assert read(frame(0x90, b"\0\x07\0\1\x87"), 5).granted == [None, "not authorized"]
    assert read(frame(0xE0, b"\x8e\0"), 5).goodbye == "another client took over the session"
    assert read(frame(0xE0, b""), 5).goodbye == "no reason given"


# what we write, against paho -------------------------------------------------------------------------------


class Paho:
    """What paho writes to its socket."""

    def __init__(self, version: int) -> None:
        ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, "firetower-é", protocol=version, manual_ack=True)
        if version == 4:
            self.client._clean_session = False
        self.client._create_socket = lambda: ours

    def wrote(self) -> bytes:
        while self.client.want_write():
            self.client.loop_write()
        data = b""
        with contextlib.suppress(BlockingIOError):
            while piece := self._theirs.recv(1 << 20):
                data += piece
        return data

    def close(self) -> None:
        self.client._sock_close()
        self._theirs.close()


@pytest.fixture(params=[4, 5])
def reference(request: pytest.FixtureRequest) -> Iterator[tuple[Paho, int]]:
    made = Paho(request.param)
    yield made, request.param
    made.close()


def test_connect_is_what_paho_writes(reference: tuple[Paho, int]) -> None:
    """With user, password and a retained last will at QoS 1; in MQTT 5 a session that never expires."""
    theirs, version = reference
    theirs.client.username_pw_set("dév", "pass:word")
    theirs.client.will_set("firetower/v1/u/d/status", b"offline", qos=1, retain=True)
    if version == 5:
        more = Properties(PacketTypes.CONNECT)
        more.SessionExpiryInterval, more.MaximumPacketSize = 0xFFFFFFFF, LONGEST
        theirs.client.connect("host", keepalive=12, clean_start=False, properties=more)
    else:
        theirs.client.connect("host", keepalive=12)
    ours = protocol.connect(
        "firetower-é", version=version, keep_alive=12, clean=False, user="dév", password="pass:word",
        will=("firetower/v1/u/d/status", b"offline"),
    )  # fmt: skip
    assert ours == theirs.wrote()


def test_subscribe_publish_and_puback_are_what_paho_writes(reference: tuple[Paho, int]) -> None:
    """QoS 0 and 1, retained and not, short and long."""
    theirs, version = reference
    theirs.client.connect("host")
    theirs.wrote()
    theirs.client._state = paho._ConnectionState.MQTT_CS_CONNECTED
    theirs.client.subscribe([("a/+", 1), ("b/#", 1)])
    assert protocol.subscribe(1, ["a/+", "b/#"], version=version) == theirs.wrote()
    for mid, (payload, retain) in enumerate([(b"", False), (b"x" * 130, True), (b"y" * 70_000, False)], start=2):
        theirs.client.publish("火/t", payload, qos=1, retain=retain)
        assert protocol.publish("火/t", payload, mid=mid, retain=retain, version=version) == theirs.wrote()
    theirs.client.publish("t", b"z", qos=0, retain=True)
    assert protocol.publish("t", b"z", mid=0, retain=True, version=version) == theirs.wrote()
    for mid in (1, 258, 65_535):
        theirs.client.ack(mid, 1)
    assert protocol.pubacks([1, 258, 65_535]) == theirs.wrote()


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a\0b", "t" * 65_536])
def test_a_topic_nobody_may_publish_to_is_refused_before_it_is_sent(topic: str) -> None:
    """The broker would end the connection for it."""
    with pytest.raises(InvalidInput):
        protocol.publish(topic, b"", mid=1, retain=False, version=4)
