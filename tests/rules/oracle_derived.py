"""The oracle's derived values: plain arithmetic over the list of all readings of a series, in fractions."""

import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import groupby, pairwise
from statistics import fmean, median, pstdev
from typing import Protocol

import numpy as np
from oracle_calendar import hour_and_rest, hour_number

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.rules.book.conditions import (
    Compared,
    ImbalanceCondition,
    PatternCondition,
    RateCondition,
    TrendCondition,
    WindowCondition,
)
from firetower.rules.book.model import Calendar, Rule
from firetower.rules.book.quantities import Between

PER = {"s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}


class Sample(Protocol):
    ts: int
    value: float


def figure_of(rule: Rule, samples: list[Sample], calendar: Calendar) -> tuple[float | None, bool]:
    """Return what the rule compares as of the last sample (None: unknown), and whether it counts as in order."""
    condition = rule.condition
    if condition.limit is not None:
        if condition.limit.of_last is None:
            return samples[-1].value, False
        n, m = condition.limit.of_last.n, condition.limit.of_last.m
        newest = sorted((sample.value for sample in samples[-m:]), reverse="above" in condition.limit.side)
        return (newest[n - 1] if len(newest) >= n else None), False
    if condition.pattern is not None:
        return unusual(rule, condition.pattern, samples, calendar), False
    measured = condition.rate or condition.window or condition.trend
    only = None if condition.trend is not None else measured.only
    if only is not None and not is_so(only, samples[-1].value):
        return None, True
    window = [sample for sample in samples if in_window(sample.ts, samples[-1].ts, measured.over)]
    if len(window) < measured.samples:
        return None, False
    if condition.window is None:
        twelfths = by_twelfth(window, measured.over)
        if 2 * (window[-1].ts - mean(sample.ts for sample in twelfths[0])) < measured.over:
            return None, False
        if condition.rate is not None:
            return rate(condition.rate, twelfths), False
        return days_left(condition.trend, twelfths), False
    reach = window[-1].ts - window[0].ts
    return (aggregate(condition.window, window, samples) if reach >= measured.span else None), False


def in_window(ts: int, now: int, over: int) -> bool:
    """Whether a reading is of the twelfth of ``now`` or of the eleven before."""
    twelfth = over // 12
    return now // twelfth - 11 <= ts // twelfth <= now // twelfth


def is_so(compared: Compared, value: float) -> bool:
    """Whether a value as measured is on the side of a limit."""
    limit = compared.limit.value
    return {
        "above": value > limit,
        "at_or_above": value >= limit,
        "below": value < limit,
        "at_or_below": value <= limit,
    }[compared.side]


def by_twelfth(window: list[Sample], over: int) -> list[list[Sample]]:
    """Return the readings of each twelfth that has some, the oldest first."""
    return [list(each) for _, each in groupby(window, key=lambda sample: sample.ts // (over // 12))]


def mean(numbers: Iterable[float]) -> Fraction:
    """Return the mean, exactly."""
    exact = [Fraction(number) for number in numbers]
    return sum(exact, Fraction(0)) / len(exact)


def six_digits(number: float) -> float:
    """Return a number to six digits and nine decimals."""
    return round(float(f"{number:.6g}"), 9)


def line(twelfths: list[list[Sample]], unit: int) -> tuple[Fraction, Fraction]:
    """Return slope (per ``unit``) and value at the newest reading of the line that fits the twelfths' means best."""
    newest = twelfths[-1][-1].ts
    weights = [len(each) for each in twelfths]
    times = [mean(sample.ts - newest for sample in each) / unit for each in twelfths]
    values = [mean(sample.value for sample in each) for each in twelfths]
    readings = list(zip(weights, times, values, strict=True))
    mean_time = sum(weight * at for weight, at, _ in readings) / sum(weights)
    mean_value = sum(weight * value for weight, _, value in readings) / sum(weights)
    spread = sum(weight * (at - mean_time) ** 2 for weight, at, _ in readings)
    slope = sum(weight * (at - mean_time) * (value - mean_value) for weight, at, value in readings) / spread
    return slope, mean_value - slope * mean_time


def rate(condition: RateCondition, twelfths: list[list[Sample]]) -> float:
    """Return the slope of the window."""
    return six_digits(float(line(twelfths, PER[condition.per])[0]))


def days_left(condition: TrendCondition, twelfths: list[list[Sample]]) -> float:
    """Return in how many days the line reaches its end; never when it goes the other way or not at all."""
    slope, value = line(twelfths, DAY)
    if not slope:
        return 0.0 if value == Fraction(condition.to.value) else math.inf
    days = (Fraction(condition.to.value) - value) / slope
    return math.inf if days < 0 else six_digits(float(days))


def imbalance(condition: ImbalanceCondition, newest: list[Sample | None]) -> tuple[float | None, bool]:
    """Return the imbalance as of the first of the newest samples of the channels, and whether it counts as in order."""
    first = newest[0]
    if any(other is None or not 0 <= first.ts - other.ts <= condition.within for other in newest):
        return None, False
    values = [Fraction(sample.value) for sample in newest]
    mean = sum(values) / len(values)
    if mean < Fraction(condition.least.value):
        return None, True
    return round(float(100 * max(abs(value - mean) for value in values) / mean), 9), False


def aggregate(condition: WindowCondition, window: list[Sample], samples: list[Sample]) -> float:
    """Return one figure of a window."""
    values = [sample.value for sample in window]
    if condition.of == "median":
        twelfths: dict[int, list[float]] = {}
        for sample in window:
            twelfths.setdefault(sample.ts // (condition.over // 12), []).append(sample.value)
        return round(median(fmean(each) for each in twelfths.values()), 9)
    if condition.of == "sum":
        grown = 0.0
        for before, after in pairwise(samples):
            if in_window(after.ts, samples[-1].ts, condition.over):
                grown += after.value - before.value if after.value >= before.value else after.value
        return round(grown, 9)
    if condition.of == "count":
        return float(sum(condition.counting is None or is_so(condition.counting, value) for value in values))
    return round(
        {
            "mean": fmean(values),
            "min": min(values),
            "max": max(values),
            "stdev": pstdev(values),
            "spread": max(values) - min(values),
            "change": values[-1] - values[0],
            "rise": values[-1] - min(values),
            "drop": max(values) - values[-1],
        }[condition.of],
        9,
    )


def unusual(rule: Rule, condition: PatternCondition, samples: list[Sample], calendar: Calendar) -> float | None:
    """Return how far the last sample is from what is usual for its hour; None until that is learned."""
    mildest = condition.bands[0].limit
    usual: dict[tuple[int, bool], float] = {}
    known: dict[tuple[int, bool], int] = {}
    hour: list[float] = []
    strange = False
    difference: float | None = None
    for place, sample in enumerate(samples):
        if place and hour_number(sample.ts) != hour_number(samples[place - 1].ts):
            cell = hour_and_rest(samples[place - 1].ts, calendar)
            if not strange:
                known[cell] = min(known.get(cell, 0) + 1, 28)
                before = usual.get(cell, 0.0)
                usual[cell] = float(np.float32(before + (fmean(hour) - before) / known[cell]))
            hour, strange = [], False
        cell = hour_and_rest(sample.ts, calendar)
        age = (sample.ts // SECOND - samples[0].ts // SECOND) * SECOND
        learned = age >= condition.learning and known.get(cell, 0) >= 3
        difference = round(sample.value - six_digits(usual[cell]), 9) if learned else None
        hour.append(sample.value)
        if difference is not None:
            strange = strange or (
                not mildest.low <= difference <= mildest.high
                if isinstance(mildest, Between)
                else is_so(Compared.model_construct(side=condition.side, limit=mildest), difference)
            )
    return difference
