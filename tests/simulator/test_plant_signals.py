"""Circuits, tanks, batteries and plant against their models: shapes of the day, lags, leaks, lives."""

import numpy as np
import pytest

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from firetower.devices.kinds import DeviceKind
from firetower.simulator.city import SimCity, build
from firetower.simulator.curves import LAGS_MIN, LOADS, LOCAL, STEP, WEEK, load_table, look_up, warmth
from firetower.simulator.models import radio
from firetower.simulator.physics import weather
from firetower.simulator.physics.effects import Effect
from firetower.simulator.signals import Signals

MONDAY: Micros = 1_763_942_400 * SECOND - LOCAL


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(21, 3000)


def of_kind(city: SimCity, kind: DeviceKind, category: str | None = None) -> np.ndarray:
    of = {unit.code: unit.category for unit in city.city.units}
    return np.array(
        [n for n, d in enumerate(city.city.devices) if d.kind is kind and category in {None, of[d.unit]}]
    )  # fmt: skip


def read(signals: Signals, index: np.ndarray, at: np.ndarray | int, metric: str) -> np.ndarray:
    """A metric, or its first channel, in the order asked for."""
    at = np.broadcast_to(np.asarray(at, np.int64), index.shape)
    values = np.full(len(index), np.nan)
    for block in signals.sample(index, at):
        names = [name.split(".")[0] for name in block.shape.metrics]
        if metric in names:
            values[block.where] = block.values[:, names.index(metric)]
    return values


def test_leakage_is_100_to_200_milliamperes_higher_in_working_hours_and_in_the_rain(city: SimCity) -> None:
    offices = of_kind(city, DeviceKind.ELECTRICAL, "high_rise")
    signals = Signals(21, city.city)
    night, noon = (read(signals, offices, MONDAY + hour * HOUR, "residual_current") for hour in (3, 14))
    assert 100 < night.mean() < 160
    assert (noon - night).mean() == pytest.approx(19.5, abs=6)  # 30 mA at the whole load
    nights = MONDAY + 3 * HOUR + np.arange(60) * DAY
    wetness = weather.rain(21, nights)
    leaks = np.array([read(signals, offices, at, "residual_current").mean() for at in nights])
    assert (wetness > 0.3).sum() >= 4
    assert leaks[wetness > 0.3].mean() - leaks[wetness == 0].mean() > 3


def test_insulation_fails_by_days_or_at_once(city: SimCity) -> None:
    one, other = of_kind(city, DeviceKind.ELECTRICAL)[:2]
    effects = [
        Effect("ageing", int(one), MONDAY, None, 12.0),
        Effect("earth_fault", int(other), MONDAY, MONDAY + HOUR, 250.0),
    ]
    calm, broken = Signals(21, city.city), Signals(21, city.city, effects)
    pair = np.array([one, other])
    for days in (1, 5, 10):
        at = MONDAY + days * DAY
        more = read(broken, pair, at, "residual_current") - read(calm, pair, at, "residual_current")
        assert more == pytest.approx([12.0 * days, 0.0], abs=0.11)
    at = MONDAY + MINUTE
    assert (read(broken, pair, at, "residual_current") - read(calm, pair, at, "residual_current"))[1] == 250


@pytest.mark.parametrize("lag", range(len(LAGS_MIN)))
def test_a_cable_is_as_warm_as_stepping_its_lag_second_by_second_would_make_it(lag: int) -> None:
    """The closed form at any instant against the plainest integration of τ dw/dt = load² - w, over a day and a half."""
    seconds = np.arange(0, 36 * 3600, 15)
    at = MONDAY + seconds * SECOND
    for load in range(len(LOADS)):
        rows = np.full(len(at), load)
        # the square is straight between the steps of the table
        square = look_up(load_table() ** 2, (rows,), at)
        warm = float(warmth(rows[:1], np.full(1, lag), at[:1])[0])
        tau = LAGS_MIN[lag] * 60.0
        stepped = []
        for value in square.tolist():
            stepped.append(warm)
            warm += 15 / tau * (value - warm)
        closed = warmth(rows, np.full(len(at), lag), at)
        assert np.abs(closed - stepped).max() < 0.004
        assert warmth(rows, np.full(len(at), lag), at + WEEK) == pytest.approx(closed)


