"""Who plays what: devices of the city for every role of every scenario, so that no scenario touches another's place."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from firetower.core.errors import InvalidInput
from firetower.devices.city import City, Device, Unit
from firetower.devices.kinds import DeviceKind
from firetower.simulator.models import interval
from firetower.simulator.script import Role
from firetower.simulator.script_file import Part

NEW_IN_UNIT = 20
"""Devices of a unit that stands in no registry."""
_STREET = {DeviceKind.HYDRANT, DeviceKind.WATER_CRANE}
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Casting:
    """Devices of each role by (scenario, role), as positions in ``city.devices``; ``city`` has the new devices, too.

    ``new``: positions of those that stand in no registry.
    """

    city: City
    roles: dict[tuple[str, str], tuple[int, ...]]
    new: tuple[int, ...]


def place_of(device: Device) -> Place:
    """Return what of a device's surroundings a scenario changes: its main, its zone, or the device alone."""
    if device.kind in _STREET and device.main is not None:
        return "main", device.main
    if device.zone is not None:
        return "zone", device.unit, device.zone
    return "device", device.unit, device.device


def cast(parts: Sequence[Part], city: City) -> Casting:
    """Return who plays. Those who need most room choose first; InvalidInput names a role nobody is left for."""
    districts = {grid.district for grid in city.grids} if any(_room(part) == 0 for part in parts) else {None}
    trouble: InvalidInput | None = None
    for passed_over in range(len(districts)):  # another district may leave enough for the others
        try:
            return _cast(parts, city, passed_over)
        except InvalidInput as err:
            trouble = trouble or err
    assert trouble is not None
    raise trouble


def _cast(parts: Sequence[Part], city: City, passed_over: int) -> Casting:
    wanted = {role.category for part in parts for role in part.script.cast.values() if role.category is not None}
    caster = _Caster(city, frozenset(wanted), passed_over)
    roles: dict[tuple[str, str], tuple[int, ...]] = {}
    for part in sorted(parts, key=_room):
        roles |= {(part.name, name): devices for name, devices in caster.play(part).items()}
    for part in parts:  # these come last, and keep out of everybody's way
        for name, role in part.script.cast.items():
            if role.any:
                roles[part.name, name] = caster.whoever(part, name, role)
    return Casting(caster.city(), roles, tuple(caster.new))


def _room(part: Part) -> int:
    wants = part.script.cast.values()
    if any(role.all == "district" for role in wants):
        return 0
    return 1 if any(role.alone or role.all is not None for role in wants) else 2


