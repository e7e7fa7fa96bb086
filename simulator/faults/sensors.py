"""Sensors that lie: a value that stands still, spikes, and a wrong unit."""

from dataclasses import dataclass, field

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.readings import Floats
from firetower.simulator import noise
from firetower.simulator.faults.stream import Devices, Reports, span

KPA_FOR_MPA = 1000.0


@dataclass(frozen=True, slots=True)
class Stuck:
    """A metric keeps the value of its first report at or after ``start``, until ``end``; each channel its own."""

    devices: Devices
    metric: str
    start: Micros
    end: Micros | None = None
    _held: dict[str, Floats] = field(init=False, default_factory=dict)

    def spoil(self, reports: Reports) -> None:
        """Put the held value in; a device's reports must be given in order of their time."""
        for block, mine, column in reports.readings(self.metric, self.devices):
            rows = mine[span(reports.at[block.where[mine]], self.start, self.end)]
            place = self.devices.place(reports.device[block.where[rows]])
            name = block.shape.metrics[column]
            held = self._held.setdefault(name, np.full(len(self.devices), np.nan))
            known, first = np.unique(place, return_index=True)
            new = np.isnan(held[known])
            held[known[new]] = block.values[rows[first[new]], column]
            block.values[rows, column] = held[place]


@dataclass(frozen=True, slots=True)
class Spikes:
    """A ``share`` of a metric's values is something between ``low`` and ``high`` (the metric's unit) for one report."""

    devices: Devices
    seed: int
    metric: str
    share: float
    low: float
    high: float
    start: Micros = 0
    end: Micros | None = None

    def spoil(self, reports: Reports) -> None:
        """Put the spikes in."""
        for block, mine, column in reports.readings(self.metric, self.devices):
            device, at = reports.device[block.where[mine]], reports.at[block.where[mine]]
            name = block.shape.metrics[column]
            hit = span(at, self.start, self.end) & (noise.uniform(self.seed, f"spike {name}", device, at) < self.share)
            drawn = noise.uniform(self.seed, f"spike size {name}", device[hit], at[hit])
            block.values[mine[hit], column] = self.low + (self.high - self.low) * drawn


@dataclass(frozen=True, slots=True)
class WrongUnit:
    """A metric is reported in another unit: times ``factor``, as kPa where MPa is due."""

    devices: Devices
    metric: str
    factor: float = KPA_FOR_MPA
    start: Micros = 0
    end: Micros | None = None

    def spoil(self, reports: Reports) -> None:
        """Multiply the values."""
        for block, mine, column in reports.readings(self.metric, self.devices):
            rows = mine[span(reports.at[block.where[mine]], self.start, self.end)]
            block.values[rows, column] *= self.factor
