"""Alerts of rules that the rulebook in force has no more: ended, or marked where only a person may end them."""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from firetower.alerts.model import Alert
from firetower.alerts.moves import Decided
from firetower.alerts.rule_gone import back, gone
from firetower.core.clock import Micros
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.verdicts import RULE_GONE
from firetower.storage import shadow_alerts
from firetower.storage.alert_moves import BATCH, Fence, fenced, in_turns, locked, write_decided
from firetower.storage.pool import store_errors

# What ``alerts/rule_gone.py`` says; that decides, on locked rows.
_GONE = f"""
SELECT a.id FROM alert a
WHERE (a.state <> 'closed' OR a.condition = 'active') AND a.rule <> ALL($1::text[])
AND a.subject_kind <> 'system' AND strpos(a.rule, ':') = 0
AND CASE WHEN a.latched AND a.state <> 'closed' THEN NOT '{RULE_GONE}' = ANY(a.flags) ELSE a.condition = 'active' END
AND a.id > $2 ORDER BY a.id LIMIT {BATCH}
"""
_BACK = f"""
SELECT a.id FROM alert a
WHERE a.state <> 'closed' AND a.rule = ANY($1::text[]) AND '{RULE_GONE}' = ANY(a.flags)
AND a.id > $2 ORDER BY a.id LIMIT {BATCH}
"""


async def end_gone(pool: asyncpg.Pool, lease: Fence, book: Rulebook, now: Micros) -> int:
    """Do what ``book``, in force from now on, means for alerts of rules it lacks or has on trial; return for how many.

    Plain ones return to normal, latched ones and fires stay open and say that their rule is gone, once; whose rule is
    back says so no more. What rules no more on trial would have raised ends, too. To be called when whatever other
    rules said is committed; in short transactions, each announced; called again, it does what is left. Raises
    LeaseLost, StoreUnavailable.
    """
    in_force = [rule.id for rule in book.rules if not rule.shadow]
    on_trial = {rule.id for rule in book.rules if rule.shadow}

    def without(alert: Alert) -> Decided | None:
        return gone(alert, now, on_trial=alert.rule in on_trial)

    count = await _through(pool, lease, _GONE, in_force, without, now=now)
    count += await _through(pool, lease, _BACK, in_force, lambda each: back(each, now), now=now)
    async with fenced(pool, lease) as conn:
        await shadow_alerts.end_others(conn, sorted(on_trial), now)
    return count


async def _through(
    pool: asyncpg.Pool,
    lease: Fence,
    query: str,
    rules: Sequence[str],
    decide: Callable[[Alert], Decided | None],
    *,
    now: Micros,
) -> int:
    """Decide on the alerts of ``query``, some at a time; return how many moved."""
    count = after = 0
    while ids := await _ids(pool, query, rules, after):
        async with fenced(pool, lease) as conn:
            moves = [decide(alert) async for alert in in_turns(await locked(conn, ids))]
            done = [move for move in moves if move is not None]
            await write_decided(conn, done, now)
        count += len(done)
        after = ids[-1]
    return count


async def _ids(pool: asyncpg.Pool, query: str, *arguments: Any) -> list[int]:
    with store_errors():
        return [row["id"] for row in await pool.fetch(query, *arguments)]
