"""Alerts that the desk raises about Firetower and its watch: verdicts applied in transactions of its own."""

from collections.abc import Sequence

import asyncpg

from firetower.core.clock import Micros
from firetower.ingest.meters import alerts_raised
from firetower.rules.verdicts import Verdict
from firetower.storage import changes
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.alert_verdicts import Overtaken, apply_verdicts


async def tell(pool: asyncpg.Pool, lease: Fence, verdicts: Sequence[Verdict], now: Micros) -> None:
    """Raise, repeat and clear alerts as ``verdicts`` say. Raises LeaseLost, StoreUnavailable."""
    if not verdicts:
        return
    while True:
        try:
            async with fenced(pool, lease) as conn:
                applied = await apply_verdicts(conn, verdicts, at=now)
                await changes.announce(conn, applied.alert_ids, now)
        except Overtaken:
            continue
        for alert_class, count in applied.raised.items():
            alerts_raised.labels(alert_class).inc(count)
        return
