"""Figures of a score: times to alarm by class, and which rule said what of which truth."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from firetower.core.clock import SECOND
from firetower.simulator.score.judge import Score
from firetower.simulator.truth import Expected

NOTHING, EXPLAINED, AGAIN, MISSED = "nothing", "may be there", "one too many", "missed"
"""Rows of what was true, beside class and priority; and the column of what nobody said."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from cause to alarm, in device time."""

    count: int
    p50: float
    p90: float
    p99: float
    most: float


def times_by_class(score: Score) -> dict[str, Times]:
    """Return the times of each class of alert that was found."""
    of: dict[str, list[float]] = defaultdict(list)
    for each in score.found:
        of[each.expected.alert_class].append(each.after / SECOND)
    return {
        name: Times(
            len(values), percentile(values, 0.5), percentile(values, 0.9), percentile(values, 0.99), max(values)
        )
        for name, values in sorted(of.items())
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of ``values`` that at least ``share`` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def confusion(score: Score) -> dict[str, dict[str, int]]:
    """Return how often each rule spoke, by what was true: class and priority expected, or that nothing was."""
    table: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in score.found:
        table[_truth(each.expected)][each.alert.rule] += 1
    for expected in score.missed:
        table[_truth(expected)][MISSED] += 1
    for alert, _ in score.duplicate:
        table[AGAIN][alert.rule] += 1
    for alert, _ in score.explained:
        table[EXPLAINED][alert.rule] += 1
    for alert, _ in score.false:
        table[NOTHING][alert.rule] += 1
    return {row: dict(sorted(columns.items())) for row, columns in sorted(table.items())}


def _truth(expected: Expected) -> str:
    return f"{expected.alert_class} {'–'.join(str(each) for each in sorted(set(expected.priority)))}"
