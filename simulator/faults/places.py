"""Whom a fault befalls: the devices of a unit, a district, a gateway, a main, a kind or a radio."""

from collections.abc import Callable

import numpy as np

from firetower.devices.city import City, Device
from firetower.devices.kinds import DeviceKind
from firetower.devices.topics import GATEWAY
from firetower.simulator.faults.stream import Devices
from firetower.simulator.models import Radio, radio


def of_unit(city: City, unit: str) -> Devices:
    """Return the devices of a unit, its gateway among them."""
    return _such(city, lambda device: device.unit == unit)


def behind_gateway(city: City, unit: str) -> Devices:
    """Return a unit's gateway and what reports through it; what has a radio line of its own is not among them."""
    return _such(
        city, lambda device: device.unit == unit and (device.kind is DeviceKind.GATEWAY or device.gateway == GATEWAY)
    )


def of_district(city: City, district: str) -> Devices:
    """Return the devices of all units of a district, by its name."""
    grids = {grid.code for grid in city.grids if grid.district == district}
    units = {unit.code for unit in city.units if unit.grid in grids}
    return _such(city, lambda device: device.unit in units)


def of_main(city: City, main: str) -> Devices:
    """Return the hydrants and cranes of a water main."""
    return _such(city, lambda device: device.main == main)


def of_kind(city: City, *kinds: DeviceKind) -> Devices:
    """Return the devices of some kinds."""
    return _such(city, lambda device: device.kind in kinds)


def of_radio(city: City, which: Radio) -> Devices:
    """Return the devices that speak by a radio, or by wire."""
    return _such(city, lambda device: radio(device.model) == which)


def everyone(city: City) -> Devices:
    """Return all devices of a city."""
    return Devices(np.arange(len(city.devices)))


def _such(city: City, wanted: Callable[[Device], bool]) -> Devices:
    return Devices(np.array([number for number, device in enumerate(city.devices) if wanted(device)], np.int64))
