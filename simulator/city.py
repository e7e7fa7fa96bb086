"""Builds the simulated city from a seed and a size: units, hydrants on mains, devices, as a registry file."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from firetower.core.errors import InvalidInput
from firetower.devices.city import FORMAT, City, Device, Grid, Unit, WaterMain
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Floats, Int64s
from firetower.devices.topics import GATEWAY
from firetower.simulator import noise, people, premises
from firetower.simulator.models import GATEWAY_MODEL, HYDRANT_MODELS, Pace, interval, radio
from firetower.simulator.plan import Plan, Spots, lay_out, lonlat
from firetower.simulator.streetmap import streets_geojson
from firetower.simulator.templates import UnitTemplate, names, unit_templates

SMALLEST, LARGEST = 100, 1_000_000
HYDRANT_SHARE = 0.24
CRANE_EVERY = 40  # of the hydrants one in so many is a water crane
FEWEST_IN_UNIT = 4  # with its gateway


@dataclass(frozen=True, slots=True)
class SimCity:
    """A simulated city: the registry file and the ground it stands on. Device numbers of the simulator are
    positions in ``city.devices``."""

    seed: int
    city: City
    plan: Plan

    def streets_geojson(self) -> str:
        """Return districts, grids and streets as GeoJSON text; see ``streetmap``."""
        return streets_geojson(self.plan)

    def city_json(self) -> str:
        """Return the registry file as JSON text, one item a line; same seed and size, same text."""
        city = self.city
        lines = [f'{{"format": "{FORMAT}", "name": {json.dumps(city.name, ensure_ascii=False)}']
        for part in ("grids", "mains", "units", "stations", "devices"):
            rows = ",\n".join(item.model_dump_json(exclude_defaults=True) for item in getattr(city, part))
            lines.append(f'"{part}": [\n{rows}\n]')
        return ",\n".join(lines) + "}\n"

    def write(self, folder: Path) -> None:
        """Write ``city.json`` and ``streets.geojson`` into ``folder``, made when missing; OSError when that fails."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "city.json").write_text(self.city_json(), "utf-8")
        (folder / "streets.geojson").write_text(self.streets_geojson(), "utf-8")


@dataclass(slots=True)
class _Builder:
    seed: int
    pace: Pace
    plan: Plan
    units: list[Unit] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)


def build(seed: int, devices: int, *, pace: Pace = "demo") -> SimCity:
    """Return the city of ``seed`` with exactly ``devices`` devices, gateways counted.

    ``pace``: reporting intervals, ``demo`` (10 to 30 s, so that something happens) or ``realistic`` (minutes to a day).
    Raises InvalidInput when ``devices`` is outside 100 to 1,000,000.
    """
    if not SMALLEST <= devices <= LARGEST:
        raise InvalidInput(
            f"a city of {devices} devices cannot be built: take {SMALLEST} to {LARGEST:,} "
            "(fewer would leave categories of unit empty)"
        )
    hydrants = round(devices * HYDRANT_SHARE)
    plan = lay_out(seed, hydrants)
    builder = _Builder(seed, pace, plan)
    _add_water(builder, plan.hydrants(hydrants))
    _add_units(builder, devices - len(builder.devices))
    grids = tuple(
        Grid(
            code=area.code,
            name=area.name,
            district=plan.districts[area.district].name,
            boundary=tuple((lon, lat) for lon, lat in lonlat(plan.outline(area)).tolist()),
            contacts=contacts,
        )
        for area, contacts in zip(plan.grids, people.of_grids(seed, len(plan.grids)), strict=True)
    )
    mains = tuple(
        WaterMain(
            code=main.code,
            name=f"{plan.lines[main.line]}DN{main.diameter_mm}",
            diameter_mm=main.diameter_mm,
            grid=plan.grids[main.grid].code,
        )
        for main in plan.mains
    )
    city = City(
        name=names().city,
        grids=grids,
        mains=mains,
        units=tuple(builder.units),
        stations=people.stations(plan),
        devices=tuple(builder.devices),
    )
    return SimCity(seed, city, plan)


def _gateway(builder: _Builder, unit: str, place: Sequence[float]) -> Device:
    return Device(
        unit=unit,
        device=GATEWAY,
        kind=DeviceKind.GATEWAY,
        model=GATEWAY_MODEL,
        lon=place[0],
        lat=place[1],
        interval_s=interval(DeviceKind.GATEWAY, builder.pace),
        place="网关",
    )


