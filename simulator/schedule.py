"""When each device reports next: an open loop, fixed by the devices' own intervals and never slowed by who receives."""

import numpy as np

from firetower.core.clock import SECOND, Micros
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise

NEVER: Micros = np.iinfo(np.int64).max
SHORTEST: Micros = 1000  # µs: times on the wire are whole milliseconds, and two reports must not share one


class Schedule:
    """Due times of n devices, by position. ``every``: µs between reports, 0 for a device that does not report."""

    def __init__(self, seed: int, start: Micros, every: Int64s) -> None:
        self._every: Int64s = np.where(every > 0, np.maximum(every, SHORTEST), 0)
        self._normal = self._every.copy()
        phase = noise.uniform(seed, "phase", np.arange(len(every))) if len(every) else np.zeros(0)
        self.due: Int64s = np.where(self._every > 0, start + (phase * self._every).astype(np.int64), NEVER)

    def take(self, now: Micros, most: int) -> tuple[Int64s, Int64s]:
        """Return up to ``most`` devices due by ``now`` and their due times, the longest due first, and plan the next.

        A device stands at most once in an answer; one that is several reports behind comes again in the next.
        """
        index = np.flatnonzero(self.due <= now)
        index = index[np.argsort(self.due[index], kind="stable")[:most]]
        due = self.due[index]
        self.due[index] = due + self._every[index]
        return index, due

    def retime(self, device: int, at: Micros, every: Micros | None) -> None:
        """Let ``device`` report next at ``at`` and then each ``every`` µs; None: at its own interval again."""
        self._every[device] = self._normal[device] if every is None else every
        self.due[device] = at

    def silence(self, device: int) -> None:
        """Let ``device`` report no more until it is retimed."""
        self.due[device] = NEVER


def natural_rate(every: Int64s) -> float:
    """Return the messages a second of devices reporting each ``every`` µs; those with 0 do not report."""
    reporting: Floats = every[every > 0].astype(np.float64)
    return float((SECOND / reporting).sum())
