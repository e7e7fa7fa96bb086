"""Stories of fires that several devices tell together: what trips each rule, and what only looks like it."""

from collections.abc import Callable

from shipped_stories import ELEC, HOUR, PANEL, SMOKE, Story, Told, cable_warms, named
from town import Town

from firetower.alerts.correlate import Signal, confirmed, confirms_within
from firetower.devices.kinds import DeviceKind

Z1 = "b1/f1/z1"


def water_and(alarms: float) -> Told:
    """A waterflow alarm in a building, with so many prealarms on another floor of it."""
    town = Town()
    town.says(town.put(PANEL, zone="b1/f1/z1"), "waterflow", 0)
    for _ in range(int(alarms)):
        town.says(town.put(SMOKE, zone="b1/f3/z1"), "prealarm", 600)
    return town.said


def water_with(event: str, kind: DeviceKind = PANEL) -> Callable[[float], Told]:
    """Water flows in a building; so many times something else is said there. The first alarm, said again, is none."""

    def tell(others: float) -> Told:
        town = Town()
        panel, other = town.put(PANEL, zone="b1/f1/z1"), town.put(kind, zone="b1/f2/z1")
        for seconds in (0, 5):
            town.says(panel, "waterflow", seconds, component="1-1")
        for place in range(int(others)):
            town.says(other, event, 10, component=f"2-{place}")
        return town.said

    return tell


def smoke_and(degrees: float) -> Told:
    """A prealarm of smoke in a zone in which a cable warms by so much in eight minutes."""
    town = Town()
    town.says(town.put(SMOKE, zone="b1/f1/z1"), "prealarm", 0)
    return cable_warms(degrees, device=town.put(ELEC, zone="b1/f1/z1"), town=town)


def silent_after_warning(
    kind: DeviceKind, zone: str | None, interval: float = 60, silent_after: float = 180, *, warning: str = "prealarm"
) -> Callable[[float], Told]:
    """A warning, and so many seconds later (less than 0: before it) the last word of another device of the place."""

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


def passes_on(component: str) -> Callable[[float], Told]:
    """One panel says that water flows and, so many times, that another point of it is in alarm."""

    def tell(others: float) -> Told:
        town = Town()
        panel = town.put(PANEL, zone="b1/f1/z1")
        town.says(panel, "waterflow", 0, component="1-1")
        for _ in range(int(others)):
            town.says(panel, "prealarm", 5, component=component)
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
        named(town.said[number], "fire-second-signal")
        for number, other in confirmed(signals, within)
        if other is not None
    ]


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


STORIES = [
    Story("fire-second-signal", 1, second_signal, 299, 301, 300, True),
    Story("fire-with-waterflow", 1, water_and, 2, 0, 1, True),
    Story("fire-smoke-and-hot-cable", 1, smoke_and, 11, 9.9, 10, True),
    Story("zone-silent-after-warning", 1, silent_after_warning(ELEC, Z1), 599, 601, 600, True),
    Story("link-silent-after-warning", 1, silent_after_warning(PANEL, None), 599, 601, 600, True),
    Story("fire-with-waterflow", 1, water_with("waterflow"), 1, 0, 1, True),
    Story("fire-with-waterflow", 1, water_with("pump_start", DeviceKind.PUMP_ROOM), 1, 0, 1, True),
    Story("fire-with-waterflow", 1, water_with("fire_zone3"), 1, 0, 1, True),
    Story("fire-with-waterflow", 1, water_with("火警"), 1, 0, 1, True),
    Story("fire-with-waterflow", 1, passes_on("1-2"), 1, 0, 1, True),
    Story("zone-silent-after-warning", 1, silent_after_warning(ELEC, Z1, 900, 2700), 599, 601, 600, True),
    Story("zone-silent-after-warning", 1, silent_after_warning(ELEC, Z1), -59, -61, -60, True),
    Story("zone-silent-after-warning", 1, silent_after_warning(ELEC, Z1, 900, 2700), -899, -901, -900, True),
    Story("zone-silent-after-warning", 1, silent_after_warning(SMOKE, Z1, 24 * HOUR, 25 * HOUR), 599, 601, 600, True),
    Story("zone-silent-after-warning", 1, silent_after_warning(ELEC, Z1, warning="fire_zone3"), 599, 601, 600, True),
    Story("link-silent-after-warning", 1, silent_after_warning(DeviceKind.GATEWAY, None), 599, 601, 600, True),
    Story("link-silent-after-warning", 1, silent_after_warning(PANEL, None, 600, 1800), 599, 601, 600, True),
    Story("link-silent-after-warning", 1, silent_after_warning(PANEL, None, warning="pump_start"), 599, 601, 600, True),
    Story("link-silent-after-warning", 1, silent_after_warning(PANEL, None, warning="arc"), 599, 601, 600, True),
]

LOOKALIKES: list[tuple[str, str, Callable[[], Told]]] = [
    ("fire-with-waterflow", "water and smoke in other buildings", water_elsewhere),
    ("zone-silent-after-warning", "silence before the alarm", silent_before_warning),
]
