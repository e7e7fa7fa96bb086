"""What a rule on events, on several devices together, or on what confirms a fire may not be."""

from collections.abc import Iterator

from firetower.core.clock import HOUR, SECOND
from firetower.devices.events import EVENTS, AlertClass
from firetower.rules.book.conditions import Clause, CombinationCondition, ConfirmationCondition, EventCondition, Group
from firetower.rules.book.finding import Finding, check_class, check_duration, check_events, check_no_metric, under
from firetower.rules.book.model import Rule

_UNUSED: dict[str, tuple[str, ...]] = {
    "own_alert": ("missing_for", "count", "within", "all_of", "components", "on_delay", "off_delay", "latch"),
    "missing_for": ("count", "within", "all_of", "components", "on_delay", "off_delay"),
    "count": ("all_of", "components", "on_delay"),
}
"""Fields that each use of ``event`` has no use for."""


def check_event(rule: Rule, condition: EventCondition) -> Iterator[Finding]:
    """Yield what is wrong with an event rule."""
    yield from check_no_metric(rule, "event")
    yield from check_class(rule, "event", (AlertClass.OFFLINE, AlertClass.UNREADABLE))
    yield from under(("condition", "event"), _check_uses(condition))
    yield from under(("condition", "event"), check_events(condition.events))
    if condition.own_alert:
        yield from _check_own_alert(rule, condition)


def _check_uses(condition: EventCondition) -> Iterator[Finding]:
    defaults = EventCondition.model_fields
    changed = {name for name in defaults if getattr(condition, name) != defaults[name].default}
    for use, unused in _UNUSED.items():
        if use in changed:
            for name in unused:
                if name in changed:
                    yield (name,), f"beside {use}, which has no use for it; remove one of the two"
            break
    if (condition.count is None) != (condition.within is None):
        missing, there = ("within", "count") if condition.within is None else ("count", "within")
        yield (missing,), f"is missing; {there} needs it: that many events within that time"
    for name in ("within", "missing_for"):
        if getattr(condition, name) == 0:
            yield (name,), "0s; accepted: more than 0s"
    if condition.all_of and len(condition.events) < 2:
        yield ("all_of",), "of one event; accepted: with two events or more"
    if condition.component is not None and condition.components > 1:
        yield ("components",), f"{condition.components} beside component, which names one point; keep one of the two"


def _check_own_alert(rule: Rule, condition: EventCondition) -> Iterator[Finding]:
    for name in condition.events:
        meaning = EVENTS.get(name)
        if meaning is None:
            continue
        if meaning.alert_class is None:
            yield ("condition", "event", "events"), f"{name!r} raises no alert of its own; accepted: without own_alert"
        elif meaning.alert_class is not rule.alert_class:
            yield (
                ("class",),
                f"{rule.alert_class} for the own alert of {name!r}; accepted: {meaning.alert_class}, its class",
            )
        elif condition.priority > meaning.priority:
            yield (
                ("condition", "event", "priority"),
                f"{condition.priority} is lower than that of {name!r}; accepted: 1 to {meaning.priority}",
            )


def check_combination(rule: Rule, condition: CombinationCondition) -> Iterator[Finding]:
    """Yield what is wrong with a combination; whether the rules it names exist is for ``checks_book``."""
    yield from check_no_metric(rule, "combination")
    yield from check_class(rule, "a combination", (AlertClass.UNREADABLE,))
    for part, clauses in (("all", condition.all), ("none", condition.none)):
        for index, clause in enumerate(clauses):
            yield from under(("condition", "combination", part, index), _check_clause(clause, condition.group))
    if condition.followed_within is not None and len(condition.all) < 2:
        yield (
            ("condition", "combination", "followed_within"),
            "with one clause there is nothing that follows; give all two clauses or more, in their order",
        )


def _check_clause(clause: Clause, group: Group) -> Iterator[Finding]:
    if not (clause.rules or clause.events or clause.classes):
        yield (), "names nothing; give rules, events or classes, at least one"
    if len(set(clause.classes)) != len(clause.classes):
        yield ("classes",), "names a class twice; keep one"
    yield from check_events(clause.events, alerts=True)
    if len(set(clause.rules)) != len(clause.rules):
        yield ("rules",), "names a rule twice; keep one"
    if group == "device" and clause.devices > 1:
        yield ("devices",), f"{clause.devices} in group device, which is one; accepted: 1, or another group"
    if group == "device" and clause.share is not None:
        yield ("share",), "of one device; accepted: with group zone, building, unit, main or gateway"
    if clause.within is not None and clause.devices < 2:
        yield ("within",), "with one device there is nothing after one another; give devices: 2 or more"


def check_confirmation(rule: Rule, condition: ConfirmationCondition) -> Iterator[Finding]:
    """Yield what is wrong with the rule that says what confirms a fire."""
    yield from check_no_metric(rule, "confirmation")
    if rule.alert_class is not AlertClass.FIRE:
        yield ("class",), f"{rule.alert_class} for confirmation; accepted: fire"
    yield from check_duration(("condition", "confirmation", "within"), condition.within, 10 * SECOND, 24 * HOUR)
