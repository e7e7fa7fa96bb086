"""What a rule on a measured or derived value may not be: units, sides, the order of bands, the way back, windows."""

from collections.abc import Iterator
from itertools import pairwise

from firetower.core.clock import DAY, SECOND, Micros
from firetower.core.yaml_lines import Path
from firetower.devices.events import AlertClass
from firetower.devices.kinds import METRICS_OF, DeviceKind
from firetower.devices.metrics import Metric, catalogue
from firetower.rules.book.conditions import (
    BUCKETS,
    Band,
    Bands,
    Compared,
    Condition,
    ImbalanceCondition,
    RateCondition,
    TrendCondition,
    WindowCondition,
)
from firetower.rules.book.finding import Finding, check_class, check_duration, check_priorities, near_attribute, under
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import Between, FromFile, Quantity, duration_text

SHORTEST_WINDOW: Micros = BUCKETS * SECOND
"""12 s: its twelfths are a second each."""
LONGEST_WINDOW: Micros = 60 * DAY
SHORTEST_LEARNING: Micros = DAY
LONGEST_LEARNING: Micros = 60 * DAY
LONGEST_WITHIN: Micros = DAY
"""Readings of one day are of one load at the most."""
_AMONG_VALUES = ("mean", "min", "max", "median")
"""Aggregates of a window that lie among its values."""


def check_measured(rule: Rule, form: str, condition: Bands) -> Iterator[Finding]:
    """Yield what is wrong with a limit, rate, window, pattern, trend or imbalance."""
    if rule.metric is None:
        yield ("metric",), f"is missing; a {form} needs the metric it is for"
        return
    metric = catalogue().by_name.get(rule.metric)
    if metric is None:
        yield ("metric",), f"{rule.metric!r} is no metric; accepted: {', '.join(catalogue().by_name)}"
        return
    yield from check_class(rule, f"a {form}", (AlertClass.OFFLINE, AlertClass.UNREADABLE))
    yield from under(("condition", form), _check_form(rule.condition, metric))
    yield from _check_kinds(rule, metric)
    unit, named = _unit(rule.condition, metric)
    for index, band in enumerate(condition.bands):
        where: Path = ("condition", form, "bands", index)
        yield from under(where, _check_band(band, condition.side, unit, named))
        if _is_a_value(rule.condition):
            yield from under(where, _check_believable_band(band, condition.side, metric))
    yield from under(("condition", form, "bands"), check_priorities(condition.bands))
    for index, (milder, worse) in enumerate(pairwise(condition.bands), 1):
        yield from under(("condition", form, "bands", index), _check_order(condition.side, milder, worse))


def _check_kinds(rule: Rule, metric: Metric) -> Iterator[Finding]:
    if not any(metric.name in METRICS_OF[kind] for kind in rule.kinds):
        reported = ", ".join(name for name in catalogue().by_name if any(name in METRICS_OF[k] for k in rule.kinds))
        having = ", ".join(kind for kind in DeviceKind if metric.name in METRICS_OF[kind])
        yield (
            ("metric",),
            f"{metric.name!r} is reported by no {' or '.join(rule.kinds)}; accepted: {reported}, or kinds of {having}",
        )


def _is_a_value(condition: Condition) -> bool:
    """Whether what is compared is, or lies among, values as measured."""
    window = condition.window
    return condition.limit is not None or (window is not None and window.of in _AMONG_VALUES)


def _check_believable_band(band: Band, side: str, metric: Metric) -> Iterator[Finding]:
    """Yield a limit or way back that no value is ever beyond: what nobody can believe is not held against limits."""
    limit = band.limit
    ends = [Quantity(end, limit.unit) for end in (limit.low, limit.high)] if isinstance(limit, Between) else [limit]
    for end in ends:
        if isinstance(end, Quantity):
            yield from _check_believable("limit", end, metric)
    yield from _check_believable("clear", band.clear, metric)
    if isinstance(limit, Quantity) and band.deadband is not None and limit.unit == band.deadband.unit:
        back = limit.value + (-band.deadband.value if side.endswith("above") else band.deadband.value)
        for _, text in _check_believable("deadband", Quantity(back, limit.unit), metric):
            yield ("deadband",), f"{band.deadband}: the way back, {text}"
    if isinstance(limit, FromFile) and (meant := near_attribute(limit.attribute)):
        yield ("limit",), f"{limit.attribute!r} is no attribute of the shipped rules; did you mean {meant}?"


