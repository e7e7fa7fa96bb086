"""What was heard of each device, written back now and then: ingest keeps it in memory, never in its transactions.

However many devices there are, no step holds the event loop up for more than a few milliseconds.
"""

import asyncio
import itertools
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import asyncpg
import numpy as np

from firetower.core.clock import MINUTE, Micros
from firetower.devices.columns import Column
from firetower.devices.liveness import STATUS_NAMES, statuses
from firetower.devices.readings import Bools, Int64s
from firetower.devices.registry import Registry
from firetower.storage.pool import store_errors

WRITTEN_EVERY: Micros = MINUTE
"""How far the stored ``last_seen_at`` of a device that stays online may lag: else every report would be a write."""
REFRESHED_AT_ONCE = 20_000
"""Devices of which one ``flush`` writes nothing but a newer ``last_seen_at``: it lags further where there are more."""
_LOOKED_AT = 50_000
_BATCH = 2_000
_UNKNOWN = -1


class _Written:
    """The columns as they were last written, by device number; ``next``: the number the next refresh begins with."""

    def __init__(self) -> None:
        self.status: Column[np.int8] = Column(np.int8, _UNKNOWN)
        self.last_seen: Column[np.int64] = Column(np.int64)
        self.next = 0


_written: WeakKeyDictionary[Registry, _Written] = WeakKeyDictionary()


def remember(registry: Registry, numbers: Int64s, status: Sequence[str], last_seen: Int64s) -> None:
    """Note what the store holds of devices just loaded, so that ``flush`` does not write it again."""
    if not len(numbers):
        return
    written = _written_of(registry)
    size = int(numbers.max()) + 1
    written.status.fit(size)[numbers] = [STATUS_NAMES.index(name) for name in status]
    written.last_seen.fit(size)[numbers] = last_seen


async def flush(pool: asyncpg.Pool, registry: Registry, now: Micros) -> int:
    """Write status and ``last_seen_at`` of the devices whose status changed or that were heard a minute later.

    To be called every few seconds; returns how many devices were written. Every changed status is written; of devices
    heard later at most REFRESHED_AT_ONCE, and the others by the next calls. Raises StoreUnavailable; what was not
    written then is written by the next call.
    """
    written = _written_of(registry)
    size, count, refreshed = len(registry.kind), 0, 0
    begin = written.next = written.next if written.next < size else 0
    for start, end in _turns(begin, size):
        part = slice(start, end)
        status, last_seen = statuses(registry, now, part), registry.last_seen[part].copy()
        used = registry.kind[part] >= 0
        changed = used & (status != written.status.fit(size)[part])
        later = used & ~changed & (last_seen >= written.last_seen.fit(size)[part] + WRITTEN_EVERY)
        late = np.flatnonzero(later)[: REFRESHED_AT_ONCE - refreshed]
        refreshed += len(late)
        if refreshed < REFRESHED_AT_ONCE:
            written.next = end % size
        changed[late] = True
        for due in _batches(changed):
            await _write(pool, due + start, status[due], last_seen[due])
            written.status.rows[due + start] = status[due]
            written.last_seen.rows[due + start] = last_seen[due]
            count += len(due)
        await asyncio.sleep(0)
    return count


async def mirror(pool: asyncpg.Pool, registry: Registry, now: Micros) -> None:
    """Take over what the ingest last wrote: for a process that hears no device itself. Raises StoreUnavailable.

    A device that is online counts as heard at ``now``, one that is offline as having said so some time.
    """
    size = len(registry.kind)  # those imported this moment come with the next load
    for start, end in _turns(0, size):
        with store_errors():
            row = await pool.fetchrow(
                "SELECT array_agg(id) FILTER (WHERE status = 'online') AS online,"
                " array_agg(id) FILTER (WHERE status = 'offline') AS offline FROM device WHERE id >= $1 AND id < $2",
                start,
                end,
            )
        assert row is not None  # an aggregate always gives one
        online, offline = (np.array(row[word] or [], np.int64) for word in ("online", "offline"))
        registry.offline[online] = False
        registry.last_seen[online] = now
        registry.offline[offline] = True
        registry.last_seen[offline] = np.maximum(registry.last_seen[offline], 1)


def _written_of(registry: Registry) -> _Written:
    written = _written.get(registry)
    if written is None:
        written = _written[registry] = _Written()
    return written


def _turns(begin: int, size: int) -> list[tuple[int, int]]:
    """Return ranges that cover all numbers below ``size``, from ``begin`` on and round to it."""
    cuts = sorted({*range(0, size, _LOOKED_AT), begin, size})
    ranges = list(itertools.pairwise(cuts))
    at = cuts.index(begin)
    return ranges[at:] + ranges[:at]


def _batches(chosen: Bools) -> list[Int64s]:
    places = np.flatnonzero(chosen)
    return [places[start : start + _BATCH] for start in range(0, len(places), _BATCH)]


async def _write(pool: asyncpg.Pool, numbers: Int64s, status: np.ndarray, last_seen: Int64s) -> None:
    with store_errors():
        await pool.execute(
            "UPDATE device d SET status = g.status, last_seen_at = g.at"
            " FROM (SELECT id, ($4::text[])[code + 1] AS status,"
            "   'epoch'::timestamptz + nullif(us, 0) * interval '1 microsecond' AS at"
            "  FROM unnest($1::int4[], $2::int2[], $3::int8[]) AS u (id, code, us)) g"
            " WHERE d.id = g.id AND (d.status, d.last_seen_at) IS DISTINCT FROM (g.status, g.at)",
            numbers.tolist(),
            status.tolist(),
            last_seen.tolist(),
            list(STATUS_NAMES),
        )
