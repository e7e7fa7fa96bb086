"""Smoke, heat and gas against their models: clean air, damp, meals, fires that grow as fires do, and what is left."""

import numpy as np
import pytest

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from firetower.devices.kinds import DeviceKind
from firetower.simulator.city import SimCity, build
from firetower.simulator.curves import LOCAL
from firetower.simulator.physics import weather
from firetower.simulator.physics.effects import Effect, EffectKind
from firetower.simulator.physics.fire import ALPHA, STANDARD_FIRES, heat_release, warmth
from firetower.simulator.signals import Signals

START: Micros = 1_763_942_400 * SECOND - LOCAL + 10 * HOUR


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(21, 1500)


def of_kind(city: SimCity, kind: DeviceKind) -> np.ndarray:
    return np.array([n for n, device in enumerate(city.city.devices) if device.kind is kind])


def course(signals: Signals, device: int, at: np.ndarray) -> np.ndarray:
    """The first metric of one device at several instants."""
    (block,) = signals.sample(np.full(len(at), device), at)
    return block.values[:, 0]


def growth(city: SimCity, kind: EffectKind, seconds: np.ndarray, *, size: float | None = None) -> np.ndarray:
    """What effect ``kind`` adds to smoke detectors: (detectors, seconds)."""
    detectors = of_kind(city, DeviceKind.SMOKE)[:40]
    at = START + (seconds * SECOND).astype(np.int64)
    calm = Signals(21, city.city)
    burning = Signals(21, city.city, [Effect(kind, int(n), START, None, size) for n in detectors])
    index, instants = np.repeat(detectors, len(at)), np.tile(at, len(detectors))
    (one,), (other,) = burning.sample(index, instants), calm.sample(index, instants)
    return (one.values[:, 0] - other.values[:, 0]).reshape(len(detectors), len(at))


def exponent(seconds: np.ndarray, values: np.ndarray) -> float:
    return float(np.polyfit(np.log(seconds), np.log(values), 1)[0])


def test_clean_air_has_its_mean_and_deviation_and_a_detector_its_own(city: SimCity) -> None:
    detectors = of_kind(city, DeviceKind.SMOKE)
    signals = Signals(21, city.city)
    days = np.array(
        [signals.sample(detectors, np.full(len(detectors), START + hour * HOUR))[0].values[:, 0] for hour in range(72)]
    )
    assert days.mean() == pytest.approx(0.020, abs=0.003)
    assert days.mean(0).std() == pytest.approx(0.005, abs=0.0025)  # from one to the next
    assert days.std(0).mean() == pytest.approx(0.0025, abs=0.0012)  # of one in the course of time


def test_damp_air_raises_readings_from_85_percent_on_and_only_then(city: SimCity) -> None:
    signals = Signals(21, city.city)
    detectors = of_kind(city, DeviceKind.SMOKE)
    hours = START + np.arange(0, 60 * 24) * HOUR
    damp = weather.humidity(21, hours)
    assert 40 <= damp.min() < damp.max() <= 98.5
    wet, dry = hours[damp > 92], hours[damp < 84]
    assert min(len(wet), len(dry)) > 20

    def mean(instants: np.ndarray) -> float:
        return float(
            np.mean([signals.sample(detectors, np.full(len(detectors), at))[0].values[:, 0] for at in instants[:40]])
        )

    assert mean(wet) - mean(dry) == pytest.approx(0.005, abs=0.0025)


def test_kitchens_of_homes_and_small_places_smell_at_mealtimes(city: SimCity) -> None:
    category = {unit.code: unit.category for unit in city.city.units}
    signals = Signals(21, city.city)
    smoke = of_kind(city, DeviceKind.SMOKE)
    kept = np.array([category[city.city.devices[n].unit] for n in smoke.tolist()])

    def mean(which: np.ndarray, hour: float) -> float:
        midnight = START - 10 * HOUR
        days = [
            signals.sample(which, np.full(len(which), midnight + day * DAY + int(hour * HOUR)))[0].values[:, 0].mean()
            for day in range(4)
        ]
        return float(np.mean(days))

    homes, offices = smoke[(kept == "homes") | (kept == "jiuxiao")], smoke[kept == "high_rise"]
    smell = mean(homes, 19) - mean(offices, 19) - (mean(homes, 15) - mean(offices, 15))
    assert 0.0002 < smell < 0.003


@pytest.mark.parametrize("speed", ALPHA)
def test_a_fire_grows_with_the_square_of_time_and_reaches_a_megawatt_when_it_should(speed: str) -> None:
    alpha = np.full(3, ALPHA[speed])
    times = {"slow": 600.0, "medium": 300.0, "fast": 150.0, "ultra_fast": 75.0}
    seconds = times[speed] * np.array([0.5, 0.75, 1.0])
    assert heat_release(alpha, seconds)[-1] == pytest.approx(1055, rel=0.01)
    assert exponent(seconds, heat_release(alpha, seconds)) == pytest.approx(2.0)


