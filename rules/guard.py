"""What a rulebook of one's own makes looser than the shipped one for fire and prealarm, and whether two persons did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from firetower.devices.events import AlertClass
from firetower.rules.conditions import RuleId
from firetower.rules.loosening import GUARDED, looser
from firetower.rules.model import Loosened, Override, Rule, Scope
from firetower.rules.overrides import resolved


@dataclass(frozen=True, slots=True)
class Loosening:
    """A fire or prealarm rule that is looser than shipped: everywhere (``scope`` None) or in the scope of an override.

    ``what``: each thing, from what to what. ``loosened``: by whom; None where nobody says so. ``override``: the place
    among the rulebook's overrides, from 0.
    """

    rule: Rule
    scope: Scope | None
    what: tuple[str, ...]
    loosened: Loosened | None
    override: int | None = None


def loosenings(
    rules: Sequence[Rule], overrides: Sequence[Override], shipped: Mapping[RuleId, Rule], as_shipped: Sequence[Override]
) -> Iterator[Loosening]:
    """Yield what is looser than in the ``shipped`` rules; overrides that are ``as_shipped`` are not.

    A rule of one's own is the measure of its overrides; so is the rule as it stands in the book, where that is looser
    than shipped already.
    """
    by_id = {rule.id: rule for rule in rules}
    for rule in rules:
        if rule.id in shipped and (what := looser(shipped[rule.id], rule)):
            yield Loosening(rule, None, tuple(what), rule.loosened)
    usual = {(each.rule, each.scope, each.off, each.bands) for each in as_shipped}
    for index, override in enumerate(overrides):
        base = by_id.get(override.rule)
        if base is None or (override.rule, override.scope, override.off, override.bands) in usual:
            continue
        merged = resolved(base, [override])
        if merged is not base and looser(shipped.get(base.id, base), merged) and (what := looser(base, merged)):
            yield Loosening(base, override.scope, tuple(what), override.loosened, index)


def disabled(rules: Sequence[Rule], shipped: Mapping[RuleId, Rule]) -> Iterator[tuple[RuleId, str]]:
    """Yield the shipped fire and prealarm rules that are taken away, and what to do; no two persons may."""
    by_id = {rule.id: rule for rule in rules}
    for rule_id, rule in shipped.items():
        if rule.alert_class not in GUARDED:
            continue
        mine = by_id.get(rule_id)
        if mine is None:
            remedy = "put it back as it is shipped"
            if rule.alert_class is AlertClass.PREALARM:
                remedy += ", and where it must not be, override it there with off: true and loosened"
            yield rule_id, f"rule {rule_id!r}, class {rule.alert_class}, is shipped and missing here; {remedy}"
        elif rule.alert_class is AlertClass.FIRE and mine.alert_class is not AlertClass.FIRE:
            yield rule_id, f"class: {mine.alert_class} for {rule_id!r}, which is shipped as fire; accepted: fire"
        elif rule.alert_class is AlertClass.FIRE and (gone := sorted(set(rule.kinds) - set(mine.kinds))):
            yield rule_id, f"kinds: {rule_id!r} is shipped for {', '.join(gone)}, too; accepted: with them, or more"
