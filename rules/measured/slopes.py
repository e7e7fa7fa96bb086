"""The straight line that fits the twelfths of a window best: how steep it is, and when it meets a value."""

import numpy as np

from firetower.core.clock import DAY, Micros
from firetower.devices.readings import Bools, Floats
from firetower.rules.book.conditions import BUCKETS
from firetower.rules.measured.rings import FLOATS, Ring, Slots, Windows
from firetower.rules.measured.rows import figured

_FULL = float(np.iinfo(np.uint32).max)
_A_HAIR = 1_000_000


class Line(Ring):
    """The line through the mean time and mean value of each twelfth, weighted by its readings.

    Readings on a straight line have their means on it, so that a ramp is as steep as it is; of more than 65,535 in a
    twelfth the newest weigh more. Times are kept to a 2^32nd of a twelfth, so a millionth of the window is too little
    to decide whether it is known. Known with ``samples`` readings, the newest half of ``over`` after the mean time of
    the oldest twelfth. 176 bytes a series.
    """

    def __init__(self, over: Micros, samples: int) -> None:
        super().__init__(over, samples, 0, [("value", *FLOATS), ("time", np.uint32, (BUCKETS,))], np.uint16)
        self._part = self._width / _FULL
        self._half = over / 2 - over / _A_HAIR

    def _put(self, slots: Slots) -> None:
        time, mean, share = slots.at("time"), slots.at("value"), 1 / (slots.count + 1.0)
        parts = slots.offset / self._part
        slots.put("time", np.rint(parts), np.rint(time + (parts - time) * share))
        slots.put("value", slots.value, mean + (slots.value - mean) * share)

    def _known(self, windows: Windows) -> Bools:
        oldest = windows.place, windows.oldest_slot()
        passed = windows.age[oldest] * float(self._width) - windows.state["time"][oldest] * self._part
        known: Bools = windows.offset + passed >= self._half
        return known if self._samples == 1 else known & (windows.number >= self._samples)

    def _line(self, windows: Windows) -> tuple[Floats, Floats]:
        """Return the slope by µs (NaN of a single twelfth), and how far the line is above the newest value there."""
        state, number, total = windows.state, windows.count.astype(np.float64), windows.number
        # relative to the newest reading, so that neither the date nor a large value costs digits
        time = state["time"] * self._part - (windows.offset[:, None] + windows.age * float(self._width))
        above = state["value"] - windows.value[:, None]
        mean_time, mean_above = _dot(number, time) / total, _dot(number, above) / total
        time -= mean_time[:, None]
        above -= mean_above[:, None]
        number *= time  # from here on by how far its time is from the mean
        time_time, time_value = _dot(number, time), _dot(number, above)
        slope: Floats = time_value / np.where(time_time > 0, time_time, np.nan)
        return slope, mean_above - slope * mean_time


class Slope(Line):
    """How quickly the value changes, in its unit by ``per`` µs."""

    def __init__(self, over: Micros, samples: int, per: Micros) -> None:
        super().__init__(over, samples)
        self._per = per

    def _figure(self, windows: Windows) -> Floats:
        return figured(self._line(windows)[0] * self._per)


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
            days = figured(left / np.where(level, 1, slope * DAY))
        days[(level & (left != 0)) | (days < 0)] = np.inf
        return days + 0.0  # never -0


def _dot(a: Floats, b: Floats) -> Floats:
    found: Floats = np.einsum("ij,ij->i", a, b)
    return found
