"""Columns that grow without being copied: growth must not stop the event loop, however many devices there are."""

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)

SMALL = 1 << 16
"""Rows up to which a column is doubled and copied, within a fraction of a millisecond."""
_STEP = 1 << 13
_RESERVED = 1 << 22
"""Rows that address space is reserved for at once: a system refuses more than it has to wide ones."""
_BEYOND = 2


def rows_for(size: int, have: int) -> int:
    """Return how many rows a column of ``have`` rows is given when it needs ``size``; columns side by side agree."""
    if size <= have:
        return have
    if size <= SMALL:
        return min(max(size, 2 * have, 1024), SMALL)
    return -(-size // _STEP) * _STEP


def _reserved(rows: int) -> int:
    """Return for how many rows to set address space aside."""
    return rows if rows <= SMALL else max(_RESERVED, _BEYOND * rows)


class Column(Generic[Scalar]):
    """An array of any number of rows, each of ``shape``, new ones holding ``fill``; ``rows`` is the array itself.

    Past ``SMALL`` rows it lies in address space reserved for millions of rows, of which the system hands out memory
    only where it was written: ``fit`` then touches new rows only, and arrays taken of ``rows`` before stay true.
    """

    __slots__ = ("_all", "_fill", "rows")

    def __init__(self, kind: type[Scalar] | np.dtype[Scalar], fill: float = 0, shape: tuple[int, ...] = ()) -> None:
        self._fill = fill
        self._all: npt.NDArray[Scalar] = np.zeros((0, *shape), kind)
        self.rows = self._all

    def fit(self, size: int) -> npt.NDArray[Scalar]:
        """Make room for at least ``size`` rows and return them all."""
        have = len(self.rows)
        rows = rows_for(size, have)
        if rows > have:
            if rows > len(self._all):
                fresh = np.zeros((_reserved(rows), *self._all.shape[1:]), self._all.dtype)
                fresh[:have] = self.rows
                self._all = fresh
            self.rows = self._all[:rows]
            self.rows[have:] = self._fill  # zeros too: memory is taken now, not at the first reading of each device
        return self.rows
