"""The drawn floors of the simulated city: an image the service takes, and everything of a floor on it, apart."""

from firetower.devices.plan_images import read_image
from firetower.simulator.city import build
from firetower.simulator.floor_drawing import HIGH, WIDE, draw_unit


def test_every_device_and_point_of_a_floor_has_a_place_of_its_own_inside_the_drawing() -> None:
    city = build(7, 500).city
    unit = next(unit for unit in city.units if unit.category == "mall")
    floors = list(draw_unit(city, unit))
    assert len(floors) == sum(len(building.floors) for building in unit.buildings)
    named = {(device, component) for floor in floors for device, component, _, _ in floor.positions}
    there = {(each.device, "") for each in city.devices if each.unit == unit.code and each.zone}
    there |= {(each.device, p.component) for each in city.devices if each.unit == unit.code for p in each.points}
    assert named == there
    for floor in floors:
        assert (read_image(floor.png).width, read_image(floor.png).height) == (WIDE, HIGH)
        places = [(x, y) for _, _, x, y in floor.positions]
        assert all(0.05 < x < 0.95 and 0.12 < y < 0.92 for x, y in places)
        assert len(set(places)) == len(places)
    assert len({floor.png for floor in floors}) > 1, "each storey has its number"
