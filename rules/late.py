"""What is of the past: limits over late readings (补报), and what came and went within a backlog.

A late reading is older than what was evaluated of its series, so it cannot be woven into the state of the present. Late
readings are judged as *stretches by themselves*, with the same rules in a second, sparse set of tables. Approximations:

- what was evaluated between two late readings is not looked at;
- a reading older than the one before it (a backlog sent newest first), or later by more than a reading stands (three
  intervals, at least a minute), begins a new stretch, in which delays and counts begin anew;
- no tick ends a delay: it ends only where a later reading of the stretch proves it;
- a stretch lives in memory: a restart begins a new one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from firetower.core.clock import Micros
from firetower.devices import columns
from firetower.devices.events import AlertClass
from firetower.devices.liveness import LEAST_STANDING, MISSED_INTERVALS
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Bools, Int16s, Int64s, Quality, Readings
from firetower.devices.registry import Registry
from firetower.rules.measured.columns import Column
from firetower.rules.measured.limits import component
from firetower.rules.measured.tables import TableGroup
from firetower.rules.verdicts import HISTORICAL, Verdict, VerdictKind

_NONE = -1
_NEVER = int(np.iinfo(np.int64).min)
_Point = tuple[int, str]
"""Device number and component."""


class LateWatch:
    """Judges late readings; only raises come out, marked ``historical``.

    Nothing is built before the first late reading, and a series costs nothing before its own (some 200 bytes then).
    Of a condition that is not a fire, a stretch says each priority once, until it ends; a stretch that reaches back to
    right before the last one goes on from it, so that a backlog sent newest first does not say the same again and
    again. A fire is said every time.

    ``tables`` makes limit tables and their index by (kind, metric), -1 where no rule applies.
    """

    def __init__(self, tables: Callable[[], tuple[list[TableGroup], Int16s]], registry: Registry) -> None:
        self._make = tables
        self._registry = registry
        self._tables: list[TableGroup] = []
        self._table_of = np.zeros((0, 0), np.int16)
        self._slots: dict[int, int] = {}
        self._table: columns.Column[np.int16] = columns.Column(np.int16, _NONE)
        self._row: columns.Column[np.int64] = columns.Column(np.int64, _NONE)
        self._start: columns.Column[np.int64] = columns.Column(np.int64, _NEVER)
        self._last: columns.Column[np.int64] = columns.Column(np.int64, _NEVER)
        self._said: dict[_Point, dict[str, int]] = {}

    def step(self, readings: Readings) -> list[Verdict]:
        """Take late readings in, in any order, and return what they raise, in event time order.

        Of two with the same series and time the first counts.
        """
        if not len(readings):
            return []
        if not self._tables:
            self._tables, self._table_of = self._make()
        judged = self._table_of[self._registry.kind[readings.device], readings.metric] != _NONE
        readings = readings.take(judged & (readings.quality != Quality.BAD))
        readings = readings.take(np.lexsort((readings.ts, readings.series)))
        slot = self._slots_of(readings.series.tolist())
        new = readings.ts != self._before(readings, slot)
        readings, slot = readings.take(new), slot[new]
        if not len(readings):
            return []
        out, breaks = self._stretches(readings, slot)
        out.sort(key=_instant)
        return self._news(out, breaks)

    def _stretches(self, readings: Readings, slot: Int64s) -> tuple[list[Verdict], dict[_Point, list[Micros]]]:
        """Judge readings sorted by series and time, each stretch in a row of its own.

        The second says where stretches begin that do not go on from one before.
        """
        registry = self._registry
        table = self._table_of[registry.kind[readings.device], readings.metric]
        first = np.ones(len(slot), np.bool_)
        first[1:] = slot[1:] != slot[:-1]
        before = self._before(readings, slot)
        stands = np.maximum(registry.interval[readings.device] * MISSED_INTERVALS, LEAST_STANDING)
        moved = first & (self._table.rows[slot] != table)
        begins = (readings.ts < before) | (before < readings.ts - stands) | moved
        starts = np.flatnonzero(first | begins)
        ends = np.append(starts[1:], len(slot)) - 1
        chained = first[starts] & ~moved[starts] & (readings.ts[starts] < before[starts])
        chained &= readings.ts[ends] >= self._start.rows[slot[starts]] - stands[starts]

        row = self._rows(readings, table, slot, starts, begins)
        out: list[Verdict] = []
        stretch = np.zeros(len(slot), np.bool_)
        stretch[starts] = True
        for index in np.unique(table).tolist():
            which = np.flatnonzero(table == index)
            out += self._tables[index].step(_column(readings.take(which), row[which], stretch[which]))
        self._keep(readings, table, slot, row, starts)
        fresh = starts[begins[starts] & ~chained]
        return out, self._breaks(readings, fresh) if out or self._said else {}

    def _rows(self, readings: Readings, table: Int16s, slot: Int64s, starts: Int64s, begins: Bools) -> Int64s:
        """Return the row of each reading: that of its series where its stretch goes on, else a row as new."""
        row = self._row.rows[slot[starts]].copy()
        for index in np.unique(table[starts]).tolist():
            mine = np.flatnonzero(begins[starts] & (table[starts] == index))
            if len(mine):
                at = starts[mine]
                device, channel = readings.device[at].astype(np.int64), readings.channel[at].astype(np.int64)
                row[mine] = self._tables[index].add_rows(device, channel)
        place = np.zeros(len(slot), np.int64)
        place[starts] = 1
        of_reading: Int64s = row[np.cumsum(place) - 1]
        return of_reading

    def _keep(self, readings: Readings, table: Int16s, slot: Int64s, row: Int64s, starts: Int64s) -> None:
        """Remember the last stretch of each series and give the rows of the others back."""
        slots, ends = slot[starts], np.append(starts[1:], len(slot)) - 1
        last = np.append(slots[1:] != slots[:-1], True)
        final = slots[last]
        had_table, had_row = self._table.rows[final], self._row.rows[final]
        left = (had_row != _NONE) & ((had_row != row[ends[last]]) | (had_table != table[ends[last]]))
        for index, number in zip(had_table[left].tolist(), had_row[left].tolist(), strict=True):
            self._tables[index].drop_row(number)
        passed = starts[~last]
        kept = set(zip(had_table.tolist(), had_row.tolist(), strict=True))
        for index, number in zip(table[passed].tolist(), row[passed].tolist(), strict=True):
            if (index, number) not in kept:  # else it was given back above
                self._tables[index].drop_row(number)
        begun = readings.ts[starts[last]]
        goes_on = (had_row == row[ends[last]]) & (had_table == table[ends[last]])
        self._start.rows[final] = np.where(goes_on, self._start.rows[final], begun)
        self._table.rows[final], self._row.rows[final] = table[ends[last]], row[ends[last]]
        self._last.rows[final] = readings.ts[ends[last]]

    def _before(self, readings: Readings, slot: Int64s) -> Int64s:
        """Return, per reading, the time of the late reading of its series before it."""
        before: Int64s = self._last.rows[slot].copy()
        same = slot[1:] == slot[:-1]
        before[1:][same] = readings.ts[:-1][same]
        return before

    def _slots_of(self, series: list[int]) -> Int64s:
        slots = self._slots
        found = np.fromiter((slots.setdefault(each, len(slots)) for each in series), np.int64, len(series))
        for column in (self._table, self._row, self._start, self._last):
            column.fit(len(slots))
        return found

    def _breaks(self, readings: Readings, fresh: Int64s) -> dict[_Point, list[Micros]]:
        breaks: dict[_Point, list[Micros]] = {}
        names = catalogue().by_number
        for place in fresh.tolist():
            channel = self._registry.channel_name(int(readings.channel[place]))
            point = (int(readings.device[place]), component(names[int(readings.metric[place])].name, channel))
            breaks.setdefault(point, []).append(int(readings.ts[place]))
        return breaks

    def _news(self, verdicts: Iterable[Verdict], breaks: dict[_Point, list[Micros]]) -> list[Verdict]:
        """Return the raises that say more than was said of their stretch."""
        out: list[Verdict] = []
        for verdict in verdicts:
            assert verdict.device_number is not None  # limit rules are about devices
            point = (verdict.device_number, verdict.component)
            waiting = breaks.get(point, [])
            while waiting and waiting[0] <= verdict.at:
                self._said.pop(point, None)
                del waiting[0]
            said = self._said.setdefault(point, {})
            if verdict.kind is VerdictKind.CLEAR:
                said.pop(verdict.rule, None)
                continue
            known = said.get(verdict.rule)
            said[verdict.rule] = verdict.priority if known is None else min(known, verdict.priority)
            fire = verdict.alert_class is AlertClass.FIRE and not verdict.again
            if fire or known is None or verdict.priority < known:
                out.append(_historical(verdict))
        for point, waiting in breaks.items():
            if waiting or not self._said.get(point):
                self._said.pop(point, None)
        return out


def came_and_went(verdicts: Sequence[Verdict], readings: Readings, registry: Registry) -> list[Verdict]:
    """Return what ``readings`` decided, with conditions of an old backlog that are over made ``historical``.

    Where a raise and the clear after it stand in one batch, nothing holds at the series' newest reading. Is the raise
    old too, having arrived later than a reading stands (three intervals, at least a minute) after its event time, one
    historical raise of the highest priority takes the place of both. Not so for fires, latched bands, and alerts that
    were raised before this batch; nor where the clear comes in a later batch: then it was raised live.
    """
    if not any(verdict.kind is VerdictKind.CLEAR for verdict in verdicts):
        return list(verdicts)
    arrivals = _Arrivals(readings, registry)
    out: list[Verdict | None] = list(verdicts)
    runs: dict[tuple[str, str, str, str], list[int]] = {}
    for place, verdict in enumerate(verdicts):
        if verdict.kind is VerdictKind.RAISE and (not verdict.again or verdict.key in runs):
            runs.setdefault(verdict.key, []).append(place)
        elif verdict.kind is VerdictKind.CLEAR and (run := runs.pop(verdict.key, None)) is not None:
            raises = [verdicts[each] for each in run]
            if any(each.latch or each.alert_class is AlertClass.FIRE for each in raises):
                continue
            if not arrivals.is_old(raises[0]):
                continue
            worst = min(range(len(run)), key=lambda each: raises[each].priority)
            for each in (*run, place):
                out[each] = None
            out[run[worst]] = _historical(raises[worst])
    return [verdict for verdict in out if verdict is not None]


class _Arrivals:
    """When the readings of a batch arrived, by series; each series is looked for once, as a backlog may chatter."""

    def __init__(self, readings: Readings, registry: Registry) -> None:
        self._readings = readings
        self._registry = registry
        self._of: dict[int, tuple[Int64s, Int64s]] = {}

    def is_old(self, verdict: Verdict) -> bool:
        """Say whether the reading that showed what ``verdict`` raises arrived long after it had become true."""
        if verdict.device_number is None or verdict.metric is None:
            return False
        channel = self._registry.channel(verdict.component.partition(".")[2])
        assert channel is not None  # the verdict named it
        ts, received = self._series(self._registry.series(verdict.device_number, verdict.metric, channel))
        if not len(ts):
            return False
        shown = max(int(ts.searchsorted(verdict.at, side="right")) - 1, 0)
        interval = int(self._registry.interval[verdict.device_number])
        return int(received[shown]) - verdict.at > max(MISSED_INTERVALS * interval, LEAST_STANDING)

    def _series(self, series: int) -> tuple[Int64s, Int64s]:
        """Return times and arrivals of the readings of a series, in the order of their times."""
        if series not in self._of:
            mine = np.flatnonzero(self._readings.series == series)
            mine = mine[self._readings.ts[mine].argsort(kind="stable")]
            self._of[series] = self._readings.ts[mine], self._readings.received[mine]
        return self._of[series]


def _column(readings: Readings, row: Int64s, first: Bools) -> Column:
    return Column(
        row=row,
        device=readings.device.astype(np.int64),
        ts=readings.ts,
        received=readings.received,
        value=readings.value,
        uncertain=readings.quality == Quality.UNCERTAIN,
        first=first,
    )


def _historical(verdict: Verdict) -> Verdict:
    return replace(verdict, flags=(*verdict.flags, HISTORICAL))


def _instant(verdict: Verdict) -> Micros:
    return verdict.at
