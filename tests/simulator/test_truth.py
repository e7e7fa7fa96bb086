"""The truth of a scenario, held against the real engine and the shipped rulebook: all of it, and nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest

from firetower.core.clock import DAY, SECOND, Micros
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.devices.topics import parse_topic
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict, VerdictKind
from firetower.simulator.casting import cast
from firetower.simulator.city import SimCity, build
from firetower.simulator.play import Play
from firetower.simulator.run import intervals
from firetower.simulator.schedule import Schedule
from firetower.simulator.script_file import load_parts
from firetower.simulator.signals import Signals

START = 1_763_800_000 * SECOND
MOST = 10_000


def registered(city: SimCity) -> Registry:
    registry = Registry()
    for number, device in enumerate(city.city.devices, 1):
        registry.add(
            DeviceEntry(
                number, device.unit, device.device, device.kind, device.interval_s * SECOND,
                attributes=device.attributes, registered_at=START - 1,
            )
        )  # fmt: skip
    for number, phase in enumerate("abc", 1):
        registry.add_channel(phase, number)
    return registry


def _readable(payload: bytes) -> list[dict[str, float]]:
    """The objects of a payload with a time; none of a garbled one."""
    try:
        content = json.loads(payload)
    except ValueError:
        return []
    objects = content if isinstance(content, list) else [content]
    return [body for body in objects if isinstance(body.get("ts"), int)]


def watched(city: SimCity, scenario: str, seconds: int) -> tuple[Play, list[tuple[Micros, Verdict]]]:
    """Play ``seconds`` of a scenario straight into the engine; return it and (when found, verdict) of every raise."""
    registry = registered(city)
    engine = Engine(rulebook.load(), registry, warm_since=START - DAY)
    signals = Signals(city.seed, city.city)
    schedule = Schedule(city.seed, START, intervals(city.city.devices, signals))
    parts = load_parts((scenario,))
    play = Play(parts, cast(parts, city.city), signals, schedule, seed=city.seed, start=START)
    numbers = {name: metric.number for name, metric in catalogue().by_name.items()}
    found: list[tuple[Micros, Verdict]] = []
    for now in range(START, START + seconds * SECOND, SECOND // 2):
        arrived: list[tuple[int, dict[str, float]]] = []
        for message in play.messages(now, MOST)[0]:
            topic = parse_topic(message.topic)
            number = registry.number(topic.unit, topic.device) or 0
            if topic.leaf == "telemetry":
                arrived += [(number, body) for body in _readable(message.payload)]
            elif topic.leaf == "status":
                arrived.append((number, {}))
        rows = []
        for number, body in arrived:
            registry.heard(np.array([number], np.int32), np.array([now]))
            for name, value in body.items():
                metric, _, channel = name.partition(".")
                if metric in numbers:
                    of = (number, numbers[metric], registry.channel(channel) or 0)
                    rows.append((registry.series(*of), *of, int(body["ts"]) * 1000, now, value, 0))
        verdicts = engine.evaluate(Batch(Readings.of(*map(list, zip(*rows, strict=True))), now)) if rows else []
        verdicts += engine.evaluate(Tick(now, START))
        found += [(now, verdict) for verdict in verdicts if verdict.kind is VerdictKind.RAISE]
    return play, found


@pytest.mark.parametrize("seed", [1, 5])
def test_the_engine_finds_what_the_demo_says_it_should_and_in_time(seed: int) -> None:
    play, found = watched(build(seed, 150), "demo", 470)
    raised = {(verdict.subject, verdict.alert_class, verdict.priority): at for at, verdict in reversed(found)}
    wanted = [
        expected
        for expected in play.expected
        if expected.least and expected.alert_class != "fault" and "alarm" not in expected.step
    ]
    assert len(wanted) == 8
    for expected in wanted:
        at = raised.pop((expected.about.code, expected.alert_class, expected.priority[0]), None)
        assert at is not None, expected
        assert expected.at <= at <= expected.by, expected
    # a detector on its way to the fire limit passes the prealarm limit; nothing else may be raised
    assert {verdict_class for _, verdict_class, _ in raised} == {"prealarm"}


def test_the_engine_finds_nothing_on_a_quiet_day() -> None:
    _, found = watched(build(3, 600), "quiet", 120)
    assert found == []


def test_what_a_fault_damages_on_the_way_is_counted_as_unusable_and_holds_no_readings(tmp_path: Path) -> None:
    file = tmp_path / "damage.yaml"
    file.write_text(
        "{name: damage, cast: {all: {kind: smoke, count: 5}}, steps: [{name: damage, role: all, effect: fault, "
        "fault: malformed, until: 60, given: {share: 1.0}}]}",
        "utf-8",
    )
    city = build(1, 100)
    signals, parts = Signals(city.seed, city.city), load_parts((str(file),))
    schedule = Schedule(city.seed, START, intervals(city.city.devices, signals))
    play = Play(parts, cast(parts, city.city), signals, schedule, seed=city.seed, start=START)
    sent, _ = play.messages(START + 45 * SECOND, MOST)
    hurt = {
        f"/{each.unit}/{each.device}/" for each in (city.city.devices[number] for number in play.role("damage", "all"))
    }
    damaged = [message for message in sent if any(each in message.topic for each in hurt)]
    assert 0 < len(damaged) == play.unusable
    whole = [message.payload for message in sent if message not in damaged and message.topic.endswith("telemetry")]
    assert play.readings == sum(
        len(body) - 2 for payload in whole for body in _readable(payload)
    )  # ts and seq are none
