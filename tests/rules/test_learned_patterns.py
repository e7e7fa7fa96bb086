"""What is usual at an hour of a kind of day: learned, waited for, not spoilt by what is wrong, and forgotten."""

import math

from test_derived import derived, fed

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND
from firetower.rules.measured.derived import Derived

MONDAY = 1_763_913_600 * SECOND  # 2025-11-24 00:00 in Shanghai


def hourly(made: Derived, day: int, value: float, hour: int = 8) -> float:
    """Two readings around ``value`` in an hour of a day after MONDAY; return what the second derived."""
    at = MONDAY + day * DAY + hour * HOUR
    return list(fed(made, [(0, at, value - 1), (0, at + 30 * MINUTE, value + 1)]).values())[-1]


def test_a_pattern_is_learned_by_hour_and_kind_of_day():
    """Three working days' eight o'clocks tell what is usual at eight on the fourth, not at nine nor on a Saturday."""
    made = derived(pattern={"learning": "3d"}, bound="50 x")
    assert [math.isnan(hourly(made, day, 10.0 * day)) for day in range(3)] == [True] * 3
    assert hourly(made, 3, 29) == 20  # 30 at the second reading; usual: the mean of 0, 10 and 20
    assert math.isnan(hourly(made, 3, 29, hour=9))
    assert math.isnan(hourly(made, 5, 29))
    assert hourly(made, 7, 29) == 30 - (0 + 10 + 20 + 29) / 4  # the next Monday


def test_a_pattern_waits_for_its_learning_time():
    """Three hours are not enough while the series is younger than that; nor is time, while there are two."""
    young = derived(pattern={"learning": "1d"})
    assert all(math.isnan(hourly(young, day, 10)) for day in range(3))
    made = derived(pattern={"learning": "4d"})
    for day in range(3):
        hourly(made, day, 10)
    at = MONDAY + 4 * DAY
    found = fed(made, [(0, at - 1, 10.0), (0, at + 8 * HOUR, 12.0)])
    assert math.isnan(found[0, at - 1])
    assert found[0, at + 8 * HOUR] == 2


def test_an_hour_beyond_the_mildest_limit_does_not_become_usual():
    """One reading of it is enough; at the limit itself ``above`` learns."""
    made = derived(pattern={"learning": "3d"}, bound="5 x")
    for day in (0, 1, 2):
        hourly(made, day, 10)
    assert hourly(made, 3, 15) == 6  # beyond, the second only
    assert hourly(made, 4, 14) == 5  # what was usual stayed so; at the limit
    assert hourly(made, 7, 10) == 11 - (10 + 10 + 10 + 14) / 4


def test_old_hours_fade_after_the_28th():
    """The 29th hour weighs a 28th, so that what is usual follows the season."""
    made = derived(pattern={"learning": "3d"}, bound="500 x")
    days = [day for day in range(60) if day % 7 < 5]
    for day in days[:28]:
        hourly(made, day, 0)
    hourly(made, days[28], 28)
    assert hourly(made, days[29], 0) == 1 - 1.0
