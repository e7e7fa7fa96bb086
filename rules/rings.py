"""Sliding windows: the readings of each series in twelve buckets that follow one another, and only sums of them."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firetower.core.clock import Micros
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.rules.conditions import BUCKETS
from firetower.rules.rows import Field, Records, Rows

FLOATS: tuple[type[np.float64], tuple[int, ...]] = (np.float64, (BUCKETS,))
_SLOTS = np.arange(BUCKETS)
_AGE = ((_SLOTS[:, None] - _SLOTS) % BUCKETS).astype(np.int8)
"""By the slot of now and slot: how many buckets ago that slot was filled."""


class Entry:
    """Where readings fall in their windows: each of shape (n,), or (n, 12) by slot.

    ``state``: copies of the records. ``slot``: where the reading belongs. ``age``: how many buckets ago that slot's is.
    ``count``: readings in each slot, this one not yet; ``fresh``: it is the first of its slot.
    ``offset``: of the reading from the beginning of its bucket, µs.
    """

    __slots__ = ("age", "count", "fresh", "offset", "place", "slot", "state", "ts", "value")

    def __init__(self, state: Records, ts: Int64s, value: Floats, width: Micros) -> None:
        self.state, self.ts, self.value = state, ts, value
        bucket, self.offset = np.divmod(ts, width)
        self.place, self.slot = np.arange(len(ts)), bucket % BUCKETS
        self.age = _AGE[self.slot]
        passed = np.minimum(bucket + 1 - state["newest"], BUCKETS)  # as one more: zero is a series never heard of
        state["newest"] = bucket + 1
        self.count: npt.NDArray[np.uint32] = state["count"] * (self.age >= passed[:, None])
        self.fresh: Bools = self.count[self.place, self.slot] == 0

    def put(self, field: str, value: Floats | Int64s, old: Floats | Int64s | None = None) -> None:
        """Set a field's slot of now; ``old``: what goes on where the slot is not fresh (absent: what stands there)."""
        if old is None:
            old = self.state[field][self.place, self.slot]
        self.state[field][self.place, self.slot] = np.where(self.fresh, value, old)

    def at(self, field: str) -> npt.NDArray[np.float64]:
        """Return what a field holds in the slot of now, of whatever was there before where it is fresh."""
        found: npt.NDArray[np.float64] = self.state[field][self.place, self.slot]
        return found

    def oldest(self) -> Int64s:
        """Return the slot of the oldest reading of the window, this one counted."""
        oldest: Int64s = np.where(self.count > 0, self.age, np.int8(-1)).argmax(axis=1)
        return oldest


class Ring(Rows):
    """Readings of the window in buckets: width is a twelfth of ``over``, and a reading at ts is in bucket ts // width.

    The window as of a reading holds those of its bucket and of the eleven before, up to that reading; so it reaches
    back between eleven twelfths and the whole of ``over``. Known with ``samples`` readings whose first and last are
    ``span`` apart. Takes 56 bytes a series, 96 for each float that a bucket needs, and 96 where a span is asked for.
    """

    def __init__(self, over: Micros, samples: int, span: Micros, fields: Sequence[Field]) -> None:
        timed: list[Field] = [("first", np.int64, (BUCKETS,))] if span else []
        super().__init__([("newest", np.int64), *fields, *timed, ("count", np.uint32, (BUCKETS,))])
        self._width = max(over // BUCKETS, 1)
        self._samples, self._span = samples, span

    def _take(self, row: Int64s, ts: Int64s, value: Floats, /) -> Floats:
        cells = self._cells.rows[row]
        entry = Entry(self._records(cells), ts, value, self._width)
        self._put(entry)
        entry.count[entry.place, entry.slot] += 1
        entry.state["count"] = entry.count
        if self._span:
            entry.put("first", ts)
        self._cells.rows[row] = cells
        figure = self._figure(entry)
        known = self._known(entry)
        return figure if known is None else np.where(known, figure, np.nan)

    def _known(self, entry: Entry) -> Bools | None:
        """Return whether there are readings enough, and over a span long enough; None: each one is enough."""
        known: Bools | None = None
        if self._samples > 1:
            known = entry.count.sum(axis=1) >= self._samples
        if not self._span:
            return known
        far: Bools = entry.ts - entry.state["first"][entry.place, entry.oldest()] >= self._span
        return far if known is None else known & far

    @abstractmethod
    def _put(self, entry: Entry) -> None:
        """Put readings into their slots."""

    @abstractmethod
    def _figure(self, entry: Entry) -> Floats:
        """Return what the window shows, with the readings in it."""
