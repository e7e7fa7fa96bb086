"""Levels of fire tanks and pools 消防水箱、水池 in m: drawn down by use, refilled by a float valve, and leaking."""

import numpy as np

from firetower.devices.city import City, Device
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.physics.demand import used
from firetower.simulator.physics.effects import Happenings

DRAWN = 0.8  # share of a cycle, measured in water used, that draws down; the rest refills
CYCLE_H = (12.0, 24.0)  # of the mean use, until the float valve opens again
REFILL_M_H = 0.4
"""How fast a tank comes back when a leak is mended: 4 m in 10 h, well within the 48 h of GB 50974 4.3.3 (K)."""


class Tanks:
    """The tanks of a city."""

    def __init__(self, seed: int, city: City, happenings: Happenings) -> None:
        self.seed = seed
        self._happenings = happenings
        bands = np.array([_float_valve(device) for device in city.devices]).reshape(-1, 2)
        self._opens, self._shuts = bands[:, 0], bands[:, 1]

    def level(self, i: Int64s, at: Int64s) -> Floats:
        """Return m in tanks (n,) at instants (n,) µs. A leak is 0.1 to 1 cm/h in the field (K), a broken pipe more."""
        level = self._kept(i, at)
        for hit in self._happenings.hits("leak", i, at):
            rows, tank = hit.rows, i[hit.rows]
            begun = self._kept(tank, hit.start)
            lasted = hit.since - np.maximum(hit.after, 0.0)
            least = np.maximum(0.0, begun - hit.size * lasted / 3600)
            filled = least + REFILL_M_H * np.maximum(hit.after, 0.0) / 3600
            level[rows] = np.where(hit.after < 0, least, np.minimum(level[rows], filled))
        read: Floats = np.maximum(0.0, level + 0.004 * noise.white(self.seed, "level", i, at))
        return read

    def _kept(self, i: Int64s, at: Int64s) -> Floats:
        """Draw-down to where the float valve opens, and a refill four times as fast, in step with the day's use."""
        cycle = noise.between(self.seed, "tank cycle", i, *CYCLE_H)
        share = (used(at) / cycle + noise.uniform(self.seed, "tank phase", i)) % 1.0
        full = np.where(share < DRAWN, 1 - share / DRAWN, (share - DRAWN) / (1 - DRAWN))
        level: Floats = self._opens[i] + (self._shuts[i] - self._opens[i]) * full
        return level


def _float_valve(device: Device) -> tuple[float, float]:
    """Levels in m at which a tank's float valve opens and shuts, within its own limits."""
    full = device.attributes.get("level_overflow", 2.0)
    least = device.attributes.get("level_90", 0.85 * full)
    return least + 0.25 * (full - least), least + 0.75 * (full - least)
