"""Faults in one message, of ours or of the sender, cost neither the lane nor its neighbours."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from waiting import until

sys.path.insert(0, str(Path(__file__).parent))
from lane_city import ALARM, TELEMETRY, City, now_ms, publisher, running, said

from firetower.devices.wire_batch import Decoded


async def test_bad_messages_stand_in_the_ledger_with_bytes_and_reason_and_cost_no_neighbour(nats: Any) -> None:
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    bad = [b"", b"\xff", b"{", b"[" * 5000, said(smoke="high"), said(nonsense=1), b"x" * 65_537]
    async with running(lane, pub):
        for payload in bad:
            await pub.publish(TELEMETRY, payload)
            await pub.publish(TELEMETRY, said(smoke=0.01))
        await pub.publish("firetower/v1/mall-01/ghost/telemetry", said(smoke=1))
        await until(lambda: lane.acknowledged == 2 * len(bad) + 1)
    assert len(city.values()) == len(bad)
    assert [reject.reason for reject in city.store.rejects] == [
        "bad_json", "not_utf8", "bad_json", "nested_too_deep", "bad_value", "unknown_metric", "too_large",
        "unknown_device",
    ]  # fmt: skip
    assert [reject.payload for reject in city.store.rejects[:-1]] == [payload[:65_536] for payload in bad]
    assert {reject.lane for reject in city.store.rejects} == {"telemetry"}


async def test_a_fault_of_ours_in_one_message_costs_neither_the_lane_nor_its_neighbours(
    nats: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    city = City(nats.url)
    steps = city.shared.decoder.steps

    def faulty(topic: str, payload: bytes, received: int, into: Decoded) -> Any:
        if b"trap" in payload:
            into.device.append(7)  # half a reading
            raise ZeroDivisionError("a bug")
        return steps(topic, payload, received, into)

    monkeypatch.setattr(city.shared.decoder, "steps", faulty)
    lane, pub = city.lane("alarm"), publisher(nats.url)
    async with running(lane, pub):
        for payload in (said(event="fire"), b'{"event":"trap"}', said(event="fault", smoke=0.01)):
            await pub.publish(ALARM, payload)
        await until(lambda: lane.acknowledged == 3)
    assert sorted(event.event for event in city.store.events) == ["fault", "fire", "unreadable"]
    assert [reject.reason for reject in city.store.rejects] == ["internal_error"]
    assert city.values() == [0.01]
    assert "a bug" in caplog.text


async def test_a_fault_of_ours_past_decoding_sends_only_the_message_it_is_about_to_the_ledger(
    nats: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(nats.url)
    unsure = city.engine.unsure

    def faulty(readings: Any) -> Any:
        if 0.013 in readings.value:
            raise ZeroDivisionError("a bug")
        return unsure(readings)

    monkeypatch.setattr(city.engine, "unsure", faulty)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        await asyncio.gather(*(pub.publish(TELEMETRY, said(smoke=n / 1000)) for n in range(30)))
        await until(lambda: lane.acknowledged == 30)
    assert city.values() == [n / 1000 for n in range(30) if n != 13]
    assert [reject.reason for reject in city.store.rejects] == ["internal_error"]
    assert b"0.013" in city.store.rejects[0].payload


async def test_readings_that_a_failing_rule_did_not_judge_are_stored_and_the_ledger_says_so(
    nats: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(nats.url)
    evaluate = city.engine.evaluate

    def faulty(batch: Any) -> Any:
        if 0.013 in batch.readings.value:
            raise ZeroDivisionError("a bug")
        return evaluate(batch)

    monkeypatch.setattr(city.engine, "evaluate", faulty)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    async with running(lane, pub):
        await pub.publish(TELEMETRY, said(smoke=0.013))
        await until(lambda: lane.acknowledged == 1)
        assert lane.rules_trouble is not None
        assert "ZeroDivisionError" in lane.rules_trouble
        await pub.publish(TELEMETRY, said(smoke=0.014))
        await until(lambda: lane.acknowledged == 2)
        assert lane.rules_trouble is None
    assert city.values() == [0.013, 0.014]
    assert [reject.reason for reject in city.store.rejects] == ["internal_error"]
    assert "not judged" in city.store.rejects[0].detail


async def test_what_the_store_refuses_for_its_content_ends_in_the_ledger_alone(nats: Any) -> None:
    city = City(nats.url)
    lane, pub = city.lane("telemetry"), publisher(nats.url)
    city.store.refuse_value = 0.013
    async with running(lane, pub):
        await pub.publish(TELEMETRY, json.dumps([{"ts": now_ms(), "smoke": n / 1000} for n in range(30)]).encode())
        await until(lambda: lane.acknowledged == 1)
    assert city.values() == [n / 1000 for n in range(30) if n != 13]
    assert [reject.reason for reject in city.store.rejects] == ["internal_error"]
    assert "0.013" in city.store.rejects[0].detail
