"""Models of device, fictional, and the interval at which each kind reports."""

from typing import Literal

from firetower.devices.kinds import DeviceKind

Pace = Literal["demo", "realistic"]

HYDRANT_MODELS = ("WT-H1 NB-IoT", "WT-H2 NB-IoT", "WT-HL LoRa")
GATEWAY_MODEL = "WT-GW4"
THREE_PHASE = "WT-E3 3P"
"""The electrical monitor that reports cable temperature and current of phases a, b and c."""
MODELS: dict[DeviceKind, tuple[str, ...]] = {
    DeviceKind.SMOKE: ("WT-S1 NB-IoT", "WT-S2 LoRa", "WT-S9"),
    DeviceKind.HEAT: ("WT-T1",),
    DeviceKind.GAS: ("WT-G1", "WT-G2"),
    DeviceKind.ELECTRICAL: ("WT-E1", "WT-E1", THREE_PHASE),
    DeviceKind.WATER_LEVEL: ("WT-L4",),
}

_INTERVALS: dict[DeviceKind, tuple[int, int]] = {
    DeviceKind.HYDRANT: (30, 900),
    DeviceKind.WATER_CRANE: (30, 900),
    DeviceKind.SMOKE: (20, 86_400),
    DeviceKind.HEAT: (20, 300),
    DeviceKind.GAS: (10, 60),
    DeviceKind.ELECTRICAL: (10, 60),
    DeviceKind.WATER_LEVEL: (15, 300),
    DeviceKind.GATEWAY: (60, 120),
}


def interval(kind: DeviceKind, pace: Pace) -> int:
    """Return the seconds between two reports of a kind."""
    demo, realistic = _INTERVALS[kind]
    return demo if pace == "demo" else realistic
