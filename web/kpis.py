"""The figures in the console's header: devices by status, open alerts by priority, rate, store and broker."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from firetower.core.clock import Micros
from firetower.devices import liveness
from firetower.devices.columns import Column
from firetower.devices.readings import Int64s
from firetower.devices.registry import Registry
from firetower.web.api_models import Answered

Int8s = npt.NDArray[np.int8]
STATUSES = liveness.STATUS_NAMES
NEVER_SEEN = STATUSES.index("never_seen")


class DeviceCounts(Answered):
    """Devices in service by status."""

    online: int
    offline: int
    never_seen: int
    total: int


class Kpis(Answered):
    """The header's figures, as they stand now."""

    devices: DeviceCounts
    open: dict[str, int] = Field(description="alerts that are not closed, by priority 1 to 4")
    unacknowledged: dict[str, int] = Field(description="those among them that nobody acknowledged")
    messages_per_second: float = Field(description="messages received lately, all lanes")
    store: Literal["ok", "unavailable"]
    broker: Literal["ok", "unavailable"]


class DeviceStatus(Answered):
    """A device whose status changed."""

    unit: str
    device: str
    status: Literal["never_seen", "online", "offline"]


_PART = 50_000
"""Devices whose status is found at once, in a fraction of a millisecond."""
_PARTS_A_LOOK = 5


class StatusWatch:
    """Finds devices whose status changed between two looks; at most ``most`` a look, the others at the next ones.

    The first look goes over all devices, the next ones over a quarter of a million each, in turn: with more devices
    than that, changes and ``counts`` come some looks later.
    """

    def __init__(self, registry: Registry, most: int = 1000) -> None:
        self._registry = registry
        self._most = most
        self._told: Column[np.int8] = Column(np.int8, NEVER_SEEN)  # so are those registered since
        self._counts: list[Int64s] = []
        self._next = 0
        self.counts = DeviceCounts(online=0, offline=0, never_seen=0, total=0)

    def look(self, now: Micros) -> list[dict[str, str]]:
        """Count the devices in service at ``now`` and return (as DeviceStatus) the changed ones."""
        first = not self._counts
        size = len(self._registry.kind)
        parts = -(-size // _PART)
        self._counts += [np.zeros(len(STATUSES), np.int64)] * (parts - len(self._counts))
        told = self._told.fit(size)
        news: list[dict[str, str]] = []
        for _ in range(parts if first else min(parts, _PARTS_A_LOOK)):
            changed, statuses = self._look_at(self._next % parts, now)
            self._next += 1
            if first:
                told[changed] = statuses
                continue
            changed, statuses = changed[: self._most - len(news)], statuses[: self._most - len(news)]
            told[changed] = statuses
            for number, status in zip(changed.tolist(), statuses.tolist(), strict=True):
                unit, device = self._registry.name(number)
                news.append({"unit": unit, "device": device, "status": STATUSES[status]})
        by_status = np.sum(self._counts, axis=0).tolist()
        self.counts = DeviceCounts(**dict(zip(STATUSES, by_status, strict=True)), total=sum(by_status))
        return news

    def _look_at(self, index: int, now: Micros) -> tuple[Int64s, Int8s]:
        """Count one part; return the numbers of its devices in service whose status was not told, and that status."""
        part = slice(index * _PART, min((index + 1) * _PART, len(self._registry.kind)))
        statuses = liveness.statuses(self._registry, now, part)
        kept = (statuses != liveness.NO_DEVICE) & ~self._registry.retired[part]
        self._counts[index] = np.bincount(statuses[kept], minlength=len(STATUSES))
        changed = np.flatnonzero((statuses != self._told.rows[part]) & kept)
        return changed + part.start, statuses[changed]
