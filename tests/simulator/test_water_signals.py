"""Mains pressure against its model: the day and the week, the network, transients, hydrants opened, bursts, frost."""

import numpy as np
import pytest

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from firetower.core.errors import InvalidInput
from firetower.devices.kinds import DeviceKind
from firetower.simulator.city import SimCity, build
from firetower.simulator.curves import LOCAL, WEEK
from firetower.simulator.models import SMART_HYDRANT
from firetower.simulator.physics import ringing
from firetower.simulator.physics.demand import MEAN_LOSS, demand, used
from firetower.simulator.physics.effects import Effect
from firetower.simulator.physics.network import District, Pipes, meetings
from firetower.simulator.signals import HYDRANT, SMART, Signals

MONDAY: Micros = 1_763_942_400 * SECOND - LOCAL
"""2025-11-24, 00:00 local time."""


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(21, 1500)


@pytest.fixture(scope="module")
def hydrants(city: SimCity) -> np.ndarray:
    return np.array([n for n, device in enumerate(city.city.devices) if device.kind is DeviceKind.HYDRANT])


def read(signals: Signals, index: np.ndarray, at: np.ndarray | int, metric: str = "pressure") -> np.ndarray:
    """The metric of hydrants, in the order asked for; NaN where one has no such sensor."""
    at = np.broadcast_to(np.asarray(at, np.int64), index.shape)
    values = np.full(len(index), np.nan)
    for block in signals.sample(index, at):
        assert block.shape in {HYDRANT, SMART}
        if metric in block.shape.metrics:
            values[block.where] = block.values[:, block.shape.metrics.index(metric)]
    return values


def test_pressure_is_high_at_night_low_in_the_rush_hours_and_the_weekend_gets_up_later(
    city: SimCity, hydrants: np.ndarray
) -> None:
    signals = Signals(21, city.city)

    def mean(day: int, hour: float) -> float:
        return float(read(signals, hydrants, MONDAY + day * DAY + int(hour * HOUR)).mean())

    for working in (0, 3):
        assert mean(working, 2.5) == pytest.approx(0.32, abs=0.006)
        assert mean(working, 15) == pytest.approx(0.28, abs=0.006)
        assert mean(working, 8) == pytest.approx(0.25, abs=0.006)
        assert mean(working, 19.5) == pytest.approx(0.25, abs=0.006)
    assert mean(5, 8) > mean(4, 8) + 0.02
    assert mean(5, 10) < mean(4, 10) - 0.01


def test_the_further_main_loses_more_and_all_of_a_district_lose_the_usual_in_the_mean(city: SimCity) -> None:
    """Three mains in a row fed at one end: what the last one draws flows through all of them."""
    district = District(Pipes(np.full(3, 500.0), np.array([0.6, 0.2, 0.2]), np.array([[0, 1], [1, 2]])))
    assert np.all(np.diff(district.loss) > 0)
    assert district.loss.mean() == pytest.approx(MEAN_LOSS)
    # water taken at the end is felt the most there, less on the way, and the least at the feed
    assert np.all(np.diff(district.felt(2)) > 0)
    # what A feels of B, B feels of A
    assert district.felt(1)[2] == pytest.approx(district.felt(2)[1], rel=1e-4)
    # twice the length of all is twice the loss for each litre taken: more of it is one network, not another law
    two_parts = District(Pipes(np.full(4, 500.0), np.full(4, 0.2), np.array([[0, 1], [2, 3]])))
    assert np.all(two_parts.felt(0)[2:] == 0)
    assert np.all(two_parts.felt(0)[:2] > 0)


def test_mains_meet_where_their_hydrants_stand_close_and_each_pair_once() -> None:
    xy = np.array([[0.0, 0], [100, 0], [200, 0], [200, 90], [200, 180], [900, 900]])
    pairs = meetings(xy, np.array([0, 0, 0, 1, 1, 2]), 120.0)
    assert pairs.tolist() == [[0, 1]]


def test_losses_follow_the_power_of_demand(city: SimCity, hydrants: np.ndarray) -> None:
    """Two hydrants of unlike loss: their difference grows with demand to the power of 1.852."""
    signals = Signals(21, city.city)
    hours = np.arange(0, 24, 0.25)
    courses = np.array([read(signals, hydrants, MONDAY + int(hour * HOUR)) for hour in hours])
    at = MONDAY + (hours * HOUR).astype(np.int64)
    factor = demand(at) ** 1.852
    slopes = np.polyfit(factor, courses, 1)[0]  # MPa for each unit of the factor, a hydrant
    assert slopes.mean() == pytest.approx(-MEAN_LOSS, rel=0.05)
    assert slopes.max() < -0.01
    assert slopes.std() > 0.003  # the near and the far


