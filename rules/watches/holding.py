"""What holds or does not, as rules on events and on groups see it: schedule, delays, and when to look again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from typing import Generic, TypeVar

import numpy as np

from firetower.core.clock import MINUTE, Micros
from firetower.devices.readings import Bools, Int64s
from firetower.rules.book.model import Rule
from firetower.rules.measured.calendars import Days
from firetower.rules.measured.lanes import NEVER

MOST_LOOKS = 500
"""Things that are due, looked at in one tick: a district that loses its power must not hold anything up."""
Key = TypeVar("Key")
Turn = tuple[Micros, bool]
"""An instant at which something began to count as raised (True) or ended (False)."""
Active = Callable[[Int64s], Bools]
"""Whether a schedule is active at instants, µs; it changes with whole minutes only."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a rule takes what holds: for ``on_delay``, until not for ``off_delay``, within ``active`` (None: always)."""

    on_delay: Micros = 0
    off_delay: Micros = 0
    active: Active | None = None

    @classmethod
    def of(cls, rule: Rule, days: Days, on_delay: Micros, off_delay: Micros) -> "Terms":
        """Return the delays given and the schedule of ``rule``."""
        schedule = rule.schedule
        return cls(on_delay, off_delay, None if schedule is None else partial(days.active, schedule))

    def is_active(self, at: Micros) -> bool:
        """Say whether the schedule is active at an instant."""
        return self.active is None or bool(self.active(np.array([at], np.int64))[0])


class Holding:
    """One thing that holds or not. Its calls are given instants in any order; an earlier one counts as the last.

    ``met``: what it is about is so, whatever the schedule. ``raised``: it was said, and not yet that it is over.
    A delay that ends at the instant of a change has ended. One that ends as the schedule does, has not.
    """

    __slots__ = ("holds", "looked", "met", "raised", "since")

    def __init__(self) -> None:
        self.met = self.holds = self.raised = False
        self.since: Micros = -NEVER  # last change of ``holds``, or last turn
        self.looked: Micros = -NEVER  # the schedule was looked at up to here

    def seed(self, since: Micros) -> None:
        """Take over what was raised, and holds as far as anybody knows."""
        self.met = self.holds = self.raised = True
        self.since = self.looked = since

    def turn(self, terms: Terms, at: Micros, *, met: bool) -> list[Turn]:
        """Say that from ``at`` on it is so, or is not; return what that and the time until then decide."""
        out = self.advance(terms, at)
        if met != self.met:
            self.met = met
            self.looked = max(at, self.since)
            self._hold(met and terms.is_active(at), at)
        return out + self._elapsed(terms, at)

    def advance(self, terms: Terms, until: Micros) -> list[Turn]:
        """Return what the passing of time up to ``until`` decides."""
        out: list[Turn] = []
        if terms.active is not None and self.met:
            first = (self.looked // MINUTE + 1) * MINUTE
            if first <= until:
                minutes = np.arange(first, until + 1, MINUTE)
                active = terms.active(minutes)
                changes = np.flatnonzero(np.append(self.holds, active[:-1]) != active)
                for at in minutes[changes].tolist():
                    out += self._elapsed(terms, at - 1)
                    self._hold(not self.holds, at)
                self.looked = until
        return out + self._elapsed(terms, until)

    def next_look(self, terms: Terms) -> Micros:
        """Return before when nothing is decided by itself; NEVER when nothing will be."""
        due = self._due(terms)
        return min(due, (self.looked // MINUTE + 1) * MINUTE) if terms.active is not None and self.met else due

    def save(self) -> list[int]:
        """Return the state."""
        return [int(self.met), int(self.holds), int(self.raised), self.since, self.looked]

    @classmethod
    def load(cls, saved: list[int]) -> "Holding":
        """Return what ``save`` told of."""
        new = cls()
        new.met, new.holds, new.raised = (bool(each) for each in saved[:3])
        new.since, new.looked = saved[3:]
        return new

    def _due(self, terms: Terms) -> Micros:
        if self.holds == self.raised:
            return NEVER
        return self.since + (terms.on_delay if self.holds else terms.off_delay)

    def _elapsed(self, terms: Terms, until: Micros) -> list[Turn]:
        due = self._due(terms)
        if due > until:
            return []
        self.raised = self.holds
        self.since = due
        return [(due, self.raised)]

    def _hold(self, holds: bool, at: Micros) -> None:
        if holds != self.holds:
            self.holds = holds
            self.since = max(at, self.since)


class Agenda(Generic[Key]):
    """What is to be looked at again, and when; each key once, at its earliest instant."""

    def __init__(self) -> None:
        self._heap: list[tuple[Micros, int, Key]] = []
        self._next: dict[Key, Micros] = {}
        self._count = 0

    def note(self, key: Key, at: Micros) -> None:
        """Look at ``key`` at ``at``, unless that is to be done earlier; never, at NEVER."""
        if at < self._next.get(key, NEVER):
            self._next[key] = at
            self._count += 1
            heappush(self._heap, (at, self._count, key))

    def due(self, now: Micros) -> list[Key]:
        """Return, and forget, what is to be looked at by ``now``, in the order of its instants; MOST_LOOKS at once.

        The next call goes on where this one stopped: each turn has its own instant, whenever it is told.
        """
        out: list[Key] = []
        while self._heap and self._heap[0][0] <= now and len(out) < MOST_LOOKS:
            at, _, key = heappop(self._heap)
            if self._next.get(key) == at:
                del self._next[key]
                out.append(key)
        return out
