"""What faults work on: reports still in the device, messages on their way, and the three kinds of fault.

A report is spoilt in the device (``ReportFault``: clocks, sequence, sensors) before it becomes JSON. A message is
carried (``WayFault``: radio, outage, flat battery, damage) before it reaches the broker. And some faults speak by
themselves (``SpeakingFault``: tamper, chatter, reconnect storm). None of them keeps anybody waiting or reads a clock:
each is a function of seed, device and instant, so that batches of any size give the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from firetower.core.clock import Micros
from firetower.devices.city import Device
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.messages import Message, topic
from firetower.simulator.signals import Block

LEAVES = ("telemetry", "alarm", "status")
TELEMETRY, ALARM, STATUS = range(3)
"""Leaves of the topic, as the numbers in ``Stream.leaf``."""

Bodies = npt.NDArray[np.object_]


@dataclass(slots=True)
class Reports:
    """n reports before they are written as JSON. Faults change them in place.

    ``device`` (n,): positions in ``city.devices``. ``at`` (n,): true instant of the measurement in µs, never changed.
    ``stamp`` (n,): what the device takes the time for, µs. ``seq`` (n,): sequence number, not wrapped to 32 bits yet.
    ``blocks``: values by shape, as ``Signals.sample`` returns them. A device's reports stand in order of ``at``.
    """

    device: Int64s
    at: Int64s
    stamp: Int64s
    seq: Int64s
    blocks: list[Block]

    @classmethod
    def of(cls, device: Int64s, at: Int64s, seq: Int64s, blocks: list[Block]) -> "Reports":
        """Return the reports of working devices, whose clocks are right."""
        return cls(device, at, at.copy(), seq.copy(), blocks)

    def readings(self, metric: str, devices: "Devices") -> list[tuple[Block, Int64s, int]]:
        """Return (block, rows in it, column) wherever one of ``devices`` reports ``metric``, each channel by itself."""
        found = []
        for block in self.blocks:
            rows = np.flatnonzero(devices.among(self.device[block.where]))
            if len(rows):
                found += [
                    (block, rows, column)
                    for column, name in enumerate(block.shape.metrics)
                    if name.split(".")[0] == metric
                ]
        return found


@dataclass(frozen=True, slots=True)
class Stream:
    """n messages between device and broker, one a row; faults return another.

    ``due`` (n,): µs at which it reaches the broker. ``device`` (n,): positions in ``city.devices``. ``at`` (n,): true
    instant in µs at which it was written. ``leaf`` (n,): TELEMETRY, ALARM or STATUS. ``body`` (n,): payloads.
    ``stored`` (n,): it comes out of a memory; those of one device due at one instant go as one array (补报).
    """

    due: Int64s
    device: Int64s
    at: Int64s
    leaf: Int64s
    body: Bodies
    stored: Bools

    @classmethod
    def of(cls, due: Int64s, device: Int64s, bodies: Sequence[bytes], leaf: int = TELEMETRY) -> "Stream":
        """Return messages that go out at ``due``, when they were written."""
        count = len(due)
        body: Bodies = np.empty(count, object)
        body[:] = bodies
        return cls(due, device, due.copy(), np.full(count, leaf, np.int64), body, np.zeros(count, np.bool_))

    @classmethod
    def joined(cls, parts: "Sequence[Stream]") -> "Stream":
        """Return the rows of all ``parts``, one part after the other."""
        if not parts:
            none = np.zeros(0, np.int64)
            return cls(none, none, none, none, np.zeros(0, object), np.zeros(0, np.bool_))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))

    def __len__(self) -> int:
        return len(self.due)

    def rows(self, which: npt.NDArray[Any]) -> "Stream":
        """Return some rows: a mask or positions."""
        return Stream(*(getattr(self, name)[which] for name in self.__slots__))

    def on_air(self, devices: "Devices", start: Micros, end: Micros | None) -> Bools:
        """Return which rows a fault of the way can befall: written by ``devices`` in [start, end), and no status.

        Statuses are the broker's affair (Last Will). What comes out of a memory goes as one, and unharmed.
        """
        hit: Bools = devices.among(self.device) & span(self.at, start, end) & (self.leaf != STATUS) & ~self.stored
        return hit

    def fates(self, seed: int, purpose: str) -> Floats:
        """Return a number in [0, 1) for each row, the same whatever else is on its way."""
        # a report and an alarm of one instant have their own fates
        return noise.uniform(seed, purpose, self.device, self.at * len(LEAVES) + self.leaf)

    def messages(self, devices: Sequence[Device]) -> list[Message]:
        """Return the rows as messages of ``city.devices``, in order; statuses are retained."""
        return [
            Message(due, topic(devices[device], LEAVES[leaf]), body, retain=leaf == STATUS)
            for due, device, leaf, body in zip(
                self.due.tolist(), self.device.tolist(), self.leaf.tolist(), self.body.tolist(), strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class Devices:
    """Some devices of a city: positions in ``city.devices``, sorted, each once. See ``places`` for whole districts."""

    numbers: Int64s

    @classmethod
    def of(cls, numbers: Sequence[int] | Int64s) -> "Devices":
        """Return the devices of these positions, in any order."""
        return cls(np.unique(np.asarray(numbers, np.int64)))

    def among(self, device: Int64s) -> Bools:
        """Return for each of ``device`` (n,) whether it is one of these."""
        mask: Bools = self.place(device) >= 0
        return mask

    def place(self, device: Int64s) -> Int64s:
        """Return for each of ``device`` (n,) its place among these, -1 for none."""
        if not len(self.numbers):
            return np.full(len(device), -1, np.int64)
        near = np.minimum(np.searchsorted(self.numbers, device), len(self.numbers) - 1)
        found: Int64s = np.where(self.numbers[near] == device, near, -1)
        return found

    def __len__(self) -> int:
        return len(self.numbers)


NOBODY = Devices(np.zeros(0, np.int64))


class ReportFault(Protocol):
    """A fault inside the device: its clock, its counter, its sensor."""

    def spoil(self, reports: Reports) -> None:
        """Change ``reports`` in place."""


class WayFault(Protocol):
    """A fault between the device and the broker."""

    def carry(self, stream: Stream) -> Stream:
        """Return what becomes of ``stream``: later, doubled, damaged, or less of it."""


class SpeakingFault(Protocol):
    """A fault that makes devices say what they would not have said."""

    def speak(self, begin: Micros, end: Micros) -> Stream:
        """Return what is said from ``begin`` up to, not including, ``end`` (µs), in order of ``due``."""


def span(values: Int64s, begin: Micros, end: Micros | None) -> Bools:
    """Return where instants lie in [begin, end) (µs); None: for ever."""
    inside: Bools = (values >= begin) & (values < end if end is not None else True)
    return inside
