"""Figures of the readings within a sliding window (``rings.py``), each from as little as it needs of every bucket."""

from collections.abc import Callable

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.rules.conditions import BUCKETS, Aggregate
from firetower.rules.rings import FLOATS, Entry, Ring
from firetower.rules.rows import rounded


class Mean(Ring):
    """The mean: a sum by bucket."""

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("sum", *FLOATS)])

    def _put(self, entry: Entry) -> None:
        entry.put("sum", entry.value, entry.at("sum") + entry.value)

    def _figure(self, entry: Entry) -> Floats:
        return rounded(_total(entry, "sum") / entry.count.sum(axis=1))


class Median(Mean):
    """The median of the means of the buckets: half of the sum of the middle two where their number is even."""

    def _figure(self, entry: Entry) -> Floats:
        held = entry.count > 0
        means = np.sort(np.where(held, entry.state["sum"] / np.maximum(entry.count, 1), np.inf), axis=1)
        last = held.sum(axis=1) - 1
        return rounded((means[entry.place, last // 2] + means[entry.place, (last + 1) // 2]) / 2)


class Deviation(Ring):
    """The standard deviation of the population: mean and squares about it by bucket, so that no digit is lost."""

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("mean", *FLOATS), ("squares", *FLOATS)])

    def _put(self, entry: Entry) -> None:
        mean = entry.at("mean")
        away = entry.value - mean
        moved = mean + away / (entry.count[entry.place, entry.slot] + 1)
        entry.put("squares", np.zeros(len(entry.value)), entry.at("squares") + away * (entry.value - moved))
        entry.put("mean", entry.value, moved)

    def _figure(self, entry: Entry) -> Floats:
        number, total = entry.count, entry.count.sum(axis=1)
        away = entry.state["mean"] - entry.value[:, None]  # from the newest, so that large values lose nothing
        mean = (number * away).sum(axis=1) / total
        squares = _total(entry, "squares") + (number * (away - mean[:, None]) ** 2).sum(axis=1)
        return rounded(np.sqrt(squares / total))


class Extremes(Ring):
    """What the least and the greatest value of the window tell: one or both by bucket."""

    def __init__(self, over: Micros, samples: int, span: Micros, of: Aggregate) -> None:
        self._low, self._high = of in {"min", "spread", "rise"}, of in {"max", "spread", "drop"}
        super().__init__(over, samples, span, [("low", *FLOATS)] * self._low + [("high", *FLOATS)] * self._high)
        self._of = of

    def _put(self, entry: Entry) -> None:
        if self._low:
            entry.put("low", entry.value, np.minimum(entry.at("low"), entry.value))
        if self._high:
            entry.put("high", entry.value, np.maximum(entry.at("high"), entry.value))

    def _figure(self, entry: Entry) -> Floats:
        held = entry.count > 0
        low = np.where(held, entry.state["low"], np.inf).min(axis=1) if self._low else entry.value
        high = np.where(held, entry.state["high"], -np.inf).max(axis=1) if self._high else entry.value
        match self._of:
            case "min":
                return low
            case "max":
                return high
        return rounded(high - low)  # the newest value stands for the end that a rise or a drop does not ask for


class Change(Ring):
    """Newest less oldest: the first value by bucket."""

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("began", *FLOATS)])

    def _put(self, entry: Entry) -> None:
        entry.put("began", entry.value)

    def _figure(self, entry: Entry) -> Floats:
        return rounded(entry.value - entry.state["began"][entry.place, entry.oldest()])


class Growth(Ring):
    """What a counter grew by: a sum by bucket of what each reading adds to the one before, whenever that was.

    A counter that fell began at 0, so the reading adds all that it says. A series' very first reading adds nothing.
    """

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("last", np.float64), ("heard", np.int64), ("sum", *FLOATS)])

    def _put(self, entry: Entry) -> None:
        state, last = entry.state, entry.state["last"]
        grown = np.where(entry.value >= last, entry.value - last, entry.value) * (state["heard"] != 0)
        state["last"], state["heard"] = entry.value, 1
        entry.put("sum", grown, entry.at("sum") + grown)

    def _figure(self, entry: Entry) -> Floats:
        return rounded(_total(entry, "sum"))


class Count(Ring):
    """How many readings are as asked for: their number by bucket, in 48 bytes."""

    def __init__(self, over: Micros, samples: int, span: Micros, counted: Callable[[Floats], Bools]) -> None:
        super().__init__(over, samples, span, [("counted", np.uint32, (BUCKETS,))])
        self._counted = counted

    def _put(self, entry: Entry) -> None:
        counted = self._counted(entry.value).astype(np.int64)
        entry.put("counted", counted, entry.at("counted") + counted)

    def _figure(self, entry: Entry) -> Floats:
        return _total(entry, "counted")


def window(of: Aggregate, over: Micros, samples: int, span: Micros, counted: Callable[[Floats], Bools]) -> Ring:
    """Return what derives one figure; ``counted``: which readings a ``count`` counts."""
    match of:
        case "mean":
            return Mean(over, samples, span)
        case "median":
            return Median(over, samples, span)
        case "stdev":
            return Deviation(over, samples, span)
        case "change":
            return Change(over, samples, span)
        case "sum":
            return Growth(over, samples, span)
        case "count":
            return Count(over, samples, span, counted)
        case "min" | "max" | "spread" | "rise" | "drop":
            return Extremes(over, samples, span, of)


def _total(entry: Entry, field: str) -> Floats:
    """Return the sum of a field over the slots that hold readings."""
    held: Int64s = (entry.count > 0).astype(np.int64)
    total: Floats = (entry.state[field] * held).sum(axis=1).astype(np.float64)
    return total
