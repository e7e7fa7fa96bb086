"""Randomness without state: a hash of (seed, stream, device, step), so that no value depends on others.

A generator that is advanced would give a device other values in a batch of 2 than in a batch of 2,000.
A hash gives every device its own, reproducible from the seed alone, in any order and by any number of processes.
"""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from firetower.devices.readings import Floats, Int64s

_MASK = (1 << 64) - 1
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53

Whole = Int64s | int


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of splitmix64: every input bit changes half of the output bits."""
    x = (x ^ (x >> np.uint64(30))) * _MIX_A
    x = (x ^ (x >> np.uint64(27))) * _MIX_B
    return x ^ (x >> np.uint64(31))


def _column(values: Whole) -> npt.NDArray[np.uint64]:
    # at least one dimension: numpy warns of wrapping on scalars and not on arrays
    return np.atleast_1d(np.asarray(values, np.int64)).view(np.uint64)


def uniform(seed: int, stream: str, index: Whole, step: Whole = 0) -> Floats:
    """Return numbers in [0, 1), one for each (index, step) pair, broadcast; ``stream``: the purpose."""
    digest = hashlib.blake2b(f"{seed}:{stream}".encode(), digest_size=8).digest()
    start = np.uint64(int.from_bytes(digest, "big") & _MASK)
    x = _mixed(_column(index) * _STEP + start)
    x = _mixed(x + _column(step) * _MIX_B)
    unit: Floats = (x >> np.uint64(11)).astype(np.float64) * _TO_UNIT
    return unit


def between(seed: int, stream: str, index: Whole, low: float, high: float) -> Floats:
    """Return numbers in [low, high), shape (n,): a constant of each device."""
    return low + (high - low) * uniform(seed, stream, index)


def whole(seed: int, stream: str, index: Whole, count: int) -> Int64s:
    """Return whole numbers in [0, count), shape (n,)."""
    return (uniform(seed, stream, index) * count).astype(np.int64)


def white(seed: int, stream: str, index: Whole, at: Int64s) -> Floats:
    """Return noise in [-1, 1], triangular, deviation 0.41, independent from one instant (µs) to the next."""
    return uniform(seed, stream + "/a", index, at) + uniform(seed, stream + "/b", index, at) - 1.0


def smooth(seed: int, stream: str, index: Whole, at: Int64s, over: Whole) -> Floats:
    """Return noise in [-1, 1] that wanders: new every ``over`` µs and continuous in between."""
    step, rest = np.divmod(at, over)
    share = rest / over
    share = share * share * (3.0 - 2.0 * share)
    before = uniform(seed, stream, index, step)
    after = uniform(seed, stream, index, step + 1)
    wander: Any = 2.0 * (before + (after - before) * share) - 1.0
    return np.asarray(wander, np.float64)


def normal(one: Floats, other: Floats) -> Floats:
    """Return numbers of the standard normal distribution from two uniform ones in [0, 1) (Box and Muller)."""
    drawn: Floats = np.sqrt(-2.0 * np.log1p(-one)) * np.cos(2.0 * np.pi * other)
    return drawn
