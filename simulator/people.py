"""Whom to call in the simulated city: people of units and grids, and micro fire stations 微型消防站.

Every number begins with 0000, which no telephone answers: a demo must never ring a stranger.
"""

import numpy as np

from firetower.devices.city import Station
from firetower.devices.contacts import GridContact, HoursEntry, Role, StationContact, UnitContact
from firetower.simulator import noise
from firetower.simulator.plan import Plan, lonlat
from firetower.simulator.templates import UnitTemplate

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙朱马胡郭林何高罗"
_OFFICE = (HoursEntry.model_validate({"days": [1, 2, 3, 4, 5], "from": "08:30", "to": "18:00"}),)
_STOREYS_WITH_CONTROL_ROOM = 4


def phone(seed: int, stream: str, number: int) -> str:
    """Return a number that nobody has."""
    return f"0000-{int(noise.whole(seed, f'phone {stream}', number, 10**8)[0]):08d}"


def _surname(seed: int, stream: str, number: int) -> str:
    return _SURNAMES[int(noise.whole(seed, f"surname {stream}", number, len(_SURNAMES))[0])]


def of_unit(seed: int, number: int, template: UnitTemplate) -> tuple[UnitContact, ...]:
    """Return whom to call at a unit: its control room or whoever is on watch there, and who is responsible for it."""
    desk = "消防控制室" if template.floors > _STOREYS_WITH_CONTROL_ROOM else "值班人员"
    return (
        UnitContact(role=Role.CONTROL_ROOM, name=desk, phone=phone(seed, "desk", number)),
        UnitContact(
            role=Role.MANAGER,
            name=f"{_surname(seed, 'manager', number)}经理",
            phone=phone(seed, "manager", number),
            hours=_OFFICE,
        ),
        UnitContact(
            role=Role.RESPONSIBLE,
            name=f"{_surname(seed, 'responsible', number)}总",
            phone=phone(seed, "responsible", number),
            order=2,
        ),
    )


def of_water_company(seed: int, number: int) -> tuple[UnitContact, ...]:
    """Return whom to call at a district's water company."""
    return (UnitContact(role=Role.CONTROL_ROOM, name="调度室", phone=phone(seed, "water", number)),)


def of_grid(seed: int, number: int) -> tuple[GridContact, ...]:
    """Return the grid worker 网格员."""
    name = f"{_surname(seed, 'grid', number)}网格员"
    return (GridContact(name=name, phone=phone(seed, "grid", number)),)


def stations(plan: Plan) -> tuple[Station, ...]:
    """Return a micro fire station in the middle of every grid, each with its own number."""
    middles = np.array([plan.outline(area)[:-1].mean(0) for area in plan.grids])
    places = lonlat(middles).tolist()
    return tuple(
        Station(
            code=f"mfs-{number + 1:03d}",
            name=f"{area.name}微型消防站",
            lon=place[0],
            lat=place[1],
            grid=area.code,
            contacts=(StationContact(name=f"{area.name}微型消防站", phone=phone(plan.seed, "station", number)),),
        )
        for number, (area, place) in enumerate(zip(plan.grids, places, strict=True))
    )
