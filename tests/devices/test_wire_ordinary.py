"""The short way of ordinary telemetry does what the careful way does, to the letter, or leaves the message to it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.clock import DAY, SECOND
from firetower.devices import wire_ordinary, wire_shapes
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded

NOW = 1_763_800_000 * SECOND
MS = NOW // 1000
TELEMETRY, OTHER, ALARM = (
    f"firetower/v1/mall-01/{tail}" for tail in ("el-1/telemetry", "el-2/telemetry", "el-1/alarm")
)
GATEWAY = "firetower/v1/mall-01/gateway/telemetry"
PAYLOAD = (
    b'{"ts": %d, "seq": 41, "residual_current": 101.0, "cable_temperature.1": 30.0, "cable_temperature.2": 31}' % MS
)


@dataclass(frozen=True)
class Message:
    topic: str
    payload: bytes
    received_at: int = NOW


def make_registry() -> Registry:
    registry = Registry()
    registry.add(DeviceEntry(1, "mall-01", "el-1", DeviceKind.ELECTRICAL))
    registry.add(DeviceEntry(2, "mall-01", "el-2", DeviceKind.ELECTRICAL))
    registry.add(DeviceEntry(3, "mall-01", "gateway", DeviceKind.GATEWAY))
    registry.add(DeviceEntry(4, "_firetower", "probe", DeviceKind.GATEWAY))
    registry.add_channel("1", 1)
    registry.add_channel("2", 2)
    return registry


def quickly(messages: Sequence[Message], decoder: Decoder, into: Decoded) -> int:
    """Decode as the lane does and return how many messages took the short way."""
    index = ordinary = 0
    while index < len(messages):
        taken = decoder.take(messages[index:], into)
        ordinary += taken
        index += taken
        if index < len(messages):
            message = messages[index]
            decoder.decode(message.topic, message.payload, message.received_at, into)
            index += 1
    return ordinary


def carefully(messages: Sequence[Message], decoder: Decoder, into: Decoded) -> None:
    for message in messages:
        decoder.decode(message.topic, message.payload, message.received_at, into)


def assert_same(messages: Sequence[Message], *, welcome: bool = False) -> int:
    """Decode both ways, resolve, compare everything; return how many messages took the short way."""
    results = []
    ordinary = 0
    for quick in (True, False):
        registry, into = make_registry(), Decoded(welcome=welcome)
        decoder = Decoder(catalogue(), registry)
        if quick:
            ordinary = quickly(messages, decoder, into)
        else:
            carefully(messages, decoder, into)
        count = into.count
        for number, (unit, device) in enumerate(list(into.strangers)[:1], 7):
            registry.add(DeviceEntry(number, unit, device, DeviceKind.ELECTRICAL))
        for number, name in enumerate(list(into.new_channels)[:1], 7):
            registry.add_channel(name, number)
        into.resolve(registry)
        results.append((into, count, into.readings(registry), into.readings(registry, {0, 2})))
    (one, *counts), (other, *expected) = results
    assert counts[0] == expected[0]
    for mine, theirs in zip(counts[1:], expected[1:], strict=True):
        for name in Readings.__slots__:
            column, wanted = getattr(mine, name), getattr(theirs, name)
            assert column.dtype == wanted.dtype
            np.testing.assert_array_equal(column, wanted, name)
    for name in ("events", "refusals", "onces", "status", "heard", "heard_at", "heard_seq", "heard_sent"):
        assert getattr(one, name) == getattr(other, name), name
    return ordinary


ORDINARY: list[bytes] = [
    PAYLOAD,
    b'{"residual_current":1e9,"ts":%d}' % (MS + 1),
    b'{"ts":%d.0,"seq":7.0,"cable_temperature.2":-61,"smoke":-0.0}' % MS,
    b' {"seq" : 4294967295 , "ts" : %d, "current" : 123456789012345678901234567890} ' % (MS - 60_000),
    b'{"ts":%d,"smok\\u0065":19.999999999999999999}' % (MS + 300_000),
    b'[{"ts":%d,"seq":1,"current":1},{"ts":%d,"seq":2,"current":2,"voltage":1001}]' % (MS - 9, MS),
]


@pytest.mark.parametrize("payload", ORDINARY)
def test_ordinary_messages_take_the_short_way_and_mean_the_same(payload: bytes) -> None:
    """Objects of numbers with a believable time, one or an array of them, are not left to the careful way."""
    assert assert_same([Message(TELEMETRY, payload)]) == 1


ODD: list[tuple[str, bytes]] = [
    (TELEMETRY, b'{"ts":%d,"smoke":1,"smoke":2}' % MS),
    (TELEMETRY, b'{"ts":1,"ts":%d,"smoke":2}' % MS),
    (TELEMETRY, b'[{"ts":%d,"smoke":1},{"ts":%d,"smoke":1,"smoke":2}]' % (MS, MS)),
    (TELEMETRY, b'[{"ts":%d,"smoke":1},{"ts":1,"smoke":1}]' % MS),
    (TELEMETRY, b'[{"ts":%d,"smoke":1},{"smoke":1}]' % MS),
    (TELEMETRY, b"[]"), (TELEMETRY, b"{}"), (TELEMETRY, b"[{}]"), (TELEMETRY, b""),
    (TELEMETRY, b'{"ts":%d}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":true}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":null}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":"1"}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":NaN}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":1e400}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":' % MS + b"9" * 400 + b"}"),
    (TELEMETRY, b'{"ts":%d,"smoke":1,"cable_temperature.new":2}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":1,"presure":2}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":1,"a:b":2}' % MS),
    (TELEMETRY, b'{"smoke":1}'),
    (TELEMETRY, b'{"ts":%d.5,"smoke":1}' % MS),
    (TELEMETRY, b'{"ts":%d,"smoke":1}' % (MS // 1000)),
    (TELEMETRY, b'{"ts":%d,"smoke":1}' % (MS + 300_001)),
    (TELEMETRY, b'{"ts":%d,"smoke":1}' % (MS - 400 * 86_400_000 - 1)),
    (TELEMETRY, b'{"ts":1e300,"smoke":1}'),
    (TELEMETRY, b'{"ts":"2025-11-22T08:26:40Z","smoke":1}'),
    (TELEMETRY, b'{"ts":%d,"seq":-1,"smoke":1}' % MS),
    (TELEMETRY, b'{"ts":%d,"seq":4294967296,"smoke":1}' % MS),
    (TELEMETRY, b'{"ts":%d,"seq":1.5,"smoke":1}' % MS),
    (TELEMETRY, PAYLOAD + b"x"), (TELEMETRY, b"\xef\xbb\xbf" + PAYLOAD), (TELEMETRY, PAYLOAD + b" " * 70_000),
    (TELEMETRY, b'{"ts":%d,"\xff":1}' % MS),
    (ALARM, PAYLOAD), (GATEWAY, PAYLOAD), (GATEWAY, b'{"el-1":[%s]}' % PAYLOAD),
    ("firetower/v1/mall-01/ghost/telemetry", PAYLOAD), ("firetower/v1/nobody/el-1/telemetry", PAYLOAD),
    ("firetower/v1/_firetower/probe/telemetry", PAYLOAD), ("firetower/v1/mall-01/el-1/command", PAYLOAD),
    ("firetower/v2/mall-01/el-1/telemetry", PAYLOAD), ("x/firetower/v1/mall-01/el-1/telemetry", PAYLOAD),
    ("telemetry", PAYLOAD), ("", PAYLOAD),
]  # fmt: skip


@pytest.mark.parametrize(("topic", "payload"), ODD)
@pytest.mark.parametrize("welcome", [True, False])
def test_anything_unusual_is_left_to_the_careful_way_and_its_neighbours_are_not(
    topic: str, payload: bytes, welcome: bool
) -> None:
    """What the short way does not take it leaves without a trace, between two messages that it takes."""
    before, after = Message(TELEMETRY, PAYLOAD), Message(OTHER, PAYLOAD, NOW + 5)
    assert assert_same([before, Message(topic, payload, NOW + 1), after], welcome=welcome) == 2


def test_readings_stand_in_the_order_of_their_messages() -> None:
    """Of two readings of one series the later message's comes later, whichever way each of them took."""
    odd = b'{"ts":%d,"smoke":%d,"flow":null}'
    even = b'{"ts":%d,"smoke":%d}'
    messages = [Message(TELEMETRY, (odd if n % 3 else even) % (MS + n, n)) for n in range(20)]
    registry, into = make_registry(), Decoded()
    quickly(messages, Decoder(catalogue(), registry), into)
    assert into.readings(registry).value.tolist() == list(range(20))
    assert into.count == 20


