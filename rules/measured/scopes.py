"""Which overrides fit which devices: each distinct set of them is a variant, and each device has one."""

from collections.abc import Callable, Sequence

import numpy as np

from firetower.devices.columns import Column
from firetower.devices.readings import Int32s, Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.model import LEVELS, Level, Override

_LABELS: tuple[Level, ...] = ("district", "unit_category", "model")


class Scopes:
    """Follows the registry: a device whose file changes has the variant of its new scopes from the next question on.

    Variant 0 is that of the overrides for the whole city, which every other one holds too. What is asked of all devices
    at once is one pass over those that have changed.
    """

    def __init__(self, overrides: Sequence[Override], registry: Registry) -> None:
        self._registry = registry
        self._known = -1  # revision of the registry that the column follows
        self._variant: Column[np.int32] = Column(np.int32)
        city = tuple(each for each in overrides if each.scope.level == "city")
        self.variants: list[tuple[Override, ...]] = [city]
        """The overrides of each variant, from the widest scope to the narrowest."""
        self._number_of: dict[tuple[int, Level, str], int] = {}
        self._by_level: dict[Level, dict[str, tuple[Override, ...]]] = {level: {} for level in LEVELS}
        for each in overrides:
            if each.scope.level != "city":
                of_level = self._by_level[each.scope.level]
                of_level[each.scope.value] = (*of_level.get(each.scope.value, ()), each)
        self.one = not any(self._by_level.values())
        """Whether every device has variant 0."""

    def mention(self, rules: frozenset[str]) -> bool:
        """Say whether a scope narrower than the city overrides one of ``rules``."""
        return any(
            each.rule in rules
            for of_level in self._by_level.values()
            for overrides in of_level.values()
            for each in overrides
        )

    def of(self, devices: Int32s | Int64s) -> Int32s:
        """Return the variant of each device; numbers of variants never change."""
        if self.one:
            return np.zeros(len(devices), np.int32)
        if self._known != self._registry.revision:
            self._follow()
        return self._variant.rows[devices]

    def _follow(self) -> None:
        registry = self._registry
        changed = np.flatnonzero(registry.changed > self._known).astype(np.int64)
        self._known = registry.revision
        self._variant.fit(len(registry.kind))
        variant = np.zeros(len(changed), np.int32)
        for level in _LABELS[:2]:
            self._narrow(variant, level, registry.label_numbers(level)[changed], registry.number_of_label)
        self._narrow(variant, "unit", registry.unit_number[changed], registry.number_of_unit)
        self._narrow(variant, "model", registry.label_numbers("model")[changed], registry.number_of_label)
        self._narrow_devices(variant, changed)
        self._variant.rows[changed] = variant

    def _narrow(self, variant: Int32s, level: Level, has: Int32s, number_of: Callable[[str], int | None]) -> None:
        """Put devices whose value (``has``: its number) has overrides into variants that hold these."""
        values = {number: value for value in self._by_level[level] if (number := number_of(value)) is not None}
        if not values:
            return
        numbers = np.array(sorted(values), np.int64)
        place = np.minimum(np.searchsorted(numbers, has), len(numbers) - 1)
        mine = np.flatnonzero(numbers[place] == has)
        pairs, of_pair = np.unique(variant[mine].astype(np.int64) * len(numbers) + place[mine], return_inverse=True)
        new = [
            self._with(pair // len(numbers), level, values[int(numbers[pair % len(numbers)])])
            for pair in pairs.tolist()
        ]
        variant[mine] = np.array(new, np.int32)[of_pair]

    def _narrow_devices(self, variant: Int32s, changed: Int64s) -> None:
        registry, scopes = self._registry, self._by_level["device"]
        if len(changed) < len(scopes):
            names = ["/".join(registry.name(number)) for number in changed.tolist()]
            found = [(place, name) for place, name in enumerate(names) if name in scopes]
        else:
            place_of = ((registry.number(*name.split("/", 1)), name) for name in scopes)
            at = [
                (int(np.searchsorted(changed, number)), number, name) for number, name in place_of if number is not None
            ]
            found = [(place, name) for place, number, name in at if place < len(changed) and changed[place] == number]
        for place, name in found:
            variant[place] = self._with(int(variant[place]), "device", name)

    def _with(self, variant: int, level: Level, value: str) -> int:
        """Return the variant that holds what ``variant`` does and the overrides of a narrower scope."""
        key = (variant, level, value)
        number = self._number_of.get(key)
        if number is None:
            number = self._number_of[key] = len(self.variants)
            self.variants.append((*self.variants[variant], *self._by_level[level][value]))
        return number


class VariantsOf:
    """The variants of some rules only: of ``Scopes``, those that override them differently.

    ``one``: they are the same everywhere. ``overrides``: by rule, of each variant.
    """

    def __init__(self, scopes: Scopes, rules: Sequence[str]) -> None:
        self._scopes = scopes
        self._rules = frozenset(rules)
        self.overrides: list[tuple[Override, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._of_variant = np.zeros(0, np.int32)
        self.one = scopes.one or not scopes.mention(self._rules)
        self._take()

    def of(self, devices: Int32s | Int64s) -> Int32s | None:
        """Return the variant of each device, an index of ``overrides``, which may have grown; None where one is all."""
        if self.one:
            return None
        variant = self._scopes.of(devices)
        if len(self._of_variant) < len(self._scopes.variants):
            self._take()
        return self._of_variant[variant]

    def _take(self) -> None:
        """Take in the variants that devices have been given since."""
        fresh = []
        for overrides in self._scopes.variants[len(self._of_variant) :]:
            mine = tuple(each for each in overrides if each.rule in self._rules)
            key = tuple(map(id, mine))  # of objects that ``Scopes`` keeps
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self.overrides)
                self.overrides.append(mine)
            fresh.append(number)
        self._of_variant = np.append(self._of_variant, np.array(fresh, np.int32))
