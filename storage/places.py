"""Every unit and micro fire station with its place, in columns, as the map shows them."""

from collections.abc import Sequence
from typing import Any

from firetower.storage.devices import fetch
from firetower.storage.pool import Pool

UNIT_COLUMNS = ("unit", "name", "category", "grid", "lon", "lat")
STATION_COLUMNS = ("station", "name", "grid", "unit", "lon", "lat")

_UNITS = """
select u.code as unit, u.name, u.category, g.code as grid, u.lon, u.lat
  from unit u left join grid g on g.id = u.grid_id
 where u.lon is not null and u.lat is not null order by u.code
"""
_STATIONS = """
select s.code as station, s.name, g.code as grid, u.code as unit, s.lon, s.lat
  from station s left join grid g on g.id = s.grid_id left join unit u on u.id = s.unit_id order by s.code
"""
_PLACELESS = "select count(*) as n from unit where lon is null or lat is null"


async def units(pool: Pool) -> dict[str, list[Any]]:
    """Return a list a column of ``UNIT_COLUMNS``, units without a place left out. Raises StoreUnavailable."""
    return _columns(await fetch(pool, _UNITS, []), UNIT_COLUMNS)


async def stations(pool: Pool) -> dict[str, list[Any]]:
    """Return a list a column of ``STATION_COLUMNS``. Raises StoreUnavailable."""
    return _columns(await fetch(pool, _STATIONS, []), STATION_COLUMNS)


async def placeless(pool: Pool) -> int:
    """Return how many units have no place. Raises StoreUnavailable."""
    return int((await fetch(pool, _PLACELESS, []))[0]["n"])


def _columns(rows: Sequence[Any], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}