def _check_believable(name: str, given: Quantity | None, metric: Metric) -> Iterator[Finding]:
    low, high = metric.plausible
    if given is not None and given.unit == metric.unit and not low <= given.value <= high:
        yield (name,), f"{given} is no value of {metric.name} to believe; accepted: {low:g} to {high:g} {metric.unit}"


def _unit(condition: Condition, metric: Metric) -> tuple[str, str]:
    """Return the unit of the limits, and what it is the unit of."""
    if condition.rate is not None:
        return f"{metric.unit}/{condition.rate.per}", f"the rate of {metric.name} per {condition.rate.per}"
    if condition.trend is not None:
        return "d", "the days left"
    if condition.imbalance is not None:
        return "%", "an imbalance"
    if condition.window is not None and condition.window.of == "count":
        return "readings", "a count"
    return metric.unit, metric.name


def _check_form(condition: Condition, metric: Metric) -> Iterator[Finding]:
    if condition.limit is not None and condition.limit.of_last is not None:
        last = condition.limit.of_last
        if last.n > last.m:
            yield ("of_last", "n"), f"{last.n} of the last {last.m}; accepted: 1 to {last.m}"
        if condition.limit.side == "outside":
            yield ("of_last",), "beside side: outside; accepted: two rules, one above and one below"
    if condition.rate is not None:
        yield from _check_slope(condition.rate.over, condition.rate.samples)
        yield from _check_only(condition.rate, metric)
    if condition.window is not None:
        yield from _check_window(condition.window, metric)
    if condition.pattern is not None:
        yield from check_duration(("learning",), condition.pattern.learning, SHORTEST_LEARNING, LONGEST_LEARNING)
    if condition.imbalance is not None:
        yield from _check_imbalance(condition.imbalance, metric)
    if condition.trend is not None:
        yield from _check_trend(condition.trend, metric)


def _check_trend(trend: TrendCondition, metric: Metric) -> Iterator[Finding]:
    yield from _check_slope(trend.over, trend.samples)
    yield from _check_unit("to", trend.to, metric.unit, metric.name)
    yield from _check_believable("to", trend.to, metric)
    if trend.side not in {"below", "at_or_below"}:
        yield ("side",), f"{trend.side!r} for days left; accepted: below, at_or_below"
    for index, band in enumerate(trend.bands):
        if not isinstance(band.limit, Quantity):
            yield ("bands", index, "limit"), f"{band.limit}; accepted: a number of days, for example 30 d"
        elif band.limit.value <= 0:
            yield ("bands", index, "limit"), f"{band.limit}; accepted: more than 0 d"


def _check_imbalance(imbalance: ImbalanceCondition, metric: Metric) -> Iterator[Finding]:
    if imbalance.side not in {"above", "at_or_above"}:
        yield ("side",), f"{imbalance.side!r} for an imbalance; accepted: above, at_or_above"
    if len(set(imbalance.channels)) != len(imbalance.channels):
        yield ("channels",), f"{', '.join(imbalance.channels)} names a channel twice; keep one"
    yield from check_duration(("within",), imbalance.within, SECOND, LONGEST_WITHIN)
    yield from _check_unit("least", imbalance.least, metric.unit, metric.name)
    yield from _check_believable("least", imbalance.least, metric)
    if imbalance.least.value <= 0:
        yield ("least",), f"{imbalance.least}; accepted: more than 0 {metric.unit} (around 0 there is no share)"


def _check_slope(over: Micros, samples: int) -> Iterator[Finding]:
    yield from check_duration(("over",), over, SHORTEST_WINDOW, LONGEST_WINDOW)
    if samples < 2:
        yield ("samples",), f"{samples}; accepted: 2 to 100 (one reading has no slope)"


def _check_window(window: WindowCondition, metric: Metric) -> Iterator[Finding]:
    yield from check_duration(("over",), window.over, SHORTEST_WINDOW, LONGEST_WINDOW)
    sure = window.over * (BUCKETS - 1) // BUCKETS
    if window.span > sure:
        given = f"{duration_text(window.span)} in a window of {duration_text(window.over)}"
        yield ("span",), f"{given}, which is not sure to hold so much; accepted: 0s to {duration_text(sure)}"
    if window.of == "sum" and metric.kind != "counter":
        counters = ", ".join(each.name for each in catalogue().by_name.values() if each.kind == "counter")
        yield ("of",), f"'sum' of {metric.name}, which is no counter; accepted: sum of {counters}, or mean, change …"
    if window.counting is not None:
        if window.of != "count":
            yield ("counting",), f"beside of: {window.of}; accepted: with of: count only"
        yield from under(("counting",), _check_unit("limit", window.counting.limit, metric.unit, metric.name))
        yield from under(("counting",), _check_believable("limit", window.counting.limit, metric))
    yield from _check_only(window, metric)


