"""Plant of a building: fire pump rooms 消防泵房 and the power of fire alarm panels 火灾报警控制器."""

import numpy as np

from firetower.core.clock import HOUR, MINUTE
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.physics.battery import PANEL_FLAT_V, PANEL_FULL_V, PANEL_HOURS
from firetower.simulator.physics.effects import Happenings

MAINS_V = 228.0
STARTS, STOPS = (
    0.66,
    0.74,
)  # MPa at which the jockey pump keeps the header (working pressure at least 0.60: GB 55036 3.0.2)


class Plant:
    """Pump rooms and panels."""

    def __init__(self, seed: int, happenings: Happenings) -> None:
        self.seed = seed
        self._happenings = happenings

    def header_pressure(self, i: Int64s, at: Int64s) -> Floats:
        """Return MPa behind the pumps (n,): it seeps away for an hour or more and the jockey pump brings it back."""
        cycle = (noise.between(self.seed, "jockey", i, 1.0, 4.0) * HOUR).astype(np.int64)
        share = (at + (noise.uniform(self.seed, "jockey phase", i) * cycle).astype(np.int64)) % cycle / cycle
        full = np.where(share < 0.97, 1 - share / 0.97, (share - 0.97) / 0.03)
        read: Floats = STARTS + (STOPS - STARTS) * full + 0.003 * noise.white(self.seed, "header", i, at)
        return read

    def room_temperature(self, i: Int64s, at: Int64s) -> Floats:
        """Return °C of a pump room (n,)."""
        room: Floats = noise.between(self.seed, "pump room", i, 14, 20) + noise.smooth(
            self.seed, "pump room", i, at, 6 * HOUR
        )
        return room

    def mains_voltage(self, i: Int64s, at: Int64s) -> Floats:
        """Return V of the mains (n,)."""
        volts = (
            MAINS_V + 3 * noise.smooth(self.seed, "mains", i, at, 20 * MINUTE) + noise.white(self.seed, "mains", i, at)
        )
        for hit in self._happenings.hits("power_lost", i, at):
            volts[hit.rows] *= np.where(hit.after < 0, 1 - np.clip(hit.size, 0, 1), 1.0)
        left: Floats = volts
        return left

    def panel_battery(self, i: Int64s, at: Int64s) -> Floats:
        """Return V of a panel's battery (n,): floating, or a day from full to flat once the mains are gone."""
        volts = PANEL_FULL_V + 0.05 * noise.white(self.seed, "panel battery", i, at)
        for hit in self._happenings.hits("power_lost", i, at):
            lasted = np.minimum((hit.since - np.maximum(hit.after, 0.0)) / 3600, PANEL_HOURS)
            missing = np.maximum(0.0, lasted - np.maximum(hit.after, 0.0) / 3600)  # charged as fast as it was used
            volts[hit.rows] -= (PANEL_FULL_V - PANEL_FLAT_V) * missing / PANEL_HOURS
        left: Floats = volts
        return left
