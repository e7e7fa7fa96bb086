"""Electrical circuits: residual current 剩余电流 in mA, cable temperature 线缆温度 in °C and load current in A."""

import numpy as np

from firetower.core.clock import DAY, HOUR, MINUTE
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.curves import LAGS_MIN, load_table, look_up, warmth
from firetower.simulator.physics.effects import Happenings, Hit
from firetower.simulator.physics.weather import outdoor, rain

WORKING = 30.0  # mA more at full load
WET = 20.0  # mA more in heavy rain
OLDEST = 12.0  # mA more in the oldest wiring
GROWS_OLD = 20 * 365 * DAY
LOOSE_S = 600.0  # e-folding of the warmth at a bad contact


class Circuits:
    """The circuits of a city. ``load`` (devices,): number of the unit's kind of load in ``curves.LOADS``."""

    def __init__(self, seed: int, load: Int64s, happenings: Happenings) -> None:
        self.seed = seed
        self._load = load
        self._happenings = happenings

    def residual_current(self, i: Int64s, at: Int64s) -> Floats:
        """Return mA (n,): 100 to 200 by nature (GB 50116-2013 9.2.3 commentary), more in working hours and wet weather.

        Faults are steps, or creep up by 5 to 20 mA a day (general knowledge, without a source).
        """
        seed = self.seed
        base = noise.between(seed, "leakage", i, 100, 155)
        age = (at + (noise.uniform(seed, "wiring", i) * GROWS_OLD).astype(np.int64)) % GROWS_OLD / GROWS_OLD
        outside = noise.uniform(seed, "outside wiring", i)  # how much of it gets wet
        wander = 6 * noise.smooth(seed, "leakage", i, at, 30 * MINUTE)
        leaks = base + WORKING * self._use(i, at) + WET * outside * rain(seed, at) + OLDEST * age + wander
        for hit in self._happenings.hits("earth_fault", i, at):
            leaks[hit.rows] += np.where(hit.after < 0, hit.size, 0.0)
        for hit in self._happenings.hits("ageing", i, at):
            leaks[hit.rows] += np.where(hit.after < 0, hit.size * hit.since / (24 * 3600), 0.0)
        read: Floats = leaks + 3 * noise.white(seed, "residual", i, at)
        return read

    def cable_temperature(self, i: Int64s, at: Int64s, phase: int) -> Floats:
        """Return °C (n,): ambient + k (I/Imax)² behind a first-order lag of 10 to 30 min, k 30 to 45 K by rated load.

        T = T_amb + k (I/I_max)² is read in public code; the lag and k are general knowledge. Under an overload the
        square of the load steps up, and the warmth follows it as 1 - exp(-t/τ).
        """
        seed = self.seed
        lag = noise.whole(seed, "cable lag", i, len(LAGS_MIN))
        tau = np.array(LAGS_MIN)[lag] * 60.0
        warm = warmth(self._load[i], lag, at)
        for hit in self._happenings.hits("overload", i, at):
            rows = hit.rows
            share = _lagged(hit, tau[rows])
            warm[rows] *= 1.0 + (hit.size**2 - 1.0) * share
        k = noise.between(seed, f"cable k {phase}", i, 30, 45)
        ambient = 20 + 0.2 * (outdoor(seed, at) - 17.0) + 2 * noise.smooth(seed, "ambient", self._load[i], at, 8 * HOUR)
        degrees = ambient + k * warm
        for hit in self._happenings.hits("loose_contact", i, at):
            if phase == 0:  # one terminal
                use = self._use(i[hit.rows], at[hit.rows])
                degrees[hit.rows] += hit.size * (0.4 + 0.6 * use) * _lagged(hit, np.full(len(hit.rows), LOOSE_S))
        read: Floats = degrees + 0.3 * noise.white(seed, f"cable {phase}", i, at)
        return read

    def current(self, i: Int64s, at: Int64s, phase: int) -> Floats:
        """Return A (n,)."""
        rated = noise.between(self.seed, "rated current", i, 40, 160)
        unrest = 1 + 0.06 * noise.white(self.seed, f"current {phase}", i, at)
        load = rated * self._use(i, at) * unrest
        for hit in self._happenings.hits("overload", i, at):
            load[hit.rows] *= np.where(hit.after < 0, hit.size, 1.0)
        amperes: Floats = load
        return amperes

    def _use(self, i: Int64s, at: Int64s) -> Floats:
        return look_up(load_table(), (self._load[i],), at)


def _lagged(hit: Hit, tau: Floats) -> Floats:
    """A step behind a lag of ``tau`` s, and its end likewise: closed form, at any instant."""
    share: Floats = np.exp(-np.maximum(hit.after, 0.0) / tau) - np.exp(-hit.since / tau)
    return share
