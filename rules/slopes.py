"""The straight line that fits the readings of a window best: how steep it is, and when it meets a value."""

import numpy as np

from firetower.core.clock import DAY, Micros
from firetower.devices.readings import Floats
from firetower.rules.rings import FLOATS, Ring, Slots, Windows
from firetower.rules.rows import rounded


class Line(Ring):
    """Means of time and value by bucket, and how they spread about them: as exact as over the readings themselves.

    Known with ``samples`` readings whose first and last are half of ``over`` apart. 536 bytes a series.
    """

    def __init__(self, over: Micros, samples: int) -> None:
        fields = [(name, *FLOATS) for name in ("time", "value", "time_time", "time_value")]
        super().__init__(over, samples, max(-(-over // 2), 1), [*fields])

    def _put(self, slots: Slots) -> None:
        time, mean = slots.at("time"), slots.at("value")
        share = 1 / (slots.count + 1.0)
        later, away = slots.offset - time, slots.value - mean
        moved = time + later * share
        none = np.zeros(len(slots.value))
        slots.put("time_value", none, slots.at("time_value") + (slots.offset - moved) * away)
        slots.put("time_time", none, slots.at("time_time") + (slots.offset - moved) * later)
        slots.put("time", slots.offset.astype(np.float64), moved)
        slots.put("value", slots.value, mean + away * share)

    def _line(self, windows: Windows) -> tuple[Floats, Floats]:
        """Return the slope by µs (NaN of a single reading), and how far the line is above the newest value there."""
        state, number, total = windows.state, windows.count.astype(np.float64), windows.number
        # relative to the newest reading, so that neither the date nor a large value costs digits
        time = state["time"] - (windows.offset[:, None] + windows.age * float(self._width))
        above = state["value"] - windows.value[:, None]
        mean_time, mean_above = _dot(number, time) / total, _dot(number, above) / total
        time -= mean_time[:, None]
        above -= mean_above[:, None]
        number *= time  # from here on by how far its time is from the mean
        time_time = windows.total("time_time") + _dot(number, time)
        time_value = windows.total("time_value") + _dot(number, above)
        slope: Floats = time_value / np.where(time_time > 0, time_time, np.nan)
        return slope, mean_above - slope * mean_time


class Slope(Line):
    """How quickly the value changes, in its unit by ``per`` µs."""

    def __init__(self, over: Micros, samples: int, per: Micros) -> None:
        super().__init__(over, samples)
        self._per = per

    def _figure(self, windows: Windows) -> Floats:
        return rounded(self._line(windows)[0] * self._per)


class DaysLeft(Line):
    """In how many days the line meets ``to``, from the newest reading on; 0 where it does just then, level or not.

    Infinite where the line is level elsewhere or has met ``to`` before: it leads away from there.
    """

    def __init__(self, over: Micros, samples: int, to: float) -> None:
        super().__init__(over, samples)
        self._to = to

    def _figure(self, windows: Windows) -> Floats:
        slope, above = self._line(windows)
        left = self._to - windows.value - above
        level = slope == 0
        with np.errstate(over="ignore"):  # nearly level: so many days that there is no number for them
            days = rounded(left / np.where(level, 1, slope * DAY))
        days[(level & (left != 0)) | (days < 0)] = np.inf
        return days + 0.0  # never -0


def _dot(a: Floats, b: Floats) -> Floats:
    found: Floats = np.einsum("ij,ij->i", a, b)
    return found
