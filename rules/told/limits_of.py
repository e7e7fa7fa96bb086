"""The limits in force for what one device measures, as a chart draws them in."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import Registry
from firetower.rules.book.model import LEVELS, Override, Rule
from firetower.rules.book.overrides import resolved
from firetower.rules.book.quantities import Between, FromFile
from firetower.rules.book.rulebook import Rulebook

_KINDS = list(DeviceKind)


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One band of a rule that compares the value as measured. ``value``: the limit, of a range its lower end; ``high``:
    its upper end, None else; ``clear``: where it is over, None where that is not told apart; in ``uom``.
    ``on_delay``: µs. ``overridden``: a scope narrower than the rule made the band what it is.
    """

    rule: str
    title_zh: str
    title_en: str
    metric: str
    alert_class: str
    priority: int
    side: str
    value: float
    high: float | None
    clear: float | None
    uom: str
    on_delay: int
    shadow: bool
    overridden: bool


def limits_of(book: Rulebook, registry: Registry, number: int, only: str | None = None) -> Iterator[LimitLine]:
    """Yield the limits on single readings of the device ``number``, rule by rule (of the rule ``only`` if given), the
    mildest band first.

    What is derived from readings (a rate, a mean, a pattern) is no line among them, and a limit of the device's own
    file that it lacks is none either.
    """
    if not 0 <= number < len(registry.kind) or registry.kind[number] < 0:
        return
    kind = _KINDS[int(registry.kind[number])]
    for rule in book.rules:
        condition = rule.condition.limit
        if condition is None or rule.metric is None or kind not in rule.kinds or only not in {None, rule.id}:
            continue
        mine = resolved(rule, _overrides(book, registry, number, rule.id))
        if mine is None or mine.condition.limit is None:
            continue
        yield from _lines(mine, condition, registry, number)


def _lines(rule: Rule, shipped: object, registry: Registry, number: int) -> Iterator[LimitLine]:
    condition = rule.condition.limit
    assert condition is not None and rule.metric is not None  # noqa: PT018 - the caller asked
    for band in condition.bands:
        limit, high = band.limit, None
        if isinstance(limit, FromFile):
            value, uom = float(registry.attribute(limit.attribute)[number]), limit.unit
        elif isinstance(limit, Between):
            value, high, uom = limit.low, limit.high, limit.unit
        else:
            value, uom = limit.value, limit.unit
        if math.isnan(value):
            continue
        clear = None if band.clear is None else band.clear.value
        if band.deadband is not None and high is None:
            clear = value - band.deadband.value if "above" in condition.side else value + band.deadband.value
        title = band.title or rule.title
        yield LimitLine(
            rule=rule.id, title_zh=title.zh, title_en=title.en, metric=rule.metric,
            alert_class=rule.alert_class.value, priority=band.priority, side=condition.side, value=value, high=high,
            clear=clear, uom=uom, on_delay=band.on_delay, shadow=rule.shadow, overridden=condition is not shipped,
        )  # fmt: skip


def _overrides(book: Rulebook, registry: Registry, number: int, rule_id: str) -> list[Override]:
    """Return the overrides of a rule that fit the device, from the widest scope to the narrowest."""
    unit, device = registry.name(number)
    has = {"city": "all", "unit": unit, "device": f"{unit}/{device}"}
    has |= {level: registry.label(level, number) or "" for level in ("district", "unit_category", "model")}
    mine = [each for each in book.overrides if each.rule == rule_id and has[each.scope.level] == each.scope.value]
    return sorted(mine, key=lambda each: LEVELS.index(each.scope.level))
