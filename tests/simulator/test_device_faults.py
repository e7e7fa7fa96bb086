"""Faults inside a device and what it says: each does what it says, to whom it says, and nothing else."""

import json

import numpy as np
import pytest
from fault_making import START, grid, objects, reported, talkers, telemetry

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.simulator import messages
from firetower.simulator.city import SimCity, build
from firetower.simulator.faults import clocks
from firetower.simulator.faults.contacts import Chatter, Tamper
from firetower.simulator.faults.power import FlatBattery, Reboot
from firetower.simulator.faults.sensors import Spikes, Stuck, WrongUnit
from firetower.simulator.faults.sequence import Restart, Wrap
from firetower.simulator.faults.stream import Devices, ReportFault, Stream
from firetower.simulator.signals import Signals


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(8, 300)


@pytest.fixture(scope="module")
def signals(city: SimCity) -> Signals:
    return Signals(8, city.city)


def test_a_wrong_clock_is_off_drifts_and_is_right_again_and_nobody_elses_is_touched(signals: Signals) -> None:
    at = START + np.arange(0, 4) * DAY
    device = np.array([3, 3, 3, 3])
    reports = reported(signals, np.concatenate([device, device + 1]), np.concatenate([at, at]))
    fault = clocks.WrongClock(Devices.of([3]), START + DAY, 8 * HOUR, 20.0, START + 3 * DAY)
    fault.spoil(reports)
    off = (reports.stamp - reports.at)[:4]
    assert off.tolist() == [0, 8 * HOUR, 8 * HOUR + 1_728_000, 0]  # 20 ppm of a day are 1.728 s
    assert (reports.stamp == reports.at)[4:].all()
    assert (reports.at == np.concatenate([at, at])).all()


def test_jumps_add_up_over_years_and_a_stopped_clock_stands_still(signals: Signals) -> None:
    at = START + np.arange(6) * HOUR
    device = np.full(6, 5)
    who = Devices.of([5])
    year = 365 * DAY
    faults: list[ReportFault] = [
        clocks.WrongClock(who, START + HOUR, -10 * year),
        clocks.WrongClock(who, START + 2 * HOUR, 3 * year),
        clocks.StoppedClock(who, START + 4 * HOUR),
    ]
    stamps = clocks.shown(faults, device, at) - at
    assert stamps.tolist() == [0, -10 * year, -7 * year, -7 * year, -7 * year, -7 * year - HOUR]


def test_field_clocks_are_within_a_minute_and_20_ppm_and_each_its_own() -> None:
    device = np.arange(2000)
    fault = clocks.FieldClocks(Devices(device), 3, START)
    off, later = (clocks.shown([fault], device, np.full(2000, at)) - at for at in (START, START + 10 * DAY))
    assert np.abs(off).max() <= 60 * SECOND
    assert off.std() == pytest.approx(60 * SECOND / 3**0.5, rel=0.05)
    drift = (later - off) / (10 * DAY) * 1e6
    assert np.abs(drift).max() <= 20
    assert np.abs(np.corrcoef(off, drift)[0, 1]) < 0.1


def test_a_counter_wraps_from_65535_to_0_and_begins_again_after_a_reboot(signals: Signals) -> None:
    device, at = grid(2, 20)
    wrapped = reported(signals, device, at)
    Wrap(Devices.of([1])).spoil(wrapped)
    assert wrapped.seq[device == 1].tolist() == [*range(65526, 65536), *range(10)]
    assert wrapped.seq[device == 0].tolist() == list(range(20))
    restart = Restart(Devices.of([1]), START + 70 * SECOND)
    seen = []
    for begin in range(0, 40, 7):  # in batches, as it lives
        part = reported(
            signals, device[begin : begin + 7], at[begin : begin + 7], messages.repeats(device)[begin : begin + 7]
        )
        restart.spoil(part)
        seen += part.seq[part.device == 1].tolist()
    assert seen == [*range(7), *range(13)]


def test_a_stuck_value_stays_what_it_was_from_its_time_to_its_end_each_phase_its_own(
    city: SimCity, signals: Signals
) -> None:
    three = next(n for n, d in enumerate(city.city.devices) if "3P" in (d.model or ""))
    at = START + np.arange(12) * MINUTE
    device = np.full(12, three)
    calm = objects(reported(signals, device, at))
    fault = Stuck(Devices.of([three]), "current", START + 3 * MINUTE, START + 9 * MINUTE)
    stuck = []
    for begin in range(0, 12, 5):
        part = reported(signals, device[begin : begin + 5], at[begin : begin + 5])
        fault.spoil(part)
        stuck += objects(part)
    for phase in "abc":
        values, true = [[body[f"current.{phase}"] for body in bodies] for bodies in (stuck, calm)]
        assert values[3:9] == [true[3]] * 6
        assert values[:3] + values[9:] == true[:3] + true[9:]
    assert [body["residual_current"] for body in stuck] == [body["residual_current"] for body in calm]


