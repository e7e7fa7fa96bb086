"""What is known of each device's own conduct: messages missed and repeated by its ``seq``, and how wrong its clock is.

**Missed and repeated.** ``seq`` is a 32 bit counter that wraps. A step of one is in order; a gap counts what it leaves
out; a number that stands among the newest WINDOW fills its gap if it had not come yet, else it is a repeat, as every
older one is. So two lanes that overtake each other cost nothing, and a redelivery counts as what it is. A step of
MOST_GAP or more, or back to under SMALL, is a sender that began anew: nothing is counted.

**Clock.** The offset arrival − device time is the clock's error plus what the message waited; waiting only adds. So
the error is at most the smallest offset of a stretch of time, HALF or one message long, whichever is longer. What two
whole stretches in a row agree on within AGREE is the estimate. Where they do not, two leads prove the lesser of them,
a lag and a lead prove nothing and count as zero, and two lags are a backlog being caught up (补报), not a clock: they
never raise an estimate, while one message that waited less lowers it at once. Growing lags agree within a hundredth,
too: a clock that stands still in 1970 falls ever further behind. A clock that jumps is known after three stretches, one
that is right again after at most two. A device that reports once a day is judged at its third report. What is always
late by the same time, forwarded by a gateway that holds everything back, cannot be told from a slow clock.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firetower.core.clock import MINUTE, SECOND, Micros
from firetower.devices.columns import Column
from firetower.devices.readings import Floats, Int64s
from firetower.devices.registry import Registry
from firetower.devices.wire_batch import NO_TIME

Numbers = Sequence[int] | Int64s
Singles = npt.NDArray[np.float32]
Windows = npt.NDArray[np.uint64]

WINDOW = 64
"""Numbers before the newest one of which it is known whether they came."""
MOST_GAP = 1 << 16
SMALL = 16
HALF = 5 * MINUTE
AGREE = 30.0
"""Seconds."""
MOST_LAG = 10 * SECOND
_WRAP = 1 << 32
_ALL = np.uint64(2**64 - 1)
_EARLIEST = -(2**62)
"""µs; from there on an offset is no number that fits."""
_ROUNDS = 8
"""Stretches of a device's numbers in one batch that are looked at side by side; a device with more is walked."""


