"""What each device measures at each instant: physics with noise, a function of (seed, device, time) alone.

Quiet signals keep clear of every limit of the shipped rulebook; what goes wrong is laid over them by a
scenario. Figures without a source in the field's literature are this project's judgement.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firetower.core.clock import DAY, HOUR, MINUTE
from firetower.devices.city import City, Device
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.curves import LAGS_MIN, LOADS, load_table, look_up, mains_pressure, warmth_table
from firetower.simulator.models import THREE_PHASE
from firetower.simulator.templates import unit_templates

PHASES = ("a", "b", "c")
BATTERY_LIFE = 3 * 365 * DAY


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind of device reports: metric names in the order of the columns, and decimals of each."""

    name: str
    metrics: tuple[str, ...]
    decimals: tuple[int, ...]


HYDRANT = Shape("hydrant", ("pressure", "battery", "rssi"), (4, 2, 0))
SMOKE = Shape("smoke", ("smoke", "battery_percent", "rssi"), (4, 0, 0))
HEAT = Shape("heat", ("temperature", "battery_percent"), (1, 0))
GAS = Shape("gas", ("gas",), (1,))
ELECTRICAL = Shape("electrical", ("residual_current", "cable_temperature", "current"), (1, 1, 1))
ELECTRICAL_3P = Shape(
    "electrical_3p",
    ("residual_current", *(f"{name}.{phase}" for name in ("cable_temperature", "current") for phase in PHASES)),
    (1,) * 7,
)
TANK = Shape("tank", ("level", "battery"), (3, 2))
SHAPES = (HYDRANT, SMOKE, HEAT, GAS, ELECTRICAL, ELECTRICAL_3P, TANK)

