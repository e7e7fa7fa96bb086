"""Scenario files: what is wrong with one is said with its line; who plays in them, and where nobody else does."""

from pathlib import Path

import numpy as np
import pytest

from firetower.core.clock import DAY, HOUR, SECOND
from firetower.core.errors import InvalidInput
from firetower.devices.city import Device
from firetower.simulator.casting import cast, place_of
from firetower.simulator.city import SimCity, build
from firetower.simulator.hastened import length, start_of
from firetower.simulator.play import Play
from firetower.simulator.run import intervals
from firetower.simulator.schedule import Schedule
from firetower.simulator.script_file import Part, load_parts, load_script, shipped
from firetower.simulator.signals import Signals

START = 1_763_800_000 * SECOND
LARGE = {"everything"}
"""Put together of so many that the smallest city has no room for them."""
FULL_MAINS = {"burst-main", "frozen-hydrants"}
"""Want a main with five hydrants."""


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(8, 300)


def play(parts: tuple[Part, ...], city: SimCity) -> Play:
    casting = cast(parts, city.city)
    signals = Signals(8, casting.city)
    schedule = Schedule(8, START, intervals(casting.city.devices, signals))
    return Play(parts, casting, signals, schedule, seed=8, start=START)


def device(play: Play, scenario: str, role: str) -> Device:
    return play.city.devices[play.role(scenario, role)[0]]


@pytest.mark.parametrize("seed", range(3))
def test_shipped_scenarios_find_their_cast_in_the_smallest_city(seed: int) -> None:
    smallest = build(seed, 100)
    for name in set(shipped()) - LARGE - FULL_MAINS:
        play(load_parts((name,)), smallest)


@pytest.mark.parametrize("name", sorted(LARGE | FULL_MAINS))
def test_the_larger_ones_find_theirs_in_the_city_of_the_demo(name: str) -> None:
    play(load_parts((name,)), build(1, 300))


def test_the_second_detector_of_the_demo_is_another_one_in_the_same_zone_of_a_mall(city: SimCity) -> None:
    demo = play(load_parts(("demo",)), city)
    first, second = device(demo, "demo", "first_smoke"), device(demo, "demo", "second_smoke")
    assert first.device != second.device
    assert (first.unit, first.zone) == (second.unit, second.zone)
    assert {unit.category for unit in city.city.units if unit.code == first.unit} == {"mall"}


def test_scenarios_side_by_side_share_no_zone_no_main_and_no_unit_that_one_wants_alone(city: SimCity) -> None:
    names = ("fire-under-test", "power-cut", "mall-fire", "mall-fire", "clocks", "burst-main", "second-fire")
    parts = load_parts(names)
    assert [part.name for part in parts][2:4] == ["mall-fire", "mall-fire#2"]
    casting = cast(parts, build(1, 600).city)
    devices = casting.city.devices
    of = {part.name: {n for (scenario, _), found in casting.roles.items() if scenario == part.name for n in found}
          for part in parts}  # fmt: skip
    places = {name: {place_of(devices[n]) for n in numbers} for name, numbers in of.items()}
    units = {name: {devices[n].unit for n in numbers} for name, numbers in of.items()}
    for one in of:
        for other in of.keys() - {one}:
            assert not places[one] & places[other], (one, other)
            if one in {"fire-under-test", "power-cut"}:
                assert not units[one] & units[other], (one, other)


def test_a_district_without_power_takes_all_its_units_and_no_water_company(city: SimCity) -> None:
    cut = play(load_parts(("power-cut",)), city)
    grids = {grid.code: grid.district for grid in city.city.grids}
    district = {unit.code: grids[unit.grid or ""] for unit in city.city.units}
    units = {cut.city.devices[number].unit for number in cut.role("power-cut", "everybody")}
    (where,) = {district[unit] for unit in units}
    assert units == {code for code, of in district.items() if of == where and not code.startswith("water")}


def test_what_happens_to_one_device_leaves_all_others_as_they_were(city: SimCity) -> None:
    demo, quiet = play(load_parts(("demo",)), city), play(load_parts(("quiet",)), city)
    index = np.arange(len(city.city.devices))
    at = np.full(len(index), START + 60 * SECOND)
    changed = {
        int(index[now.where[row]])
        for now, before in zip(demo.sample(index, at), quiet.sample(index, at), strict=True)
        for row in np.flatnonzero((now.values != before.values).any(1))
    }
    roles = ("first_smoke", "second_smoke", "weak_hydrant", "leaking", "hot", "tank")
    assert changed == {demo.role("demo", role)[0] for role in roles}


def test_a_change_ends_and_the_device_is_as_quiet_as_before(city: SimCity) -> None:
    demo, quiet = play(load_parts(("demo",)), city), play(load_parts(("quiet",)), city)
    index = np.arange(len(city.city.devices))
    for seconds, same in ((100, False), (2600, True)):
        at = np.full(len(index), START + seconds * SECOND)
        pairs = zip(demo.sample(index, at), quiet.sample(index, at), strict=True)
        assert all(np.array_equal(one.values, two.values) for one, two in pairs) is same


