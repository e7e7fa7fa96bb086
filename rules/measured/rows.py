"""State by row of a derivation: one record a series, so that one look into memory fetches all that is known of it."""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from firetower.devices import columns
from firetower.devices.readings import Floats, Int64s
from firetower.rules.checkpoint import Saved
from firetower.rules.measured.columns import Column

Records = npt.NDArray[np.void]
_DIGITS = 6
Field = tuple[str, type[np.generic]] | tuple[str, type[np.generic], tuple[int, ...]]


class Rows(ABC):
    """Records by row. Zero in every field is a series of which nothing is known yet."""

    def __init__(self, fields: list[Field]) -> None:
        self._record = np.dtype([*fields], align=True)
        if self._record.itemsize % 8:
            self._record = np.dtype([*fields, ("rest", np.uint8, (8 - self._record.itemsize % 8,))])
        self._cells: columns.Column[np.int64] = columns.Column(np.int64, 0, (self._record.itemsize // 8,))
        self._state = self._records(self._cells.rows)

    @property
    def row_bytes(self) -> int:
        """Bytes of memory that one series takes."""
        return self._record.itemsize

    def fit(self, rows: int) -> None:
        """Make room for that many rows."""
        self._state = self._records(self._cells.fit(rows))

    def take_in(self, row: Int64s, device: Int64s, channel: Int64s) -> None:  # noqa: B027  # reason: most need nothing
        """Learn which series rows stand for; each is judged by itself, so that it is all the same."""

    def turn(self, column: Column) -> Column:
        """Take readings in; return them with what is derived as of each as their value."""
        return replace(column, value=self.step(column))

    @abstractmethod
    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown."""

    def forget(self, row: int) -> None:
        """Begin a row as new."""
        self._cells.rows[row] = 0

    def save(self, rows: slice) -> Saved:
        """Return copies of the state of some rows, arrays of shape (rows, …)."""
        return {name: self._state[name][rows].copy() for name in self._record.names or ()}

    def load(self, rows: Int64s, saved: Saved) -> None:
        """Take over state that ``save`` returned, into ``rows``.

        ValueError when it was saved by another version, whose fields are not these.
        """
        fields = {name: (self._state[name].dtype, self._state[name].shape[1:]) for name in self._record.names or ()}
        given = {name: (array.dtype, array.shape[1:]) for name, array in saved.items()}
        if given != fields:
            raise ValueError(
                f"saved state of {type(self).__name__} has the fields {given}; accepted: {fields}; rebuild it from the"
                " stored readings"
            )
        for name, array in saved.items():
            self._state[name][rows] = array

    def _records(self, cells: Int64s) -> Records:
        """Return whole rows of int64, which numpy copies as quickly as it can, as the records they are."""
        records: Records = cells.view(self._record)[:, 0]
        return records


def rounded(value: Floats) -> Floats:
    """Return figures to nine decimals, so that the noise of the arithmetic does not decide at the exact limit."""
    return np.round(value, 9)


def figured(value: Floats) -> Floats:
    """Return figures to six digits and nine decimals, so that means kept in few bytes do not decide at the limit."""
    size = np.abs(value)
    usual = (size > 1e-300) & (size < 1e300)
    power = np.floor(np.log10(np.where(usual, size, 1.0)))
    decimals = np.clip(_DIGITS - 1 - power, None, 9)
    with np.errstate(over="ignore", under="ignore"):
        up, down = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
        return np.where(usual, np.rint(value * up / down) / up * down, value)
