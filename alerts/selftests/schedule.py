"""When a self-test is due: by the days of the centre's calendar since it was last done.

Done on a day, it is due again ``notice_days`` before ``days`` days have passed, and overdue once they have passed, at
the end of that day. What was never done is due at once and overdue as if it had been done when it could first be: an
installation or a unit is not overdue on its first day. A failed one stands as failed until it is passed.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from firetower.alerts.duty.self_tests import Period
from firetower.core.clock import Micros, from_datetime, to_datetime


class Kind(StrEnum):
    """What is tested. Names of the duty plan's section ``self_tests``."""

    LINK_119 = "link_119"  # 与119的通信测试
    CLOCKS = "clocks"  # 时钟核对
    UNIT_FIRE_TEST = "unit_fire_test"  # 联网单位火警发送试验, of each unit that has a panel
    POWER_CHANGEOVER = "power_changeover"  # 主备电源切换, of the centre


OF_CENTRE = (Kind.LINK_119, Kind.CLOCKS, Kind.POWER_CHANGEOVER)
"""Those that are of the centre itself, and of no unit."""


class Result(StrEnum):
    """What came of it."""

    PASSED = "passed"  # 合格
    FAILED = "failed"  # 不合格


class State(StrEnum):
    """How a self-test stands."""

    DONE = "done"  # 已完成
    DUE = "due"  # 待完成
    OVERDUE = "overdue"  # 逾期
    FAILED = "failed"  # 不合格


@dataclass(frozen=True, slots=True)
class Done:
    """A self-test that was done, at ``at`` (µs) by the account ``by``, ``timer`` where nobody did."""

    id: int
    kind: Kind
    unit: str | None
    at: Micros
    by: str
    result: Result
    note: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One self-test of the centre or of a unit: since when it can be done, µs, and how it was done last."""

    kind: Kind
    unit: str | None
    unit_name: str | None
    since: Micros
    last: Done | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Last done before ``due`` it is due, before ``overdue`` it is overdue; µs, begins of the centre's days."""

    due: Micros
    overdue: Micros

    @classmethod
    def at(cls, period: Period, now: Micros, zone: ZoneInfo) -> "Bounds":
        """Return the bounds at ``now``."""
        today = to_datetime(now).astimezone(zone).date()
        due = _begin(today - timedelta(days=period.days - period.notice_days - 1), zone)
        return cls(due, _begin(today - timedelta(days=period.days), zone))

    def state(self, standing: Standing) -> State:
        """Say how it stands."""
        last = standing.last
        if last is not None and last.result is Result.FAILED:
            return State.FAILED
        since = standing.since if last is None else last.at
        if since < self.overdue:
            return State.OVERDUE
        return State.DUE if last is None or since < self.due else State.DONE


def deadline(standing: Standing, period: Period, zone: ZoneInfo) -> Micros:
    """Return until when it must be done next, µs: the end of a day of the centre."""
    since = standing.since if standing.last is None else standing.last.at
    day = to_datetime(since).astimezone(zone).date()
    return _begin(day + timedelta(days=period.days + 1), zone)


def _begin(day: date, zone: ZoneInfo) -> Micros:
    return from_datetime(datetime.combine(day, time(), zone))
