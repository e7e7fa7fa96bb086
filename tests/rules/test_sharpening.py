"""An event's own alert under rules that make it more urgent: the most urgent that applies gives priority and title."""

from collections.abc import Sequence
from typing import Any

import pytest
from estate import Estate, rule
from scenario import at

from firetower.devices.kinds import DeviceKind
from firetower.rules.book.model import Calendar, Rule, Span
from firetower.rules.steps import Batch
from firetower.rules.verdicts import Verdict


def sharper(name: str, priority: int, *, component: str | None = None, **fields: Any) -> Rule:
    """A rule that makes a fault, which is yellow by itself, so urgent; of one component, or of any."""
    condition = {"events": ["fault"], "own_alert": True, "priority": priority}
    only = {} if component is None else {"component": component}
    return rule(name, "event", condition | only, **({"class": "fault"} | fields))


def fault(rules: Sequence[Rule], component: str = "pump", **more: Any) -> Verdict:
    """The own alert of a panel's fault, at START, under those rules."""
    estate = Estate(*rules, **more)
    panel = estate.put(DeviceKind.PANEL)
    said = estate.event(panel, "fault", 0, component=component)
    (own,) = estate.engine.evaluate(Batch(estate.readings(), at(0), [said]))
    return own


@pytest.mark.parametrize("turned", [False, True], ids=["as they stand", "the other way round"])
def test_of_several_rules_the_most_urgent_wins_wherever_it_stands(turned: bool) -> None:
    """Red over orange over yellow, which the event is by itself."""
    rules = [sharper("red", 1), sharper("orange", 2), sharper("yellow", 3)]
    own = fault(rules[::-1] if turned else rules)
    assert (own.rule, own.priority, own.title_en) == ("event:fault", 1, "red")


def test_a_more_urgent_rule_that_does_not_apply_leaves_it_to_the_next() -> None:
    """Of another component; outside its schedule: START is 16:26:40 in Shanghai."""
    door = [sharper("door", 1, component="door"), sharper("any", 2)]
    assert (fault(door).priority, fault(door).title_en) == (2, "any")
    assert fault(door, "door").title_en == "door"
    later = [sharper("later", 1, schedule={"during": "night"}), sharper("any", 2)]
    calendar = Calendar(spans={"night": Span.model_validate({"from": "16:30", "to": "17:00"})})
    assert fault(later, calendar=calendar).title_en == "any"
