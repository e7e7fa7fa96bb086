"""What trips each shipped rule, what must not, and what the exact limit does: one story a rule and priority.

A story is told with a figure: how low, how many, how long. The figures are those of the standards, written out here.
Rules that compare a value as measured stand in ``test_shipped_limits.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from town import BAD, SECONDS, Town, every, last_of

from firetower.alerts.correlate import Signal, confirmed, confirms_within
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Mark
from firetower.rules.verdicts import Verdict

MIN, HOUR, DAY = SECONDS["min"], SECONDS["h"], SECONDS["d"]
HYD, CRANE, SMOKE, HEAT = DeviceKind.HYDRANT, DeviceKind.WATER_CRANE, DeviceKind.SMOKE, DeviceKind.HEAT
ELEC, TANK, PANEL, PUMPS = DeviceKind.ELECTRICAL, DeviceKind.WATER_LEVEL, DeviceKind.PANEL, DeviceKind.PUMP_ROOM
FOUR_AT_NIGHT = 11 * HOUR + 33 * MIN + 20
"""04:00 of the morning after START."""
Told = list[Verdict]


@dataclass(frozen=True)
class Story:
    """``beyond``, ``within``, ``exact``: figures that trip it, must not, and stand at the limit; does that trip it?"""

    rule: str
    priority: int
    tell: Callable[[float], Told]
    beyond: float
    within: float
    exact: float
    trips: bool
    basis: str = "J"


# water --------------------------------------------------------------------------------------------


def falls(drop: float) -> Told:
    """A hydrant's pressure falls by that many MPa within 4 minutes."""
    town = Town()
    town.measures(town.put(HYD), "pressure", *every(60, 0, 240, 0.30), (300, 0.30 - drop / 2), (480, 0.30 - drop))
    return town.said


def falls_along_a_main(hydrants: float, *, of: int = 10, apart: float = 1) -> Told:
    """That many hydrants of a main fall by 0.06 MPa, one after another."""
    town = Town()
    main = [town.put(HYD, main="M1") for _ in range(of)]
    for place, device in enumerate(main):
        begin = place * apart
        drop = 0.06 if place < hydrants else 0.0
        town.measures(device, "pressure", *every(60, begin, begin + 300, 0.30))
        town.measures(device, "pressure", *every(60, begin + 360, begin + 420, 0.30 - drop))
    town.passes(500 + of * apart)
    return town.said


def low_on_a_main(pressure: float, hydrants: float, *, kind: DeviceKind = HYD) -> Told:
    """That many hydrants of a main, of ten, stand at a pressure for an hour."""
    town = Town()
    main = [town.put(kind, main="M1") for _ in range(10)]
    for place, device in enumerate(main):
        town.measures(device, "pressure", *every(60, 0, HOUR, pressure if place < hydrants else 0.30))
    town.passes(HOUR + 10)
    return town.said


def runs_all_night(flow: float) -> Told:
    """A hydrant's flow from 01:30 to 04:00."""
    town = Town()
    town.measures(town.put(HYD), "flow", *every(10 * MIN, FOUR_AT_NIGHT - 150 * MIN, FOUR_AT_NIGHT, flow))
    return town.said


def tank_falls(metres_an_hour: float, *, pump: bool = False) -> Told:
    """A tank falls for two hours, with a fire pump of the unit running or not."""
    town = Town()
    tank, pumps = town.put(TANK, 300), town.put(PUMPS)
    if pump:
        town.says(pumps, "pump_start", 0)
    for moment, _ in every(300, 0, 2 * HOUR, 0):
        town.measures(tank, "level", (moment, 3 - metres_an_hour * moment / HOUR))
        town.passes(moment)
    return town.said


# fire detectors -----------------------------------------------------------------------------------


def smokes_all_day(density: float) -> Told:
    town = Town()
    town.measures(town.put(SMOKE, HOUR), "smoke", *every(HOUR, 0, 30 * HOUR, density))
    return town.said


def removed_in(key_unit: float) -> Told:
    town = Town()
    town.says(town.put(SMOKE, unit_category="hospital" if key_unit else "homes"), "removed", 0)
    return own_alerts(town.said, "removed", "smoke-removed")


