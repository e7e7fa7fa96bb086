"""Announced windows on PostgreSQL: reading them, and what people do with them, each act announced as it commits."""

from collections.abc import Iterable
from typing import Any

from firetower.alerts.windows import Window, WindowKind
from firetower.core.clock import Micros, from_datetime, to_datetime

_PLAIN = (
    "id",
    "unit",
    "zone",
    "device",
    "component",
    "main",
    "reason",
    "measure",
    "person",
    "requested_by",
    "approved_by",
    "refused_by",
    "refusal",
    "ended_by",
)
_TIMES = ("starts_at", "ends_at", "requested_at", "approved_at", "refused_at", "ended_at")

COLUMNS = ", ".join(f"w.{name}" for name in ("kind", *_PLAIN, *_TIMES))
"""What ``to_window`` reads, of a table called ``w``."""

_CURRENT = "w.ends_at > $1 AND w.ended_at IS NULL AND w.refused_at IS NULL"


def to_window(row: Any) -> Window:
    """Return the window of a row with COLUMNS."""
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    for name in _TIMES:
        values[name] = None if row[name] is None else from_datetime(row[name])
    return Window(kind=WindowKind(row["kind"]), **values)


async def by_ids(conn: Any, ids: Iterable[int]) -> list[Window]:
    """Return the windows of these ids, by id; one that is not there is left out."""
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM announced_window w WHERE w.id = ANY($1::bigint[]) ORDER BY w.id", list(ids)
    )
    return [to_window(row) for row in rows]


async def current(conn: Any, now: Micros) -> list[Window]:
    """Return the windows that are requested, planned or active at ``now``, by id."""
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM announced_window w WHERE {_CURRENT} ORDER BY w.id", to_datetime(now)
    )
    return [to_window(row) for row in rows]
