"""Faults on the way: each does what it says, to whom it says, and nothing else; and all of them at once."""

import json
from collections import Counter

import numpy as np
import pytest
from fault_making import START, grid, objects, reported, talkers, telemetry
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded
from firetower.simulator import messages
from firetower.simulator.city import SimCity, build
from firetower.simulator.faults import clocks, places, radio
from firetower.simulator.faults.line import NEVER, Line
from firetower.simulator.faults.outage import KEPT, CutOff, ReconnectStorm
from firetower.simulator.faults.payloads import DAMAGE, Malformed
from firetower.simulator.faults.power import FlatBattery, Reboot
from firetower.simulator.faults.sensors import Spikes, Stuck, WrongUnit
from firetower.simulator.faults.sequence import Wrap
from firetower.simulator.faults.stream import ALARM, STATUS, Devices, ReportFault, Stream
from firetower.simulator.models import RADIOS, Radio
from firetower.simulator.signals import Signals


@pytest.fixture(scope="module")
def city() -> SimCity:
    return build(8, 300)


@pytest.fixture(scope="module")
def signals(city: SimCity) -> Signals:
    return Signals(8, city.city)


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
def test_damage_makes_a_payload_that_the_service_refuses(city: SimCity, signals: Signals, kind: str) -> None:
    smokes = talkers(city, DeviceKind.SMOKE)[:20]
    good = [
        json.dumps(body).replace(" ", "").encode() for body in objects(reported(signals, smokes, np.full(20, START)))
    ]
    bad = Malformed(Devices(smokes), 1, 1.0, (kind,)).carry(Stream.of(np.full(20, START), smokes, good))
    for message in bad.messages(city.city.devices):
        into = Decoded(welcome=True)
        Decoder(catalogue(), Registry()).decode(message.topic, message.payload, START, into)
        assert into.refusals, message
        assert kind == "no such time" or not into.value


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
            radio.Loss.by_radio(all_of_it, 5, "lora"), radio.Delay.by_radio(all_of_it, 5, "nb_iot"),
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


@settings(max_examples=5)
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
