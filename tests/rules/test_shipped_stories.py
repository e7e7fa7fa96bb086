"""Every shipped rule: a scenario that trips it, one that must not, one at the exact limit."""

from collections.abc import Callable

import pytest
from scenario import SHIPPED
from shipped_stories import LOOKALIKES, STORIES, Story, Told
from test_shipped_limits import LIMITS

from firetower.rules.verdicts import VerdictKind

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
