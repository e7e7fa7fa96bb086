"""Smoke density in dB/m as a point detector 感烟 measures it: clean air, damp, dust, fumes and fires."""

import numpy as np

from firetower.core.clock import DAY, HOUR
from firetower.devices.readings import Bools, Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.curves import LOCAL
from firetower.simulator.physics.effects import Happenings
from firetower.simulator.physics.fire import MAX_SMOKE, STANDARD_FIRES, fire_smoke, standard_smoke
from firetower.simulator.physics.weather import humidity

DAMP_FROM = 85.0  # %RH: above it a reading rises (ijfse)
DAMP = 0.006  # dB/m at 98 %RH
DUST = 0.006  # dB/m when it is due to be cleaned
CLEANED = 300 * DAY
MEALS = (7.0, 11.7, 18.0)  # local hours at which cooking begins
MEAL_H = 1.2
KITCHENS = 0.3  # share of the detectors of homes and small places that are near a kitchen
FUMES = 0.006  # dB/m of a quiet day's cooking
COOKING_S = 240.0  # until a burnt meal's fumes are at their highest
STEAM_S = 180.0
TRACKED = 0.004
"""dB/m that the baseline wanders: a detector tracks it slowly and so compensates for most of it (sas.org)."""


class Smoke:
    """Smoke at the detectors. ``cooks`` (devices,): it hangs where people cook (homes, small places)."""

    def __init__(self, seed: int, cooks: Bools, happenings: Happenings) -> None:
        self.seed = seed
        self._cooks = cooks
        self._happenings = happenings

    def density(self, i: Int64s, at: Int64s) -> Floats:
        """Return dB/m at detectors (n,) at instants (n,) µs."""
        seed = self.seed
        clean = noise.between(seed, "smoke baseline", i, 0.010, 0.022)
        drift = TRACKED * noise.smooth(seed, "smoke drift", i, at, 3 * DAY)
        dust = DUST * ((at + (noise.uniform(seed, "cleaned", i) * CLEANED).astype(np.int64)) % CLEANED) / CLEANED
        damp = DAMP * np.clip((humidity(seed, at) - DAMP_FROM) / (98.0 - DAMP_FROM), 0.0, 1.0)
        grain = 0.003 * noise.white(seed, "smoke", i, at)
        quiet = clean + drift + dust + damp + grain + self._meals(i, at)
        density: Floats = np.clip(quiet + self._befallen(i, at), 0.0, MAX_SMOKE)
        return density

    def _meals(self, i: Int64s, at: Int64s) -> Floats:
        """Fumes of ordinary cooking, most days, some meals."""
        day, rest = np.divmod(at + LOCAL, DAY)
        near = self._cooks[i] & (noise.uniform(self.seed, "kitchen", i) < KITCHENS)
        fumes = np.zeros(len(i))
        for number, meal in enumerate(MEALS):
            begin = meal + noise.uniform(self.seed, f"meal {number}", i, day) * 0.8
            cooked = noise.uniform(self.seed, f"cooked {number}", i, day) < 0.6
            share = (rest / HOUR - begin) / MEAL_H
            on = near & cooked & (share > 0) & (share < 1)
            fumes += np.where(on, FUMES * np.sin(np.pi * np.clip(share, 0, 1)), 0.0)
        return fumes

    def _befallen(self, i: Int64s, at: Int64s) -> Floats:
        more = np.zeros(len(i))
        for hit in self._happenings.hits("fire", i, at):
            more[hit.rows] += fire_smoke(hit.size, hit.since, hit.after, hit.far)
        for kind in STANDARD_FIRES:
            for hit in self._happenings.hits(kind, i, at):
                more[hit.rows] += hit.size * standard_smoke(kind, self.seed, i[hit.rows], hit)
        for hit in self._happenings.hits("cooking", i, at):
            # rises with time and thins out: at its highest after COOKING_S; window open from the end on
            share = hit.since / COOKING_S
            open_ = np.exp(-np.maximum(hit.after, 0.0) / 60.0)
            more[hit.rows] += hit.size * share * np.exp(1.0 - share) * open_
        for hit in self._happenings.hits("steam", i, at):
            gone = np.exp(-np.maximum(hit.after, 0.0) / STEAM_S) - np.exp(-hit.since / STEAM_S)
            more[hit.rows] += hit.size * gone
        for hit in self._happenings.hits("contamination", i, at):
            days = (hit.since - np.maximum(hit.after, 0.0)) / (24 * 3600)
            more[hit.rows] += np.where(hit.after < 0, hit.size * days, 0.0)  # cleaned at its end
        return more