def test_a_message_whose_decoding_broke_off_takes_back_nothing_of_those_before() -> None:
    """A fault of ours in one message costs no ordinary neighbour."""
    registry, into = make_registry(), Decoded()
    decoder = Decoder(catalogue(), registry)
    decoder.take([Message(TELEMETRY, PAYLOAD)], into)
    before = into.sizes()
    decoder.take([Message(OTHER, PAYLOAD)], into)
    decoder.decode(ALARM, b'{"event":"fire","smoke":1}', NOW, into)
    into.undo(before)
    assert into.readings(registry).device.tolist() == [1, 1, 1]
    assert (into.heard, into.heard_seq, into.events) == ([1], [41], [])


def test_what_a_careful_message_was_heard_of_may_be_taken_back() -> None:
    """A replayed message is no sign of life; forgetting that moves no reading to another device."""
    registry, into = make_registry(), Decoded()
    decoder = Decoder(catalogue(), registry)
    decoder.take([Message(TELEMETRY, PAYLOAD)], into)
    decoder.decode(TELEMETRY, b'{"smoke":1}', NOW, into)
    for column in (into.heard, into.heard_at, into.heard_seq, into.heard_sent):
        del column[1:]
    decoder.take([Message(OTHER, PAYLOAD)], into)
    decoder.decode(TELEMETRY, b'{"smoke":2}', NOW, into)
    assert into.readings(registry).device.tolist() == [1, 1, 1, 1, 2, 2, 2, 1]
    assert into.heard == [1, 2, 1]


