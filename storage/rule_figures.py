"""How often a rule of the rulebook raised lately, and how much of that was false."""

from dataclasses import dataclass

from firetower.core.clock import DAY, Micros, to_datetime
from firetower.storage.pool import Pool, store_errors

DAYS = 7


@dataclass(frozen=True, slots=True)
class Raised:
    """What one rule raised. ``open``: alerts that stand; ``by_day``: new ones in each of the last 7 × 24 hours, the
    oldest first; ``false``: of these, closed as false alarms.
    """

    open: int
    by_day: tuple[int, ...]
    false: int


async def raised(pool: Pool, rule: str, now: Micros) -> Raised:
    """Return what ``rule`` raised in the seven days before ``now``. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            standing = await conn.fetchval("SELECT count(*) FROM alert WHERE rule = $1 AND state <> 'closed'", rule)
            rows = await conn.fetch(
                "SELECT least($3 - 1, floor(extract(epoch FROM raised_at - $2) / 86400))::int AS day, count(*) AS n,"
                " count(*) FILTER (WHERE disposition = 'false_alarm') AS false"
                " FROM alert WHERE rule = $1 AND raised_at > $2 GROUP BY 1",
                rule,
                to_datetime(now - DAYS * DAY),
                DAYS,
            )
    found = {row["day"]: row["n"] for row in rows}
    return Raised(standing, tuple(found.get(day, 0) for day in range(DAYS)), sum(row["false"] for row in rows))
