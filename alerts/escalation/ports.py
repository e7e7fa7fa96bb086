"""What is asked of the store of escalation: alerts with what was told of them, and letters written with that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from firetower.alerts.contacts import Contact
from firetower.alerts.model import Alert, Transition
from firetower.alerts.notify.letters import NewLetter
from firetower.core.clock import Micros


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step of a policy has come for an alert. ``step``: from 1; ``since``: of which period, µs; ``times``:
    how often it was told; ``told_at``: when last, µs.
    """

    policy: str
    step: int
    since: Micros
    times: int
    told_at: Micros


@dataclass(frozen=True, slots=True)
class Case:
    """An alert, where its unit belongs, and what was told of it. ``failed``: (channel, address) that took no letter
    about it and never will.
    """

    alert: Alert
    grid: str | None = None
    category: str | None = None
    progress: tuple[Progress, ...] = ()
    failed: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """What is decided about a case: letters, entries for its history, and the steps that came further."""

    letters: tuple[NewLetter, ...] = ()
    entries: tuple[Transition, ...] = ()
    progress: tuple[Progress, ...] = ()


Decide = Callable[[Case, Sequence[Contact]], Told]
"""Decides about a case as it stands, of everybody who may be called for its place."""


class CaseStore(Protocol):
    """Where cases stand. Every method may raise StoreUnavailable."""

    async def open_cases(self) -> Sequence[int]:
        """Return the ids of all alerts that may be told of."""
        ...

    async def cases(self, alert_ids: Sequence[int]) -> Sequence[Case]:
        """Return those of ``alert_ids``, at most ``alert_rows.CHUNK``, that may be told of, as they stand."""
        ...

    async def tell(self, alert_ids: Sequence[int], decide: Decide, now: Micros) -> None:
        """Have ``decide`` decide about each alert as it stands, and write all of it at once or nothing.

        Nobody else changes the alerts meanwhile. A letter whose key was written before is not written again. Raises
        LeaseLost where another instance tells by now.
        """
        ...
