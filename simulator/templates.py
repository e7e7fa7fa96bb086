"""The words the city is made of: ``names.yaml`` and ``units.yaml``, read once."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from firetower.devices.city import UnitCategory
from firetower.devices.kinds import DeviceKind


@dataclass(frozen=True, slots=True)
class Names:
    """Chinese words that names are put together from."""

    city: str
    districts: tuple[str, ...]
    places: tuple[str, ...]
    street_kinds: tuple[str, ...]
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitTemplate:
    """A category of unit: how many devices it has, of which kinds (shares that sum to 1), in what kind of building.

    ``control_room``: with a panel and a pump room, where it is large enough for them.
    """

    category: UnitCategory
    weight: float
    devices: tuple[int, int]
    load: str
    floors: int
    basements: int
    buildings: tuple[str, ...]
    ascii: str
    control_room: bool
    mix: dict[DeviceKind, float]
    suffixes: tuple[str, ...]


@cache
def names() -> Names:
    """Return the words of ``names.yaml``."""
    raw = _read("names.yaml")
    return Names(raw["city"], *(tuple(raw[key]) for key in ("districts", "places", "street_kinds", "zones")))


@cache
def unit_templates() -> tuple[UnitTemplate, ...]:
    """Return the categories of ``units.yaml``, in the order of the file."""
    made = []
    for category, row in _read("units.yaml").items():
        total = sum(row["mix"].values())
        made.append(
            UnitTemplate(
                category=category,
                weight=row["weight"],
                devices=(row["devices"][0], row["devices"][1]),
                load=row["load"],
                floors=row["floors"],
                basements=row["basements"],
                buildings=tuple(row["buildings"]),
                ascii=row["ascii"],
                control_room=row["control_room"],
                mix={DeviceKind(kind): share / total for kind, share in row["mix"].items()},
                suffixes=tuple(row["suffixes"]),
            )
        )
    return tuple(made)


def _read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((files(__package__) / name).read_text("utf-8"))
