"""Grids 网格 on PostgreSQL: listed with their boundaries."""

from collections.abc import Sequence
from dataclasses import dataclass

from firetower.storage.devices import fetch
from firetower.storage.pool import Pool

_LIST = """
SELECT g.code, g.name, g.district, g.boundary, (SELECT count(*) FROM unit u WHERE u.grid_id = g.id) AS units
FROM grid g WHERE $1::text IS NULL OR g.code > $1 ORDER BY g.code LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class GridRow:
    """A grid: ``boundary`` one closed ring of (longitude, latitude), None where none is registered."""

    code: str
    name: str
    district: str | None
    boundary: Sequence[tuple[float, float]] | None
    units: int


async def list_grids(pool: Pool, *, limit: int, after: str | None = None) -> list[GridRow]:
    """Return up to ``limit`` grids by code, those after ``after``. Raises StoreUnavailable."""
    rows = await fetch(pool, _LIST, [after, limit])
    return [GridRow(row["code"], row["name"], row["district"], row["boundary"], row["units"]) for row in rows]
