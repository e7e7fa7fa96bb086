"""What was heard of each device, written back now and then: ingest keeps it in memory, never in its transactions."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import asyncpg
import numpy as np

from firetower.core.clock import MINUTE, Micros, to_datetime
from firetower.devices.liveness import STATUS_NAMES, statuses
from firetower.devices.readings import Int64s
from firetower.devices.registry import Registry
from firetower.storage.pool import store_errors

WRITTEN_EVERY: Micros = MINUTE
"""How far the stored ``last_seen_at`` of a device that stays online may lag: else every report would be a write."""
_BATCH = 5_000


@dataclass(slots=True)
class _Written:
    """The columns as they were last written, by device number."""

    status: np.ndarray[tuple[int], np.dtype[np.int8]]
    last_seen: Int64s


_written: WeakKeyDictionary[Registry, _Written] = WeakKeyDictionary()


async def flush(pool: asyncpg.Pool, registry: Registry, now: Micros) -> int:
    """Write status and ``last_seen_at`` of the devices whose status changed or that were heard a minute later.

    To be called every few seconds; returns how many devices were written. The first call of a process writes every
    device once seen. Raises StoreUnavailable; what was not written then is written by the next call.
    """
    size = len(registry.kind)
    written = _written.get(registry)
    if written is None:
        written = _written[registry] = _Written(np.full(size, -1, np.int8), np.zeros(size, np.int64))
    elif len(written.status) < size:
        more = size - len(written.status)
        written.status = np.concatenate([written.status, np.full(more, -1, np.int8)])
        written.last_seen = np.concatenate([written.last_seen, np.zeros(more, np.int64)])
    status = statuses(registry, now)
    last_seen = registry.last_seen.copy()
    changed = (status != written.status) | (last_seen >= written.last_seen + WRITTEN_EVERY)
    due = np.flatnonzero(changed & (registry.kind >= 0))
    for start in range(0, len(due), _BATCH):
        part = due[start : start + _BATCH]
        with store_errors():
            await pool.execute(
                "UPDATE device d SET status = g.status, last_seen_at = g.at"
                " FROM unnest($1::int4[], $2::text[], $3::timestamptz[]) AS g (id, status, at)"
                " WHERE d.id = g.id AND (d.status, d.last_seen_at) IS DISTINCT FROM (g.status, g.at)",
                part.tolist(),
                [STATUS_NAMES[code] for code in status[part].tolist()],
                [to_datetime(at) if at else None for at in last_seen[part].tolist()],
            )
        written.status[part] = status[part]
        written.last_seen[part] = last_seen[part]
    return len(due)


async def mirror(pool: asyncpg.Pool, registry: Registry, now: Micros) -> None:
    """Take over what the ingest last wrote: for a process that hears no device itself. Raises StoreUnavailable.

    A device that is online counts as heard at ``now``, one that is offline as having said so some time.
    """
    with store_errors():
        row = await pool.fetchrow(
            "SELECT array_agg(id) FILTER (WHERE status = 'online') AS online,"
            " array_agg(id) FILTER (WHERE status = 'offline') AS offline FROM device"
        )
    assert row is not None  # an aggregate always gives one
    for ids, is_offline in ((row["online"], False), (row["offline"], True)):
        numbers = np.asarray(ids or [], np.int64)
        numbers = numbers[numbers < len(registry.kind)]  # those imported this moment come with the next load
        registry.offline[numbers] = is_offline
        registry.last_seen[numbers] = now if not is_offline else np.maximum(registry.last_seen[numbers], 1)
