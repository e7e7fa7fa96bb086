"""Findings about data quality: what raises one, what must not, what it says, and how it ends."""

import numpy as np
import pytest
from scenario import START, World, at, brief

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Mark
from firetower.devices.registry import Registry
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict
from firetower.rules.watches.clocks import how_wrong

BAD, UNCERTAIN = 2, 1
STUCK = int(Mark.CLOCK_STUCK)


def values(world: World, device: int, metric: str, *rows: tuple[float, float, int]) -> list[Verdict]:
    """Readings (seconds, value, quality) one batch each."""
    out: list[Verdict] = []
    for seconds, value, quality in rows:
        out += world.report((device, metric, seconds, value), quality=quality)
    return out


# values nobody can believe ------------------------------------------------------------------------


def test_two_values_in_a_row_that_nobody_can_believe_are_a_finding_and_two_good_ones_end_it() -> None:
    """The finding names the series, the value and the end of the range it lies beyond; it trips no limit."""
    world = World()
    tank = world.device(DeviceKind.WATER_LEVEL, level_low=1.0, level_overflow=4.0)
    assert values(world, tank, "level", (0, 140, BAD)) == []
    (verdict,) = values(world, tank, "level", (60, 150, BAD))
    assert brief([verdict]) == [("raise", "value-implausible", 4, 60)]
    assert (verdict.component, verdict.value, verdict.limit, verdict.alert_class) == ("level", 150, 100, "quality")
    assert values(world, tank, "level", *[(120 + n * 600, 150, BAD) for n in range(5)]) == []
    assert world.tick(9000) == []
    assert values(world, tank, "level", (9000, 2.5, 0)) == []
    assert brief(values(world, tank, "level", (9060, 2.5, 0))) == [("clear", "value-implausible", 4, 9060)]
    assert values(world, tank, "level", (9120, 2.5, 0), (9180, 150, BAD), (9240, 2.5, 0), (9300, 150, BAD)) == []


def test_a_value_beyond_the_range_in_the_dangerous_direction_trips_its_limit_and_is_no_finding() -> None:
    """Off the scale upwards a heat detector may burn: uncertain, an alarm marked so, not a finding of quality."""
    world = World()
    heat = world.device(DeviceKind.HEAT)
    verdicts = values(world, heat, "temperature", (0, 900, UNCERTAIN), (10, 900, UNCERTAIN))
    assert [(verdict.rule, verdict.flags) for verdict in verdicts] == [("heat-fire", ("uncertain",))]
    assert values(world, heat, "temperature", (20, -200, BAD)) == []


def test_a_hydrant_that_sends_another_unit_is_told_with_more_weight() -> None:
    """312 for 0.312 MPa: priority 3 for a hydrant, 4 for the same metric of anything else."""
    for kind, rule, priority in (
        (DeviceKind.HYDRANT, "hydrant-pressure-implausible", 3),
        (DeviceKind.WATER_CRANE, "hydrant-pressure-implausible", 3),
        (DeviceKind.PUMP_ROOM, "value-implausible", 4),
    ):
        world = World()
        device = world.device(kind)
        assert brief(values(world, device, "pressure", (0, 312, BAD), (60, 312, BAD))) == [
            ("raise", rule, priority, 60)
        ]


def test_channels_are_told_apart_and_late_readings_say_nothing() -> None:
    """Each channel is a finding of its own; what is not newer than its series changes nothing."""
    world = World()
    world.registry.add_channel("2", 1)
    device = world.device(DeviceKind.ELECTRICAL)
    row = (device, "voltage", 0, -5.0)
    assert world.report(row, quality=BAD) == []
    assert world.report(row, quality=BAD, channel=1) == []
    assert world.report((device, "voltage", -60, -5.0), quality=BAD) == []
    (verdict,) = world.report((device, "voltage", 60, -5.0), quality=BAD, channel=1)
    assert (verdict.component, verdict.limit) == ("voltage.2", 0)


