"""The nearest of many places for each of many others, by squares of ground that are looked at outward."""

import math

import numpy as np
import numpy.typing as npt

from firetower.alerts.risk.facts import NONE_NEAR, NOWHERE, Metres
from firetower.devices.earth import RADIUS_M

Degrees = npt.NDArray[np.float64]

ROUND_M = 10
"""Distances are told to so many metres: registered places are no more exact."""
_MOST_RINGS = 15
"""Squares are looked at so far outward at most; else they are chosen so that about one place stands in each."""
_PIECE = 4_000
"""Places looked from at once: bounds what is held in memory."""
_PER_DEGREE_M = RADIUS_M * math.pi / 180


def nearest_m(from_lon: Degrees, from_lat: Degrees, to_lon: Degrees, to_lat: Degrees, reach_m: float) -> Metres:
    """Return for each place the metres to the nearest of the others, NONE_NEAR where none lies within ``reach_m``.

    WGS-84 degrees, NOWHERE where it is not known from where. Flat ground is reckoned with: right to 1 % in a city.
    """
    found = np.full(len(from_lon), NONE_NEAR, np.int32)
    here = np.flatnonzero((from_lon != NOWHERE) & (from_lat != NOWHERE))
    if not len(here) or not len(to_lon):
        return found
    per_lon = _PER_DEGREE_M * math.cos(math.radians(float(np.median(from_lat[here]))))
    # each square metre once: what was registered without a place of its own stands at one point, thousands of it
    spots = np.unique(np.round(to_lon * per_lon) + 1j * np.round(to_lat * _PER_DEGREE_M))
    index = _Cells(spots.real, spots.imag, reach_m)
    for start in range(0, len(here), _PIECE):
        piece = here[start : start + _PIECE]
        far = index.nearest(from_lon[piece] * per_lon, from_lat[piece] * _PER_DEGREE_M, reach_m)
        found[piece] = np.where(far <= reach_m, np.round(far / ROUND_M) * ROUND_M, NONE_NEAR)
    return found


class _Cells:
    """Places sorted by the square that they stand in."""

    def __init__(self, x: Degrees, y: Degrees, reach_m: float) -> None:
        # around a few places, too, it is looked outward as far as that
        side = math.sqrt((float(np.ptp(x)) + 2 * reach_m) * (float(np.ptp(y)) + 2 * reach_m) / len(x))
        self._side = min(max(side, reach_m / _MOST_RINGS), reach_m)
        self._key = self._keys(*self._cell(x, y))
        order = np.argsort(self._key, kind="stable")
        self._key, self._x, self._y = self._key[order], x[order], y[order]

    def _cell(self, x: Degrees, y: Degrees) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        return np.floor(x / self._side).astype(np.int64), np.floor(y / self._side).astype(np.int64)

    @staticmethod
    def _keys(column: npt.NDArray[np.int64], row: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return column * 2**32 + row

    def nearest(self, x: Degrees, y: Degrees, reach_m: float) -> Degrees:
        """Return the metres from each (x, y) to the nearest place; infinite where none lies within reach."""
        best = np.full(len(x), np.inf)
        column, row = self._cell(x, y)
        across = (x > self._x.min() - reach_m) & (x < self._x.max() + reach_m)
        open_ = np.flatnonzero(across & (y > self._y.min() - reach_m) & (y < self._y.max() + reach_m))
        for ring in range(math.ceil(reach_m / self._side) + 1):
            # whatever lies in this ring is at least (ring - 1) cells away
            open_ = open_[best[open_] > max(ring - 1, 0) * self._side]
            if not len(open_):
                break
            for right, up in _ring(ring):
                looking, far = self._pairs(open_, self._keys(column[open_] + right, row[open_] + up), x, y)
                np.minimum.at(best, looking, far)
        return best

    def _pairs(
        self, who: npt.NDArray[np.intp], keys: npt.NDArray[np.int64], x: Degrees, y: Degrees
    ) -> tuple[npt.NDArray[np.intp], Degrees]:
        """Return who looks at which distance: each of ``who`` once for every place in the square of its key."""
        first = np.searchsorted(self._key, keys, "left")
        count = np.searchsorted(self._key, keys, "right") - first
        looking = np.repeat(who, count)
        place = np.arange(len(looking)) - np.repeat(np.cumsum(count) - count - first, count)
        return looking, np.hypot(self._x[place] - x[looking], self._y[place] - y[looking])


def _ring(ring: int) -> list[tuple[int, int]]:
    span = range(-ring, ring + 1)
    return [(right, up) for right in span for up in span if max(abs(right), abs(up)) == ring]