HEAD = "name: x\ncast:\n  a: {kind: smoke}\n"
SILENCE = "role: a, effect: silence"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("name: x\ncast:\n  a: {kind: smok}", 3, "kind"),
        (HEAD + "steps:\n  - {name: s, role: b, effect: silence}", 5, "'b' is not in the cast (a)"),
        (HEAD + f"steps:\n  - {{name: s, {SILENCE}}}\n  - {{name: t, at: -1, {SILENCE}}}", 6, "at"),
        (HEAD + "steps:\n  - {name: s, role: a, effect: jump}", 5, "jump"),
        (HEAD + "steps:\n  - {name: s, role: a, effect: fault, fault: flood}", 5, "accepted: cut_off"),
        (HEAD + "steps:\n  - {name: s, role: a, effect: fault, fault: loss}", 5, "needs share"),
        (HEAD + "steps:\n  - {name: s, role: a, effect: fault, fault: wrong_clock, given: {of: 3}}", 5, "offset"),
        (HEAD + "steps:\n  - {name: s, role: a, effect: say, events: [fire], after: nothing}", 5, "no act"),
        (HEAD + "steps:\n  - name: s\n    role: a\n    effect: silence\n    truth: {class: no}", 8, "class"),
        (HEAD + "acts:\n  - {name: z, role: a, do: close}", 5, "of which class"),
        (HEAD + "acts:\n  - {name: z, role: a, do: hook}", 5, "hook"),
        (HEAD + "  b: {kind: smoke, same_zone: c}\n  c: {kind: smoke}", 4, "put that one first"),
        (f"name: x\ncast:\n  a: {{kind: smoke, any: true}}\nsteps:\n  - {{name: s, {SILENCE}}}", 5, "any:"),
        (f"name: x\ncast:\n  a: {{kind: smoke, new: true}}\nsteps:\n  - {{name: s, {SILENCE}}}", 5, "appear"),
        ("name: x\ncast:\n  a: {any: true}", 3, "says no kind"),
        ("name: [", 1, "not valid YAML"),
        ("name: x\ncolour: red", 2, "colour"),
        ("name: x\nname: y", 2, "stands twice"),
        ("- 1", 1, "the file"),
    ],
)  # fmt: skip
def test_a_wrong_scenario_is_refused_with_file_and_line(text: str, line: int, says: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_script(file)
    told = str(caught.value)
    assert f"mine.yaml:{line}: " in told
    assert says in told


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: x\nlasts: never\ncast:\n  a: {kind: smok}\n", "utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_script(file)
    assert [line.split(": ")[0].rsplit(":", 1)[1] for line in str(caught.value).splitlines()] == ["2", "4"]


def test_an_unknown_scenario_is_refused_with_the_shipped_names() -> None:
    with pytest.raises(InvalidInput, match="alarm-storm, burnt-detector"):
        load_script("firestorm")


def test_a_role_nobody_can_play_is_refused_with_what_was_sought(city: SimCity, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: x\ncast:\n  pump: {kind: pump_room, category: sanheyi}\n", "utf-8")
    with pytest.raises(InvalidInput, match=r"role 'pump' \(pump_room of a sanheyi\)"):
        play(load_parts((str(file),)), city)


def test_a_scenario_that_includes_itself_is_refused_and_one_that_includes_others_has_them_beside_it(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("name: one\ninclude: [{scenario: two.yaml, at: 5}, {scenario: quiet}]\n", "utf-8")
    two.write_text("name: two\ninclude: [{scenario: mall-fire, at: 3}]\n", "utf-8")
    assert [(part.name, part.at) for part in load_parts((str(one),))] == [("mall-fire", 8.0), ("quiet", 0.0)]
    two.write_text("name: two\ninclude: [{scenario: one.yaml}]\n", "utf-8")
    with pytest.raises(InvalidInput, match="includes itself"):
        load_parts((str(one),))


def test_a_hastened_run_begins_so_long_ago_that_it_ends_now_and_at_its_hour() -> None:
    smoulder = load_parts(("smouldering-electrical",))
    assert start_of(smoulder, now=START, speed=1, seconds=None) == START
    assert start_of(smoulder, now=START, speed=60, seconds=None) == START - 1475 * SECOND
    burst = start_of(load_parts(("burst-main",)), now=START, speed=60, seconds=None)
    assert (burst + 8 * HOUR) % DAY == 18.5 * HOUR
    assert START - DAY - 1475 * SECOND <= burst <= START - 1475 * SECOND


@pytest.mark.parametrize(
    ("names", "speed", "says"),
    [
        (("power-cut",), 2, "power-cut cannot be hastened"),
        (("demo",), 2, "--seconds"),
        (("mall-fire",), 0.5, "1 (real time)"),
        (("burst-main", "tank-leak"), 60, "18:30, 22:00"),
    ],
)
def test_what_cannot_be_hastened_is_refused_with_the_reason(names: tuple[str, ...], speed: float, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        start_of(load_parts(names), now=START, speed=speed, seconds=None)
    assert says in str(caught.value)


def test_a_run_lasts_until_the_last_of_its_scenarios_is_over() -> None:
    assert length(load_parts(("mall-fire", "alarm-storm")), None) == 60
    assert length(load_parts(("mall-fire", "demo")), None) is None
    assert length(load_parts(("mall-fire", "demo")), 9) == 9