class DeviceQuality:
    """Columns by device number, following ``registry``; 44 bytes a device.

    ``missed``, ``repeated``: messages since the counts began. ``skew``: seconds the device's clock is behind (positive)
    or ahead (negative), NaN while unknown. ``moved``: the ``revision`` at which the skew was estimated
    last, so that whoever watches it looks at what is new to him.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.revision = 0
        self.missed = np.zeros(0, np.uint32)
        self.repeated = np.zeros(0, np.uint32)
        self.skew = np.zeros(0, np.float32)
        self.moved = np.zeros(0, np.uint32)
        self._last = np.zeros(0, np.uint32)
        self._window = np.zeros(0, np.uint64)  # bit n: the number n before the last one came; 0: none ever did
        self._before = np.zeros(0, np.float32)  # smallest offset of the stretch before this one, s; NaN: none
        self._least = np.zeros(0, np.float32)  # of this one
        self._since = np.zeros(0, np.uint32)  # s since the epoch when it began
        self._place = np.zeros(0, np.int32)  # scratch
        unknown = ("skew", "_before", "_least")
        self._columns: dict[str, Column[np.generic]] = {
            name: Column(column.dtype, np.nan if name in unknown else 0)
            for name, column in vars(self).items()
            if isinstance(column, np.ndarray)
        }
        self.fit()

    def fit(self) -> None:
        """Make room for the devices the registry has met since."""
        size = len(self._registry.kind)
        if size > len(self._last):
            for name, column in self._columns.items():
                setattr(self, name, column.fit(size))

    def restore(self, devices: Int64s, missed: Int64s, repeated: Int64s, skew: Floats) -> None:
        """Go on from stored figures: each array of shape (devices,), ``skew`` in s, NaN where unknown."""
        self.fit()
        self.missed[devices], self.repeated[devices], self.skew[devices] = missed, repeated, skew
        self.revision += 1
        self.moved[devices[~np.isnan(skew)]] = self.revision

    def note(self, devices: Numbers, at: Numbers, seq: Numbers, sent: Numbers, *, lag: Micros = 0) -> None:
        """Take in objects, in order of arrival, several of a device allowed; columns of one entry an object.

        ``devices``: their numbers, below 1 for none. ``at``: arrival, µs. ``seq``: -1 for none. ``sent``: the device's
        own time, µs, believed or not, NO_TIME for none. ``lag``: how far the lane that brought them is behind, µs: over
        MOST_LAG no clock is measured, for all of them would seem to be slow.
        """
        self.fit()
        self.revision += 1
        device, seq, sent = (np.asarray(column, np.int64) for column in (devices, seq, sent))
        at = np.asarray(at, np.int64)
        numbered = np.flatnonzero((seq >= 0) & (device > 0))
        if len(numbered):
            self._note_seq(device[numbered], seq[numbered])
        timed = np.flatnonzero((sent != NO_TIME) & (device > 0))
        if len(timed) and lag <= MOST_LAG:
            said = np.maximum(sent[timed], _EARLIEST)
            self._note_clock(device[timed], at[timed], at[timed] - said)

    def _order(self, device: Int64s) -> Int64s | None:
        """Return the order that sorts by device and keeps the order of arrival; None when no device is there twice."""
        place = np.arange(len(device), dtype=np.int32)
        self._place[device] = place
        return None if bool((self._place[device] == place).all()) else np.argsort(device, kind="stable")

    # missed and repeated ----------------------------------------------------------------------------

    def _note_seq(self, device: Int64s, seq: Int64s) -> None:
        """Take in numbers, in order of arrival."""
        order = self._order(device)
        if order is not None:
            device, seq = device[order], seq[order]
        starts = np.ones(len(device), np.bool_)
        starts[1:] = (device[1:] != device[:-1]) | (seq[1:] != seq[:-1] + 1)
        place = np.flatnonzero(starts)
        length = np.diff(np.append(place, len(device)))
        device, first = device[place], seq[place]
        own = np.ones(len(device), np.bool_)
        own[1:] = device[1:] != device[:-1]
        index = np.arange(len(device))
        turn = index - np.maximum.accumulate(np.where(own, index, 0))
        if len(turn) == int(own.sum()):
            self._stretch(device, first, length)
            return
        for number in range(min(int(turn.max()) + 1, _ROUNDS)):
            mine = turn == number
            self._stretch(device[mine], first[mine], length[mine])
        for left in np.flatnonzero(turn >= _ROUNDS).tolist():
            self._walk(int(device[left]), int(first[left]), int(length[left]))

    def _stretch(self, device: Int64s, first: Int64s, length: Int64s) -> None:
        """Take in one stretch of consecutive numbers of each of several devices, none twice."""
        last, window = self._last[device].astype(np.int64), self._window[device]
        step = (first - last + _WRAP // 2) % _WRAP - _WRAP // 2
        anew = (window == 0) | (abs(step) >= MOST_GAP) | ((step < -SMALL) & (first < SMALL))
        step[anew] = 1
        window[anew] = _ALL  # what a sender that began anew sent before is not missed
        end = step + length - 1
        if (step <= 0).any():
            old = np.flatnonzero(step <= 0)
            counted, window[old] = _old(step[old], end[old], window[old])
            self.missed[device[old]] -= counted
            self.repeated[device[old]] += (np.minimum(end[old], 0) - step[old] + 1).astype(np.uint32) - counted
        forward = np.maximum(end, 0)
        came = np.minimum(forward, length)
        self.missed[device] += (forward - came).astype(np.uint32)
        shifted = np.where(forward < WINDOW, window << np.minimum(forward, WINDOW - 1).astype(np.uint64), np.uint64(0))
        self._window[device] = shifted | _ones(came)
        self._last[device] = np.where(anew, first + length - 1, (last + forward) % _WRAP).astype(np.uint32)

    def _walk(self, device: int, first: int, length: int) -> None:
        """The same for one device: a single number is what a sender with many gaps and repeats in one batch costs."""
        last, window = int(self._last[device]), int(self._window[device])
        step = (first - last + _WRAP // 2) % _WRAP - _WRAP // 2
        if abs(step) >= MOST_GAP or (step < -SMALL and first < SMALL):
            self._last[device], self._window[device] = first + length - 1, _ALL
            return
        end = step + length - 1
        if step <= 0:
            low = max(0, -end)
            mask = ((1 << (1 - step - low)) - 1) << low & int(_ALL)
            filled = (mask & ~window).bit_count()
            window |= mask
            self.missed[device] -= np.uint32(filled)
            self.repeated[device] += np.uint32(min(end, 0) - step + 1 - filled)
        forward = max(end, 0)
        came = min(forward, length)
        self.missed[device] += np.uint32(forward - came)
        self._window[device] = (window << forward | (1 << came) - 1) & int(_ALL)
        self._last[device] = (last + forward) % _WRAP

    # clock ------------------------------------------------------------------------------------------

    def _note_clock(self, device: Int64s, at: Int64s, offset: Int64s) -> None:
        """Take in offsets; those of one device in one batch are one look, at the newest arrival."""
        order = self._order(device)
        if order is None:
            least = offset
        else:
            device, at, offset = device[order], at[order], offset[order]
            start = np.flatnonzero(np.append(True, device[1:] != device[:-1]))
            least, at = np.minimum.reduceat(offset, start), np.maximum.reduceat(at, start)
            device = device[start]
        seconds, second = (least / SECOND).astype(np.float32), at // SECOND
        least_now = np.minimum(self._least[device], seconds)
        new = self.skew[device]
        over = np.flatnonzero(second - self._since[device] >= HALF // SECOND)  # a first stretch began in 1970
        if len(over):
            begins = device[over]
            before, whole = self._before[begins], self._least[begins]
            self._before[begins], self._since[begins], least_now[over] = whole, second[over], seconds[over]
            new[over] = _agreed(before, whole, new[over])
        self._least[device] = least_now
        # a stretch that still runs tells only what the clock is not
        new = np.where(new > 0, np.minimum(new, np.maximum(least_now, 0)), new)
        self.skew[device] = new
        self.moved[device[~np.isnan(new)]] = self.revision


def _agreed(before: Singles, after: Singles, otherwise: Singles) -> Singles:
    """Return what two whole stretches in a row say of clocks, s; ``otherwise`` where they say nothing."""
    lag, lead = np.minimum(before, after), np.maximum(before, after)
    apart = (before - after > AGREE) | (after - before > np.maximum(before / 100, AGREE))
    silent = np.isnan(lag) | (apart & (lag > 0))
    agreed: Singles = np.where(silent, otherwise, np.where(apart, np.minimum(lead, 0), lag)).astype(np.float32)
    return agreed


def _ones(count: Int64s) -> Windows:
    """Return numbers with that many low bits set, all of them from WINDOW on."""
    low = (np.uint64(1) << np.minimum(count, WINDOW - 1).astype(np.uint64)) - np.uint64(1)
    return np.where(count >= WINDOW, _ALL, low)


def _old(step: Int64s, end: Int64s, window: Windows) -> tuple[npt.NDArray[np.uint32], Windows]:
    """Return how many numbers from ``step`` to at most 0 (before the last) fill a gap, and the windows after."""
    mask = _ones(1 - step) & ~_ones(np.maximum(-end, 0))
    filled: npt.NDArray[np.uint32] = np.bitwise_count(mask & ~window).astype(np.uint32)
    return filled, window | mask