def test_a_finding_and_its_return_within_one_batch_are_both_told() -> None:
    """Bad, bad, good, good, bad, bad in one batch: raised, over, raised again."""
    world = World()
    device = world.device()
    batch = [world.readings((device, "flow", n * 10, 900 if n in {0, 1, 4, 5} else 1), quality=0) for n in range(6)]
    flags = [BAD, BAD, 0, 0, BAD, BAD]
    joined = [np.concatenate([getattr(each, name) for each in batch]) for name in batch[0].__slots__[:-1]]
    said = world.engine.evaluate(Batch(type(batch[0])(*joined, np.array(flags, np.int16)), START))
    assert [(each.kind.value, (each.at - START) // SECOND) for each in said if each.rule == "value-implausible"] == [
        ("raise", 10),
        ("clear", 30),
        ("raise", 50),
    ]


def test_an_open_finding_is_taken_over_at_start() -> None:
    """It is not raised again while it lasts, and its end is noticed, in what was stored meanwhile or live."""
    for stored, live in (([(0, BAD), (60, BAD)], [(120, 0), (180, 0)]), ([(0, 0), (60, 0)], [])):
        world = World(warm_since=0)
        device = world.device()
        assert world.engine.seed("value-implausible", device, "water_used", 4, START)
        for seconds, quality in stored:
            world.engine.warm(Batch(world.readings((device, "water_used", seconds, 900), quality=quality), 0))
        said = world.tick(61)
        for seconds, quality in live:
            said += world.report((device, "water_used", seconds, 900), quality=quality)
        assert [(each.kind.value, each.rule) for each in said] == [("clear", "value-implausible")]
    assert not World().engine.seed("no-such-rule", 1, "water_used", 4, START)


def test_what_is_already_implausible_at_start_is_found_at_start() -> None:
    """Stored readings without an open finding raise it at the first tick."""
    world = World()
    device = world.device()
    for seconds in (0, 60):
        world.engine.warm(Batch(world.readings((device, "flow", seconds, 900), quality=BAD), 0))
    assert brief(world.tick(61)) == [("raise", "value-implausible", 4, 60)]
    assert world.tick(62) == []


# clocks that stand still ---------------------------------------------------------------------------


def test_a_clock_that_stands_still_is_one_finding_of_the_device() -> None:
    """Several metrics marked twice are one finding, at the next tick; it ends when none of them is any more."""
    world = World()
    device = world.device(DeviceKind.ELECTRICAL)
    for second in (0, 60):
        assert world.report((device, "current", second, second), (device, "voltage", second, 220), quality=STUCK) == []
        if second == 0:
            assert world.tick(1) == []
    (verdict,) = world.tick(61)
    assert brief([verdict]) == [("raise", "clock-stuck", 4, 60)]
    assert verdict.component == ""
    assert world.tick(62) == []
    world.report((device, "current", 120, 5.0), (device, "voltage", 120, 220))
    world.report((device, "current", 180, 5.0))
    assert world.tick(181) == []
    world.report((device, "voltage", 200, 220))
    assert brief(world.tick(201)) == [("clear", "clock-stuck", 4, 200)]


def test_one_reading_at_a_time_that_has_a_value_is_no_finding() -> None:
    """A correction of one value, even each hour, is not a clock that stands still."""
    world = World()
    device = world.device()
    for second in range(0, 600, 60):
        world.report((device, "pressure", second, 0.3), quality=STUCK if second % 120 == 0 else 0)
    assert world.tick(601) == []


def test_an_open_finding_of_a_standing_clock_is_taken_over() -> None:
    """After a restart it is not raised again while the clock stands, and its end is noticed."""
    world = World()
    device = world.device()
    assert world.engine.seed("clock-stuck", device, "", 4, START)
    for second in (0, 60):
        world.engine.warm(Batch(world.readings((device, "pressure", second, 0.3), quality=STUCK), 0))
    assert world.tick(61) == []
    world.report((device, "pressure", 120, 0.3))
    assert world.tick(121) == []
    world.report((device, "pressure", 180, 0.3))
    assert brief(world.tick(181)) == [("clear", "clock-stuck", 4, 180)]

    other = World()
    device = other.device()
    assert other.engine.seed("clock-stuck", device, "", 4, START)
    for second in (0, 60, 120):
        other.report((device, "pressure", second, 0.3))
    assert brief(other.tick(121)) == [("clear", "clock-stuck", 4, 60)]


# clocks that are wrong -----------------------------------------------------------------------------


class Clocks(World):
    """A world whose devices' clocks are measured."""

    def __init__(self) -> None:
        super().__init__()
        self.quality = DeviceQuality(self.registry)
        self.engine = Engine(self.engine.rulebook, self.registry, quality=self.quality)

    def skew(self, device: int, seconds: float) -> None:
        """The clock of ``device`` is estimated to be so far behind."""
        self.quality.restore(np.array([device]), np.zeros(1), np.zeros(1), np.array([seconds]))


@pytest.mark.parametrize("way", [1, -1])
def test_a_clock_over_a_minute_off_is_a_finding_until_within_half_a_minute(way: int) -> None:
    """A minute exactly is in order; so is half a minute exactly, on the way back."""
    world = Clocks()
    device = world.device()
    world.skew(device, 60 * way)
    assert world.tick(1) == []
    world.skew(device, 60.1 * way)
    (verdict,) = world.tick(2)
    assert brief([verdict]) == [("raise", "clock-wrong", 4, 2)]
    assert (verdict.component, verdict.metric, verdict.subject) == ("", None, "unit/d1")
    assert world.tick(3) == []
    world.skew(device, 30.1 * way)
    assert world.tick(4) == []
    world.skew(device, 30 * way)
    assert brief(world.tick(5)) == [("clear", "clock-wrong", 4, 5)]


def test_a_wrong_clock_is_found_from_what_the_device_sends() -> None:
    """Ten minutes of reports eight hours ahead are one finding, that says it looks like local time."""
    world = Clocks()
    device = world.device()
    said: list[Verdict] = []
    for second in range(0, 900, 60):
        arrival = np.array([at(second)])
        world.quality.note(np.array([device]), arrival, np.array([-1]), arrival + 8 * 3600 * SECOND - 20_000)
        said += world.tick(second)
    (verdict,) = said
    assert verdict.title_zh == "设备时钟不准:快 8 小时,像是把当地时间当作 UTC 发送"
    assert verdict.title_en == "Device clock wrong: 8 h ahead, looks like local time sent as UTC"
    assert (verdict.at - START) / SECOND <= 600


WORDS = [
    (-28_800.0, "快 8 小时,像是把当地时间当作 UTC 发送", "8 h ahead, looks like local time sent as UTC"),
    (-28_860.0, "快 8 小时,像是把当地时间当作 UTC 发送", "8 h ahead, looks like local time sent as UTC"),
    (-28_861.0, "快 8 小时", "8 h ahead"),
    (28_795.0, "慢 8 小时,像是时区设置有误", "8 h behind, looks like a wrong time zone"),
    (54_000.0, "慢 15 小时", "15 h behind"),
    (61.4, "慢 61 秒", "61 s behind"),
    (-600.0, "快 10 分钟", "10 min ahead"),
    (1.7e9, "慢 19675 天", "19675 d behind"),
]


@pytest.mark.parametrize(("skew", "zh", "en"), WORDS)
def test_how_wrong_a_clock_is_stands_in_the_headline(skew: float, zh: str, en: str) -> None:
    """How much, which way, and a zone error by its name within a minute of one to fourteen whole hours."""
    assert how_wrong(skew) == (zh, en)


def test_a_wrong_clock_known_at_start_is_taken_over_and_its_return_noticed() -> None:
    """Seeded, it is not raised again by the stored estimate; a right clock ends it. A retired device has none."""
    world = Clocks()
    device, gone = world.device(), world.device(retired=True)
    assert world.engine.seed("clock-wrong", device, "", 4, START)
    world.skew(device, 7200)
    world.skew(gone, 7200)
    assert world.tick(1) == []
    world.skew(device, 0.5)
    assert brief(world.tick(2)) == [("clear", "clock-wrong", 4, 2)]


def test_without_measured_clocks_nothing_is_said_of_them() -> None:
    """An engine that replays stored readings knows no arrival of messages, so judges no clock."""
    registry = Registry()
    assert Engine(World().engine.rulebook, registry).evaluate(Tick(START, None)) == []
