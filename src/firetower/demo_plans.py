"""Gives the demo's units the floor plans of the simulated city, each once."""

from firetower.core.clock import SystemClock
from firetower.devices.city import City
from firetower.devices.kinds import DeviceKind
from firetower.devices.plan_images import read_image
from firetower.simulator.floor_drawing import draw_unit
from firetower.storage import floor_plans, plan_positions
from firetower.storage.floor_plans import Where
from firetower.storage.plan_positions import Placed
from firetower.storage.pool import Pool

MOST_UNITS = 40
"""A larger demo draws no more: its city has one unit of each category first."""
BY = "demo"


async def put_plans(pool: Pool, city: City) -> int:
    """Put the plans of the units with a panel, and what stands on them; return how many floors were drawn.

    A unit that has or had a plan is left as it is: what somebody did with it stands.
    """
    clock, drawn = SystemClock(), 0
    panels = {device.unit for device in city.devices if device.kind is DeviceKind.PANEL}
    for unit in [unit for unit in city.units if unit.code in panels][:MOST_UNITS]:
        if any(plans for _, plans in await floor_plans.floors(pool, unit.code)):
            continue
        for floor in draw_unit(city, unit):
            where = Where(floor.unit, floor.building, floor.floor)
            await floor_plans.put(pool, where, read_image(floor.png), floor.png, by=BY, at=clock.now())
            placed = [Placed(device, component, x, y) for device, component, x, y in floor.positions]
            await plan_positions.place(pool, unit.code, placed, BY, clock.now())
            drawn += 1
    return drawn
