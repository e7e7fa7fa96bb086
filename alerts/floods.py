"""Floods 报警潮: more new alarms than the people at the seats can answer (ISA-18.2 / IEC 62682)."""

from dataclasses import dataclass
from typing import Self

from firetower.core.clock import MINUTE, Micros

WITHIN: Micros = 10 * MINUTE
"""New alarms are counted over so long."""
BEGINS_OVER = 10
"""New alarms an operator within WITHIN past which a flood begins."""
ENDS_UNDER = 5
"""New alarms an operator within WITHIN below which it ends."""
LOWEST_PRIORITY = 3
"""What is counted goes down to this priority: 4 is a word of advice, which asks nobody to act at once."""


@dataclass(frozen=True, slots=True)
class Flood:
    """New ``alarms`` of the last WITHIN, and the ``operators`` at seats where they sound, at least one.

    ``since``: the time it became a flood, µs; None while it is none.
    """

    alarms: int
    operators: int
    since: Micros | None

    @property
    def active(self) -> bool:
        """Whether it is a flood."""
        return self.since is not None

    @classmethod
    def after(cls, previous: Self | None, alarms: int, operators: int, now: Micros) -> Self:
        """Return what ``previous`` has become at ``now``; between the two limits it stays what it was."""
        operators = max(operators, 1)
        since = None if previous is None else previous.since
        if since is None and alarms > BEGINS_OVER * operators:
            since = now
        elif alarms < ENDS_UNDER * operators:
            since = None
        return cls(alarms, operators, since)
