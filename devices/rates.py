"""Connection, online and intact rate 接入率、在线率、完好率: what is counted, and when a day is frozen.

A device is *watched* when it is in service, has reported at least once and stands in no maintenance window. Online and
intact rate are both of the watched ones, so that no device is in one and missing in the other; what was registered and
never reported, and what is in maintenance, is told beside them. The connection rate is of units. ``storage/rates.py``
counts; docs/decisions/0023-rates.md says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from firetower.core.clock import HOUR, MINUTE, Micros, from_datetime
from firetower.devices.city import UnitCategory
from firetower.devices.kinds import DeviceKind

MUST_CONNECT: tuple[UnitCategory, ...] = ("hospital", "mall", "school", "high_rise", "chemical", "hotel", "government")
"""Categories whose units must connect 应接入 where their file does not say: kinds of key unit (消防安全重点单位)
that have a control room or an IoT system (judgement)."""

LATELY: Micros = 25 * HOUR
"""A unit is connected while a device of it was heard within this, or within three of the device's intervals where that
is longer: an evening without power disconnects nobody, and a detector that reports once a day keeps its unit."""

WATER_KINDS: tuple[DeviceKind, ...] = (DeviceKind.HYDRANT, DeviceKind.WATER_CRANE, DeviceKind.WATER_POINT)
"""What is intact only while no hazard stands, too: what a city counts there is whether it gives water."""

GRACE: Micros = 10 * MINUTE
"""A day frozen later than this after its end is marked late."""

MOST_DAYS = 400
"""Most days that are caught up after an outage, the newest ones."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the rates are held against, shares of 1."""

    connection: float = 0.90
    online: float = 0.95
    intact: float = 0.90


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted, of a city, a grid, a kind of device or a unit.

    ``units_due``: that must connect; ``units_connected``: of these. ``devices``: watched; ``online``, ``intact``: of
    these. ``never_reported``, ``in_maintenance``: in service beside them.
    """

    units_due: int = 0
    units_connected: int = 0
    devices: int = 0
    online: int = 0
    intact: int = 0
    never_reported: int = 0
    in_maintenance: int = 0


def share(part: int, whole: int) -> float | None:
    """Return ``part`` of ``whole``; None of nothing, which is neither 0 nor 100 per cent."""
    return part / whole if whole else None


def reaches(rate: float | None, target: float) -> bool | None:
    """Say whether a rate reaches its target; None where there is no rate."""
    return None if rate is None else rate >= target


def must_connect(given: bool | None, category: str) -> bool:
    """Say whether a unit must connect: what its file says, else what its category says."""
    return category in MUST_CONNECT if given is None else given


# days -------------------------------------------------------------------------------------------


def begin_of(day: date, zone: ZoneInfo) -> Micros:
    """Return the midnight at which ``day`` begins in ``zone``."""
    return from_datetime(datetime.combine(day, datetime.min.time(), zone))


def is_late(frozen_at: Micros, end: Micros) -> bool:
    """Say whether a day that ended at ``end`` is frozen late."""
    return frozen_at - end > GRACE


def over(today: date, last_frozen: date | None, first_open: date | None) -> Sequence[date]:
    """Return the days that are over and not frozen, oldest first, at most MOST_DAYS of them.

    ``last_frozen``: the newest frozen day; ``first_open``: the oldest that was counted and not frozen. Days between,
    on which nobody counted, are among them: a gap is put on record as a gap. None lies before the first counted one.
    """
    first = first_open if last_frozen is None else last_frozen + timedelta(days=1)
    if first is None:
        return ()
    first = max(first, today - timedelta(days=MOST_DAYS))
    return tuple(first + timedelta(days=more) for more in range((today - first).days))
