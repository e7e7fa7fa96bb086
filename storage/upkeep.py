"""Everything the store needs done now and then, in one call."""

import asyncpg

from firetower.core.clock import Micros
from firetower.storage import accounts, changes, idempotency, partitions, rejects, shadow_alerts, snapshots
from firetower.storage.ingest import prune_seen


async def upkeep(pool: asyncpg.Pool, now: Micros, retention_days: int, snapshot_days: int) -> None:
    """Maintain the partitions; drop what is old: rejects, sessions, what rules on trial raised, pictures of
    cameras, what is remembered.

    To be called every few minutes. Raises StoreUnavailable; the next call does what this one left.
    """
    await partitions.maintain(pool, now, retention_days)
    await rejects.prune(pool, now)
    await accounts.purge_sessions(pool, now)
    await prune_seen(pool, now)
    await changes.prune(pool, now)
    await idempotency.forget_keys(pool, now)
    await shadow_alerts.prune(pool, now, retention_days)
    await snapshots.prune(pool, now, snapshot_days)
