"""Every shipped rule: a scenario that trips it, one that must not, one at the exact limit."""

from collections.abc import Callable

import fire_stories
import pytest
import quality_stories
import shipped_stories
from scenario import SHIPPED
from shipped_stories import Story, Told
from test_shipped_limits import LIMITS
from town import Town

from firetower.devices.kinds import DeviceKind
from firetower.rules.verdicts import VerdictKind

TOLD = (shipped_stories, quality_stories, fire_stories)
STORIES = [story for each in TOLD for story in each.STORIES]
LOOKALIKES = [story for each in TOLD for story in each.LOOKALIKES]
IDS = [f"{story.rule}-{story.priority}" for story in STORIES]


def raised(told: Told, rule: str) -> list[int]:
    """Return the priorities at which the rule raised its alert and let it be seen."""
    mine = [each for each in told if each.rule == rule and each.kind is VerdictKind.RAISE and not each.suppressed]
    assert all(each.alert_class is SHIPPED.rule(rule).alert_class for each in mine)
    return [each.priority for each in mine]


def tripped(story: Story, figure: float) -> bool:
    """Whether the rule raised its alert at that priority, or a worse one."""
    return any(priority <= story.priority for priority in raised(story.tell(figure), story.rule))


@pytest.mark.parametrize("story", STORIES, ids=IDS)
def test_what_is_beyond_the_limit_trips_what_is_within_does_not_and_the_limit_is_as_the_standard_says(
    story: Story,
) -> None:
    assert tripped(story, story.beyond)
    assert not tripped(story, story.within)
    assert tripped(story, story.exact) is story.trips


def test_a_derived_value_says_what_it_is_of_its_metric_and_in_which_unit() -> None:
    """Else 11 °C of rise reads as a temperature of 11 °C; a value as measured or counted says nothing."""
    told = {said.rule: said.figure for story in STORIES for said in story.tell(story.beyond) if said.rule == story.rule}
    assert {rule: figure for rule, figure in told.items() if figure} == {
        "hydrant-pressure-falling": "drop 5min MPa",
        "hydrant-leaking": "min 2h L/s",
        "water-level-falling": "rate 1h m/h",
        "smoke-drift": "median 24h dB/m",
        "smoke-contaminated": "median 24h dB/m",
        "heat-rising": "rate 150s °C/min",
        "residual-current-unusual": "pattern - mA",
        "residual-current-creeping": "rate 7d mA/d",
        "cable-temperature-rising": "rise 10min °C",
        "battery-running-out": "trend 14d d",
        "hydrant-pressure-noisy": "stdev 2h MPa",
        "hydrant-pressure-stuck": "stdev 2h MPa",
        "current-stuck": "spread 2h A",
        "electrical-phase-imbalance": "imbalance - %",
    }


@pytest.mark.parametrize(("rule", "what", "tell"), LOOKALIKES, ids=[f"{rule}: {what}" for rule, what, _ in LOOKALIKES])
def test_what_only_looks_like_it_raises_nothing(rule: str, what: str, tell: Callable[[], Told]) -> None:
    assert raised(tell(), rule) == [], what


def test_every_shipped_rule_and_priority_has_its_three_scenarios() -> None:
    told = {(story.rule, story.priority) for story in STORIES} | {(row[0], row[1]) for row in LIMITS}
    shipped = set()
    for rule in SHIPPED.rules:
        condition = rule.measured or rule.condition.silence
        if condition is not None:
            shipped |= {(rule.id, band.priority) for band in condition.bands}
        else:
            one = rule.condition.event or rule.condition.quality or rule.condition.combination
            shipped.add((rule.id, 1 if one is None else one.priority))
    assert told == shipped


def test_a_pump_room_says_that_it_has_power_again_after_a_minute_of_it() -> None:
    town = Town()
    room = town.put(DeviceKind.PUMP_ROOM)
    for event in ("main_power_lost", "backup_power_lost"):
        town.says(room, event, 0)
    town.says(room, "main_power_lost", 100, active=False)
    town.passes(159)
    assert [each.kind for each in town.said if each.rule == "pump-power-lost"] == [VerdictKind.RAISE]
    town.passes(160)
    assert [each.kind for each in town.said if each.rule == "pump-power-lost"][1:] == [VerdictKind.CLEAR]


@pytest.mark.parametrize(("category", "priority"), [("homes", 3), ("jiuxiao", 3), ("other", 3), ("school", 2)])
def test_a_removed_smoke_detector_is_urgent_in_key_units_only(category: str, priority: int) -> None:
    town = Town()
    town.says(town.put(DeviceKind.SMOKE, unit_category=category), "removed", 0)
    assert [each.priority for each in town.said] == [priority]


@pytest.mark.parametrize(("category", "priority"), [("hospital", 3), ("chemical", 3), ("homes", 4), (None, 4)])
def test_a_sleeping_detector_silent_for_a_day_is_yellow_in_high_risk_places(
    category: str | None, priority: int
) -> None:
    town = Town()
    town.heard(town.put(DeviceKind.SMOKE, 86400, unit_category=category), 0)
    town.passes(25 * 3600 - 1)
    assert town.said == []
    town.passes(25 * 3600)
    assert [(each.rule, each.priority) for each in town.said] == [("sleeping-smoke-silent", priority)]
