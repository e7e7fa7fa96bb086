"""Power of devices: a battery that goes flat, and a reboot."""

from dataclasses import dataclass, field

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.readings import Floats, Int64s
from firetower.simulator.faults.sequence import Restart
from firetower.simulator.faults.stream import NOBODY, STATUS, Devices, Reports, Stream, span

EMPTY_V = 2.4
"""Voltage at which a device gives up (a LoRa product's low-battery limit, Netvox)."""


@dataclass(frozen=True, slots=True)
class FlatBattery:
    """The battery goes from what it has at ``start`` to nothing ``over`` µs later. In the second half of that reports
    are missed, more and more of them, and after it there are none: use it as a fault of the report *and* of the way.
    """

    devices: Devices
    seed: int
    start: Micros
    over: Micros

    def spoil(self, reports: Reports) -> None:
        """Let ``battery_percent`` and ``battery`` fall."""
        for metric, empty in (("battery_percent", 0.0), ("battery", EMPTY_V)):
            for block, rows, column in reports.readings(metric, self.devices):
                left = 1 - self._used(reports.at[block.where[rows]])
                block.values[rows, column] = empty + (block.values[rows, column] - empty) * left

    def carry(self, stream: Stream) -> Stream:
        """Return what the battery could still send."""
        missed = 2 * self._used(stream.at) - 1
        silent = self.devices.among(stream.device) & (stream.fates(self.seed, "flat battery") < missed)
        return stream.rows(~silent)

    def _used(self, at: Int64s) -> Floats:
        share: Floats = np.clip((at - self.start) / self.over, 0.0, 1.0)
        return share


@dataclass(frozen=True, slots=True)
class Reboot:
    """At ``start`` the devices go down for ``down`` µs, say nothing, and count from 0 again when they are back.

    A fault of the report and of the way. ``gateways`` among them say ``online`` again.
    """

    devices: Devices
    start: Micros
    down: Micros = 30 * SECOND
    gateways: Devices = NOBODY
    _counter: Restart = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_counter", Restart(self.devices, self.start + self.down))

    def spoil(self, reports: Reports) -> None:
        """Let the counters begin again."""
        self._counter.spoil(reports)

    def carry(self, stream: Stream) -> Stream:
        """Return what is not of the time they were down."""
        return stream.rows(~(self.devices.among(stream.device) & span(stream.at, self.start, self.start + self.down)))

    def speak(self, begin: Micros, end: Micros) -> Stream:
        """Return the statuses of the gateways when they are back."""
        back = self.start + self.down
        numbers = self.gateways.numbers if begin <= back < end else NOBODY.numbers
        return Stream.of(np.full(len(numbers), back, np.int64), numbers, [b"online"] * len(numbers), STATUS)
