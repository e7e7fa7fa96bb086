"""Repeats, late readings and clocks that stand still: told apart before the rules see a batch. Pure.

The key of a reading is (series, event time). The same key with the same value is a repeat (redelivery, overlapping
store-and-forward batches). The same key with another value is a device whose clock stands still (时钟停走): a new
reading at its time of arrival, or as long after the standing time where that is ahead of the arrival.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.readings import Bools, Floats, Int64s, Mark, Readings
from firetower.devices.wire_time import AHEAD

_MOST_AHEAD: Micros = AHEAD + SECOND
"""Believed times are no further ahead; readings that arrived at once are a microsecond apart."""


@dataclass(frozen=True, slots=True)
class Screened:
    """What is left to evaluate and store, in order of arrival, and how many repeats were dropped.

    ``stuck``: which of the readings are of a standing clock; ``sent``: the times these were sent with, µs.
    """

    readings: Readings
    repeats: int
    stuck: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    sent: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))

    def without(self, known: Bools) -> "Screened":
        """Return this without the stuck readings that ``known``, shape (number of stuck,), says are stored already."""
        keep = np.ones(len(self.readings), np.bool_)
        keep[self.stuck[known]] = False
        return Screened(self.readings.take(keep), self.repeats + int(known.sum()))


class StandingClocks:
    """How far ahead of its arrival a reading of a standing clock is put, by series.

    A clock may stand up to five minutes ahead of the true time. Put at their arrival, its readings would be older than
    what was judged, and nothing would be judged of them until the true time is there: they go on from the standing
    time instead, as far apart as they arrive, so that delays pass as they should.
    """

    def __init__(self) -> None:
        self._lead: dict[int, Micros] = {}

    def put(self, series: int, received: Micros, newest: Micros) -> Micros:
        """Return the time of a reading that arrived at ``received``; ``newest``: of its series so far."""
        lead = max(self._lead.get(series, 0), newest + 1 - received) if newest >= received else 0
        if not 0 < lead <= _MOST_AHEAD:
            self._lead.pop(series, None)
            return received
        self._lead[series] = lead
        return received + lead


def screen(readings: Readings, unsure: Bools, stored: Floats, newest: Int64s, standing: StandingClocks) -> Screened:
    """Return ``readings`` without repeats, late ones marked, those of a standing clock moved to their arrival.

    ``unsure``, shape (n,): not known to be newer than everything evaluated. ``stored``, shape (number of unsure,): the
    value stored under the key of each unsure reading, NaN when none is. ``newest``, shape (n,): event time of what was
    judged last of each one's series, the least number where nothing was: what comes then is judged, so it is not late.
    """
    found = np.full(len(readings), np.nan)
    found[unsure] = stored
    known = ~np.isnan(found)
    repeat = known & (found == readings.value)
    stuck = known & ~repeat
    flags = np.where(unsure & ~known & (readings.ts <= newest), readings.flags | np.int16(Mark.LATE), readings.flags)
    again, differs = _within(readings, np.flatnonzero(~known))
    repeat[again] = True
    stuck[differs] = True
    ts = readings.ts
    if stuck.any():
        ts = _moved(readings, stuck, ~repeat, newest, standing)
        flags = np.where(stuck, (flags & ~np.int16(Mark.LATE)) | np.int16(Mark.CLOCK_STUCK), flags)
        flags = np.where(stuck & (ts <= newest), flags | np.int16(Mark.LATE), flags)
    if not (repeat.any() or stuck.any() or unsure.any()):
        return Screened(readings, 0)
    kept = replace(readings, ts=ts, flags=flags.astype(np.int16))
    return Screened(kept.take(~repeat), int(repeat.sum()), np.flatnonzero(stuck[~repeat]), readings.ts[stuck & ~repeat])


def _within(readings: Readings, which: Int64s) -> tuple[Int64s, Int64s]:
    """Return indices (of ``which``) whose key an earlier one has: with a value it had, and with one it had not."""
    series, ts, value = readings.series[which], readings.ts[which], readings.value[which]
    order = np.lexsort((ts, series))  # stable: equal keys stay in order of arrival
    same = (series[order][1:] == series[order][:-1]) & (ts[order][1:] == ts[order][:-1])
    if not same.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    again: list[int] = []
    differs: list[int] = []
    values: set[float] = set()
    for place in range(1, len(order)):
        if not same[place - 1]:
            continue
        if place == 1 or not same[place - 2]:
            values = {float(value[order[place - 1]])}
        now = float(value[order[place]])
        (again if now in values else differs).append(int(which[order[place]]))
        values.add(now)
    return np.array(again, np.int64), np.array(differs, np.int64)


def _moved(readings: Readings, stuck: Bools, kept: Bools, newest: Int64s, standing: StandingClocks) -> Int64s:
    """Return the times with ``stuck`` ones at their arrival, a microsecond apart where a key would be taken."""
    ts: Int64s = np.where(stuck, readings.received, readings.ts)
    taken = {
        (int(series), int(at)) for series, at in zip(readings.series[kept & ~stuck], ts[kept & ~stuck], strict=True)
    }
    reached: dict[int, Micros] = {}
    for place in np.flatnonzero(stuck & kept).tolist():
        series, sent = int(readings.series[place]), int(readings.ts[place])
        before = max(reached.get(series, sent), int(newest[place]))
        at = standing.put(series, int(ts[place]), before)
        while (series, at) in taken:
            at += 1
        taken.add((series, at))
        reached[series] = at
        ts[place] = at
    return ts