@dataclass(slots=True)
class _Caster:
    _of: City
    _wanted: frozenset[str]  # categories that roles ask for
    _passed_over: int  # districts
    new: list[int] = field(default_factory=list)
    _devices: list[Device] = field(default_factory=list)
    _units: list[Unit] = field(default_factory=list)
    _places: set[Place] = field(default_factory=set)
    _alone: set[str] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)
    _category: dict[str, str] = field(default_factory=dict)
    _district: dict[str, str] = field(default_factory=dict)
    _in_unit: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._devices, self._units = list(self._of.devices), list(self._of.units)
        grids = {grid.code: grid.district or grid.code for grid in self._of.grids}
        self._category = {unit.code: unit.category for unit in self._of.units}
        self._district = {unit.code: grids.get(unit.grid or "", "") for unit in self._of.units}
        for number, device in enumerate(self._of.devices):
            self._in_unit[device.unit].append(number)

    def city(self) -> City:
        """Return the city with the devices that are new to it."""
        return self._of.model_copy(update={"devices": tuple(self._devices), "units": tuple(self._units)})

    def play(self, part: Part) -> dict[str, tuple[int, ...]]:
        """Return the devices of a scenario's roles, those of ``any`` left out, and keep their places for it."""
        wanted = [(name, role) for name, role in part.script.cast.items() if not role.any]
        found = self._assign(part, wanted, {})
        if isinstance(found, str):
            role = part.script.cast[found]
            raise InvalidInput(
                f"scenario {part.name!r}: the city has no device for the role {found!r} ({_words(role)}) that no other "
                "scenario plays with; take a larger city (--devices), another --seed, or fewer scenarios at once"
            )
        for name, role in wanted:
            for number in found[name]:
                device = self._devices[number]
                self._places.add(place_of(device))
                self._used.add(device.unit)
                if role.alone or role.all in {"unit", "district"}:
                    self._alone.add(device.unit)
        return found

    def whoever(self, part: Part, name: str, role: Role) -> tuple[int, ...]:
        """Return everybody who fits and has no part of their own."""
        found = tuple(number for number in range(len(self._of.devices)) if self._free(number, role, {}))
        if not found:
            raise InvalidInput(
                f"scenario {part.name!r}: the city has no device for the role {name!r} ({_words(role)}); "
                "take a larger city (--devices)"
            )
        return found

    def _assign(
        self, part: Part, wanted: list[tuple[str, Role]], chosen: dict[str, tuple[int, ...]]
    ) -> dict[str, tuple[int, ...]] | str:
        """Choose for the first of ``wanted`` and then for the others; else the role that failed furthest down."""
        if not wanted:
            return chosen
        (name, role), *rest = wanted
        failed = name
        for devices in self._candidates(part, name, role, chosen):
            found = self._assign(part, rest, {**chosen, name: devices})
            if not isinstance(found, str):
                return found
            failed = found
            if name not in part.script.cast[failed].others:
                break  # another choice here would not help it
        return failed

    def _candidates(
        self, part: Part, name: str, role: Role, chosen: dict[str, tuple[int, ...]]
    ) -> Iterator[tuple[int, ...]]:
        if role.new:
            yield self._make(part, name, role)
            return
        if role.all is not None:
            yield from self._groups(role, chosen)
            return
        taken = {number for numbers in chosen.values() for number in numbers}
        fit = (number for number in self._in_turn(role) if number not in taken and self._free(number, role, chosen))
        if role.count == 1:
            yield from ((number,) for number in fit)
            return
        many = tuple(itertools.islice(fit, role.count))
        if len(many) == role.count:
            yield many

    def _in_turn(self, role: Role) -> Iterator[int]:
        """Yield all devices; who does not care for a category leaves those that others ask for to the last."""
        everybody = range(len(self._of.devices))
        if role.category is not None or not self._wanted:
            yield from everybody
            return
        for asked_for in (False, True):
            yield from (number for number in everybody if self._is_wanted(number) is asked_for)

    def _is_wanted(self, number: int) -> bool:
        return self._category.get(self._devices[number].unit) in self._wanted

    def _groups(self, role: Role, chosen: dict[str, tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
        groups: dict[Place, list[int]] = defaultdict(list)
        for number, device in enumerate(self._of.devices):
            group = self._group(role, device)
            if group is not None and self._fits(number, role, chosen):
                groups[group].append(number)
        found = list(groups.values())
        if role.all == "district":  # where it leaves others most of what they need
            found.sort(key=lambda numbers: (self._asked_for(numbers), len(numbers)))
            del found[: self._passed_over]
        for numbers in found:
            if len(numbers) >= role.least and all(self._free(number, role, chosen) for number in numbers):
                yield tuple(numbers)

    def _asked_for(self, numbers: list[int]) -> int:
        """How many units of ``numbers`` are of a category that some role asks for."""
        units = {self._devices[number].unit for number in numbers}
        return sum(self._category[unit] in self._wanted for unit in units)

    def _group(self, role: Role, device: Device) -> Place | None:
        if role.all == "main":
            return None if device.main is None else ("main", device.main)
        if role.all == "zone":
            return None if device.zone is None else ("zone", device.unit, device.zone)
        if role.all == "unit":
            return "unit", device.unit
        district = self._district.get(device.unit, "")
        return ("district", district) if district and self._category[device.unit] != "water_company" else None

    def _free(self, number: int, role: Role, chosen: dict[str, tuple[int, ...]]) -> bool:
        device = self._devices[number]
        if place_of(device) in self._places or device.unit in self._alone:
            return False
        if (role.alone or role.all in {"unit", "district"}) and device.unit in self._used:
            return False
        return self._fits(number, role, chosen)

    def _fits(self, number: int, role: Role, chosen: dict[str, tuple[int, ...]]) -> bool:
        device = self._devices[number]
        if role.kind is not None and device.kind is not role.kind:
            return False
        if role.category is not None and self._category.get(device.unit) != role.category:
            return False
        if role.alone and not role.others and device.unit in {self._devices[one[0]].unit for one in chosen.values()}:
            return False
        beside = {name: self._devices[chosen[name][0]] for name in role.others if name in chosen}
        if role.same_zone is not None:
            first = beside[role.same_zone]
            return device.zone is not None and (device.unit, device.zone) == (first.unit, first.zone)
        if role.same_unit is not None:
            return device.unit == beside[role.same_unit].unit
        if role.other_zone is not None:
            first = beside[role.other_zone]
            return device.unit == first.unit and device.zone not in {None, first.zone}
        return True

    def _make(self, part: Part, name: str, role: Role) -> tuple[int, ...]:
        assert role.kind is not None
        made = []
        for number in range(role.count):
            unit = f"new-{part.name}-{name}-{number // NEW_IN_UNIT + 1}".replace("#", "-").replace(" ", "-")[:64]
            if number % NEW_IN_UNIT == 0:
                self._units.append(Unit(code=unit))
            device = f"{role.kind.value}-{number % NEW_IN_UNIT + 1:02d}"
            made.append(len(self._devices))
            self._devices.append(
                Device(unit=unit, device=device, kind=role.kind, interval_s=interval(role.kind, "demo"))
            )
        self.new += made
        return tuple(made)


def _words(role: Role) -> str:
    said = [str(role.kind.value) if role.kind is not None else "any kind"]
    if role.category is not None:
        said.append(f"of a {role.category}")
    if role.all is not None:
        said.append(f"all of a {role.all}, {role.least} at least")
    beside = {"in the zone of": role.same_zone, "in the unit of": role.same_unit, "in another zone of": role.other_zone}
    said += [f"{word} {other}" for word, other in beside.items() if other is not None]
    if role.alone:
        said.append("in a unit of its own")
    return " ".join(said)
