"""The radio: messages lost, late, doubled and out of order.

Figures (standards of the field, none with a source at hand): delay 2 to 10 s in the median with a tail to minutes, loss
0.5 to 2 %, duplicates 1 %. Delivery by NB-IoT is assured and its delay varies widely (Sensors 2020, 20, 1636).
"""

from dataclasses import dataclass, replace

import numpy as np

from firetower.core.clock import MINUTE, SECOND, Micros
from firetower.simulator import noise
from firetower.simulator.faults.stream import Devices, Stream
from firetower.simulator.models import Radio

LONGEST: Micros = 10 * MINUTE
DELAYS: dict[Radio, tuple[float, float]] = {"nb_iot": (6.0, 1.0), "lora": (2.0, 0.6), "wired": (0.05, 0.3)}
"""Median delay in seconds and spread (deviation of its logarithm) by radio."""
LOSS: dict[Radio, float] = {"nb_iot": 0.005, "lora": 0.02, "wired": 0.0}
DUPLICATES = 0.01


@dataclass(frozen=True, slots=True)
class Loss:
    """A ``share`` of the messages never arrives."""

    devices: Devices
    seed: int
    share: float
    start: Micros = 0
    end: Micros | None = None

    @classmethod
    def by_radio(cls, devices: Devices, seed: int, which: Radio) -> "Loss":
        """Return the usual loss of a radio."""
        return cls(devices, seed, LOSS[which])

    def carry(self, stream: Stream) -> Stream:
        """Return what arrives."""
        hit = stream.on_air(self.devices, self.start, self.end)
        return stream.rows(~(hit & (stream.fates(self.seed, "loss") < self.share)))


@dataclass(frozen=True, slots=True)
class Delay:
    """Messages arrive later: log-normal with ``median`` s and ``spread``, at most ten minutes. They may overtake."""

    devices: Devices
    seed: int
    median: float
    spread: float
    start: Micros = 0
    end: Micros | None = None

    @classmethod
    def by_radio(cls, devices: Devices, seed: int, which: Radio) -> "Delay":
        """Return the usual delay of a radio."""
        return cls(devices, seed, *DELAYS[which])

    def carry(self, stream: Stream) -> Stream:
        """Return all of it, later."""
        hit = stream.on_air(self.devices, self.start, self.end)
        drawn = noise.normal(stream.fates(self.seed, "delay"), stream.fates(self.seed, "delay turn"))
        longer = self.median * np.exp(self.spread * drawn)
        late = np.minimum(np.rint(longer * SECOND).astype(np.int64), LONGEST)
        return replace(stream, due=stream.due + np.where(hit, late, 0))


@dataclass(frozen=True, slots=True)
class Duplicates:
    """A ``share`` of the messages arrives twice, the second up to ``within`` µs after the first."""

    devices: Devices
    seed: int
    share: float = DUPLICATES
    within: Micros = 30 * SECOND
    start: Micros = 0
    end: Micros | None = None

    def carry(self, stream: Stream) -> Stream:
        """Return the messages and after them the doubles."""
        hit = stream.on_air(self.devices, self.start, self.end)
        again = stream.rows(hit & (stream.fates(self.seed, "duplicate") < self.share))
        after = again.fates(self.seed, "duplicate after") * self.within
        return Stream.joined([stream, replace(again, due=again.due + after.astype(np.int64))])


@dataclass(frozen=True, slots=True)
class Reordering:
    """A ``share`` of the messages is held back by up to ``by`` µs, so that later ones overtake it."""

    devices: Devices
    seed: int
    share: float
    by: Micros
    start: Micros = 0
    end: Micros | None = None

    def carry(self, stream: Stream) -> Stream:
        """Return all of it, some later."""
        hit = stream.on_air(self.devices, self.start, self.end)
        held = hit & (stream.fates(self.seed, "reorder") < self.share)
        later = (stream.fates(self.seed, "reorder by") * self.by).astype(np.int64)
        return replace(stream, due=stream.due + np.where(held, later, 0))
