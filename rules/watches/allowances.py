"""How long devices may say nothing: the bands of silence rules, as overrides have them in force."""

from collections.abc import Sequence

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.readings import Bools, Int32s, Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import SilenceBand, SilenceCondition
from firetower.rules.book.model import Override, Rule
from firetower.rules.book.overrides import resolved
from firetower.rules.measured.lanes import NEVER
from firetower.rules.measured.scopes import Scopes, VariantsOf

_BANDS = 4
"""The most a rule has."""


class Allowances:
    """Of each silence rule and band, the silence allowed to a device, by its reporting interval and its scopes."""

    def __init__(self, rules: Sequence[Rule], registry: Registry, scopes: Scopes) -> None:
        self._rules, self._registry = rules, registry
        self._variants = VariantsOf(scopes, [rule.id for rule in rules])
        # by variant and rule, of each band: intervals, at least, at most
        self._bounds: Int64s = np.zeros((0, len(rules), _BANDS, 3), np.int64)
        self._off: Bools = np.zeros((0, len(rules)), np.bool_)
        self._follow()

    def of(self, index: int, devices: Int64s) -> Int64s:
        """Return the silence a rule's bands allow each device, µs, shape (n, 4); NEVER for bands it does not have."""
        variant = self._variant(devices)
        bounds = self._bounds[variant, index]
        intervals, at_least, at_most = bounds[..., 0], bounds[..., 1], bounds[..., 2]
        allowed: Int64s = np.clip(self._registry.interval[devices][:, None] * intervals, at_least, at_most)
        return allowed

    def off(self, index: int, devices: Int64s) -> Bools | np.bool_:
        """Return for which devices a rule is off: shape (n,), or one answer for all of them."""
        variant = self._variant(devices)
        off: Bools | np.bool_ = self._off[variant, index]
        return off

    def _variant(self, devices: Int64s) -> int | Int32s:
        variant = self._variants.of(devices)
        if len(self._off) < len(self._variants.overrides):
            self._follow()
        return 0 if variant is None else variant

    def _follow(self) -> None:
        """Take in the variants that are new."""
        for overrides in self._variants.overrides[len(self._off) :]:
            in_force = [_in_force(rule, overrides) for rule in self._rules]
            off = np.array([[rule is None for rule in in_force]], np.bool_).reshape(1, len(self._rules))
            bounds = np.full((1, len(self._rules), _BANDS, 3), (0, NEVER, NEVER), np.int64)
            for index, rule in enumerate(in_force):
                for number, band in enumerate(condition_of(rule or self._rules[index]).bands):
                    bounds[0, index, number] = _bounds(band)
            self._off, self._bounds = np.concatenate([self._off, off]), np.concatenate([self._bounds, bounds])


def condition_of(rule: Rule) -> SilenceCondition:
    """Return the condition of a silence rule."""
    assert rule.condition.silence is not None  # the engine hands over silence rules only
    return rule.condition.silence


def _in_force(rule: Rule, overrides: Sequence[Override]) -> Rule | None:
    return resolved(rule, [each for each in overrides if each.rule == rule.id])


def _bounds(band: SilenceBand) -> tuple[int, Micros, Micros]:
    if band.after is not None:
        return 0, band.after, NEVER
    assert band.intervals is not None  # the validator: exactly one of the two
    return band.intervals, band.at_least or 0, NEVER if band.at_most is None else band.at_most


def allowed(band: SilenceBand, interval: Micros) -> Micros:
    """Return the silence a band allows a device that reports every ``interval``, µs."""
    intervals, at_least, at_most = _bounds(band)
    return min(max(interval * intervals, at_least), at_most)
