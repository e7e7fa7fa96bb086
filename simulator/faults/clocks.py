"""Clocks of devices: off, drifting, jumping by hours or years, or standing still."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.readings import Int64s
from firetower.simulator import noise
from firetower.simulator.faults.stream import Devices, ReportFault, Reports, span

FIELD_SKEW_S = 60
FIELD_DRIFT_PPM = 20.0
"""Usual clocks of the field: up to 60 s off, drifting by 20 ppm (general knowledge, without a source)."""


@dataclass(frozen=True, slots=True)
class WrongClock:
    """The clock is ``offset`` µs off from ``start`` on and gains ``drift_ppm`` µs a second; right again from ``end``.

    A jump is an offset with a start; years are offsets too. Several of one device add up.
    """

    devices: Devices
    start: Micros
    offset: Micros = 0
    drift_ppm: float = 0.0
    end: Micros | None = None

    def spoil(self, reports: Reports) -> None:
        """Move the stamps; the instants stay."""
        rows = np.flatnonzero(self.devices.among(reports.device) & span(reports.at, self.start, self.end))
        since = reports.at[rows] - self.start
        reports.stamp[rows] += self.offset + np.rint(since * (self.drift_ppm * 1e-6)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class StoppedClock:
    """The clock stands still at ``start`` (µs, as the device took it) until ``end``."""

    devices: Devices
    start: Micros
    end: Micros | None = None

    def spoil(self, reports: Reports) -> None:
        """Give every report the one stamp; what other clock faults did before counts as of then."""
        mask = self.devices.among(reports.device) & span(reports.at, self.start, self.end)
        reports.stamp[mask] += self.start - reports.at[mask]


@dataclass(frozen=True, slots=True)
class FieldClocks:
    """Clocks as they are: each its own offset within ± ``skew`` µs and drift within ± ``drift_ppm``.

    ``start``: when all were set, µs; drift counts from there.
    """

    devices: Devices
    seed: int
    start: Micros
    skew: Micros = FIELD_SKEW_S * SECOND
    drift_ppm: float = FIELD_DRIFT_PPM

    def spoil(self, reports: Reports) -> None:
        """Move the stamps of each device by its own measure."""
        rows = np.flatnonzero(self.devices.among(reports.device))
        device = reports.device[rows]
        offset = noise.between(self.seed, "clock offset", device, -1, 1) * self.skew
        drift = noise.between(self.seed, "clock drift", device, -1, 1) * (self.drift_ppm * 1e-6)
        moved: Int64s = np.rint(offset + drift * (reports.at[rows] - self.start)).astype(np.int64)
        reports.stamp[rows] += moved


def shown(faults: Sequence[ReportFault], device: Int64s, at: Int64s) -> Int64s:
    """Return what devices (n,) take instants ``at`` (n,) for, in µs: for the time of an event."""
    reports = Reports.of(device, at, np.zeros(len(at), np.int64), [])
    for fault in faults:
        fault.spoil(reports)
    return reports.stamp
