"""A small honest store in memory: what a commit takes is all there or not at all; it can be made to fail or hang."""

import asyncio
from collections.abc import Sequence

import numpy as np

from firetower.core.clock import DAY, Clock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.devices.events import Event
from firetower.devices.readings import Floats, Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.ingest.ports import Committed, Reject, Seen, Stranger, Work
from firetower.rules.verdicts import Verdict, VerdictKind

Key = tuple[int, int, int, int]


class MemoryStore:
    """``ports.Store``. ``failing``: calls raise StoreUnavailable. Commits of ``held`` lanes wait for ``gate``."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.held: set[str] = set()
        self.refuse_value: float | None = None
        self.readings: dict[Key, tuple[float, int]] = {}
        self.events: list[Event] = []
        self.rejects: list[Reject] = []
        self.verdicts: list[Verdict] = []
        self.remembered: dict[tuple[int, int, bytes], Micros] = {}
        self.attempts: list[Work] = []
        self.commits: list[Work] = []
        self.next_device = 1000

    async def stored(self, readings: Readings) -> Floats:
        self._check()
        return np.array([self.readings.get(key, (np.nan, 0))[0] for key in _keys(readings)], np.float64)

    async def seen(self, messages: Sequence[Seen]) -> list[bool]:
        self._check()
        return [self.remembered.get((m.device, m.seq, m.digest), -DAY) > self._clock.now() - DAY for m in messages]

    async def register(self, strangers: Sequence[Stranger], at: Micros) -> None:
        self._check()
        for one in strangers:
            self._registry.add(DeviceEntry(self.next_device, one.unit, one.device, one.kind, registered_at=at))
            self.next_device += 1

    async def channels(self, names: Sequence[str]) -> None:
        self._check()
        for name in names:
            if self._registry.channel(name) is None:
                self._registry.add_channel(name, self._registry.channels)

    async def commit(self, work: Work) -> Committed:
        self.attempts.append(work)
        if work.lane in self.held:
            await self.gate.wait()
        self._check()
        if self.refuse_value is not None and self.refuse_value in work.readings.value:
            raise ValueError("a constraint is violated")
        stored = 0
        for key, value, flags in zip(
            _keys(work.readings), work.readings.value.tolist(), work.readings.flags.tolist(), strict=True
        ):
            if key not in self.readings:
                self.readings[key] = (value, flags)
                stored += 1
        known = {(event.unit, event.device, event.key) for event in self.events if event.key}
        fresh = [event for event in work.events if (event.unit, event.device, event.key) not in known]
        self.events += fresh
        self.rejects += work.rejects
        self.verdicts += work.verdicts
        self.remembered |= {(m.device, m.seq, m.digest): m.at for m in work.seen}
        self.commits.append(work)
        raised: dict[str, int] = {}
        for verdict in work.verdicts:
            if verdict.kind is VerdictKind.RAISE:
                raised[verdict.alert_class] = raised.get(verdict.alert_class, 0) + 1
        return Committed(stored, len(work.readings) - stored, raised, self._clock.now())

    def _check(self) -> None:
        if self.failing:
            raise StoreUnavailable("the database cannot be reached (test)")


def _keys(readings: Readings) -> list[Key]:
    columns = (readings.device, readings.metric, readings.channel, readings.ts)
    return list(zip(*(column.tolist() for column in columns), strict=True))
