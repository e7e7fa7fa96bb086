"""What stands in a unit: buildings, floors and zones, and the devices in them."""

import math
from dataclasses import dataclass

import numpy as np

from firetower.devices.city import Building, Device, Floor, Point, Zone
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Floats
from firetower.devices.topics import GATEWAY
from firetower.simulator import noise
from firetower.simulator.models import MODELS, Pace, interval, radio
from firetower.simulator.plan import lonlat
from firetower.simulator.templates import UnitTemplate, names

ZONES_PER_FLOOR = 2
SMOKES_PER_ZONE = 4
BUILDING_APART_M = 45.0
PREFIX = {
    DeviceKind.SMOKE: "smk",
    DeviceKind.HEAT: "heat",
    DeviceKind.GAS: "gas",
    DeviceKind.ELECTRICAL: "elec",
    DeviceKind.WATER_LEVEL: "tank",
    DeviceKind.PUMP_ROOM: "pump",
    DeviceKind.PANEL: "panel",
}
SPOT = {
    DeviceKind.SMOKE: "感烟",
    DeviceKind.HEAT: "感温",
    DeviceKind.GAS: "燃气",
    DeviceKind.ELECTRICAL: "配电箱",
}
PANEL_FROM, PUMP_ROOM_FROM = 8, 10
"""Devices from which on a unit with a control room has a panel, and a pump room."""
POINTS = ("感烟探测器", "感烟探测器", "手动报警按钮")
"""What is wired to a panel in each zone: its points 点位, which speak through it."""
MOST_IN_UNIT = 4096
LOOP_ADDRESSES = 200  # of a detection loop
TANK_DEPTHS = (2.0, 2.5, 3.0, 4.0)  # m, up to the span usual for a level sensor


@dataclass(frozen=True, slots=True)
class ZonePlace:
    """A zone with its address within the unit, and which building it is in."""

    path: str
    text: str
    building: int


