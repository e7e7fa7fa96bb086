"""How units and grids stand in risk, read: lists worst first, counts by band, and the changes of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firetower.core.clock import Micros, from_datetime
from firetower.core.errors import NotFound
from firetower.storage.devices import fetch
from firetower.storage.pool import Pool
from firetower.storage.risk_results import Scope

_OF_UNIT = "FROM risk r JOIN unit t ON t.id = r.id LEFT JOIN grid g ON g.id = t.grid_id WHERE r.scope = 'unit'"
_OF_GRID = "FROM risk r JOIN grid t ON t.id = r.id JOIN grid g ON g.id = t.id WHERE r.scope = 'grid'"
_COLUMNS = (
    "r.id, t.code, t.name, g.code AS grid, r.score, r.band, r.known, r.parts, r.rest, r.since, r.changed_at,"
    " coalesce(r.score, 101) AS place"
)
_WORST = "SELECT id, code, name FROM unit WHERE id = ANY($1::int4[])"
_ROUND = "SELECT computed_at, model, units FROM risk_round"
_CHANGES = """
SELECT n, at, old_band, new_band, old_score, new_score, held_by, reason FROM risk_change
WHERE scope = $1 AND id = $2 AND ($3::int8 IS NULL OR n < $3) ORDER BY n DESC LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Which:
    """Which to list. Band "unknown": those without a score; ``within``: west, south, east, north, degrees, of units.

    ``after``: greater than this place (the score, 101 without one) and number.
    """

    scope: Scope
    bands: Sequence[str] = ()
    unit: str | None = None
    grid: str | None = None
    q: str | None = None
    within: tuple[float, float, float, float] | None = None
    after: tuple[int, int] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How a unit or a grid stands. ``worst``: of a grid (code, name) of its worst units; ``place``: in the order."""

    id: int
    code: str
    name: str
    grid: str | None
    category: str | None
    lon: float | None
    lat: float | None
    score: int | None
    band: str | None
    known: float
    parts: Sequence[Mapping[str, Any]]
    rest: Mapping[str, Any]
    since: Micros
    changed_at: Micros
    place: int
    worst: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """When everything was reckoned last, by which version of the model, and of how many units."""

    computed_at: Micros
    model: int
    units: int


@dataclass(frozen=True, slots=True)
class Change:
    """A change of band; None: nothing was known. ``reason``: the parts whose score changed with it."""

    n: int
    at: Micros
    old_band: str | None
    new_band: str | None
    old_score: int | None
    new_score: int | None
    held_by: str | None
    reason: Sequence[Mapping[str, Any]]


async def listed(pool: Pool, which: Which) -> list[Standing]:
    """Return up to ``limit`` that stand so, the worst first, unknown ones last. Raises StoreUnavailable."""
    where, given = _where(which)
    if which.bands:
        given.append(list(which.bands))
        where += f" AND coalesce(r.band, 'unknown') = ANY(${len(given)}::text[])"
    if which.after is not None:
        given += which.after
        where += f" AND (coalesce(r.score, 101), r.id) > (${len(given) - 1}::int4, ${len(given)}::int4)"
    of_unit = which.scope == "unit"
    more = ", t.category, t.lon, t.lat" if of_unit else ", NULL AS category, NULL AS lon, NULL AS lat"
    given.append(which.limit)
    rows = await fetch(
        pool,
        f"SELECT {_COLUMNS}{more} {where} ORDER BY coalesce(r.score, 101), r.id LIMIT ${len(given)}",
        given,
    )
    named = [number for row in rows for number in row["rest"].get("worst", ())]
    names = {row["id"]: (row["code"], row["name"]) for row in await fetch(pool, _WORST, [named])} if named else {}
    return [_standing(row, names) for row in rows]


async def counts(pool: Pool, which: Which) -> dict[str, int]:
    """Return how many stand in each band, ``unknown`` among them, whichever ``bands`` are wanted.

    Raises StoreUnavailable.
    """
    where, given = _where(which)
    rows = await fetch(pool, f"SELECT coalesce(r.band, 'unknown') AS band, count(*) AS n {where} GROUP BY 1", given)
    return {row["band"]: row["n"] for row in rows}


async def last_round(pool: Pool) -> Round | None:
    """Return when everything was reckoned last, None before it ever was. Raises StoreUnavailable."""
    rows = await fetch(pool, _ROUND, [])
    return Round(from_datetime(rows[0]["computed_at"]), rows[0]["model"], rows[0]["units"]) if rows else None


async def changes(pool: Pool, scope: Scope, code: str, *, before: int | None, limit: int) -> list[Change]:
    """Return up to ``limit`` changes of a unit's or grid's band, newest first. Raises NotFound, StoreUnavailable."""
    found = await fetch(pool, f"SELECT id FROM {'unit' if scope == 'unit' else 'grid'} WHERE code = $1", [code])
    if not found:
        raise NotFound(f"there is no {scope} {code!r}")
    rows = await fetch(pool, _CHANGES, [scope, found[0]["id"], before, limit])
    return [Change(**dict(row) | {"at": from_datetime(row["at"])}) for row in rows]


def _where(which: Which) -> tuple[str, list[Any]]:
    given: list[Any] = []
    where = _OF_UNIT if which.scope == "unit" else _OF_GRID
    code = which.unit if which.scope == "unit" else None
    for value, term in ((code, "t.code = {}"), (which.grid, "g.code = {}")):
        if value is not None:
            given.append(value)
            where += " AND " + term.format(f"${len(given)}")
    if which.q is not None:
        given.append("%" + which.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%")
        where += f" AND (t.code ILIKE ${len(given)} OR t.name ILIKE ${len(given)})"
    if which.within is not None and which.scope == "unit":
        given += which.within
        n = len(given)
        where += f" AND t.lon BETWEEN ${n - 3} AND ${n - 1} AND t.lat BETWEEN ${n - 2} AND ${n}"
    return where, given


def _standing(row: Any, names: Mapping[int, tuple[str, str]]) -> Standing:
    plain: dict[str, Any] = {
        name: row[name] for name in Standing.__slots__ if name not in {"since", "changed_at", "worst"}
    }
    worst = [names[number] for number in row["rest"].get("worst", ()) if number in names]
    times: dict[str, Any] = {name: from_datetime(row[name]) for name in ("since", "changed_at")}
    return Standing(**plain, **times, worst=worst)
