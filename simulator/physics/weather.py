"""The weather over the city, the same for all: outdoor temperature, rain and humidity."""

import numpy as np

from firetower.core.clock import DAY, HOUR
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.curves import LOCAL

YEAR = 365 * DAY + 6 * HOUR
COLDEST = 20 * DAY
"""The coldest day of the year, after 1 January."""


def outdoor(seed: int, at: Int64s) -> Floats:
    """Return °C: 17 in the year's mean, 9 less in January, warmest at 15:00; a mild coast, never freezing."""
    season = -8.0 * np.cos(2 * np.pi * ((at - COLDEST) % YEAR) / YEAR)
    day = -2.0 * np.cos(2 * np.pi * ((at + LOCAL - 3 * HOUR) % DAY) / DAY)
    degrees: Floats = 17.0 + season + day + 1.0 * noise.smooth(seed, "outdoor", 0, at, 12 * HOUR)
    return degrees


def rain(seed: int, at: Int64s) -> Floats:
    """Return how wet it is, 0 to 1: a fifth of the time some rain, in spells of some hours."""
    wet: Floats = np.clip((noise.smooth(seed, "rain", 0, at, 7 * HOUR) - 0.5) / 0.5, 0.0, 1.0)
    return wet


def humidity(seed: int, at: Int64s) -> Floats:
    """Return relative humidity in %: 45 to 80, more at night, up to 98 in rain."""
    night = np.cos(2 * np.pi * ((at + LOCAL - 4 * HOUR) % DAY) / DAY)
    dry = 62 + 8 * night + 8 * noise.smooth(seed, "humidity", 0, at, 9 * HOUR)
    percent: Floats = dry + (98 - dry) * np.sqrt(rain(seed, at))
    return percent
