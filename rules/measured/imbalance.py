"""Imbalance of phases: how far one channel of a device is from the mean of several, as a share of that mean."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from firetower.core.clock import Micros
from firetower.devices import columns
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.rules.checkpoint import Saved
from firetower.rules.measured.columns import Column
from firetower.rules.measured.rows import rounded

_NONE = -1


class Imbalance:
    """The newest reading of each channel by device, and the greatest distance of one from their mean, in %.

    Derived for readings of the first of ``channels`` only, from the newest of each other one that is not newer than it:
    readings of the same instant know one another in whatever order they come in one batch. One message, and all that is
    stored of an instant, is never split between batches. NaN while another channel has none at most ``within`` older,
    or the newest that came before is newer than the reading. Below ``least``, in the unit of the readings, a mean has
    no balance: far on the safe side. What another channel said before the first was ever heard is in no checkpoint.

    ``channel_of``: the number of a channel by its name, None while nobody has heard of it. 5 bytes a series, 4 a number
    of a device, and 16 for each of ``channels`` of a device that has them.
    """

    def __init__(
        self, channels: tuple[str, ...], within: Micros, least: float, channel_of: Callable[[str], int | None]
    ) -> None:
        self._channels, self._within, self._least, self._channel_of = channels, within, least, channel_of
        self._group_of: columns.Column[np.int32] = columns.Column(np.int32)  # by device; 0: no group
        self._group: columns.Column[np.int32] = columns.Column(np.int32)  # by row, as the next
        self._place: columns.Column[np.int8] = columns.Column(np.int8, _NONE)
        self._ts: columns.Column[np.int64] = columns.Column(np.int64, 0, (len(channels),))  # by group, as the next
        self._value: columns.Column[np.float64] = columns.Column(np.float64, 0, (len(channels),))
        self._groups = 1
        self._ts.fit(1)
        self._value.fit(1)

    def fit(self, rows: int) -> None:
        """Make room for that many rows."""
        self._group.fit(rows)
        self._place.fit(rows)

    def take_in(self, row: Int64s, device: Int64s, channel: Int64s) -> None:
        """Learn which series rows stand for."""
        place = np.full(len(row), _NONE, np.int8)
        for number, name in enumerate(self._channels):
            place[channel == self._channel_of(name)] = number
        self._place.rows[row] = place
        row, device = row[place != _NONE], device[place != _NONE]
        if not len(row):
            return
        group_of = self._group_of.fit(int(device.max()) + 1)
        fresh = np.unique(device[group_of[device] == 0])
        group_of[fresh] = np.arange(self._groups, self._groups + len(fresh))
        self._groups += len(fresh)
        self._ts.fit(self._groups)
        self._value.fit(self._groups)
        self._group.rows[row] = group_of[device]

    def forget(self, row: int) -> None:
        """Begin a row as new."""
        if self._place.rows[row] != _NONE:
            self._ts.rows[self._group.rows[row], self._place.rows[row]] = 0

    def turn(self, column: Column) -> Column:
        """Take readings in; return those of the first channel, with what is derived as of each as their value."""
        mine: Bools = self._place.rows[column.row] == 0
        value = self.step(column)
        if mine.all():
            return replace(column, value=value)
        return Column(
            column.row[mine], column.device[mine], column.ts[mine], column.received[mine], value[mine],
            column.uncertain[mine], None if column.first is None else column.first[mine],
        )  # fmt: skip

    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown, or of another channel."""
        out = np.full(len(column.row), np.nan)
        place, group = self._place.rows[column.row], self._group.rows[column.row]
        new = (place != _NONE) & (column.ts > self._ts.rows[group, place])  # others are given again after a checkpoint
        given = np.flatnonzero(new)
        turn = 2 * column.ts[given] + (place[given] == 0)  # of one instant the first channel comes last
        order = given[np.lexsort((turn, group[given]))]
        first = np.flatnonzero(place[order] == 0)
        if len(first):
            out[order[first]] = self._of(column, order, first)
        last = new if column.first is None else new & np.append(column.first[1:], True)
        self._ts.rows[group[last], place[last]] = column.ts[last]
        self._value.rows[group[last], place[last]] = column.value[last]
        return out

    def _of(self, column: Column, order: Int64s, first: Int64s) -> Floats:
        """Return what is derived for the readings ``order[first]``; ``order``: by device, then time, they last."""
        group, place = self._group.rows[column.row[order]], self._place.rows[column.row[order]]
        ts, value = column.ts[order], column.value[order]
        here = np.arange(len(order))
        begins = np.ones(len(order), np.bool_)
        begins[1:] = group[1:] != group[:-1]
        start = np.maximum.accumulate(np.where(begins, here, 0))[first]
        times, values = self._ts.rows[group[first]], self._value.rows[group[first]]
        times[:, 0], values[:, 0] = ts[first], value[first]
        for number in range(1, len(self._channels)):
            newest = np.maximum.accumulate(np.where(place == number, here, _NONE))[first]
            given = newest >= start
            times[given, number], values[given, number] = ts[newest[given]], value[newest[given]]
        age = ts[first][:, None] - times
        known = ((times != 0) & (age >= 0) & (age <= self._within)).all(axis=1)
        mean = values.mean(axis=1)
        judged = mean >= self._least
        share = rounded(100 * np.abs(values - mean[:, None]).max(axis=1) / np.where(judged, mean, 1))
        return np.where(known, np.where(judged, share, -np.inf), np.nan)

    def save(self, rows: slice) -> Saved:
        """Return copies of the state of some rows, of shape (rows, channels): a device's by its first channel."""
        first = (self._place.rows[rows] == 0)[:, None]
        group = self._group.rows[rows]
        return {
            "times": np.where(first, self._ts.rows[group], 0),
            "values": np.where(first, self._value.rows[group], 0.0),
        }

    def load(self, rows: Int64s, saved: Saved) -> None:
        """Take over state that ``save`` returned, into ``rows``. ValueError: it is of another version."""
        shape = (len(self._channels),)
        fields = {name: (array.dtype, array.shape[1:]) for name, array in saved.items()}
        if fields != {name: (np.dtype(kind), shape) for name, kind in _KINDS.items()}:
            raise ValueError(
                f"saved state of Imbalance has the fields {fields}; accepted: times and values of {shape[0]} channels;"
                " rebuild it from the stored readings"
            )
        first = self._place.rows[rows] == 0
        group = self._group.rows[rows[first]]
        self._ts.rows[group], self._value.rows[group] = saved["times"][first], saved["values"][first]


_KINDS: dict[str, type[np.generic]] = {"times": np.int64, "values": np.float64}
