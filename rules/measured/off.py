"""Where overrides turn rules off, for the forms that they can do nothing else to."""

from collections.abc import Sequence

import numpy as np

from firetower.devices.readings import Bools, Int32s, Int64s
from firetower.rules.book.model import Rule
from firetower.rules.book.overrides import resolved
from firetower.rules.measured.scopes import Scopes, VariantsOf


class Off:
    """Of some rules, the devices for which each is off. Most are off nowhere, and cost nothing."""

    def __init__(self, rules: Sequence[Rule], scopes: Scopes) -> None:
        self._rules = rules
        self._variants: dict[int, VariantsOf] = {}  # of the rules that an override names
        for index, rule in enumerate(rules):
            variants = VariantsOf(scopes, [rule.id])
            if not variants.one or variants.overrides[0]:
                self._variants[index] = variants
        self._known = {index: np.zeros(0, np.bool_) for index in self._variants}  # whether it is off, by variant

    @property
    def rules(self) -> frozenset[int]:
        """The rules, by their index, that may be off somewhere."""
        return frozenset(self._variants)

    def of(self, index: int, device: int) -> bool:
        """Say whether a rule is off for a device."""
        return index in self._variants and bool(self.of_many(index, np.array([device], np.int64))[0])

    def of_many(self, index: int, devices: Int32s | Int64s) -> Bools:
        """Return, shape (n,), whether a rule is off for each device."""
        variants = self._variants.get(index)
        if variants is None:
            return np.zeros(len(devices), np.bool_)
        variant = variants.of(devices)
        off = self._known[index]
        if len(off) < len(variants.overrides):
            fresh = [resolved(self._rules[index], each) is None for each in variants.overrides[len(off) :]]
            off = self._known[index] = np.append(off, fresh).astype(np.bool_)
        return np.full(len(devices), off[0]) if variant is None else off[variant]

    def of_each(self, index: np.ndarray[tuple[int, ...], np.dtype[np.int8]], devices: Int32s | Int64s) -> Bools:
        """Return, shape (n,), whether the rule of each device (its ``index``; below zero: none) is off for it."""
        off = np.zeros(len(devices), np.bool_)
        for each in self._variants:
            mine = np.flatnonzero(index == each)
            off[mine] = self.of_many(each, devices[mine])
        return off
