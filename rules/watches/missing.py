"""Events that are missing: a pump that was not started for eight days."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.columns import Column
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.readings import Bools, Int64s
from firetower.devices.registry import Registry
from firetower.rules.checkpoint import in_parts
from firetower.rules.measured.lanes import NEVER
from firetower.rules.watches.silence import TOLD_A_TICK


class Missing:
    """Devices of ``kinds`` of which one event rule has not heard its events for ``allowed``, µs.

    Columns by device number. A tick looks at them only when the first may be due, and tells TOLD_A_TICK at most.
    """

    def __init__(self, kinds: tuple[DeviceKind, ...], allowed: Micros, registry: Registry) -> None:
        self._allowed, self._registry = allowed, registry
        self._kinds: Bools = np.zeros(len(DeviceKind) + 1, np.bool_)  # the last one stands for -1, no device
        self._kinds[[KIND_NUMBER[kind] for kind in kinds]] = True
        self._last: Column[np.int64] = Column(np.int64)
        self._due: Column[np.int64] = Column(np.int64, NEVER)
        self._raised_at: Column[np.int64] = Column(np.int64, NEVER)
        self._known = -1
        self._next = NEVER

    def seed(self, device: int, since: Micros) -> None:
        """Take over an open alert."""
        self._fit()
        self._raised_at.rows[device] = min(since, int(self._raised_at.rows[device]))
        self._plan(np.array([device]))

    def note(self, device: int, at: Micros) -> None:
        """Note an event that is stored."""
        self._fit()
        self._last.rows[device] = max(at, int(self._last.rows[device]))
        self._plan(np.array([device]))

    def heard(self, device: int, at: Micros) -> tuple[Micros | None, bool]:
        """Note the event; return since when it was missing (None: it was not), and whether that was said."""
        self._fit()
        raised_at, due = int(self._raised_at.rows[device]), int(self._due.rows[device])
        self._raised_at.rows[device] = NEVER
        self.note(device, at)
        if raised_at != NEVER:
            return raised_at, True
        return (due, False) if due <= at else (None, False)

    def tick(self, now: Micros) -> tuple[list[tuple[int, Micros]], list[int]]:
        """Return what begins to be missing, device and instant, and the devices no longer watched that were."""
        self._fit()
        gone: list[int] = []
        if self._known != self._registry.revision:
            changed = np.flatnonzero(self._registry.changed > self._known).astype(np.int64)
            self._known = self._registry.revision
            over = changed[(self._raised_at.rows[changed] != NEVER) & ~self._watched(changed)]
            self._raised_at.rows[over] = NEVER
            gone = over.tolist()
            self._plan(changed)
        if now < self._next:
            return [], gone
        due = np.flatnonzero(self._due.rows <= now)
        due = due[np.argsort(self._due.rows[due], kind="stable")[:TOLD_A_TICK]]
        begun = list(zip(due.tolist(), self._due.rows[due].tolist(), strict=True))
        self._raised_at.rows[due] = self._due.rows[due]
        self._due.rows[due] = NEVER
        self._next = int(self._due.rows.min(initial=NEVER))
        return begun, gone

    def save(self) -> Iterator[list[Any]]:
        """Yield the state, of JSON's types: device, when last heard, since when missing (None: it is not)."""
        devices = np.flatnonzero((self._last.rows != 0) | (self._raised_at.rows != NEVER))
        for part in in_parts(devices.tolist()):
            last, raised = self._last.rows[part].tolist(), self._raised_at.rows[part].tolist()
            yield [
                [device, at, None if raised_at == NEVER else raised_at]
                for device, at, raised_at in zip(part, last, raised, strict=True)
            ]

    def load(self, saved: list[Any]) -> None:
        """Take over what ``save`` returned."""
        self._fit()
        for device, last, raised_at in saved:
            if device < len(self._last.rows):
                self._last.rows[device] = max(last, int(self._last.rows[device]))
                self._raised_at.rows[device] = NEVER if raised_at is None else raised_at
                self._plan(np.array([device]))

    def _watched(self, devices: Int64s) -> Bools:
        watched: Bools = self._kinds[self._registry.kind[devices]] & ~self._registry.retired[devices]
        return watched

    def _plan(self, devices: Int64s) -> None:
        since = np.maximum(self._last.rows[devices], self._registry.registered_at[devices])
        waits = self._watched(devices) & (self._raised_at.rows[devices] == NEVER)
        self._due.rows[devices] = np.where(waits, since + self._allowed, NEVER)
        self._next = min(self._next, int(self._due.rows[devices].min(initial=NEVER)))

    def _fit(self) -> None:
        size = len(self._registry.kind)
        if size > len(self._last.rows):
            for column in (self._last, self._due, self._raised_at):
                column.fit(size)
