"""What is asked of the outbox's store: letters put, taken into hand, recorded; and what became of them, noted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from firetower.alerts.notify.letters import Letter, LetterState, NewLetter
from firetower.alerts.notify.wanted import Candidate
from firetower.core.clock import Micros


class Fact(StrEnum):
    """What a receiver tells of a letter; each is an instant of its own, the first telling counts."""

    DELIVERED = "delivered"  # 已送达
    READ = "read"  # 已读
    ACTED = "acted"  # 已处理: a key pressed, or the alert acknowledged by that account


@dataclass(frozen=True, slots=True)
class Claimed:
    """Letters taken into hand, and how many were cancelled instead, by why."""

    send: tuple[Candidate, ...]
    cancelled: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try. ``state`` WAITING: tried again at ``next_try_at``. ``facts``: kept with the letter."""

    state: LetterState
    trouble: str | None = None
    next_try_at: Micros | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """One channel's letters since a time, by state, and its newest trouble with its time."""

    by_state: Mapping[LetterState, int]
    trouble: str | None = None
    trouble_at: Micros | None = None


class OutboxStore(Protocol):
    """Where letters stand. Whoever claims and records holds the desk's lease: LeaseLost ends him, whatever he does."""

    async def put(self, letters: Sequence[NewLetter], now: Micros) -> int:
        """Write letters and return how many are new: a key is written once, for ever."""
        ...

    async def begin(self, channels: Sequence[str]) -> Sequence[str]:
        """Take over: letters of other channels than these fail. Return channels that are gone from the plan, but whose
        own alert stands.
        """
        ...

    async def claim(self, channel: str, most: int, in_hand: Collection[int], now: Micros) -> Claimed:
        """Take due letters of a channel into hand, at most ``most``, the most urgent first; cancel what nobody wants.

        Letters that were taken into hand but are not in ``in_hand`` were left behind by somebody, and are due at once.
        A letter is due, too, when it was written or tried later than ``now``: the clock was set back since.
        """
        ...

    async def record(self, letter: Letter, outcome: Outcome, now: Micros) -> None:
        """Store what became of a letter in hand; one that was told of meanwhile keeps what was told."""
        ...

    async def note(self, reference: str, fact: Fact | None, at: Micros, facts: Mapping[str, Any]) -> bool:
        """Note what a receiver told, the first time it does; return whether that was news. NotFound: no such letter."""
        ...

    async def asked_about(self, channel: str, since: Micros, most: int) -> list[Letter]:
        """Return letters sent at or after ``since`` of which nobody has told that they were acted on or failed."""
        ...

    async def of_alert(self, alert_id: int) -> list[Letter]:
        """Return the letters about an alert, oldest first."""
        ...

    async def figures(self, since: Micros) -> dict[str, ChannelFigures]:
        """Return the figures of every channel that has letters of ``since`` or later."""
        ...
