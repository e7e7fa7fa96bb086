"""Values nobody can believe (quality bad): a finding 数据质量 by series, since they trip no limit."""

from typing import Any

import numpy as np
import numpy.typing as npt

from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Bools, Int16s, Int32s, Int64s, Quality, Readings
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import QualityCondition
from firetower.rules.book.model import Rule
from firetower.rules.measured.limits import component
from firetower.rules.measured.off import Off
from firetower.rules.measured.scopes import Scopes
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.streaks import Streaks

NONE = -1
Indices = npt.NDArray[np.int8]
"""Of rules, by whatever the column is of; NONE where there is none."""


class ImplausibleWatch:
    """Series with readings of quality bad in a row. A series takes the first rule for its device's kind and metric.

    Where an override turns that off, nothing is found, and what was is over with readings as any.
    """

    def __init__(self, rules: tuple[Rule, ...], registry: Registry, scopes: Scopes) -> None:
        self._rules = tuple(rule for rule in rules if condition_of(rule).of == "implausible")
        self._registry = registry
        self._off = Off(self._rules, scopes)
        self._samples, self._clear = samples_of(self._rules)
        metrics = catalogue().by_number
        self._rule_of: Indices = np.full((len(DeviceKind) + 1, max(metrics) + 1), NONE, np.int8)
        for index, rule in reversed(list(enumerate(self._rules))):
            for number, metric in metrics.items():
                if rule.metric in {None, metric.name}:
                    self._rule_of[[KIND_NUMBER[kind] for kind in rule.kinds], number] = index
        self._streaks = Streaks()
        self._open: Column[np.int8] = Column(np.int8, NONE)  # by series

    def seed(self, rule: str, series: int) -> bool:
        """Take over an open finding; False when the rulebook has no such rule."""
        for index, known in enumerate(self._rules):
            if known.id == rule:
                self._fit()
                self._open.rows[series] = index
                self._streaks.hold(series)
                return True
        return False

    def save(self, series: slice) -> dict[str, npt.NDArray[Any]]:
        """Return copies of the state of some series."""
        self._fit()
        return {"open": self._open.rows[series].copy(), **self._streaks.save(series)}

    def load(self, series: Int32s, saved: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what ``save`` returned, for ``series`` in its order."""
        self._fit()
        self._open.rows[series] = saved["open"]
        self._streaks.load(series, saved)

    def step(self, readings: Readings, first: Bools | None) -> list[Verdict]:
        """Take in readings newer than all before of their series, sorted by series and time where ``first`` is given.

        ``first``: starts a series; None when none is there twice.
        """
        self._fit()
        is_bad = readings.quality == Quality.BAD
        if self._off.rules and is_bad.any():
            rule = self._rule_for(readings.series, readings.device, readings.metric)
            is_bad &= ~self._off.of_each(rule, readings.device)
        which, bad, count = self._streaks.step(readings.series, is_bad, first)
        if not len(which):
            return []
        series, device, metric = readings.series[which], readings.device[which], readings.metric[which]
        rule, held = self._rule_of[self._registry.kind[device], metric], self._open.rows[series]
        samples, clear = self._samples[rule], self._clear[self._rule_for(series, device, metric)]
        begins = bad & (rule != NONE) & (count >= samples) & ((held == NONE) | (count == samples))
        ends = ~bad & (count >= clear) & ((held != NONE) | (count == clear))
        out: list[Verdict] = []
        for place in np.flatnonzero(begins | ends).tolist():
            number, reading = int(series[place]), int(which[place])
            index = int(self._open.rows[number])
            if begins[place] and index == NONE:
                index = int(rule[place])
                self._open.rows[number] = index
                self._streaks.hold(number)
                out.append(self._verdict(VerdictKind.RAISE, index, readings, reading))
            elif ends[place] and index != NONE:
                self._open.rows[number] = NONE
                self._streaks.release(number)
                out.append(self._verdict(VerdictKind.CLEAR, index, readings, reading))
        return out

    def _rule_for(self, series: Int32s, device: Int32s, metric: Int16s) -> Indices:
        """Return the rule whose finding is open for each series, or may begin."""
        held = self._open.rows[series]
        rule: Indices = np.where(held == NONE, self._rule_of[self._registry.kind[device], metric], held)
        return rule

    def _fit(self) -> None:
        size = len(self._registry.series_device)
        if size > len(self._open.rows):
            self._open.fit(size)
            self._streaks.fit(size)

    def _verdict(self, kind: VerdictKind, index: int, readings: Readings, place: int) -> Verdict:
        rule, registry = self._rules[index], self._registry
        device, value = int(readings.device[place]), float(readings.value[place])
        metric = catalogue().by_number[int(readings.metric[place])]
        lowest, highest = metric.plausible
        return Verdict(
            kind=kind,
            rule=rule.id,
            rule_version=rule.version,
            subject_kind=SubjectKind.DEVICE,
            subject="/".join(registry.name(device)),
            component=component(metric.name, registry.channel_name(int(readings.channel[place]))),
            alert_class=rule.alert_class,
            priority=condition_of(rule).priority,
            latch=False,
            at=int(readings.ts[place]),
            title_zh=rule.title.zh,
            title_en=rule.title.en,
            device_number=device,
            metric=metric.number,
            value=value,
            limit=lowest if value < lowest else highest if value > highest else None,
            flags=("retired",) * bool(registry.retired[device]),
        )


def condition_of(rule: Rule) -> QualityCondition:
    """Return the condition of a quality rule."""
    assert rule.condition.quality is not None  # the engine hands over quality rules only
    return rule.condition.quality


def samples_of(rules: tuple[Rule, ...]) -> tuple[Int64s, Int64s]:
    """Return how many readings in a row raise and clear, by rule; the last one stands for no rule."""
    conditions = [condition_of(rule) for rule in rules]
    return (
        np.array([condition.samples or 1 for condition in conditions] + [1], np.int64),
        np.array([condition.clear_samples or 1 for condition in conditions] + [1], np.int64),
    )
