"""What a rulebook of one's own makes looser than the shipped one for fire and prealarm, and whether two persons did.

Guarded are the rules of class fire and prealarm, and those that their combinations stand on: without these rules the
combinations say nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from firetower.core.clock import DAY, Micros
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.conditions import RuleId
from firetower.rules.book.loosening import looser
from firetower.rules.book.model import Loosened, Override, Rule, Scope
from firetower.rules.book.overrides import resolved

_GUARDED = (AlertClass.FIRE, AlertClass.PREALARM)
"""Classes whose rules two persons loosen, or nobody."""
_NEVER: Micros = 10_000 * DAY
"""Longer than any reporting interval."""


@dataclass(frozen=True, slots=True)
class Loosening:
    """A guarded rule that is looser than shipped: everywhere (``scope`` None) or in the scope of an override.

    ``what``: each thing, from what to what. ``loosened``: by whom; None where nobody says so. ``override``: the place
    among the rulebook's overrides, from 0. ``under``: the fire and prealarm rules that stand on it, where it is neither
    itself.
    """

    rule: Rule
    scope: Scope | None
    what: tuple[str, ...]
    loosened: Loosened | None
    override: int | None = None
    under: tuple[RuleId, ...] = ()

    @property
    def guarded(self) -> str:
        """What kind of rule it is, and so why nobody loosens it alone."""
        if not self.under:
            article = "an" if self.rule.alert_class is AlertClass.OFFLINE else "a"
            return f"{article} {self.rule.alert_class} rule"
        return f"a rule that {', '.join(self.under)} {'stands' if len(self.under) == 1 else 'stand'} on"


def stood_on(rules: Collection[Rule]) -> dict[RuleId, tuple[RuleId, ...]]:
    """Return the rules that combinations of class fire and prealarm ask for, each with those combinations."""
    named: dict[RuleId, tuple[RuleId, ...]] = {}
    by_class: dict[AlertClass, list[RuleId]] = {}
    for rule in rules:
        if rule.condition.combination is None:
            by_class.setdefault(rule.alert_class, []).append(rule.id)
    for rule in rules:
        combination = rule.condition.combination
        if combination is None or rule.alert_class not in _GUARDED:
            continue
        asked = [each for clause in combination.all for each in clause.rules]
        asked += [each for clause in combination.all for of in clause.classes for each in by_class.get(of, ())]
        for rule_id in dict.fromkeys(asked):
            named[rule_id] = (*named.get(rule_id, ()), rule.id)
    return named


def loosenings(
    rules: Sequence[Rule], overrides: Sequence[Override], shipped: Mapping[RuleId, Rule], as_shipped: Sequence[Override]
) -> Iterator[Loosening]:
    """Yield what is looser than in the ``shipped`` rules; overrides that are ``as_shipped`` are not.

    A rule of one's own is the measure of its overrides; so is the rule as it stands in the book, where that is looser
    than shipped already.
    """
    by_id = {rule.id: rule for rule in rules}
    under = stood_on(shipped.values())
    for rule in rules:
        if not _is_guarded(shipped.get(rule.id), under):
            continue
        what = looser(shipped[rule.id], rule.model_copy(update={"shadow": False}) if rule.id in under else rule)
        if what:  # a trial of what others stand on is no decision of two persons (``disabled``)
            yield Loosening(rule, None, tuple(what), rule.loosened, under=_under(rule, under))
    for rule, what in _taken_from_silence(rules, shipped, under):
        yield Loosening(rule, None, tuple(what), rule.loosened, under=under.get(rule.id, ()))
    under_any = {**stood_on(rules), **under}
    usual = {(each.rule, each.scope, each.off, each.bands) for each in as_shipped}
    for index, override in enumerate(overrides):
        base = by_id.get(override.rule)
        if base is None or (override.rule, override.scope, override.off, override.bands) in usual:
            continue
        if not _is_guarded(base, under_any) and not _is_guarded(shipped.get(base.id), under_any):
            continue
        merged = resolved(base, [override])
        if merged is not base and looser(shipped.get(base.id, base), merged) and (what := looser(base, merged)):
            yield Loosening(base, override.scope, tuple(what), override.loosened, index, under=_under(base, under_any))


def _is_guarded(rule: Rule | None, under: Mapping[RuleId, tuple[RuleId, ...]]) -> bool:
    return rule is not None and (rule.alert_class in _GUARDED or rule.id in under)


def _under(rule: Rule, under: Mapping[RuleId, tuple[RuleId, ...]]) -> tuple[RuleId, ...]:
    return () if rule.alert_class in _GUARDED else under.get(rule.id, ())


def _taken_from_silence(
    rules: Sequence[Rule], shipped: Mapping[RuleId, Rule], under: Mapping[RuleId, tuple[RuleId, ...]]
) -> Iterator[tuple[Rule, list[str]]]:
    """Yield the silence rules that take devices from a guarded one: a device has the first silence rule that fits it.

    What the shipped rules take from one another is theirs.
    """
    order = list(shipped)
    silences = [rule for rule in rules if rule.condition.silence is not None]
    for place, first in enumerate(silences):
        told: list[str] = []
        for rule in silences[place + 1 :]:
            if rule.id not in under:
                continue
            taken, begin, end = _in_common(first, rule)
            if first.id in shipped and rule.id in shipped and order.index(first.id) < order.index(rule.id):
                usual, earliest, latest = _in_common(shipped[first.id], shipped[rule.id])
                taken = taken - usual if earliest <= begin and end <= latest else taken
            if taken:
                kinds = ", ".join(kind for kind in DeviceKind if kind in taken)
                told.append(f"{kinds} from {rule.id} to {first.id}, which stands before it")
        if told:
            yield first, told


def _in_common(one: Rule, other: Rule) -> tuple[set[DeviceKind], Micros, Micros]:
    """Return the kinds whose devices may fit both silence rules, and from which reporting interval to which they do."""
    mine, theirs = one.condition.silence, other.condition.silence
    if mine is None or theirs is None or mine.of != theirs.of:
        return set(), 0, 0
    begin = max(mine.interval_from, theirs.interval_from)
    end = min(mine.interval_below or _NEVER, theirs.interval_below or _NEVER)
    return (set(one.kinds) & set(other.kinds) if begin < end else set()), begin, end


def disabled(rules: Sequence[Rule], shipped: Mapping[RuleId, Rule]) -> Iterator[tuple[RuleId, str]]:
    """Yield the shipped rules that are taken away from fire and prealarm, and what to do; no two persons may."""
    by_id = {rule.id: rule for rule in rules}
    yield from missing(by_id, shipped)
    for rule_id, rule in shipped.items():
        mine = by_id.get(rule_id)
        if mine is None or rule.alert_class is not AlertClass.FIRE:
            continue
        if mine.alert_class is not AlertClass.FIRE:
            yield rule_id, f"class: {mine.alert_class} for {rule_id!r}, which is shipped as fire; accepted: fire"
        elif gone := sorted(set(rule.kinds) - set(mine.kinds)):
            yield rule_id, f"kinds: {rule_id!r} is shipped for {', '.join(gone)}, too; accepted: with them, or more"
    for rule_id, combinations in stood_on(shipped.values()).items():
        if rule_id in by_id and by_id[rule_id].shadow:
            whom = ", ".join(combinations)
            yield (
                rule_id,
                f"shadow: true for {rule_id!r}, on which {whom} stands; accepted: no shadow, or a copy on trial",
            )


def missing(given: Iterable[RuleId], shipped: Mapping[RuleId, Rule]) -> Iterator[tuple[RuleId, str]]:
    """Yield the shipped fire and prealarm rules that are not among ``given``, and what to do."""
    there = set(given)
    for rule_id, rule in shipped.items():
        if rule.alert_class not in _GUARDED or rule_id in there:
            continue
        remedy = "put it back as it is shipped"
        if rule.alert_class is AlertClass.PREALARM:
            remedy += ", and where it must not be, override it there with off: true and loosened"
        yield rule_id, f"rule {rule_id!r}, class {rule.alert_class}, is shipped and missing here; {remedy}"
