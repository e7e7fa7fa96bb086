"""What a measured rule compares with its limits, in words: the figure, what it needs, and when it is set aside."""

import math

from firetower.rules.book.conditions import (
    Bands,
    Compared,
    ImbalanceCondition,
    LimitCondition,
    PatternCondition,
    RateCondition,
    TrendCondition,
    WindowCondition,
)
from firetower.rules.book.quantities import duration_text

_SIDES = {"above": "above", "at_or_above": "at or above", "below": "below", "at_or_below": "at or below"}


def figure_of(measured: Bands) -> str:
    """Return the name of the figure that is compared; empty for the value as measured."""
    if isinstance(measured, LimitCondition):
        last = measured.of_last
        if last is None:
            return ""
        return f"{last.n} of the last {last.m} readings"
    if isinstance(measured, RateCondition):
        return f"slope over {duration_text(measured.over)}"
    if isinstance(measured, WindowCondition):
        counted = measured.counting
        which = "" if counted is None else f" of readings {_words(counted)}"
        return f"{measured.of}{which} over {duration_text(measured.over)}"
    if isinstance(measured, PatternCondition):
        return "distance from what is usual at this hour"
    if isinstance(measured, TrendCondition):
        return f"time until it is {measured.to}, at its pace over {duration_text(measured.over)},"
    if isinstance(measured, ImbalanceCondition):
        return f"distance of the furthest of {', '.join(measured.channels)} from their mean"
    return ""


def needs_of(measured: Bands) -> str:
    """Return what must be there before the figure is known, in brackets; empty where one reading will do."""
    if isinstance(measured, PatternCondition):
        return f" (it needs {duration_text(measured.learning)} of history, and three such hours in it)"
    if isinstance(measured, ImbalanceCondition):
        return f" (it needs a reading of each of them, {duration_text(measured.within)} apart at most)"
    if isinstance(measured, WindowCondition) and measured.span:
        return f" (it needs {measured.samples} readings that reach over {duration_text(measured.span)})"
    if isinstance(measured, (RateCondition, TrendCondition)):
        return (
            f" (it needs {measured.samples} readings within {duration_text(measured.over)}, reaching over half of it)"
        )
    if isinstance(measured, WindowCondition):
        return f" (it needs {measured.samples} readings within {duration_text(measured.over)})"
    return ""


def aside_of(measured: Bands, figure: float, newest: float | None, unit: str) -> str | None:
    """Say why a reading counts as in order whatever its ``figure``; None where it does not, so it is finite or NaN.

    ``newest``: the value as measured, in ``unit``.
    """
    if not math.isinf(figure):
        return None
    if isinstance(measured, (RateCondition, WindowCondition)) and measured.only is not None:
        value = "the newest value" if newest is None else f"{newest:.6g} {unit}"
        return f"{value} is not {_words(measured.only)}"
    if isinstance(measured, ImbalanceCondition):
        return f"the mean of {', '.join(measured.channels)} is below {measured.least}"
    if isinstance(measured, TrendCondition):
        return f"it does not approach {measured.to}"
    return "there is nothing to compare"


def _words(compared: Compared) -> str:
    return f"{_SIDES[compared.side]} {compared.limit}"
