"""Limit rules over all series of one kind and metric: bands, deadbands and delays in event time, as numpy columns.

A *lane* is one band of one rule. Each reading puts each lane in a zone: 1 beyond the limit, -1 back past the clear
value, 0 in between. The value is as measured or, with a derivation (``derived.py``), as derived; unknown: in between.
A run of equal zones long enough (delay or samples) is *met*: for zone 1 the rule's level rises to that band, for
zone -1 it falls under it. Both are facts of event time, so a delay that ends between two readings ends at its own
instant, whether a tick or the next reading finds it. A reading stands until the next one, or until it is stale; a
gap by itself neither ends a run nor meets it.

A rule with a schedule: a reading outside of it is in zone -1, which ends a run beyond the limit. A delay of such a run
whose end lies outside is not met while a reading stands; a later reading inside, still beyond with none outside in
between, meets it. A rule that is off for a device by an override: all its readings are in zone -1.
"""

import math

import numpy as np

from firetower.core.clock import Micros
from firetower.devices import columns
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import Metric
from firetower.devices.readings import Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import Saved, of_prefix, prefixed
from firetower.rules.measured import derived
from firetower.rules.measured.calendars import Days
from firetower.rules.measured.columns import Column
from firetower.rules.measured.lanes import NEVER, Lanes
from firetower.rules.measured.scopes import Scopes, VariantsOf
from firetower.rules.measured.standing import Records, Runs, Standing, record_of, runs_of, standing_at, standing_of
from firetower.rules.told.explain import RuleState, states_of
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

_BLOCK_BITS = 12


