"""Which device reports when under a load: fixed before the first message goes out, and by nobody who receives.

Every device is a process of its own, in the count of messages due so far instead of in seconds: it reports each time
that count has grown by the inverse of its share (its own schedule), or by an exponential draw of that mean (Poisson).
The load's profile turns counts into instants, so any shape keeps each device's share; and because a device's draws
depend on the seed and its number alone, the arrivals are the same however many processes share the devices.
"""

from typing import Literal, get_args

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.core.errors import ConfigError
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.load.shapes import Profile
from firetower.simulator.schedule import NEVER, SHORTEST

ArrivalName = Literal["device", "poisson"]
ARRIVAL_NAMES: tuple[ArrivalName, ...] = get_args(ArrivalName)
MOST_OF_A_DEVICE = 0.5
"""Share of the milliseconds that one device may fill: times on the wire are whole milliseconds and must differ."""


def shares(every: Int64s) -> Floats:
    """Return each device's share of the messages, from the µs between its reports; 0 for one that does not report."""
    pace: Floats = np.where(every > 0, SECOND / np.maximum(every, 1), 0.0)
    share: Floats = pace / pace.sum()
    return share


def check_devices(share: Floats, most: float) -> None:
    """Raise ConfigError when ``most`` messages a second would give a device more than its times can tell apart."""
    busiest = float(share.max()) * most
    limit = MOST_OF_A_DEVICE * SECOND / SHORTEST
    if busiest > limit:
        needed = int(np.ceil(len(share) * busiest / limit))
        raise ConfigError(
            f"{most:,.0f} messages a second of {len(share):,} devices are {busiest:,.0f} of the busiest, and "
            f"device times in milliseconds tell {limit:,.0f} a second apart: "
            f"give at least --devices {needed}, or a lower rate"
        )


class Arrivals:
    """The messages of some devices under a profile. ``device``: their numbers in the city, ``share``: of all messages.

    ``until`` is asked with growing instants; each message is told once.
    """

    def __init__(self, seed: int, device: Int64s, share: Floats, kind: ArrivalName, profile: Profile) -> None:
        reporting = np.flatnonzero(share > 0)
        self._seed, self._kind, self._profile = seed, kind, profile
        self._position: Int64s = reporting
        self._device: Int64s = device[reporting]
        self._gap: Floats = 1 / share[reporting]
        self._turn: Int64s = np.zeros(len(reporting), np.int64)
        self._next: Floats = self._first()
        self._last: Int64s = np.full(len(reporting), -SHORTEST, np.int64)

    def _first(self) -> Floats:
        if self._kind == "poisson":
            return self._draw(np.arange(len(self._device)))
        return self._gap * noise.uniform(self._seed, "load phase", self._device) if len(self._device) else self._gap

    def _draw(self, rows: Int64s) -> Floats:
        if self._kind == "device":
            return self._gap[rows]
        unit = noise.uniform(self._seed, "load gap", self._device[rows], self._turn[rows])
        return -np.log1p(-unit) * self._gap[rows]

    def until(self, after: Micros) -> tuple[Int64s, Int64s, Int64s]:
        """Return what is due before ``after`` µs from the start and was not told yet, the earliest first.

        (position in ``device``, µs after the start, how many that device sent before), each of shape (n,).
        """
        count = self._profile.count(after / SECOND)
        told: list[tuple[Int64s, Int64s, Int64s]] = []
        rows = np.flatnonzero(self._next < count)
        while len(rows):
            at = np.maximum(self._profile.instants(self._next[rows]), self._last[rows] + SHORTEST)
            told.append((self._position[rows], at, self._turn[rows].copy()))
            self._last[rows] = at
            self._turn[rows] += 1
            self._next[rows] += self._draw(rows)
            rows = rows[self._next[rows] < count]
        if not told:
            nothing = np.zeros(0, np.int64)
            return nothing, nothing, nothing
        position, due, turn = (np.concatenate(column) for column in zip(*told, strict=True))
        order = np.argsort(due, kind="stable")
        order = order[due[order] < NEVER]
        return position[order], due[order], turn[order]
