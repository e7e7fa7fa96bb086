"""What a rulebook may never do to fire (promise 6), whatever the validator lets pass."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Device, Oracle, Sample
from oracle_worlds import START, WORDS, registry_of

from firetower.core.clock import SECOND
from firetower.devices.events import AlertClass, Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.rules.book.rulebook import Rulebook, RulebookError, load
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict, VerdictKind

SMOKE = catalogue().by_name["smoke"]
LIMIT = 0.25
INTERVALS = (2, 30, 86_400)
LOOSENED = {"by": "A", "approved_by": "B", "backtest": "bt-1", "reason": "generated"}
SCOPES = ({"city": "all"}, {"unit": "water"}, {"district": "east"}, {"model": "m1"}, {"device": "water/d1"})
REASON = {"reason": WORDS}


def seldom(value: Any) -> st.SearchStrategy[Any]:
    """Mostly None; now and then what the validator ought to refuse."""
    return st.sampled_from([None] * 24 + [value])


@st.composite
def fire_files(draw: st.DrawFn) -> dict[str, Any]:
    """A rulebook with a fire rule, and everything that might be tried to keep its alarms from people."""
    band: dict[str, Any] = {
        "priority": draw(st.sampled_from([1] * 24 + [2])), "limit": f"{LIMIT} {SMOKE.unit}", "source": "J, generated",
        "latch": draw(st.sampled_from([True] * 24 + [False])),
        "on_delay": draw(st.sampled_from(["0s", "5s", "10s"] * 4 + ["11s"])),
        "or_samples": draw(st.sampled_from([None, 1, 2, 50])), "and_samples": draw(seldom(2)),
        "one_sample_over": draw(st.sampled_from([None, "0s", "60s", "5d"])), "clear": f"0.125 {SMOKE.unit}",
    }  # fmt: skip
    limit = {"side": draw(st.sampled_from(["above", "at_or_above"])), "of_last": draw(seldom({"n": 2, "m": 3}))}
    fire = {
        "id": "smoke-fire", "version": 1, "title": WORDS, "advice": WORDS, "class": "fire", "kinds": ["smoke"],
        "metric": "smoke", "condition": {"limit": without_none(limit) | {"bands": [without_none(band)]}},
        "schedule": draw(seldom({"days": ["holiday"]})), "shadow": draw(seldom(True)),
        "suppressed": draw(seldom({"events": ["fault"], "on": "unit"} | REASON)),
    }  # fmt: skip
    other = fire | {
        "id": "smoke-dirty", "class": "hazard", "schedule": None, "shadow": draw(st.sampled_from([None, True])),
        "suppressed": {"rules": ["smoke-fire"], "events": ["fault"], "on": "unit"} | REASON,
        "condition": {
            "limit": {
                "side": "above",
                "bands": [{"priority": 2, "limit": f"0.125 {SMOKE.unit}", "latch": True, "source": "J, generated"}],
            }
        },
    }  # fmt: skip
    own = {
        "id": "fire-milder", "version": 1, "title": WORDS, "advice": WORDS, "class": "fire", "kinds": ["smoke"],
        "condition": {"event": {"events": ["fire"], "priority": 4, "own_alert": True, "source": "J, generated"}},
    }  # fmt: skip
    overrides = [draw(changes()) for _ in range(draw(st.integers(0, 3)))]
    return {
        "rules": [without_none(fire), without_none(other), *([own] if draw(seldom(True)) else [])],
        "overrides": overrides,
    }


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    what = draw(st.sampled_from(["limit", "limit", "on_delay", "or_samples"] * 4 + ["and_samples", "off"]))
    value = draw(
        st.sampled_from({
            "limit": ["0.1875", "0.375"], "on_delay": ["0s", "5s", "10s"] * 4 + ["60s"], "or_samples": [1, 9],
            "and_samples": [3], "off": [True],
        }[what])
    )  # fmt: skip
    change: dict[str, Any] = {
        "rule": "smoke-fire", "scope": draw(st.sampled_from(SCOPES)), "reason": "generated", "source": "J, generated",
        "loosened": draw(st.sampled_from([None] + [LOOSENED] * 4)),
    }  # fmt: skip
    if what == "off":
        return without_none(change | {"off": True})
    value = f"{value} {SMOKE.unit}" if what == "limit" else value
    return without_none(change | {"bands": [{"priority": 1, what: value}]})


def without_none(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def accepted(folder: Path, files: dict[str, Any]) -> Rulebook | None:
    (folder / "fire.yaml").write_text(json.dumps(files, ensure_ascii=False), "utf-8")  # JSON is YAML, too
    try:
        return load(folder)
    except RulebookError:
        return None


def city() -> list[Device]:
    labels = {"district": "east", "unit_category": "school", "model": "m1", "zone": "a/1/1"}
    return [
        Device(number, DeviceKind.SMOKE, interval * SECOND, "water", labels)
        for number, interval in enumerate(INTERVALS, 1)
    ]


def smoke(registry: Any, seconds: int, value: float) -> Batch:
    """All three detectors at once."""
    numbers, at = [1, 2, 3], [START + seconds * SECOND] * 3
    series = [registry.series(number, SMOKE.number, 0) for number in numbers]
    readings = Readings.of(series, numbers, [SMOKE.number] * 3, [0] * 3, at, at, [value] * 3, [0] * 3)
    fault = Event("water", "d1", 1, "fault", True, "", "", at[0], at[0], None)
    burns = Event("water", "d2", 2, "fire", True, "", "", at[0], at[0], None)
    return Batch(readings, START, [fault, burns])


def test_whatever_rulebook_passes_a_fire_raises_at_once_urgent_latched_and_in_sight(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Beyond the limit in force for its delay, of 10 s at most: priority 1, latched, not held back, not on trial."""
    folder = tmp_path_factory.mktemp("rulebook")
    passed: list[Rulebook] = []

    @settings(max_examples=120)
    @given(fire_files(), st.sampled_from([0.25, 0.3125, 0.5]))
    def judged(files: dict[str, Any], value: float) -> None:
        book = accepted(folder, files)
        if book is None:
            return
        passed.append(book)
        devices, registry = city(), registry_of(city())
        engine, oracle = Engine(book, registry), Oracle(book, devices)
        said: list[Verdict] = []
        expected = []
        for seconds in (0, 2, 4, 6, 8, 10):
            said += engine.evaluate(smoke(registry, seconds, value))
            at = START + seconds * SECOND
            expected += oracle.evaluate([(number, "smoke", Sample(at, at, value)) for number in (1, 2, 3)])
        said += engine.evaluate(Tick(START + 11 * SECOND, None))
        expected += oracle.tick(START + 11 * SECOND)
        fires = [each for each in said if each.alert_class is AlertClass.FIRE]
        assert {each.subject for each in fires if each.rule == "event:fire"} == {"water/d2"}
        of_rule = {(each.subject, each.at) for each in fires if each.rule == "smoke-fire"}
        assert of_rule == {(each.subject, each.at) for each in expected if each.rule == "smoke-fire"}
        assert all(limit_of(book, number) > value or f"water/d{number}" in dict(of_rule) for number in (1, 2, 3))
        assert all(at <= START + 10 * SECOND for _, at in of_rule)
        for each in fires:
            assert (each.kind, each.priority, each.latch) == (VerdictKind.RAISE, 1, True)
            assert (each.suppressed, each.shadow) == ("", False)

    judged()
    assert len(passed) >= 20  # else nothing was tried


def limit_of(book: Rulebook, number: int) -> float:
    """The least value that burns for a device: the oracle's limit in force, or just above it."""
    series = Oracle(book, city())._series(number, "smoke")
    rule = next(rule for rule in series.rules if rule.id == "smoke-fire")
    assert rule.measured is not None
    return rule.measured.bands[0].limit.value + (2**-10 if rule.measured.side == "above" else 0.0)
