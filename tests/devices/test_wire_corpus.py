"""A corpus of what broken senders send: it raises nothing, leaves a trace, and costs no neighbour of the batch."""

from dataclasses import dataclass

import pytest

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import DeviceEntry, Registry
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded

NOW = 1_763_800_000 * SECOND
MS = NOW // 1000
ROOT = "firetower/v1/mall-01"
TOPICS = [f"{ROOT}/{tail}" for tail in ("el-1/telemetry", "el-1/alarm", "gateway/telemetry", "gateway/alarm")]
LIMIT = 65_536


def padded(size: int) -> bytes:
    """Return a good object of exactly ``size`` bytes, most of them white space."""
    good = b'{"ts":%d,"smoke":0.1,"event":"fire"}' % MS
    return good[:-1] + b" " * (size - len(good)) + b"}"


NOT_JSON = [
    b"",
    b" ",
    b"\0",
    b"{",
    b"}",
    b"[",
    b'{"',
    b'{"smoke"',
    b'{"smoke":',
    b'{"smoke":1',
    b'{"smoke":1,',
    b'{"smoke":1,}',
    b"{smoke:1}",
    b"{'smoke':1}",
    b'{"smoke":1}{"smoke":2}',
    b'{"smoke":1} x',
    b'[{"smoke":1}',
    b'[{"smoke":1},]',
    b'{"smoke":01}',
    b'{"smoke":+1}',
    b'{"smoke":.5}',
    b'{"smoke":1.}',
    b'{"smoke":0x10}',
    b'{"smoke":1e}',
    b'{"smoke":tru}',
    b'{"smoke":"\\x"}',
    b'{"smoke":"\\u12"}',
    b'{"smoke":"a\nb"}',
    b"smoke=1",
    b"<smoke>1</smoke>",
    b"fire",
    b"\x93\x01\x02\x03",
    b"\x1f\x8b\x08",
    bytes(range(256)),
    b'{"ts":1,/* */"smoke":1}',
    b'{"smoke":1;}',
]
TOO_DEEP = [
    b"[" * 9_999,
    b"[" * LIMIT,
    b'{"a":' * 9_999,
    b"[" * 9_999 + b"]" * 9_999,
    b'{"smoke":' + b"[" * 9_999 + b"]" * 9_999 + b"}",
    b'{"a":' * 9_999 + b"1" + b"}" * 9_999,
    b'{"el-1":' + b"[" * 500 + b"]" * 500 + b"}",
]
NUMBERS = [
    b'{"ts":%d,"smoke":%s}' % (MS, number)
    for number in (
        b"1e308",
        b"1e309",
        b"-1e309",
        b"1e-400",
        b"9" * 309,
        b"9" * 5_000,
        b"-" + b"9" * 60_000,
        b"0." + b"1" * 60_000,
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"nan",
        b"18446744073709551616",
        b"1" + b"0" * 4_300,
    )
]
TIMES = [
    b'{"ts":%s,"smoke":1,"event":"fire"}' % ts
    for ts in (
        b"NaN",
        b"1e400",
        b"-1e300",
        b"9" * 400,
        b"0",
        b"-1",
        b"1.5",
        b"true",
        b"null",
        b"[]",
        b"{}",
        b'""',
        b'"now"',
        b'"2025-02-30T00:00:00Z"',
        b'"0000-00-00T00:00:00Z"',
        b'"9999-12-31T23:59:59-14:00"',
        b'"\\u0000"',
    )
]
WRONG_TYPES = [
    b"null",
    b"true",
    b"7",
    b'"fire"',
    b"[]",
    b"{}",
    b"[[]]",
    b"[{}]",
    b"[null]",
    b"[[{}]]",
    b'{"el-1":null}',
    b'{"el-1":[]}',
    b'{"el-1":{}}',
    b'{"el-1":[[]]}',
    b'{"":{"smoke":1}}',
    b'{"":1}',
    b'{"smoke":{}}',
    b'{"smoke":[1]}',
    b'{"smoke":"1"}',
    b'{"seq":[],"smoke":1}',
    b'{"event":null}',
    b'{"event":[]}',
    b'{"event":{}}',
    b'{"event":7}',
    b'{"event":true}',
    b'{"event":"fire","active":{},"component":[],"text":{}}',
]
TEXTS = [
    b"\xff",
    b'"\xff"',
    b'{"\xff":1}',
    b'{"event":"\xc3"}',
    b'{"event":"\xed\xa0\x80"}',
    b"\xff\xfe{\0}\0",
    "{}".encode("utf-16"),
    b"\xef\xbb\xbf",
    b'\xef\xbb\xbf{"ts":%d,"smoke":1,"event":"fire"}' % MS,
    b"\xef\xbb\xbf\xef\xbb\xbf{}",
    b'{"event":"\\u0000"}',
    b'{"event":"fire","text":"\\u0000","component":"\\ud800"}',
    b'{"\\u0000":1}',
    b'{"a\0b":1}',
    b'{"el\\u0000":[{"event":"fire"}]}',
    '{"event":"火警","text":"三层"}'.encode(),
    '{"event":"火警"}'.encode("gbk"),
    b'{"event":"' + b"x" * 60_000 + b'"}',
    b'{"' + b"x" * 60_000 + b'":1}',
    b'{"event":" "}',
]
DOUBLED = [
    b'{"smoke":1,"smoke":2}',
    b'{"ts":1,"ts":2,"smoke":1}',
    b'{"event":"fire","event":"test"}',
    b'{"seq":1,"seq":2,"smoke":1}',
    b'[{"smoke":1,"smoke":2},{"smoke":1}]',
    b'{"el-1":[{"smoke":1}],"el-1":[{"smoke":2}]}',
    b'{"smoke":1,"smok\\u0065":2}',
    b'{"el-1":{"smoke":1,"smoke":2}}',
    b'{"smoke":' * 3 + b"1" + b"}" * 3,
]
SIZES = [padded(LIMIT), padded(LIMIT + 1), b" " * LIMIT, b"x" * (LIMIT + 1), b"[" + b"{}," * 20_000 + b"{}]"]
CORPUS = [*NOT_JSON, *TOO_DEEP, *NUMBERS, *TIMES, *WRONG_TYPES, *TEXTS, *DOUBLED, *SIZES]