def test_noise_of_a_sensor_is_within_five_thousandths(city: SimCity, hydrants: np.ndarray) -> None:
    signals = Signals(21, city.city)
    at = MONDAY + 8 * MINUTE + 30 * SECOND + np.arange(400) * 1000  # after any transient of its ten minutes
    values = read(signals, np.full(400, hydrants[3]), at)
    assert values.std() == pytest.approx(0.005 / 6**0.5, rel=0.15)
    assert np.ptp(values) <= 0.011


def test_transients_come_now_and_then_swing_both_ways_and_are_gone_in_half_a_minute() -> None:
    mains = np.repeat(np.arange(400), 600)
    at = MONDAY + np.tile(np.arange(600) * SECOND, 400)
    swings = ringing.transients(4, mains, at).reshape(400, 600)
    shaken = np.abs(swings).max(1) > 0.001
    assert shaken.mean() == pytest.approx(ringing.SHARE, abs=0.05)
    assert np.abs(swings).max() <= ringing.LARGEST
    assert swings.max() > 0.004
    assert swings.min() < -0.004
    assert ((np.abs(swings) > 0.0015).sum(1) <= 32).all()


def test_a_step_falls_in_seconds_overshoots_and_has_rung_out_after_half_a_minute() -> None:
    since = np.linspace(-2, 60, 6201)
    course = ringing.step(since, np.full(len(since), 3.0))
    assert (course[since <= 0] == 0).all()
    assert since[np.argmax(course >= 0.9)] < 3
    assert 1.05 < course.max() < 1.45
    assert np.abs(course[since > 30] - 1).max() < 0.02
    peaks = since[1:-1][(course[1:-1] > course[:-2]) & (course[1:-1] > course[2:]) & (since[1:-1] > 3)]
    assert np.diff(peaks)[:5] == pytest.approx(3.0, abs=0.1)


def test_an_opened_hydrant_runs_falls_by_a_tenth_and_its_main_feels_more_than_others(
    city: SimCity, hydrants: np.ndarray
) -> None:
    devices = city.city.devices
    smart = next(n for n in hydrants.tolist() if devices[n].model == SMART_HYDRANT)
    start, end = MONDAY + 14 * HOUR, MONDAY + 15 * HOUR
    calm = Signals(21, city.city)
    running = Signals(21, city.city, [Effect("hydrant_open", smart, start, end, 15.0)])
    one = np.array([smart])
    during, later = start + 10 * MINUTE, end + 10 * MINUTE
    assert read(running, one, during, "flow")[0] == pytest.approx(15, rel=0.03)
    assert read(running, one, start - SECOND, "flow")[0] == 0
    assert read(running, one, later, "flow")[0] == 0
    fall = read(calm, hydrants, during) - read(running, hydrants, during)
    own = np.array([devices[n].main == devices[smart].main for n in hydrants.tolist()])
    assert 0.05 <= fall[hydrants == smart][0] <= 0.15
    others = own & (hydrants != smart)
    assert (fall[others] >= 0).all()
    assert fall[others].mean() >= fall[~own].mean()
    # before and long after, nothing of it is left
    for at in (start, later):
        assert read(running, hydrants, at) == pytest.approx(read(calm, hydrants, at), abs=1e-4)


