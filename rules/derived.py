"""Values derived from the readings of a series: what rates, windows, patterns and trends compare with their limits.

A derivation has the rows of its table: one a series. It takes every reading in once, in time order, and returns what
is derived as of each; NaN while too little is known.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from firetower.devices.metrics import Metric
from firetower.devices.readings import Floats, Int64s
from firetower.rules.columns import Column
from firetower.rules.model import Calendar, Rule

Spec = tuple[Any, ...]
"""What a derivation is made from: rules with equal specs share one."""
Saved = dict[str, npt.NDArray[Any]]


class Derived(Protocol):
    """State by row, and values."""

    def fit(self, rows: int) -> None:
        """Make room for that many rows."""
        ...

    def forget(self, row: int) -> None:
        """Begin a row as new."""
        ...

    def step(self, column: Column) -> Floats:
        """Take readings in; return, shape (n,), the derived value as of each. NaN: unknown."""
        ...

    def save(self, rows: slice) -> Saved:
        """Return copies of the state of some rows, arrays of shape (rows, …)."""
        ...

    def load(self, rows: Int64s, saved: Saved) -> None:
        """Take over state that ``save`` returned, into ``rows``."""
        ...


def spec_of(rule: Rule) -> Spec | None:
    """Return what the derivation of a measured rule is made from; None where it compares readings as they are."""
    condition = rule.condition
    if condition.limit is not None and condition.limit.of_last is None:
        return None
    raise NotImplementedError(f"{condition.forms}")


def make(spec: Spec, metric: Metric, calendar: Calendar) -> Derived:
    """Return a derivation without any rows."""
    raise NotImplementedError(f"{spec} {metric} {calendar} {np.nan}")
