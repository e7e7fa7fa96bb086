"""What devices say themselves: their own alerts, and the event rules over what is active, missing or frequent."""

from collections.abc import Sequence
from typing import Any

from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.devices.registry import Registry
from firetower.rules.events import judge
from firetower.rules.model import Rule
from firetower.rules.verdicts import Verdict


class EventWatch:
    """Event rules, by device."""

    def __init__(self, rules: tuple[Rule, ...], registry: Registry) -> None:
        self._rules = rules
        self._registry = registry

    def seed(self, rule: str, device: int, component: str, active_since: Micros) -> bool:
        """Take over an open alert, of an event rule or of an event (``event:<name>``)."""
        return rule.startswith("event:")

    def step(self, events: Sequence[Event]) -> list[Verdict]:
        """Take alarms in, in their order; return their own verdicts and those of the event rules."""
        return judge(events)

    def tick(self, now: Micros) -> list[Verdict]:
        """Return what the passing of time decides: delays that are over, and what is missing."""
        return []

    def save(self) -> Any:
        """Return the state, of JSON's types."""
        return {}

    def load(self, saved: Any) -> None:
        """Take over what ``save`` returned."""
