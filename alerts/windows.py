"""Announced windows 公告窗口: tests, drills, maintenance, impairments and hydrant-use permits, and what they cover."""

from dataclasses import dataclass
from enum import StrEnum

from firetower.core.clock import HOUR, Micros

LONGEST_TEST: Micros = 4 * HOUR
"""The longest a test may be announced for."""


class WindowKind(StrEnum):
    """What is announced."""

    TEST = "test"  # 测试
    DRILL = "drill"  # 演练
    MAINTENANCE = "maintenance"  # 维保
    IMPAIRMENT = "impairment"  # 消防设施停用
    WATER_PERMIT = "water_permit"  # 消火栓用水许可


class WindowState(StrEnum):
    """Where a window stands; it follows from its times and from what was decided."""

    REQUESTED = "requested"  # 待审批
    REFUSED = "refused"  # 未批准
    PLANNED = "planned"  # 待生效
    ACTIVE = "active"  # 生效中
    ENDED = "ended"  # 已结束


@dataclass(frozen=True, slots=True)
class Where:
    """Where a point is, by codes; None or "" where nobody registered it. ``zone``: ``building/floor/zone``."""

    unit: str | None = None
    zone: str | None = None
    device: str | None = None
    component: str = ""
    main: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One announced window. Times in µs.

    It covers ``unit``, or within it ``zone`` (``building``, ``building/floor`` or ``building/floor/zone``), ``device``,
    and of that ``component``; a permit may cover a water ``main`` instead. ``person``: who asked, as named on the
    phone. ``measure``: what protects meanwhile (临时防范措施), of an impairment. In force from ``starts_at`` to
    ``ends_at`` once ``approved_by`` somebody of the centre, until ``ended_at`` if that is earlier.
    """

    id: int
    kind: WindowKind
    unit: str | None
    zone: str | None
    device: str | None
    component: str | None
    main: str | None
    starts_at: Micros
    ends_at: Micros
    reason: str
    measure: str | None
    person: str | None
    requested_by: str
    requested_at: Micros
    approved_by: str | None = None
    approved_at: Micros | None = None
    refused_by: str | None = None
    refused_at: Micros | None = None
    refusal: str | None = None
    ended_by: str | None = None
    ended_at: Micros | None = None

    def state(self, now: Micros) -> WindowState:
        """Return where the window stands at ``now``."""
        if self.refused_at is not None:
            return WindowState.REFUSED
        if self.ended_at is not None or now >= self.ends_at:
            return WindowState.ENDED
        if self.approved_at is None:
            return WindowState.REQUESTED
        return WindowState.ACTIVE if now >= self.starts_at else WindowState.PLANNED

    def covers(self, where: Where) -> bool:
        """Say whether a point lies within; a point whose zone nobody registered lies in no zone."""
        if self.main is not None and where.main != self.main:
            return False
        if self.unit is not None and where.unit != self.unit:
            return False
        if self.zone is not None and not _within(self.zone, where.zone):
            return False
        if self.device is not None and where.device != self.device:
            return False
        return self.component is None or where.component == self.component


def _within(outer: str, inner: str | None) -> bool:
    return inner is not None and (inner == outer or inner.startswith(f"{outer}/"))
