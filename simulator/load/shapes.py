"""How a load rises and falls: rates over time as pure arithmetic, from instants to counts and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from firetower.core.clock import SECOND
from firetower.core.errors import ConfigError
from firetower.devices.readings import Floats, Int64s
from firetower.simulator.schedule import NEVER

ShapeName = Literal["steady", "ramp", "step", "soak", "spike"]
SHAPE_NAMES: tuple[ShapeName, ...] = get_args(ShapeName)

SECONDS: dict[ShapeName, float] = {"steady": 60, "ramp": 120, "step": 120, "soak": 8 * 3600, "spike": 60}
"""How long each lasts unless told otherwise."""
PEAK: dict[ShapeName, float] = {"steady": 1, "soak": 1, "ramp": 4, "step": 4, "spike": 10}
"""The highest rate beside the first, unless told otherwise."""
STEPS = 4
"""Rises of ``step``."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of ``seconds`` in which the rate goes straight from ``first`` to ``last`` messages a second."""

    seconds: float
    first: float
    last: float

    @property
    def messages(self) -> float:
        """How many messages it is."""
        return self.seconds * (self.first + self.last) / 2


class Profile:
    """Legs one after the other. ``seconds``: how long they are together, ``messages``: how many are due in them."""

    def __init__(self, legs: Sequence[Leg]) -> None:
        for leg in legs:
            if not (leg.seconds > 0 and min(leg.first, leg.last) >= 0 and leg.messages > 0):
                raise ConfigError(
                    f"a load of {leg.seconds:g} s from {leg.first:g} to {leg.last:g} messages a second is not "
                    "possible: give more than 0"
                )
        self.legs = tuple(legs)
        self._begin: Floats = np.cumsum([0.0, *(leg.seconds for leg in legs)])
        self._sent: Floats = np.cumsum([0.0, *(leg.messages for leg in legs)])
        self._first: Floats = np.array([leg.first for leg in legs])
        self._slope: Floats = np.array([(leg.last - leg.first) / leg.seconds for leg in legs])
        self.seconds = float(self._begin[-1])
        self.messages = float(self._sent[-1])

    def rate(self, seconds: float) -> float:
        """Return the messages a second that are due ``seconds`` after the start; 0 outside."""
        if not 0 <= seconds < self.seconds:
            return 0.0
        leg = int(np.searchsorted(self._begin, seconds, "right")) - 1
        return float(self._first[leg] + self._slope[leg] * (seconds - self._begin[leg]))

    def count(self, seconds: float) -> float:
        """Return how many messages are due in the first ``seconds``; after the end, all."""
        at = min(max(seconds, 0.0), self.seconds)
        leg = min(int(np.searchsorted(self._begin, at, "right")) - 1, len(self.legs) - 1)
        into = at - self._begin[leg]
        return float(self._sent[leg] + self._first[leg] * into + self._slope[leg] * into * into / 2)

    def instants(self, counts: Floats) -> Int64s:
        """Return the µs after the start at which the messages numbered ``counts`` (fractions too) are due.

        The inverse of ``count``; NEVER for those past the end.
        """
        leg = np.clip(np.searchsorted(self._sent, counts, "right") - 1, 0, len(self.legs) - 1)
        left = counts - self._sent[leg]
        first, slope = self._first[leg], self._slope[leg]
        # the root of first·t + slope·t²/2 = left in the form that is exact for slope 0 too
        into = 2 * left / (first + np.sqrt(np.maximum(first * first + 2 * slope * left, 0)) + 1e-300)
        instants: Int64s = np.floor((self._begin[leg] + into) * SECOND).astype(np.int64)
        return np.where(counts < self.messages, instants, NEVER)


def profile(
    name: ShapeName, rate: float, *, to: float | None = None, seconds: float | None = None, steps: int | None = None
) -> Profile:
    """Return the profile of a shape that begins at ``rate`` messages a second and reaches ``to``.

    ``steady`` and ``soak`` stay at ``rate``; ``ramp`` goes straight to ``to``; ``step`` gets there in ``steps`` (4)
    equal rises, each level as long as the others; ``spike`` stands at ``to`` for the middle tenth of the time. Raises
    ConfigError for what is no load.
    """
    if name not in SHAPE_NAMES:
        raise ConfigError(f"a load of the shape {name!r} is not known: take {', '.join(SHAPE_NAMES)}")
    steps = STEPS if steps is None else steps
    if steps < 1:
        raise ConfigError(f"a load in {steps} steps is not possible: give 1 or more")
    lasts = SECONDS[name] if seconds is None else seconds
    top = rate * PEAK[name] if to is None else to
    if name in {"steady", "soak"}:
        if to is not None:
            raise ConfigError(f"a {name} load has one rate: leave --to out, or take --load ramp, step or spike")
        return Profile([Leg(lasts, rate, rate)])
    if name == "ramp":
        return Profile([Leg(lasts, rate, top)])
    if name == "step":
        levels = [rate + (top - rate) * number / steps for number in range(steps + 1)]
        return Profile([Leg(lasts / len(levels), level, level) for level in levels])
    around = lasts * 0.45
    return Profile([Leg(around, rate, rate), Leg(lasts - 2 * around, top, top), Leg(around, rate, rate)])