def test_a_cable_warms_up_behind_its_load_by_its_time_constant(city: SimCity) -> None:
    offices = of_kind(city, DeviceKind.ELECTRICAL, "high_rise")
    signals = Signals(21, city.city)
    minutes = np.arange(6 * 60, 12 * 60, 5)

    def rise(metric: str) -> np.ndarray:
        means = np.array([read(signals, offices, MONDAY + m * MINUTE, metric).mean() for m in minutes.tolist()])
        return (means - means[0]) / (means[-1] - means[0])

    load, heat = rise("current"), rise("cable_temperature")
    assert 10 <= minutes[np.argmax(heat > 0.5)] - minutes[np.argmax(load > 0.5)] <= 60
    assert STEP == 5 * MINUTE


def test_an_overload_warms_with_the_square_and_the_lag_and_cools_down_after_it(city: SimCity) -> None:
    hospital = of_kind(city, DeviceKind.ELECTRICAL, "hospital")[:30]
    start, end = MONDAY + 13 * HOUR, MONDAY + 16 * HOUR  # its load hardly changes meanwhile
    calm = Signals(21, city.city)
    loaded = Signals(21, city.city, [Effect("overload", int(n), start, end, 1.5) for n in hospital])

    def more(minutes: float) -> np.ndarray:
        at = start + int(minutes * MINUTE)
        return read(loaded, hospital, at, "cable_temperature") - read(calm, hospital, at, "cable_temperature")

    full = more(179)
    assert full.min() > 12  # 1.25 times k (30 to 45 K) times the square of the load
    third = np.array([more(minutes) for minutes in range(0, 60, 2)])
    tau = np.argmax(third >= (1 - np.exp(-1)) * full, axis=0) * 2
    assert tau.min() >= 9
    assert tau.max() <= 34
    assert np.abs(more(180 + 5 * 30)).max() < 1
    ratio = read(loaded, hospital, start + HOUR, "current") / read(calm, hospital, start + HOUR, "current")
    assert ratio == pytest.approx(1.5, abs=0.01)


def test_a_loose_contact_heats_one_cable_by_tens_of_kelvin_within_an_hour(city: SimCity) -> None:
    cable = of_kind(city, DeviceKind.ELECTRICAL, "mall")[:1]
    start = MONDAY + 12 * HOUR
    loose = Signals(21, city.city, [Effect("loose_contact", int(cable[0]), start, None, 60.0)])
    before, after = (read(loose, cable, at, "cable_temperature")[0] for at in (start, start + HOUR))
    assert 35 < after - before < 61


def test_a_tank_is_drawn_down_with_the_days_use_and_refilled_by_its_float_valve(city: SimCity) -> None:
    signals = Signals(21, city.city)
    tanks = of_kind(city, DeviceKind.WATER_LEVEL)[:12]
    at = MONDAY + np.arange(0, 7 * 24 * 6) * 10 * MINUTE
    turns = []
    for tank in tanks.tolist():
        level = read(signals, np.full(len(at), tank), at, "level")
        calm = np.convolve(level, np.ones(3) / 3, "valid")
        limits = city.city.devices[tank].attributes
        assert limits["level_90"] < level.min() < level.max() < limits["level_overflow"]
        rising = calm[6:] > calm[:-6] + 0.004
        assert 0.05 < rising.mean() < 0.4  # refills are short, draw-down is long
        turns.append(np.count_nonzero(np.diff(rising.astype(int)) == 1))
        assert (calm[:-6] - calm[6:]).max() < 0.08  # in an hour: as fast falls what leaks
    assert 6 <= np.mean(turns) <= 15  # every 12 to 24 h of the mean use


