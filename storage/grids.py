"""Grids 网格 on PostgreSQL: listed with their boundaries."""

from dataclasses import dataclass

from firetower.storage.devices import fetch
from firetower.storage.pool import Pool

_LIST = """
SELECT g.code, g.name, g.district, g.boundary::text AS boundary, coalesce(n.units, 0) AS units
FROM grid g LEFT JOIN (SELECT grid_id, count(*) AS units FROM unit GROUP BY grid_id) n ON n.grid_id = g.id
WHERE $1::text IS NULL OR g.code > $1 ORDER BY g.code LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class GridRow:
    """A grid: ``boundary`` one closed ring of [longitude, latitude] as JSON, None where none is registered."""

    code: str
    name: str
    district: str | None
    boundary: str | None
    units: int


async def list_grids(pool: Pool, *, limit: int, after: str | None = None) -> list[GridRow]:
    """Return up to ``limit`` grids by code, those after ``after``. Raises StoreUnavailable."""
    rows = await fetch(pool, _LIST, [after, limit])
    return [GridRow(row["code"], row["name"], row["district"], row["boundary"], row["units"]) for row in rows]
