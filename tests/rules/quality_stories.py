"""Stories of how devices report, and of phases out of balance: what trips each rule, and what only looks like it."""

from collections.abc import Callable

from shipped_stories import ELEC, HOUR, HYD, MIN, TANK, Story, Told
from town import BAD, Town, every, last_of

from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Mark


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


STORIES = [
    Story("electrical-phase-imbalance", 4, unbalanced, 31, 29.9, 30, True),
    Story("electrical-phase-imbalance", 3, unbalanced, 51, 49.9, 50, True),
    Story("clock-wrong", 4, skewed, 61, 59, 60, False),
    Story("clock-stuck", 4, clock_stands, 3, 1, 2, True),
    Story("hydrant-pressure-implausible", 3, unbelievable("pressure", 312, HYD), 3, 1, 2, True),
    Story("value-implausible", 4, unbelievable("level", 140, TANK), 3, 1, 2, True),
    Story("water-level-no-limit", 4, without_limits, 2, 0, 1, True),
    Story("messages-missing", 4, misses, 21, 19, 20, True),
    Story("hydrant-pressure-stuck", 4, stands_still("pressure", 0.31, HYD), 24.4, 23.9, 24, True),
    Story("current-stuck", 4, stands_still("current", 31.0, ELEC), 24.4, 23.9, 24, True),
    Story("hydrant-pressure-noisy", 4, shakes, 0.06, 0.045, 0.05, False),
]

LOOKALIKES: list[tuple[str, str, Callable[[], Told]]] = [
    ("hydrant-pressure-stuck", "a dry hydrant", lambda: stands_still("pressure", 0.0, HYD)(24.4)),
    ("electrical-phase-imbalance", "a nearly idle board", lambda: unbalanced(90, mean=4.9)),
    ("electrical-phase-imbalance", "a large motor that starts", lambda: unbalanced(90, minutes=9)),
    ("current-stuck", "an idle circuit", lambda: stands_still("current", 0.0, ELEC)(24.4)),
    ("current-stuck", "nineteen equal readings in a day", lambda: few_equal(19)),
]
