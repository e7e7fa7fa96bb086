"""Overrides by scope: which limits are in force for which device, when its file changes, and who is watched at all."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario import START, World, brief

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.book.model import LEVELS, Override, Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.measured.scopes import Scopes

RULE: dict[str, Any] = {
    "id": "too-hot", "version": 1, "title": {"zh": "热", "en": "Hot"}, "advice": {"zh": "看", "en": "look"},
    "class": "hazard", "kinds": ["heat"], "metric": "temperature",
    "condition": {"limit": {"side": "at_or_above", "bands": [
        {"priority": 3, "limit": "60 °C", "clear": "55 °C", "source": "J, test"},
        {"priority": 2, "limit": "90 °C", "clear": "85 °C", "source": "J, test"},
    ]}},
}  # fmt: skip
SILENT: dict[str, Any] = {
    "id": "quiet", "version": 1, "title": {"zh": "离线", "en": "Silent"}, "advice": {"zh": "看", "en": "look"},
    "class": "offline", "kinds": ["heat"],
    "condition": {"silence": {"of": "seen", "bands": [
        {"priority": 4, "intervals": 3, "at_least": "100s", "source": "J, test"},
        {"priority": 3, "after": "1h", "source": "J, test"},
    ]}},
}  # fmt: skip
FILE = {"district": "Jianghan", "unit_category": "kitchen", "model": "H1"}
SCOPES = {
    "city": "all", "district": "Jianghan", "unit_category": "kitchen", "unit": "unit", "model": "H1",
    "device": "unit/d1",
}  # fmt: skip


def override(level: str, value: str | None = None, rule: str = "too-hot", **what: Any) -> dict[str, Any]:
    scope = {level: SCOPES[level] if value is None else value}
    return {"rule": rule, "scope": scope, "reason": "a test", "source": "J, test", **what}


def limit(degrees: float, **more: str) -> list[dict[str, Any]]:
    return [{"priority": 3, "limit": f"{degrees:g} °C", "clear": f"{degrees - 5:g} °C", **more}]


def world_of(*overrides: dict[str, Any]) -> World:
    rules = tuple(Rule.model_validate(rule) for rule in (RULE, SILENT))
    return World(Rulebook(rules, overrides=tuple(Override.model_validate(each) for each in overrides)))


def device(world: World, number: int = 1, **file: Any) -> int:
    world.registry.add(DeviceEntry(number, "unit", f"d{number}", DeviceKind.HEAT, interval=60 * SECOND, **file))
    return number


@pytest.mark.parametrize("level", LEVELS)
def test_an_override_is_in_force_in_its_scope_to_the_exact_limit(level: str) -> None:
    """At 70 °C and not one number below, where the rule says 60 °C; the verdict names the limit in force."""
    world = world_of(override(level, bands=limit(70)))
    mine = device(world, **FILE)
    assert world.report((mine, "temperature", 1, float(np.nextafter(70, 0)))) == []
    (raised,) = world.report((mine, "temperature", 2, 70.0))
    assert (raised.priority, raised.limit) == (3, 70.0)
    assert world.report((mine, "temperature", 3, 65.0)) == []
    (cleared,) = world.report((mine, "temperature", 4, float(np.nextafter(65, 0))))
    assert (cleared.kind, cleared.limit) == ("clear", 70.0)


@pytest.mark.parametrize("level", LEVELS[1:])
def test_outside_its_scope_an_override_changes_nothing(level: str) -> None:
    """Another district, category, unit, model or device."""
    world = world_of(override(level, bands=limit(70)))
    device(world, **FILE)
    world.registry.add(DeviceEntry(2, "other", "d2", DeviceKind.HEAT, district="Qiaokou", model="H2"))
    assert [each.limit for each in world.report((2, "temperature", 1, 60.0))] == [60.0]


@pytest.mark.parametrize("wider", range(len(LEVELS) - 1))
def test_the_narrowest_scope_wins_field_by_field(wider: int) -> None:
    """In whatever order they are written; what it does not say is the wider one's."""
    wide = override(LEVELS[wider], bands=limit(70, on_delay="60s"))
    narrow = override(LEVELS[wider + 1], bands=limit(75))
    for book in ((wide, narrow), (narrow, wide)):
        world = world_of(*book)
        mine = device(world, **FILE)
        assert world.report((mine, "temperature", 0, 74.9), (mine, "temperature", 30, 75.0)) == []
        assert brief(world.report((mine, "temperature", 91, 75.0))) == [("raise", "too-hot", 3, 90)]


def test_a_band_not_overridden_stays_as_it_is() -> None:
    """90 °C is priority 2 for everybody."""
    world = world_of(override("unit", bands=limit(70)))
    assert brief(world.report((device(world), "temperature", 1, 90.0))) == [("raise", "too-hot", 2, 1)]


def test_a_changed_file_is_judged_by_its_new_limits_from_the_next_reading_on() -> None:
    """Category, model and district are looked at again; so is a device that registers after the rulebook was read."""
    world = world_of(override("unit_category", bands=limit(70)), override("device", "unit/d2", bands=limit(40)))
    mine = device(world)
    assert len(world.report((mine, "temperature", 1, 61.0))) == 1
    device(world, unit_category="kitchen")
    assert brief(world.report((mine, "temperature", 2, 61.0))) == [("clear", "too-hot", 3, 2)]
    device(world)
    assert brief(world.report((mine, "temperature", 3, 61.0))) == [("raise", "too-hot", 3, 3)]
    assert [each.limit for each in world.report((device(world, 2), "temperature", 4, 41.0))] == [40.0]


