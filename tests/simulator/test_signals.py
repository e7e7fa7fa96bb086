"""Quiet signals: deterministic, independent of who is asked with whom, and clear of every limit for a whole week."""

import numpy as np
import pytest

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.simulator.city import SimCity, build
from firetower.simulator.curves import WEEK
from firetower.simulator.signals import Signals

START = 1_763_800_000 * SECOND

QUIET = {
    "pressure": (0.16, 0.55),
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


def test_a_quiet_week_stays_clear_of_every_limit(city: SimCity) -> None:
    signals = Signals(21, city.city)
    index = np.arange(len(city.city.devices))
    seen = set()
    for at in range(START, START + WEEK, 10 * MINUTE):
        for metric, (devices, values) in columns(signals, index, np.full(len(index), at)).items():
            name = metric.split(".")[0]
            seen.add(name)
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


def test_mains_pressure_is_high_at_night_and_low_in_the_two_rush_hours(city: SimCity) -> None:
    signals = Signals(21, city.city)
    hydrants = np.array(
        [n for n, device in enumerate(city.city.devices) if device.kind is DeviceKind.HYDRANT], np.int64
    )
    midnight = START - (START + 8 * HOUR) % DAY  # local, UTC+8

    def mean(hour: float) -> float:
        at = np.concatenate([np.full(len(hydrants), midnight + day * DAY + int(hour * HOUR)) for day in range(3)])
        return float(columns(signals, np.tile(hydrants, 3), at)["pressure"][1].mean())

    assert mean(2.5) == pytest.approx(0.32, abs=0.004)
    assert mean(14) == pytest.approx(0.28, abs=0.004)
    assert mean(8) == pytest.approx(0.25, abs=0.004)
    assert mean(19.5) == pytest.approx(0.25, abs=0.004)


def test_pressure_noise_of_a_sensor_is_within_five_thousandths(city: SimCity) -> None:
    signals = Signals(21, city.city)
    hydrant = next(n for n, device in enumerate(city.city.devices) if device.kind is DeviceKind.HYDRANT)
    at = START + np.arange(400) * 1000  # less than half a second: nothing else moves
    values = columns(signals, np.full(400, hydrant), at)["pressure"][1]
    assert 0.001 < values.std() < 0.004
    assert np.ptp(values) <= 0.0101


def test_a_cable_warms_up_after_its_load_and_cools_down_after_it(city: SimCity) -> None:
    signals = Signals(21, city.city)
    category = {unit.code: unit.category for unit in city.city.units}
    offices = np.array(
        [
            n
            for n, device in enumerate(city.city.devices)
            if device.kind is DeviceKind.ELECTRICAL
            and category[device.unit] == "high_rise"
            and "3P" not in device.model
        ]
    )
    monday = (START // WEEK) * WEEK + 4 * DAY - 8 * HOUR  # 00:00 local
    minutes = np.arange(6 * 60, 12 * 60, 5)

    def course(metric: str) -> np.ndarray:
        values = [
            columns(signals, offices, np.full(len(offices), monday + m * MINUTE))[metric][1].mean()
            for m in minutes.tolist()
        ]
        return (np.array(values) - values[0]) / (values[-1] - values[0])

    load, heat = course("current"), course("cable_temperature")
    half_load, half_heat = minutes[np.argmax(load > 0.5)], minutes[np.argmax(heat > 0.5)]
    assert 10 <= half_heat - half_load <= 60


def test_a_tank_is_drawn_down_and_refilled_by_its_float_valve(city: SimCity) -> None:
    signals = Signals(21, city.city)
    tank = next(n for n, device in enumerate(city.city.devices) if device.kind is DeviceKind.WATER_LEVEL)
    at = START + np.arange(0, 72 * 60, 5) * MINUTE
    level = columns(signals, np.full(len(at), tank), at)["level"][1]
    calm = np.convolve(level, np.ones(7) / 7, "valid")  # half an hour: without the ripple
    rising = calm[7:] > calm[:-7]
    assert 0.05 < rising.mean() < 0.4  # refills are short, draw-down is long
    turns = np.count_nonzero(np.diff(rising.astype(int)) == 1)
    assert 72 / 15 - 1 <= turns <= 72 / 6 + 1
    assert (calm[:-12] - calm[12:]).max() < 0.10  # in an hour: as fast falls what leaks
