"""When self-tests are due and overdue by the centre's calendar, and which alerts tell of what lacks."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from firetower.alerts.duty.self_tests import Period, SelfTests
from firetower.alerts.selftests.findings import MOST_ALONE, Lack, Lacking, verdicts
from firetower.alerts.selftests.schedule import OF_CENTRE, Bounds, Done, Kind, Result, Standing, State, deadline
from firetower.core.clock import HOUR, Micros, from_datetime, to_datetime
from firetower.rules.verdicts import VerdictKind

CHINA = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
DAILY = Period(days=1)
TWICE_A_MONTH = Period(days=14, notice_days=3)


def at(text: str, zone: ZoneInfo = CHINA) -> Micros:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=zone))


def standing(last: str | None, since: str = "2026-01-01", result: Result = Result.PASSED) -> Standing:
    done = None if last is None else Done(1, Kind.CLOCKS, None, at(last), "olga", result)
    return Standing(Kind.CLOCKS, None, None, at(since), done)


def state(each: Standing, period: Period, now: str) -> State:
    return Bounds.at(period, at(now), CHINA).state(each)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-10T23:59:59", State.DONE),
        ("2026-03-11T00:00:00", State.DUE),
        ("2026-03-11T23:59:59", State.DUE),
        ("2026-03-12T00:00:00", State.OVERDUE),
    ],
)
def test_a_daily_one_is_due_the_next_day_and_overdue_when_that_is_over(now: str, expected: State) -> None:
    """Done late one evening, it need not be done by that hour of the next day, but by its end."""
    for done in ("2026-03-10T00:00", "2026-03-10T23:59"):
        assert state(standing(done), DAILY, now) is expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-11T23:59", State.DONE),
        ("2026-03-12T00:00", State.DUE),  # three days before the fourteenth after
        ("2026-03-15T23:59", State.DUE),
        ("2026-03-16T00:00", State.OVERDUE),
    ],
)
def test_a_unit_is_told_some_days_ahead(now: str, expected: State) -> None:
    assert state(standing("2026-03-01T15:00"), TWICE_A_MONTH, now) is expected


def test_what_was_never_done_is_due_at_once_and_not_overdue_on_its_first_day() -> None:
    new = standing(None, since="2026-03-10T22:00")
    assert state(new, DAILY, "2026-03-10T22:00") is State.DUE
    assert state(new, DAILY, "2026-03-11T23:59") is State.DUE
    assert state(new, DAILY, "2026-03-12T00:00") is State.OVERDUE
    assert deadline(new, DAILY, CHINA) == at("2026-03-12T00:00")


def test_a_failed_one_stands_until_it_is_passed_however_new() -> None:
    failed = standing("2026-03-10T10:00", result=Result.FAILED)
    assert state(failed, DAILY, "2026-03-10T10:01") is State.FAILED
    assert state(failed, DAILY, "2026-05-10T10:01") is State.FAILED
    assert state(standing("2026-03-10T10:05"), DAILY, "2026-03-10T10:06") is State.DONE


@pytest.mark.parametrize("period", [DAILY, TWICE_A_MONTH, Period(days=182, notice_days=14)])
@pytest.mark.parametrize("zone", [CHINA, BERLIN])
def test_over_a_year_it_is_overdue_from_its_deadline_on_and_never_before(period: Period, zone: ZoneInfo) -> None:
    """Also over the nights in which a clock changes, of which one day has 23 and one 25 hours."""
    for day in range(0, 366, 7):
        done = at((date(2026, 1, 1) + timedelta(days=day)).isoformat() + "T12:00", zone)
        each = Standing(Kind.CLOCKS, None, None, 0, Done(1, Kind.CLOCKS, None, done, "olga", Result.PASSED))
        end = deadline(each, period, zone)
        assert to_datetime(end).astimezone(zone).hour == 0
        assert Bounds.at(period, end - 1, zone).state(each) is State.DUE
        assert Bounds.at(period, end, zone).state(each) is State.OVERDUE
        assert Bounds.at(period, done + HOUR, zone).state(each) is State.DONE


def test_twice_a_month_is_at_least_that() -> None:
    """Whoever always waits for the last moment does it twice in every month of a year."""
    period = SelfTests().unit_fire_test
    assert period is not None
    for first in range(1, period.days + 1):
        day, months = date(2026, 1, first), []
        while day.year < 2027:
            months.append(day.month)
            day += timedelta(days=period.days)
        assert all(months.count(month) >= 2 for month in range(1, 13)), first


def test_the_plan_has_every_kind_and_refuses_what_would_always_be_due() -> None:
    assert set(Kind) == set(SelfTests.model_fields) - {"clock_error_s"}
    assert {*OF_CENTRE, Kind.UNIT_FIRE_TEST} == set(Kind)
    with pytest.raises(ValidationError, match="notice_days 1 is not under days 1"):
        SelfTests.model_validate({"clocks": {"days": 1, "notice_days": 1}})
    assert SelfTests.model_validate({"link_119": None}).link_119 is None


# What is told ------------------------------------------------------------------------------------


def lack(*units: str, count: int | None = None) -> Lack:
    first = [Lacking(Kind.UNIT_FIRE_TEST, unit, "", State.OVERDUE, "2026-03-01") for unit in units]
    return Lack(Kind.UNIT_FIRE_TEST, len(first) if count is None else count, first)


def told(lacks: list[Lack], now_standing: dict[str, int]) -> dict[str, tuple[VerdictKind, float | None]]:
    return {each.component: (each.kind, each.value) for each in verdicts(lacks, now_standing, 0)}


def test_few_units_are_alerts_of_their_own_raised_once_and_cleared_when_done() -> None:
    assert told([lack("a", "b")], {}) == {
        "unit_fire_test:a": (VerdictKind.RAISE, 1.0), "unit_fire_test:b": (VerdictKind.RAISE, 1.0),
    }  # fmt: skip
    assert told([lack("a", "b")], {"unit_fire_test:a": 1, "unit_fire_test:b": 1}) == {}
    assert told([lack("b")], {"unit_fire_test:a": 1, "unit_fire_test:b": 1}) == {
        "unit_fire_test:a": (VerdictKind.CLEAR, None)
    }
    assert told([lack()], {"link_119": 1}) == {"link_119": (VerdictKind.CLEAR, None)}


def test_many_units_are_one_alert_with_their_number_until_none_lacks() -> None:
    """Ten thousand units whose firm went away are one line, and it does not fall apart into many as they are done."""
    many = lack(*(f"u{n}" for n in range(10)), count=10_000)
    assert told([many], {"unit_fire_test:u1": 1}) == {
        "unit_fire_test": (VerdictKind.RAISE, 10_000.0), "unit_fire_test:u1": (VerdictKind.CLEAR, None),
    }  # fmt: skip
    assert told([many], {"unit_fire_test": 10_000}) == {}
    assert told([lack("u1")], {"unit_fire_test": 10_000}) == {"unit_fire_test": (VerdictKind.RAISE, 1.0)}
    assert told([lack()], {"unit_fire_test": 1}) == {"unit_fire_test": (VerdictKind.CLEAR, None)}
    (verdict,) = verdicts([many], {}, 0)
    assert "u9" in verdict.text
    assert "另有 9990 个" in verdict.text
    assert len(told([lack(*map(str, range(MOST_ALONE)))], {})) == MOST_ALONE
    assert len(told([lack(*map(str, range(MOST_ALONE + 1)))], {})) == 1


def test_what_is_told_says_since_when_and_what_to_do() -> None:
    never = Lack(Kind.LINK_119, 1, [Lacking(Kind.LINK_119, None, None, State.OVERDUE)])
    failed = Lack(Kind.CLOCKS, 1, [Lacking(Kind.CLOCKS, None, None, State.FAILED, "2026-03-01")])
    link, clocks = verdicts([never, failed], {}, 0)
    assert (link.component, link.priority, link.alert_class, link.latch) == ("link_119", 3, "fault", False)
    assert "never done" in link.text
    assert "逾期" in link.text
    assert "failed, last on 2026-03-01" in clocks.text
