"""The simulated city: the same for the same seed, valid, and complete in itself."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from firetower.core.errors import InvalidInput
from firetower.devices.city import read_city
from firetower.devices.kinds import DeviceKind
from firetower.simulator.city import build
from firetower.simulator.models import RADIO_OF, RADIOS
from firetower.simulator.plan import lay_out


def test_same_seed_and_size_write_the_same_bytes(tmp_path: Path) -> None:
    build(11, 500).write(tmp_path / "one")
    build(11, 500).write(tmp_path / "two")
    for name in ("city.json", "streets.geojson"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_seed_is_another_city() -> None:
    one, two = build(11, 500), build(12, 500)
    assert one.city_json() != two.city_json()
    assert one.streets_geojson() != two.streets_geojson()


@pytest.mark.parametrize("devices", [100, 101, 333, 5000])
def test_the_file_is_read_back_whole_and_without_an_error(devices: int) -> None:
    made = build(3, devices)
    city, errors = read_city(json.loads(made.city_json()))
    assert errors == []
    assert city == made.city
    assert len(city.devices) == devices


@pytest.mark.parametrize(("seed", "devices"), [(1, 100), (2, 300), (3, 4000)])
def test_every_reference_resolves_within_the_file(seed: int, devices: int) -> None:
    city = build(seed, devices).city
    grids, mains = {grid.code for grid in city.grids}, {main.code for main in city.mains}
    zones = {
        (unit.code, f"{building.code}/{floor.code}/{zone.code}")
        for unit in city.units
        for building in unit.buildings
        for floor in building.floors
        for zone in floor.zones
    }
    assert {unit.grid for unit in city.units} <= grids
    assert {main.grid for main in city.mains} <= grids
    assert {device.unit for device in city.devices} == {unit.code for unit in city.units}
    assert {device.main for device in city.devices if device.main} <= mains
    assert {(device.unit, device.zone) for device in city.devices if device.zone} <= zones
    for device in city.devices:
        standing = device.kind in {DeviceKind.HYDRANT, DeviceKind.WATER_CRANE}
        assert (device.main is not None) == standing
        plant = {DeviceKind.WATER_LEVEL, DeviceKind.GATEWAY, DeviceKind.PANEL, DeviceKind.PUMP_ROOM}
        assert (device.zone is None) == (standing or device.kind in plant)
        assert all((device.unit, point.zone) in zones for point in device.points)


@pytest.mark.parametrize("seed", range(8))
def test_even_the_smallest_city_has_every_category_and_kind(seed: int) -> None:
    city = build(seed, 100).city
    assert {unit.category for unit in city.units} == {
        "water_company", "mall", "hospital", "school", "high_rise", "chemical", "sanheyi", "jiuxiao", "homes",
    }  # fmt: skip
    assert {device.kind for device in city.devices} == set(DeviceKind) - {
        DeviceKind.WATER_POINT,
    }


def test_each_unit_has_one_gateway_and_tanks_know_their_limits() -> None:
    city = build(5, 2000).city
    gateways = Counter(device.unit for device in city.devices if device.kind is DeviceKind.GATEWAY)
    assert gateways == Counter(unit.code for unit in city.units)
    for tank in (device for device in city.devices if device.kind is DeviceKind.WATER_LEVEL):
        assert 0 < tank.attributes["level_low"] < tank.attributes["level_90"] < tank.attributes["level_overflow"]


def test_a_large_unit_with_a_control_room_has_a_panel_with_points_in_all_zones_and_a_pump_room() -> None:
    city = build(5, 2000).city
    units = {unit.code: unit for unit in city.units}
    plant = [device for device in city.devices if device.kind in {DeviceKind.PANEL, DeviceKind.PUMP_ROOM}]
    assert {device.kind for device in plant} == {DeviceKind.PANEL, DeviceKind.PUMP_ROOM}
    assert max(Counter((device.unit, device.kind) for device in plant).values()) == 1
    assert not {units[device.unit].category for device in plant} & {"sanheyi", "jiuxiao", "water_company"}
    assert {device.unit for device in plant} >= {
        unit.code for unit in city.units if unit.category in {"mall", "hospital", "high_rise"}
    }
    for panel in (device for device in plant if device.kind is DeviceKind.PANEL):
        zones = {
            f"{building.code}/{floor.code}/{zone.code}"
            for building in units[panel.unit].buildings
            for floor in building.floors
            for zone in floor.zones
        }
        assert {point.zone for point in panel.points} == zones
        assert all(re.fullmatch(r"1-\d-\d{3}", point.component) for point in panel.points)


def test_what_has_a_radio_line_of_its_own_stands_behind_no_gateway_and_everything_else_does() -> None:
    city = build(5, 2000).city
    seen = set()
    for device in city.devices:
        spoken = RADIO_OF[device.model or ""]
        seen.add((device.kind, spoken))
        own_line = spoken == "nb_iot" or device.kind is DeviceKind.GATEWAY
        assert (device.gateway is None) == own_line
    assert {(DeviceKind.SMOKE, name) for name in RADIOS} <= seen
    assert {(DeviceKind.HYDRANT, "nb_iot"), (DeviceKind.HYDRANT, "lora"), (DeviceKind.PANEL, "wired")} <= seen


def test_hydrants_stand_at_the_kerb_of_their_main_and_not_further_apart_than_asked_for() -> None:
    plan = lay_out(9, 2000)
    spots = plan.hydrants(2000)
    for number in range(0, 2000, 37):
        nodes = plan.mains[int(spots.owner[number])].nodes
        start, way = nodes[:-1], np.diff(nodes, axis=0)
        share = np.clip(((spots.xy[number] - start) * way).sum(1) / (way * way).sum(1), 0, 1)
        distance = np.hypot(*(start + way * share[:, None] - spots.xy[number]).T).min()
        assert distance == pytest.approx(6.0, abs=0.5)
    streets = sum(np.hypot(*np.diff(main.nodes, axis=0).T).sum() for main in plan.mains)
    assert 80 < streets / 2000 < 120  # GB 50974: at most 120 m apart


def test_the_map_shows_the_streets_and_districts_that_the_devices_stand_in() -> None:
    made = build(4, 1000)
    features = json.loads(made.streets_geojson())["features"]
    kinds = Counter(feature["properties"]["kind"] for feature in features)
    assert kinds["district"] == len({grid.district for grid in made.city.grids})
    assert kinds["grid"] == len(made.city.grids)
    assert kinds["street"] > 10
    rings = [feature["geometry"]["coordinates"][0] for feature in features if feature["properties"]["kind"] != "street"]
    assert all(ring[0] == ring[-1] for ring in rings)
    corners = np.array([point for ring in rings for point in ring])
    places = np.array([[device.lon, device.lat] for device in made.city.devices], float)
    assert (places >= corners.min(0) - 0.001).all()
    assert (places <= corners.max(0) + 0.001).all()


def test_realistic_intervals_are_those_of_the_field() -> None:
    seconds = {device.kind: device.interval_s for device in build(1, 300, pace="realistic").city.devices}
    assert seconds[DeviceKind.SMOKE] == 86_400
    assert seconds[DeviceKind.HYDRANT] == 900
    assert max(device.interval_s for device in build(1, 300).city.devices) <= 60


@pytest.mark.parametrize("devices", [0, 99, 1_000_001])
def test_a_size_that_cannot_be_built_is_refused_with_the_limits(devices: int) -> None:
    with pytest.raises(InvalidInput, match="take 100 to 1,000,000"):
        build(1, devices)


def test_everybody_to_call_has_a_number_that_no_telephone_answers() -> None:
    built = build(3, 400)
    of_all = [*built.city.grids, *built.city.units, *built.city.stations]
    assert all(each.contacts for each in of_all)
    assert {grid.code for grid in built.city.grids} == {station.grid for station in built.city.stations}
    assert all(contact.phone.startswith("0000") for each in of_all for contact in each.contacts)


def test_every_unit_stands_within_the_boundary_of_its_grid() -> None:
    """A map that drew a unit outside its grid would send the wrong grid worker."""
    city = build(3, 4000).city
    rings = {grid.code: np.array(grid.boundary) for grid in city.grids}
    for unit in city.units:
        x0, y0 = rings[unit.grid][:-1].T
        x1, y1 = rings[unit.grid][1:].T
        spans = (y0 > unit.lat) != (y1 > unit.lat)
        crossed = x0[spans] + (unit.lat - y0[spans]) * (x1 - x0)[spans] / (y1 - y0)[spans] > unit.lon
        assert unit.category == "water_company" or crossed.sum() % 2 == 1, unit.code
