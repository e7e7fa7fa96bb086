"""The figures in the console's header: devices by status, open alerts by priority, rate, store and broker."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from firetower.alerts.floods import Flood
from firetower.alerts.model import Hold, State
from firetower.core.clock import SECOND, Micros
from firetower.devices import liveness
from firetower.devices.columns import Column
from firetower.devices.readings import Int64s
from firetower.devices.registry import Registry
from firetower.storage.alarm_rate import COUNTED
from firetower.web.api_models import Answered, Instant, instant_or_none

Int8s = npt.NDArray[np.int8]
STATUSES = liveness.STATUS_NAMES
NEVER_SEEN = STATUSES.index("never_seen")
CountedBy = tuple[str, int, State, Hold, bool]
"""What open alerts are counted by: class, priority, state, hold, whether it was raised in an announced test."""


class DeviceCounts(Answered):
    """Devices in service by status."""

    online: int
    offline: int
    never_seen: int
    total: int


class FloodOut(Answered):
    """Whether more new alarms come than the people at the seats can answer (报警潮, ISA-18.2)."""

    active: bool = Field(description="begins past 10 an operator within ten minutes, ends below 5")
    alarms_10min: int = Field(
        description="alerts of priority 1 to 3 raised in the last ten minutes, none held, in test or historical; "
        f"counted up to {COUNTED}"
    )
    operators: int = Field(description="people who may act, at connected consoles with sound; at least 1")
    since: Instant | None


class LagsOut(Answered):
    """How far each lane is behind: seconds the oldest message not yet committed has waited; null: not known here."""

    alarm: float | None
    telemetry: float | None


class Kpis(Answered):
    """The header's figures, as they stand now."""

    devices: DeviceCounts
    open: dict[str, int] = Field(description="alerts that are not closed, by priority 1 to 4")
    unacknowledged: dict[str, int] = Field(description="those among them that nobody acknowledged")
    held: dict[str, int] = Field(
        description="alerts that are not closed and held: `shelved`, `suppressed`, `out_of_service`"
    )
    in_test: int = Field(description="alerts that are not closed and were raised in an announced test")
    flood: FloodOut
    messages_per_second: float = Field(description="messages received lately, all lanes")
    lag_s: LagsOut
    store: Literal["ok", "unavailable"]
    broker: Literal["ok", "unavailable"]
    command_centre: bool = Field(description="119 is told through its interface (转警); false: it is called")


def figures(
    *,
    counts: Mapping[CountedBy, int],
    devices: DeviceCounts,
    flood: Flood,
    messages_per_second: float,
    lags: Mapping[str, Micros],
    store_ok: bool,
    broker_ok: bool,
    command_centre: bool,
) -> Kpis:
    """Return the header's figures from the open alerts' ``counts`` and what else is known."""
    open_alerts = dict.fromkeys(("1", "2", "3", "4"), 0)
    unacknowledged = dict(open_alerts)
    held = {hold.value: 0 for hold in Hold if hold is not Hold.NONE}
    in_test = 0
    for (_, priority, state, hold, tested), count in counts.items():
        open_alerts[str(priority)] += count
        if state in {State.UNACKNOWLEDGED, State.RETURNED}:
            unacknowledged[str(priority)] += count
        if hold is not Hold.NONE:
            held[hold.value] += count
        in_test += count if tested else 0
    return Kpis(
        devices=devices,
        open=open_alerts,
        unacknowledged=unacknowledged,
        held=held,
        in_test=in_test,
        flood=FloodOut(
            active=flood.active,
            alarms_10min=flood.alarms,
            operators=flood.operators,
            since=instant_or_none(flood.since),
        ),
        messages_per_second=round(messages_per_second, 1),
        lag_s=LagsOut(
            **{lane: round(lags[lane] / SECOND, 1) if lane in lags else None for lane in LagsOut.model_fields}
        ),
        store="ok" if store_ok else "unavailable",
        broker="ok" if broker_ok else "unavailable",
        command_centre=command_centre,
    )


class DeviceStatus(Answered):
    """A device whose status changed."""

    unit: str
    device: str
    number: int = Field(description="its slot in the map's snapshot")
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

    def look(self, now: Micros) -> list[dict[str, str | int]]:
        """Count the devices in service at ``now`` and return (as DeviceStatus) the changed ones."""
        first = not self._counts
        size = len(self._registry.kind)
        parts = -(-size // _PART)
        self._counts += [np.zeros(len(STATUSES), np.int64)] * (parts - len(self._counts))
        told = self._told.fit(size)
        news: list[dict[str, str | int]] = []
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
                news.append({"unit": unit, "device": device, "number": number, "status": STATUSES[status]})
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
