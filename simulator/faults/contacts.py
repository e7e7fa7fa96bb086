"""Contacts that speak out of turn: tamper and chatter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.readings import Int64s
from firetower.simulator import messages, noise
from firetower.simulator.faults.clocks import shown
from firetower.simulator.faults.stream import ALARM, Devices, ReportFault, Stream, span


@dataclass(frozen=True, slots=True)
class Tamper:
    """Somebody handles the devices: ``event`` (tamper, removed, cover_open) at ``start``, taken back at ``end``.

    ``clocks``: the clock faults of these devices, for the time they write.
    """

    devices: Devices
    start: Micros
    event: str = "tamper"
    end: Micros | None = None
    clocks: tuple[ReportFault, ...] = ()

    def speak(self, begin: Micros, end: Micros) -> Stream:
        """Return the events within the window."""
        instants = [(self.start, True)] if self.end is None else [(self.start, True), (self.end, False)]
        numbers = self.devices.numbers
        parts = [
            _events(np.full(len(numbers), at, np.int64), numbers, self.event, "", active=active, clocks=self.clocks)
            for at, active in instants
            if begin <= at < end
        ]
        return Stream.joined(parts)


@dataclass(frozen=True, slots=True)
class Chatter:
    """A contact that opens and closes: ``event`` comes and goes, a change each ``every`` µs give or take a quarter.

    It begins with active and ends, where ``end`` is, with not active. Three changes in 60 s count as chattering.
    """

    devices: Devices
    seed: int
    event: str
    start: Micros
    end: Micros
    every: Micros = 5 * SECOND
    component: str = ""
    clocks: tuple[ReportFault, ...] = ()

    def speak(self, begin: Micros, end: Micros) -> Stream:
        """Return the changes within the window."""
        numbers = self.devices.numbers
        changes = max(2, (self.end - self.start) // self.every // 2 * 2)  # as often on as off
        # a change may come a quarter of `every` early or late: look at those around the window only
        first = max(0, (begin - self.start) // self.every - 1)
        parts = []
        for turn in range(first, min(changes, (end - self.start) // self.every + 2)):
            shift = (noise.uniform(self.seed, f"chatter {self.event}", numbers, turn) - 0.5) * 0.5 * self.every
            at = np.maximum(self.start, self.start + turn * self.every + shift.astype(np.int64))
            said = _events(at, numbers, self.event, self.component, active=turn % 2 == 0, clocks=self.clocks)
            parts.append(said.rows(span(at, begin, end)))
        said = Stream.joined(parts)
        return said.rows(np.argsort(said.due, kind="stable"))


def _events(
    at: Int64s, numbers: Int64s, event: str, component: str, *, active: bool, clocks: Sequence[ReportFault]
) -> Stream:
    bodies = [
        messages.alarm(stamp, event, active=active, component=component, text="")
        for stamp in shown(clocks, numbers, at).tolist()
    ]
    return Stream.of(at, numbers, bodies, ALARM)
