"""What stands for a series: its newest reading, and how long each lane has been in its zone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firetower.core.clock import Micros
from firetower.devices.readings import Int64s
from firetower.rules.measured.columns import Column
from firetower.rules.measured.lanes import Zones

_MOST_COUNTED = 255
Records = npt.NDArray[np.void]
"""Rows of state: structured, so that one look into memory fetches all that is known of a series."""


@dataclass(slots=True)
class Standing:
    """The reading that stands for a row, and the run it ends in each lane."""

    row: int
    ts: Micros
    value: float
    uncertain: bool
    zone: list[int]
    since: list[int]
    count: list[int]


@dataclass(frozen=True, slots=True)
class Runs:
    """Per reading and lane, shape (n, lanes): its zone, since when (µs) and for how many readings it has been that."""

    zone: Zones
    since: Int64s
    count: Int64s


def record_of(lanes: int, rules: int) -> np.dtype[np.void]:
    """Return the record a table keeps of a series."""
    return np.dtype(
        [
            ("since", np.int64, (lanes,)),
            ("ts", np.int64),
            ("received", np.int64),
            ("due", np.int64),
            ("value", np.float64),
            ("zone", np.int8, (lanes,)),
            ("count", np.uint8, (lanes,)),
            ("level", np.int8, (rules,)),
            ("uncertain", np.bool_),
        ],
        align=True,
    )


def standing_of(row: int, record: np.void) -> Standing:
    """Return what the record of a row says."""
    return Standing(
        row, int(record["ts"]), float(record["value"]), bool(record["uncertain"]),
        record["zone"].tolist(), record["since"].tolist(), record["count"].tolist(),
    )  # fmt: skip


def standing_at(column: Column, runs: Runs, index: int) -> Standing:
    """Return what stands right after a reading of a column."""
    return Standing(
        int(column.row[index]), int(column.ts[index]), float(column.value[index]), bool(column.uncertain[index]),
        runs.zone[index].tolist(), runs.since[index].tolist(), runs.count[index].tolist(),
    )  # fmt: skip


def runs_of(zone: Zones, column: Column, before: Records) -> Runs:
    """Return the runs that readings end; ``before``: the state of each reading's row before all of them."""
    return _runs_once(zone, column.ts, before) if column.first is None else _runs(zone, column, before)


def _runs_once(zone: Zones, ts: Int64s, before: Records) -> Runs:
    """Return the runs that readings end, each of a row of its own."""
    same = zone == before["zone"]
    since = np.where(same, before["since"], ts[:, None])
    return Runs(zone, since, np.where(same, np.minimum(before["count"], _MOST_COUNTED - 1) + 1, 1))


def _runs(zone: Zones, column: Column, before: Records) -> Runs:
    """Return the same where rows have several readings."""
    first = column.first
    assert first is not None  # else _runs_once
    previous = np.empty_like(zone)
    previous[1:] = zone[:-1]
    previous[first] = before["zone"][first]
    same = zone == previous
    place = np.arange(len(zone))[:, None]
    start = np.maximum.accumulate(np.where(~same | first[:, None], place, 0), axis=0)
    continues = np.take_along_axis(same, start, axis=0)
    since = np.where(continues, before["since"], column.ts[start])
    count = place - start + 1 + np.where(continues, before["count"], 0)
    return Runs(zone, since, np.minimum(count, _MOST_COUNTED))