class LimitTable:
    """State and evaluation of the rules that apply to one metric of one kind of device; one row a series.

    ``spec``: what their values are derived from (``derived.py``); None: as measured. ``scopes``: where the rulebook's
    overrides are in force, for several tables to share.
    """

    def __init__(
        self,
        kind: DeviceKind,
        metric: Metric,
        rules: tuple[Rule, ...],
        registry: Registry,
        *,
        rulebook: Rulebook,
        spec: derived.Spec | None = None,
        scopes: Scopes | None = None,
    ) -> None:
        self.kind, self.metric, self.rules = kind, metric, rules
        self._registry = registry
        scopes = Scopes(rulebook.overrides, registry) if scopes is None else scopes
        variants = VariantsOf(scopes, [rule.id for rule in rules])
        self.lanes = Lanes(rules, registry, variants, Days(rulebook.calendar))
        self._figure = "" if spec is None else derived.figure_of(rules[0])
        self._derived = None if spec is None else derived.make(spec, metric, rulebook.calendar, registry.channel)
        self._record = record_of(len(self.lanes), len(rules))
        self.rows = 0
        self._dropped: list[int] = []
        self._cells: columns.Column[np.int64] = columns.Column(np.int64, 0, (self._record.itemsize // 8,))
        self._state = self._records(self._cells.rows)
        self._wall_due: columns.Column[np.int64] = columns.Column(np.int64, NEVER)
        # by block of 4096 rows, nothing of which is due before; a tick looks at the rows of few blocks only
        self._block_due: columns.Column[np.int64] = columns.Column(np.int64, NEVER)
        self._device: columns.Column[np.int32] = columns.Column(np.int32)
        self._channel: columns.Column[np.int16] = columns.Column(np.int16)

    def add_rows(self, device: Int64s, channel: Int64s) -> Int64s:
        """Take in series given by device and channel numbers and return their rows; dropped ones are used again."""
        used, self._dropped = self._dropped[: len(device)], self._dropped[len(device) :]
        first, self.rows = self.rows, self.rows + len(device) - len(used)
        if self.rows > len(self._state):
            had = len(self._state)
            self._state = self._records(self._cells.fit(self.rows))
            self._state["due"][had:] = NEVER
            self._wall_due.fit(self.rows)
            self._block_due.fit((self.rows >> _BLOCK_BITS) + 1)
            self._device.fit(self.rows)
            self._channel.fit(self.rows)
        if self._derived is not None:
            self._derived.fit(self.rows)
        rows = np.append(np.array(used, np.int64), np.arange(first, self.rows, dtype=np.int64))
        if self._derived is not None:
            self._derived.take_in(rows, device, channel)
        self._device.rows[rows], self._channel.rows[rows] = device, channel
        return rows

    def drop_row(self, row: int) -> None:
        """Forget a series: its device has become another kind, or a stretch of late readings is over."""
        self._cells.rows[row] = 0
        self._state["due"][row] = NEVER
        self._wall_due.rows[row] = NEVER
        if self._derived is not None:
            self._derived.forget(row)
        self._dropped.append(row)

    def newest(self, rows: Int64s) -> Int64s:
        """Return the time of the newest reading taken in of each row, µs; 0 without one."""
        newest: Int64s = self._state["ts"][rows]
        return newest

    def save(self, rows: slice) -> Saved:
        """Return copies of the state of some rows, arrays of shape (rows, …), with each one's device and channel.

        ``ts``: of the newest reading taken in, 0 without one.
        """
        saved = {name: self._state[name][rows].copy() for name in self._record.names or ()}
        saved |= {"device": self._device.rows[rows].copy(), "channel": self._channel.rows[rows].copy()}
        return saved if self._derived is None else saved | prefixed("derived.", self._derived.save(rows))

    def load(self, rows: Int64s, saved: Saved) -> None:
        """Take over state that ``save`` returned, into ``rows`` given out for the same series before.

        Raises ValueError when it was saved by a table of other rules.
        """
        for name in self._record.names or ():
            if name not in saved or saved[name].shape[1:] != self._state[name].shape[1:]:
                raise ValueError(
                    f"saved state of {self.metric.name} does not fit its rules in {name}; rebuild it instead"
                )
        if self._derived is not None:
            self._derived.load(rows, of_prefix("derived.", saved))
        for name in self._record.names or ():
            self._state[name][rows] = saved[name]
        due = saved["due"]
        waits = np.flatnonzero(due != NEVER)
        self._wait(rows[waits], due[waits] - saved["ts"][waits] + saved["received"][waits])

    def seed(self, row: int, rule: str, priority: int) -> bool:
        """Set the level an open alert of ``rule`` stands at; False when the rulebook has no such rule here."""
        for index, known in enumerate(self.rules):
            if known.id == rule:
                bands = self.lanes.bands[index]
                level = max((number for number, band in enumerate(bands, 1) if band.priority >= priority), default=1)
                self._state["level"][row, index] = level
                return True
        return False

    def describe(self, row: int) -> list[RuleState]:
        """Return how each rule stands for a series; nothing before its first reading."""
        record = self._state[row]
        standing = standing_of(row, record)
        return states_of(self.rules, self.lanes, standing, record, self._met(standing)) if standing.ts else []

    def step(self, column: Column) -> list[Verdict]:
        """Take readings in and return the verdicts of every delay met up to and at them."""
        if self._derived is not None:
            column = self._derived.turn(column)
            if not len(column.row):
                return []
        cells = self._cells.rows[column.row]
        before = self._records(cells)
        variant = self.lanes.variant(column.device)
        zone = self.lanes.zones(column.value, column.device, column.ts, variant)
        runs = runs_of(zone, column, before)
        moving = zone == 1  # the lanes that may change a level; while none is up, only those beyond their limit
        if before["level"].any():
            level = before["level"][:, self.lanes.rule]
            moving = np.where(moving, self.lanes.number > level, (zone == -1) & (self.lanes.number <= level))
        walk = before["due"] < column.ts
        due = np.full(len(walk), NEVER, np.int64)
        hot = np.flatnonzero(moving.any(axis=1))
        if len(hot):
            met, waits = self.lanes.met(
                zone[hot], runs.since[hot], runs.count[hot], column.ts[hot],
                self._registry.interval[column.device[hot]], None if variant is None else variant[hot],
            )  # fmt: skip
            walk[hot] |= (met & moving[hot]).any(axis=1)
            due[hot] = np.where(moving[hot], waits, NEVER).min(axis=1)
        if column.first is None:
            starts = ends = np.arange(len(walk))
        else:
            starts = np.flatnonzero(column.first)
            ends = np.append(starts[1:], len(walk)) - 1
            inner = ~column.first[1:]
            walk[:-1] |= inner & (due[:-1] < column.ts[1:])
        self._write(column, runs, due, cells.copy() if column.first is None else cells[ends], ends)
        if not walk.any():
            return []
        out: list[Verdict] = []
        for index in np.flatnonzero(np.logical_or.reduceat(walk, starts)).tolist():
            self._walk(column, runs, before, (int(starts[index]), int(ends[index]) + 1), out)
        return out

    def tick(self, now: Micros, most: int) -> list[Verdict]:
        """Return the verdicts of delays that end by ``now`` while the last reading stands.

        Measured from the arrival of that reading, so that neither a slow line nor a device's wrong clock ends a
        delay before the reading that would have stopped it can have come. Looks at ``most`` rows, the longest due
        first; the next tick goes on with the others, and each delay ends at its own instant, whenever it is told.
        """
        blocks = np.flatnonzero(self._block_due.rows <= now).tolist()
        if not blocks:
            return []
        due = [np.flatnonzero(self._of_block(block) <= now) + (block << _BLOCK_BITS) for block in blocks]
        rows = np.concatenate(due)
        if len(rows) > most:
            rows = np.sort(rows[np.argpartition(self._wall_due.rows[rows], most)[:most]])
        out: list[Verdict] = []
        for row in rows.tolist():
            record = self._state[row]
            until = int(now - record["received"] + record["ts"])
            level = record["level"].tolist()
            standing = standing_of(row, record)
            self._advance(standing, level, int(record["due"]), until, out)
            self._keep(standing, level, until)
        for block in blocks:
            self._block_due.rows[block] = self._of_block(block).min()
        return out

    def _of_block(self, block: int) -> Int64s:
        first = block << _BLOCK_BITS
        return self._wall_due.rows[first : first + (1 << _BLOCK_BITS)]

    def _write(self, column: Column, runs: Runs, due: Int64s, cells: Int64s, ends: Int64s) -> None:
        """Store the state after the last reading of each row (``ends``) in ``cells``, their state before."""
        rows = column.row[ends]
        after = self._records(cells)
        was_due = after["due"].copy()
        after["zone"], after["since"], after["count"] = runs.zone[ends], runs.since[ends], runs.count[ends]
        after["ts"], after["received"], after["due"] = column.ts[ends], column.received[ends], due[ends]
        after["value"], after["uncertain"] = column.value[ends], column.uncertain[ends]
        self._cells.rows[rows] = cells
        due = due[ends]
        delayed = np.flatnonzero((due != NEVER) | (was_due != NEVER))
        wall_due = np.where(due == NEVER, NEVER, due - after["ts"] + after["received"])
        self._wait(rows[delayed], wall_due[delayed])

    def _wait(self, rows: Int64s, wall_due: Int64s) -> None:
        """Note by when a tick has to look at rows."""
        self._wall_due.rows[rows] = wall_due
        np.minimum.at(self._block_due.rows, rows >> _BLOCK_BITS, wall_due)

    def _records(self, cells: Int64s) -> Records:
        """Return whole rows of int64, which numpy copies as quickly as it can, as the records they are."""
        records: Records = cells.view(self._record)[:, 0]
        return records

    def _walk(self, column: Column, runs: Runs, before: Records, span: tuple[int, int], out: list[Verdict]) -> None:
        """Go through the readings of one row (``span`` of the columns), after the one that stood before."""
        first, end = span
        row, level, due = int(column.row[first]), before["level"][first].tolist(), int(before["due"][first])
        if due < column.ts[first]:
            self._advance(standing_of(row, before[first]), level, due, int(column.ts[first]) - 1, out)
        for index in range(first, end):
            standing = standing_at(column, runs, index)
            until = int(column.ts[index + 1]) - 1 if index + 1 < end else standing.ts
            self._advance(standing, level, standing.ts, until, out)
        self._keep(standing, level, standing.ts)

    def _advance(self, standing: Standing, level: list[int], start: Micros, until: Micros, out: list[Verdict]) -> None:
        """Apply, in time order, every run met from ``start`` to ``until`` (inclusive) while ``standing`` stands."""
        met = self._met(standing)
        for at in sorted({instant for instant in met if start <= instant <= until}):
            for index, bands in enumerate(self.lanes.bands):
                low, high = 0, len(bands)
                for number, lane in enumerate(self.lanes.of_rule(index), 1):
                    if met[lane] > at:
                        continue
                    if standing.zone[lane] == 1:
                        low = number
                    else:
                        high = min(high, number - 1)
                new = max(low, min(level[index], high))
                if new != level[index]:
                    out.append(self._verdict(standing, index, level[index], new, at))
                    level[index] = new

    def _met(self, standing: Standing) -> list[Micros]:
        """Return, per lane, the instant its run is met while ``standing`` stands; NEVER when it is not."""
        device = int(self._device.rows[standing.row])
        interval = int(self._registry.interval[device])
        return self.lanes.met_at(standing.zone, standing.since, standing.count, standing.ts, interval, device)

    def _keep(self, standing: Standing, level: list[int], until: Micros) -> None:
        """Store the levels and the next instant after ``until`` that may change one."""
        due = NEVER
        for lane, instant in enumerate(self._met(standing)):
            above = int(self.lanes.number[lane]) > level[int(self.lanes.rule[lane])]
            if until < instant < due and above == (standing.zone[lane] == 1):
                due = instant
        record = self._state[standing.row : standing.row + 1]
        record["level"], record["due"] = level, due
        wall_due = NEVER if due == NEVER else int(due - record["ts"][0] + record["received"][0])
        self._wall_due.rows[standing.row] = wall_due
        block = standing.row >> _BLOCK_BITS
        self._block_due.rows[block] = min(self._block_due.rows.item(block), wall_due)

    def _verdict(self, standing: Standing, index: int, old: int, new: int, at: Micros) -> Verdict:
        channel = self._registry.channel_name(int(self._channel.rows[standing.row]))
        return self.verdict(
            VerdictKind.RAISE if new else VerdictKind.CLEAR,
            (index, new or old),
            (int(self._device.rows[standing.row]), channel),
            at,
            standing.value,
            uncertain=standing.uncertain,
            again=old > 0,
        )

    def verdict(
        self,
        kind: VerdictKind,
        of: tuple[int, int],
        about: tuple[int, str],
        at: Micros,
        value: float,
        *,
        uncertain: bool,
        again: bool = False,
    ) -> Verdict:
        """Return the verdict ``of`` a rule (its index) and band (1 the mildest) ``about`` a device and its channel."""
        (index, number), (device, channel) = of, about
        rule, registry = self.rules[index], self._registry
        band = self.lanes.bands[index][number - 1]
        title = band.title or rule.title
        return Verdict(
            kind=kind,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=SubjectKind.DEVICE,
            subject="/".join(registry.name(device)),
            component=component(self.metric.name, channel),
            alert_class=rule.alert_class,
            priority=band.priority,
            latch=band.latch,
            at=at,
            title_zh=title.zh,
            title_en=title.en,
            device_number=device,
            metric=self.metric.number,
            value=value if math.isfinite(value) else None,
            limit=self.lanes.limit(self.lanes.of_rule(index)[number - 1], device, value),
            flags=("uncertain",) * uncertain + ("retired",) * bool(registry.retired[device]),
            again=again,
            figure=self._figure,
        )


def component(metric: str, channel: str) -> str:
    """Return the component of a limit rule's alert: the metric with its channel, ``cable_temperature.2``."""
    return f"{metric}.{channel}" if channel else metric
