"""Cut off and back again: a unit or district without a line, what it stores meanwhile, the storm of its return."""

from dataclasses import dataclass, replace

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.readings import Bools, Int64s
from firetower.simulator import noise
from firetower.simulator.faults.stream import NOBODY, STATUS, Devices, Stream, span

KEPT = 600
"""Records a device keeps while it has no line, oldest first when it sends them (a maker's manual, MK-V3)."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """Devices without a line from ``start`` to ``end`` (µs; None: never back), each back within ``spread`` µs after it.

    ``keep``: what they write meanwhile is stored, the newest 600 records of it, and sent when they are back, oldest
    first, as arrays; else it is lost. ``gateways`` among them go ``offline`` by their Last Will ``will_after`` µs
    after the cut and say ``online`` when they are back.
    """

    devices: Devices
    seed: int
    start: Micros
    end: Micros | None
    keep: bool = True
    spread: Micros = 10 * SECOND
    gateways: Devices = NOBODY
    will_after: Micros = 90 * SECOND

    def carry(self, stream: Stream) -> Stream:
        """Return what is written outside of the cut, and what was stored in it due at the device's return."""
        return_at = self._back(stream.device)
        mask: Bools = self.devices.among(stream.device) & span(stream.at, self.start, None) & (stream.at < return_at)
        kept = mask & (stream.leaf != STATUS)
        if not self.keep or self.end is None:
            return stream.rows(~mask)
        due = np.where(kept, np.maximum(return_at, stream.due), stream.due)
        return replace(stream, due=due, stored=stream.stored | kept).rows(~mask | kept)

    def speak(self, begin: Micros, end: Micros) -> Stream:
        """Return the statuses of the gateways."""
        numbers = self.gateways.numbers
        gone = np.full(len(numbers), self.start + self.will_after, np.int64)
        back = self._back(numbers)
        parts = [_statuses(gone, numbers, b"offline").rows(gone < back)]
        if self.end is not None:
            parts.append(_statuses(back, numbers, b"online"))
        return _within(Stream.joined(parts), begin, end)

    def _back(self, device: Int64s) -> Int64s:
        if self.end is None:
            return np.full(len(device), np.iinfo(np.int64).max)
        after = noise.uniform(self.seed, "back after", device) * self.spread
        returned: Int64s = self.end + after.astype(np.int64)
        return returned


@dataclass(frozen=True, slots=True)
class ReconnectStorm:
    """Gateways that lose and find their line ``times`` times, ``every`` µs, all within ``within`` µs of each other.

    Each time they say ``offline`` (the Last Will) and ``online``.
    """

    gateways: Devices
    seed: int
    start: Micros
    times: int
    every: Micros = 20 * SECOND
    within: Micros = 5 * SECOND

    def speak(self, begin: Micros, end: Micros) -> Stream:
        """Return the statuses."""
        numbers = self.gateways.numbers
        parts = []
        for turn in range(self.times):
            when = self.start + turn * self.every
            gone = when + (noise.uniform(self.seed, "storm", numbers, turn) * self.within / 2).astype(np.int64)
            again = (noise.uniform(self.seed, "storm back", numbers, turn) * self.within / 2).astype(np.int64)
            parts += [_statuses(gone, numbers, b"offline"), _statuses(gone + again + 1, numbers, b"online")]
        return _within(Stream.joined(parts), begin, end)


def _statuses(due: Int64s, device: Int64s, word: bytes) -> Stream:
    return Stream.of(due, device, [word] * len(device), STATUS)


def _within(stream: Stream, begin: Micros, end: Micros) -> Stream:
    inside = np.flatnonzero(span(stream.due, begin, end))
    return stream.rows(inside[np.argsort(stream.due[inside], kind="stable")])
