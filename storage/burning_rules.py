"""Which rules have an open fire alert: none of them may be taken out of the rulebook."""

import asyncpg

from firetower.storage.pool import store_errors


async def burning_rules(pool: asyncpg.Pool) -> dict[str, int]:
    """Return the rules of the rulebook that an open fire alert was raised by, with the oldest such alert's id."""
    with store_errors():
        rows = await pool.fetch(
            "SELECT rule, min(id) AS alert FROM alert WHERE alert_class = 'fire' AND state <> 'closed'"
            " AND rule NOT LIKE 'event:%' AND rule NOT LIKE 'manual:%' GROUP BY rule ORDER BY rule"
        )
    return {row["rule"]: row["alert"] for row in rows}
