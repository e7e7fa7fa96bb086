"""N of the last M: the n-th highest (lowest) of the last m values is what n of them are beyond a limit for."""

import numpy as np

from firetower.devices.readings import Floats
from firetower.rules.measured.columns import Column
from firetower.rules.measured.rows import Rows


class NthOfLast(Rows):
    """The n-th value of the last m, counted from the highest, or from the lowest where ``lowest``.

    That it is beyond a limit says that n of them are, at every limit at once. NaN until there are n. Takes 8 bytes a
    series and 8 for each of m.
    """

    def __init__(self, n: int, m: int, *, lowest: bool) -> None:
        super().__init__([("known", np.int64), ("last", np.float64, (m,))])
        self._n, self._m, self._lowest = n, m, lowest

    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown."""
        cells = self._cells.rows[column.row]
        state = self._records(cells)
        before, back = state["last"].copy(), np.arange(self._m)  # the newest first
        if column.first is None:
            known = state["known"] + 1
            last = np.concatenate([column.value[:, None], before[:, :-1]], axis=1)
            ends = np.arange(len(column.row))
        else:
            place = np.arange(len(column.row))
            others = place - np.maximum.accumulate(np.where(column.first, place, 0))  # of the row, before it, given now
            known = state["known"] + others + 1
            of_before = back - others[:, None] - 1
            last = np.where(
                of_before < 0,
                column.value[np.maximum(place[:, None] - back, 0)],
                np.take_along_axis(before, np.maximum(of_before, 0), axis=1),
            )
            ends = np.flatnonzero(np.append(column.first[1:], True))
        state["last"], state["known"] = last, np.minimum(known, self._m)
        self._cells.rows[column.row[ends]] = cells[ends]
        nth = self._n - 1 if self._lowest else self._m - self._n
        if (known >= self._m).all():
            found: Floats = np.partition(last, nth, axis=1)[:, nth]
            return found
        worst = np.inf if self._lowest else -np.inf
        last = np.where(back < known[:, None], last, worst)
        return np.where(known < self._n, np.nan, np.partition(last, nth, axis=1)[:, nth])