def test_a_leak_falls_at_its_rate_to_the_bottom_and_comes_back_within_48_hours_of_its_end(city: SimCity) -> None:
    tank = int(of_kind(city, DeviceKind.WATER_LEVEL)[0])
    start, end = MONDAY + 22 * HOUR, MONDAY + 36 * HOUR
    leaking = Signals(21, city.city, [Effect("leak", tank, start, end, 0.1)])
    hours = np.arange(0, 14)
    level = read(leaking, np.full(len(hours), tank), start + hours * HOUR, "level")
    assert np.polyfit(hours, level, 1)[0] == pytest.approx(-0.1, abs=0.002)
    assert read(leaking, np.array([tank]), end + 48 * HOUR, "level") == pytest.approx(
        read(Signals(21, city.city), np.array([tank]), end + 48 * HOUR, "level")
    )
    dry = Signals(21, city.city, [Effect("leak", tank, start, None, 5.0)])
    assert read(dry, np.array([tank]), start + 5 * HOUR, "level")[0] < 0.005


def test_batteries_last_years_by_radio_and_reports_and_are_weaker_in_the_cold() -> None:
    made = build(5, 2000, pace="realistic")
    signals, demo = Signals(5, made.city), Signals(5, build(5, 2000).city)
    devices = made.city.devices

    def years(kind: DeviceKind, spoken: str, *, of: Signals = signals) -> float:
        which = np.array([n for n, d in enumerate(devices) if d.kind is kind and radio(d.model) == spoken])
        metric = "battery_percent" if kind is DeviceKind.SMOKE else "battery"
        first, later = (read(of, which, MONDAY + days * DAY, metric) for days in (0, 60))
        fallen = np.median(first - later)
        return float((55 if kind is DeviceKind.SMOKE else 0.14) / fallen * 60 / 365)

    assert 2 < years(DeviceKind.SMOKE, "nb_iot") < 8
    hydrants = [n for n, d in enumerate(devices) if d.kind is DeviceKind.HYDRANT and radio(d.model) == "nb_iot"]
    percent = read(signals, of_smoke(made), MONDAY, "battery_percent")
    assert 45 <= percent.min() < 60
    assert 90 < percent.max() <= 100
    # the demo's haste costs no battery
    assert years(DeviceKind.SMOKE, "nb_iot", of=demo) == pytest.approx(years(DeviceKind.SMOKE, "nb_iot"))
    index = np.array(hydrants)
    year = MONDAY + np.array([57, 57 + 182]) * DAY + 6 * HOUR  # late January and late July
    winter, summer = (read(signals, index, int(at), "battery").mean() for at in year)
    assert 0.005 < summer - winter < 0.05


def of_smoke(city: SimCity) -> np.ndarray:
    return of_kind(city, DeviceKind.SMOKE)


def test_a_panel_lives_a_day_on_its_battery_and_the_jockey_pump_keeps_the_header(city: SimCity) -> None:
    panel, pumps = of_kind(city, DeviceKind.PANEL)[:1], of_kind(city, DeviceKind.PUMP_ROOM)
    dark = Signals(21, city.city, [Effect("power_lost", int(panel[0]), MONDAY, MONDAY + 12 * HOUR)])
    assert read(dark, panel, MONDAY + HOUR, "voltage")[0] == 0
    assert read(dark, panel, MONDAY + 12 * HOUR - 1, "battery")[0] == pytest.approx(24.1, abs=0.2)
    assert read(dark, panel, MONDAY + 13 * HOUR, "voltage")[0] > 200
    assert read(dark, panel, MONDAY + 30 * HOUR, "battery")[0] == pytest.approx(27.2, abs=0.1)
    header = np.array([read(dark, pumps, MONDAY + m * MINUTE, "pressure") for m in range(0, 300, 3)])
    assert header.min() > 0.65
    assert header.max() < 0.75
    assert np.ptp(header, axis=0).min() > 0.06
