"""What is known of devices' clocks and sequence, read at start and written back now and then, never in a commit."""

from dataclasses import dataclass, field

import asyncpg
import numpy as np

from firetower.core.clock import MINUTE, Micros
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Int64s
from firetower.storage.pool import store_errors

WRITTEN_EVERY: Micros = MINUTE
"""A device is written at most this often: else every message of one that repeats itself would be a write."""
_LEAST_SKEW = 1.0
"""Seconds by which an estimate must differ from the stored one; the network alone moves it by less."""
_BATCH = 5_000


@dataclass(slots=True)
class _Written:
    """The figures as they were last written, by device number; ``at``: when, µs."""

    missed: np.ndarray[tuple[int], np.dtype[np.uint32]] = field(default_factory=lambda: np.zeros(0, np.uint32))
    repeated: np.ndarray[tuple[int], np.dtype[np.uint32]] = field(default_factory=lambda: np.zeros(0, np.uint32))
    skew: np.ndarray[tuple[int], np.dtype[np.float32]] = field(default_factory=lambda: np.zeros(0, np.float32))
    at: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))

    def fit(self, size: int) -> None:
        more = size - len(self.at)
        if more > 0:
            self.missed = np.concatenate([self.missed, np.zeros(more, np.uint32)])
            self.repeated = np.concatenate([self.repeated, np.zeros(more, np.uint32)])
            self.skew = np.concatenate([self.skew, np.full(more, np.nan, np.float32)])
            self.at = np.concatenate([self.at, np.zeros(more, np.int64)])


class QualityStore:
    """The stored figures of ``quality``, and what of them was written."""

    def __init__(self, pool: asyncpg.Pool, quality: DeviceQuality) -> None:
        self._pool = pool
        self._quality = quality
        self._written = _Written()

    async def load(self) -> int:
        """Let the figures go on from what is stored of the registry's devices; return of how many.

        To be called once, after the registry is loaded and before anything is noted. Raises StoreUnavailable.
        """
        written, taken = self._fitted(), 0
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction(readonly=True):
                cursor = await conn.cursor(
                    "SELECT id, seq_missed, seq_repeated, clock_skew_ms FROM device"
                    " WHERE id < $1 AND (seq_missed > 0 OR seq_repeated > 0 OR clock_skew_ms IS NOT NULL)",
                    len(written.at),  # those imported this moment begin anew
                )
                while rows := await cursor.fetch(_BATCH):
                    devices, missed, repeated = (np.array([row[place] for row in rows], np.int64) for place in range(3))
                    skew = np.array([np.nan if row[3] is None else row[3] / 1000 for row in rows])
                    self._quality.restore(devices, missed, repeated, skew)
                    written.missed[devices], written.repeated[devices] = missed, repeated
                    written.skew[devices] = skew
                    taken += len(rows)
        return taken

    async def flush(self, now: Micros) -> int:
        """Write the figures that changed, each device at most once a minute; return how many devices were written.

        To be called every few seconds. Raises StoreUnavailable; what was not written then is written by the next call.
        """
        written, quality = self._fitted(), self._quality
        missed, repeated, skew = quality.missed.copy(), quality.repeated.copy(), quality.skew.copy()
        moved = np.abs(skew - written.skew) >= _LEAST_SKEW
        changed = (missed != written.missed) | (repeated != written.repeated) | moved
        changed |= np.isnan(written.skew) & ~np.isnan(skew)
        due = np.flatnonzero(changed & (written.at <= now - WRITTEN_EVERY))
        for start in range(0, len(due), _BATCH):
            part = due[start : start + _BATCH]
            with store_errors():
                await self._pool.execute(
                    "UPDATE device d SET seq_missed = g.missed, seq_repeated = g.repeated, clock_skew_ms = g.skew"
                    " FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::int8[]) AS g (id, missed, repeated, skew)"
                    " WHERE d.id = g.id",
                    part.tolist(),
                    missed[part].tolist(),
                    repeated[part].tolist(),
                    [None if np.isnan(one) else round(one * 1000) for one in skew[part].tolist()],
                )
            written.missed[part], written.repeated[part], written.skew[part] = missed[part], repeated[part], skew[part]
            written.at[part] = now
        return len(due)

    def _fitted(self) -> _Written:
        """Return what was written, with room for every device of the registry."""
        self._quality.fit()
        self._written.fit(len(self._quality.missed))
        return self._written
