"""Faults of the field: each does what it says, to whom it says, and nothing else."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from firetower.devices.kinds import DeviceKind
from firetower.simulator import messages
from firetower.simulator.city import SimCity, build
from firetower.simulator.faults import clocks, places, radio
from firetower.simulator.faults.contacts import Chatter, Tamper
from firetower.simulator.faults.line import NEVER, Line
from firetower.simulator.faults.outage import KEPT, CutOff, ReconnectStorm
from firetower.simulator.faults.payloads import DAMAGE, Malformed
from firetower.simulator.faults.power import FlatBattery, Reboot
from firetower.simulator.faults.sensors import Spikes, Stuck, WrongUnit
from firetower.simulator.faults.sequence import Restart, Wrap
from firetower.simulator.faults.stream import ALARM, STATUS, Devices, ReportFault, Reports, Stream
from firetower.simulator.models import RADIOS, Radio
from firetower.simulator.signals import Signals

START: Micros = 1_763_800_000 * SECOND


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(8, 300)


@pytest.fixture(scope="module")
def signals(city: SimCity) -> Signals:
    return Signals(8, city.city)


def telemetry(device: np.ndarray, at: np.ndarray) -> Stream:
    """Messages whose body is the number of the row."""
    return Stream.of(at, device, [b'{"ts":%d,"seq":%d}' % (at_ // 1000, n) for n, at_ in enumerate(at.tolist())])


def grid(devices: int, reports: int, every: Micros = 10 * SECOND) -> tuple[np.ndarray, np.ndarray]:
    """(device, at) of so many reports of each of so many devices, in order of time."""
    return np.tile(np.arange(devices), reports), START + np.repeat(np.arange(reports), devices) * every


def reported(signals: Signals, device: np.ndarray, at: np.ndarray, seq: np.ndarray | None = None) -> Reports:
    return Reports.of(device, at, messages.repeats(device) if seq is None else seq, signals.sample(device, at))


def objects(reports: Reports) -> list[dict[str, Any]]:
    return [json.loads(text) for text in messages.reports(reports.blocks, reports.stamp, reports.seq)]


def talkers(city: SimCity, kind: DeviceKind) -> np.ndarray:
    return places.of_kind(city.city, kind).numbers


# in the device -----------------------------------------------------------------------------------------


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


# on the way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", RADIOS)
def test_a_radio_delays_as_its_figures_say_and_never_more_than_ten_minutes(which: Radio) -> None:
    device, at = grid(100, 100)
    late = radio.Delay.by_radio(Devices(np.arange(100)), 1, which).carry(telemetry(device, at))
    delays = (late.due - at) / SECOND
    median, spread = radio.DELAYS[which]
    assert np.median(delays) == pytest.approx(median, rel=0.05)
    assert np.log(delays).std() == pytest.approx(spread, rel=0.05)
    assert delays.max() <= 600
    if which == "nb_iot":
        assert 2 <= median <= 10
        assert np.quantile(delays, 0.999) > 60  # the tail to minutes


def test_loss_duplicates_and_reordering_hit_their_share_and_change_no_payload() -> None:
    device, at = grid(100, 100)
    sent = telemetry(device, at)
    who = Devices(np.arange(50))
    kept = radio.Loss(who, 1, 0.02).carry(sent)
    lost = set(sent.body.tolist()) - set(kept.body.tolist())
    assert len(lost) == pytest.approx(100, abs=30)
    assert np.count_nonzero(kept.device >= 50) == 5000
    doubled = radio.Duplicates(who, 1, 0.01).carry(sent)
    again = [body for body, count in Counter(doubled.body.tolist()).items() if count == 2]
    assert len(again) == len(doubled) - len(sent) == pytest.approx(50, abs=22)
    assert (doubled.due[len(sent) :] >= doubled.at[len(sent) :]).all()
    assert (doubled.due[len(sent) :] - doubled.at[len(sent) :] <= 30 * SECOND).all()
    held = radio.Reordering(who, 1, 0.1, MINUTE).carry(sent)
    moved = held.due != sent.due
    assert moved.mean() == pytest.approx(0.05, abs=0.01)
    arrived = held.rows(np.argsort(held.due, kind="stable")).rows(np.flatnonzero(np.sort(held.due) >= 0))
    one = arrived.at[arrived.device == 3]
    assert (np.diff(one) < 0).any()  # overtaken
    assert sorted(held.body.tolist()) == sorted(sent.body.tolist())


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_makes_a_payload_that_the_contract_cannot_read(city: SimCity, signals: Signals, kind: str) -> None:
    smokes = talkers(city, DeviceKind.SMOKE)[:20]
    good = [
        json.dumps(body).replace(" ", "").encode() for body in objects(reported(signals, smokes, np.full(20, START)))
    ]
    bad = Malformed(Devices(smokes), 1, 1.0, (kind,)).carry(Stream.of(np.full(20, START), smokes, good))
    for body in bad.body.tolist():
        try:
            read = json.loads(body, parse_constant=lambda _: None)
        except ValueError:
            continue
        readable = isinstance(read, dict) and isinstance(read["ts"], int)
        assert not (readable and any(isinstance(read[name], int | float) for name in ("smoke", "battery_percent")))


def test_damage_hits_its_share_in_all_ways_and_leaves_the_rest_alone(city: SimCity, signals: Signals) -> None:
    device, at = (
        np.tile(talkers(city, DeviceKind.SMOKE), 20),
        START + np.repeat(np.arange(20), len(talkers(city, DeviceKind.SMOKE))),
    )
    sent = Stream.of(at, device, [b'{"ts":1,"seq":2,"smoke":0.0200}'] * len(at))
    carried = Malformed(Devices(np.unique(device)), 1, 0.2).carry(sent)
    damaged = [body for body in carried.body.tolist() if body != b'{"ts":1,"seq":2,"smoke":0.0200}']
    assert len(damaged) / len(sent) == pytest.approx(0.2, abs=0.02)
    assert len(set(damaged)) == len(DAMAGE)
    assert (carried.due == sent.due).all()


# cut off -----------------------------------------------------------------------------------------------


def test_after_an_outage_comes_what_was_stored_oldest_first_as_arrays_at_most_600_records() -> None:
    """One report a second for 20 minutes, cut off for 15 of them: 900 written, the newest 600 kept."""
    device, at = grid(3, 1200, SECOND)
    cut_end = START + 1000 * SECOND
    line = Line([CutOff(Devices.of([1, 2]), 1, START + 100 * SECOND, cut_end, spread=4 * SECOND)])
    got: list[Stream] = []
    for begin in range(0, len(at), 100):
        line.put(telemetry(device[begin : begin + 100], at[begin : begin + 100]))
        got.append(line.take(int(at[begin])))
    got.append(line.take(NEVER - 1))
    stream = Stream.joined(got)
    assert (np.diff(stream.due) >= 0).all()
    for number in (1, 2):
        mine = stream.rows(stream.device == number)
        arrays = [json.loads(body) for body in mine.body.tolist() if body.startswith(b"[")]
        (records,) = arrays
        assert len(records) == KEPT
        times = [record["ts"] for record in records]
        assert times == sorted(times)
        back = int(mine.due[[body.startswith(b"[") for body in mine.body]][0])
        assert cut_end <= back <= cut_end + 4 * SECOND
        assert back // 1000 - times[-1] <= 1000  # the newest it wrote before it was back
        assert times[0] == times[-1] - 599_000
        singles = mine.at[[not body.startswith(b"[") for body in mine.body]]
        assert not ((singles >= START + 100 * SECOND) & (singles < back)).any()
        assert len(singles) + 900 + (back - cut_end) // SECOND == pytest.approx(1200, abs=1)
    untouched = stream.rows(stream.device == 0)
    assert len(untouched) == 1200
    assert (untouched.due == untouched.at).all()


def test_long_records_go_in_several_messages_each_within_64_kib_and_alarms_are_all_kept() -> None:
    at = START + np.arange(700) * SECOND
    body = b'{"ts":1,"text":"' + b"x" * 300 + b'"}'
    cut = CutOff(Devices.of([4]), 1, START, START + HOUR)
    line = Line([cut])
    line.put(Stream.of(at, np.full(700, 4), [body] * 700))
    line.put(Stream.of(at, np.full(700, 4), [body] * 700, ALARM))
    arrived = line.take(START + 2 * HOUR)
    assert max(len(body) for body in arrived.body) <= messages.LONGEST_BODY
    counts = Counter({ALARM: 0})
    for leaf, sent in zip(arrived.leaf.tolist(), arrived.body.tolist(), strict=True):
        counts[leaf] += len(json.loads(sent))
    assert counts == {0: KEPT, ALARM: 700}
    assert len(arrived) > 4


def test_what_is_not_kept_or_never_back_is_gone_and_the_will_speaks_for_the_gateways(city: SimCity) -> None:
    unit = city.city.devices[-1].unit
    members = places.of_unit(city.city, unit)
    gateways = Devices(np.intersect1d(members.numbers, talkers(city, DeviceKind.GATEWAY)))
    device = members.numbers
    during = telemetry(device, np.full(len(device), START + MINUTE))
    lost = CutOff(members, 1, START, START + HOUR, keep=False, gateways=gateways)
    assert len(lost.carry(during)) == 0
    gone = CutOff(members, 1, START, None, gateways=gateways)
    assert len(gone.carry(during)) == 0
    assert gone.speak(START, START + DAY).body.tolist() == [b"offline"]
    said = lost.speak(START, START + DAY)
    assert said.body.tolist() == [b"offline", b"online"]
    assert (said.leaf == STATUS).all()
    assert said.due[0] == START + 90 * SECOND
    assert said.due[1] >= START + HOUR
    # what it said in its windows is what it says at once
    windows = Stream.joined([lost.speak(begin, begin + 7 * MINUTE) for begin in range(START, START + DAY, 7 * MINUTE)])
    assert windows.due.tolist() == said.due.tolist()
    assert said.messages(city.city.devices)[1].retain


def test_a_district_is_all_of_its_units_and_a_gateway_is_what_stands_behind_it(city: SimCity) -> None:
    every = [places.of_district(city.city, name).numbers for name in {grid.district or "" for grid in city.city.grids}]
    assert sorted(np.concatenate(every).tolist()) == list(range(len(city.city.devices)))
    devices = city.city.devices
    behind = places.behind_gateway(city.city, "mall-01").numbers
    assert {devices[n].kind for n in behind.tolist()} >= {DeviceKind.GATEWAY, DeviceKind.ELECTRICAL, DeviceKind.PANEL}
    assert not any("NB-IoT" in (devices[n].model or "") for n in behind.tolist())
    assert set(behind.tolist()) < set(places.of_unit(city.city, "mall-01").numbers.tolist())
    main = next(device.main for device in devices if device.main)
    assert {devices[n].main for n in places.of_main(city.city, main).numbers.tolist()} == {main}


def test_a_reconnect_storm_is_everybody_off_and_on_again_within_seconds(city: SimCity) -> None:
    gateways = places.of_kind(city.city, DeviceKind.GATEWAY)
    storm = ReconnectStorm(gateways, 1, START, times=3, every=20 * SECOND, within=5 * SECOND)
    said = storm.speak(START, START + HOUR)
    assert len(said) == 2 * 3 * len(gateways)
    assert (((said.due - START) % (20 * SECOND)) <= 5 * SECOND).all()
    for gateway in gateways.numbers.tolist():
        assert said.body[said.device == gateway].tolist() == [b"offline", b"online"] * 3


# what it says ------------------------------------------------------------------------------------------


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


# all of it ---------------------------------------------------------------------------------------------


def everything(city: SimCity, signals: Signals, size: int) -> list[tuple[int, str, bytes]]:
    """Five minutes of a city with all faults at once, put on the line in batches of ``size``."""
    all_of_it = places.everyone(city.city)
    some = Devices(np.flatnonzero(signals.shape >= 0)[::3])
    flat = FlatBattery(Devices(some.numbers[::4]), 5, START, 4 * MINUTE)
    reboot = Reboot(Devices(some.numbers[1::4]), START + MINUTE)
    faults: list[ReportFault] = [
        clocks.FieldClocks(all_of_it, 5, START), Wrap(some), reboot, flat,
        Stuck(some, "smoke", START + MINUTE), Spikes(some, 5, "residual_current", 0.2, 600.0, 900.0),
        WrongUnit(Devices(some.numbers[::2]), "pressure"),
    ]  # fmt: skip
    line = Line(
        [
            reboot, flat, CutOff(Devices(some.numbers[2::4]), 5, START + MINUTE, START + 3 * MINUTE),
            radio.Loss(all_of_it, 5, 0.02), radio.Delay.by_radio(all_of_it, 5, "nb_iot"),
            radio.Duplicates(all_of_it, 5, 0.05), radio.Reordering(all_of_it, 5, 0.1, MINUTE),
            Malformed(some, 5, 0.1),
        ]
    )  # fmt: skip
    talking = np.flatnonzero(signals.shape >= 0)
    device, at = np.tile(talking, 10), START + np.repeat(np.arange(10), len(talking)) * 30 * SECOND
    seq = messages.repeats(device)
    got = []
    for begin in range(0, len(at), size):
        part = slice(begin, begin + size)
        reports = reported(signals, device[part], at[part], seq[part])
        for fault in faults:
            fault.spoil(reports)
        texts = messages.reports(reports.blocks, reports.stamp, reports.seq)
        line.put(Stream.of(at[part], device[part], [text.encode() for text in texts]))
        got += line.take(int(at[begin])).messages(city.city.devices)
    got += line.take(NEVER - 1).messages(city.city.devices)
    assert len(line) == 0
    return sorted((message.due, message.topic, message.payload) for message in got)


@settings(max_examples=5, deadline=None)
@given(size=st.integers(40, 1500))
def test_same_seed_same_bytes_in_batches_of_any_size(city: SimCity, signals: Signals, size: int) -> None:
    whole = everything(city, signals, 10_000)
    assert len(whole) > 1500
    assert everything(city, signals, size) == whole


def test_without_faults_a_line_hands_on_what_it_is_given_when_it_is_due() -> None:
    device, at = grid(3, 4)
    line = Line()
    assert line.next_due == NEVER
    line.put(telemetry(device, at))
    assert line.next_due == START
    assert line.take(START - 1).messages([]) == []
    first = line.take(START)
    assert first.device.tolist() == [0, 1, 2]
    assert len(line) == 9
    assert [json.loads(body)["seq"] for body in line.take(NEVER - 1).body] == list(range(3, 12))
