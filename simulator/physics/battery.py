"""Batteries of devices without mains: used up by standing by and by every transmission, weaker in the cold."""

import numpy as np

from firetower.core.clock import DAY
from firetower.devices.city import City
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.models import Radio, interval, radio
from firetower.simulator.physics.weather import outdoor

STANDBY_MAH_DAY = 0.014 * 24  # 14 µA (an NB-IoT product, eltpayroll 1130)
TRANSMISSION_MAH: dict[Radio, float] = {"nb_iot": 0.10, "lora": 0.012, "wired": 0.0}
"""For one report (general knowledge: some hundred mA for a second or two; a LoRa frame is far shorter)."""
CAPACITY_MAH: dict[DeviceKind, float] = {
    DeviceKind.HYDRANT: 19_000.0,
    DeviceKind.WATER_CRANE: 19_000.0,
    DeviceKind.SMOKE: 1_600.0,
    DeviceKind.HEAT: 4_000.0,
    DeviceKind.WATER_LEVEL: 8_000.0,
}
LONGEST = 10 * 365 * DAY
CHANGED_AT = 45.0  # %: batteries are changed on a round, long before they are empty
FRESH_V, WORN_V = 3.66, 3.52  # a lithium cell keeps its voltage until near its end
COLD_V = 0.002  # V for each K below 20 °C
PANEL_FULL_V, PANEL_FLAT_V = 27.2, 21.0
PANEL_HOURS = 24.0  # a panel's battery carries it for a day (as NFPA 72 asks: 24 h standby)


class Batteries:
    """How far each device's battery is used up. A haste in the demo costs nothing: a kind's own interval counts."""

    def __init__(self, seed: int, city: City) -> None:
        self.seed = seed
        lives: dict[tuple[DeviceKind, Radio, int], int] = {}
        life = np.empty(len(city.devices), np.int64)
        for number, device in enumerate(city.devices):
            of = (device.kind, radio(device.model), device.interval_s)
            if of not in lives:
                lives[of] = _life(*of)
            life[number] = lives[of]
        self._life: Int64s = life

    def percent(self, i: Int64s, at: Int64s) -> Floats:
        """Return % left (n,)."""
        left: Floats = 100.0 - (100.0 - CHANGED_AT) * self._age(i, at)
        return left

    def volts(self, i: Int64s, at: Int64s, *, outside: bool) -> Floats:
        """Return V (n,); ``outside``: it stands in the weather."""
        cold = np.maximum(0.0, 20.0 - outdoor(self.seed, at)) if outside else np.zeros(len(i))
        voltage: Floats = FRESH_V - (FRESH_V - WORN_V) * self._age(i, at) - COLD_V * cold
        return voltage

    def _age(self, i: Int64s, at: Int64s) -> Floats:
        """Share of the time between two changes, 0 to 1."""
        between = self._life[i]
        begin = (noise.uniform(self.seed, "battery", i) * between).astype(np.int64)
        age: Floats = (at + begin) % between / between
        return age


def _life(kind: DeviceKind, which: Radio, interval_s: int) -> int:
    """µs between two changes of a battery."""
    reports = 86_400 / max(interval_s, interval(kind, "realistic"))
    a_day = STANDBY_MAH_DAY + TRANSMISSION_MAH[which] * reports
    days = CAPACITY_MAH.get(kind, 4_000.0) * (1 - CHANGED_AT / 100) / a_day
    return min(int(days * DAY), LONGEST)
