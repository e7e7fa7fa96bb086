"""Combinations: what is active on several devices of a zone, building, unit, main or gateway together."""

from collections.abc import Sequence
from typing import Any

from firetower.core.clock import Micros
from firetower.devices.registry import Registry
from firetower.rules.rulebook import Rulebook
from firetower.rules.verdicts import Verdict


class CombinationWatch:
    """Combination rules, by group; fed with the verdicts of all other rules and events."""

    def __init__(self, rulebook: Rulebook, registry: Registry) -> None:
        self._rulebook = rulebook
        self._registry = registry

    def seed(self, rule: str, subject: str, device: int | None, component: str, active_since: Micros) -> bool:
        """Take over an open alert, of a combination (then True) or of one of its members."""
        return False

    def step(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Take in what was decided, in event time order; return what that makes of the combinations."""
        return []

    def tick(self, now: Micros) -> list[Verdict]:
        """Return what the passing of time decides: delays that are over."""
        return []

    def save(self) -> Any:
        """Return the state, of JSON's types."""
        return {}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
