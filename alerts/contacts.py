"""Whom to call: contacts of a unit, a grid, a micro fire station or the centre, by role and hour."""

from dataclasses import dataclass, field
from enum import StrEnum


class ContactScope(StrEnum):
    """Whose contact it is."""

    UNIT = "unit"
    GRID = "grid"
    STATION = "station"  # 微型消防站
    CENTRE = "centre"


class Role(StrEnum):
    """What somebody is to a place that alarms."""

    CONTROL_ROOM = "control_room"  # 消控室值班员, of a unit
    RESPONSIBLE = "responsible"  # 消防安全责任人, of a unit
    MANAGER = "manager"  # 消防安全管理人, of a unit
    KEEPER = "keeper"  # 看护人: a household's, a hydrant's
    GRID_WORKER = "grid_worker"  # 网格员, of a grid
    STATION = "station"  # 微型消防站, the nearest
    DUTY_LEAD = "duty_lead"  # 值班长, of the centre
    ON_CALL = "on_call"  # 备勤, of the centre: who is called when nobody sits at a seat


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody can be reached, by the centre's clock: days 1 (Monday) to 7, from minute to minute of the day.

    ``until`` at or before ``since`` means past midnight, on the days that it begins.
    """

    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    since: int = 0
    until: int = 1440


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or a desk that is called. ``order``: the smaller one first; ``addresses``: by kind of channel
    (``phone``, ``sms``, ``email``, or the name of a channel of the duty plan).
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
