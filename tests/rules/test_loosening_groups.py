"""What is looser in fire and prealarm rules over groups of devices and over events: said clause by clause."""

import pytest
from rule_texts import FIRE, PREALARM, book, rule

from firetower.rules.book.loosening import looser
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import load_texts

WARNED = rule(
    "water-and-fire",
    "combination: {group: building, all: [{events: [waterflow, pump_start], devices: 2, within: 5min},"
    " {rules: [burning, smoke-rising], priority: 2, share: 10 %}], followed_within: 10min, priority: 1, latch: true,"
    " source: 'J, x'}",
    alert_class="fire",
)
CALLED = rule(
    "calls",
    "event: {events: [manual_call, fire], components: 2, on_delay: 5s, priority: 1, latch: true, source: 'J, x'}",
    alert_class="fire", kinds="[panel]",
)  # fmt: skip
OFTEN = rule(
    "calls-often",
    "event: {events: [manual_call], count: 2, within: 10min, priority: 2, source: 'J, x'}",
    alert_class="prealarm", kinds="[panel]",
)  # fmt: skip
UNLESS = rule(
    "smoke-unless-shielded",
    "combination: {group: zone, all: [{rules: [smoke-rising]}], none: [{events: [shielded]}], priority: 2,"
    " source: 'J, x'}",
    alert_class="prealarm", kinds="[smoke]",
)  # fmt: skip
ONE_CLAUSE = ", {rules: [burning, smoke-rising], priority: 2, share: 10 %}"

LOOSER = [
    # rule, what of it is replaced, by what, and what is looser from what to what
    (WARNED, "waterflow, pump_start", "waterflow", "all[1].events from waterflow, pump_start to waterflow"),
    (WARNED, "burning, smoke-rising", "burning", "all[2].rules from burning, smoke-rising to burning"),
    (WARNED, "devices: 2", "devices: 3", "all[1].devices from 2 to 3"),
    (WARNED, "share: 10 %", "share: 20 %", "all[2].share from 10% to 20%"),
    (WARNED, "within: 5min", "within: 4min", "all[1].within from 5min to 4min"),
    (WARNED, "smoke-rising], priority: 2", "smoke-rising], priority: 1", "all[2].priority from 2 to 1"),
    (WARNED, ONE_CLAUSE, ONE_CLAUSE + ", {events: [fault]}", "clauses of all from 2 to 3"),
    (WARNED, "group: building", "group: zone", "group from building to zone"),
    (WARNED, "followed_within: 10min", "followed_within: 5min", "followed_within from 10min to 5min"),
    (
        UNLESS,
        "none: [{events: [shielded]}]",
        "none: [{events: [shielded]}, {events: [fault]}]",
        "none from 1 clauses to 2",
    ),
    (
        UNLESS,
        "none: [{events: [shielded]}]",
        "none: [{events: [shielded, fault]}]",
        "none from 1 clauses to 1, not all",
    ),
    (CALLED, "components: 2", "components: 3", "components from 2 to 3"),
    (CALLED, "on_delay: 5s", "on_delay: 6s", "on_delay from 5s to 6s"),
    (CALLED, "manual_call, fire", "fire", "events from manual_call, fire to fire"),
    (CALLED, "components: 2", "components: 2, all_of: true", "all_of from false to true"),
    (OFTEN, "count: 2", "count: 2, component: door", "component from none to door"),
    (OFTEN, "count: 2", "count: 3", "count from 2 to 3"),
    (OFTEN, "within: 10min", "within: 9min", "within from 10min to 9min"),
    (OFTEN, "priority: 2", "priority: 3", "priority from 2 to 3"),
]


def parsed(text: str) -> Rule:
    """The rule of that text, among those it names."""
    return load_texts({"mine.yaml": book(FIRE, PREALARM, text)}).rules[-1]


@pytest.mark.parametrize(("text", "old", "new", "says"), LOOSER)
def test_each_thing_a_group_or_an_event_asks_for_in_addition_is_looser(
    text: str, old: str, new: str, says: str
) -> None:
    """One thing said, of what is one thing less that alarms, or one thing more that is needed."""
    assert old in text
    (told,) = looser(parsed(text), parsed(text.replace(old, new, 1)))
    assert told.startswith(says)


TIGHTER = [
    (WARNED, "waterflow, pump_start", "waterflow, pump_start, fire"),
    (WARNED, "devices: 2, within: 5min", "devices: 1"),
    (WARNED, "within: 5min", "within: 6min"),
    (WARNED, "followed_within: 10min, ", ""),
    (WARNED, "followed_within: 10min", "followed_within: 20min"),
    (UNLESS, ", none: [{events: [shielded]}]", ""),
    (CALLED, "components: 2", "components: 1"),
    (CALLED, "manual_call, fire", "manual_call, fire, waterflow"),
    (OFTEN, "count: 2", "count: 2, on_delay: 0s"),
]


@pytest.mark.parametrize(("text", "old", "new"), TIGHTER)
def test_a_group_or_an_event_that_asks_for_less_is_no_looser(text: str, old: str, new: str) -> None:
    assert old in text
    assert looser(parsed(text), parsed(text.replace(old, new, 1))) == []
