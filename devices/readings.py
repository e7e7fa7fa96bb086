"""The columnar batch: readings as parallel numpy columns, never one Python object per reading."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Quality(IntEnum):
    """How far a reading may be believed; the two lowest bits of its flags."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Mark(IntFlag):
    """What else is known of a reading; the bits of its flags above the quality."""

    QUALITY = 0b11  # mask of the quality
    LATE = 1 << 2  # older than the newest event already evaluated for its series (补报)
    CLOCK_STUCK = 1 << 3  # same time as before with another value: stored at arrival time
    ZONE_ASSUMED = 1 << 4  # text time without a zone, read as UTC+8
    ARRIVAL_TIME = 1 << 5  # the device gave no usable time


@dataclass(frozen=True, slots=True)
class Readings:
    """n readings as columns, each of shape (n,).

    ``device``, ``metric``, ``channel``: interned numbers (registry, catalogue, registry; channel 0 is "none").
    ``series``: the registry's number of (device, metric, channel), local to this process.
    ``ts``: event time, µs since the epoch UTC. ``received``: arrival time, same unit.
    ``value``: in the metric's unit, finite. ``flags``: a Quality in the two low bits, Marks above.
    """

    series: Int32s
    device: Int32s
    metric: Int16s
    channel: Int16s
    ts: Int64s
    received: Int64s
    value: Floats
    flags: Int16s

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def quality(self) -> Int16s:
        """The quality column, values of ``Quality``."""
        return np.bitwise_and(self.flags, np.int16(Mark.QUALITY))

    def take(self, which: Bools | Int64s) -> "Readings":
        """Return the readings that ``which`` (a mask or indices) selects."""
        return Readings(
            self.series[which],
            self.device[which],
            self.metric[which],
            self.channel[which],
            self.ts[which],
            self.received[which],
            self.value[which],
            self.flags[which],
        )

    @staticmethod
    def empty() -> "Readings":
        """Return a batch of no readings."""
        return Readings.of([], [], [], [], [], [], [], [])

    @staticmethod
    def of(  # noqa: PLR0917 - the columns, in their order
        series: "list[int] | Int32s",
        device: "list[int] | Int32s",
        metric: "list[int] | Int16s",
        channel: "list[int] | Int16s",
        ts: "list[int] | Int64s",
        received: "list[int] | Int64s",
        value: "list[float] | Floats",
        flags: "list[int] | Int16s",
    ) -> "Readings":
        """Return the columns as arrays of the right type."""
        return Readings(
            np.asarray(series, np.int32),
            np.asarray(device, np.int32),
            np.asarray(metric, np.int16),
            np.asarray(channel, np.int16),
            np.asarray(ts, np.int64),
            np.asarray(received, np.int64),
            np.asarray(value, np.float64),
            np.asarray(flags, np.int16),
        )
