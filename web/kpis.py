"""The figures in the console's header: devices by status, open alerts by priority, rate, store and broker."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from firetower.core.clock import Micros
from firetower.devices import liveness
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


class StatusWatch:
    """Finds devices whose status changed between two looks; at most ``most`` a look, the others at the next ones."""

    def __init__(self, registry: Registry, most: int = 1000) -> None:
        self._registry = registry
        self._most = most
        self._told: Int8s | None = None
        self.counts = DeviceCounts(online=0, offline=0, never_seen=0, total=0)

    def look(self, now: Micros) -> list[dict[str, str]]:
        """Count the devices in service at ``now`` and return (as DeviceStatus) the changed ones."""
        statuses = liveness.statuses(self._registry, now)
        kept = (self._registry.kind >= 0) & ~self._registry.retired
        by_number = np.bincount(statuses[kept], minlength=len(STATUSES)).tolist()
        self.counts = DeviceCounts(
            **dict(zip(STATUSES, by_number, strict=True)),
            total=sum(by_number),
        )
        if self._told is None:
            self._told = statuses.copy()
            return []
        if len(self._told) < len(statuses):  # devices registered since: told of as if nobody had seen them before
            grown = np.full(len(statuses), NEVER_SEEN, np.int8)
            grown[: len(self._told)] = self._told
            self._told = grown
        changed = np.flatnonzero((statuses != self._told) & kept)[: self._most]
        self._told[changed] = statuses[changed]
        names = [self._registry.name(number) for number in changed.tolist()]
        return [
            {"unit": unit, "device": device, "status": STATUSES[statuses[number]]}
            for (unit, device), number in zip(names, changed.tolist(), strict=True)
        ]
