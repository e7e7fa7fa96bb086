"""N of the last M: the n-th highest (lowest) of the last m values is what n of them are beyond a limit for."""

import numpy as np

from firetower.devices.readings import Floats, Int64s
from firetower.rules.rows import OneByOne


class NthOfLast(OneByOne):
    """The n-th value of the last m, counted from the highest, or from the lowest where ``lowest``.

    That it is beyond a limit says that n of them are, at every limit at once. NaN until there are n. Takes 8 bytes a
    series and 8 for each of m.
    """

    def __init__(self, n: int, m: int, *, lowest: bool) -> None:
        super().__init__([("count", np.int64), ("last", np.float64, (m,))])
        self._n, self._m, self._lowest = n, m, lowest

    def _take(self, row: Int64s, _ts: Int64s, value: Floats, /) -> Floats:
        cells = self._cells.rows[row]
        state = self._records(cells)
        count = state["count"].copy()
        place, last = np.arange(len(row)), state["last"]
        last[place, count % self._m] = value
        state["count"] = count + 1
        self._cells.rows[row] = cells
        worst = np.inf if self._lowest else -np.inf
        few = count < self._m - 1
        if few.any():
            last = np.where(np.arange(self._m) <= count[:, None], last, worst)
        nth = self._n - 1 if self._lowest else self._m - self._n
        found: Floats = np.partition(last, nth, axis=1)[:, nth]
        return np.where(count + 1 < self._n, np.nan, found) if few.any() else found
