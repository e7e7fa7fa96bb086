"""Series as the engine knows them: the newest reading of each, and its row in the tables of its kind and metric."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from firetower.core.clock import Micros
from firetower.devices import columns
from firetower.devices.readings import Bools, Int16s, Int32s, Int64s, Readings
from firetower.devices.registry import Registry
from firetower.rules.checkpoint import Saved
from firetower.rules.measured.tables import NO_TABLE, TableGroup
from firetower.rules.told.explain import RuleState
from firetower.rules.verdicts import Verdict

UNKNOWN = int(np.iinfo(np.int64).min)
"""Watermark of a series nobody has heard of."""


class SeriesBook:
    """Columns by series number. ``watermark``: event time of the newest reading, µs; ``table``: number of its group of
    tables, NO_TABLE without one; ``row``: its row there.

    They have room to spare; ``fit`` before anything is looked up of series that may be new.
    """

    def __init__(self, groups: Sequence[TableGroup], group_of: Int16s, registry: Registry) -> None:
        self._groups = groups
        self._group_of = group_of
        self._registry = registry
        self._watermark: columns.Column[np.int64] = columns.Column(np.int64, UNKNOWN)
        self._table: columns.Column[np.int16] = columns.Column(np.int16, NO_TABLE)
        self._row: columns.Column[np.int32] = columns.Column(np.int32)
        self._place: columns.Column[np.int32] = columns.Column(np.int32)
        self._kind: columns.Column[np.int8] = columns.Column(np.int8, -1)  # by device, as the last tick saw it
        self._revision = -1
        self._over: list[Verdict] = []
        self._over_at_tick: list[tuple[Verdict, Micros]] = []  # and how far the clock of each device is ahead

    @property
    def watermark(self) -> Int64s:
        """The column."""
        return self._watermark.rows

    @property
    def row(self) -> Int32s:
        """The column."""
        return self._row.rows

    def newest(self, readings: Readings) -> tuple[Readings, Bools | None]:
        """Return the readings newer than their series' watermark and raise the watermarks.

        The second is None when no series is there twice; else the readings are sorted by series and time, and it
        says which are the first of their series.
        """
        new = readings.ts > self._watermark.rows[readings.series]
        if not new.all():
            readings = readings.take(new)
        series, count = readings.series, len(readings)
        place = np.arange(count, dtype=np.int32)
        self._place.rows[series] = place
        if (self._place.rows[series] == place).all():
            self._watermark.rows[series] = readings.ts
            return readings, None
        readings = readings.take(np.lexsort((readings.ts, series)))
        repeat = np.zeros(count, np.bool_)
        repeat[1:] = (readings.series[1:] == readings.series[:-1]) & (readings.ts[1:] == readings.ts[:-1])
        if repeat.any():
            readings = readings.take(~repeat)
        first = np.ones(len(readings), np.bool_)
        first[1:] = readings.series[1:] != readings.series[:-1]
        last = np.append(first[1:], True)
        self._watermark.rows[readings.series[last]] = readings.ts[last]
        return readings, first

    def tables_for(self, series: Int32s, device: Int32s | Int64s, metric: Int16s, ts: Int64s | None = None) -> Int16s:
        """Return the table of each series; new series are taken in, those whose device changed its kind are moved.

        ``ts``: of readings by which that is noticed, µs; ``ended`` then tells what is over with it, else ``tick`` does.
        """
        table = self._group_of[self._registry.kind[device], metric]
        strangers = np.flatnonzero(table != self._table.rows[series])
        if len(strangers):
            fresh, where = np.unique(series[strangers], return_index=True)
            wanted = table[strangers][where]
            for index in np.unique(self._table.rows[fresh]).tolist():
                if index != NO_TABLE:
                    mine = self._table.rows[fresh] == index
                    self._drop(index, fresh[mine], None if ts is None else ts[strangers][where][mine])
            self._table.rows[fresh] = wanted
            for index in np.unique(wanted).tolist():
                if index == NO_TABLE:
                    continue
                mine = fresh[wanted == index]
                self._row.rows[mine] = self._groups[index].add_rows(
                    self._registry.series_device[mine].astype(np.int64),
                    self._registry.series_channel[mine].astype(np.int64),
                )
        return table

    def _drop(self, group: int, series: Int32s, ts: Int64s | None) -> None:
        registry = self._registry
        for place, (each, row) in enumerate(zip(series.tolist(), self._row.rows[series].tolist(), strict=True)):
            channel = registry.channel_name(int(registry.series_channel[each]))
            over = self._groups[group].over(row, int(registry.series_device[each]), channel)
            if ts is None:
                self._over_at_tick += over
            else:
                self._over += [replace(verdict, at=int(ts[place])) for verdict, _ in over]
            self._groups[group].drop_row(row)

    def ended(self) -> list[Verdict]:
        """Return, once, clears of what was raised on devices whose readings show that they are of another kind by now.

        They come before what the new rules make of these readings: it may be the same rule.
        """
        over, self._over = self._over, []
        return over

    def tick(self, now: Micros) -> list[Verdict]:
        """Return clears of what was raised on devices that have become another kind and have not spoken since."""
        registry = self._registry
        if self._revision != registry.revision:
            changed = np.flatnonzero(registry.changed > self._revision)
            self._revision = registry.revision
            kind = self._kind.fit(len(registry.kind))
            moved = changed[(kind[changed] != registry.kind[changed]) & (kind[changed] >= 0)]
            kind[changed] = registry.kind[changed]
            if len(moved):
                self.fit()
                known = np.flatnonzero(self._table.rows[: registry.series_count] != NO_TABLE)
                series = known[np.isin(registry.series_device[known], moved)].astype(np.int32)
                self.tables_for(series, registry.series_device[series], registry.series_metric[series])
        over, self._over_at_tick = self._over_at_tick, []
        return [replace(verdict, at=now + ahead) for verdict, ahead in over]

    def describe(self, device: int) -> dict[tuple[int, int], list[RuleState]]:
        """Return how the rules of a device's series stand, by metric and channel number."""
        self.fit()
        found: dict[tuple[int, int], list[RuleState]] = {}
        registry = self._registry
        for series in np.flatnonzero(registry.series_device == device).tolist():
            table, row = int(self._table.rows[series]), int(self._row.rows[series])
            if table != NO_TABLE:
                key = (int(registry.series_metric[series]), int(registry.series_channel[series]))
                found[key] = [state for each in self._groups[table].tables for state in each.describe(row)]
        return found

    def fit(self) -> None:
        """Make room for the series the registry has met since."""
        size = len(self._registry.series_device)
        if size > len(self._watermark.rows):
            self._watermark.fit(size)
            self._table.fit(size)
            self._row.fit(size)
            self._place.fit(size)

    # checkpoint ------------------------------------------------------------------------------------

    def save(self, part: slice) -> Saved:
        """Return copies of what is known of some series, and of their names."""
        registry = self._registry
        return {
            "device": registry.series_device[part].copy(),
            "metric": registry.series_metric[part].copy(),
            "channel": registry.series_channel[part].copy(),
            "watermark": self._watermark.rows[part].copy(),
        }

    def load(self, saved: Saved) -> tuple[Int32s, Saved]:
        """Take in what ``save`` returned of series that have readings and whose device the registry still has.

        Return their numbers, and what else was saved of them.
        """
        known = self._known(saved["device"]) & (saved["watermark"] != UNKNOWN)
        saved = {name: column[known] for name, column in saved.items()}
        series = self._registry.series_many(saved["device"], saved["metric"], saved["channel"])
        self.fit()
        self._watermark.rows[series] = saved["watermark"]
        self.tables_for(series, saved["device"], saved["metric"])
        return series, saved

    def load_table(self, group: int, table: int, saved: Saved, *, anew: bool = False) -> None:
        """Take in the rows that a table saved, of series taken in before; ``anew``: of series not heard of here yet."""
        known = self._known(saved["device"]) & (saved["ts"] != 0)  # 0: dropped, or without a reading yet
        saved = {name: column[known] for name, column in saved.items()}
        into = self._groups[group].tables[table]
        metric = np.full(len(saved["device"]), into.metric.number, np.int16)
        series = self._registry.series_many(saved["device"].astype(np.int32), metric, saved["channel"].astype(np.int16))
        self.fit()
        if anew:
            self.tables_for(series, saved["device"].astype(np.int64), metric)
        mine = (self._table.rows[series] == group) & (anew | (self._watermark.rows[series] != UNKNOWN))
        into.load(self._row.rows[series[mine]].astype(np.int64), {name: rows[mine] for name, rows in saved.items()})

    def _known(self, device: Int32s) -> Bools:
        kind = self._registry.kind
        known: Bools = device < len(kind)
        known[known] = kind[device[known]] >= 0
        return known