def own_alerts(said: Told, event: str, rule: str) -> Told:
    """Return an event's own alerts that got the words of ``rule``, under its name."""
    title = {"smoke-removed": "感烟探测器被拆除", "pump-fault": "消防泵故障"}[rule]
    mine = [each for each in said if each.rule == f"event:{event}"]
    assert len(mine) == 1  # its own alert comes with or without the rule
    return [_named(each, rule) for each in mine if each.title_zh == title]


def _named(verdict: Verdict, rule: str) -> Verdict:
    return Verdict(**{name: getattr(verdict, name) for name in Verdict.__slots__} | {"rule": rule})


def heats(degrees_a_minute: float) -> Told:
    town = Town()
    town.measures(town.put(HEAT, 30), "temperature", *[(s, 30 + degrees_a_minute * s / 60) for s in range(0, 121, 30)])
    return town.said


# electrical ---------------------------------------------------------------------------------------


def above_usual(milliamperes: float) -> Told:
    """Fifteen days at 120 mA, then so much more for half an hour."""
    town = Town()
    now = 15 * DAY
    device = town.put(ELEC, 600)
    town.measures(device, "residual_current", *every(HOUR, 0, now - HOUR, 120))
    for moment, value in every(600, now, now + 30 * MIN, 120 + milliamperes):
        town.measures(device, "residual_current", (moment, value))
    return town.said


def creeps(milliamperes_a_day: float) -> Told:
    town = Town()
    rows = [(hour * HOUR, 50 + milliamperes_a_day * hour / 24) for hour in range(7 * 24 + 1)]
    town.measures(town.put(ELEC, HOUR), "residual_current", *rows)
    return town.said


def cable_warms(degrees: float, *, start: float = 50, device: int | None = None, town: Town | None = None) -> Told:
    """A cable warms by so much in eight minutes, and stays so warm for one more."""
    town = town or Town()
    device = device or town.put(ELEC)
    rows = [*every(60, 0, 120, start), *every(60, 540, 600, start + degrees)]
    town.measures(device, "cable_temperature", *rows)
    return town.said


# quality ------------------------------------------------------------------------------------------


def stands_still(metric: str, value: float, kind: DeviceKind) -> Callable[[float], Told]:
    """So many hours the same, from the first reading that equals the one before it; each half hour a reading."""

    def tell(hours: float) -> Told:
        town, begin = Town(), last_of(10 * MIN, 0)
        device = town.put(kind, HOUR / 2)
        town.measures(device, metric, *every(HOUR / 2, begin, begin + 24 * HOUR, value))
        town.passes(begin + (hours + 0.5) * HOUR)
        return town.said

    return tell


def few_equal(readings: int) -> Told:
    """A circuit that reports each 80 minutes, so many times the same, then no more."""
    town = Town()
    town.measures(town.put(ELEC, 80 * MIN), "current", *every(80 * MIN, 0, 80 * MIN * readings, 31.0))
    town.passes(80 * MIN * readings + 3 * HOUR)
    return town.said


def shakes(megapascals: float) -> Told:
    """Pressure jumps up and down by so much for six hours: its standard deviation."""
    town = Town()
    rows = [(moment, 0.3 + megapascals * (-1) ** place) for place, (moment, _) in enumerate(every(150, 0, 6 * HOUR, 0))]
    town.measures(town.put(HYD, 150), "pressure", *rows)
    return town.said


def unbalanced(share: float, *, minutes: float = 10, mean: float = 20) -> Told:
    """One phase is that many % over the mean of the three, for so long."""
    town = Town()
    for number, phase in enumerate("abc", 1):
        town.registry.add_channel(phase, number)
    device = town.put(ELEC)
    away = mean * share / 100
    for moment, _ in every(60, 0, minutes * MIN, 0):
        town.phases(device, moment, mean - away / 2, mean - away / 2, mean + away)
    return town.said


def skewed(seconds: float) -> Told:
    town = Town()
    town.skews(town.put(HYD), seconds)
    town.passes(1)
    return town.said


def clock_stands(readings: float) -> Told:
    """So many readings in a row at a time that has a value."""
    town = Town()
    town.measures(device := town.put(ELEC), "current", (0, 5.0))
    town.measures(device, "current", *every(60, 60, 60 * readings, 5.0), quality=_STUCK)
    town.heard(device, 60 * readings)
    town.passes(60 * readings + 1)
    return town.said


_STUCK = int(Mark.CLOCK_STUCK)


def unbelievable(metric: str, value: float, kind: DeviceKind) -> Callable[[float], Told]:
    """So many readings in a row that nobody can believe."""

    def tell(readings: float) -> Told:
        town = Town()
        town.measures(town.put(kind), metric, *every(60, 60, 60 * readings, value), quality=BAD)
        return town.said

    return tell


