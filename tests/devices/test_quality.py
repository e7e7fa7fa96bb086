"""Data quality per device: what its seq tells of missed and repeated messages, and its times of its clock."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.core.clock import MINUTE, SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.quality import DeviceQuality
from firetower.devices.registry import DeviceEntry, Registry
from firetower.devices.wire_batch import NO_TIME

START = 1_763_800_000 * SECOND
WRAP = 2**32


def city(devices: int = 3) -> DeviceQuality:
    registry = Registry()
    for number in range(1, devices + 1):
        registry.add(DeviceEntry(number, "unit", f"d{number}", DeviceKind.HYDRANT))
    return DeviceQuality(registry)


def say(quality: DeviceQuality, *numbers: int, device: int = 1) -> None:
    """One batch of numbers of a device."""
    note(quality, [(device, number) for number in numbers])


def note(quality: DeviceQuality, objects: list[tuple[int, int]]) -> None:
    count = len(objects)
    devices, numbers = np.array([o[0] for o in objects]), np.array([o[1] for o in objects])
    quality.note(devices, np.full(count, START), numbers, np.full(count, NO_TIME))


def counted(quality: DeviceQuality, device: int = 1) -> tuple[int, int]:
    """(missed, repeated)."""
    return int(quality.missed[device]), int(quality.repeated[device])


CASES = [
    # batches of numbers, missed, repeated
    ("in order", [[5, 6, 7], [8]], 0, 0),
    ("the first number of all is no gap", [[900]], 0, 0),
    ("a gap", [[5, 6, 10]], 3, 0),
    ("a repeat in one batch", [[5, 5]], 0, 1),
    ("a batch again after a crash", [[5, 6, 7], [5, 6, 7]], 0, 3),
    ("the other lane was faster", [[5, 7], [6]], 0, 0),
    ("what fills a gap and comes again", [[5, 7], [6], [6]], 0, 1),
    ("wraps", [[WRAP - 2, WRAP - 1, 0, 1]], 0, 0),
    ("a gap over the wrap", [[WRAP - 2, 1]], 2, 0),
    ("a restart", [[5000, 5001, 0, 1, 2]], 0, 0),
    ("a restart from 1, then a gap", [[5000], [1, 2, 4]], 1, 0),
    ("a leap is a sender that began anew", [[5], [5 + 2**16]], 0, 0),
    ("the largest gap", [[5], [4 + 2**16]], 2**16 - 2, 0),
    ("too old to know whether it came", [[205, 207, *range(208, 280)], [206]], 1, 1),
    ("overlapping backlogs", [list(range(100, 700)), list(range(690, 720))], 0, 10),
    ("a backlog that fills a gap of sixty", [[100, 160], list(range(90, 165))], 0, 12),
    ("small numbers just before", [[14, 16, 15]], 0, 0),
]


@pytest.mark.parametrize(("what", "batches", "missed", "repeated"), CASES, ids=[case[0] for case in CASES])
def test_missed_and_repeated_messages_are_counted(
    what: str, batches: list[list[int]], missed: int, repeated: int
) -> None:
    """Gaps and repeats are what the numbers say, whatever batches they come in."""
    quality = city()
    for batch in batches:
        say(quality, *batch)
    assert counted(quality) == (missed, repeated), what
    one_by_one = city()
    for number in [number for batch in batches for number in batch]:
        say(one_by_one, number)
    assert counted(one_by_one) == (missed, repeated), what


def test_devices_are_counted_apart_and_strangers_not_at_all() -> None:
    """A number of one device says nothing of another; nobody's objects (0, or not yet registered) are left out."""
    quality = city()
    note(quality, [(1, 10), (2, 50), (0, 7), (1, 11), (-1, 9), (2, 52), (3, -1), (1, 11), (0, 9)])
    assert [counted(quality, device) for device in (0, 1, 2, 3)] == [(0, 0), (0, 1), (1, 0), (0, 0)]


class Sender:
    """The counting once more, number by number, with a memory of all numbers rather than a window."""

    def __init__(self) -> None:
        self.newest: int | None = None
        self.absent: set[int] = set()
        self.missed = self.repeated = 0

    def say(self, number: int) -> None:
        if self.newest is None:
            self.newest = number
            return
        ahead = (number - self.newest) % WRAP
        behind = (self.newest - number) % WRAP
        if min(ahead, behind) >= 2**16 or (ahead > behind > 16 and number < 16):
            self.newest, self.absent = number, set()
        elif 0 < ahead < behind:
            self.absent |= {(self.newest + step) % WRAP for step in range(1, ahead)}
            self.missed += ahead - 1
            self.newest = number
        elif number in self.absent and behind < 64:
            self.absent.remove(number)
            self.missed -= 1
        else:
            self.repeated += 1


