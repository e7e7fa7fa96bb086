"""The payload contract as a table: what is taken, what is refused and by which reason, and that nothing raises.

Long because the contract is one table, read beside docs/key-unit.md.
"""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Mark, Quality
from firetower.devices.registry import DeviceEntry, Registry
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import NO_TIME, Decoded

NOW = 1_763_800_000 * SECOND
MS = NOW // 1000
TELEMETRY, ALARM, STATUS = (f"firetower/v1/mall-01/smk-1/{leaf}" for leaf in ("telemetry", "alarm", "status"))
GATEWAY, GATEWAY_ALARM = "firetower/v1/mall-01/gateway/telemetry", "firetower/v1/mall-01/gateway/alarm"


def make_registry() -> Registry:
    registry = Registry()
    registry.add(DeviceEntry(1, "mall-01", "smk-1", DeviceKind.SMOKE))
    registry.add(DeviceEntry(2, "mall-01", "hyd-1", DeviceKind.HYDRANT))
    registry.add(DeviceEntry(3, "mall-01", "gateway", DeviceKind.GATEWAY))
    registry.add_channel("2", 1)
    return registry


def decode(topic: str, payload: Any, *, welcome: bool = False) -> Decoded:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    into = Decoded(welcome=welcome)
    Decoder(catalogue(), make_registry()).decode(topic, raw, NOW, into)
    return into


def values(decoded: Decoded) -> list[tuple[str, float]]:
    names = catalogue().by_number
    return [(names[m].name, v) for m, v in zip(decoded.metric, decoded.value, strict=True)]


def reasons(decoded: Decoded) -> list[str]:
    return [refusal.reason for refusal in decoded.refusals]


GOOD: list[tuple[Any, list[tuple[str, float]]]] = [
    ({"ts": MS, "seq": 41, "pressure": 0.312, "battery": 3.61}, [("pressure", 0.312), ("battery", 3.61)]),
    ([{"ts": MS, "pressure": 1}, {"ts": MS + 1, "pressure": 2}], [("pressure", 1.0), ("pressure", 2.0)]),
    ({"ts": MS, "pressure": True, "flow": False}, [("pressure", 1.0), ("flow", 0.0)]),
    ({"ts": MS, "pressure": None, "flow": 2}, [("flow", 2.0)]),
    ({"ts": MS, "cable_temperature.2": 41.5, "current.b": 3}, [("cable_temperature", 41.5), ("current", 3.0)]),
    (b'{"pressure" : 1e-3 , "ts" : %d.0}' % MS, [("pressure", 0.001)]),
]


@pytest.mark.parametrize(("payload", "expected"), GOOD)
def test_what_the_contract_allows_is_taken(payload: Any, expected: list[tuple[str, float]]) -> None:
    decoded = decode(TELEMETRY, payload)
    assert values(decoded) == expected
    assert reasons(decoded) == []
    assert set(decoded.device) == {1}
    assert decoded.heard