def without_limits(lacking: float) -> Told:
    """A tank that speaks, whose file lacks so many of the two levels."""
    town = Town()
    levels = {"level_low": 1.2, "level_90": 2.7}
    tank = town.put(TANK, attributes=dict(list(levels.items())[int(lacking) :]))
    town.heard(tank, 0)
    town.passes(10)
    return town.said


def misses(messages: float) -> Told:
    """So many numbers missing within half an hour."""
    town = Town()
    device = town.put(HYD)
    town.numbers(device, [100, 101], 0)
    town.heard(device, 1800)
    town.passes(10)
    town.numbers(device, [102 + int(messages)], 1800)
    town.passes(1810)
    return town.said


# silence ------------------------------------------------------------------------------------------


def silent(kind: DeviceKind, interval: float) -> Callable[[float], Told]:
    """So many seconds since its last message."""

    def tell(seconds: float) -> Told:
        town = Town()
        town.heard(town.put(kind, interval), 0)
        town.passes(seconds)
        return town.said

    return tell


def never_spoke(seconds: float) -> Told:
    """So long after its registration, 100 days before START."""
    town = Town()
    town.put(HYD)
    town.passes(seconds - 100 * DAY)
    return town.said


def unit_falls_silent(devices: float) -> Told:
    """So many of ten devices of a unit."""
    town = Town()
    for place in range(10):
        town.heard(town.put(ELEC), 0 if place < devices else 600)
    town.passes(600)
    return town.said


def drains(days_left: float) -> Told:
    """A battery that loses 1 % a day, at its newest report."""
    town = Town()
    rows = [(hour * HOUR, days_left + (10 * 24 - hour) / 24) for hour in range(0, 10 * 24 + 1, 6)]
    town.measures(town.put(SMOKE, 6 * HOUR), "battery_percent", *rows)
    return town.said


# what devices say ---------------------------------------------------------------------------------


def without_power(kind: DeviceKind) -> Callable[[float], Told]:
    """So many of main and backup power are lost."""

    def tell(supplies: float) -> Told:
        town = Town()
        device = town.put(kind)
        for event in ("main_power_lost", "backup_power_lost")[: int(supplies)]:
            town.says(device, event, 0)
        town.passes(10)
        return town.said

    return tell


def shields(points: float) -> Told:
    town = Town()
    panel = town.put(PANEL)
    for point in range(int(points)):
        town.says(panel, "shielded", 0, component=f"1-{point}")
    return town.said


def faulty(pump_room: float) -> Told:
    town = Town()
    town.says(town.put(PUMPS if pump_room else PANEL), "fault", 0)
    return own_alerts(town.said, "fault", "pump-fault")


def by_hand(minutes: float) -> Told:
    town = Town()
    town.says(town.put(PUMPS), "manual_mode", 0)
    town.passes(minutes * MIN)
    return town.said


def not_started(event: str) -> Callable[[float], Told]:
    """So many days since its last start."""

    def tell(days: float) -> Told:
        town = Town()
        town.says(town.put(PUMPS), event, -40 * DAY)
        town.passes((days - 40) * DAY)
        return town.said

    return tell


# together -----------------------------------------------------------------------------------------


def water_and(alarms: float) -> Told:
    """A waterflow alarm in a building, with so many prealarms on another floor of it."""
    town = Town()
    town.says(town.put(PANEL, zone="b1/f1/z1"), "waterflow", 0)
    for _ in range(int(alarms)):
        town.says(town.put(SMOKE, zone="b1/f3/z1"), "prealarm", 600)
    return town.said


def smoke_and(degrees: float) -> Told:
    """A prealarm of smoke in a zone in which a cable warms by so much in eight minutes."""
    town = Town()
    town.says(town.put(SMOKE, zone="b1/f1/z1"), "prealarm", 0)
    return cable_warms(degrees, device=town.put(ELEC, zone="b1/f1/z1"), town=town)


def silent_after_warning(
    kind: DeviceKind, zone: str | None, interval: float = 60, silent_after: float = 180, *, warning: str = "prealarm"
) -> Callable[[float], Told]:
    """A warning; the last word of another device of the place comes so many seconds after it (before it: less than 0)."""

    def tell(seconds: float) -> Told:
        town = Town()
        other = town.put(kind, interval, zone=zone)
        detector = town.put(SMOKE, 60, zone=zone)
        town.heard(other, seconds)
        town.heard(detector, 0)
        town.says(detector, warning, 0)
        told = seconds + silent_after
        town.heard(detector, told)
        town.passes(told)
        return town.said

    return tell


