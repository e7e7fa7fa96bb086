"""Writes how units and grids stand, and each change of band with what changed, in one transaction a chunk."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from firetower.alerts.risk import telling
from firetower.alerts.risk.model import Band
from firetower.core.clock import Micros, to_datetime

Scope = Literal["unit", "grid"]

CHUNK = 250
"""Results written in one transaction: a millisecond or two of the event loop."""

_GIVEN = "unnest($2::int4[], $3::int2[], $4::text[]) AS g (id, score, band)"
_BEFORE = f"""
SELECT g.id, r.id IS NOT NULL AS rated, r.band, r.score, r.parts FROM {_GIVEN}
LEFT JOIN risk r ON r.scope = $1 AND r.id = g.id WHERE r.id IS NULL OR r.band IS DISTINCT FROM g.band
"""
_PUT = """
INSERT INTO risk (scope, id, score, band, known, parts, rest, since, changed_at)
SELECT $1, g.id, g.score, g.band, g.known, g.parts::jsonb, g.rest::jsonb, $8, $8
FROM unnest($2::int4[], $3::int2[], $4::text[], $5::float8[], $6::text[], $7::text[])
    AS g (id, score, band, known, parts, rest)
ON CONFLICT (scope, id) DO UPDATE SET score = excluded.score, band = excluded.band, known = excluded.known,
    parts = excluded.parts, rest = excluded.rest, changed_at = excluded.changed_at,
    since = CASE WHEN risk.band IS DISTINCT FROM excluded.band THEN excluded.since ELSE risk.since END
WHERE (risk.score, risk.known, risk.parts, risk.rest)
    IS DISTINCT FROM (excluded.score, excluded.known, excluded.parts, excluded.rest)
"""
_CHANGE = """
INSERT INTO risk_change (scope, id, at, old_band, new_band, old_score, new_score, held_by, reason)
SELECT $1, g.id, $2, g.old_band, g.new_band, g.old_score, g.new_score, g.held_by, g.reason::jsonb
FROM unnest($3::int4[], $4::text[], $5::text[], $6::int2[], $7::int2[], $8::text[], $9::text[])
    WITH ORDINALITY AS g (id, old_band, new_band, old_score, new_score, held_by, reason, n) ORDER BY g.n
"""
_EMPTY = """
DELETE FROM risk r WHERE r.scope = 'grid' AND NOT EXISTS (SELECT FROM unit u WHERE u.grid_id = r.id)
"""
_ROUND = """
INSERT INTO risk_round (computed_at, model, units, took_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (one) DO UPDATE SET computed_at = excluded.computed_at, model = excluded.model, units = excluded.units,
    took_ms = excluded.took_ms
"""


@dataclass(frozen=True, slots=True)
class Result:
    """How a unit or grid of that number stands; ``parts`` and ``rest`` as ``alerts.risk.telling`` has them."""

    id: int
    score: int | None
    band: Band | None
    known: float
    parts: list[dict[str, Any]]
    rest: dict[str, Any]


async def put(conn: Any, scope: Scope, results: Sequence[Result], at: Micros) -> None:
    """Write results on the caller's transaction; what stands already is left alone."""
    by_id = {each.id: each for each in results}
    numbers = [each.id for each in results]
    scores, bands = [each.score for each in results], [each.band for each in results]
    before = await conn.fetch(_BEFORE, scope, numbers, scores, bands)
    await conn.execute(
        _PUT,
        scope,
        numbers,
        scores,
        bands,
        [round(each.known, 3) for each in results],
        [json.dumps(each.parts) for each in results],
        [json.dumps(each.rest) for each in results],
        to_datetime(at),
    )
    if before:
        changes = [_change(by_id[row["id"]], row) for row in before]
        await conn.execute(_CHANGE, scope, to_datetime(at), *zip(*changes, strict=True))


def _change(now: Result, before: Any) -> tuple[Any, ...]:
    why = telling.why(before["parts"] if before["rated"] else None, now.parts)
    return now.id, before["band"], now.band, before["score"], now.score, now.rest["held_by"], json.dumps(why)


async def forget_empty_grids(conn: Any) -> None:
    """Forget how grids stand that every unit has left: nobody would reckon them again. Their changes stay."""
    await conn.execute(_EMPTY)


async def note_round(conn: Any, at: Micros, model: int, units: int, took_ms: int) -> None:
    """Note that everything was reckoned at ``at``."""
    await conn.execute(_ROUND, to_datetime(at), model, units, took_ms)
