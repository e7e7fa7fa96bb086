"""What trips each shipped rule, what must not, and what the exact limit does: one story a rule and priority.

A story is told with a figure: how low, how many, how long. The figures are those of the standards, written out here.
Rules that compare a value as measured stand in ``test_shipped_limits.py``, those on fire from several devices in
``fire_stories.py``, those on how a device reports and on phases in ``quality_stories.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from town import SECONDS, Town, every

from firetower.devices.kinds import DeviceKind
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
    return [named(each, rule) for each in mine if each.title_zh == title]


def named(verdict: Verdict, rule: str) -> Verdict:
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


def unit_with_sleepers_falls_silent(devices: float) -> Told:
    """So many of the six devices of a unit that report each minute; four more report once a day."""
    town = Town()
    for place in range(6):
        town.heard(town.put(ELEC), 0 if place < devices else 600)
    for _ in range(4):
        town.heard(town.put(SMOKE, DAY), 0)
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
    Story("cable-temperature-rising", 2, cable_warms, 11, 9.9, 10, True),
    Story("sleeping-smoke-silent", 4, silent(SMOKE, 24 * HOUR), 26 * HOUR, 24 * HOUR, 25 * HOUR, True, "K"),
    Story("sleeping-smoke-silent", 3, silent(SMOKE, 24 * HOUR), 51 * HOUR, 49 * HOUR, 50 * HOUR, True, "K"),
    Story("point-silent", 4, silent(ELEC, 60), 181, 179, 180, True),
    Story("panel-silent", 2, silent(PANEL, 20), 101, 99, 100, True, "K"),
    Story("gateway-silent", 2, silent(DeviceKind.GATEWAY, 60), 181, 179, 180, True),
    Story("never-seen", 3, never_spoke, 25 * HOUR, 23 * HOUR, 24 * HOUR, True, "K"),
    Story("unit-link-silent", 2, unit_falls_silent, 9, 7, 8, True),
    Story("unit-link-silent", 2, unit_with_sleepers_falls_silent, 6, 4, 5, True),
    Story("battery-running-out", 3, drains, 6.5, 7.1, 7, False),
    Story("panel-power-lost", 2, without_power(PANEL), 2, 1, 2, True),
    Story("panel-many-shielded", 2, shields, 11, 9, 10, True),
    Story("pump-fault", 2, faulty, 1, 0, 1, True),
    Story("pump-manual-mode", 2, by_hand, 11, 9.9, 10, True),
    Story("pump-power-lost", 1, without_power(PUMPS), 2, 1, 2, True),
    Story("pump-not-started", 3, not_started("pump_start"), 9, 7.9, 8, True),
    Story("pump-not-started-by-hand", 4, not_started("manual_start"), 36, 34.9, 35, True),
]

# looks like it and is not -------------------------------------------------------------------------


def heats_from(start: float) -> Told:
    """A room warms by 9 °C/min for two minutes."""
    town = Town()
    town.measures(town.put(HEAT, 30), "temperature", *[(s, start + 9 * s / 60) for s in range(0, 121, 30)])
    return town.said


def jumps(kind: DeviceKind, metric: str, usual: float, higher: float, interval: float) -> Callable[[], Told]:
    """One reading that is so much higher than all others."""

    def tell() -> Told:
        town = Town()
        device = town.put(kind, interval)
        town.measures(device, metric, *every(interval, 0, 10 * interval, usual), (11 * interval, usual + higher))
        town.passes(11 * interval + 1)
        town.measures(device, metric, *every(interval, 12 * interval, 20 * interval, usual))
        return town.said

    return tell


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


LOOKALIKES: list[tuple[str, str, Callable[[], Told]]] = [
    ("heat-rising", "a cold room that is heated", lambda: heats_from(10)),
    ("cable-temperature-rising", "a cable that was cold", lambda: cable_warms(20, start=20)),
    *(("heat-rising", "one reading that jumps", jumps(HEAT, "temperature", 42, 17, each)) for each in (20, 30, 60)),
    ("cable-temperature-rising", "one reading that jumps", jumps(ELEC, "cable_temperature", 56, 11, 60)),
    ("smoke-drift", "smoke of six hours", lambda: smokes_for(6)),
    ("main-burst", "hydrants that fall one every ten minutes", lambda: falls_along_a_main(4, apart=600)),
    ("main-burst", "three of eleven hydrants, 27 %", lambda: falls_along_a_main(3, of=11)),
    ("main-pressure-very-low", "six hydrants low, at 0.13 MPa", lambda: low_on_a_main(0.13, 6)),
    ("hydrant-leaking", "flow in the evening", runs_by_day),
    ("water-level-falling", "a fire pump that runs", lambda: tank_falls(0.3, pump=True)),
]
