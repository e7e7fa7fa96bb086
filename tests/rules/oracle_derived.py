"""The oracle's derived values: plain arithmetic over the list of all readings of a series, in fractions."""

import math
from fractions import Fraction
from itertools import pairwise
from statistics import fmean, median, pstdev
from typing import Protocol

from oracle_calendar import hour_and_rest, hour_number

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.rules.conditions import Compared, PatternCondition, RateCondition, TrendCondition, WindowCondition
from firetower.rules.model import Calendar, Rule
from firetower.rules.quantities import Between

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
    reach = window[-1].ts - window[0].ts
    if condition.rate is not None:
        return (rate(condition.rate, window) if 2 * reach >= measured.over else None), False
    if condition.trend is not None:
        return (days_left(condition.trend, window) if 2 * reach >= measured.over else None), False
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


def line(window: list[Sample], unit: int) -> tuple[Fraction, Fraction] | None:
    """Return slope (per ``unit``) and value at the newest reading of the best line; None for a single instant."""
    newest = window[-1].ts
    times = [Fraction(sample.ts - newest, unit) for sample in window]
    values = [Fraction(sample.value) for sample in window]
    mean_time, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((at - mean_time) ** 2 for at in times)
    if not spread:
        return None
    slope = sum((at - mean_time) * (value - mean) for at, value in zip(times, values, strict=True)) / spread
    return slope, mean - slope * mean_time


def rate(condition: RateCondition, window: list[Sample]) -> float | None:
    """Return the slope of the window."""
    found = line(window, PER[condition.per])
    return None if found is None else round(float(found[0]), 9)


def days_left(condition: TrendCondition, window: list[Sample]) -> float | None:
    """Return in how many days the line reaches its end; never when it goes the other way or not at all."""
    found = line(window, DAY)
    if found is None:
        return None
    slope, value = found
    if not slope:
        return 0.0 if value == Fraction(condition.to.value) else math.inf
    days = (Fraction(condition.to.value) - value) / slope
    return math.inf if days < 0 else round(float(days), 9)


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
                usual[cell] = usual.get(cell, 0.0) + (fmean(hour) - usual.get(cell, 0.0)) / known[cell]
            hour, strange = [], False
        cell = hour_and_rest(sample.ts, calendar)
        learned = sample.ts - samples[0].ts >= condition.learning and known.get(cell, 0) >= 3
        difference = round(sample.value - usual[cell], 9) if learned else None
        hour.append(sample.value)
        if difference is not None:
            strange = strange or (
                not mildest.low <= difference <= mildest.high
                if isinstance(mildest, Between)
                else is_so(Compared.model_construct(side=condition.side, limit=mildest), difference)
            )
    return difference