def _add_water(builder: _Builder, spots: Spots) -> None:
    """A water company for each district, owning its hydrants and cranes."""
    plan = builder.plan
    district = np.array([plan.grids[main.grid].district for main in plan.mains])[spots.owner]
    places = lonlat(spots.xy).tolist()
    cranes = (np.arange(len(places)) % CRANE_EVERY == CRANE_EVERY // 2).tolist()
    lines, along, owner = spots.line.tolist(), spots.along.tolist(), spots.owner.tolist()
    model = noise.whole(builder.seed, "hydrant model", np.arange(len(places)), len(HYDRANT_MODELS)).tolist()
    contacts = people.of_water_companies(builder.seed, len(plan.districts))
    for number, area in enumerate(plan.districts):
        code = f"water-{number + 1:02d}"
        centre = lonlat(plan.outline(area)[:-1].mean(0, keepdims=True)).tolist()[0]
        grid = next(grid for grid in plan.grids if grid.district == number)
        builder.units.append(
            Unit(
                code=code,
                name=f"{area.name}供水公司",
                category="water_company",
                grid=grid.code,
                address=f"{area.name}供水公司调度室",
                contacts=contacts[number],
                lon=centre[0],
                lat=centre[1],
            )
        )
        builder.devices.append(_gateway(builder, code, centre))
        for spot in np.flatnonzero(district == number).tolist():
            kind = DeviceKind.WATER_CRANE if cranes[spot] else DeviceKind.HYDRANT
            noun = "消防水鹤" if cranes[spot] else "消火栓"
            name = HYDRANT_MODELS[model[spot]]
            builder.devices.append(
                Device(
                    unit=code,
                    device=f"{'crane' if cranes[spot] else 'hyd'}-{spot + 1:06d}",
                    kind=kind,
                    model=name,
                    lon=places[spot][0],
                    lat=places[spot][1],
                    interval_s=interval(kind, builder.pace),
                    main=plan.mains[owner[spot]].code,
                    gateway=None if radio(name) == "nb_iot" else GATEWAY,
                    place=f"{plan.lines[lines[spot]]}{round(along[spot])}米处{noun}",
                )
            )


def _add_units(builder: _Builder, budget: int) -> None:
    drawn = list(_draw_units(builder.seed, budget))
    spots = builder.plan.blocks(len(drawn))
    named = names()
    counts: dict[str, int] = {}
    taken: dict[str, int] = {}
    places = lonlat(spots.xy).tolist()
    word = noise.whole(builder.seed, "unit name", np.arange(len(drawn)), len(named.places)).tolist()
    end = noise.uniform(builder.seed, "unit suffix", np.arange(len(drawn))).tolist()
    contacts = people.of_units(builder.seed, [template for template, _ in drawn])
    for number, (template, size) in enumerate(drawn):
        counts[template.category] = counts.get(template.category, 0) + 1
        code = f"{template.ascii}-{counts[template.category]:02d}"
        name = named.places[word[number]] + template.suffixes[int(end[number] * len(template.suffixes))]
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            name = f"{name}({taken[name]}店)" if template.load == "shop" else f"{name}({taken[name]}期)"
        grid = builder.plan.grids[int(spots.owner[number])]
        district = builder.plan.districts[grid.district].name
        house = round(float(spots.along[number])) // 5 + 1
        line = builder.plan.lines[int(spots.line[number])]
        premise = premises.furnish(builder.seed, number, template, size - 1)
        builder.units.append(
            Unit(
                code=code,
                name=name,
                category=template.category,
                grid=grid.code,
                address=f"{district}{line}{house}号",
                contacts=contacts[number],
                lon=places[number][0],
                lat=places[number][1],
                buildings=premise.buildings,
            )
        )
        builder.devices.append(_gateway(builder, code, places[number]))
        builder.devices.extend(premise.devices(code, spots.xy[number], builder.pace))


def _draw_units(seed: int, budget: int) -> Iterator[tuple[UnitTemplate, int]]:
    """Yield (template, devices with the gateway): one unit of each category, then by weight, ``budget`` in all."""
    templates = unit_templates()
    fewest = np.array([template.devices[0] for template in templates]) + 1
    most = np.array([template.devices[1] for template in templates]) + 1
    first = _sizes(seed, "first units", np.arange(len(templates)), fewest, most)
    if first.sum() > budget:
        # a small city: fewer of each, and where even the fewest are too many, all by one measure
        spare = (budget - fewest.sum()) / (first.sum() - fewest.sum())
        wanted = fewest + (first - fewest) * spare if spare > 0 else fewest * (budget / fewest.sum())
        first = np.maximum(FEWEST_IN_UNIT, np.floor(wanted))
        first[0] += budget - first.sum()  # the mall takes what rounding leaves, or gives it
    yield from zip(templates, first.astype(int).tolist(), strict=True)
    left = int(budget - first.sum())
    weights = np.cumsum([template.weight for template in templates])
    number = 0
    while left > 0:
        draws = np.arange(number, number + 4096)
        which = np.searchsorted(weights, noise.uniform(seed, "unit category", draws) * weights[-1], "right")
        sizes = _sizes(seed, "unit size", draws, fewest[which], most[which]).astype(int)
        for template, size in zip(which.tolist(), sizes.tolist(), strict=True):
            # the last one takes the rest, so that no unit is too small to have anything in it
            take = left if left - size < FEWEST_IN_UNIT else size
            yield templates[template], take
            left -= take
            if left <= 0:
                return
        number += 4096


def _sizes(seed: int, stream: str, index: Int64s, fewest: Int64s, most: Int64s) -> Floats:
    # squared: many small ones, few large ones
    sizes: Floats = np.floor(fewest + (most - fewest + 1) * noise.uniform(seed, stream, index) ** 2)
    return sizes
