"""Every shipped limit: a scenario that trips it, one that must not, one at the exact limit."""

from dataclasses import dataclass, field

import pytest
from scenario import SHIPPED, World, brief

from firetower.devices.kinds import DeviceKind

MIN, HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class Case:
    """``samples``: (s, value); then a tick at ``until`` s. ``expect``: (kind, priority, s)."""

    rule: str
    kind: DeviceKind
    metric: str
    interval: float
    samples: list[tuple[float, float]]
    until: float
    expect: list[tuple[str, int, float]]
    attributes: dict[str, float] = field(default_factory=dict)


def steady(value: float, seconds: float, every: float = 60) -> list[tuple[float, float]]:
    return [(each * every, value) for each in range(int(seconds // every) + 1)]


HYD, CRANE, SMOKE = DeviceKind.HYDRANT, DeviceKind.WATER_CRANE, DeviceKind.SMOKE
ELEC, TANK, HEAT, GAS = DeviceKind.ELECTRICAL, DeviceKind.WATER_LEVEL, DeviceKind.HEAT, DeviceKind.GAS
OWN = {"level_90": 2.7, "level_low": 1.5, "level_overflow": 3.0}

# rule, band's priority, kind, metric, the limit, a value beyond it (of this band only), a value in order next to it,
# whether the exact limit trips, the on delay in s, the device's own numbers
LIMITS = [
    ("hydrant-pressure-low", 4, HYD, "pressure", 0.14, 0.13, 0.141, False, 15 * MIN, {}),
    ("hydrant-pressure-low", 3, HYD, "pressure", 0.10, 0.09, 0.101, False, 5 * MIN, {}),
    ("hydrant-pressure-low", 2, HYD, "pressure", 0.02, 0.01, 0.021, False, 5 * MIN, {}),
    ("hydrant-pressure-high", 3, HYD, "pressure", 0.60, 0.61, 0.599, False, 5 * MIN, {}),
    ("hydrant-pressure-high", 3, CRANE, "pressure", 0.60, 0.61, 0.599, False, 5 * MIN, {}),
    ("water-crane-pressure-low", 3, CRANE, "pressure", 0.10, 0.09, 0.101, False, 5 * MIN, {}),
    ("water-crane-pressure-low", 2, CRANE, "pressure", 0.02, 0.01, 0.021, False, 5 * MIN, {}),
    ("smoke-prealarm", 2, SMOKE, "smoke", 0.10, 0.11, 0.099, True, 60, {}),
    ("smoke-fire", 1, SMOKE, "smoke", 0.20, 0.21, 0.199, True, 10, {}),
    ("heat-fire", 1, HEAT, "temperature", 60.0, 61.0, 59.9, True, 10, {}),
    ("gas-leak", 2, GAS, "gas", 25.0, 26.0, 24.9, True, 30, {}),
    ("gas-leak", 1, GAS, "gas", 50.0, 51.0, 49.9, True, 10, {}),
    ("residual-current-high", 3, ELEC, "residual_current", 300.0, 301.0, 299.9, True, 30, {}),
    ("residual-current-high", 2, ELEC, "residual_current", 500.0, 501.0, 499.9, True, 30, {}),
    ("cable-temperature-high", 3, ELEC, "cable_temperature", 70.0, 71.0, 69.9, True, 60, {}),
    ("cable-temperature-high", 2, ELEC, "cable_temperature", 90.0, 91.0, 89.9, True, 40, {}),
    ("water-level-low", 3, TANK, "level", 2.7, 2.6, 2.71, False, 10 * MIN, OWN),
    ("water-level-low", 2, TANK, "level", 1.5, 1.4, 1.51, False, 5 * MIN, OWN),
    ("water-level-high", 3, TANK, "level", 3.0, 3.1, 2.99, False, 5 * MIN, OWN),
    ("water-refill-slow", 3, TANK, "level", 2.7, 2.6, 2.71, False, 48 * HOUR, OWN),
    ("hydrant-opened", 3, HYD, "flow", 1.0, 1.1, 0.9, False, 60, {}),
    ("hydrant-opened", 3, CRANE, "flow", 1.0, 15.0, 0.9, False, 60, {}),
    ("hydrant-freezing", 4, HYD, "temperature", 5.0, 4.9, 5.1, False, 30 * MIN, {}),
    ("hydrant-freezing", 3, CRANE, "temperature", 1.0, 0.9, 1.1, False, 30 * MIN, {}),
    ("voltage-out-of-range", 4, ELEC, "voltage", 198.0, 197.9, 198.1, False, 10 * MIN, {}),
    ("voltage-out-of-range", 4, ELEC, "voltage", 242.0, 242.1, 241.9, False, 10 * MIN, {}),
    ("voltage-out-of-range", 3, ELEC, "voltage", 176.0, 175.9, 176.1, False, 60, {}),
    ("voltage-out-of-range", 3, ELEC, "voltage", 264.0, 264.1, 263.9, False, 60, {}),
    ("battery-low", 4, HYD, "battery_percent", 30.0, 29.0, 30.1, False, 0, {}),
    ("battery-low", 3, SMOKE, "battery_percent", 10.0, 9.0, 10.1, False, 0, {}),
]
IDS = [f"{row[0]}-{row[1]}-{row[2]}" for row in LIMITS]


def reached(row: tuple, value: float, seconds: float) -> bool:
    """Whether the band's priority was raised when ``value`` stood for ``seconds``, reported each 5 s."""
    rule, priority, kind, metric, _, _, _, _, _, own = row
    world = World()
    device = world.device(kind, 5, **own)
    every = max(seconds / 10, 1.0)
    verdicts = []
    for count in range(11):
        moment = count * every
        verdicts += world.report((device, metric, moment, value))
        verdicts += world.tick(moment)
    raised = [verdict for verdict in verdicts if verdict.rule == rule and verdict.priority <= priority]
    assert all(verdict.kind == "raise" and verdict.value == value for verdict in raised)
    return bool(raised)


@pytest.mark.parametrize("row", LIMITS, ids=IDS)
def test_a_value_beyond_the_limit_for_its_delay_trips(row: tuple) -> None:
    assert reached(row, row[5], row[8])


@pytest.mark.parametrize("row", LIMITS, ids=IDS)
def test_a_value_in_order_next_to_the_limit_never_trips(row: tuple) -> None:
    assert not reached(row, row[6], 10 * row[8] + 60)


@pytest.mark.parametrize("row", LIMITS, ids=IDS)
def test_the_exact_limit_is_on_the_side_the_standard_puts_it(row: tuple) -> None:
    assert reached(row, row[4], 10 * row[8] + 60) is row[7]


def test_the_table_above_covers_every_shipped_limit() -> None:
    shipped = {
        (rule.id, band.priority, kind)
        for rule in SHIPPED.rules
        if rule.condition.limit is not None
        for band in rule.condition.limit.bands
        for kind in rule.kinds
    }
    covered = {(row[0], row[1]) for row in LIMITS}
    assert {(rule, priority) for rule, priority, _ in shipped} == covered
    assert {(rule, kind) for rule, _, kind in shipped if rule != "battery-low"} == {
        (row[0], row[2]) for row in LIMITS if row[0] != "battery-low"
    }


def test_a_hydrant_is_not_watched_for_frost_in_summer() -> None:
    """1 November to 31 March; a sensor that says 0 °C in July is another finding."""
    for month, days, found in (("March", 129, True), ("April", 130, False), ("July", 250, False)):
        world = World()
        device = world.device(HYD)
        begin = days * 24 * HOUR
        said = world.report(*[(device, "temperature", begin + each * MIN, 0.5) for each in range(40)])
        assert any(verdict.rule == "hydrant-freezing" for verdict in said) is found, month


BACK_IN_ORDER = [*steady(0.13, 900), *((960 + moment, 0.16) for moment in range(0, 841, 60))]
# fmt: off
DELAYS = [
    # 15 min AND 2 samples; the delay ends between two readings, at its own instant
    Case("hydrant-pressure-low", HYD, "pressure", 240, steady(0.13, 960, 240), 960, [("raise", 4, 900)]),
    Case("hydrant-pressure-low", HYD, "pressure", 900, [(0, 0.13)], 1800, []),  # one reading is not two
    Case("hydrant-pressure-low", HYD, "pressure", 900, [(0, 0.13), (900, 0.13)], 900, [("raise", 4, 900)]),
    Case("hydrant-pressure-low", HYD, "pressure", 3600, [(0, 0.13)], 0, [("raise", 4, 0)]),  # interval over the delay
    Case("hydrant-pressure-low", HYD, "pressure", 60,
         [(0, 0.13), (60, 0.15), *[(t, 0.13) for t in range(120, 960, 60)]], 960, []),
    # back at 0.16 for 15 min; 0.159 is not back
    Case("hydrant-pressure-low", HYD, "pressure", 3600, [(0, 0.13), (3600, 0.16)], 3600,
         [("raise", 4, 0), ("clear", 4, 3600)]),
    Case("hydrant-pressure-low", HYD, "pressure", 3600, [(0, 0.13), (3600, 0.159)], 9000, [("raise", 4, 0)]),
    Case("hydrant-pressure-low", HYD, "pressure", 60, BACK_IN_ORDER,
         1859, [("raise", 4, 900)]),
    Case("hydrant-pressure-low", HYD, "pressure", 60, BACK_IN_ORDER,
         1860, [("raise", 4, 900), ("clear", 4, 1860)]),
    # three bands, one alert: down through them and up again
    Case("hydrant-pressure-low", HYD, "pressure", 3600, [(0, 0.13), (3600, 0.09), (7200, 0.01)], 7200,
         [("raise", 4, 0), ("raise", 3, 3600), ("raise", 2, 7200)]),
    Case("hydrant-pressure-low", HYD, "pressure", 3600, [(0, 0.01), (3600, 0.06), (7200, 0.13), (10800, 0.2)], 10800,
         [("raise", 2, 0), ("raise", 3, 3600), ("raise", 4, 7200), ("clear", 4, 10800)]),
    # the dry band is quicker than the low one; in between 0.14 and 0.16 its alert stays
    Case("hydrant-pressure-low", HYD, "pressure", 60, [*steady(0.01, 300), (360, 0.15)], 5000,
         [("raise", 2, 300), ("raise", 4, 360)]),
    # smoke: 10 s, or 2 samples, or 1 when the interval is over 60 s
    Case("smoke-fire", SMOKE, "smoke", 60, [(0, 0.2)], 9.9, []),
    Case("smoke-fire", SMOKE, "smoke", 60, [(0, 0.2)], 10, [("raise", 1, 10)]),
    Case("smoke-fire", SMOKE, "smoke", 2, [(0, 0.2), (2, 0.2)], 2, [("raise", 1, 2)]),
    Case("smoke-fire", SMOKE, "smoke", 61, [(0, 0.2)], 0, [("raise", 1, 0)]),
    Case("smoke-fire", SMOKE, "smoke", 2, [(0, 0.2), (2, 0.1), (4, 0.2), (6, 0.1)], 60, []),
    # latched: normal below 0.15 is said, and the next rise is said again
    Case("smoke-fire", SMOKE, "smoke", 3600, [(0, 0.3), (3600, 0.15), (7200, 0.149), (10800, 0.3)], 10800,
         [("raise", 1, 0), ("clear", 1, 7200), ("raise", 1, 10800)]),
    Case("smoke-prealarm", SMOKE, "smoke", 3600, [(0, 0.1), (3600, 0.07), (7200, 0.069)], 7200,
         [("raise", 2, 0), ("clear", 2, 7200)]),
    # 90 °C needs 40 s, 70 °C 60 s: the worse band brings the milder one with it
    Case("cable-temperature-high", ELEC, "cable_temperature", 10, steady(95, 70, 10), 70, [("raise", 2, 40)]),
    Case("residual-current-high", ELEC, "residual_current", 10, [*steady(310, 30, 10), (40, 239.9)], 40,
         [("raise", 3, 30), ("clear", 3, 40)]),
    Case("residual-current-high", ELEC, "residual_current", 10, [*steady(310, 30, 10), (40, 240)], 90,
         [("raise", 3, 30)]),
    Case("battery-low", HYD, "battery_percent", 86400, [(0, 29)], 86400, []),
    Case("battery-low", HYD, "battery_percent", 86400, [(0, 29), (86400, 29), (172800, 35)], 172800,
         [("raise", 4, 86400), ("clear", 4, 172800)]),
    Case("battery-low", HYD, "battery_percent", 86400, [(0, 29), (86400, 29), (172800, 34.9)], 172800,
         [("raise", 4, 86400)]),
    Case("battery-low", HYD, "battery_percent", 86400, [(0, 9), (86400, 9), (172800, 14.9), (259200, 15)], 259200,
         [("raise", 3, 86400), ("raise", 4, 259200)]),
    Case("hydrant-freezing", HYD, "temperature", 3600, [(0, 4.9), (3600, 6.9), (7200, 7.0)], 7200,
         [("raise", 4, 0), ("clear", 4, 7200)]),
    Case("hydrant-freezing", HYD, "temperature", 3600, [(0, 0.9), (3600, 2.9), (7200, 3.0)], 7200,
         [("raise", 3, 0), ("raise", 4, 7200)]),
    Case("water-level-low", TANK, "level", 3600, [(0, 2.6), (3600, 2.77), (7200, 2.79)], 7200,
         [("raise", 3, 0), ("clear", 3, 7200)], OWN),
    Case("water-level-low", TANK, "level", 3600, [(0, 0.0)], 7200, []),  # no limits in its own file
    Case("water-level-low", TANK, "level", 3600, [(0, 1.0)], 7200,
         [("raise", 2, 0)], {"level_90": 0.5, "level_low": 1.5}),
]
# fmt: on


@pytest.mark.parametrize("case", DELAYS, ids=lambda case: f"{case.rule}-{len(case.samples)}-{case.until:g}")
def test_delays_bands_and_ways_back_are_as_the_table_says(case: Case) -> None:
    world = World()
    device = world.device(case.kind, case.interval, **case.attributes)
    verdicts = world.report(*[(device, case.metric, moment, value) for moment, value in case.samples])
    verdicts += world.tick(case.until)
    mine = [verdict for verdict in verdicts if verdict.rule == case.rule]
    assert [(kind, priority, moment) for kind, _, priority, moment in brief(mine)] == case.expect


def test_fire_and_the_worst_bands_latch() -> None:
    latched = {
        (rule.id, band.priority)
        for rule in SHIPPED.rules
        for band in (rule.condition.limit.bands if rule.condition.limit else ())
        if band.latch
    }
    assert latched == {
        ("smoke-fire", 1),
        ("heat-fire", 1),
        ("gas-leak", 1),
        ("residual-current-high", 2),
        ("cable-temperature-high", 2),
    }
