"""Every unit and micro fire station with its place, in columns, as the map shows them.

Written as JSON by the database: of 100,000 units no rows and no lists are made here, on the loop on which alarms come.
"""

from firetower.storage.devices import fetch
from firetower.storage.pool import Pool

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


async def units(pool: Pool) -> bytes:
    """Return a JSON object with a list a column, units without a place left out. Raises StoreUnavailable."""
    return await _columns(pool, _UNITS, ("unit", "name", "category", "grid", "lon", "lat"))


async def stations(pool: Pool) -> bytes:
    """Return a JSON object with a list a column. Raises StoreUnavailable."""
    return await _columns(pool, _STATIONS, ("station", "name", "grid", "unit", "lon", "lat"))


async def placeless(pool: Pool) -> int:
    """Return how many units have no place. Raises StoreUnavailable."""
    return int((await fetch(pool, _PLACELESS, []))[0]["n"])


async def _columns(pool: Pool, rows: str, names: tuple[str, ...]) -> bytes:
    columns = ", ".join(f"'{name}', coalesce(json_agg(r.{name}), '[]')" for name in names)
    query = f"select convert_to(json_build_object({columns})::text, 'UTF8') as body from ({rows}) r"
    found: bytes = (await fetch(pool, query, []))[0]["body"]
    return found