def _check_only(condition: RateCondition | WindowCondition, metric: Metric) -> Iterator[Finding]:
    only: Compared | None = condition.only
    if only is None:
        return
    yield from under(("only",), _check_unit("limit", only.limit, metric.unit, metric.name))
    yield from under(("only",), _check_believable("limit", only.limit, metric))
    if condition.side == "outside":
        yield ("only",), "beside side: outside; accepted: two rules, one above and one below"


def _check_unit(name: str, given: Quantity | FromFile | Between | None, unit: str, named: str) -> Iterator[Finding]:
    if given is not None and given.unit != unit:
        yield (name,), f"{given}: {given.unit} is not the unit of {named}; accepted: {unit}"


def _check_band(band: Band, side: str, unit: str, named: str) -> Iterator[Finding]:
    for name in ("limit", "clear", "deadband"):
        yield from _check_unit(name, getattr(band, name), unit, named)
    if band.and_samples is not None and band.or_samples is not None:
        yield ("or_samples",), "stands beside and_samples; accepted: one of the two"
    if band.clear is not None and band.deadband is not None:
        yield ("deadband",), "stands beside clear; accepted: one of the two"
    if band.deadband is not None and band.deadband.value <= 0:
        yield ("deadband",), f"{band.deadband}; accepted: more than 0"
    if side == "outside":
        yield from _check_range(band)
        return
    if isinstance(band.limit, Between):
        yield ("limit",), f"{band.limit} for side {side}; accepted: a number with its unit, or side: outside"
        return
    if band.clear is None and band.deadband is None and not band.latch:
        yield ("limit",), "has no way back; give clear or deadband, or latch: true"
    if band.clear is not None and band.clear.unit == band.limit.unit:
        yield from _check_clear(band.limit, band.clear, above=side.endswith("above"))


def _check_range(band: Band) -> Iterator[Finding]:
    if band.clear is not None:
        yield ("clear",), f"{band.clear} beside a range, which has two ends; accepted: deadband"
    elif band.deadband is None and not band.latch:
        yield ("limit",), "has no way back; give deadband, or latch: true"
    if not isinstance(band.limit, Between):
        yield ("limit",), f"{band.limit} for side outside; accepted: a range, for example {{low: 198 V, high: 242 V}}"
    elif band.deadband is not None and 2 * band.deadband.value >= band.limit.high - band.limit.low:
        half = Quantity((band.limit.high - band.limit.low) / 2, band.limit.unit)
        yield ("deadband",), f"{band.deadband} leaves nothing of the range {band.limit}; accepted: less than {half}"


def _check_clear(limit: Quantity | FromFile, clear: Quantity, *, above: bool) -> Iterator[Finding]:
    if isinstance(limit, FromFile):
        yield ("clear",), f"{clear} beside a limit of the device's own file; accepted: deadband"
    elif (clear.value >= limit.value) if above else (clear.value <= limit.value):
        side = "below" if above else "above"
        yield ("clear",), f"{clear} is on the wrong side; accepted: {side} the limit {limit}"


def _check_order(side: str, milder: Band, worse: Band) -> Iterator[Finding]:
    if isinstance(milder.limit, Between) and isinstance(worse.limit, Between) and milder.limit.unit == worse.limit.unit:
        mild, bad = milder.limit, worse.limit
        if bad == mild or bad.low > mild.low or bad.high < mild.high:
            yield (
                ("limit",),
                f"{bad} after {mild}; bands go from the mildest to the worst: accepted: a range around {mild}",
            )
    above = side.endswith("above")
    more = "above" if above else "below"
    for name in ("limit", "clear"):
        less, most = getattr(milder, name), getattr(worse, name)
        if not (isinstance(less, Quantity) and isinstance(most, Quantity) and less.unit == most.unit):
            continue
        if (most.value <= less.value) if above else (most.value >= less.value):
            yield (
                (name,),
                f"{most} after {less}; bands go from the mildest to the worst: accepted: {more} {less}",
            )
