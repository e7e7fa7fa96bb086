"""Readings in a row that bear a mark, by series: counted only for the few series that bear it now and then."""

from typing import Any

import numpy as np
import numpy.typing as npt

from firetower.devices.columns import Column
from firetower.devices.readings import Bools, Int32s, Int64s

_MOST_COUNTED = 1000


class Streaks:
    """By series: how many of its newest readings in a row bear the mark (positive) or do not (negative).

    Readings without the mark are counted only where something is ``held`` that they may end.
    """

    def __init__(self) -> None:
        self._run: Column[np.int16] = Column(np.int16)
        self._held: Column[np.bool_] = Column(np.bool_)
        self._watched: Column[np.bool_] = Column(np.bool_)

    def fit(self, size: int) -> None:
        """Make room for series up to ``size``."""
        self._run.fit(size)
        self._held.fit(size)
        self._watched.fit(size)

    def hold(self, series: int | Int32s) -> None:
        """Go on counting whatever comes."""
        self._held.rows[series] = True
        self._watched.rows[series] = True

    def release(self, series: int) -> None:
        """Count readings without the mark no longer."""
        self._held.rows[series] = False
        self._watched.rows[series] = self._run.rows[series] > 0

    def save(self, series: slice) -> dict[str, npt.NDArray[Any]]:
        """Return copies of the counts of some series."""
        return {"run": self._run.rows[series].copy(), "held": self._held.rows[series].copy()}

    def load(self, series: Int32s, saved: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what ``save`` returned, for ``series`` in its order."""
        self._run.rows[series], self._held.rows[series] = saved["run"], saved["held"]
        self._watched.rows[series] = saved["held"] | (saved["run"] > 0)

    def step(self, series: Int32s, marked: Bools, first: Bools | None) -> tuple[Int64s, Bools, Int64s]:
        """Take in readings; return which of them are counted, whether each bears the mark, and its place in its run.

        ``first``: starts a series, the readings being sorted by series and time; None when none is there twice.
        """
        if marked.any():
            self._watched.rows[series[marked]] = True
        which = np.flatnonzero(self._watched.rows[series])
        series, marked = series[which], marked[which]
        if not len(which):
            return which, marked, which
        starts = np.ones(len(which), np.bool_)
        if first is not None:
            starts[1:] = series[1:] != series[:-1]
        begins = starts.copy()
        begins[1:] |= marked[1:] != marked[:-1]
        place = np.arange(len(which))
        start = np.maximum.accumulate(np.where(begins, place, 0))
        run = self._run.rows[series].astype(np.int64)
        goes_on = starts[start] & (np.where(marked, run, -run) > 0)
        count: Int64s = np.minimum(place - start + 1 + np.where(goes_on, np.abs(run), 0), _MOST_COUNTED)
        last = np.append(starts[1:], True)
        of, bears = series[last], marked[last]
        self._run.rows[of] = np.where(bears, count[last], -count[last])
        self._watched.rows[of] = bears | self._held.rows[of]
        return which, marked, count
