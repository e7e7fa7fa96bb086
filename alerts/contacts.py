"""Whom to call: contacts of a unit, a grid, a micro fire station or the centre, by role and hour."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.devices.contacts import Role

__all__ = ["CALL_ORDER", "Contact", "ContactScope", "Hours", "Reach", "Role", "on_call", "reach", "to_call"]

_DAY_MINUTES = 1440


class ContactScope(StrEnum):
    """Whose contact it is."""

    UNIT = "unit"
    GRID = "grid"
    STATION = "station"  # 微型消防站
    CENTRE = "centre"


CALL_ORDER = (
    Role.CONTROL_ROOM,
    Role.KEEPER,
    Role.MANAGER,
    Role.RESPONSIBLE,
    Role.STATION,
    Role.GRID_WORKER,
    Role.DUTY_LEAD,
    Role.ON_CALL,
)
"""Whom an operator calls first: whoever is at the place, then who answers for it, who can get there, and our own."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody can be reached, by the centre's clock: days 1 (Monday) to 7, from minute to minute of the day.

    ``until`` at or before ``since`` means past midnight, on the days that it begins.
    """

    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    since: int = 0
    until: int = _DAY_MINUTES

    def hold(self, local: datetime) -> bool:
        """Say whether they are on at an instant of the centre's clock; an hour that a clock has twice counts twice."""
        day, minute = local.isoweekday(), local.hour * 60 + local.minute
        if self.until > self.since:
            return day in self.days and self.since <= minute < self.until
        yesterday = (day - 2) % 7 + 1
        return (day in self.days and minute >= self.since) or (yesterday in self.days and minute < self.until)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or a desk that is called. ``order``: the smaller one first; ``addresses``: by kind of channel
    (``phone``, ``sms``, ``email``, or the name of a channel of the duty plan). ``of``: the code of the unit, grid or
    station, "" of the centre. ``distance_m``: of a station's: how far that is from the place asked for, in metres.
    """

    id: int
    scope: ContactScope
    of: str
    role: Role
    name: str
    addresses: dict[str, str] = field(default_factory=dict)
    hours: tuple[Hours, ...] = ()
    order: int = 1
    language: str = "zh"
    distance_m: float | None = None

    @property
    def phone(self) -> str | None:
        """The number to dial; None where there is none."""
        return self.addresses.get("phone")


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether somebody can be called now. ``why``: ``off_hours`` or ``no_phone``, "" when they can.

    ``from_at``: when their next hours begin, µs; None where that is now or never.
    """

    now: bool
    why: str = ""
    from_at: Micros | None = None


def on_call(contacts: Sequence[Contact], role: Role, at: Micros, zone: ZoneInfo) -> list[Contact]:
    """Return the contacts of ``role`` whose hours hold at ``at`` by the clock of ``zone``, in the order to call them.

    Over whatever channel: one without a telephone is among them.
    """
    local = to_datetime(at).astimezone(zone)
    return sorted((each for each in contacts if each.role is role and _in_hours(each, local)), key=_rank)


def reach(contact: Contact, at: Micros, zone: ZoneInfo) -> Reach:
    """Say whether ``contact`` can be called at ``at``, why not, and from when."""
    if contact.phone is None:
        return Reach(now=False, why="no_phone")
    local = to_datetime(at).astimezone(zone)
    if _in_hours(contact, local):
        return Reach(now=True)
    later = min((begin for hours in contact.hours for begin in _begins(hours, local) if begin > at), default=None)
    return Reach(now=False, why="off_hours", from_at=later)


def to_call(contacts: Sequence[Contact], at: Micros, zone: ZoneInfo) -> list[tuple[Contact, Reach]]:
    """Return whom to call at ``at``: who can be reached before who cannot, then by role and order."""
    known = [(each, reach(each, at, zone)) for each in contacts]
    return sorted(known, key=lambda pair: (not pair[1].now, CALL_ORDER.index(pair[0].role), _rank(pair[0])))


def _in_hours(contact: Contact, local: datetime) -> bool:
    return not contact.hours or any(hours.hold(local) for hours in contact.hours)


def _rank(contact: Contact) -> tuple[float, int, str, int]:
    return (contact.distance_m or 0.0, contact.order, contact.name, contact.id)


def _begins(hours: Hours, local: datetime) -> Iterator[Micros]:
    """Yield when ``hours`` begin on the days from ``local`` on, a week and a day."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    for ahead in range(9):
        day = midnight + timedelta(days=ahead)  # by the wall clock, also where it changes
        if day.isoweekday() in hours.days:
            yield from_datetime(day + timedelta(minutes=hours.since))
