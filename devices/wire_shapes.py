"""Shapes of ordinary objects: which name stands where, so that a batch of them becomes columns in a few numpy steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firetower.devices.readings import Bools, Floats, Int16s, Int64s, Quality

ODD = 0
"""The shape of whatever is not an ordinary object: of no values."""
MOST_SHAPES = 4096
"""Shapes remembered at a time; a sender can order its names as it likes, and must not fill the memory with that."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The measured values of ordinary objects as columns, in order of arrival.

    ``of_object``: index of the object; ``index``: place among all numbers of the objects, ``ts`` and ``seq`` too.
    """

    of_object: Int64s
    index: Int64s
    metric: Int16s
    channel: Int16s
    value: Floats
    quality: Int16s


@dataclass(frozen=True, slots=True)
class Field:
    """A name resolved: numbers of metric and channel, the believable range, the quality beyond each end of it."""

    metric: int
    channel: int
    lowest: float
    highest: float
    below: int
    above: int


class Shapes:
    """The names of ordinary objects in their order, as numbers from 1, and the fields they stand for.

    Columns indexed by shape: ``first``, ``width``, ``values`` (how many of the width are measured, not ``ts`` or
    ``seq``). Columns of one entry a name, those of shape s from ``first[s]`` on: what ``Field`` says.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], int] = {}
        self._first: Int64s = np.zeros(1, np.int64)
        self._width: Int64s = np.zeros(1, np.int64)
        self._values: Int64s = np.zeros(1, np.int64)
        self._measured: Bools = np.zeros(0, np.bool_)
        self._metric: Int16s = np.zeros(0, np.int16)
        self._channel: Int16s = np.zeros(0, np.int16)
        self._lowest: Floats = np.zeros(0)
        self._highest: Floats = np.zeros(0)
        self._below: Int16s = np.zeros(0, np.int16)
        self._above: Int16s = np.zeros(0, np.int16)

    @property
    def full(self) -> bool:
        """Whether no more shapes are remembered here."""
        return len(self.known) >= MOST_SHAPES

    def add(self, names: tuple[str, ...], fields: Sequence[Field | None]) -> int:
        """Remember a shape and return its number; ``fields``: None for ``ts`` and ``seq``."""
        number = self.known[names] = len(self._width)
        self._first = np.append(self._first, len(self._metric))
        self._width = np.append(self._width, len(fields))
        self._values = np.append(self._values, sum(field is not None for field in fields))
        self._measured = np.append(self._measured, [field is not None for field in fields])
        rows = [field or _NOTHING for field in fields]
        self._metric = np.append(self._metric, np.array([field.metric for field in rows], np.int16))
        self._channel = np.append(self._channel, np.array([field.channel for field in rows], np.int16))
        self._lowest = np.append(self._lowest, [field.lowest for field in rows])
        self._highest = np.append(self._highest, [field.highest for field in rows])
        self._below = np.append(self._below, np.array([field.below for field in rows], np.int16))
        self._above = np.append(self._above, np.array([field.above for field in rows], np.int16))
        return number

    def count(self, shapes: Int64s) -> int:
        """Return how many measured values objects of ``shapes`` have."""
        return int(self._values[shapes].sum())

    def columns(self, shapes: Int64s, numbers: Floats) -> Measured:
        """Return what objects of ``shapes`` measured; ``numbers``: all that stands in them, one after the other."""
        width = self._width[shapes]
        name = np.repeat(self._first[shapes] - np.cumsum(width) + width, width) + np.arange(len(numbers))
        index = np.flatnonzero(self._measured[name])
        name, value = name[index], numbers[index]
        quality = np.where(
            value < self._lowest[name],
            self._below[name],
            np.where(value > self._highest[name], self._above[name], np.int16(Quality.GOOD)),
        )
        of_object = np.repeat(np.arange(len(shapes)), width)[index]
        return Measured(of_object, index, self._metric[name], self._channel[name], value, quality)


_NOTHING = Field(0, 0, -np.inf, np.inf, 0, 0)
