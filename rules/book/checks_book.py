"""What a rulebook may not be as a whole: names that lead nowhere, overrides that make a rule what none may be."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any, get_args
from zoneinfo import ZoneInfo

from firetower.devices.city import UnitCategory
from firetower.devices.events import AlertClass
from firetower.rules.book.checks import check, check_span, is_date
from firetower.rules.book.checks_fire import check_loosened
from firetower.rules.book.conditions import RuleId
from firetower.rules.book.finding import Finding, under, which_rule
from firetower.rules.book.model import LEVELS, BandOverride, Calendar, Override, Rule, Scope
from firetower.rules.book.overrides import BANDED_FORMS, given, resolved

_OF_SILENCE = ("after", "intervals", "at_least", "at_most")


def check_calendar(calendar: Calendar) -> Iterator[Finding]:
    """Yield what is wrong with a calendar."""
    try:
        ZoneInfo(calendar.zone)
    except (ValueError, OSError, LookupError):  # the three that ZoneInfo raises, by how the name is wrong
        yield ("zone",), f"{calendar.zone!r} is no time zone; accepted: an IANA name, for example Asia/Shanghai"
    for name in ("holidays", "working_days"):
        for day in sorted(getattr(calendar, name)):
            if not is_date(day):
                yield (name,), f"{day!r} is no day of the calendar; accepted: for example 2026-10-01"
    for day in sorted(calendar.holidays & calendar.working_days):
        yield ("working_days",), f"{day!r} is among the holidays, too; keep one of the two"
    for name, span in calendar.spans.items():
        yield from under(("spans", name), check_span(span))


def check_names(rule: Rule, rules: Mapping[RuleId, Rule], calendar: Calendar) -> Iterator[Finding]:
    """Yield names in a rule that lead to nothing in its rulebook."""
    during = rule.schedule.during if rule.schedule is not None else None
    if isinstance(during, str) and during not in calendar.spans:
        accepted = ", ".join(calendar.spans) or "none, the calendar has no spans"
        yield ("schedule", "during"), f"{during!r} is no span of the calendar; accepted: {accepted}"
    if rule.suppressed is not None:
        yield from under(("suppressed",), _unknown(rule.suppressed.rules, rules))
        yield from under(("suppressed",), _circle(rule, rules))
    combination = rule.condition.combination
    for part in ("all", "none"):
        for index, clause in enumerate(getattr(combination, part, ())):
            where = ("condition", "combination", part, index)
            yield from under(where, _unknown(clause.rules, rules))
            yield from under(where, _never_active(clause.rules, rules))


def _unknown(named: Iterable[RuleId], rules: Mapping[RuleId, Rule]) -> Iterator[Finding]:
    for index, rule_id in enumerate(named):
        if rule_id not in rules:
            yield ("rules", index), f"{rule_id!r} is no rule of this rulebook; {which_rule(rule_id, rules)}"


def _circle(rule: Rule, rules: Mapping[RuleId, Rule]) -> Iterator[Finding]:
    """Yield what holds a rule back and is held back by it, itself or over others: none of them would be seen.

    A combination that stands on the rule may hold it back: that one is seen then.
    """
    held = rule.suppressed
    for index, source in enumerate(held.rules if held is not None else ()):
        ways: list[tuple[RuleId, ...]] = [(source,)] if source != rule.id else []
        seen = {source}
        while ways:
            way = ways.pop(0)
            last = rules.get(way[-1])
            further = last.suppressed.rules if last is not None and last.suppressed is not None else ()
            if rule.id in further:
                told = " by ".join(map(repr, (*way[1:], rule.id)))
                yield ("rules", index), f"{source!r} is held back by {told}: all of them would be hidden; remove one"
                break
            ways += [(*way, each) for each in dict.fromkeys(further) if each not in seen]
            seen.update(further)


def _never_active(named: Iterable[RuleId], rules: Mapping[RuleId, Rule]) -> Iterator[Finding]:
    for index, rule_id in enumerate(named):
        condition = rules[rule_id].condition if rule_id in rules else None
        if condition is None:
            continue
        if condition.combination is not None or condition.confirmation is not None:
            yield ("rules", index), f"{rule_id!r} is a {condition.forms[0]} itself; accepted: rules of other forms"
        if condition.event is not None and condition.event.own_alert:
            yield (
                ("rules", index),
                f"{rule_id!r} only changes the alert of an event; accepted: that event, under events",
            )


def check_once(rules: Iterable[Rule]) -> Iterator[tuple[int, Finding]]:
    """Yield the confirmation rules after the first, with their places among ``rules``."""
    first: Rule | None = None
    for index, rule in enumerate(rules):
        if rule.condition.confirmation is None:
            continue
        if first is not None:
            yield index, (("condition",), f"is a second confirmation beside {first.id!r}; accepted: one in a rulebook")
        first = first or rule


def check_override(override: Override, rules: Mapping[RuleId, Rule]) -> Iterator[Finding]:
    """Yield what is wrong with an override, and with its rule where it is in force alone."""
    scopes = [level for level in LEVELS if getattr(override.scope, level) is not None]
    if len(scopes) != 1:
        yield ("scope",), f"holds {' and '.join(scopes) or 'nothing'}; accepted: exactly one of {', '.join(LEVELS)}"
    category = override.scope.unit_category
    if category is not None and category not in get_args(UnitCategory):
        accepted = ", ".join(get_args(UnitCategory))
        yield ("scope", "unit_category"), f"{category!r} is no category of unit; accepted: {accepted}"
    yield from check_loosened(override.loosened)
    rule = rules.get(override.rule)
    if rule is None:
        yield ("rule",), f"{override.rule!r} is no rule of this rulebook; {which_rule(override.rule, rules)}"
        return
    if override.off and rule.alert_class is AlertClass.FIRE:
        yield ("off",), "true for class fire; accepted: no off at all, a fire rule is off nowhere"
    if override.off and override.bands:
        yield ("bands",), "beside off: true; keep one of the two"
    if "off" not in override.model_fields_set and not override.bands:
        yield ("bands",), "changes nothing; give bands, or off: true"
    fields = list(_check_fields(override, rule))
    yield from fields
    if not fields:
        yield from check_merged(rule, [override])


def _check_fields(override: Override, rule: Rule) -> Iterator[Finding]:
    form = next(iter(rule.condition.forms), "")
    if form not in BANDED_FORMS:
        if override.bands:
            yield ("bands",), f"for a {form}, which has none; accepted: off: true"
        return
    priorities = [band.priority for band in _bands(rule)]
    for index, change in enumerate(override.bands):
        where = ("bands", index)
        if change.priority not in priorities:
            accepted = ", ".join(map(str, priorities))
            yield (*where, "priority"), f"{change.priority} is no band of {rule.id}; accepted: {accepted}"
        elif change.priority in [other.priority for other in override.bands[:index]]:
            yield (*where, "priority"), f"{change.priority} stands there twice; keep one"
        if not given(change):
            yield where, "changes nothing; give the fields that are other here"
        for name in given(change):
            if (name in _OF_SILENCE) != (form == "silence"):
                yield (*where, name), f"is not of a {form}; accepted: {', '.join(_fields_of(form))}"


def _bands(rule: Rule) -> Sequence[Any]:
    condition = rule.condition.silence or rule.condition.measured
    return () if condition is None else condition.bands


def _fields_of(form: str) -> list[str]:
    return [
        name
        for name in BandOverride.model_fields
        if name != "priority" and (name in _OF_SILENCE) == (form == "silence")
    ]


def check_merged(rule: Rule, overrides: Sequence[Override]) -> Iterator[Finding]:
    """Yield what is wrong with ``rule`` under ``overrides``, from wide to narrow, at its place in the last of them."""
    merged = resolved(rule, overrides)
    if merged is None or merged is rule:
        return
    places = {change.priority: index for index, change in enumerate(overrides[-1].bands)}
    bands = _bands(rule)
    known: set[Finding] | None = None
    for path, text in check(merged):
        known = set(check(rule)) if known is None else known
        if (path, text) in known:
            continue
        where: tuple[str | int, ...] = ("bands",)
        if len(path) > 3 and path[2] == "bands" and isinstance(path[3], int):
            index = places.get(bands[path[3]].priority)
            where = where if index is None else ("bands", index, *path[4:])
        yield where, f"{text} (the rule as it is in force there)"


_JUDGED_ALONE = {"on_delay", "off_delay", "one_sample_over"}
"""Fields of a band that no check holds against another field of it, or of another band."""


def check_overrides(overrides: Sequence[Override], rules: Mapping[RuleId, Rule]) -> Iterator[tuple[int, int, Finding]]:
    """Yield what is wrong with two overrides of one rule: their places, the later one or the narrower first.

    Two of one rule and scope; and two that may fit one device and make of the rule what it may not be together, each
    of them in order alone.
    """
    seen: dict[tuple[RuleId, Scope], int] = {}
    by_rule: dict[RuleId, dict[tuple[Any, ...], int]] = {}
    for index, override in enumerate(overrides):
        first = seen.setdefault((override.rule, override.scope), index)
        if first != index:
            yield index, first, (("scope",), f"of {override.rule} stands there twice")
            continue
        limits = tuple(_limits(override))
        if limits and not any(check_override(override, rules)):
            alike = (override.scope.level, limits)  # what many scopes have alike is tried once
            by_rule.setdefault(override.rule, {}).setdefault(alike, index)
    for rule_id, distinct in by_rule.items():
        by_level = [[index for (level, _), index in distinct.items() if level == each] for each in LEVELS]
        for wide, narrow in combinations(by_level, 2):
            for one, other in product(wide, narrow):
                for finding in check_merged(rules[rule_id], [overrides[one], overrides[other]]):
                    yield other, one, finding


def _limits(override: Override) -> Iterator[tuple[Any, ...]]:
    for change in override.bands:
        for name, value in given(change).items():
            if name not in _JUDGED_ALONE:
                yield change.priority, name, value