def test_heat_and_smoke_of_a_fire_grow_with_the_four_thirds_power_and_come_later_further_away(city: SimCity) -> None:
    far = np.full(5, 5.0)
    seconds = np.array([60.0, 80, 100, 120, 140])
    felt = warmth(np.full(5, ALPHA["medium"]), seconds + 16.0, np.full(5, -1e9), far)  # 16 s on its way
    assert exponent(seconds, felt) == pytest.approx(4 / 3, abs=0.01)
    near = warmth(np.full(5, ALPHA["medium"]), seconds, np.full(5, -1e9), np.full(5, 2.0))
    assert (near > warmth(np.full(5, ALPHA["medium"]), seconds, np.full(5, -1e9), far)).all()
    smoke = growth(city, "fire", np.array([10.0, 20, 30, 50]), size=ALPHA["medium"])
    way = 6.0  # s from the fire to a detector right above it
    assert exponent(np.array([10.0, 20, 30, 50]) - way, smoke.mean(0)) == pytest.approx(4 / 3, abs=0.08)
    assert smoke[:, 0] == pytest.approx(smoke[:, 0].mean(), abs=2e-4)


@pytest.mark.parametrize("kind", STANDARD_FIRES)
def test_a_test_fire_ends_where_a_valid_run_of_the_standard_ends(city: SimCity, kind: EffectKind) -> None:
    fire = STANDARD_FIRES[kind]
    seconds = np.arange(20.0, 900, 10)
    runs = growth(city, kind, seconds)
    at_end = runs.max(1)
    assert (at_end >= fire.end[0] - 0.02).all()
    assert (at_end <= fire.end[1] + 0.02).all()
    reached = seconds[np.argmax(runs >= at_end[:, None] - 1e-3, axis=1)]
    assert (reached >= fire.lasts[0] - 1).all()
    assert (reached <= fire.lasts[1] + 11).all()
    assert reached.std() > 10  # each run its own
    begin = seconds <= fire.lasts[0] - 10
    powers = [exponent(seconds[begin][4:], run[begin][4:]) for run in runs]
    assert np.mean(powers) == pytest.approx(fire.power, rel=0.05)


def test_a_fire_reaches_the_detectors_of_its_zone_one_after_the_other_and_no_other_zone(city: SimCity) -> None:
    devices = city.city.devices
    first = next(
        n for n in of_kind(city, DeviceKind.SMOKE).tolist()
        if sum((d.unit, d.zone) == (devices[n].unit, devices[n].zone) for d in devices) >= 4
    )  # fmt: skip
    zone = [n for n, d in enumerate(devices) if (d.unit, d.zone) == (devices[first].unit, devices[first].zone)]
    smokes = [n for n in zone if devices[n].kind is DeviceKind.SMOKE]
    signals = Signals(21, city.city, [Effect("fire", first, START, None, ALPHA["fast"], reach_m=60)])
    seconds = START + np.arange(0, 240) * SECOND
    crossed = {n: int(np.argmax(course(signals, n, seconds) >= 0.2)) for n in smokes}
    assert all(second > 0 for second in crossed.values())
    assert crossed[first] == min(crossed.values())
    assert len(set(crossed.values())) > 1
    alone = Signals(21, city.city, [Effect("fire", first, START)])
    others = [n for n in of_kind(city, DeviceKind.SMOKE).tolist() if n not in smokes]
    later = np.full(len(others), START + 4 * MINUTE)
    assert signals.sample(np.array(others), later)[0].values[:, 0].max() < 0.06
    assert course(alone, next(n for n in smokes if n != first), seconds).max() < 0.06


def test_what_burns_out_is_vented_and_the_air_is_clean_again(city: SimCity) -> None:
    smoke = int(of_kind(city, DeviceKind.SMOKE)[3])
    end = START + 3 * MINUTE
    for kind in ("fire", "smouldering", "cooking", "steam", "contamination"):
        calm = Signals(21, city.city)
        over = Signals(21, city.city, [Effect(kind, smoke, START, end)])  # type: ignore[arg-type]
        at = np.array([end + 40 * MINUTE])
        assert course(over, smoke, at) == pytest.approx(course(calm, smoke, at), abs=2e-4)


def test_cooking_peaks_after_some_minutes_at_its_size_and_passes_by_itself(city: SimCity) -> None:
    seconds = np.arange(10.0, 3600, 10)
    fumes = growth(city, "cooking", seconds, size=0.15).mean(0)
    assert fumes.max() == pytest.approx(0.15, abs=0.002)
    assert seconds[np.argmax(fumes)] == pytest.approx(240, abs=20)
    assert fumes[-1] < 0.01


def test_dust_settles_day_by_day(city: SimCity) -> None:
    days = np.array([5.0, 10, 20]) * 86_400
    dirt = growth(city, "contamination", days, size=0.003).mean(0)
    assert dirt == pytest.approx([0.015, 0.03, 0.06], abs=3e-4)


def test_heat_detectors_follow_the_fire_and_gas_gathers_towards_its_size(city: SimCity) -> None:
    heat, gas = int(of_kind(city, DeviceKind.HEAT)[0]), int(of_kind(city, DeviceKind.GAS)[0])
    signals = Signals(21, city.city, [Effect("fire", heat, START), Effect("gas_leak", gas, START, START + HOUR, 60.0)])
    at = START + np.arange(0, 300) * SECOND
    room = course(signals, heat, at)
    assert room[:20].max() < 30
    assert np.argmax(room >= 60) in range(40, 120)
    level = course(signals, gas, START + np.array([180, 3500, 3600 + 1500]) * SECOND)
    assert level[0] == pytest.approx(60 * (1 - np.exp(-1)), abs=6)
    assert level[1] == pytest.approx(60, abs=6)
    assert level[2] < 6
