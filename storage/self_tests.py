"""Self-tests on PostgreSQL: put on record, listed by how they stand, and when the schedule began."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firetower.alerts.selftests.schedule import OF_CENTRE, Bounds, Done, Kind, Result, Standing, State
from firetower.alerts.watch.log import LogKind
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import InvalidInput, NotFound
from firetower.storage import follower
from firetower.storage.idempotency import used_at
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry

SCHEDULE = "self_tests"
"""Under this name of a follower stands when the schedule began, µs."""

_DONE = "t.id, t.kind, t.unit, t.at, t.by, t.result, t.note, t.evidence"
_LAST_OF_CENTRE = (
    f"SELECT {_DONE} FROM self_test t WHERE t.kind = $1 AND t.unit IS NULL ORDER BY t.at DESC, t.id DESC LIMIT 1"
)
_MADE_AT = f"SELECT {_DONE} FROM self_test t WHERE t.by = $1 AND t.at = $2 AND t.kind = $3 ORDER BY t.id LIMIT 1"
_ADD = (
    "INSERT INTO self_test AS t (kind, unit, at, by, result, note, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    f" RETURNING {_DONE}"
)
_LOG = f"""
SELECT {_DONE} FROM self_test t
WHERE ($1::text IS NULL OR t.kind = $1) AND ($2::text IS NULL OR t.unit = $2) AND ($3::int8 IS NULL OR t.id < $3)
ORDER BY t.id DESC LIMIT $4
"""
# A unit that has a panel: without one there is nothing that a fire could be sent from. $1: when the schedule began.
_UNITS = f"""
SELECT u.code, u.name, greatest(u.registered_at, $1) AS since, {_DONE.replace("t.unit, ", "")}
FROM unit u LEFT JOIN LATERAL (
    SELECT * FROM self_test l WHERE l.kind = 'unit_fire_test' AND l.unit = u.code ORDER BY l.at DESC, l.id DESC LIMIT 1
) t ON true
WHERE EXISTS (SELECT FROM device d WHERE d.unit_id = u.id AND d.kind = 'panel' AND d.retired_at IS NULL)
"""
_SINCE = "coalesce(t.at, greatest(u.registered_at, $1))"
_FAILED = "coalesce(t.result, '') = 'failed'"
_STATES = {  # as ``Bounds.state`` says it; $2: due, $3: overdue
    State.FAILED: _FAILED,
    State.OVERDUE: f"NOT {_FAILED} AND {_SINCE} < $3",
    State.DUE: f"NOT {_FAILED} AND {_SINCE} >= $3 AND (t.at IS NULL OR t.at < $2)",
    State.DONE: f"NOT {_FAILED} AND t.at >= $2",
}
_SUGGESTED = """
SELECT DISTINCT ON (a.unit) a.unit, a.id AS alert_id, a.window_id, a.raised_at
FROM unnest($1::text[], $2::timestamptz[]) AS s (unit, since)
JOIN alert a ON a.unit = s.unit AND a.raised_at >= s.since AND a.alert_class = 'fire'
JOIN announced_window w ON w.id = a.window_id AND w.kind = 'test'
ORDER BY a.unit, a.raised_at DESC
"""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A fire of a unit that came in its announced test: whoever is at it may put that on record as the fire test."""

    alert_id: int
    window_id: int
    at: Micros


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which self-tests to list. ``bounds``: of the kinds wanted; ``unit``: only that; ``after``: greater codes."""

    bounds: Mapping[Kind, Bounds]
    states: Sequence[State] = tuple(State)
    unit: str | None = None
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """How a self-test stands, and what may be put on record as it."""

    standing: Standing
    state: State
    suggested: Suggested | None = None


async def listed(pool: Pool, wanted: Wanted, now: Micros) -> tuple[list[Listed], bool]:
    """Return how self-tests stand, and whether more units follow; ``limit`` is of units. Raises StoreUnavailable.

    Those of the centre come first, on the first page.
    """
    found: list[Listed] = []
    with store_errors():
        async with pool.acquire() as conn:
            since = await began(conn) or now
            for kind in OF_CENTRE:
                bounds = wanted.bounds.get(kind)
                if bounds is not None and wanted.unit is None and wanted.after is None:
                    one = await of_centre(conn, kind, since)
                    found += [Listed(one, bounds.state(one))] if bounds.state(one) in wanted.states else []
            bounds = wanted.bounds.get(Kind.UNIT_FIRE_TEST)
            if bounds is None:
                return found, False
            units, total = await of_units(
                conn, since, bounds, wanted.states, limit=wanted.limit, unit=wanted.unit, after=wanted.after
            )
            asked = [each for each in units if bounds.state(each) is not State.DONE]
            hints = await _suggested(conn, asked) if asked else {}
            found += [Listed(each, bounds.state(each), hints.get(each.unit)) for each in units]
    return found, total > len(units)


async def record(
    pool: Pool,
    kind: Kind,
    result: Result,
    *,
    by: str,
    at: Micros,
    unit: str | None = None,
    note: str | None = None,
    evidence: str | None = None,
    idempotency_key: str | None = None,
) -> Done:
    """Put a self-test that was done on record. The same request under its key again: what that made.

    Raises InvalidInput where the kind is of units and none is given, or the other way round; NotFound for a unit nobody
    registered; Conflict for a key used for another request; StoreUnavailable.
    """
    if (kind is Kind.UNIT_FIRE_TEST) != (unit is not None):
        remedy = "name the unit" if unit is None else "leave the unit out"
        raise InvalidInput(f"self-test {kind} is of {'a unit' if unit is None else 'the centre'}; {remedy}")
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            if idempotency_key is not None:
                request = json.dumps(["self_test", kind, result, unit, note, evidence], ensure_ascii=False)
                before = await used_at(conn, idempotency_key, by, request, at)
                if before is not None:
                    return _done(await conn.fetchrow(_MADE_AT, by, to_datetime(before), kind))
            if unit is not None and await conn.fetchval("SELECT id FROM unit WHERE code = $1", unit) is None:
                raise NotFound(f"there is no unit {unit!r}; list units to find the one you mean")
            return await put(conn, Done(0, kind, unit, at, by, result, note, evidence))


async def put(conn: Any, done: Done) -> Done:
    """Put a self-test on record, and into the shift log, inside the caller's transaction; return it with its id."""
    said = {"kind": done.kind.value, "unit": done.unit, "result": done.result.value}
    await log_entry(conn, done.at, LogKind.SELF_TEST, done.by, evidence=said)
    given = (done.kind, done.unit, to_datetime(done.at), done.by, done.result, done.note, done.evidence)
    return _done(await conn.fetchrow(_ADD, *given))


