"""Suppression by design 设计抑制: verdicts of some rules are held back while something else is active."""

from collections.abc import Sequence
from typing import Any

from firetower.devices.registry import Registry
from firetower.rules.rulebook import Rulebook
from firetower.rules.verdicts import Verdict


class SuppressionWatch:
    """Rules with ``suppressed``; fed with everything that was decided."""

    def __init__(self, rulebook: Rulebook, registry: Registry) -> None:
        self._rulebook = rulebook
        self._registry = registry

    def seed(self, verdict: Verdict) -> None:
        """Take over an open alert as the raise it began with."""

    def step(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Return the verdicts, those held back marked, and raises again of what is held back no longer."""
        return list(verdicts)

    def save(self) -> Any:
        """Return the state, of JSON's types."""
        return {}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
