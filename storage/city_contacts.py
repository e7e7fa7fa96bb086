"""What an import writes of contacts: those of its grids, units and stations, and a unit's one contact of old."""

from collections.abc import Iterator
from typing import Any

from firetower.alerts.contacts import ContactScope
from firetower.core.clock import from_datetime
from firetower.devices.city import City, Unit
from firetower.devices.contacts import ContactEntry, Role, UnitContact
from firetower.storage import contacts
from firetower.storage.contacts import Owner

UNNAMED = "消控室"
"""The name of a unit's contact of whom a file gives the number only."""

Given = tuple[Owner, Role | None, tuple[ContactEntry, ...]]


async def write_contacts(conn: Any, city: City, by: str, *, within_s: float) -> tuple[int, int, int] | None:
    """Write the contacts a file speaks of; return (created, updated, unchanged), None when it speaks of none.

    Whoever's ``contacts`` stand in the file has these and no others; of a unit with ``contact_name`` or
    ``contact_phone`` alone, those of role ``control_room`` are replaced.
    """
    given = list(_given(city))
    if not given:
        return None
    rows = [(owner, each) for owner, _, entries in given for each in entries]
    whole = [(owner, role) for owner, role, _ in given]
    at = from_datetime(await conn.fetchval("SELECT now()"))
    created, updated = await contacts.write(conn, whole, rows, by, at, within_s=within_s)
    return created, updated, len(rows) - created - updated


def _given(city: City) -> Iterator[Given]:
    for grid in city.grids:
        if grid.contacts is not None:
            yield (ContactScope.GRID, grid.code), None, grid.contacts
    for unit in city.units:
        one = _one_contact(unit)
        if unit.contacts is not None:
            stands = one is None or (one.role, one.name) in {(each.role, each.name) for each in unit.contacts}
            yield (
                (ContactScope.UNIT, unit.code),
                None,
                unit.contacts if stands or one is None else (one, *unit.contacts),
            )
        elif one is not None:
            yield (ContactScope.UNIT, unit.code), Role.CONTROL_ROOM, (one,)
    for station in city.stations:
        if station.contacts is not None:
            yield (ContactScope.STATION, station.code), None, station.contacts


def _one_contact(unit: Unit) -> UnitContact | None:
    name = (unit.contact_name or "").strip()
    if not name and unit.contact_phone is None:
        return None
    return UnitContact(role=Role.CONTROL_ROOM, name=name[:100] or UNNAMED, phone=unit.contact_phone)
