"""Pressure that changes at once rings: a step in 1 to 3 s, and a swing of 1 to 5 s that is gone in half a minute."""

import numpy as np

from firetower.core.clock import MINUTE, SECOND
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise

FALL_S = 0.8  # e-folding of the step: nine tenths in about 2 s
DECAY_S = 8.0  # e-folding of the swing: a fortieth is left after 30 s
SWING = 0.4  # of the step
SLOT = 10 * MINUTE
SHARE = 0.15  # of the slots of a main have a transient of their own
SMALLEST, LARGEST = 0.003, 0.012  # MPa, of quiet days


def step(since: Floats, period: Floats) -> Floats:
    """Return how much of a step is there ``since`` s (n,) after it: 0 before, then 1 with a swing of ``period`` s (n,).

    Figures of the field (general knowledge, without a source): 0.05 to 0.15 MPa in 1 to 3 s when a hydrant is opened,
    ringing with 1 to 5 s, decaying in 30 s.
    """
    s = np.maximum(since, 0.0)
    ring = SWING * np.exp(-s / DECAY_S) * np.cos(2 * np.pi * s / period)
    share: Floats = np.where(since > 0, 1.0 - (1.0 - SWING) * np.exp(-s / FALL_S) - ring, 0.0)
    return share


def period(seed: int, main: Int64s, start: Int64s) -> Floats:
    """Return the period of the swing in s, (n,), by main and the µs at which it began."""
    return 1.0 + 4.0 * noise.uniform(seed, "ringing period", main, start // SECOND)


def transients(seed: int, main: Int64s, at: Int64s) -> Floats:
    """Return the swings of a quiet day in MPa, (n,): somebody shuts a valve, a pump starts; small, and both ways.

    Larger ones are made by users too, -0.15 to +0.64 MPa (measured at 500 Hz, AQUA 72/12); those are effects.
    """
    slot, rest = np.divmod(at, SLOT)
    happens = noise.uniform(seed, "transient", main, slot) < SHARE
    # in the first four fifths of its slot, so that it is over when the slot is
    begin = noise.uniform(seed, "transient at", main, slot) * 0.8 * SLOT
    since = (rest - begin) / SECOND
    size = SMALLEST + (LARGEST - SMALLEST) * noise.uniform(seed, "transient size", main, slot)
    way = np.where(noise.uniform(seed, "transient way", main, slot) < 0.5, -1.0, 1.0)
    s = np.maximum(since, 0.0)
    swing = np.exp(-s / DECAY_S) * np.sin(2 * np.pi * s / period(seed, main, slot * SLOT))
    total: Floats = np.where(happens & (since > 0), way * size * swing, 0.0)
    return total