def test_names_in_ever_new_orders_fill_no_memory_and_cost_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that shuffles its names is decoded all the same, and the next batch starts afresh."""
    monkeypatch.setattr(wire_shapes, "MOST_SHAPES", 3)
    registry = make_registry()
    decoder = Decoder(catalogue(), registry)
    names = ["smoke", "flow", "level", "gas", "voltage"]
    messages = [Message(TELEMETRY, json.dumps({"ts": MS + n, name: n}).encode()) for n, name in enumerate(names)]
    for ordinary, batch in ((3, messages), (2, messages[3:])):
        into = Decoded()
        assert quickly(batch, decoder, into) == ordinary
        assert len(into.readings(registry)) == len(batch)


def test_topics_without_end_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """More devices than topics are remembered are decoded like any others."""
    monkeypatch.setattr(wire_ordinary, "MOST_SENDERS_OF_PART", 1)
    assert assert_same([Message(topic, PAYLOAD) for topic in (TELEMETRY, OTHER, TELEMETRY, OTHER)]) == 4


# anything at all -------------------------------------------------------------------------------------

_numbers = (
    st.integers(-10, 20_000) | st.floats() | st.floats(-100, 12_000, width=32)
    | st.sampled_from([0, -0.0, 2**53 + 1, 2**64, 10**308, 10**400, 1e300])
)  # fmt: skip
_times = st.sampled_from(
    [MS, MS + 1, float(MS), MS + 0.5, MS // 1000, MS + 10**6, 5, None, "2025-11-22T16:26:40", True]
)
_times |= st.integers(MS - 300, MS + 300)
_seqs = st.integers(0, 50) | st.sampled_from([-1, 2**32 - 1, 2**32, 7.0, 7.5, None, "7", True])
_names = st.sampled_from(["residual_current", "cable_temperature.1", "cable_temperature.2", "smoke"])
_plain = st.fixed_dictionaries({"ts": st.integers(MS - 300, MS + 300)}).flatmap(
    lambda head: st.dictionaries(_names, st.floats(-100, 20_000), min_size=1, max_size=4).map(lambda body: head | body)
)
_odd = st.dictionaries(
    _names | st.sampled_from(["current.b", "current.c", "event", "presure"]),
    _numbers | st.none() | st.booleans() | st.text(max_size=3),
    max_size=4,
)
_mixed = st.tuples(_odd, st.none() | _times, st.none() | _seqs, st.booleans()).map(
    lambda parts: parts[0] | ({} if parts[3] else {"ts": parts[1]}) | ({} if parts[2] is None else {"seq": parts[2]})
)
_objects = _plain | _mixed
_document = _objects | st.lists(_objects, max_size=3) | st.dictionaries(st.sampled_from(["el-1", "ghost"]), _objects)
_doubled = st.lists(st.tuples(_names | st.just("ts"), st.integers(0, 9) | st.just(MS)), max_size=5).map(
    lambda pairs: b"{" + b",".join(f'"{name}": {value}'.encode() for name, value in pairs) + b"}"
)
_payload = st.one_of(
    _plain.map(lambda document: json.dumps(document).encode()),
    _document.map(lambda document: json.dumps(document).encode()),
    _doubled,
    st.binary(max_size=20),
)
_topic = st.sampled_from([TELEMETRY, TELEMETRY, OTHER, ALARM, GATEWAY, "firetower/v1/new/dev/telemetry", "x/y"])
_messages = st.lists(
    st.builds(Message, _topic, _payload, st.integers(NOW - DAY, NOW + SECOND) | st.just(NOW)), max_size=8
)


@settings(max_examples=250)
@given(_messages, st.booleans())
def test_any_mixture_of_messages_decodes_the_same_both_ways(messages: list[Any], welcome: bool) -> None:
    """Readings, events, refusals and what was heard are equal, whatever stands beside what."""
    assert_same(messages, welcome=welcome)
