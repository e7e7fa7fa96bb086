"""The duty roster 排班: who is planned for which shift, week by week, with holidays, make-up days and swaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from firetower.alerts.performance import Roster, Shift

Weekday = Annotated[int, Field(ge=1, le=7)]
_Account = Annotated[str, Field(min_length=1, max_length=64)]
_Reason = Annotated[str, Field(max_length=200)]
_People = Annotated[tuple[_Account, ...], Field(max_length=50)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Weekly(_Part):
    """Who works on these days of the week, in the shift that begins at ``start``, ``08:00``."""

    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = Field(
        description="1 Monday to 7 Sunday"
    )
    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="local time at which the shift begins")
    accounts: _People


class Day(_Part):
    """A day that goes by another's rule: a holiday by Sunday's, a make-up day 调休 by a workday's."""

    day: date
    counts_as: Weekday = Field(description="1 Monday to 7 Sunday")
    reason: _Reason = ""


class Swap(_Part):
    """One shift whose people are others than the week says: a swap 换班, or somebody ill."""

    shift: str = Field(max_length=16, description="its id", examples=["2026-11-23T08:00"])
    accounts: _People
    reason: _Reason = ""


class DutyRoster(_Part):
    """The whole of it. What is named for one shift goes before its day, and that before the week."""

    weekly: Annotated[tuple[Weekly, ...], Field(max_length=100)] = ()
    days: Annotated[tuple[Day, ...], Field(max_length=2000)] = ()
    shifts: Annotated[tuple[Swap, ...], Field(max_length=2000)] = ()

    def accounts(self) -> set[str]:
        """Return everybody who is named."""
        named = [each.accounts for each in self.weekly] + [each.accounts for each in self.shifts]
        return {name for accounts in named for name in accounts}


@dataclass(frozen=True, slots=True)
class Planned:
    """Who is planned for a shift; ``reason``: why it is not as every week, else ""."""

    shift: Shift
    accounts: Sequence[str]
    reason: str


def planned(roster: DutyRoster, shift: Shift) -> Planned:
    """Return who is planned for a shift; nobody where the roster says nothing of it."""
    day, _, start = shift.id.partition("T")
    for swap in roster.shifts:
        if swap.shift == shift.id:
            return Planned(shift, swap.accounts, swap.reason)
    on = date.fromisoformat(day)
    other = next((each for each in roster.days if each.day == on), None)
    weekday = on.isoweekday() if other is None else other.counts_as
    reason = "" if other is None else other.reason
    for rule in roster.weekly:
        if weekday in rule.weekdays and rule.start == start:
            return Planned(shift, rule.accounts, reason)
    return Planned(shift, (), reason)


def problems(roster: DutyRoster, shifts: Roster) -> Iterator[str]:
    """Yield what is wrong with a roster beside its types, each with its place and the remedy."""
    starts = [start.isoformat("minutes") for start in shifts.starts]
    seen: set[tuple[int, str]] = set()
    for number, rule in enumerate(roster.weekly, 1):
        if rule.start not in starts:
            yield (f"weekly[{number}].start: no shift begins at {rule.start}; FIRETOWER_SHIFTS has {', '.join(starts)}")
        for weekday in rule.weekdays:
            if (weekday, rule.start) in seen:
                yield f"weekly[{number}]: day {weekday} at {rule.start} stands twice; name all its people in one entry"
            seen.add((weekday, rule.start))
    days = [each.day for each in roster.days]
    for number, each in enumerate(roster.days, 1):
        if days.index(each.day) != number - 1:
            yield f"days[{number}]: {each.day} stands twice; keep one of them"
    names = [each.shift for each in roster.shifts]
    for number, name in enumerate(names, 1):
        if shifts.named(name) is None:
            yield f"shifts[{number}].shift: no shift begins at {name!r}; write {_example(starts)}"
        elif names.index(name) != number - 1:
            yield f"shifts[{number}]: shift {name} stands twice; keep one of them"


def _example(starts: Sequence[str]) -> str:
    return f"for example 2026-11-23T{starts[0]}"
