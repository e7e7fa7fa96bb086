"""What a device can say in the alarm lane: event names, their class and priority, and one decoded event."""

from dataclasses import dataclass
from enum import StrEnum

from firetower.core.clock import Micros


class AlertClass(StrEnum):
    """What kind of wrong a thing is."""

    FIRE = "fire"  # 火警
    PREALARM = "prealarm"  # 疑似火警
    SUPERVISORY = "supervisory"  # 监管
    HAZARD = "hazard"  # 隐患(超限)
    FAULT = "fault"  # 故障
    OFFLINE = "offline"  # 离线
    QUALITY = "quality"  # 数据异常
    UNREADABLE = "unreadable"  # 无法解析


@dataclass(frozen=True, slots=True)
class EventMeaning:
    """What an event name means: ``alert_class`` None is recorded and raises no alert of its own."""

    alert_class: AlertClass | None
    priority: int
    latch: bool
    zh: str
    en: str


_FIRE, _PRE, _SUP = AlertClass.FIRE, AlertClass.PREALARM, AlertClass.SUPERVISORY
_HAZ, _FAULT = AlertClass.HAZARD, AlertClass.FAULT

EVENTS: dict[str, EventMeaning] = {
    "fire": EventMeaning(_FIRE, 1, True, "火警", "Fire alarm"),
    "manual_call": EventMeaning(_FIRE, 1, True, "手动报警按钮", "Manual call point"),
    "prealarm": EventMeaning(_PRE, 2, True, "疑似火警", "Prealarm"),
    "waterflow": EventMeaning(_PRE, 2, True, "水流动作", "Water flow"),
    "pump_start": EventMeaning(_PRE, 2, True, "消防泵启动", "Fire pump started"),
    "arc": EventMeaning(_PRE, 2, True, "故障电弧", "Arc fault"),
    "supervisory": EventMeaning(_SUP, 2, False, "监管", "Supervisory"),
    "valve_closed": EventMeaning(_SUP, 2, False, "阀门关闭", "Valve closed"),
    "shielded": EventMeaning(_SUP, 2, False, "屏蔽", "Shielded"),
    "gas": EventMeaning(_HAZ, 2, False, "可燃气体泄漏", "Combustible gas"),
    "fault": EventMeaning(_FAULT, 3, False, "故障", "Fault"),
    "removed": EventMeaning(_FAULT, 3, True, "设备被拆除", "Device removed"),
    "main_power_lost": EventMeaning(_FAULT, 3, False, "主电故障", "Main power lost"),
    "backup_power_lost": EventMeaning(_FAULT, 3, False, "备电故障", "Backup power lost"),
    "power_lost": EventMeaning(_FAULT, 3, False, "电源故障", "Power lost"),
    "low_battery": EventMeaning(_FAULT, 4, False, "电池电量低", "Low battery"),
    "tamper": EventMeaning(_HAZ, 3, True, "防拆报警", "Tamper"),
    "tilt": EventMeaning(_HAZ, 3, True, "倾斜", "Tilted"),
    "collision": EventMeaning(_HAZ, 3, True, "碰撞", "Collision"),
    "cover_open": EventMeaning(_HAZ, 3, True, "闷盖打开", "Cover open"),
    "leak": EventMeaning(_HAZ, 3, True, "漏水", "Leak"),
    "feedback": EventMeaning(None, 4, False, "反馈", "Feedback"),
    "reset": EventMeaning(None, 4, False, "复位", "Reset"),
    "test": EventMeaning(None, 4, False, "测试", "Test"),
    "manual_mode": EventMeaning(None, 4, False, "手动模式", "Manual mode"),
    "manual_start": EventMeaning(None, 4, False, "手动启泵", "Manual start"),
}

UNREADABLE = EventMeaning(AlertClass.UNREADABLE, 2, True, "无法解析的报警", "Unreadable alarm")


def meaning(event: str) -> EventMeaning:
    """Return what ``event`` means; an unknown name with ``fire`` or 火 is a fire, any other is unreadable."""
    known = EVENTS.get(event)
    if known is not None:
        return known
    if "fire" in event.lower() or "火" in event:
        return EventMeaning(AlertClass.FIRE, 1, True, f"火警({event})", f"Fire alarm ({event})")
    return UNREADABLE


@dataclass(frozen=True, slots=True)
class Event:
    """One alarm object as a device sent it.

    ``device_number`` is None when nobody registered the sender. ``at`` is the event time (arrival time where the
    device gave none that is usable). ``key`` identifies the event across redelivery, unique per sender
    (``unit`` and ``device``); None when the message had neither a usable time nor a ``seq``, so that a
    repeat can only be joined to an open alert. ``payload`` is kept for class ``unreadable``.
    """

    unit: str
    device: str
    device_number: int | None
    event: str
    active: bool
    component: str
    text: str
    at: Micros
    received_at: Micros
    key: str | None
    flags: tuple[str, ...] = ()
    payload: bytes | None = None