def second_signal(seconds: float) -> Told:
    """Two fires of a zone so long apart: a verdict stands for the recommendation."""
    town = Town()
    first, second = (town.put(SMOKE, zone="b1/f1/z1") for _ in range(2))
    town.says(first, "fire", 0)
    town.says(second, "fire", seconds)
    signals = [
        Signal(number, ("unit", "b1/f1/z1"), (each.subject, ""), is_fire=True, is_confirmed=False, alarmed_at=each.at)
        for number, each in enumerate(town.said)
    ]
    within = confirms_within(town.engine.rulebook.rules)
    return [
        _named(town.said[number], "fire-second-signal")
        for number, other in confirmed(signals, within)
        if other is not None
    ]


STORIES = [
    Story("hydrant-pressure-falling", 4, falls, 0.06, 0.049, 0.05, True, "K"),
    Story("main-burst", 2, falls_along_a_main, 4, 2, 3, True, "K"),
    Story("main-pressure-low", 3, lambda count: low_on_a_main(0.13, count), 6, 4, 5, True, "GB 55036-2022 3.0.3"),
    Story("main-pressure-very-low", 2, lambda count: low_on_a_main(0.09, count), 4, 2, 3, True, "GB 55036-2022 3.0.3"),
    Story("hydrant-leaking", 4, runs_all_night, 0.21, 0.19, 0.2, False),
    Story("water-level-falling", 3, tank_falls, 0.11, 0.09, 0.10, False),
    Story("smoke-drift", 4, smokes_all_day, 0.051, 0.049, 0.05, False, "GB 4715-2024 5.7"),
    Story("smoke-contaminated", 3, smokes_all_day, 0.081, 0.079, 0.08, False),
    Story("smoke-removed", 2, removed_in, 1, 0, 1, True),
    Story("heat-rising", 2, heats, 9, 7.9, 8, True),
    Story("residual-current-unusual", 4, above_usual, 160, 149, 150, True),
    Story("residual-current-creeping", 4, creeps, 21, 19, 20, True),
    Story("electrical-phase-imbalance", 4, unbalanced, 31, 29.9, 30, True),
    Story("electrical-phase-imbalance", 3, unbalanced, 51, 49.9, 50, True),
    Story("cable-temperature-rising", 2, cable_warms, 11, 9.9, 10, True),
    Story("clock-wrong", 4, skewed, 61, 59, 60, False),
    Story("clock-stuck", 4, clock_stands, 3, 1, 2, True),
    Story("hydrant-pressure-implausible", 3, unbelievable("pressure", 312, HYD), 3, 1, 2, True),
    Story("value-implausible", 4, unbelievable("level", 140, TANK), 3, 1, 2, True),
    Story("water-level-no-limit", 4, without_limits, 2, 0, 1, True),
    Story("messages-missing", 4, misses, 21, 19, 20, True),
    Story("hydrant-pressure-stuck", 4, stands_still("pressure", 0.31, HYD), 24.4, 23.9, 24, True),
    Story("current-stuck", 4, stands_still("current", 31.0, ELEC), 24.4, 23.9, 24, True),
    Story("hydrant-pressure-noisy", 4, shakes, 0.06, 0.045, 0.05, False),
    Story("sleeping-smoke-silent", 4, silent(SMOKE, 24 * HOUR), 26 * HOUR, 24 * HOUR, 25 * HOUR, True, "K"),
    Story("sleeping-smoke-silent", 3, silent(SMOKE, 24 * HOUR), 51 * HOUR, 49 * HOUR, 50 * HOUR, True, "K"),
    Story("point-silent", 4, silent(ELEC, 60), 181, 179, 180, True),
    Story("panel-silent", 2, silent(PANEL, 20), 101, 99, 100, True, "K"),
    Story("gateway-silent", 2, silent(DeviceKind.GATEWAY, 60), 181, 179, 180, True),
    Story("never-seen", 3, never_spoke, 25 * HOUR, 23 * HOUR, 24 * HOUR, True, "K"),
    Story("unit-link-silent", 2, unit_falls_silent, 9, 7, 8, True),
    Story("battery-running-out", 3, drains, 6.5, 7.1, 7, False),
    Story("panel-power-lost", 2, without_power(PANEL), 2, 1, 2, True),
    Story("panel-many-shielded", 2, shields, 11, 9, 10, True),
    Story("pump-fault", 2, faulty, 1, 0, 1, True),
    Story("pump-manual-mode", 2, by_hand, 11, 9.9, 10, True),
    Story("pump-power-lost", 1, without_power(PUMPS), 2, 1, 2, True),
    Story("pump-not-started", 3, not_started("pump_start"), 9, 7.9, 8, True),
    Story("pump-not-started-by-hand", 4, not_started("manual_start"), 36, 34.9, 35, True),
    Story("fire-second-signal", 1, second_signal, 299, 301, 300, True),
    Story("fire-with-waterflow", 1, water_and, 2, 0, 1, True),
    Story("fire-smoke-and-hot-cable", 1, smoke_and, 11, 9.9, 10, True),
    Story("zone-silent-after-warning", 1, silent_after_warning(ELEC, "b1/f1/z1"), 599, 601, 600, True),
    Story("link-silent-after-warning", 1, silent_after_warning(PANEL, None), 599, 601, 600, True),
]