def test_a_rule_that_is_off_somewhere_raises_nothing_there_and_ends_what_is_open() -> None:
    """As if in order; a delay that was running is not met; a narrower scope may turn it on again."""
    world = world_of(override("unit_category", off=True), override("device", "unit/d2", off=False))
    mine, on_again = device(world, 1, unit_category="kitchen"), device(world, 2, unit_category="kitchen")
    assert world.report((mine, "temperature", 1, 100.0)) == []
    assert len(world.report((on_again, "temperature", 1, 100.0))) == 1
    device(world)
    assert len(world.report((mine, "temperature", 2, 100.0))) == 1
    device(world, unit_category="kitchen")
    assert brief(world.report((mine, "temperature", 3, 100.0))) == [("clear", "too-hot", 2, 3)]


def test_a_delay_that_runs_is_not_met_once_the_rule_is_off() -> None:
    """Though no reading has come since."""
    world = world_of(override("city", bands=limit(60, on_delay="60s")), override("model", off=True))
    mine = device(world)
    assert world.report((mine, "temperature", 0, 65.0), (mine, "temperature", 30, 65.0)) == []
    device(world, model="H1")
    assert world.tick(90) == []


def test_a_limit_of_the_devices_own_file_may_stand_in_one_scope_only() -> None:
    """And a number in another."""
    own = [{"priority": 3, "limit": {"attribute": "hot", "unit": "°C"}, "deadband": "5 °C"}]
    world = world_of(override("model", bands=own))
    with_own, without, plain = (
        device(world, 1, model="H1", attributes={"hot": 30.0}),
        device(world, 2, model="H1"),
        device(world, 3, attributes={"hot": 30.0}),
    )
    said = world.report(*((number, "temperature", 1, 65.0) for number in (with_own, without, plain)))
    assert {(each.device_number, each.limit) for each in said} == {(with_own, 30.0), (plain, 60.0)}


def test_silence_is_allowed_as_the_scope_says() -> None:
    """Its intervals and bounds, in place of a time and the other way round; off: nobody waits for it."""
    world = world_of(
        override("unit_category", rule="quiet", bands=[{"priority": 4, "intervals": 10}]),
        override("model", rule="quiet", bands=[{"priority": 4, "after": "20min"}]),
        override("device", "unit/d4", rule="quiet", off=True),
    )
    files: list[dict[str, Any]] = [{}, {"unit_category": "kitchen"}, {"unit_category": "kitchen", "model": "H1"}, {}]
    for number, file in enumerate(files, 1):
        world.heard(device(world, number, **file), 0)
    said = [verdict for second in range(0, 7200, 10) for verdict in world.tick(second, -1e6)]
    at = {(each.device_number, each.priority): (each.at - START) / SECOND for each in said}
    assert at == {(1, 4): 180, (2, 4): 600, (3, 4): 1200, (1, 3): 3600, (2, 3): 3600, (3, 3): 3600}


def test_a_silence_follows_the_file_of_its_device() -> None:
    """One that is allowed more from now on is not silent any more; one whose rule is off neither."""
    world = world_of(override("model", rule="quiet", off=True))
    mine = device(world)
    world.heard(mine, 0)
    assert len(world.tick(200, -1e6)) == 1
    device(world, model="H1")
    assert [each.kind for each in world.tick(210, -1e6)] == ["clear"]
    assert world.tick(10_000, -1e6) == []


_values = {"district": ["a", "b"], "unit_category": ["a", "c"], "unit": ["u0", "u1"], "model": ["a", "m"]}
_scopes = st.one_of(
    [st.sampled_from(values).map(lambda value, level=level: (level, value)) for level, values in _values.items()]
    + [st.integers(1, 6).map(lambda number: ("device", f"u{number % 2}/d{number}")), st.just(("city", "all"))]
)
_files = st.fixed_dictionaries(
    {"number": st.integers(1, 6)}
    | {level: st.sampled_from([None, *_values[level]]) for level in ("district", "unit_category", "model")}
)


@settings(max_examples=80)
@given(scopes=st.lists(_scopes, max_size=8), pages=st.lists(st.lists(_files, max_size=5), max_size=5))
def test_the_overrides_of_a_device_are_those_whose_scope_it_is_in(
    scopes: list[tuple[str, str]], pages: list[list[dict[str, Any]]]
) -> None:
    """Against a plain look at each, widest first, however the registry came to be what it is."""
    overrides = [Override.model_validate(override(level, value, off=True)) for level, value in scopes]
    registry = Registry()
    asked = Scopes(overrides, registry)
    for page in pages:
        for file in page:
            number = file["number"]
            registry.add(DeviceEntry(unit=f"u{number % 2}", device=f"d{number}", kind=DeviceKind.HEAT, **file))
        numbers = registry.numbers()
        for number, variant in zip(numbers.tolist(), asked.of(numbers).tolist(), strict=True):
            unit, name = registry.name(number)
            has = {"city": "all", "unit": unit, "device": f"{unit}/{name}"}
            has |= {level: registry.label(level, number) for level in ("district", "unit_category", "model")}
            fitting = [each for level in LEVELS for each in overrides if each.scope.level == level]
            expected = [each for each in fitting if has[each.scope.level] == each.scope.value]
            assert list(asked.variants[variant]) == expected
