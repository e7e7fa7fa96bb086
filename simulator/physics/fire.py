"""How fires grow and what a detector feels of them: t² fires under a ceiling, and the test fires of the standards.

Growth: Q = α t², α 0.00293 slow, 0.0117 medium, 0.0469 fast, 0.1876 kW/s² ultra-fast: 1055 kW after 600, 300, 150,
75 s (codingace, firecalculators). Ceiling jet by Alpert, ΔT = 16.9 Q^(2/3) / H^(5/3) above the fire and
5.38 (Q/r)^(2/3) / H beside it (K: handbook knowledge without a source at hand). Smoke goes with ΔT, by the ratio of
optical density to temperature rise of wood, 0.02 1/m per K (K).
"""

from dataclasses import dataclass

import numpy as np

from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.physics.effects import Hit

ALPHA = {"slow": 0.00293, "medium": 0.0117, "fast": 0.0469, "ultra_fast": 0.1876}
"""kW/s²."""
CEILING_M = 3.0
NEAREST_M = 0.18 * CEILING_M  # within it the plume itself is met
LARGEST_KW = 5000.0  # then the room burns as a whole
HOTTEST_K = 250.0
JET_M_S = 0.5  # how fast smoke comes along the ceiling while the fire is small
DENSITY_PER_K = 10 * 0.02  # dB/m for each K: 10 times the decimal optical density per metre
VENTED_S = 120.0  # e-folding after the fire is out
MAX_SMOKE = 6.0  # dB/m: the end of a detector's measuring


def heat_release(alpha: Floats, since: Floats) -> Floats:
    """Return kW of a fire that grows with ``alpha`` kW/s² (n,) ``since`` s (n,) after it began."""
    kilowatts: Floats = np.minimum(alpha * np.maximum(since, 0.0) ** 2, LARGEST_KW)
    return kilowatts


def ceiling_jet(kilowatts: Floats, far: Floats) -> Floats:
    """Return K above the room's temperature under a ceiling of 3 m, ``far`` m (n,) beside a fire of so many kW (n,)."""
    above = 16.9 * kilowatts ** (2 / 3) / CEILING_M ** (5 / 3)
    beside = 5.38 * (kilowatts / np.maximum(far, NEAREST_M)) ** (2 / 3) / CEILING_M
    kelvin: Floats = np.minimum(np.where(far <= NEAREST_M, above, beside), HOTTEST_K)
    return kelvin


def warmth(alpha: Floats, since: Floats, after: Floats, far: Floats) -> Floats:
    """Return K of a t² fire ``far`` m away, begun ``since`` s ago, out for ``after`` s (negative: it burns)."""
    lasted = since - np.maximum(after, 0.0) - (CEILING_M + far) / JET_M_S
    burning = ceiling_jet(heat_release(alpha, lasted), far)
    kelvin: Floats = burning * np.exp(-np.maximum(after, 0.0) / VENTED_S)
    return kelvin


def fire_smoke(alpha: Floats, since: Floats, after: Floats, far: Floats) -> Floats:
    """Return dB/m of a t² fire, arguments as ``warmth``."""
    density: Floats = np.minimum(DENSITY_PER_K * warmth(alpha, since, after, far), MAX_SMOKE)
    return density


@dataclass(frozen=True, slots=True)
class StandardFire:
    """A test fire: m reaches ``end`` (dB/m, from, to) after ``lasts`` (s, from, to), growing with t to ``power``."""

    end: tuple[float, float]
    lasts: tuple[float, float]
    power: float


STANDARD_FIRES = {
    # 2 dB/m (K); a hotplate takes ten minutes to char beech
    "smouldering": StandardFire((2.0, 2.0), (570.0, 840.0), 3.0),
    # a valid run reaches 2 dB/m after 280 to 750 s (TCVN 7568-9, the adoption of ISO 7240-9)
    "glowing": StandardFire((2.0, 2.0), (280.0, 750.0), 2.0),
    # y = 6 at m 1.27 to 1.73 dB/m (K); dark smoke at once
    "foam_fire": StandardFire((1.27, 1.73), (140.0, 180.0), 1.5),
    # y = 6 at m 0.92 to 1.24 dB/m (K)
    "solvent_fire": StandardFire((0.92, 1.24), (120.0, 240.0), 1.3),
}
"""TF2, TF3, TF4 and TF5 of the detector standards, as courses of m under the ceiling; powers are this project's."""


def standard_smoke(kind: str, seed: int, device: Int64s, hit: Hit) -> Floats:
    """Return dB/m of a test fire at the devices (m,) of a hit: each run its own within the valid ones."""
    fire = STANDARD_FIRES[kind]
    end = fire.end[0] + (fire.end[1] - fire.end[0]) * noise.uniform(seed, f"{kind} end", device, hit.start)
    lasts = fire.lasts[0] + (fire.lasts[1] - fire.lasts[0]) * noise.uniform(seed, f"{kind} lasts", device, hit.start)
    share = np.clip((hit.since - np.maximum(hit.after, 0.0)) / lasts, 0.0, 1.0)
    density: Floats = end * share**fire.power * np.exp(-np.maximum(hit.after, 0.0) / VENTED_S)
    return density
