"""What is known of units when they are rated: one row of whole numbers a unit, as columns."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from firetower.alerts.risk.model import TAKES, Part

COUNTED = tuple(code for codes in TAKES.values() for code in codes)
"""Findings that are counted, each a column of that name."""

COLUMNS = ("id", "grid", "category", "devices", "seen", "watched", "contacts", "reachable", "fires", *COUNTED)
"""``id``, ``grid``: the store's numbers, ``grid`` 0 for none; ``category``: its place in ``model.CATEGORIES``.

``devices``: in service, ``seen``: of them those that ever reported, ``watched``: of those the ones that watch for
ignition (electrical, gas). ``contacts``: people of the unit with a telephone, ``reachable``: of them at this hour.
``fires``: open. ``not_working``: of ``devices``.
"""

ROW = np.dtype([(name, np.int32) for name in COLUMNS] + [("lon", np.float64), ("lat", np.float64)])
"""One unit; ``lon``, ``lat``: WGS-84 degrees, NOWHERE where nobody knows."""

NOWHERE = 999.0
"""Longitude and latitude of a unit whose place nobody knows; a number that equals itself."""

NONE_NEAR = -1
"""A distance where nothing lies within reach."""

Metres = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Facts:
    """``rows``: of ROW, by rising ``id``. ``water_m``, ``station_m``: metres to the nearest working water and to the
    nearest micro fire station, NONE_NEAR where none lies within reach; they mean nothing where the place is unknown.
    """

    rows: npt.NDArray[Any]
    water_m: Metres
    station_m: Metres

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, *units: dict[str, float]) -> Self:
        """Return the facts of units, each by the names of ROW, ``water_m`` and ``station_m``; 0 where not given."""
        rows = np.zeros(len(units), ROW)
        far = np.full((2, len(units)), NONE_NEAR, np.int32)
        rows["lon"] = rows["lat"] = NOWHERE
        for n, unit in enumerate(units):
            for name, value in unit.items():
                if name in {"water_m", "station_m"}:
                    far[int(name == "station_m"), n] = value
                else:
                    rows[name][n] = value
        return cls(rows, far[0], far[1])

    def only(self, chosen: npt.NDArray[Any] | slice) -> Self:
        """Return the facts of chosen rows: their places, a mask or a slice."""
        return type(self)(self.rows[chosen], self.water_m[chosen], self.station_m[chosen])

    def with_rows(self, places: npt.NDArray[Any], other: Self) -> Self:
        """Return these facts, the rows at ``places`` being those of ``other``."""
        rows, water, station = self.rows.copy(), self.water_m.copy(), self.station_m.copy()
        rows[places], water[places], station[places] = other.rows, other.water_m, other.station_m
        return type(self)(rows, water, station)

    @property
    def placed(self) -> npt.NDArray[np.bool_]:
        """Which of them have a place."""
        placed: npt.NDArray[np.bool_] = (self.rows["lon"] != NOWHERE) & (self.rows["lat"] != NOWHERE)
        return placed

    def known(self, part: Part) -> npt.NDArray[np.bool_]:
        """Say of which units something is watched that ``part`` rests on. Not of the building: see the model."""
        if part is Part.RESPONSE:
            return self.placed
        watching: npt.NDArray[np.int32] = self.rows["watched" if part is Part.IGNITION else "seen"]
        return watching > 0
