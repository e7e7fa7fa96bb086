"""Quiet signals: deterministic, independent of who is asked with whom, and clear of every limit for a whole week."""

import numpy as np
import pytest

from firetower.core.clock import HOUR, MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.simulator.city import SimCity, build
from firetower.simulator.curves import WEEK
from firetower.simulator.physics.weather import YEAR
from firetower.simulator.signals import Signals

START = 1_763_800_000 * SECOND

QUIET = {
    "pressure": (0.16, 0.40),
    "flow": (0.0, 0.0),
    "voltage": (202.0, 238.0),
    "smoke": (0.0, 0.05),
    "temperature": (-10.0, 50.0),
    "gas": (0.0, 20.0),
    "residual_current": (0.0, 240.0),
    "cable_temperature": (0.0, 60.0),
    "current": (0.0, 200.0),
    "battery": (3.3, 3.8),
    "battery_percent": (35.0, 100.0),
    "rssi": (-110.0, -50.0),
}
"""What never trips and would let an alert clear: the way-back limits of the shipped rulebook, in the metrics' units."""


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(21, 1500)


def columns(signals: Signals, index: np.ndarray, at: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Metric name (with channel) to (devices, values)."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for block in signals.sample(index, at):
        for number, metric in enumerate(block.shape.metrics):
            found.setdefault(metric, []).append((index[block.where], block.values[:, number]))
    return {
        metric: (np.concatenate([d for d, _ in parts]), np.concatenate([v for _, v in parts]))
        for metric, parts in found.items()
    }


def test_a_quiet_week_and_a_quiet_year_stay_clear_of_every_limit(city: SimCity) -> None:
    signals = Signals(21, city.city)
    index = np.arange(len(city.city.devices))
    seen = set()
    plant = np.array([device.kind in {DeviceKind.PUMP_ROOM, DeviceKind.PANEL} for device in city.city.devices])
    instants = [*range(START, START + WEEK, 40 * MINUTE), *range(START, START + YEAR, 29 * HOUR)]
    for at in instants:
        for metric, (devices, measured) in columns(signals, index, np.full(len(index), at)).items():
            name = metric.split(".")[0]
            seen.add(name)
            # a header behind pumps and a panel's 24 V are of another kind than the mains and a lithium cell
            values = measured if name == "voltage" else measured[~plant[devices]]
            if name == "level":
                limits = [city.city.devices[device].attributes for device in devices.tolist()]
                assert (values > [tank["level_90"] for tank in limits]).all()
                assert (values < [tank["level_overflow"] for tank in limits]).all()
                continue
            low, high = QUIET[name]
            assert low <= values.min(), (metric, at)
            assert values.max() <= high, (metric, at)
    assert seen == set(QUIET) | {"level"}
    assert seen <= set(catalogue().by_name)


def test_a_value_does_not_depend_on_the_batch_it_is_asked_in(city: SimCity) -> None:
    signals = Signals(21, city.city)
    count = len(city.city.devices)
    index = np.arange(count)
    at = START + (np.arange(count) * 7919 % 100_000) * 1000
    whole = columns(signals, index, at)
    order = np.random.default_rng(1).permutation(count)
    parts = [columns(signals, order[n : n + 13], at[order[n : n + 13]]) for n in range(0, count, 13)]
    for metric, (devices, values) in whole.items():
        expected = dict(zip(devices.tolist(), values.tolist(), strict=True))
        got: dict[int, float] = {}
        for part in parts:
            if metric in part:
                got.update(zip(part[metric][0].tolist(), part[metric][1].tolist(), strict=True))
        assert got == expected


def test_same_seed_same_values_and_another_seed_others(city: SimCity) -> None:
    index = np.arange(200)
    at = np.full(200, START)
    one, again, other = (columns(Signals(seed, city.city), index, at)["pressure"][1] for seed in (5, 5, 6))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