def test_a_time_in_seconds_is_told_and_the_reading_is_taken_at_its_arrival() -> None:
    decoded = decode(TELEMETRY, {"ts": MS // 1000, "pressure": 0.3})
    assert (decoded.value, decoded.ts) == ([0.3], [NOW])
    assert [(refusal.reason, "seconds" in refusal.detail) for refusal in decoded.refusals] == [("bad_ts", True)]
    alarm = decode(ALARM, {"ts": MS // 1000, "event": "fire"})
    assert [(event.event, event.flags) for event in alarm.events] == [("fire", ("clock",))]


def test_an_alarm_of_an_unknown_name_keeps_its_bytes_and_a_known_one_needs_none() -> None:
    strange = b'{"event": "strange word", "component": "7"}'
    assert [event.payload for event in decode(ALARM, strange).events] == [strange]
    assert [event.payload for event in decode(ALARM, {"event": "fault"}).events] == [None]


TIMES: list[tuple[Any, int, int]] = [
    (MS - 5, NOW - 5000, 0),
    ("2025-11-22T08:26:40Z", NOW, 0),
    ("2025-11-22t16:26:40.5+08:00", NOW + 500_000, 0),
    ("2025-11-22 16:26:40", NOW, Mark.ZONE_ASSUMED),
    (None, NOW, Mark.ARRIVAL_TIME),
    (MS + 4 * 60_000, NOW + 4 * MINUTE, 0),
    (MS + 6 * 60_000, NOW, Mark.ARRIVAL_TIME | Quality.UNCERTAIN),
    (86_400_000, NOW, Mark.ARRIVAL_TIME | Quality.UNCERTAIN),
    (-5, NOW, Mark.ARRIVAL_TIME | Quality.UNCERTAIN),
    (10**40, NOW, Mark.ARRIVAL_TIME | Quality.UNCERTAIN),
    ("0001-01-01T00:00:00+14:00", NOW, Mark.ARRIVAL_TIME | Quality.UNCERTAIN),
    (MS - 399 * 86_400_000, NOW - 399 * DAY, 0),
]


@pytest.mark.parametrize(("ts", "at", "flags"), TIMES)
def test_event_time_is_the_devices_where_it_can_be_believed(ts: Any, at: int, flags: int) -> None:
    decoded = decode(TELEMETRY, {"ts": ts, "pressure": 0.3})
    assert (decoded.ts, decoded.flags, decoded.received) == ([at], [flags], [NOW])


HOURS_AHEAD = [1, 7, 8, 14]


@pytest.mark.parametrize("hours", HOURS_AHEAD)
def test_a_clock_ahead_by_a_time_zone_is_not_believed_and_what_it_said_is_kept(hours: int) -> None:
    """An offset of whole hours takes the arrival time, uncertain; what the device said tells of the zone error."""
    decoded = decode(TELEMETRY, {"ts": MS + hours * 3_600_000 - 40_000, "pressure": 0.3})
    assert (decoded.ts, decoded.flags) == ([NOW], [Mark.ARRIVAL_TIME | Quality.UNCERTAIN])
    assert decoded.heard_sent == [NOW + hours * HOUR - 40 * SECOND]


HEARD: list[tuple[Any, int, int]] = [  # object, its seq, its own time
    ({"ts": MS - 5, "seq": 41}, 41, NOW - 5000),
    ({"ts": "2025-11-22T16:26:40.5+08:00", "seq": 0}, 0, NOW + 500_000),
    ({"ts": "2025-11-22 16:26:40"}, -1, NOW),
    ({"ts": 86_400_000, "seq": 2**32 - 1}, 2**32 - 1, DAY),
    ({"ts": float(MS - 86_400_000 * 900)}, -1, NOW - 900 * DAY),
    ({"ts": "2051-01-01T00:00:00Z"}, -1, 2_556_144_000 * SECOND),
    ({"ts": MS, "seq": 41.0}, 41, NOW),
    ({"seq": 7}, 7, NO_TIME),
    ({"ts": None, "seq": None}, -1, NO_TIME),
    ({"ts": MS // 1000, "seq": 7}, 7, NO_TIME),
    ({"ts": 10**40, "seq": -1}, -1, NO_TIME),
    ({"ts": -(10**17), "seq": "7"}, -1, NO_TIME),
]


@pytest.mark.parametrize("lane", [TELEMETRY, ALARM])
@pytest.mark.parametrize(("sent", "seq", "at"), HEARD)
def test_seq_and_time_are_collected_as_the_device_said_them(lane: str, sent: Any, seq: int, at: int) -> None:
    """Data quality is told what a device said of itself, also where it is not believed."""
    decoded = decode(lane, sent | {"smoke": 0.3})
    assert (decoded.heard, decoded.heard_at, decoded.heard_seq, decoded.heard_sent) == ([1], [NOW], [seq], [at])


def test_every_object_is_heard_with_its_own_seq_and_time_and_a_gateway_with_neither() -> None:
    """Data quality reads the four heard columns side by side."""
    decoded = decode(
        GATEWAY, {"hyd-1": [{"ts": MS, "seq": 1, "flow": 1}, {"seq": 2, "flow": 2}], "new": [{"seq": 9, "flow": 3}]},
        welcome=True,
    )  # fmt: skip
    assert decoded.heard == [3, 2, 2, -1]
    assert decoded.heard_at == [NOW] * 4
    assert decoded.heard_seq == [-1, 1, 2, 9]
    assert decoded.heard_sent == [NO_TIME, NOW, NO_TIME, NO_TIME]
    alarm = decode(ALARM, {"event": "fire", "ts": "yesterday", "seq": 5})
    assert (alarm.heard, alarm.heard_seq, alarm.heard_sent) == ([1], [5], [NO_TIME])


RANGES: list[tuple[str, float, Quality]] = [
    ("smoke", 0.2, Quality.GOOD),
    ("smoke", 20.0, Quality.GOOD),
    ("smoke", 20.1, Quality.UNCERTAIN),
    ("smoke", -0.1, Quality.BAD),
    ("pressure", 5.1, Quality.BAD),
    ("pressure", -1, Quality.BAD),
    ("residual_current", 1e9, Quality.UNCERTAIN),
]


@pytest.mark.parametrize(("metric", "value", "quality"), RANGES)
def test_beyond_the_believable_range_a_value_is_bad_and_at_the_dangerous_end_uncertain(
    metric: str, value: float, quality: Quality
) -> None:
    assert decode(TELEMETRY, {"ts": MS, metric: value}).flags == [quality]


KEPT = {"ts": MS, "pressure": 0.3}
BAD: list[tuple[bytes | Any, list[str], int, str]] = [  # payload, reasons, readings still taken, a word of the detail
    (b"", ["bad_json"], 0, "empty"),
    (b"{", ["bad_json"], 0, "not JSON at character"),
    (b"hello", ["bad_json"], 0, "encoder"),
    (b"\x00\x01", ["bad_json"], 0, "not JSON"),
    (b"\xff\xfe{", ["not_utf8"], 0, "0xff"),
    (b'{"ts":%d,"pressure":0.3,"text":"\xff"}' % MS, ["not_utf8"], 0, "UTF-8"),
    (b'\xef\xbb\xbf{"ts":%d,"pressure":0.3}' % MS, ["bad_json"], 1, "byte order mark"),
    (b"[" * 30_000, ["nested_too_deep"], 0, "nested"),
    (b'{"pressure":' + b"[" * 30_000, ["nested_too_deep"], 0, "nested"),
    (b'{"pressure":1,"x":"' + b"x" * 65_536 + b'"}', ["too_large"], 0, "65536"),
    (b"null", ["not_an_object"], 0, "None"),
    (b"7", ["not_an_object"], 0, "7"),
    (b'"x"', ["not_an_object"], 0, "object"),
    (b"[]", ["no_values"], 0, "empty array"),
    (b"{}", ["no_values"], 0, "at least one metric"),
    (b'{"ts":1,"seq":1}', ["no_values"], 0, "at least one"),
    ([KEPT, 7, {"ts": MS + 1, "pressure": 1}], ["not_an_object"], 2, "7"),
    (KEPT | {"smoke": "high"}, ["bad_value"], 1, "'high'"),
    (KEPT | {"smoke": [1]}, ["bad_value"], 1, "a list"),
    (b'{"ts":%d,"pressure":0.3,"smoke":1e400}' % MS, ["bad_value"], 1, "finite"),
    (b'{"ts":%d,"pressure":0.3,"smoke":NaN}' % MS, ["bad_value"], 1, "finite"),
    (b'{"ts":%d,"pressure":0.3,"smoke":-Infinity}' % MS, ["bad_value"], 1, "finite"),
    (b'{"ts":%d,"pressure":0.3,"smoke":' % MS + b"9" * 60_000 + b"}", ["bad_value"], 1, "finite"),
    (b'{"ts":%d,"pressure":0.3,"smoke":1,"smoke":2}' % MS, ["bad_json"], 1, "stands twice"),
    (b'{"ts":1,"pressure":0.3,"ts":%d}' % MS, ["bad_ts"], 0, "two values"),
    (KEPT | {"ts": "yesterday"}, ["bad_ts"], 0, "RFC 3339"),
    (KEPT | {"ts": "2025-13-01T00:00:00Z"}, ["bad_ts"], 0, "no date"),
    (KEPT | {"ts": True}, ["bad_ts"], 0, "milliseconds"),
    (KEPT | {"ts": 1.5}, ["bad_ts"], 0, "1.5"),
    ([KEPT | {"ts": []}, KEPT], ["bad_ts"], 1, "a list"),
    (KEPT | {"seq": -1}, ["bad_seq"], 1, "4294967295"),
    (KEPT | {"seq": 2**32}, ["bad_seq"], 1, "4294967296"),
    (KEPT | {"seq": "7"}, ["bad_seq"], 1, "'7'"),
    (KEPT | {"presure": 1, "temprature": 2}, ["unknown_metric"], 1, "'temprature'"),
    (KEPT | {"\0\ud800": 1}, ["unknown_metric"], 1, r"\x00\ud800"),
    (KEPT | {"current.": 1}, ["unknown_metric"], 1, "A-Z"),
    (KEPT | {"current." + "a" * 17: 1}, ["unknown_metric"], 1, "16"),
    (KEPT | {"event": "fire"}, ["unknown_metric"], 1, "/alarm"),
]


@pytest.mark.parametrize(("payload", "why", "taken", "word"), BAD)
def test_what_cannot_be_used_is_refused_with_a_stable_reason_and_the_rest_is_taken(
    payload: Any, why: list[str], taken: int, word: str
) -> None:
    decoded = decode(TELEMETRY, payload)
    assert reasons(decoded) == why
    assert len(decoded.value) == taken
    assert word in decoded.refusals[0].detail
    assert len(decoded.refusals[0].detail) < 1000
    assert "\0" not in decoded.refusals[0].detail
    decoded.refusals[0].detail.encode()


@pytest.mark.parametrize(
    "topic",
    ["firetower/v1/mall 01/smk-1/alarm", "firetower/v1/m/d/command", "firetower/v1/m/telemetry", "x",
     "firetower/v1/_firetower/d/alarm", f"firetower/v1/{'u' * 65}/d/telemetry", "firetower/v1/m/d\0/alarm"],
)  # fmt: skip
def test_a_topic_outside_the_contract_is_refused_and_an_alarm_on_it_is_shown(topic: str) -> None:
    decoded = decode(topic, {"event": "fire"})
    assert reasons(decoded) == ["bad_topic"]
    assert "\0" not in decoded.refusals[0].topic
    assert [event.event for event in decoded.events] == (["unreadable"] if topic.endswith("/alarm") else [])


def test_ten_thousand_faults_in_one_message_make_one_refusal_with_its_bytes() -> None:
    payload = json.dumps([1] * 20_000).encode()
    decoded = decode(TELEMETRY, payload)
    assert reasons(decoded) == ["not_an_object"]
    assert decoded.refusals[0].payload == payload
    many = decode(TELEMETRY, {f"x{n}": n for n in range(3000)})
    assert reasons(many) == ["unknown_metric"]
    assert "and 2990 more" in many.refusals[0].detail


# gateways and strangers -----------------------------------------------------------------------------


def test_a_gateway_speaks_for_many_devices_and_one_bad_device_costs_nobody_else() -> None:
    decoded = decode(
        GATEWAY,
        {
            "smk-1": [{"ts": MS, "smoke": 0.1}, {"ts": MS + 1, "smoke": 0.2}],
            "hyd-1": {"ts": MS, "pressure": 0.3},
            "bad name": [{"ts": MS, "smoke": 1}],
            "ghost": [{"ts": MS, "smoke": 1}],
        },
    )
    assert decoded.device == [1, 1, 2]
    assert sorted(reasons(decoded)) == ["bad_topic", "unknown_device"]
    assert set(decoded.heard) == {1, 2, 3}, "the gateway was heard of too"


@pytest.mark.parametrize("payload", [[1], 7, {}])
def test_a_gateway_that_sends_no_object_of_devices_is_refused(payload: Any) -> None:
    assert reasons(decode(GATEWAY, payload)) == ["no_values" if payload == {} else "not_an_object"]


def test_a_device_named_twice_in_a_gateways_message_is_refused_and_the_others_are_taken() -> None:
    decoded = decode(GATEWAY, b'{"smk-1":[{"smoke":1}],"smk-1":[{"smoke":2}],"hyd-1":[{"flow":1}]}')
    assert decoded.device == [2]
    assert reasons(decoded) == ["bad_json"]


def test_a_welcome_stranger_gets_a_provisional_number_until_it_is_registered() -> None:
    registry = make_registry()
    decoder, into = Decoder(catalogue(), registry), Decoded(welcome=True)
    decoder.decode("firetower/v1/new/dev/telemetry", b'{"smoke":0.1,"current.x":2}', NOW, into)
    decoder.decode("firetower/v1/new/dev/alarm", b'{"event":"fire"}', NOW, into)
    decoder.decode(TELEMETRY, b'{"smoke":0.1}', NOW, into)
    assert into.strangers["new", "dev"].metrics == {"smoke", "current"}
    assert list(into.new_channels) == ["x"]
    registry.add(DeviceEntry(9, "new", "dev", DeviceKind.SMOKE))
    registry.add_channel("x", 5)
    into.resolve(registry)
    assert into.device == [9, 9, 1]
    assert into.channel == [0, 5, 0]
    assert into.events[0].device_number == 9
    readings = into.readings(registry)
    assert len(set(readings.series.tolist())) == 3


def test_a_stranger_that_could_not_be_registered_is_refused_and_costs_nobody_else() -> None:
    registry = make_registry()
    decoder, into = Decoder(catalogue(), registry), Decoded(welcome=True)
    decoder.decode("firetower/v1/new/dev/telemetry", b'{"smoke":0.1}', NOW, into)
    decoder.decode(TELEMETRY, b'{"smoke":0.1}', NOW, into)
    into.resolve(registry)
    assert into.readings(registry).device.tolist() == [1]
    assert reasons(into) == ["unknown_device"]


def test_the_unregistered_cannot_invent_channels() -> None:
    decoded = decode("firetower/v1/new/dev/telemetry", {"current.zz": 2})
    assert reasons(decoded) == ["unknown_device"]
    assert decoded.new_channels == {}


def test_objects_without_a_time_stay_apart_and_are_remembered_by_seq() -> None:
    decoded = decode(TELEMETRY, [{"seq": 1, "pressure": 1}, {"seq": 2, "pressure": 2}, {"pressure": 3}])
    assert decoded.ts == [NOW, NOW + 1, NOW + 2]
    assert decoded.once == [0, 1, -1]
    assert [(once.device, once.seq) for once in decoded.onces] == [(1, 1), (1, 2)]
    assert decoded.onces[0].digest != decoded.onces[1].digest
    assert decode(TELEMETRY, {"ts": MS, "seq": 1, "pressure": 1}).onces == []


# alarms ----------------------------------------------------------------------------------------------


def test_an_alarm_says_event_component_text_and_time() -> None:
    sent = {"ts": MS - 7, "event": "fire", "active": True, "component": "2-3-017", "text": "3F corridor"}
    (event,) = decode(ALARM, sent).events
    assert (event.unit, event.device, event.device_number, event.event, event.active) == (
        "mall-01",
        "smk-1",
        1,
        "fire",
        True,
    )
    assert (event.component, event.text, event.at, event.received_at) == ("2-3-017", "3F corridor", NOW - 7000, NOW)
    assert event.flags == ()
    assert event.key


@pytest.mark.parametrize(
    ("active", "expected", "why"),
    [(1, True, []), ("1", True, []), ("TRUE", True, []), (None, True, []), (0, False, []), ("0", False, []),
     ("false", False, []), (False, False, []), ("perhaps", True, ["bad_event"]), ([], True, ["bad_event"])],
)  # fmt: skip
def test_active_is_read_generously_and_doubt_alarms(active: Any, expected: bool, why: list[str]) -> None:
    decoded = decode(ALARM, {"ts": MS, "event": "fire", "active": active})
    assert [event.active for event in decoded.events] == [expected]
    assert reasons(decoded) == why


def test_an_alarm_without_active_is_active_and_readings_beside_it_are_taken() -> None:
    decoded = decode(ALARM, {"ts": MS, "event": "fire", "smoke": 0.4, "unknown": {"x": 1}})
    assert decoded.events[0].active
    assert values(decoded) == [("smoke", 0.4)]
    assert reasons(decoded) == []


def test_readings_alone_may_use_the_alarm_lane() -> None:
    decoded = decode(ALARM, {"ts": MS, "gas": 12})
    assert values(decoded) == [("gas", 12.0)]
    assert decoded.events == []


def test_a_gateways_alarms_are_its_devices_and_its_own() -> None:
    decoded = decode(
        GATEWAY_ALARM, {"smk-1": [{"event": "fire"}], "hyd-1": {"event": "leak"}, "ghost": [{"event": "fire"}]}
    )
    assert [(e.device, e.device_number, e.event) for e in decoded.events] == [
        ("smk-1", 1, "fire"), ("hyd-1", 2, "leak"), ("ghost", None, "fire")
    ]  # fmt: skip
    (own,) = decode(GATEWAY_ALARM, {"event": "main_power_lost"}).events
    assert (own.device, own.device_number, own.event) == ("gateway", 3, "main_power_lost")


def test_long_words_are_cut_and_two_long_components_stay_two() -> None:
    (event,) = decode(ALARM, {"event": "fire", "text": "x" * 900, "component": "c" * 100}).events
    (other,) = decode(ALARM, {"event": "fire", "text": "x" * 900, "component": "c" * 99 + "d"}).events
    assert len(event.text) == 500
    assert len(event.component) == 64
    assert event.component != other.component
    (named,) = decode(ALARM, {"event": "z" * 80 + " fire"}).events
    assert len(named.event) == 64
    assert "fire" in named.event


def test_text_no_database_holds_is_replaced_and_told_and_the_alarm_stands() -> None:
    decoded = decode(ALARM, b'{"event":"fire","text":"a\\u0000b\\ud800","component":7}')
    assert [(e.event, e.text, e.component) for e in decoded.events] == [("fire", "a\ufffdb?", "7")]
    assert reasons(decoded) == ["bad_text"]


@pytest.mark.parametrize("ts", ["yesterday", 1, MS + 10**9, [], 1.5])
def test_a_wrong_clock_never_stops_an_alarm(ts: Any) -> None:
    (event,) = decode(ALARM, {"ts": ts, "event": "fire"}).events
    assert (event.at, event.flags, event.event) == (NOW, ("clock",), "fire")


UNREADABLE: list[tuple[bytes, str]] = [
    (b"", "bad_json"), (b"fire!", "bad_json"), (b"\xff", "not_utf8"), (b"[" * 9999, "nested_too_deep"),
    (b"x" * 65_537, "too_large"), (b"{}", "no_values"), (b"[]", "no_values"), (b"7", "not_an_object"),
    (b'{"event":7}', "bad_event"), (b'{"event":""}', "bad_event"), (b'{"evnt":"fire"}', "unknown_metric"),
    (b'{"event":"fire","event":"test"}', "bad_event"), (b'{"smoke":"high"}', "bad_value"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "reason"), UNREADABLE)
def test_an_alarm_that_cannot_be_decoded_becomes_an_unreadable_event_and_stands_in_the_ledger(
    payload: bytes, reason: str
) -> None:
    decoded = decode(ALARM, payload)
    assert reasons(decoded) == [reason]
    (event,) = decoded.events
    assert (event.event, event.active, event.device_number) == ("unreadable", True, 1)
    assert event.payload == payload[:65_536]
    assert event.component, "repeats of one fault are one alert"


def test_one_unreadable_object_costs_no_other_alarm_of_its_array() -> None:
    decoded = decode(ALARM, [7, {"event": "fire"}, 8])
    assert sorted(event.event for event in decoded.events) == ["fire", "unreadable"]


def test_an_alarm_of_a_stranger_is_an_event_without_a_number_and_its_bare_readings_are_doubt() -> None:
    (event,) = decode("firetower/v1/new/dev/alarm", {"event": "fire"}).events
    assert (event.event, event.device_number, event.unit, event.device) == ("fire", None, "new", "dev")
    bare = decode("firetower/v1/new/dev/alarm", {"smoke": 9})
    assert [e.event for e in bare.events] == ["unreadable"]
    assert reasons(bare) == ["unknown_device"]


def key(payload: Any, at: int = NOW) -> str | None:
    into = Decoded()
    Decoder(catalogue(), make_registry()).decode(ALARM, json.dumps(payload).encode(), at, into)
    return into.events[0].key


def test_the_key_is_the_same_for_a_repeat_and_another_for_another_alarm() -> None:
    alarm = {"ts": MS, "event": "fire", "component": "1"}
    assert key(alarm) == key(alarm, NOW + HOUR)
    others = [
        alarm | change
        for change in ({"ts": MS + 1}, {"event": "fault"}, {"component": "2"}, {"active": False}, {"text": "x"})
    ]
    assert len({key(alarm), *map(key, others)}) == 6
    assert key({"event": "fire"}) is None
    assert key({"event": "fire", "seq": 3}) == key({"event": "fire", "seq": 3}, NOW + SECOND)


def test_a_clock_that_stands_or_a_seq_that_starts_again_makes_no_repeat_of_an_earlier_alarm() -> None:
    for alarm in (
        {"event": "fire", "seq": 3},
        {"event": "fire", "ts": 1},
        {"event": "fire", "ts": MS - 86_400_000 * 9},
    ):
        assert key(alarm) == key(alarm, NOW + SECOND)
        assert key(alarm) != key(alarm, NOW + 11 * MINUTE)


# status ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"online", b'"online"', b" ONLINE\n"])
def test_a_status_may_be_bare_or_json(payload: bytes) -> None:
    assert decode(STATUS, payload).status == [(1, True, NOW)]
    assert decode(STATUS, payload.lower().replace(b"online", b"offline")).status == [(1, False, NOW)]


@pytest.mark.parametrize("payload", [b"", b"1", b'{"online":true}', b"\xff", b"o" * 70_000])
def test_any_other_status_is_refused(payload: bytes) -> None:
    decoded = decode(STATUS, payload)
    assert reasons(decoded) == ["bad_status"]
    assert decoded.status == []


def test_the_status_of_a_stranger_is_refused() -> None:
    assert reasons(decode("firetower/v1/new/dev/status", b"online", welcome=True)) == ["unknown_device"]


# anything at all -------------------------------------------------------------------------------------

_leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([MS, "fire", "2025-11-22T08:26:40", 1e300, -1, 10**400])
)  # fmt: skip
_names = st.sampled_from(
    [
        "ts",
        "seq",
        "event",
        "active",
        "component",
        "text",
        "smoke",
        "pressure",
        "current.b",
        "current.c",
        "smk-1",
        "ghost",
    ]
) | st.text(max_size=5)
_json = st.recursive(_leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=6))
_topics = (
    st.sampled_from([TELEMETRY, ALARM, STATUS, GATEWAY, GATEWAY_ALARM, "firetower/v1/n/d/alarm", "x/y"]) | st.text()
)


def check(topic: str, payload: bytes, welcome: bool) -> None:
    decoded = decode(topic, payload, welcome=welcome)
    assert decoded.value or decoded.events or decoded.refusals or decoded.status, "a message left no trace"
    columns = (
        decoded.device,
        decoded.metric,
        decoded.channel,
        decoded.ts,
        decoded.received,
        decoded.flags,
        decoded.once,
    )
    assert {len(column) for column in columns} == {len(decoded.value)}
    assert all(math.isfinite(value) for value in decoded.value)
    assert all(0 < ts <= NOW + 5 * MINUTE for ts in decoded.ts)
    for event in decoded.events:
        for text in (event.event, event.component, event.text, event.unit, event.device):
            assert "\0" not in text
            text.encode()
        assert event.event
        assert len(event.component) <= 64
        assert len(event.text) <= 500
    for refusal in decoded.refusals:
        assert "\0" not in refusal.detail + refusal.topic
        (refusal.detail + refusal.topic).encode()
        assert refusal.detail
    if topic.endswith("/alarm"):
        assert decoded.events or decoded.value


@settings(max_examples=150)
@given(_topics, st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_and_every_message_leaves_a_trace(topic: str, payload: bytes, welcome: bool) -> None:
    check(topic, payload, welcome)


@settings(max_examples=200)
@given(_topics, _json, st.booleans(), st.booleans())
def test_no_json_raises_and_every_message_leaves_a_trace(
    topic: str, document: Any, welcome: bool, ascii_only: bool
) -> None:
    check(topic, json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"), welcome)


@pytest.mark.parametrize("payload", ['{"event":"fire","text":"3F 火警"}'.encode("gb18030"), "3F 火警".encode()])
def test_the_words_of_an_alarm_nobody_can_decode_stand_in_its_text(payload: bytes) -> None:
    """Panels send GBK; an operator who reads 火警 knows what to do, one who reads a byte's place does not."""
    (event,) = decode(ALARM, payload).events
    assert "3F 火警" in event.text
    assert len(event.text) <= 500
