"""Scenario files: what is wrong with one is said with its place; roles go to devices that fit."""

from pathlib import Path

import numpy as np
import pytest

from firetower.core.clock import SECOND
from firetower.core.errors import InvalidInput
from firetower.simulator.city import SimCity, build
from firetower.simulator.play import Play
from firetower.simulator.run import intervals
from firetower.simulator.schedule import Schedule
from firetower.simulator.script import SHIPPED, Script, load_script
from firetower.simulator.signals import Signals

START = 1_763_800_000 * SECOND


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(8, 300)


def play(script: Script, city: SimCity) -> Play:
    signals = Signals(8, city.city)
    schedule = Schedule(8, START, intervals(city.city.devices, signals))
    return Play(script, city.city, signals, schedule, seed=8, start=START)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_find_their_cast_in_the_smallest_city(name: str, seed: int) -> None:
    play(load_script(name), build(seed, 100))


def test_the_second_detector_of_the_demo_is_another_one_in_the_same_zone_of_a_mall(city: SimCity) -> None:
    demo = play(load_script("demo"), city)
    first, second = demo.device("first_smoke"), demo.device("second_smoke")
    assert first.device != second.device
    assert (first.unit, first.zone) == (second.unit, second.zone)
    assert {unit.category for unit in city.city.units if unit.code == first.unit} == {"mall"}


def test_what_happens_to_one_device_leaves_all_others_as_they_were(city: SimCity) -> None:
    demo, quiet = play(load_script("demo"), city), play(load_script("quiet"), city)
    index = np.arange(len(city.city.devices))
    at = np.full(len(index), START + 60 * SECOND)
    changed = {
        int(index[now.where[row]])
        for now, before in zip(demo.sample(index, at), quiet.sample(index, at), strict=True)
        for row in np.flatnonzero((now.values != before.values).any(1))
    }
    roles = ("first_smoke", "second_smoke", "weak_hydrant", "leaking", "hot", "tank")
    assert changed == {city.city.devices.index(demo.device(role)) for role in roles}


def test_a_change_ends_and_the_device_is_as_quiet_as_before(city: SimCity) -> None:
    demo, quiet = play(load_script("demo"), city), play(load_script("quiet"), city)
    index = np.arange(len(city.city.devices))
    for seconds, same in ((100, False), (2600, True)):
        at = np.full(len(index), START + seconds * SECOND)
        pairs = zip(demo.sample(index, at), quiet.sample(index, at), strict=True)
        assert all(np.array_equal(one.values, two.values) for one, two in pairs) is same


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x\ncast: {a: {kind: smok}}", "cast.a.kind"),
        ("name: x\nsteps: [{name: s, role: b, at: 1, effect: silence}]", "not in the cast"),
        (
            "name: x\ncast: {a: {kind: smoke}}\nsteps: [{name: s, role: a, at: -1, effect: silence}]",
            "steps.0.silence.at",
        ),
        (
            "name: x\ncast: {a: {kind: smoke, any: true}}\nsteps: [{name: s, role: a, at: 1, effect: silence}]",
            "any: true",
        ),
        ("name: [", "not valid YAML"),
        ("name: x\ncolour: red", "colour"),
    ],
)
def test_a_wrong_scenario_is_refused_with_the_place_of_the_mistake(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match=says):
        load_script(file)


def test_an_unknown_scenario_is_refused_with_the_shipped_names() -> None:
    with pytest.raises(InvalidInput, match="demo, quiet"):
        load_script("firestorm")


def test_a_role_nobody_can_play_is_refused_with_what_was_sought(city: SimCity) -> None:
    script = Script.model_validate({"name": "x", "cast": {"pump": {"kind": "pump_room", "category": "jiuxiao"}}})
    with pytest.raises(InvalidInput, match="no device for the role 'pump'"):
        play(script, city)