NUMBERS = st.one_of(
    st.integers(0, 40),
    st.integers(90, 200),
    st.integers(WRAP - 40, WRAP - 1),
    st.sampled_from([2**16 + 5, 2**16 + 100, 2**31, 2**31 + 20, 70_000]),
)
RUNS = st.tuples(st.integers(1, 3), NUMBERS, st.integers(1, 80))


@settings(max_examples=120)
@given(st.lists(RUNS, max_size=30), st.sets(st.integers(0, 400)))
def test_batches_are_counted_as_numbers_one_by_one(runs: list[tuple[int, int, int]], cuts: set[int]) -> None:
    """Whatever devices say, mixed and cut into batches: as a plain count of one number after another."""
    said = [(device, (first + step) % WRAP) for device, first, length in runs for step in range(length)]
    said = said[::2] + said[1::2] if len(runs) % 2 else said  # half of them: everything comes in two lanes
    senders = {device: Sender() for device in (1, 2, 3)}
    quality = city()
    batch: list[tuple[int, int]] = []
    for place, (device, number) in enumerate(said):
        senders[device].say(number)
        batch.append((device, number))
        if place in cuts:
            note(quality, batch)
            batch = []
    if batch:
        note(quality, batch)
    for device, sender in senders.items():
        assert counted(quality, device) == (sender.missed, sender.repeated)


# clocks -----------------------------------------------------------------------------------------


class Reports:
    """One device with a wrong clock, in seconds after START: what it says, and what is thought of its clock."""

    def __init__(self) -> None:
        self.quality = city(1)

    def report(self, at: float, behind: float, *, delay: float = 0.05) -> None:
        """A report measured just before it is sent, by a clock that is ``behind``."""
        self.record(at + delay, at - behind)

    def record(self, at: float, sent: float) -> None:
        one = np.array([1])
        arrival, device_time = START + round(at * SECOND), START + round(sent * SECOND)
        self.quality.note(one, np.array([arrival]), np.array([-1]), np.array([device_time]))

    @property
    def skew(self) -> float | None:
        value = float(self.quality.skew[1])
        return None if np.isnan(value) else round(value, 1)


@pytest.mark.parametrize("behind", [0.0, 8 * 3600.0, -8 * 3600.0, 61.0, -61.0, 20 * 365 * 86400.0])
def test_a_clock_is_known_after_ten_minutes_whatever_the_network_adds(behind: float) -> None:
    """The estimate is the clock's error, not that of most messages' way."""
    device = Reports()
    for minute in range(11):
        assert device.skew is None or minute > 5
        device.report(minute * 60, behind, delay=0.05 if minute % 3 == 0 else 12.0)
    assert device.skew is not None
    assert device.skew == pytest.approx(behind, abs=0.11, rel=1e-6)


@pytest.mark.parametrize("pace", [0.1, 1.0], ids=["10 a second", "1 a second"])
def test_a_backlog_is_no_wrong_clock(pace: float) -> None:
    """600 records of ten hours, oldest first, then live: at no time is the clock thought wrong."""
    device = Reports()
    for record in range(600):
        at = record * pace
        device.record(at, -36_000 + record * 60)
        assert not device.skew
    for minute in range(1, 20):
        device.report(600 * pace + minute * 60, 0.0)
        assert device.skew is None or abs(device.skew) < 1


def test_a_backlog_in_one_message_of_a_known_device_changes_nothing() -> None:
    """An outage of an hour, forwarded as one array: the newest record tells the clock."""
    device = Reports()
    for minute in range(15):
        device.report(minute * 60, 0.0)
    sent = START + np.arange(15, 76) * MINUTE
    count = len(sent)
    device.quality.note(np.ones(count, np.int64), np.full(count, int(sent[-1]) + 50_000), np.full(count, -1), sent)
    assert device.skew == pytest.approx(0.05, abs=0.06)
    for minute in range(76, 90):
        device.report(minute * 60, 0.0)
        assert abs(device.skew or 0) < 1


def test_a_wrong_clock_shows_through_a_backlog() -> None:
    """A device eight hours behind that also forwards late is eight hours behind."""
    device = Reports()
    for record in range(60):
        device.record(record * 0.1, -3600 + record * 60 - 8 * 3600)
    for minute in range(1, 15):
        device.report(6 + minute * 60, 8 * 3600.0)
    assert device.skew == pytest.approx(8 * 3600, abs=1)


