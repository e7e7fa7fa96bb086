"""A small town on the shipped rulebook: devices with unit, zone and main, what they measure and what they say."""

from typing import Any

import numpy as np
from scenario import SHIPPED, START, World, at

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch
from firetower.rules.verdicts import Verdict

SECONDS = {"s": 1.0, "min": MINUTE / SECOND, "h": HOUR / SECOND, "d": DAY / SECOND}
LONG_AGO = -1e8
BAD = 2


class Town(World):
    """A world that keeps all verdicts; times are seconds after START, Saturday 2025-11-22 16:26:40 in Shanghai."""

    def __init__(self) -> None:
        super().__init__()
        self.quality = DeviceQuality(self.registry)
        self.engine = Engine(SHIPPED, self.registry, quality=self.quality)
        self.said: list[Verdict] = []

    def put(
        self, kind: DeviceKind, interval: float = 60, *, unit: str = "unit", zone: str | None = None, **more: Any
    ) -> int:
        """Register a device, 100 days before START; ``more``: main, gateway, unit_category, attributes."""
        self.count += 1
        entry = DeviceEntry(
            self.count, unit, f"d{self.count}", kind, round(interval * SECOND), zone=zone,
            registered_at=at(-100 * SECONDS["d"]), **more,
        )  # fmt: skip
        self.registry.add(entry)
        return self.count

    def measures(self, device: int, metric: str, *rows: tuple[float, float], quality: int = 0) -> None:
        """Readings (seconds, value), all in one batch."""
        self.said += self.report(*[(device, metric, moment, value) for moment, value in rows], quality=quality)

    def phases(self, device: int, seconds: float, *amperes: float) -> None:
        """Currents of the phases at once: channels 1, 2, …."""
        metric, channels = catalogue().by_name["current"].number, range(1, len(amperes) + 1)
        given = Readings.of(
            [self.registry.series(device, metric, channel) for channel in channels],
            [device] * len(amperes), [metric] * len(amperes), list(channels), [at(seconds)] * len(amperes),
            [at(seconds)] * len(amperes), list(amperes), [0] * len(amperes),
        )  # fmt: skip
        self.said += self.engine.evaluate(Batch(given, at(seconds)))

    def says(self, device: int, event: str, seconds: float, *, active: bool = True, component: str = "") -> None:
        unit, name = self.registry.name(device)
        moment = at(seconds)
        alarm = Event(unit, name, device, event, active, component, "", moment, moment, f"{event} {component} {moment}")
        self.said += self.engine.evaluate(Batch(self.readings(), moment, [alarm]))

    def passes(self, seconds: float) -> None:
        """Time passes until then; every message would have reached us."""
        self.said += self.tick(seconds, LONG_AGO)

    def skews(self, device: int, seconds: float) -> None:
        """The clock of ``device`` is estimated to be so far behind."""
        self.quality.restore(np.array([device]), np.zeros(1), np.zeros(1), np.array([seconds]))

    def numbers(self, device: int, seq: list[int], seconds: float) -> None:
        """Messages with these numbers come."""
        moments = np.full(len(seq), at(seconds))
        self.quality.note(np.full(len(seq), device), moments, np.array(seq), moments)


def every(step: float, begin: float, end: float, value: float) -> list[tuple[float, float]]:
    """Return readings of ``value`` each ``step`` s from ``begin`` to ``end``, both included, s."""
    return [(begin + step * count, value) for count in range(int((end - begin) // step) + 1)]


def last_of(width: float, after: float) -> float:
    """Return the second, at least ``after`` and 1 s before a multiple of ``width`` s since the epoch."""
    start = START // SECOND
    return (start + after) // width * width + width - 1 - start
