"""Series: one number for each (device, metric, channel) that has reported, local to the process."""

import numpy as np

from firetower.devices.columns import Column
from firetower.devices.lookup import Codes, Lookup
from firetower.devices.readings import Int16s, Int32s, Int64s

_MIXER = 0x9E37_79B9_7F4B  # 2^48 over the golden ratio: neighbouring devices are spread evenly
_SINGLE_MASK = (1 << 48) - 1


class SeriesTable:
    """The numbers of series, dense from 0 in the order of first sight, and their device, metric and channel columns.

    The columns have room to spare: rows from ``count`` on are 0.
    """

    def __init__(self) -> None:
        self.count = 0
        self._device: Column[np.int32] = Column(np.int32)
        self._metric: Column[np.int16] = Column(np.int16)
        self._channel: Column[np.int16] = Column(np.int16)
        self._lookup = Lookup()
        self.device: Int32s = self._device.rows
        self.metric: Int16s = self._metric.rows
        self.channel: Int16s = self._channel.rows

    def number(self, device: int, metric: int, channel: int) -> int:
        """Return the number of one series, given on first sight."""
        code = ((device << 16 | channel) * _MIXER & _SINGLE_MASK) << 16 | metric
        for number in self._lookup.candidates(code):
            return number
        return int(self.numbers(np.array([device], np.int32), np.array([metric], np.int16), np.array([channel]))[0])

    def numbers(self, device: Int32s | Int64s, metric: Int16s, channel: Int16s | Int64s) -> Int32s:
        """Return the numbers of n series, all columns of shape (n,) and none below 0; new ones are given in order."""
        codes = _codes(device, metric, channel)
        found = self._lookup.find(codes)
        missing = np.flatnonzero(found < 0)
        if not len(missing):
            return found
        fresh, first, which = np.unique(codes[missing], return_index=True, return_inverse=True)
        order = np.argsort(first)
        numbers = np.empty(len(fresh), np.int32)
        numbers[order] = np.arange(self.count, self.count + len(fresh), dtype=np.int32)
        found[missing] = numbers[which]
        self._take_in(missing[first[order]], device, metric, channel)
        self._lookup.put(fresh[order], numbers[order])
        return found

    def reserve(self, series: int) -> None:
        """Spare the steps of growth up to ``series`` more."""
        self._lookup.reserve(series)

    def _take_in(self, new: Int64s, device: Int32s | Int64s, metric: Int16s, channel: Int16s | Int64s) -> None:
        start, self.count = self.count, self.count + len(new)
        self.device, self.channel = self._device.fit(self.count), self._channel.fit(self.count)
        self.metric = self._metric.fit(self.count)
        self.device[start : self.count] = device[new]
        self.metric[start : self.count] = metric[new]
        self.channel[start : self.count] = channel[new]


def _codes(device: Int32s | Int64s, metric: Int16s, channel: Int16s | Int64s) -> Codes:
    """Return one code a series, reversibly: series of one device lie side by side in the lookup."""
    place = device.astype(np.uint64)
    place <<= np.uint64(16)
    place |= channel.astype(np.uint64)
    place *= np.uint64(_MIXER)
    place <<= np.uint64(16)  # what is over 48 bits falls off
    place |= metric.astype(np.uint64)
    return place