def test_spikes_are_as_frequent_and_as_large_as_asked_for_and_a_wrong_unit_is_a_thousand_times(
    city: SimCity, signals: Signals
) -> None:
    hydrants = talkers(city, DeviceKind.HYDRANT)
    device, at = np.tile(hydrants, 40), START + np.repeat(np.arange(40), len(hydrants)) * MINUTE
    calm = np.array([body["pressure"] for body in objects(reported(signals, device, at))])
    spiked = reported(signals, device, at)
    Spikes(Devices(hydrants), 1, "pressure", 0.1, 2.0, 4.0).spoil(spiked)
    values = np.array([body["pressure"] for body in objects(spiked)])
    changed = values != calm
    assert changed.mean() == pytest.approx(0.1, abs=0.02)
    assert values[changed].min() >= 2.0
    assert values[changed].max() <= 4.0
    wrong = reported(signals, device, at)
    half = Devices(hydrants[::2])
    WrongUnit(half, "pressure").spoil(wrong)
    factor = np.array([body["pressure"] for body in objects(wrong)]) / calm
    assert factor == pytest.approx(np.where(half.among(device), 1000.0, 1.0))


def test_a_flat_battery_falls_reports_fade_and_end(city: SimCity, signals: Signals) -> None:
    smokes = talkers(city, DeviceKind.SMOKE)
    flat = FlatBattery(Devices(smokes), 1, START, 2 * HOUR)
    at = np.full(len(smokes), START + 90 * MINUTE)
    reports = reported(signals, smokes, at)
    before = np.array([body["battery_percent"] for body in objects(reports)])
    flat.spoil(reports)
    after = np.array([body["battery_percent"] for body in objects(reports)])
    assert after == pytest.approx(before / 4, abs=0.5)
    device, times = np.tile(smokes, 130), START + np.repeat(np.arange(130), len(smokes)) * MINUTE
    left = flat.carry(telemetry(device, times))
    kept = np.bincount((left.at - START) // MINUTE, minlength=130) / len(smokes)
    assert (kept[:60] == 1).all()
    assert kept[90] == pytest.approx(0.5, abs=0.15)
    assert (kept[120:] == 0).all()
    assert len(flat.carry(telemetry(talkers(city, DeviceKind.GAS), START + np.zeros(13, np.int64) + DAY))) == 13


def test_a_reboot_is_silent_counts_from_0_and_its_gateway_says_that_it_is_back(signals: Signals) -> None:
    device, at = grid(2, 12)
    reboot = Reboot(Devices.of([1]), START + 30 * SECOND, 30 * SECOND, Devices.of([1]))
    left = reboot.carry(telemetry(device, at))
    assert np.bincount(left.device).tolist() == [12, 9]
    reports = reported(signals, device, at)
    reboot.spoil(reports)
    assert reports.seq[device == 1].tolist() == [*range(6), *range(6)]
    said = reboot.speak(START, START + HOUR)
    assert (said.due.tolist(), said.body.tolist()) == ([START + 60 * SECOND], [b"online"])
    assert len(reboot.speak(START + 61 * SECOND, START + HOUR)) == 0


def test_tamper_is_said_once_and_taken_back_with_the_time_the_device_believes_in(city: SimCity) -> None:
    clock = clocks.WrongClock(Devices.of([7]), 0, 8 * HOUR)
    fault = Tamper(Devices.of([7]), START + MINUTE, "removed", START + HOUR, (clock,))
    said = fault.speak(START, START + DAY)
    bodies = [json.loads(body) for body in said.body]
    assert [(body["event"], body["active"]) for body in bodies] == [("removed", True), ("removed", False)]
    assert bodies[0]["ts"] * 1000 == START + MINUTE + 8 * HOUR
    assert said.due.tolist() == [START + MINUTE, START + HOUR]
    assert said.messages(city.city.devices)[0].topic.endswith("/alarm")


def test_chatter_changes_to_and_fro_at_its_pace_and_ends_at_rest() -> None:
    fault = Chatter(Devices.of([3, 9]), 1, "fault", START, START + 2 * MINUTE, 5 * SECOND, component="1-1-001")
    said = fault.speak(START, START + DAY)
    for device in (3, 9):
        mine = said.rows(said.device == device)
        bodies = [json.loads(body) for body in mine.body]
        assert [body["active"] for body in bodies] == [True, False] * 12
        gaps = np.diff(mine.due) / SECOND
        assert 2.5 <= gaps.min() < 5 < gaps.max() <= 7.5
        minute = mine.due < START + MINUTE
        assert minute.sum() >= 3  # three changes in 60 s are chatter
    windows = Stream.joined(
        [fault.speak(begin, begin + 7 * SECOND) for begin in range(START, START + HOUR, 7 * SECOND)]
    )
    assert windows.body.tolist() == said.body.tolist()
