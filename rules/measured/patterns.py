"""What is usual for a series at an hour of day and kind of day, and how far a value is from it."""

from collections.abc import Callable

import numpy as np

from firetower.core.clock import HOUR, SECOND, Micros
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.rules.measured.calendars import Int8s
from firetower.rules.measured.columns import Column
from firetower.rules.measured.rows import Rows, figured, rounded

HoursAndKinds = Callable[[Int64s], tuple[Int8s, Int8s]]
"""Local hour of day (0 to 23) and kind of day (0 working day, 1 rest day) of instants, µs."""
_CELLS = 48
_LEAST_HOURS = 3
_MOST_HOURS = 28
_MOST_COUNTED = 0xFFFF
_SAME_HOUR = 2 * HOUR // SECOND
"""Within it, the same cell is the same hour: the next such hour is a day away, and a clock set back repeats one."""


class Deviation(Rows):
    """Value less expected: the mean of past hours of the same hour of day and kind of day.

    An hour counts by the mean of its readings, once the first reading of a later hour has come; with the weight 1/n,
    n at most 28. Known once the series' first reading is ``learning`` ago and three such hours have counted. An hour
    in which a deviation was ``beyond`` the rule's mildest limit is not learned: an alert does not become usual.
    What is usual is kept as float32 and taken to six digits, which that is sure to hold; times in whole seconds; more
    than 65,535 readings of an hour count as so many. Takes 264 bytes a series.
    """

    def __init__(self, learning: Micros, beyond: Callable[[Floats], Bools], hours_and_kinds: HoursAndKinds) -> None:
        super().__init__(
            [
                ("mean", np.float64),  # of the present hour
                ("usual", np.float32, (_CELLS,)),
                ("born", np.uint32),  # s
                ("began", np.uint32),  # s, the first reading of the present hour
                ("number", np.uint16),  # of its readings
                ("cell", np.uint8),
                ("beyond", np.bool_),
                ("hours", np.uint8, (_CELLS,)),
            ]
        )
        self._learning, self._beyond, self._hours_and_kinds = learning // SECOND, beyond, hours_and_kinds

    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown."""
        hour, kind = self._hours_and_kinds(column.ts)
        second = column.ts // SECOND
        cell = hour.astype(np.int64) + 24 * kind
        if column.first is None:
            return self._take(column.row, second, column.value, cell)
        starts = np.flatnonzero(column.first)
        size = np.diff(starts, append=len(column.row))
        order = np.argsort(-size, kind="stable")
        starts, size = starts[order], size[order]
        out = np.empty(len(column.row))
        for turn in range(int(size[0])):  # the first reading of every row, then the second, …
            which = starts[: np.searchsorted(-size, -turn)] + turn
            out[which] = self._take(column.row[which], second[which], column.value[which], cell[which])
        return out

    def _take(self, row: Int64s, second: Int64s, value: Floats, cell: Int64s) -> Floats:
        """Take one reading of each of some rows in; return the derived values. No row is there twice."""
        state = self._state
        number, began = state["number"][row].astype(np.int64), state["began"][row]
        later = (cell != state["cell"][row]) | (second - began >= _SAME_HOUR) | (number == 0)
        if later.any():
            self._learn(row[later & (number > 0)])
            fresh = row[number == 0]
            state["born"][fresh] = second[number == 0]
            begun = row[later]
            state["began"][begun], state["cell"][begun], state["beyond"][begun] = second[later], cell[later], False
            number = np.where(later, 0, number)
        learned = (second - state["born"][row] >= self._learning) & (state["hours"][row, cell] >= _LEAST_HOURS)
        usual = figured(state["usual"][row, cell].astype(np.float64))
        away = np.where(learned, rounded(value - usual), np.nan)
        mean = np.where(number == 0, value, state["mean"][row])
        state["mean"][row] = mean + (value - mean) / (number + 1)
        state["number"][row] = np.minimum(number, _MOST_COUNTED - 1) + 1
        beyond = self._beyond(away)
        if beyond.any():
            state["beyond"][row[beyond]] = True
        return away

    def _learn(self, row: Int64s) -> None:
        """Take the hour that is over into what is usual."""
        state = self._state
        row = row[~state["beyond"][row]]
        cell = state["cell"][row]
        hours = np.minimum(state["hours"][row, cell], _MOST_HOURS - 1) + 1
        usual = state["usual"][row, cell].astype(np.float64)
        state["usual"][row, cell] = usual + (state["mean"][row] - usual) / hours
        state["hours"][row, cell] = hours