def test_an_estimate_follows_a_clock_that_jumps_and_one_that_is_set_right() -> None:
    """A jump is known a quarter of an hour later; a clock that was behind is right at the first word that says so."""
    device = Reports()
    for minute in range(15):
        device.report(minute * 60, 0.0)
    for minute in range(15, 31):
        device.report(minute * 60, 3600.0)
    assert device.skew == pytest.approx(3600, abs=1)
    device.report(31 * 60, 0.0)
    assert device.skew == pytest.approx(0, abs=1)
    for minute in range(32, 48):
        device.report(minute * 60, -3600.0)
    assert device.skew == pytest.approx(-3600, abs=1)
    for minute in range(48, 60):
        device.report(minute * 60, 0.0)
    assert device.skew == pytest.approx(0, abs=1)


def test_a_clock_set_right_is_believed_at_once_whenever_that_is() -> None:
    """The first message that says so is enough, be it the last of a stretch or the first of the next."""
    for minutes in range(20, 32):
        device = Reports()
        for minute in range(minutes):
            device.report(minute * 60, 3600.0)
        assert device.skew == pytest.approx(3600, abs=1)
        device.report(minutes * 60, 0.0)
        assert device.skew == pytest.approx(0, abs=1)


@pytest.mark.parametrize("step", [1, 3, 10, 60, 900])
@pytest.mark.parametrize("pace", [0.1, 1.0, 5.0])
def test_no_backlog_makes_a_clock_wrong(step: float, pace: float) -> None:
    """600 records a step apart, delivered oldest first at any pace that catches up, then live."""
    device = Reports()
    for record in range(600):
        if step > pace * 1.2:
            device.record(record * pace, -600 * (step - pace) + record * step)
            assert not device.skew or device.skew < 1
    for minute in range(1, 20):
        device.report(600 * pace + minute * 60, 0.0)
        assert abs(device.skew or 0) < 1


@pytest.mark.parametrize("odd", [8 * 3600.0, -8 * 3600.0])
def test_one_wrong_time_is_no_wrong_clock(odd: float) -> None:
    """One odd time among right ones, either way, never shows."""
    device = Reports()
    for minute in range(30):
        device.report(minute * 60, odd if minute == 12 else 0.0)
        assert abs(device.skew or 0) < 1


def test_a_device_that_reports_once_a_day_is_judged_at_its_third_report() -> None:
    """Four objects take three days; a wrong clock of a sleeping detector is found on the third."""
    device = Reports()
    for day in range(2):
        device.report(day * 86400, 7 * 3600.0)
        assert device.skew is None
    device.report(2 * 86400, 7 * 3600.0)
    assert device.skew == pytest.approx(7 * 3600, abs=1)


def test_figures_go_on_from_what_was_stored() -> None:
    """After a restart counts go on, the first number is no gap, and the skew stands until it is estimated anew."""
    quality = city(2)
    quality.restore(np.array([1, 2]), np.array([7, 0]), np.array([3, 0]), np.array([28_800.0, np.nan]))
    say(quality, 900)
    say(quality, 902)
    assert counted(quality) == (8, 3)
    assert quality.skew[1] == 28_800
    assert np.isnan(quality.skew[2])
    right = np.array([START])
    quality.note(np.array([1]), right, np.array([-1]), right - 2 * SECOND)
    assert quality.skew[1] == 2


def test_devices_registered_later_have_figures_too() -> None:
    """The columns follow the registry."""
    registry = Registry()
    quality = DeviceQuality(registry)
    registry.add(DeviceEntry(5000, "unit", "late", DeviceKind.SMOKE))
    note(quality, [(5000, 1), (5000, 3)])
    assert counted(quality, 5000) == (1, 0)


def test_a_lane_that_lags_makes_no_clock_wrong() -> None:
    """With telemetry half an hour behind, every device's words are old: none of the clocks is measured meanwhile."""
    device = Reports()
    for minute in range(15):
        device.report(minute * 60, 0.0)
    for minute in range(15, 60):
        arrival = START + minute * MINUTE
        device.quality.note([1], [arrival], [minute], [arrival - 30 * MINUTE], lag=30 * MINUTE)
    assert abs(device.skew or 0) < 1
    assert counted(device.quality) == (0, 0)
    device.report(61 * 60, 0.0)
    assert abs(device.skew or 0) < 1


@pytest.mark.parametrize("sent", [NO_TIME + 1, 2**63 - 1, -1, 0])
def test_a_time_from_the_end_of_time_shows_its_direction(sent: int) -> None:
    """Whatever number a device sends as its time: behind is behind, ahead is ahead."""
    quality = city(1)
    for minute in range(12):
        arrival = START + minute * MINUTE
        quality.note([1], [arrival], [-1], [sent])
    assert (quality.skew[1] > 86_400) == (sent < START)
    assert (quality.skew[1] < -86_400) == (sent > START)
