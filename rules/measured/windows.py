"""Figures of the readings within a sliding window (``rings.py``), each from as little as it needs of every bucket."""

from collections.abc import Callable

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.readings import Bools, Floats
from firetower.rules.book.conditions import BUCKETS, Aggregate
from firetower.rules.measured.rings import FLOATS, Ring, Slots, Windows
from firetower.rules.measured.rows import rounded

FEW = np.uint8
"""Counts where only ``samples``, 100 at most, asks how many readings there are."""


class Mean(Ring):
    """The mean: a sum by bucket."""

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("sum", *FLOATS)])

    def _put(self, slots: Slots) -> None:
        slots.put("sum", slots.value, slots.at("sum") + slots.value)

    def _figure(self, windows: Windows) -> Floats:
        return rounded(windows.total("sum") / windows.number)


class Median(Mean):
    """The median of the means of the buckets: half of the sum of the middle two where their number is even."""

    def _figure(self, windows: Windows) -> Floats:
        held = windows.count > 0
        means = np.sort(np.where(held, windows.state["sum"] / np.maximum(windows.count, 1), np.inf), axis=1)
        last = held.sum(axis=1) - 1
        return rounded((means[windows.place, last // 2] + means[windows.place, (last + 1) // 2]) / 2)


class Deviation(Ring):
    """The standard deviation of the population: mean and squares about it by bucket, so that no digit is lost."""

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("mean", *FLOATS), ("squares", *FLOATS)])

    def _put(self, slots: Slots) -> None:
        mean = slots.at("mean")
        away = slots.value - mean
        moved = mean + away / (slots.count + 1)
        slots.put("squares", np.zeros(len(slots.value)), slots.at("squares") + away * (slots.value - moved))
        slots.put("mean", slots.value, moved)

    def _figure(self, windows: Windows) -> Floats:
        number, total = windows.count, windows.number
        away = windows.state["mean"] - windows.value[:, None]  # from the newest, so that large values lose nothing
        mean = np.einsum("ij,ij->i", number, away) / total
        away -= mean[:, None]
        squares = windows.total("squares") + np.einsum("ij,ij,ij->i", number, away, away)
        return rounded(np.sqrt(squares / total))


class Extremes(Ring):
    """What the least and the greatest value of the window tell: one or both by bucket."""

    def __init__(self, over: Micros, samples: int, span: Micros, of: Aggregate) -> None:
        self._low, self._high = of in {"min", "spread", "rise"}, of in {"max", "spread", "drop"}
        super().__init__(over, samples, span, [("low", *FLOATS)] * self._low + [("high", *FLOATS)] * self._high, FEW)
        self._of = of

    def _put(self, slots: Slots) -> None:
        if self._low:
            slots.put("low", slots.value, np.minimum(slots.at("low"), slots.value))
        if self._high:
            slots.put("high", slots.value, np.maximum(slots.at("high"), slots.value))

    def _figure(self, windows: Windows) -> Floats:
        held = windows.count > 0
        low = high = windows.value  # which stands for the end that a rise or a drop does not ask for
        if self._low:
            low = _by_slot(np.where(held, windows.state["low"], np.inf)).min(axis=0)
        if self._high:
            high = _by_slot(np.where(held, windows.state["high"], -np.inf)).max(axis=0)
        match self._of:
            case "min":
                return low
            case "max":
                return high
        return rounded(high - low)


class Change(Ring):
    """Newest less oldest: the first value by bucket."""

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("began", *FLOATS)], FEW)

    def _put(self, slots: Slots) -> None:
        slots.put("began", slots.value)

    def _figure(self, windows: Windows) -> Floats:
        return rounded(windows.value - windows.oldest("began"))


class Growth(Ring):
    """What a counter grew by: a sum by bucket of what each reading adds to the one before, whenever that was.

    A counter that fell began at 0, so the reading adds all that it says. A series' very first reading adds nothing.
    """

    def __init__(self, over: Micros, samples: int, span: Micros) -> None:
        super().__init__(over, samples, span, [("last", np.float64), ("sum", *FLOATS), ("heard", np.bool_)], FEW)

    def _put(self, slots: Slots) -> None:
        state, place = slots.state, slots.place
        last = state["last"][place]
        grown = np.where(slots.value >= last, slots.value - last, slots.value) * (state["heard"][place] != 0)
        state["last"][place], state["heard"][place] = slots.value, 1
        slots.put("sum", grown, slots.at("sum") + grown)

    def _follow(self, windows: Windows, first: Bools) -> None:
        later = np.flatnonzero(~first)
        windows.state["last"][later], windows.state["heard"][later] = windows.value[later - 1], 1

    def _figure(self, windows: Windows) -> Floats:
        return rounded(windows.total("sum"))


class Count(Ring):
    """How many readings are as asked for: their number by bucket."""

    def __init__(self, over: Micros, samples: int, span: Micros, counted: Callable[[Floats], Bools]) -> None:
        super().__init__(over, samples, span, [("counted", np.uint32, (BUCKETS,))])
        self._counted = counted

    def _put(self, slots: Slots) -> None:
        counted = self._counted(slots.value).astype(np.int64)
        slots.put("counted", counted, slots.at("counted") + counted)

    def _figure(self, windows: Windows) -> Floats:
        return windows.total("counted")


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


def _by_slot(values: Floats) -> Floats:
    """Return values with a row for each slot: numpy compares long rows many times as quickly as long columns."""
    return np.ascontiguousarray(values.T)
