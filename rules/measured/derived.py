"""Values derived from readings: what rates, windows, patterns, trends and imbalance compare with their limits.

A derivation has the rows of its table: one a series. It takes every reading in once, in time order, and returns what
is derived as of each; NaN while too little is known.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from firetower.devices.metrics import Metric
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.rules.book.conditions import Compared, Side
from firetower.rules.book.model import Calendar, Rule
from firetower.rules.book.quantities import Between, FromFile, Limit, duration_text, parse_duration
from firetower.rules.checkpoint import Saved
from firetower.rules.measured.calendars import Days
from firetower.rules.measured.columns import Column
from firetower.rules.measured.imbalance import Imbalance
from firetower.rules.measured.of_last import NthOfLast
from firetower.rules.measured.patterns import Deviation
from firetower.rules.measured.slopes import DaysLeft, Slope
from firetower.rules.measured.windows import window

Spec = tuple[Any, ...]
"""What a derivation is made from, its form first: rules with equal specs share one."""
Asked = tuple[Side, float | tuple[float, float]]
"""A side, and a limit or the two ends of a range."""
Test = Callable[[Floats], Bools]
_COMPARE: dict[Side, Callable[[Floats, float], Bools]] = {
    "above": np.greater,
    "at_or_above": np.greater_equal,
    "below": np.less,
    "at_or_below": np.less_equal,
}


class Derived(Protocol):
    """State by row, and values."""

    def fit(self, rows: int) -> None:
        """Make room for that many rows."""
        ...

    def take_in(self, row: Int64s, device: Int64s, channel: Int64s) -> None:
        """Learn which series rows stand for, given by device and channel numbers."""
        ...

    def forget(self, row: int) -> None:
        """Begin a row as new."""
        ...

    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown."""
        ...

    def turn(self, column: Column) -> Column:
        """Take readings in; return those that are judged, with what is derived as of each as their value."""
        ...

    def save(self, rows: slice) -> Saved:
        """Return copies of the state of some rows, arrays of shape (rows, …)."""
        ...

    def load(self, rows: Int64s, saved: Saved) -> None:
        """Take over state that ``save`` returned, into ``rows``. ValueError: it is of another version."""
        ...


def spec_of(rule: Rule) -> Spec | None:
    """Return what the derivation of a measured rule is made from; None where it compares readings as they are."""
    condition = rule.condition
    if condition.limit is not None:
        of_last = condition.limit.of_last
        return None if of_last is None else ("of_last", of_last.n, of_last.m, condition.limit.side.endswith("below"))
    if condition.rate is not None:
        rate = condition.rate
        per = parse_duration(f"1{rate.per}")
        return ("rate", rate.over, rate.samples, per, _only(rate.only, rate.side))
    if condition.window is not None:
        window = condition.window
        counted = None if window.counting is None else _asked(window.counting.side, window.counting.limit)
        return ("window", window.of, window.over, window.samples, window.span, counted, _only(window.only, window.side))
    if condition.pattern is not None:
        pattern = condition.pattern
        return ("pattern", pattern.learning, _asked(pattern.side, pattern.bands[0].limit))
    if condition.trend is not None:
        trend = condition.trend
        return ("trend", trend.to.value, trend.over, trend.samples)
    if condition.imbalance is not None:
        imbalance = condition.imbalance
        return ("imbalance", imbalance.channels, imbalance.within, imbalance.least.value)
    raise ValueError(
        f"rule {rule.id} has the form {condition.forms}; accepted: limit, rate, window, pattern, trend, imbalance"
    )


def figure_of(rule: Rule) -> str:
    """Return what the values and limits of a measured rule are, as ``Verdict.figure`` writes it; "" as measured."""
    condition, measured = rule.condition, rule.measured
    assert measured is not None  # asked for measured rules only
    unit = measured.bands[0].limit.unit
    if condition.window is not None:
        return f"{condition.window.of} {duration_text(condition.window.over)} {unit}"
    if condition.rate is not None:
        return f"rate {duration_text(condition.rate.over)} {unit}"
    if condition.trend is not None:
        return f"trend {duration_text(condition.trend.over)} {unit}"
    if condition.pattern is not None:
        return f"pattern - {unit}"
    return f"imbalance - {unit}" if condition.imbalance is not None else ""


def make(spec: Spec, metric: Metric, calendar: Calendar, channel_of: Callable[[str], int | None]) -> Derived:
    """Return a derivation without any rows. ``channel_of``: the number of a channel by its name, None for none."""
    match spec:
        case ("of_last", n, m, lowest):
            return NthOfLast(n, m, lowest=lowest)
        case ("rate", over, samples, per, only):
            return _while(only, Slope(over, samples, per))
        case ("window", of, over, samples, span, counted, only):
            return _while(only, window(of, over, samples, span, _test(counted)))
        case ("pattern", learning, mildest):
            return Deviation(learning, _test(mildest), Days(calendar).hours_and_kinds)
        case ("trend", to, over, samples):
            return DaysLeft(over, samples, to)
        case ("imbalance", channels, within, least):
            return Imbalance(channels, within, least, channel_of)
    raise ValueError(f"nothing derives {spec} of {metric.name}; accepted: what spec_of returns")


class While:
    """A derivation that says the safest there is, far on the side in order, while the newest value is not as asked."""

    def __init__(self, derived: Derived, asked: Test, safe: float) -> None:
        self._derived, self._asked, self._safe = derived, asked, safe
        self.fit, self.forget, self.save, self.load = derived.fit, derived.forget, derived.save, derived.load
        self.take_in = derived.take_in

    def turn(self, column: Column) -> Column:
        """Take readings in; return them with what is derived as of each as their value."""
        return replace(column, value=self.step(column))

    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown."""
        return np.where(self._asked(column.value), self._derived.step(column), self._safe)


def _while(only: tuple[Asked, float] | None, derived: Derived) -> Derived:
    return derived if only is None else While(derived, _test(only[0]), only[1])


def _only(only: Compared | None, side: Side) -> tuple[Asked, float] | None:
    """Return what is asked of the newest value, and what is in order on ``side`` at every limit."""
    if only is None:
        return None
    return _asked(only.side, only.limit), -np.inf if side.endswith("above") else np.inf


def _asked(side: Side, limit: Limit) -> Asked:
    """Return a side and a limit as plain numbers; a limit of the device's own file is none, nothing is beyond it."""
    if isinstance(limit, FromFile):
        return side, np.nan
    return side, (limit.low, limit.high) if isinstance(limit, Between) else limit.value


def _test(asked: Asked | None) -> Test:
    """Return which values are as asked (NaN never is); without anything asked, all."""
    if asked is None:
        return lambda value: np.ones(len(value), np.bool_)
    side, limit = asked
    if isinstance(limit, tuple):
        low, high = limit
        return lambda value: (value < low) | (value > high)
    compare = _COMPARE[side]
    return lambda value: compare(value, limit)
