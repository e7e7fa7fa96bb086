"""The quiet city at the pace of the field, held against the real engine and the shipped rulebook: nothing is raised."""

import numpy as np
import pytest

from firetower.core.clock import DAY, HOUR, SECOND, Micros
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict, VerdictKind
from firetower.simulator.city import build
from firetower.simulator.run import intervals
from firetower.simulator.schedule import Schedule
from firetower.simulator.signals import SHAPES, Signals

START: Micros = 1_763_920_800 * SECOND
"""2025-11-24 02:00 local time, a Monday."""
STEP = 300 * SECOND


@pytest.mark.parametrize(
    ("devices", "hours"),
    [(100, 8), pytest.param(200, 17 * 24, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
    ids=["morning", "weeks"],
)
def test_a_quiet_city_raises_nothing_under_the_shipped_rulebook(devices: int, hours: int) -> None:
    """The morning has the steepest hours of water and current; the weeks end what rules need days to see.

    After eight days it is true that nobody has started the pumps: a start is something that happens, not quiet.
    """
    city = build(3, devices, pace="realistic")
    registry = Registry()
    for number, device in enumerate(city.city.devices, 1):
        registry.add(
            DeviceEntry(
                number, device.unit, device.device, device.kind, device.interval_s * SECOND,
                attributes=device.attributes, registered_at=START - 1,
            )
        )  # fmt: skip
    for number, phase in enumerate("abc", 1):
        registry.add_channel(phase, number)
    signals = Signals(city.seed, city.city)
    columns = [[_split(registry, name) for name in shape.metrics] for shape in SHAPES]
    engine = Engine(rulebook.load(), registry, warm_since=START - DAY)
    schedule = Schedule(city.seed, START, intervals(city.city.devices, signals))
    found: list[Verdict] = []
    for now in range(START, START + hours * HOUR, STEP):
        parts: list[tuple[int, ...]] = []
        while True:
            index, due = schedule.take(now, len(city.city.devices))
            if not len(index):
                break
            registry.heard(index.astype(np.int32) + 1, due)
            for block in signals.sample(index, due):
                for column, (metric, channel) in enumerate(columns[SHAPES.index(block.shape)]):
                    for row, value in zip(block.where.tolist(), block.values[:, column].tolist(), strict=True):
                        of = (int(index[row]) + 1, metric, channel)
                        parts.append((registry.series(*of), *of, int(due[row]) // 1000 * 1000, now, value, 0))
        parts.sort(key=lambda reading: reading[4])
        verdicts = engine.evaluate(Batch(Readings.of(*map(list, zip(*parts, strict=True))), now)) if parts else []
        verdicts += engine.evaluate(Tick(now, START))
        found += [verdict for verdict in verdicts if verdict.kind is VerdictKind.RAISE]
    assert [verdict for verdict in found if verdict.rule != "pump-not-started"] == []


def _split(registry: Registry, name: str) -> tuple[int, int]:
    metric, _, channel = name.partition(".")
    return catalogue().by_name[metric].number, registry.channel(channel) or 0
