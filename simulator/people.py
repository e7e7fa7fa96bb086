"""Whom to call in the simulated city: people of units and grids, and micro fire stations 微型消防站.

Every number begins with 0000, which no telephone answers: a demo must never ring a stranger.
"""

from collections.abc import Sequence

import numpy as np

from firetower.devices.city import Station
from firetower.devices.contacts import GridContact, HoursEntry, Role, StationContact, UnitContact
from firetower.simulator import noise
from firetower.simulator.plan import Plan, lonlat
from firetower.simulator.templates import UnitTemplate

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙朱马胡郭林何高罗"
_OFFICE = (HoursEntry.model_validate({"days": [1, 2, 3, 4, 5], "from": "08:30", "to": "18:00"}),)
_STOREYS_WITH_CONTROL_ROOM = 4


def _phones(seed: int, stream: str, count: int) -> list[str]:
    """Return ``count`` numbers that nobody has."""
    return [f"0000-{number:08d}" for number in noise.whole(seed, f"phone {stream}", np.arange(count), 10**8).tolist()]


def _surnames(seed: int, stream: str, count: int) -> list[str]:
    drawn = noise.whole(seed, f"surname {stream}", np.arange(count), len(_SURNAMES)).tolist()
    return [_SURNAMES[number] for number in drawn]


def of_units(seed: int, templates: Sequence[UnitTemplate]) -> list[tuple[UnitContact, ...]]:
    """Return whom to call at each unit: its control room or whoever is on watch there, and who answers for it."""
    count = len(templates)
    drawn = zip(
        templates,
        _phones(seed, "desk", count),
        _surnames(seed, "manager", count),
        _phones(seed, "manager", count),
        _surnames(seed, "responsible", count),
        _phones(seed, "responsible", count),
        strict=True,
    )
    return [
        (
            UnitContact(
                role=Role.CONTROL_ROOM,
                name="消防控制室" if template.floors > _STOREYS_WITH_CONTROL_ROOM else "值班人员",
                phone=desk,
            ),
            UnitContact(role=Role.MANAGER, name=f"{manager}经理", phone=office, hours=_OFFICE),
            UnitContact(role=Role.RESPONSIBLE, name=f"{responsible}总", phone=mobile, order=2),
        )
        for template, desk, manager, office, responsible, mobile in drawn
    ]


def of_water_companies(seed: int, count: int) -> list[tuple[UnitContact, ...]]:
    """Return whom to call at each district's water company."""
    return [
        (UnitContact(role=Role.CONTROL_ROOM, name="调度室", phone=phone),) for phone in _phones(seed, "water", count)
    ]


def of_grids(seed: int, count: int) -> list[tuple[GridContact, ...]]:
    """Return each grid's worker 网格员."""
    drawn = zip(_surnames(seed, "grid", count), _phones(seed, "grid", count), strict=True)
    return [(GridContact(name=f"{name}网格员", phone=phone),) for name, phone in drawn]


def stations(plan: Plan) -> tuple[Station, ...]:
    """Return a micro fire station in the middle of every grid, each with its own number."""
    middles = np.array([plan.outline(area)[:-1].mean(0) for area in plan.grids])
    drawn = zip(plan.grids, lonlat(middles).tolist(), _phones(plan.seed, "station", len(plan.grids)), strict=True)
    return tuple(
        Station(
            code=f"mfs-{number:03d}",
            name=f"{area.name}微型消防站",
            lon=place[0],
            lat=place[1],
            grid=area.code,
            contacts=(StationContact(name=f"{area.name}微型消防站", phone=phone),),
        )
        for number, (area, place, phone) in enumerate(drawn, 1)
    )