@dataclass(frozen=True, slots=True)
class Premise:
    """The inside of one unit: its buildings, its zones, and how many devices of each kind it has."""

    seed: int
    number: int
    buildings: tuple[Building, ...]
    zones: tuple[ZonePlace, ...]
    counts: dict[DeviceKind, int]

    def devices(self, unit: str, xy: Floats, pace: Pace) -> list[Device]:
        """Return the devices of ``unit``, which stands at ``xy`` (2,) metres."""
        kinds = [kind for kind, count in self.counts.items() if count]
        counts = np.array([self.counts[kind] for kind in kinds])
        turn = np.concatenate([np.arange(count) for count in counts.tolist()])
        zone = turn * len(self.zones) // np.repeat(counts, counts)
        building = np.array([place.building for place in self.zones])[zone]
        index = self.number * MOST_IN_UNIT + np.arange(len(turn))
        around = [noise.between(self.seed, f"device {axis}", index, -18, 18) for axis in ("east", "north")]
        places = lonlat(xy + np.stack(around, 1) + building[:, None] * np.array([BUILDING_APART_M, 0.0])).tolist()
        drawn = noise.uniform(self.seed, "device model", index).tolist()
        made: list[Device] = []
        for kind in kinds:
            models, prefix, every = MODELS[kind], PREFIX[kind], interval(kind, pace)
            for number in range(self.counts[kind]):
                place = self.zones[int(zone[len(made)])]
                model = models[int(drawn[len(made)] * len(models))]
                lon, lat = places[len(made)]
                made.append(
                    Device(
                        unit=unit,
                        device=f"{prefix}-{number + 1:04d}",
                        kind=kind,
                        model=model,
                        lon=lon,
                        lat=lat,
                        interval_s=every,
                        zone=place.path if kind in SPOT else None,
                        gateway=None if radio(model) == "nb_iot" else GATEWAY,
                        place=f"{place.text} {SPOT[kind]}{number + 1}" if kind in SPOT else _place(kind, number),
                        attributes=self._tank(number) if kind is DeviceKind.WATER_LEVEL else {},
                        points=self._points() if kind is DeviceKind.PANEL else (),
                    )
                )
        return made

    def _points(self) -> tuple[Point, ...]:
        """The points of the panel, zone by zone: panel, loop and address, as ``1-2-017``."""
        made = []
        for number in range(len(self.zones) * len(POINTS)):
            zone = self.zones[number // len(POINTS)]
            loop, address = divmod(number, LOOP_ADDRESSES)
            what = POINTS[number % len(POINTS)]
            made.append(Point(component=f"1-{loop + 1}-{address + 1:03d}", zone=zone.path, place=f"{zone.text} {what}"))
        return tuple(made)

    def _tank(self, number: int) -> dict[str, float]:
        """Limits of a tank, m: 90 % of its working depth, lowest effective level, overflow."""
        draw = noise.whole(self.seed, "tank depth", self.number * 64 + number, len(TANK_DEPTHS))
        depth = TANK_DEPTHS[int(draw[0])]
        return {
            "level_low": round(depth * 0.5, 2),
            "level_90": round(depth * 0.9 * 0.9, 2),
            "level_overflow": round(depth * 0.95, 2),
        }


def furnish(seed: int, number: int, template: UnitTemplate, devices: int) -> Premise:
    """Return the inside of the unit numbered ``number`` with ``devices`` devices, its gateway not counted."""
    rooms = {
        DeviceKind.PANEL: int(template.control_room and devices >= PANEL_FROM),
        DeviceKind.PUMP_ROOM: int(template.control_room and devices >= PUMP_ROOM_FROM),
    }
    counts = _counts(template.mix, devices - sum(rooms.values())) | rooms
    zones = max(1, counts[DeviceKind.SMOKE] // SMOKES_PER_ZONE)
    levels = [level for level in range(-template.basements, template.floors + 1) if level != 0]
    # ground floor first: a small unit has no basement
    levels.sort(key=lambda level: (level < 0, abs(level)))
    stories = [(building, level) for level in levels for building in range(len(template.buildings))]
    stories = stories[: math.ceil(zones / ZONES_PER_FLOOR)]
    each = min(len(names().zones), math.ceil(zones / len(stories)))
    places: list[ZonePlace] = []
    buildings: list[Building] = []
    for building, title in enumerate(template.buildings):
        floors = []
        for level in sorted(level for of, level in stories if of == building):
            code, name = (f"f{level}", f"{level}层") if level > 0 else (f"b{-level}", f"地下{-level}层")
            made = []
            for zone, zone_name in enumerate(names().zones[:each]):
                made.append(Zone(code=f"z{zone + 1}", name=zone_name))
                path = f"b{building + 1}/{code}/z{zone + 1}"
                places.append(ZonePlace(path, f"{title}{name}{zone_name}", building))
            floors.append(Floor(code=code, name=name, level=level, zones=tuple(made)))
        if floors:
            buildings.append(Building(code=f"b{building + 1}", name=title, floors=tuple(floors)))
    return Premise(seed, number, tuple(buildings), tuple(places), counts)


def _counts(mix: dict[DeviceKind, float], devices: int) -> dict[DeviceKind, int]:
    """Share ``devices`` out: at least two smoke detectors, then at least one of each kind while there are enough."""
    counts = dict.fromkeys(PREFIX, 0)
    for kind, share in mix.items():
        counts[kind] = int(devices * share)
    counts[DeviceKind.SMOKE] = max(min(2, devices), counts[DeviceKind.SMOKE])
    for kind in sorted(mix, key=lambda kind: -mix[kind]):
        if counts[kind] == 0 and sum(counts.values()) < devices:
            counts[kind] = 1
    over = sum(counts.values()) - devices
    counts[DeviceKind.SMOKE] -= min(over, counts[DeviceKind.SMOKE])
    return counts


def _place(kind: DeviceKind, number: int) -> str:
    """Where plant of the unit as a whole stands."""
    if kind is DeviceKind.PANEL:
        return "消防控制室"
    if kind is DeviceKind.PUMP_ROOM:
        return "消防泵房"
    return f"屋顶消防水箱{number // 2 + 1}" if number % 2 == 0 else f"地下消防水池{number // 2 + 1}"
