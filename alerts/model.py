"""The alert: its states, holds, conditions, dispositions and clocks, and a transition of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from firetower.alerts.handover.model import HandedOver
from firetower.core.clock import Micros
from firetower.devices.events import AlertClass


class State(StrEnum):
    """ISA-18.2 / IEC 62682 states, by name."""

    UNACKNOWLEDGED = "unacknowledged"  # 未受理
    ACKNOWLEDGED = "acknowledged"  # 已受理
    RETURNED = "returned"  # 已恢复未受理
    CLOSED = "closed"  # 已办结


class Hold(StrEnum):
    """Why an alert is not in front of the operator; never anything but ``none`` for a fire."""

    NONE = "none"
    SHELVED = "shelved"  # 限时搁置
    SUPPRESSED = "suppressed"  # 设计抑制
    OUT_OF_SERVICE = "out_of_service"  # 停用


class Verification(StrEnum):
    """What looking into it gave 核实."""

    REAL = "real"  # 真实火警
    FALSE = "false"  # 误报
    UNVERIFIABLE = "unverifiable"  # 无法核实


class Method(StrEnum):
    """How it was verified."""

    PHONE = "phone"  # 电话回核
    VIDEO = "video"  # 视频复核
    ON_SITE = "on_site"  # 现场
    SECOND_SIGNAL = "second_signal"  # 第二信号


class Condition(StrEnum):
    """What the device says, whatever the state."""

    ACTIVE = "active"
    NORMAL = "normal"


class Disposition(StrEnum):
    """What it turned out to be."""

    REAL_FIRE = "real_fire"  # 真实火警
    FALSE_ALARM = "false_alarm"  # 误报
    TEST = "test"  # 测试
    DRILL = "drill"  # 演练
    MAINTENANCE = "maintenance"  # 维保
    HAZARD_FIXED = "hazard_fixed"  # 隐患已消除
    UNKNOWN = "unknown"  # 原因不明(非火警)


class Deadline(StrEnum):
    """What was not done in time."""

    SHOW = "showing_overdue"  # 超时未显示
    ACKNOWLEDGE = "acknowledgement_overdue"  # 超时未受理
    VERIFY = "verification_overdue"  # 超时未核实
    FORWARD = "forwarding_overdue"  # 无法核实且超时未转警
    RECEIPT = "receipt_overdue"  # 转警后超时未签收


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as stored. Times are µs since the epoch UTC; None where it has not happened.

    Key: (``rule``, ``subject_kind``, ``subject``, ``component``). ``version`` rises with state, hold, assignee,
    priority, occurrences, verification, forwarding and receipt, never with repeats or notes.
    ``unit``, ``device``, ``place``, ``lon``, ``lat`` are frozen
    when raised, and so are ``zone`` (``building/floor/zone`` within the unit), ``main`` and ``gateway`` (codes).
    ``place``: the registry's words; ``text``: the panel's. ``value``, ``limit_value``: in the metric's unit, or
    in that of ``figure``, what they are of the metric where they are derived (``rules.verdicts``).
    ``scene``: what may bring it together with others in one incident (``incidents.scene_of``); "" on what was raised
    before there were any. ``hold_reason``, ``held_until``, ``held_by``: of a hold, else None; ``window_id``: the
    announced window it was raised in or is held by; ``cause_id``: the alert that hides it, of hold ``suppressed``.
    ``escalation``: how often nobody answered in time. ``alarmed_at``: since when somebody is awaited: raised, risen,
    said again, unacknowledged again; ``missed``: deadlines that passed since, each of which escalates once.
    ``handover``: of its newest report to the command centre, None where there was none, or none is configured.
    """

    id: int
    rule: str
    rule_version: int
    subject_kind: str
    subject: str
    component: str
    alert_class: AlertClass
    priority: int
    latched: bool
    state: State
    hold: Hold
    condition: Condition
    disposition: Disposition | None
    cause: str | None
    unit: str | None
    unit_name: str | None
    device: str | None
    device_kind: str | None
    metric: str | None
    value: float | None
    limit_value: float | None
    title_zh: str
    title_en: str
    text: str
    place: str | None
    lon: float | None
    lat: float | None
    flags: tuple[str, ...]
    occurrences: int
    repeats: int
    version: int
    assignee: str | None
    device_at: Micros
    received_at: Micros
    raised_at: Micros
    condition_at: Micros
    last_event_at: Micros
    alarmed_at: Micros
    shown_at: Micros | None = None
    acknowledged_at: Micros | None = None
    acknowledged_by: str | None = None
    verified_at: Micros | None = None
    forwarded_at: Micros | None = None
    receipted_at: Micros | None = None
    closed_at: Micros | None = None
    closed_by: str | None = None
    zone: str | None = None
    main: str | None = None
    gateway: str | None = None
    scene: str = ""
    incident_id: int | None = None
    hold_reason: str | None = None
    held_until: Micros | None = None
    held_by: str | None = None
    window_id: int | None = None
    cause_id: int | None = None
    verification: Verification | None = None
    verified_by: str | None = None
    verify_method: Method | None = None
    escalation: int = 0
    missed: tuple[Deadline, ...] = ()
    figure: str = ""
    handover: HandedOver | None = None

    @property
    def is_fire(self) -> bool:
        """Whether promise 6 protects it."""
        return self.alert_class is AlertClass.FIRE

    @property
    def is_forwarded(self) -> bool:
        """Whether 119 is to come: it was forwarded, and that was not cancelled 撤警 since."""
        return self.forwarded_at is not None and not self.is_cancelled

    @property
    def is_cancelled(self) -> bool:
        """Whether its hand-over to 119 was cancelled 撤警 and not made again."""
        return self.handover is not None and self.handover.cancel is not None

    @property
    def held_by_design(self) -> bool:
        """Whether its rule's suppression by design holds it: ``hold_reason`` is ``rule:<id>`` or ``event:<name>``."""
        return self.hold is Hold.SUPPRESSED and (self.hold_reason or "").startswith(("rule:", "event:"))


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert: history, work queue and audit at once.

    ``old``: the state before, None when it was just raised. ``actor``: ``rule:<id>``, ``device``, ``timer`` or the
    account's name. ``reason``: raised, repeated, occurred_again, returned, acknowledged, noted, closed, …
    """

    old: State | None
    new: State
    at: Micros
    actor: str
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
