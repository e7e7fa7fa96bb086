"""The tables of all measured rules, in groups: one group for each kind and metric, its tables with rows in common."""

import hashlib
from collections.abc import Sequence

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Int16s, Int64s
from firetower.devices.registry import Registry
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.measured.columns import Column
from firetower.rules.measured.derived import Spec, spec_of
from firetower.rules.measured.limits import LimitTable
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import Verdict, VerdictKind

NO_TABLE = -1


class TableGroup:
    """Tables over the same series: one for the values as measured, one for each derivation (``derived.py``).

    Rows are given out and dropped by all of them in the same order, so that a series has one row number in the group.
    ``identities``: what each table is the state of, ``identity_of``. ``restored``: its tables were copied one after the
    other while readings went on, so that one may know what another does not; each then passes over what it has taken in
    already.
    """

    def __init__(self, tables: list[LimitTable], identities: list[str]) -> None:
        self.tables = tables
        self.identities = identities
        self.restored = False

    def add_rows(self, device: Int64s, channel: Int64s) -> Int64s:
        """Take in series and return their rows."""
        rows = [table.add_rows(device, channel) for table in self.tables]
        return rows[0]

    def drop_row(self, row: int) -> None:
        """Forget a series."""
        for table in self.tables:
            table.drop_row(row)

    def over(self, row: int, device: int, channel: str) -> list[tuple[Verdict, Micros]]:
        """Return clears of what is raised of a series and not latched, and how far its device's clock is ahead, µs."""
        out: list[tuple[Verdict, Micros]] = []
        for table in self.tables:
            for index, state in enumerate(table.describe(row)):
                if state.level and not table.lanes.bands[index][state.level - 1].latch:
                    clear = table.verdict(
                        VerdictKind.CLEAR, (index, state.level), (device, channel), state.at, state.value,
                        uncertain=state.uncertain,
                    )  # fmt: skip
                    out.append((clear, max(0, state.at - state.received)))
        return out

    def seed(self, row: int, rule: str, priority: int) -> bool:
        """Set the level an open alert of ``rule`` stands at; False when there is no such rule here."""
        return any(table.seed(row, rule, priority) for table in self.tables)

    def step(self, column: Column) -> list[Verdict]:
        """Take readings in and return the verdicts of every delay met up to and at them."""
        if self.restored:
            parts = [(table, _newer(table, column)) for table in self.tables]
            return [verdict for table, part in parts if len(part.ts) for verdict in table.step(part)]
        if len(self.tables) == 1:
            return self.tables[0].step(column)
        return [verdict for table in self.tables for verdict in table.step(column)]

    @property
    def of_fire(self) -> bool:
        """Whether any of its rules tells of fire."""
        return any(rule.alert_class is AlertClass.FIRE for table in self.tables for rule in table.rules)

    def tick(self, now: Micros, most: int) -> list[Verdict]:
        """Return the verdicts of delays that end by ``now`` while the last reading stands: ``LimitTable.tick``."""
        return [verdict for table in self.tables for verdict in table.tick(now, most)]


def _newer(table: LimitTable, column: Column) -> Column:
    """Return the readings that ``table`` has not taken in."""
    which = np.flatnonzero(column.ts > table.newest(column.row))
    if len(which) == len(column.ts):
        return column
    row = column.row[which]
    first = None
    if column.first is not None:
        first = np.ones(len(which), np.bool_)
        first[1:] = row[1:] != row[:-1]
    return Column(
        row, column.device[which], column.ts[which], column.received[which], column.value[which],
        column.uncertain[which], first,
    )  # fmt: skip


def make_tables(
    rulebook: Rulebook, registry: Registry, scopes: Scopes, *, derived: bool = True
) -> tuple[list[TableGroup], Int16s]:
    """Return the groups, and their index by (kind, metric); the last kind stands for -1, no device.

    ``scopes``: where the rulebook's overrides are in force. ``derived``: False for the rules on values as measured
    alone.
    """
    metrics = catalogue()
    measured: dict[str | None, list[Rule]] = {}
    for rule in rulebook.rules:
        if rule.measured is not None:
            measured.setdefault(rule.metric, []).append(rule)
    groups: list[TableGroup] = []
    group_of = np.full((len(DeviceKind) + 1, max(metrics.by_number) + 1), NO_TABLE, np.int16)
    for kind in DeviceKind:
        for metric in metrics.by_number.values():
            by_spec = _by_spec(measured.get(metric.name, ()), kind, derived=derived)
            if not by_spec:
                continue
            group_of[KIND_NUMBER[kind], metric.number] = len(groups)
            tables = [
                LimitTable(kind, metric, rules, registry, rulebook=rulebook, spec=spec, scopes=scopes)
                for spec, rules in by_spec.items()
            ]
            groups.append(TableGroup(tables, [identity_of(kind, rules, rulebook) for rules in by_spec.values()]))
    return groups, group_of


def identity_of(kind: DeviceKind, rules: Sequence[Rule], rulebook: Rulebook) -> str:
    """Return a digest of all that the state of a table rests on: its rules, their overrides, and the calendar."""
    names = {rule.id for rule in rules}
    timed = any(rule.schedule is not None or rule.condition.pattern is not None for rule in rules)
    said = (
        kind.value,
        [rule.model_dump_json() for rule in rules],
        [override.model_dump_json() for override in rulebook.overrides if override.rule in names],
        sorted(rulebook.calendar.holidays | rulebook.calendar.working_days) if timed else None,
        rulebook.calendar.model_dump_json(include={"zone", "spans"}) if timed else None,
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _by_spec(rules: Sequence[Rule], kind: DeviceKind, *, derived: bool) -> dict[Spec | None, tuple[Rule, ...]]:
    """Return those of the rules on a metric that are for a kind, by what they compare."""
    by_spec: dict[Spec | None, tuple[Rule, ...]] = {}
    for rule in rules:
        if kind in rule.kinds:
            spec = spec_of(rule)
            if derived or spec is None:
                by_spec[spec] = (*by_spec.get(spec, ()), rule)
    return by_spec