async def began(conn: Any) -> Micros | None:
    """Return when the schedule of this installation began, µs; None before it has."""
    return await follower.position(conn, SCHEDULE)


async def of_centre(conn: Any, kind: Kind, since: Micros) -> Standing:
    """Return how a self-test of the centre was done last; ``since``: when the schedule began."""
    row = await conn.fetchrow(_LAST_OF_CENTRE, kind)
    return Standing(kind, None, None, since, None if row is None else _done(row))


async def of_units(
    conn: Any,
    since: Micros,
    bounds: Bounds,
    states: Sequence[State],
    *,
    limit: int,
    unit: str | None = None,
    after: str | None = None,
) -> tuple[list[Standing], int]:
    """Return the fire tests of units with a panel that stand in ``states``, at most ``limit`` by code, and how many do.

    ``unit``: only of that one; ``after``: those of a greater code.
    """
    where = " OR ".join(f"({_STATES[state]})" for state in states)
    typed = "$2::timestamptz IS NOT NULL AND $3::timestamptz IS NOT NULL"  # not every state speaks of both
    rows = await conn.fetch(
        f"SELECT *, count(*) OVER () AS total FROM ({_UNITS} AND ({where})"
        " AND ($4::text IS NULL OR u.code = $4) AND ($5::text IS NULL OR u.code > $5)"
        f" AND {typed}) s ORDER BY code LIMIT $6",
        *map(to_datetime, (since, bounds.due, bounds.overdue)),
        unit,
        after,
        limit,
    )
    found = [
        Standing(
            Kind.UNIT_FIRE_TEST,
            row["code"],
            row["name"],
            from_datetime(row["since"]),
            None if row["id"] is None else _done({**row, "unit": row["code"]}),
        )
        for row in rows
    ]
    return found, rows[0]["total"] if rows else 0


async def _suggested(conn: Any, standings: Sequence[Standing]) -> Mapping[str | None, Suggested]:
    """Return, by unit, the newest fire since its last test that came in an announced test of its own."""
    since = [(each.unit, each.since if each.last is None else each.last.at) for each in standings]
    rows = await conn.fetch(_SUGGESTED, [unit for unit, _ in since], [to_datetime(at) for _, at in since])
    return {row["unit"]: Suggested(row["alert_id"], row["window_id"], from_datetime(row["raised_at"])) for row in rows}


async def log(pool: Pool, *, kind: Kind | None, unit: str | None, before: int | None, limit: int) -> list[Done]:
    """Return up to ``limit`` that were done, newest first, of smaller ids than ``before``. Raises StoreUnavailable."""
    with store_errors():
        return [_done(row) for row in await pool.fetch(_LOG, kind, unit, before, limit)]


def _done(row: Any) -> Done:
    return Done(
        id=row["id"],
        kind=Kind(row["kind"]),
        unit=row["unit"],
        at=from_datetime(row["at"]),
        by=row["by"],
        result=Result(row["result"]),
        note=row["note"],
        evidence=row["evidence"],
    )
