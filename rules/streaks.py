"""Readings in a row that bear a mark, by series: counted only for the few series that bear it now and then."""

import numpy as np

from firetower.devices.readings import Bools, Int16s, Int32s, Int64s

_MOST_COUNTED = 1000


class Streaks:
    """By series: how many of its newest readings in a row bear the mark (positive) or do not (negative).

    Readings without the mark are counted only where something is ``held`` that they may end.
    """

    def __init__(self) -> None:
        self._run: Int16s = np.zeros(0, np.int16)
        self._held: Bools = np.zeros(0, np.bool_)
        self._watched: Bools = np.zeros(0, np.bool_)

    def fit(self, size: int) -> None:
        """Make room for series up to ``size``."""
        more = size - len(self._run)
        self._run = np.concatenate([self._run, np.zeros(more, np.int16)])
        self._held = np.concatenate([self._held, np.zeros(more, np.bool_)])
        self._watched = np.concatenate([self._watched, np.zeros(more, np.bool_)])

    def hold(self, series: int | Int32s) -> None:
        """Go on counting whatever comes."""
        self._held[series] = True
        self._watched[series] = True

    def release(self, series: int) -> None:
        """Count readings without the mark no longer."""
        self._held[series] = False
        self._watched[series] = self._run[series] > 0

    def step(self, series: Int32s, marked: Bools, first: Bools | None) -> tuple[Int64s, Bools, Int64s]:
        """Take in readings; return which of them are counted, whether each bears the mark, and its place in its run.

        ``first``: starts a series, the readings being sorted by series and time; None when none is there twice.
        """
        if marked.any():
            self._watched[series[marked]] = True
        which = np.flatnonzero(self._watched[series])
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
        run = self._run[series].astype(np.int64)
        goes_on = starts[start] & (np.where(marked, run, -run) > 0)
        count: Int64s = np.minimum(place - start + 1 + np.where(goes_on, np.abs(run), 0), _MOST_COUNTED)
        last = np.append(starts[1:], True)
        of, bears = series[last], marked[last]
        self._run[of] = np.where(bears, count[last], -count[last])
        self._watched[of] = bears | self._held[of]
        return which, marked, count
