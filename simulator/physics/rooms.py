"""Rooms: the air's temperature at heat detectors 感温 and combustible gas at gas detectors 可燃气体."""

import numpy as np

from firetower.core.clock import HOUR, MINUTE
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.physics.effects import Happenings
from firetower.simulator.physics.fire import warmth

ELEMENT_S = 20.0  # a heat detector's element follows a steady rise this much later
GATHERS_S = 180.0  # e-folding of gas in a room: its volume by its draught


class Rooms:
    """Temperature and gas in rooms."""

    def __init__(self, seed: int, happenings: Happenings) -> None:
        self.seed = seed
        self._happenings = happenings

    def temperature(self, i: Int64s, at: Int64s) -> Floats:
        """Return °C at heat detectors (n,) at instants (n,) µs."""
        room = noise.between(self.seed, "room", i, 19, 25) + 2 * noise.smooth(self.seed, "room", i, at, 2 * HOUR)
        for hit in self._happenings.hits("fire", i, at):
            felt = np.maximum(hit.since - ELEMENT_S, 0.0)
            room[hit.rows] += warmth(hit.size, felt, hit.after - ELEMENT_S, hit.far)
        degrees: Floats = room + 0.2 * noise.white(self.seed, "temperature", i, at)
        return degrees

    def gas(self, i: Int64s, at: Int64s) -> Floats:
        """Return %LEL at gas detectors (n,)."""
        cooking = np.maximum(0.0, noise.smooth(self.seed, "cooking", i, at, 15 * MINUTE) - 0.5) * 6
        level = 0.6 + cooking + 0.4 * noise.white(self.seed, "gas", i, at)
        for hit in self._happenings.hits("gas_leak", i, at):
            gone = np.exp(-np.maximum(hit.after, 0.0) / GATHERS_S) - np.exp(-hit.since / GATHERS_S)
            level[hit.rows] += hit.size * gone
        percent: Floats = np.clip(level, 0.0, 100.0)
        return percent
