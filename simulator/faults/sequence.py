"""Sequence numbers that wrap early, begin anywhere, or begin again."""

from dataclasses import dataclass, field

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.readings import Int64s
from firetower.simulator.faults.stream import Devices, Reports, span

SHORT_WRAP = 1 << 16
"""Many devices count with 16 bits: 65535 is followed by 0 (GB/T 26875.3 numbers its packets so)."""


@dataclass(frozen=True, slots=True)
class Wrap:
    """The counter begins at ``first`` and wraps to 0 at ``modulus``."""

    devices: Devices
    first: int = SHORT_WRAP - 10
    modulus: int = SHORT_WRAP

    def spoil(self, reports: Reports) -> None:
        """Number the reports anew."""
        mask = self.devices.among(reports.device)
        reports.seq[mask] = (reports.seq[mask] + self.first) % self.modulus


@dataclass(frozen=True, slots=True)
class Restart:
    """The counter begins again at 0 with the first report at or after ``start``, as after a reboot."""

    devices: Devices
    start: Micros
    _first: Int64s = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_first", np.full(len(self.devices), -1, np.int64))

    def spoil(self, reports: Reports) -> None:
        """Number the reports anew; a device's reports must be given in order of their time."""
        rows = np.flatnonzero(self.devices.among(reports.device) & span(reports.at, self.start, None))
        place = self.devices.place(reports.device[rows])
        # the first of a device in this batch; np.unique gives the first row of each
        known, first = np.unique(place, return_index=True)
        new = self._first[known] < 0
        self._first[known[new]] = reports.seq[rows[first[new]]]
        reports.seq[rows] -= self._first[place]
