"""The straight line that fits the readings of a window best: how steep it is, and when it meets a value."""

import numpy as np

from firetower.core.clock import DAY, Micros
from firetower.devices.readings import Bools, Floats
from firetower.rules.rings import FLOATS, Entry, Ring
from firetower.rules.rows import rounded


class Line(Ring):
    """Means of time and value by bucket, and how they spread about them: as exact as over the readings themselves.

    Known with ``samples`` readings whose first and last are half of ``over`` apart. 536 bytes a series.
    """

    def __init__(self, over: Micros, samples: int) -> None:
        fields = [(name, *FLOATS) for name in ("time", "value", "time_time", "time_value")]
        super().__init__(over, samples, max(-(-over // 2), 1), [*fields])

    def _put(self, entry: Entry) -> None:
        time, mean = entry.at("time"), entry.at("value")
        share = 1 / (entry.count[entry.place, entry.slot] + 1.0)
        later, away = entry.offset - time, entry.value - mean
        moved = time + later * share
        none = np.zeros(len(entry.value))
        entry.put("time_value", none, entry.at("time_value") + (entry.offset - moved) * away)
        entry.put("time_time", none, entry.at("time_time") + (entry.offset - moved) * later)
        entry.put("time", entry.offset.astype(np.float64), moved)
        entry.put("value", entry.value, mean + away * share)

    def _line(self, entry: Entry) -> tuple[Floats, Floats]:
        """Return the slope by µs (NaN of a single reading), and how far the line is above the newest value there."""
        state, number = entry.state, entry.count
        total = number.sum(axis=1)
        # relative to the newest reading, so that neither the date nor a large value costs digits
        time = state["time"] - entry.offset[:, None] - entry.age * float(self._width)
        above = state["value"] - entry.value[:, None]
        mean_time, mean_above = (number * time).sum(axis=1) / total, (number * above).sum(axis=1) / total
        time -= mean_time[:, None]
        above -= mean_above[:, None]
        held: Bools = number > 0
        time_time = (held * state["time_time"] + number * time * time).sum(axis=1)
        time_value = (held * state["time_value"] + number * time * above).sum(axis=1)
        slope: Floats = time_value / np.where(time_time > 0, time_time, np.nan)
        return slope, mean_above - slope * mean_time


class Slope(Line):
    """How quickly the value changes, in its unit by ``per`` µs."""

    def __init__(self, over: Micros, samples: int, per: Micros) -> None:
        super().__init__(over, samples)
        self._per = per

    def _figure(self, entry: Entry) -> Floats:
        return rounded(self._line(entry)[0] * self._per)


class DaysLeft(Line):
    """In how many days the line meets ``to``, from the newest reading on; 0 where it does just then.

    Infinite where the line is level or has met ``to`` before: it leads away from there.
    """

    def __init__(self, over: Micros, samples: int, to: float) -> None:
        super().__init__(over, samples)
        self._to = to

    def _figure(self, entry: Entry) -> Floats:
        slope, above = self._line(entry)
        level = slope == 0
        with np.errstate(over="ignore"):  # nearly level: so many days that there is no number for them
            days = rounded((self._to - entry.value - above) / np.where(level, 1, slope * DAY))
        days[level | (days < 0)] = np.inf
        return days + 0.0  # never -0
