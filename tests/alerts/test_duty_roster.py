"""Who is planned for a shift: weeks, holidays, make-up days, swaps, and the change to summer time."""

from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firetower.alerts.performance import Roster
from firetower.alerts.watch.roster import DutyRoster, planned, problems
from firetower.core.clock import HOUR

SHIFTS = Roster()
WEEK = {
    "weekly": [
        {"weekdays": [1, 2, 3, 4, 5], "start": "08:00", "accounts": ["olga", "ada"]},
        {"weekdays": [1, 2, 3, 4, 5], "start": "20:00", "accounts": ["wang"]},
        {"weekdays": [6, 7], "start": "08:00", "accounts": ["li"]},
    ]
}


def roster(**more: Any) -> DutyRoster:
    return DutyRoster.model_validate(WEEK | more)


def who(plan: DutyRoster, shift_id: str, shifts: Roster = SHIFTS) -> tuple[str, ...]:
    shift = shifts.named(shift_id)
    assert shift is not None
    return tuple(planned(plan, shift).accounts)


def test_a_shift_has_the_people_of_its_day_of_the_week_and_nobody_where_none_are_named() -> None:
    plan = roster()
    assert who(plan, "2026-11-23T08:00") == ("olga", "ada")  # a Monday
    assert who(plan, "2026-11-27T20:00") == ("wang",)  # begins on Friday, ends on Saturday
    assert who(plan, "2026-11-28T08:00") == ("li",)
    assert who(plan, "2026-11-28T20:00") == ()


def test_a_holiday_goes_by_sunday_a_make_up_day_by_a_workday_and_a_swap_before_both() -> None:
    plan = roster(
        days=[
            {"day": "2026-10-01", "counts_as": 7, "reason": "国庆节"},
            {"day": "2026-10-10", "counts_as": 4, "reason": "调休"},
        ],
        shifts=[{"shift": "2026-10-01T08:00", "accounts": ["wang"], "reason": "for li"}],
    )
    assert who(plan, "2026-10-10T08:00") == ("olga", "ada"), "a Saturday that is worked"
    assert who(plan, "2026-10-01T20:00") == (), "a Thursday night that counts as Sunday's"
    assert who(plan, "2026-10-01T08:00") == ("wang",)
    shift = SHIFTS.named("2026-10-10T08:00")
    assert shift is not None
    assert planned(plan, shift).reason == "调休"


def test_over_a_change_to_summer_time_shifts_follow_each_other_with_their_people() -> None:
    berlin = Roster((time(8), time(20)), ZoneInfo("Europe/Berlin"))
    plan = DutyRoster.model_validate(
        {"weekly": [{"weekdays": [6], "start": "20:00", "accounts": ["olga"]},
                    {"weekdays": [7], "start": "08:00", "accounts": ["wang"]}]}
    )  # fmt: skip
    night = berlin.named("2026-03-28T20:00")
    assert night is not None
    assert night.end - night.begin == 11 * HOUR
    following = berlin.at(night.end)
    assert (tuple(planned(plan, night).accounts), tuple(planned(plan, following).accounts)) == (("olga",), ("wang",))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"weekly": [{"weekdays": [1], "start": "09:00", "accounts": ["li"]}]}, "FIRETOWER_SHIFTS has 08:00, 20:00"),
        ({"weekly": [WEEK["weekly"][0], WEEK["weekly"][0]]}, "day 1 at 08:00 stands twice"),
        ({"days": [{"day": "2026-10-01", "counts_as": 7}] * 2}, "2026-10-01 stands twice"),
        ({"shifts": [{"shift": "2026-10-01T09:00", "accounts": []}]}, "for example 2026-11-23T08:00"),
        ({"shifts": [{"shift": "2026-10-01T08:00", "accounts": []}] * 2}, "stands twice; keep one"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(more: dict[str, Any], told: str) -> None:
    found = list(problems(roster(**more), SHIFTS))
    assert any(told in each for each in found), found


def test_a_good_roster_has_no_problems_and_everybody_in_it_is_known() -> None:
    plan = roster(days=[{"day": date(2026, 10, 1), "counts_as": 7}])
    assert list(problems(plan, SHIFTS)) == []
    assert plan.accounts() == {"olga", "ada", "wang", "li"}
