"""Models of device, fictional: what radio each has, and the interval at which each kind reports."""

from typing import Literal

from firetower.devices.kinds import DeviceKind

Pace = Literal["demo", "realistic"]
Radio = Literal["nb_iot", "lora", "wired"]
RADIOS: tuple[Radio, ...] = ("nb_iot", "lora", "wired")

HYDRANT_MODELS = ("WT-H1 NB-IoT", "WT-H2 NB-IoT", "WT-HL LoRa")
SMART_HYDRANT = "WT-H2 NB-IoT"
"""The hydrant cap 智能闷盖 that also measures outflow and the temperature of its barrel."""
GATEWAY_MODEL = "WT-GW4"
THREE_PHASE = "WT-E3 3P"
"""The electrical monitor that reports cable temperature and current of phases a, b and c."""
MODELS: dict[DeviceKind, tuple[str, ...]] = {
    DeviceKind.SMOKE: ("WT-S1 NB-IoT", "WT-S2 LoRa", "WT-S9"),
    DeviceKind.HEAT: ("WT-T1",),
    DeviceKind.GAS: ("WT-G1", "WT-G2"),
    DeviceKind.ELECTRICAL: ("WT-E1", "WT-E1", THREE_PHASE),
    DeviceKind.WATER_LEVEL: ("WT-L4",),
    DeviceKind.PUMP_ROOM: ("WT-P2",),
    DeviceKind.PANEL: ("WT-JB3208",),
}
RADIO_OF: dict[str, Radio] = {
    "WT-H1 NB-IoT": "nb_iot",
    "WT-H2 NB-IoT": "nb_iot",
    "WT-HL LoRa": "lora",
    "WT-S1 NB-IoT": "nb_iot",
    "WT-S2 LoRa": "lora",
    "WT-S9": "wired",
    "WT-T1": "lora",
    "WT-G1": "wired",
    "WT-G2": "wired",
    "WT-E1": "wired",
    "WT-E3 3P": "wired",
    "WT-L4": "lora",
    "WT-P2": "wired",
    "WT-JB3208": "wired",
    "WT-GW4": "wired",
}
"""How a model speaks. NB-IoT has a line of its own to the city; LoRa and wired go through the unit's gateway."""

_INTERVALS: dict[DeviceKind, tuple[int, int]] = {
    DeviceKind.HYDRANT: (30, 900),
    DeviceKind.WATER_CRANE: (30, 900),
    DeviceKind.SMOKE: (20, 86_400),
    DeviceKind.HEAT: (20, 300),
    DeviceKind.GAS: (10, 60),
    DeviceKind.ELECTRICAL: (10, 60),
    DeviceKind.WATER_LEVEL: (15, 300),
    DeviceKind.PUMP_ROOM: (15, 60),
    DeviceKind.PANEL: (30, 30),
    DeviceKind.GATEWAY: (60, 120),
}


def interval(kind: DeviceKind, pace: Pace) -> int:
    """Return the seconds between two reports of a kind."""
    demo, realistic = _INTERVALS[kind]
    return demo if pace == "demo" else realistic


def radio(model: str | None) -> Radio:
    """Return how a device of ``model`` speaks; a model of nobody's knowledge is wired."""
    return RADIO_OF.get(model or "", "wired")
