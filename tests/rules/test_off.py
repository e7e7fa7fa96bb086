"""Rules of forms without bands that an override turns off: the devices it is off for are as if not there."""

from collections.abc import Sequence

import numpy as np
import pytest
from rule_texts import GAP, NO_LIMIT, book, rule
from scenario import World, at, brief

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Quality
from firetower.devices.registry import DeviceEntry
from firetower.rules.book.rulebook import load_texts
from firetower.rules.engine import Engine

LOW = rule(
    "low", "limit: {side: below, bands: [{priority: 3, limit: 0.1 MPa, clear: 0.12 MPa, source: 'J, x'}]}",
    more="metric: pressure",
)  # fmt: skip
ODD = rule(
    "odd", "quality: {of: implausible, samples: 1, clear_samples: 1, priority: 4, source: 'J, x'}",
    alert_class="quality", more="metric: pressure",
)  # fmt: skip
SKEWED = rule(
    "skewed", "quality: {of: clock_skew, over: 60s, clear: 30s, priority: 4, source: 'J, x'}", alert_class="quality"
)
STUCK = rule(
    "stuck", "quality: {of: clock_stuck, samples: 2, clear_samples: 2, priority: 4, source: 'J, x'}",
    alert_class="quality",
)  # fmt: skip


def together(clause: str) -> str:
    """Low pressure on hydrants of one main."""
    return rule(
        "main-low", f"combination: {{group: main, all: [{{rules: [low], {clause}}}], priority: 2, source: 'J, x'}}"
    )


def off(name: str, scope: str = "device: unit/d1") -> str:
    return f"{{rule: {name}, scope: {{{scope}}}, reason: x, off: true, source: 'J, x'}}"


def world_of(*rules: str, overrides: str) -> World:
    """Hydrants d1, d2, d3 of one main; d1 has an override of its own."""
    world = World(load_texts({"mine.yaml": book(*rules, overrides=overrides)}))
    for number in (1, 2, 3):
        world.registry.add(
            DeviceEntry(number, "unit", f"d{number}", DeviceKind.HYDRANT, 60 * SECOND, main="M", registered_at=at(0))
        )
    return world


def low(world: World, *devices: int) -> list[tuple[str, str, int, float]]:
    rows: Sequence[tuple[int, str, float, float]] = [(device, "pressure", 0.0, 0.05) for device in devices]
    return [each for each in brief(world.report(*rows)) if each[1] == "main-low"]


def test_a_device_for_which_a_combination_is_off_is_no_member_of_any_group() -> None:
    """With d1 off, d1 and d2 are one device of the main, not two; with d3 they are two."""
    world = world_of(LOW, together("devices: 2"), overrides=off("main-low"))
    assert low(world, 1, 2) == []
    assert low(world, 3) == [("raise", "main-low", 2, 0)]


def test_a_share_is_of_the_devices_for_which_the_combination_is_on() -> None:
    """Two low hydrants are all of the main but d1."""
    world = world_of(LOW, together("devices: 1, share: 100 %"), overrides=off("main-low"))
    assert low(world, 2, 3) == [("raise", "main-low", 2, 0)]


def test_a_combination_that_is_off_in_the_whole_city_says_nothing() -> None:
    world = world_of(LOW, together("devices: 1"), overrides=off("main-low", "city: all"))
    assert low(world, 1, 2, 3) == []


@pytest.mark.parametrize("name", ["odd", "skewed", "stuck", "gap", "no-limit"])
def test_a_quality_rule_that_is_off_for_a_device_finds_nothing_there(name: str) -> None:
    """d1 and d2 do the same; d1 has the rule off."""
    texts = {"odd": ODD, "skewed": SKEWED, "stuck": STUCK, "gap": GAP, "no-limit": NO_LIMIT}
    world = world_of(texts[name], overrides=off(name))
    quality = DeviceQuality(world.registry)
    world.engine = Engine(world.engine.rulebook, world.registry, quality=quality)
    said = world.tick(1)
    quality.restore(np.array([1, 2]), np.zeros(2), np.zeros(2), np.array([600.0, 600.0]))
    for second in (2, 3):
        flags = {"odd": int(Quality.BAD), "stuck": 8}.get(name, 0)
        said += world.report((1, "pressure", second, 99.0), (2, "pressure", second, 99.0), quality=flags)
        world.heard(1, second)
        world.heard(2, second)
    for device in (1, 2) if name == "gap" else ():
        quality.note(np.full(2, device), np.full(2, at(3)), np.array([1, 20]), np.full(2, at(3)))
    said += world.tick(4)
    assert [(each.rule, each.device_number) for each in said] == [(name, 2)]


@pytest.mark.parametrize("name", ["odd", "gap", "no-limit"])
def test_a_finding_that_is_open_when_its_rule_is_turned_off_is_over(name: str) -> None:
    """At the next reading where readings show it, though it is no better; else at the next tick."""
    world = world_of({"odd": ODD, "gap": GAP, "no-limit": NO_LIMIT}[name], overrides=off(name))
    quality = DeviceQuality(world.registry)
    world.engine = Engine(world.engine.rulebook, world.registry, quality=quality)
    world.registry.series(1, 1, 0)
    assert world.engine.seed(name, 1, "pressure" if name == "odd" else "", 4, at(-10))
    said = world.report((1, "pressure", 5, 99.0), quality=int(Quality.BAD)) + world.tick(6)
    assert [(each.kind.value, each.rule) for each in said] == [("clear", name)]