_SHAPE_OF: dict[DeviceKind, Shape] = {
    DeviceKind.HYDRANT: HYDRANT,
    DeviceKind.WATER_CRANE: HYDRANT,
    DeviceKind.SMOKE: SMOKE,
    DeviceKind.HEAT: HEAT,
    DeviceKind.GAS: GAS,
    DeviceKind.ELECTRICAL: ELECTRICAL,
    DeviceKind.WATER_LEVEL: TANK,
}


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of devices of one shape: ``where`` are positions in the sampled batch, ``values`` (m, metrics)."""

    shape: Shape
    where: Int64s
    values: Floats


class Signals:
    """The signals of all devices of a city, by position in ``city.devices``; none of gateways.

    ``shape``: number in SHAPES per device, -1 for none.
    """

    def __init__(self, seed: int, city: City) -> None:
        self.seed = seed
        self.shape: Int64s = np.array([_shape_number(device) for device in city.devices], np.int64)
        loads = {template.category: LOADS.index(template.load) for template in unit_templates()}
        load_of = {unit.code: loads.get(unit.category, 0) for unit in city.units}
        self._load: Int64s = np.array([load_of.get(device.unit, 0) for device in city.devices], np.int64)
        mains = {main.code: number for number, main in enumerate(city.mains)}
        self._main: Int64s = np.array([mains.get(device.main or "", -1) for device in city.devices], np.int64)
        bands = np.array([_float_valve(device) for device in city.devices]).reshape(-1, 2)
        self._valve_opens, self._valve_shuts = bands[:, 0], bands[:, 1]
        self._columns: dict[str, Callable[[Int64s, Int64s], list[Floats]]] = {
            "hydrant": self._hydrant,
            "smoke": self._smoke,
            "heat": self._heat,
            "gas": self._gas,
            "electrical": self._electrical,
            "electrical_3p": self._electrical_3p,
            "tank": self._tank,
        }

    def sample(self, index: Int64s, at: Int64s) -> list[Block]:
        """Return what devices ``index`` (n,) measure at instants ``at`` (n,) in µs, one block a shape, rounded."""
        shapes = self.shape[index]
        blocks = []
        for number, shape in enumerate(SHAPES):
            where = np.flatnonzero(shapes == number)
            if len(where):
                columns = self._columns[shape.name](index[where], at[where])
                rounded = [np.round(column, places) for column, places in zip(columns, shape.decimals, strict=True)]
                blocks.append(Block(shape, where, np.stack(rounded, 1)))
        return blocks

    # one function a shape: (device, µs) to columns in the order of its metrics ------------------------

    def _hydrant(self, i: Int64s, at: Int64s) -> list[Floats]:
        seed, main = self.seed, self._main[i]
        height = noise.between(seed, "height of main", main, -0.012, 0.012)
        demand = 0.006 * noise.smooth(seed, "demand", main, at, 20 * MINUTE)  # neighbours feel it together
        sensor = 0.005 * noise.white(seed, "pressure", i, at)
        return [mains_pressure(at) + height + demand + sensor, self._volts(i, at), self._rssi(i, at)]

    def _smoke(self, i: Int64s, at: Int64s) -> list[Floats]:
        seed = self.seed
        clean = noise.between(seed, "smoke baseline", i, 0.012, 0.028)
        drift = 0.006 * noise.smooth(seed, "smoke drift", i, at, 3 * DAY)
        damp = 0.006 * noise.smooth(seed, "humidity", 0, at, 6 * HOUR)  # the same weather for all
        grain = 0.003 * noise.white(seed, "smoke", i, at)
        return [np.maximum(0.0, clean + drift + damp + grain), self._percent(i, at), self._rssi(i, at)]

    def _heat(self, i: Int64s, at: Int64s) -> list[Floats]:
        room = noise.between(self.seed, "room", i, 19, 25) + 2 * noise.smooth(self.seed, "room", i, at, 2 * HOUR)
        return [room + 0.2 * noise.white(self.seed, "temperature", i, at), self._percent(i, at)]

    def _gas(self, i: Int64s, at: Int64s) -> list[Floats]:
        cooking = np.maximum(0.0, noise.smooth(self.seed, "cooking", i, at, 15 * MINUTE) - 0.5) * 6
        return [np.maximum(0.0, 0.6 + cooking + 0.4 * noise.white(self.seed, "gas", i, at))]

    def _electrical(self, i: Int64s, at: Int64s) -> list[Floats]:
        return [self._leakage(i, at), self._cable(i, at, 0), self._current(i, at, 0)]

    def _electrical_3p(self, i: Int64s, at: Int64s) -> list[Floats]:
        cables = [self._cable(i, at, phase) for phase in range(3)]
        return [self._leakage(i, at), *cables, *(self._current(i, at, phase) for phase in range(3))]

    def _tank(self, i: Int64s, at: Int64s) -> list[Floats]:
        """Draw-down to where the float valve opens, then a refill four times as fast; never as fast as a leak."""
        period = (noise.between(self.seed, "tank period", i, 6, 15) * HOUR).astype(np.int64)
        begin = (noise.uniform(self.seed, "tank phase", i) * period).astype(np.int64)
        share = (at + begin) % period / period
        full = np.where(share < 0.8, 1 - share / 0.8, (share - 0.8) / 0.2)
        ripple = 0.004 * noise.white(self.seed, "level", i, at)
        opens, shuts = self._valve_opens[i], self._valve_shuts[i]
        return [opens + (shuts - opens) * full + ripple, self._volts(i, at)]

    # parts of them -----------------------------------------------------------------------------------

    def _use(self, i: Int64s, at: Int64s) -> Floats:
        return look_up(load_table(), (self._load[i],), at)

    def _leakage(self, i: Int64s, at: Int64s) -> Floats:
        """Natural leakage of a circuit, 100 to 200 mA (GB 50116-2013 9.2.3 commentary), more in working hours."""
        base = noise.between(self.seed, "leakage", i, 100, 160)
        wander = 8 * noise.smooth(self.seed, "leakage", i, at, 30 * MINUTE)
        return base + 30 * self._use(i, at) + wander + 3 * noise.white(self.seed, "residual", i, at)

    def _cable(self, i: Int64s, at: Int64s, phase: int) -> Floats:
        """Ambient temperature plus k times the square of the load behind a lag."""
        lag = noise.whole(self.seed, "cable lag", i, len(LAGS_MIN))
        warm = look_up(warmth_table(), (self._load[i], lag), at)
        k = noise.between(self.seed, f"cable k {phase}", i, 26, 36)
        ambient = 22 + 3 * noise.smooth(self.seed, "ambient", self._load[i], at, 8 * HOUR)
        return ambient + k * warm + 0.3 * noise.white(self.seed, f"cable {phase}", i, at)

    def _current(self, i: Int64s, at: Int64s, phase: int) -> Floats:
        rated = noise.between(self.seed, "rated current", i, 40, 160)
        unrest = 1 + 0.06 * noise.white(self.seed, f"current {phase}", i, at)
        return rated * self._use(i, at) * unrest

    def _age(self, i: Int64s, at: Int64s) -> Floats:
        """Share of a battery's life used up, 0 to 1; then it is changed."""
        begin = (noise.uniform(self.seed, "battery", i) * BATTERY_LIFE).astype(np.int64)
        age: Floats = (at + begin) % BATTERY_LIFE / BATTERY_LIFE
        return age

    def _percent(self, i: Int64s, at: Int64s) -> Floats:
        return 100 - 55 * self._age(i, at)

    def _volts(self, i: Int64s, at: Int64s) -> Floats:
        return 3.66 - 0.18 * self._age(i, at)

    def _rssi(self, i: Int64s, at: Int64s) -> Floats:
        place = noise.between(self.seed, "rssi", i, -98, -68)
        return place + 4 * noise.smooth(self.seed, "rssi", i, at, 10 * MINUTE)


def _shape_number(device: Device) -> int:
    shape = _SHAPE_OF.get(device.kind)
    if shape is None:
        return -1
    if shape is ELECTRICAL and device.model == THREE_PHASE:
        shape = ELECTRICAL_3P
    return SHAPES.index(shape)


def _float_valve(device: Device) -> tuple[float, float]:
    """Levels in m at which a tank's float valve opens and shuts, within its own limits."""
    full = device.attributes.get("level_overflow", 2.0)
    least = device.attributes.get("level_90", 0.85 * full)
    return least + 0.25 * (full - least), least + 0.75 * (full - least)
