"""What each device measures at each instant: physics with noise, a function of (seed, device, time) alone.

Quiet signals keep clear of every limit of the shipped rulebook; what goes wrong is an ``Effect`` on the physics.
Figures without a source in the field's literature are this project's judgement.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from firetower.core.clock import MINUTE
from firetower.devices.city import City, Device
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Floats, Int64s
from firetower.simulator import noise
from firetower.simulator.curves import LOADS
from firetower.simulator.models import SMART_HYDRANT, THREE_PHASE
from firetower.simulator.physics.battery import Batteries
from firetower.simulator.physics.effects import EFFECTS, Effect, Happenings, checked
from firetower.simulator.physics.electrical import Circuits
from firetower.simulator.physics.plant import Plant
from firetower.simulator.physics.rooms import Rooms
from firetower.simulator.physics.smoke import Smoke
from firetower.simulator.physics.tank import Tanks
from firetower.simulator.physics.water import METRES_PER_DEGREE, Mains
from firetower.simulator.templates import unit_templates

PHASES = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind of device reports: metric names in the order of the columns, and decimals of each."""

    name: str
    metrics: tuple[str, ...]
    decimals: tuple[int, ...]


HYDRANT = Shape("hydrant", ("pressure", "battery", "rssi"), (4, 2, 0))
SMART = Shape("smart_hydrant", ("pressure", "flow", "temperature", "battery", "rssi"), (4, 2, 1, 2, 0))
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
PUMP_ROOM = Shape("pump_room", ("pressure", "voltage", "temperature"), (3, 1, 1))
PANEL = Shape("panel", ("voltage", "battery"), (1, 2))
SHAPES = (HYDRANT, SMOKE, HEAT, GAS, ELECTRICAL, ELECTRICAL_3P, TANK, SMART, PUMP_ROOM, PANEL)

