"""The lanes of a table of limit rules: each band's limits, delays and samples as columns, and when its run is met."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firetower.core.clock import Micros
from firetower.devices.liveness import LEAST_STANDING, MISSED_INTERVALS
from firetower.devices.readings import Bools, Floats, Int32s, Int64s
from firetower.devices.registry import Registry
from firetower.rules.conditions import Band, Side
from firetower.rules.model import Rule
from firetower.rules.quantities import FromFile

NEVER: Micros = int(np.iinfo(np.int64).max)
"""An instant that does not come."""
Zones = npt.NDArray[np.int8]


class Lanes:
    """Bands of several rules side by side; arrays are of shape (lanes,), in the order of rules and bands.

    ``rule``: index of the lane's rule. ``number``: 1 for a rule's mildest band. Values are compared with the side's
    sign applied, so that every lane asks the same: at or above ``trip`` is beyond the limit, under ``back`` is past
    the clear value.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.bands: list[tuple[Band, ...]] = []
        self._of_rule: list[range] = []
        flat: list[Band] = []
        sides: list[Side] = []
        for rule in rules:
            condition = rule.measured
            assert condition is not None  # the engine makes lanes of measured rules only
            self._of_rule.append(range(len(flat), len(flat) + len(condition.bands)))
            self.bands.append(condition.bands)
            flat += condition.bands
            sides += [condition.side] * len(condition.bands)
        self._flat = flat
        self.rule: Int64s = np.repeat(np.arange(len(rules)), [len(bands) for bands in self.bands])
        self.number: Int64s = np.concatenate([np.arange(1, len(bands) + 1) for bands in self.bands])
        self._sides = sides
        self._sign: Floats = np.array([1.0 if side.endswith("above") else -1.0 for side in sides])
        ends = [_ends(band, side) for band, side in zip(flat, sides, strict=True)]
        self._trip: Floats = np.array([trip for trip, _ in ends])
        self._back: Floats = np.array([back for _, back in ends])
        self._from_file = [
            (lane, band.limit.attribute) for lane, band in enumerate(flat) if isinstance(band.limit, FromFile)
        ]
        self._on_delay: Int64s = np.array([band.on_delay for band in flat], np.int64)
        self._off_delay: Int64s = np.array([band.off_delay for band in flat], np.int64)
        self._samples: Int64s = np.array([band.and_samples or band.or_samples or 1 for band in flat], np.int64)
        self._either: Bools = np.array([band.or_samples is not None for band in flat])
        self._enough_over: Int64s = np.array(
            [NEVER if band.enough_over is None else band.enough_over for band in flat], np.int64
        )

    def __len__(self) -> int:
        return len(self._flat)

    def of_rule(self, index: int) -> range:
        """Return the lanes of a rule, mildest first."""
        return self._of_rule[index]

    def limit(self, lane: int, device: int, registry: Registry) -> float:
        """Return the limit in force in a lane for a device, in the metric's unit."""
        limit = self._flat[lane].limit
        return float(registry.attribute(limit.attribute)[device]) if isinstance(limit, FromFile) else limit.value  # type: ignore[union-attr]

    def zones(self, value: Floats, device: Int32s | Int64s, registry: Registry) -> Zones:
        """Return, shape (n, lanes), 1 where a value is beyond the limit, -1 where past the clear value, else 0.

        A lane whose limit the device's own file does not give is 0.
        """
        trip, back = self._trip, self._back
        if self._from_file:
            trip, back = np.tile(trip, (len(value), 1)), np.tile(back, (len(value), 1))
            for lane, attribute in self._from_file:
                trip[:, lane], back[:, lane] = self._own_ends(lane, registry.attribute(attribute)[device])
        signed = value[:, None] * self._sign
        zone: Zones = (signed >= trip).view(np.int8) - (signed < back).view(np.int8)
        return zone

    def met(self, zone: Zones, since: Int64s, count: Int64s, ts: Int64s, interval: Int64s) -> tuple[Bools, Int64s]:
        """Return, shape (n, lanes), whether a run is met at ``ts``, and when it will be if nothing else comes.

        A device that reports less often than a delay has met it with one reading. NEVER where more readings are needed.
        """
        often = interval[:, None]
        beyond = zone == 1
        enough = often > self._enough_over
        delay = np.where(
            beyond, np.where(enough, 0, self._on_delay), np.where(often > self._off_delay, 0, self._off_delay)
        )
        ends = since + delay
        timed = ends <= ts[:, None]
        counted = (count >= self._samples) | enough
        met = np.where(beyond, np.where(self._either, timed | counted, timed & counted), timed & (zone == -1))
        waits = (zone != 0) & ~met & (counted | self._either | ~beyond)
        stale = ts + np.maximum(interval * MISSED_INTERVALS, LEAST_STANDING)
        return met, np.where(waits & (ends <= stale[:, None]), ends, NEVER)

    def met_at(self, zone: list[int], since: list[int], count: list[int], ts: Micros, interval: Micros) -> list[Micros]:
        """Return, per lane, when a run is met while one reading stands: the same as ``met``, for a single row."""
        stale = ts + max(interval * MISSED_INTERVALS, LEAST_STANDING)
        instants = [NEVER] * len(zone)
        for lane, band in enumerate(self._flat):
            if zone[lane] == 0:
                continue
            delay, either, counted = band.off_delay, False, True
            if zone[lane] == 1:
                delay, either = band.on_delay, band.or_samples is not None
                over = band.enough_over
                enough = over is not None and interval > over
                counted = enough or count[lane] >= (band.and_samples or band.or_samples or 1)
                delay = 0 if enough else delay
            elif interval > delay:
                delay = 0
            ends = since[lane] + delay
            if (ends <= ts and (counted or either)) or (either and counted):
                instants[lane] = ts
            elif ts < ends <= stale and (counted or either):
                instants[lane] = ends
        return instants

    def _own_ends(self, lane: int, limit: Floats) -> tuple[Floats, Floats]:
        """Return trip and back for limits of the devices' own files, NaN where there is none."""
        band, sign = self._flat[lane], self._sign[lane]
        back = limit - sign * band.deadband.value if band.deadband is not None else limit
        strict = not self._sides[lane].startswith("at_or")
        trip, back = limit * sign, back * sign
        return (np.nextafter(trip, np.inf), np.nextafter(back, np.inf)) if strict else (trip, back)


def _ends(band: Band, side: Side) -> tuple[float, float]:
    """Return trip and back with the side's sign applied; NaN where the device's own file gives them.

    A strict side (above, below) trips from the next number on: ``below 0.14`` leaves 0.14 itself in order. The way
    back is the same question at the clear value: ``below`` with clear 0.16 is over at 0.16.
    """
    if isinstance(band.limit, FromFile):
        return math.nan, math.nan
    sign = 1.0 if side.endswith("above") else -1.0
    clear = band.limit.value
    if band.clear is not None:
        clear = band.clear.value
    elif band.deadband is not None:
        clear = band.limit.value - sign * band.deadband.value
    trip, back = sign * band.limit.value, sign * clear
    return (
        (trip, back) if side.startswith("at_or") else (math.nextafter(trip, math.inf), math.nextafter(back, math.inf))
    )
