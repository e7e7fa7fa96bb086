"""Kinds of device, and the kind guessed for a stranger from the metrics it reports."""

from collections.abc import Iterable
from enum import StrEnum


class DeviceKind(StrEnum):
    """What a device is; the words are the contract's (``docs/key-unit.md``)."""

    HYDRANT = "hydrant"  # 消火栓
    WATER_CRANE = "water_crane"  # 消防水鹤
    WATER_POINT = "water_point"  # 天然取水点
    SMOKE = "smoke"  # 感烟
    HEAT = "heat"  # 感温
    GAS = "gas"  # 可燃气体
    ELECTRICAL = "electrical"  # 电气火灾监控
    WATER_LEVEL = "water_level"  # 水箱/水池液位
    PUMP_ROOM = "pump_room"  # 消防泵房
    PANEL = "panel"  # 火灾报警控制器
    GATEWAY = "gateway"  # 网关


KIND_NUMBER: dict[DeviceKind, int] = {kind: number for number, kind in enumerate(DeviceKind)}
"""Small integers for kind columns, in the order of the enumeration."""

_OF_ANY = frozenset({"temperature", "battery", "battery_percent", "rssi", "snr", "voltage", "current"})
"""What any device may report of itself: its air, its power, its signal."""
_WATER = frozenset({"pressure", "flow", "water_used", "level"})
METRICS_OF: dict[DeviceKind, frozenset[str]] = {
    DeviceKind.HYDRANT: _OF_ANY | _WATER,
    DeviceKind.WATER_CRANE: _OF_ANY | _WATER,
    DeviceKind.WATER_POINT: _OF_ANY | _WATER,
    DeviceKind.SMOKE: _OF_ANY | {"smoke"},
    DeviceKind.HEAT: _OF_ANY | {"smoke"},
    DeviceKind.GAS: _OF_ANY | {"gas"},
    DeviceKind.ELECTRICAL: _OF_ANY | {"residual_current", "cable_temperature"},
    DeviceKind.WATER_LEVEL: _OF_ANY | _WATER,
    DeviceKind.PUMP_ROOM: _OF_ANY | _WATER | {"residual_current", "cable_temperature"},
    DeviceKind.PANEL: _OF_ANY | _WATER | {"smoke", "gas", "residual_current", "cable_temperature"},
    DeviceKind.GATEWAY: _OF_ANY,
}
"""The metrics a device of that kind may have a sensor for; a panel, those of what is wired to it.

A rule on any other would watch nothing. It bounds no message: a reading is taken whatever the kind.
"""
_GUESSES: tuple[tuple[str, DeviceKind], ...] = (
    ("residual_current", DeviceKind.ELECTRICAL),
    ("cable_temperature", DeviceKind.ELECTRICAL),
    ("smoke", DeviceKind.SMOKE),
    ("gas", DeviceKind.GAS),
    ("level", DeviceKind.WATER_LEVEL),
    ("flow", DeviceKind.HYDRANT),
    ("water_used", DeviceKind.HYDRANT),
    ("pressure", DeviceKind.HYDRANT),
    ("current", DeviceKind.ELECTRICAL),
    ("voltage", DeviceKind.ELECTRICAL),
    ("temperature", DeviceKind.HEAT),
)


def guess_kind(metrics: Iterable[str]) -> DeviceKind:
    """Return the kind most likely to report these metric names; a panel when they tell nothing."""
    seen = set(metrics)
    for metric, kind in _GUESSES:
        if metric in seen:
            return kind
    return DeviceKind.PANEL