def test_a_burst_casts_its_shadow_along_its_main_and_never_ends_below_nothing(hydrants: np.ndarray) -> None:
    city = build(21, 20_000)
    devices = city.city.devices
    on_main: dict[str, list[int]] = {}
    for n, device in enumerate(devices):
        if device.kind is DeviceKind.HYDRANT and device.main:
            on_main.setdefault(device.main, []).append(n)
    small = {main.code for main in city.city.mains if main.diameter_mm == 200}
    members = next(numbers for main, numbers in on_main.items() if main in small and len(numbers) >= 10)
    start = MONDAY + 8 * HOUR
    at = start + 5 * MINUTE
    every = np.array(sorted(n for numbers in on_main.values() for n in numbers))
    calm = read(Signals(21, city.city), every, at)
    where = members[len(members) // 2]
    falls = {}
    for flow in (100.0, 200.0, 2000.0):
        burst = Signals(21, city.city, [Effect("burst", where, start, None, flow)])
        falls[flow] = calm - read(burst, every, at)
        assert read(burst, every, at).min() >= 0
    fall = falls[200.0]
    own = np.isin(every, members)
    there = int(np.flatnonzero(every == where)[0])
    assert fall[there] == fall.max()
    assert (fall[own] > 0.05).sum() >= 5  # what a rule for a burst main looks for
    assert fall[own].mean() > 5 * np.abs(fall[~own]).mean()
    # along the main the shadow gets weaker with the distance
    ends = [int(np.flatnonzero(every == n)[0]) for n in (members[0], members[-1])]
    assert all(fall[end] < fall[there] for end in ends)
    assert 1.2 < fall[there] / falls[100.0][there] < 3.6
    # it does not come back by itself
    later = Signals(21, city.city, [Effect("burst", where, start)])
    quiet = read(Signals(21, city.city), every[own], at + 20 * HOUR)
    assert (quiet - read(later, every[own], at + 20 * HOUR)).max() > 0.1


def test_a_supply_that_falls_is_felt_by_the_whole_district_and_by_no_other(city: SimCity, hydrants: np.ndarray) -> None:
    devices = city.city.devices
    grid_of = {main.code: main.grid for main in city.city.mains}
    district = {grid.code: grid.district for grid in city.city.grids}
    own = np.array([district[grid_of[devices[n].main or ""] or ""] for n in hydrants.tolist()])
    start = MONDAY + 12 * HOUR
    low = Signals(21, city.city, [Effect("supply_low", int(hydrants[0]), start, None, 0.08)])
    at = start + 10 * MINUTE
    fall = read(Signals(21, city.city), hydrants, at) - read(low, hydrants, at)
    assert fall[own == own[0]] == pytest.approx(0.08, abs=2e-4)
    assert fall[own != own[0]] == pytest.approx(0, abs=1e-9)


def test_a_shut_valve_leaves_one_hydrant_without_pressure(city: SimCity, hydrants: np.ndarray) -> None:
    start = MONDAY + 12 * HOUR
    shut = Signals(21, city.city, [Effect("shut", int(hydrants[5]), start, start + HOUR)])
    at = start + MINUTE
    values = read(shut, hydrants, at)
    assert values[5] < 0.02
    assert np.delete(values, 5).min() > 0.16
    assert read(shut, hydrants[5:6], start + 2 * HOUR)[0] > 0.16


def test_frost_cools_the_barrel_down_and_ice_holds_the_pressure_still(city: SimCity, hydrants: np.ndarray) -> None:
    devices = city.city.devices
    smart = np.array([n for n in hydrants.tolist() if devices[n].model == SMART_HYDRANT][:1])
    start = MONDAY
    frozen = Signals(21, city.city, [Effect("frost", int(smart[0]), start, start + 20 * HOUR, -6.0)])
    assert read(frozen, smart, start, "temperature")[0] > 8
    degrees = [read(frozen, smart, start + hour * HOUR, "temperature")[0] for hour in (1, 2, 12)]
    assert degrees == sorted(degrees, reverse=True)
    assert degrees[-1] == pytest.approx(-6, abs=0.3)
    hours = np.arange(4, 19)
    course = read(frozen, np.repeat(smart, len(hours)), start + hours * HOUR)
    assert np.ptp(course) < 0.012  # its sensor's noise, no day
    assert read(frozen, smart, start + 26 * HOUR, "temperature")[0] > 8


def test_water_used_adds_up_demand(hydrants: np.ndarray) -> None:
    at = MONDAY + np.arange(0, 7 * 24 * 12 + 1) * 5 * MINUTE
    total = used(at)
    steps = np.diff(total) * 12  # per hour
    assert steps == pytest.approx((demand(at)[1:] + demand(at)[:-1]) / 2, rel=1e-6)
    assert used(at[:1] + 3 * WEEK) - used(at[:1]) == pytest.approx(3 * (total[-1] - total[0]))


def test_an_effect_on_the_wrong_kind_of_device_is_refused_by_name(city: SimCity, hydrants: np.ndarray) -> None:
    with pytest.raises(
        InvalidInput, match=r"'fire' .* cannot befall a device of kind hydrant; take one of heat, smoke"
    ):
        Signals(21, city.city, [Effect("fire", int(hydrants[0]), MONDAY)])
    for size in (-1.0, float("nan")):
        with pytest.raises(InvalidInput, match=r"size (-1.0|nan); give a number from 0 on in L/s \(usual: 200\)"):
            Signals(21, city.city, [Effect("burst", int(hydrants[0]), MONDAY, size=size)])
    with pytest.raises(InvalidInput, match="no effect 'flood'"):
        Signals(21, city.city, [Effect("flood", int(hydrants[0]), MONDAY)])  # type: ignore[arg-type]
