"""What the rulebook in force leaves unprotected: fire rules that were loosened, rules that are off or on trial."""

from collections.abc import Iterator, Sequence

from firetower.rules.book.model import Loosened, Rule, Scope
from firetower.rules.book.rulebook import Rulebook, shipped
from firetower.storage.protection import Gap

_ALONE = ("shadow from false to true",)
"""What a loosening says of a rule that is on trial and nothing else; it is one line of the board, not two."""


def rule_gaps(book: Rulebook) -> Sequence[Gap]:
    """Return what stands on the board because of ``book``; since when is not known. What is off as shipped does not.

    Reads the shipped rulebook when first asked: to be called in a thread.
    """
    return list(_gaps(book))


def _gaps(book: Rulebook) -> Iterator[Gap]:
    trials = {rule.id for rule in book.rules if rule.shadow}
    off = {n for n, override in enumerate(book.overrides) if override.off}
    for each in book.loosened:
        told = each.rule.id in trials and each.scope is None and each.what == _ALONE
        if each.override not in off and not told:
            yield _gap("loosened", each.rule, each.scope, each.loosened, changes=each.what)
    as_shipped = shipped().overrides
    for n in sorted(off):
        override = book.overrides[n]
        rule = book.rule(override.rule)
        if rule is not None and override not in as_shipped:
            yield _gap("rule_off", rule, override.scope, override.loosened, reason=override.reason)
    for rule in book.rules:
        if rule.shadow:
            yield _gap("on_trial", rule, None, rule.loosened)


def _gap(
    kind: str,
    rule: Rule,
    scope: Scope | None,
    loosened: Loosened | None,
    *,
    reason: str | None = None,
    changes: Sequence[str] = (),
) -> Gap:
    scope = Scope(city="all") if scope is None else scope
    unit, _, device = scope.value.partition("/") if scope.level in {"unit", "device"} else ("", "", "")
    return Gap(
        width=3 if scope.level == "device" else 0,
        kind=kind,
        unit=unit or None,
        zone=None,
        device=device or None,
        component=None,
        main=None,
        place=None,
        what_zh=rule.title.zh,
        what_en=rule.title.en,
        since=None,
        until=None,
        reason=reason if loosened is None else loosened.reason,
        measure=None,
        by=None if loosened is None else loosened.by,
        window_id=None,
        alert_id=None,
        rule=rule.id,
        scope=scope,
        approved_by=None if loosened is None else loosened.approved_by,
        changes=tuple(changes),
    )