# looks like it and is not -------------------------------------------------------------------------


def heats_from(start: float) -> Told:
    """A room warms by 9 °C/min for two minutes."""
    town = Town()
    town.measures(town.put(HEAT, 30), "temperature", *[(s, start + 9 * s / 60) for s in range(0, 121, 30)])
    return town.said


def smokes_for(hours: float) -> Told:
    """Smoke of 0.5 dB/m for some hours of a day."""
    town = Town()
    device = town.put(SMOKE, HOUR)
    rows = [(hour * HOUR, 0.5 if 10 <= hour < 10 + hours else 0.02) for hour in range(30)]
    town.measures(device, "smoke", *rows)
    return town.said


def runs_by_day() -> Told:
    town = Town()
    town.measures(town.put(HYD), "flow", *every(10 * MIN, 0, 150 * MIN, 0.5))
    return town.said


def water_elsewhere() -> Told:
    town = Town()
    town.says(town.put(PANEL, zone="b1/f1/z1"), "waterflow", 0)
    town.says(town.put(SMOKE, zone="b2/f1/z1"), "prealarm", 1)
    town.says(town.put(SMOKE, unit="other", zone="b1/f1/z1"), "prealarm", 2)
    return town.said


def silent_before_warning() -> Told:
    town = Town()
    town.heard(town.put(ELEC, zone="b1/f1/z1"), 0)
    detector = town.put(SMOKE, zone="b1/f1/z1")
    town.heard(detector, 300)
    town.passes(300)
    town.says(detector, "prealarm", 301)
    return town.said


LOOKALIKES: list[tuple[str, str, Callable[[], Told]]] = [
    ("heat-rising", "a cold room that is heated", lambda: heats_from(10)),
    ("cable-temperature-rising", "a cable that was cold", lambda: cable_warms(20, start=20)),
    ("smoke-drift", "smoke of six hours", lambda: smokes_for(6)),
    ("main-burst", "hydrants that fall one every ten minutes", lambda: falls_along_a_main(4, apart=600)),
    ("main-burst", "three of eleven hydrants, 27 %", lambda: falls_along_a_main(3, of=11)),
    ("main-pressure-very-low", "six hydrants low, at 0.13 MPa", lambda: low_on_a_main(0.13, 6)),
    ("hydrant-leaking", "flow in the evening", runs_by_day),
    ("water-level-falling", "a fire pump that runs", lambda: tank_falls(0.3, pump=True)),
    ("hydrant-pressure-stuck", "a dry hydrant", lambda: stands_still("pressure", 0.0, HYD)(24.4)),
    ("electrical-phase-imbalance", "a nearly idle board", lambda: unbalanced(90, mean=4.9)),
    ("electrical-phase-imbalance", "a large motor that starts", lambda: unbalanced(90, minutes=9)),
    ("current-stuck", "an idle circuit", lambda: stands_still("current", 0.0, ELEC)(24.4)),
    ("current-stuck", "nineteen equal readings in a day", lambda: few_equal(19)),
    ("fire-with-waterflow", "water and smoke in other buildings", water_elsewhere),
    ("zone-silent-after-warning", "silence before the alarm", silent_before_warning),
]
