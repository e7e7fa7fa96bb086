"""What a rate is of nothing, which units must connect, and which days are put on record after an outage."""

from datetime import date, timedelta

import pytest

from firetower.core.clock import MINUTE
from firetower.devices.rates import GRACE, MOST_DAYS, is_late, must_connect, over, reaches, share


@pytest.mark.parametrize(
    ("part", "whole", "target", "rate", "reached"),
    [
        (0, 0, 0.9, None, None),  # of nothing: neither 0 nor 100 per cent, and no target missed
        (0, 3, 0.9, 0.0, False),
        (27, 30, 0.9, 0.9, True),  # exactly the target reaches it
        (899_999, 1_000_000, 0.9, 0.899999, False),
        (3, 3, 1.0, 1.0, True),
    ],
)
def test_a_rate_of_nothing_is_none_and_the_target_itself_is_reached(
    part: int, whole: int, target: float, rate: float | None, reached: bool | None
) -> None:
    assert share(part, whole) == rate
    assert reaches(share(part, whole), target) is reached


@pytest.mark.parametrize(
    ("given", "category", "must"),
    [(None, "mall", True), (None, "homes", False), (False, "mall", False), (True, "homes", True)],
)
def test_a_units_own_file_goes_over_its_category(given: bool | None, category: str, must: bool) -> None:
    assert must_connect(given, category) is must


D = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("frozen", "open_", "days"),
    [
        (None, None, 0),  # a new installation has no gap before its first day
        (None, D - timedelta(days=1), 1),
        (D - timedelta(days=1), None, 0),
        (D - timedelta(days=4), D - timedelta(days=3), 3),  # three days away: the last counted one and two gaps
        (D - timedelta(days=4000), None, MOST_DAYS),
        (D + timedelta(days=2), None, 0),  # a clock that was set back
    ],
)
def test_every_day_that_is_over_is_frozen_once_and_gaps_are_days_too(
    frozen: date | None, open_: date | None, days: int
) -> None:
    found = over(D, frozen, open_)
    assert list(found) == [D - timedelta(days=back) for back in range(days, 0, -1)]


def test_late_is_later_than_ten_minutes() -> None:
    assert [is_late(GRACE + more, 0) for more in (0, 1, MINUTE)] == [False, True, True]