@dataclass(frozen=True)
class Message:
    topic: str
    payload: bytes
    received_at: int = NOW


def make_registry() -> Registry:
    registry = Registry()
    for number, device in enumerate(("el-1", "el-2", "gateway"), 1):
        registry.add(DeviceEntry(number, "mall-01", device, DeviceKind.ELECTRICAL))
    return registry


def decode(messages: list[Message], registry: Registry, *, welcome: bool = False) -> Decoded:
    """Decode a batch as the lane does: what is ordinary in one go, everything else by itself."""
    decoder, into = Decoder(catalogue(), registry), Decoded(welcome=welcome)
    index = 0
    while index < len(messages):
        index += decoder.take(messages[index:], into)
        for message in messages[index : index + 1]:
            decoder.decode(message.topic, message.payload, message.received_at, into)
        index += 1
    return into


def label(payload: bytes) -> str:
    return f"{payload[:24]!r}-{len(payload)}"


@pytest.mark.parametrize("welcome", [False, True])
@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("payload", CORPUS, ids=label)
def test_what_broken_senders_send_leaves_a_trace_and_costs_no_neighbour(
    payload: bytes, topic: str, welcome: bool
) -> None:
    """A reading, an event or a refusal is left of every message; those before and after are as if it had not come."""
    registry = make_registry()
    neighbours = [
        Message(f"{ROOT}/el-2/telemetry", b'{"ts":%d,"flow":1}' % MS),
        Message(f"{ROOT}/el-2/alarm", b'{"ts":%d,"event":"leak"}' % MS),
        Message(f"{ROOT}/el-2/telemetry", b'{"ts":%d,"flow":2}' % (MS + 1)),
    ]
    decoded = decode([neighbours[0], Message(topic, payload), *neighbours[1:]], registry, welcome=welcome)
    mine = [value for device, value in zip(decoded.device, decoded.value, strict=True) if device != 2]
    events = [event for event in decoded.events if event.device != "el-2"]
    assert mine or events or decoded.refusals or decoded.count > 2
    if topic.endswith("alarm"):
        assert events or mine, "in the alarm lane doubt makes an event, unless it was readings"
    assert all(refusal.payload == payload[:LIMIT] and refusal.detail for refusal in decoded.refusals)
    for text in [event.text + event.event + event.component for event in events]:
        assert "\0" not in text
        text.encode()
    registry.add(DeviceEntry(9, "mall-01", "x", DeviceKind.ELECTRICAL))
    decoded.resolve(registry)
    readings = decoded.readings(registry)
    assert readings.value[readings.device == 2].tolist() == [1.0, 2.0]
    assert [event.event for event in decoded.events if event.device == "el-2"] == ["leak"]


@pytest.mark.parametrize("payload", [*NOT_JSON, *TOO_DEEP[:4], *DOUBLED[2:3]], ids=label)
def test_an_alarm_that_is_no_json_is_always_an_event_with_its_bytes(payload: bytes) -> None:
    """What the panel meant nobody can say, so the operator is shown that it spoke."""
    decoded = decode([Message(f"{ROOT}/el-1/alarm", payload)], make_registry())
    assert [(event.event, event.payload) for event in decoded.events] == [("unreadable", payload[:LIMIT])]


def test_the_largest_message_of_the_contract_is_taken_and_one_byte_more_is_told() -> None:
    """64 KiB is the limit, to the byte; an alarm beyond it is shown all the same."""
    most, more = (decode([Message(f"{ROOT}/el-1/alarm", padded(size))], make_registry()) for size in (LIMIT, LIMIT + 1))
    assert [event.event for event in most.events] == ["fire"]
    assert most.refusals == []
    assert [event.event for event in more.events] == ["unreadable"]
    assert [refusal.reason for refusal in more.refusals] == ["too_large"]