_SHAPE_OF: dict[DeviceKind, Shape] = {
    DeviceKind.HYDRANT: HYDRANT,
    DeviceKind.WATER_CRANE: HYDRANT,
    DeviceKind.SMOKE: SMOKE,
    DeviceKind.HEAT: HEAT,
    DeviceKind.GAS: GAS,
    DeviceKind.ELECTRICAL: ELECTRICAL,
    DeviceKind.WATER_LEVEL: TANK,
    DeviceKind.PUMP_ROOM: PUMP_ROOM,
    DeviceKind.PANEL: PANEL,
}
_SHAPE_OF_MODEL: dict[str, Shape] = {THREE_PHASE: ELECTRICAL_3P, SMART_HYDRANT: SMART}
_WATER = frozenset({"hydrant_open", "burst", "supply_low", "shut", "frost"})


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of devices of one shape: ``where`` are positions in the sampled batch, ``values`` (m, metrics)."""

    shape: Shape
    where: Int64s
    values: Floats


class Signals:
    """The signals of all devices of a city, by position in ``city.devices``; none of gateways.

    ``shape``: number in SHAPES per device, -1 for none. Raises InvalidInput for an effect its device cannot suffer.
    """

    def __init__(self, seed: int, city: City, effects: Iterable[Effect] = ()) -> None:
        self.seed = seed
        self.shape: Int64s = np.array([_shape_number(device) for device in city.devices], np.int64)
        self._city = city
        loads = {template.category: LOADS.index(template.load) for template in unit_templates()}
        load_of = {unit.code: loads.get(unit.category, 0) for unit in city.units}
        load: Int64s = np.array([load_of.get(device.unit, 0) for device in city.devices], np.int64)
        self._happenings = happenings = Happenings()
        self._mains = Mains(seed, city, happenings)
        self._smoke = Smoke(seed, (load == LOADS.index("home")) | (load == LOADS.index("shop")), happenings)
        self._rooms = Rooms(seed, happenings)
        self._circuits = Circuits(seed, load, happenings)
        self._tanks = Tanks(seed, city, happenings)
        self._plant = Plant(seed, happenings)
        self._batteries = Batteries(seed, city)
        self._columns: dict[str, Callable[[Int64s, Int64s], list[Floats]]] = {
            "hydrant": self._hydrant,
            "smart_hydrant": self._smart_hydrant,
            "smoke": lambda i, at: [self._smoke.density(i, at), self._batteries.percent(i, at), self._rssi(i, at)],
            "heat": lambda i, at: [self._rooms.temperature(i, at), self._batteries.percent(i, at)],
            "gas": lambda i, at: [self._rooms.gas(i, at)],
            "electrical": lambda i, at: self._electrical(i, at, 1),
            "electrical_3p": lambda i, at: self._electrical(i, at, 3),
            "tank": lambda i, at: [self._tanks.level(i, at), self._batteries.volts(i, at, outside=False)],
            "pump_room": self._pump_room,
            "panel": lambda i, at: [self._plant.mains_voltage(i, at), self._plant.panel_battery(i, at)],
        }
        for effect in effects:
            self.befall(effect)

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

    def befall(self, effect: Effect) -> None:
        """Let something happen: to its device, to all who feel the water gone, to a zone within its reach.

        Raises InvalidInput when the device is of a kind that the effect cannot befall.
        """
        devices = self._city.devices
        checked(effect, devices[effect.device].kind)
        if effect.kind in _WATER:
            self._mains.befall(effect)
            return
        for device, far in self._reached(effect):
            self._happenings.add(effect.kind, device, effect.start, effect.end, effect.strength, far=far)

    def _reached(self, effect: Effect) -> list[tuple[int, float]]:
        """Devices that feel an effect, and how far away: its own at nothing, of its zone those within the reach."""
        devices = self._city.devices
        own = devices[effect.device]
        found = [(effect.device, 0.0)]
        if effect.reach_m <= 0:
            return found
        for number in self._zones.get((own.unit, own.zone), []):
            far = _apart(own, devices[number])
            if number != effect.device and far <= effect.reach_m and devices[number].kind in EFFECTS[effect.kind].kinds:
                found.append((number, far))
        return found

    @cached_property
    def _zones(self) -> dict[tuple[str, str | None], list[int]]:
        """The devices of each zone (unit, path)."""
        zones: dict[tuple[str, str | None], list[int]] = {}
        for number, device in enumerate(self._city.devices):
            if device.zone is not None:
                zones.setdefault((device.unit, device.zone), []).append(number)
        return zones

    # columns of a shape, in the order of its metrics ---------------------------------------------------

    def _hydrant(self, i: Int64s, at: Int64s) -> list[Floats]:
        return [self._mains.pressure(i, at), self._batteries.volts(i, at, outside=True), self._rssi(i, at)]

    def _smart_hydrant(self, i: Int64s, at: Int64s) -> list[Floats]:
        pressure, volts, rssi = self._hydrant(i, at)
        return [pressure, self._mains.flow(i, at), self._mains.temperature(i, at), volts, rssi]

    def _electrical(self, i: Int64s, at: Int64s, phases: int) -> list[Floats]:
        cables = [self._circuits.cable_temperature(i, at, phase) for phase in range(phases)]
        currents = [self._circuits.current(i, at, phase) for phase in range(phases)]
        return [self._circuits.residual_current(i, at), *cables, *currents]

    def _pump_room(self, i: Int64s, at: Int64s) -> list[Floats]:
        plant = self._plant
        return [plant.header_pressure(i, at), plant.mains_voltage(i, at), plant.room_temperature(i, at)]

    def _rssi(self, i: Int64s, at: Int64s) -> Floats:
        place = noise.between(self.seed, "rssi", i, -98, -68)
        return place + 4 * noise.smooth(self.seed, "rssi", i, at, 10 * MINUTE)


def _shape_number(device: Device) -> int:
    shape = _SHAPE_OF_MODEL.get(device.model or "") or _SHAPE_OF.get(device.kind)
    return -1 if shape is None else SHAPES.index(shape)


def _apart(one: Device, other: Device) -> float:
    """Metres between two devices on the ground."""
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return 0.0
    east = (one.lon - other.lon) * METRES_PER_DEGREE * math.cos(math.radians(one.lat))
    return math.hypot(east, (one.lat - other.lat) * METRES_PER_DEGREE)
