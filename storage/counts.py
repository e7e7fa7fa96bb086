"""How much the store holds: what a demo says at its end."""

from dataclasses import dataclass

import asyncpg

from firetower.storage.pool import store_errors


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of the ``api`` views; ``alerts``: without those that Firetower raised about itself, ``fires`` among them."""

    readings: int
    alerts: int
    fires: int
    rejects: int


async def counts(pool: asyncpg.Pool) -> Counts:
    """Count them. Raises StoreUnavailable."""
    with store_errors():
        row = await pool.fetchrow(
            "SELECT (SELECT count(*) FROM api.readings) AS readings, (SELECT count(*) FROM alert"
            " WHERE subject_kind <> 'system') AS alerts,"
            " (SELECT count(*) FROM api.alerts WHERE class = 'fire') AS fires,"
            " (SELECT count(*) FROM api.rejects) AS rejects"
        )
    return Counts(**dict(row or {}))
