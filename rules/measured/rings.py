"""Sliding windows: the readings of each series in twelve buckets that follow one another, and only sums of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from firetower.core.clock import Micros
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.rules.book.conditions import BUCKETS
from firetower.rules.measured.columns import Column
from firetower.rules.measured.rows import Field, Records, Rows

FLOATS: tuple[type[np.float64], tuple[int, ...]] = (np.float64, (BUCKETS,))
Counts = npt.NDArray[np.unsignedinteger[Any]]
_SLOTS = np.arange(BUCKETS)
_AGE = ((_SLOTS[:, None] - _SLOTS) % BUCKETS).astype(np.int8)
"""By the slot of now and slot: how many buckets ago that slot was filled."""


class Windows:
    """The windows of n readings, as of each. Arrays are of shape (n,), or (n, 12) by slot.

    ``state``: their records. ``slot``: where the reading itself belongs, ``offset`` µs after its bucket began. ``age``:
    how many buckets ago that slot's is. ``count``: readings in each slot; fields of a slot without any say nothing.
    """

    __slots__ = ("age", "bucket", "count", "offset", "place", "slot", "state", "ts", "value")

    def __init__(self, state: Records, ts: Int64s, value: Floats, width: Micros) -> None:
        self.state, self.ts, self.value = state, ts, value
        self.bucket, self.offset = np.divmod(ts, width)
        self.place, self.slot = np.arange(len(ts)), self.bucket % BUCKETS
        self.age = _AGE[self.slot]
        passed = np.minimum(self.bucket + 1 - state["newest"], BUCKETS)  # one more: zero is a series never heard of
        state["newest"] = self.bucket + 1
        self.count: Counts = state["count"] * (self.age >= passed[:, None])

    @property
    def number(self) -> Int64s:
        """How many readings there are in all slots."""
        number: Int64s = np.einsum("ij->i", self.count, dtype=np.int64, casting="safe")
        return number

    def total(self, field: str) -> Floats:
        """Return the sum of a field over the slots that hold readings."""
        held = (self.count > 0).view(np.int8)
        total: Floats = np.einsum("ij,ij->i", self.state[field], held).astype(np.float64)
        return total

    def oldest_slot(self) -> Int64s:
        """Return the oldest slot that holds readings."""
        slot: Int64s = ((self.count > 0) * (self.age + np.int8(1))).argmax(axis=1)
        return slot

    def oldest(self, field: str) -> npt.NDArray[np.float64]:
        """Return what a field holds in the oldest slot that holds readings."""
        found: npt.NDArray[np.float64] = self.state[field][self.place, self.oldest_slot()]
        return found


class Slots:
    """The slots that some of the readings fall into, each one before that reading.

    ``count``: readings there; ``fresh``: none yet.
    """

    __slots__ = ("count", "fresh", "offset", "place", "slot", "state", "ts", "value")

    def __init__(self, windows: Windows, which: Int64s | slice) -> None:
        self.state, self.place, self.slot = windows.state, windows.place[which], windows.slot[which]
        self.ts, self.value, self.offset = windows.ts[which], windows.value[which], windows.offset[which]
        self.count: Counts = windows.count[self.place, self.slot]
        self.fresh: Bools = self.count == 0

    def at(self, field: str) -> npt.NDArray[np.float64]:
        """Return what a field holds; where the slot is fresh, of whatever was there before."""
        found: npt.NDArray[np.float64] = self.state[field][self.place, self.slot]
        return found

    def put(self, field: str, value: Floats | Int64s, old: Floats | Int64s | None = None) -> None:
        """Set a field to ``value`` where the slot is fresh, else to ``old`` (absent: as it is)."""
        self.state[field][self.place, self.slot] = np.where(self.fresh, value, self.at(field) if old is None else old)


class Ring(Rows, ABC):
    """Readings of the window in buckets: width is a twelfth of ``over``, and a reading at ts is in bucket ts // width.

    The window as of a reading holds those of its bucket and of the eleven before, up to that reading; so it reaches
    back between eleven twelfths and the whole of ``over``, which is 12 s at least. Known with ``samples`` readings
    whose first and last are ``span`` apart. ``counts``: the type of a bucket's number of readings, which stops at the
    greatest it can hold. Takes 4 bytes a series, 12 for each byte of a count, 96 for each float that a bucket needs,
    and 96 where a span is asked for.
    """

    def __init__(
        self,
        over: Micros,
        samples: int,
        span: Micros,
        fields: Sequence[Field],
        counts: type[np.unsignedinteger[Any]] = np.uint32,
    ) -> None:
        timed: list[Field] = [("first", np.int64, (BUCKETS,))] if span else []
        # buckets of a second at least are fewer than a uint32 holds until 2106
        super().__init__([*fields, *timed, ("newest", np.uint32), ("count", counts, (BUCKETS,))])
        self._most = np.iinfo(counts).max
        self._slotted = [name for name, *shape in [*fields, *timed] if len(shape) > 1]
        self._width = max(over // BUCKETS, 1)
        self._samples, self._span = samples, span

    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown."""
        cells = self._cells.rows[column.row]
        windows = Windows(self._records(cells), column.ts, column.value, self._width)
        if column.first is None:
            self._fill(windows, slice(None))
            windows.state["count"] = windows.count
            self._cells.rows[column.row] = cells
        else:
            self._fill_in_turn(windows, column.first)
            windows.state["count"] = windows.count
            last = np.append(column.first[1:], True)
            self._cells.rows[column.row[last]] = cells[last]
        figure = self._figure(windows)
        known = self._known(windows)
        return figure if known is None else np.where(known, figure, np.nan)

    def _fill(self, windows: Windows, which: Int64s | slice) -> None:
        """Put readings into their slots."""
        slots = Slots(windows, which)
        self._put(slots)
        if self._span:
            slots.put("first", slots.ts)
        windows.count[slots.place, slots.slot] = np.minimum(slots.count, self._most - 1) + 1

    def _fill_in_turn(self, windows: Windows, first: Bools) -> None:
        """Put readings into their slots where rows have several; ``first``: starts a row.

        The first of every bucket goes first, then the second, each on from the one before; then the buckets that are
        full are shown to the readings of the eleven after.
        """
        self._follow(windows, first)
        begins = first.copy()
        begins[1:] |= windows.bucket[1:] != windows.bucket[:-1]
        starts = np.flatnonzero(begins)
        size = np.diff(starts, append=len(first))
        order = np.argsort(-size, kind="stable")
        by_size, sizes = starts[order], -size[order]
        for turn in range(int(-sizes[0])):
            which = by_size[: np.searchsorted(sizes, -turn)] + turn
            if turn:
                _copy(windows, self._slotted, which - 1, which)
            self._fill(windows, which)
        row = np.cumsum(first)
        group = np.cumsum(begins) - 1
        for back in range(1, BUCKETS):
            later = np.flatnonzero(group >= back)
            full = starts[group[later] - back + 1] - 1
            seen = (row[full] == row[later]) & (windows.bucket[later] - windows.bucket[full] < BUCKETS)
            if not seen.any():
                break
            _copy(windows, self._slotted, full[seen], later[seen])

    def _known(self, windows: Windows) -> Bools | None:
        """Return whether there are readings enough, and over a span long enough; None: each one is enough."""
        known: Bools | None = None
        if self._samples > 1:
            known = windows.number >= self._samples
        if not self._span:
            return known
        far: Bools = windows.ts - windows.oldest("first") >= self._span
        return far if known is None else known & far

    def _follow(self, windows: Windows, first: Bools) -> None:
        """Make known to each reading but the ``first`` of a row what it needs of the one before, before any is put."""

    @abstractmethod
    def _put(self, slots: Slots) -> None:
        """Put readings into their slots."""

    @abstractmethod
    def _figure(self, windows: Windows) -> Floats:
        """Return what the windows show."""


def _copy(windows: Windows, fields: list[str], source: Int64s, target: Int64s) -> None:
    """Copy the slot that each reading of ``source`` fell into to the window of one of ``target``."""
    slot = windows.slot[source]
    windows.count[target, slot] = windows.count[source, slot]
    for field in fields:
        windows.state[field][target, slot] = windows.state[field][source, slot]
