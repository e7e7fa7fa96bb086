"""Readings in and out: numpy columns to binary COPY and back, each key (ts, device, metric, channel) stored once."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt

from firetower.core.clock import DAY, Micros, to_datetime
from firetower.devices.readings import Bools, Floats, Mark, Quality, Readings
from firetower.devices.registry import Registry
from firetower.storage import partitions
from firetower.storage.pool import store_errors

_TYPES = {
    "ts": ">i8",
    "device": ">i4",
    "metric": ">i2",
    "channel": ">i2",
    "value": ">f8",
    "flags": ">i2",
    "received_at": ">i8",
}
COLUMNS = tuple(_TYPES)
_ROW = np.dtype(
    [("fields", ">i2")] + [part for name, kind in _TYPES.items() for part in ((f"{name}_size", ">i4"), (name, kind))]
)
"""One row of PostgreSQL's binary COPY: the number of fields, then for each its size and its value, big-endian."""
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_CHUNK = 1 << 18
_POSTGRES_EPOCH: Micros = 946_684_800 * 1_000_000
"""2000-01-01 UTC, from which ``timestamptz`` counts its microseconds."""
_LAST: Micros = 253_402_300_799 * 1_000_000
"""The last second of the year 9999, the latest time that Python and PostgreSQL both hold."""
_PAGE = 50_000
_ASKED = 1_000
"""Keys of one look-up: encoding more at once would hold the event loop for longer than 5 ms."""


class NotAllNew(Exception):
    """A key of the batch is stored already, comes twice, or is of a day without a partition; nothing was stored."""


async def insert(conn: Any, readings: Readings, *, at: Micros, retention_days: int) -> int:
    """Store readings whose keys are all new, as almost every batch's are; return how many.

    To be called inside a transaction. Raises NotAllNew: then the transaction is to be undone, and begun again with
    ``insert_new``; a savepoint would cost every batch two round trips. ``at``: now, µs, which with ``retention_days``
    bounds the times stored, so that no clock gone wild makes thousands of partitions (``within_retention``).
    """
    if not len(readings):
        return 0
    rows = pack(within_retention(readings, at, retention_days))
    try:
        await conn.copy_to_table("reading", source=_chunks(rows), columns=COLUMNS, format="binary")
    except (asyncpg.UniqueViolationError, asyncpg.CheckViolationError) as err:
        raise NotAllNew from err
    return len(readings)


async def insert_new(conn: Any, readings: Readings, *, at: Micros, retention_days: int) -> int:
    """Store the readings whose key is not stored yet; return how many that were. The first of a key stands.

    The slow way, as ``insert`` otherwise.
    """
    if not len(readings):
        return 0
    bounded = within_retention(readings, at, retention_days)
    await partitions.ensure(conn, (partitions.day_of(int(day) * DAY) for day in np.unique(bounded.ts // DAY)))
    await conn.execute("CREATE TEMP TABLE IF NOT EXISTS reading_incoming (LIKE reading) ON COMMIT DELETE ROWS")
    await conn.copy_to_table("reading_incoming", source=_chunks(pack(bounded)), columns=COLUMNS, format="binary")
    done = await conn.execute(
        "INSERT INTO reading SELECT * FROM reading_incoming ORDER BY ts, device, metric, channel ON CONFLICT DO NOTHING"
    )
    return int(done.rsplit(" ", 1)[1])


def within_retention(readings: Readings, at: Micros, retention_days: int) -> Readings:
    """Return the readings with times outside (retention, one day ahead) moved to their arrival, marked so.

    Ingest has done this at the door; here it is a net. Should even the arrival lie outside, ``at`` is taken.
    """
    lowest, highest = at - retention_days * DAY, at + DAY
    wild: Bools = (readings.ts < lowest) | (readings.ts > highest)
    if not wild.any():
        return readings
    arrived = np.where((readings.received < lowest) | (readings.received > highest), at, readings.received)
    marked = (readings.flags & ~np.int16(Mark.QUALITY)) | np.int16(Quality.UNCERTAIN | Mark.ARRIVAL_TIME)
    return Readings(
        readings.series,
        readings.device,
        readings.metric,
        readings.channel,
        np.where(wild, arrived, readings.ts),
        readings.received,
        readings.value,
        np.where(wild, marked, readings.flags),
    )


def pack(readings: Readings) -> bytes:
    """Return the readings as the bytes of a binary COPY."""
    rows = np.empty(len(readings), _ROW)
    rows["fields"] = len(_TYPES)
    for name, kind in _TYPES.items():
        rows[f"{name}_size"] = np.dtype(kind).itemsize
    rows["ts"] = readings.ts - _POSTGRES_EPOCH
    rows["device"] = readings.device
    rows["metric"] = readings.metric
    rows["channel"] = readings.channel
    rows["value"] = readings.value
    rows["flags"] = readings.flags
    rows["received_at"] = readings.received - _POSTGRES_EPOCH
    return _HEADER + rows.tobytes() + _TRAILER


async def _chunks(rows: bytes) -> AsyncIterator[memoryview]:
    view = memoryview(rows)
    for start in range(0, len(rows), _CHUNK):
        yield view[start : start + _CHUNK]


async def stored(pool: asyncpg.Pool, readings: Readings) -> Floats:
    """Return, per reading, the value stored under its key; NaN when there is none."""
    found = [await _stored(pool, readings, slice(at, at + _ASKED)) for at in range(0, len(readings), _ASKED)]
    return np.concatenate(found) if found else np.empty(0)


async def _stored(pool: asyncpg.Pool, readings: Readings, part: slice) -> Floats:
    times = np.clip(readings.ts[part], 0, _LAST)  # what is stored lies within the retention, so far inside this
    with store_errors():
        # The lateral join looks each key up in its own partition; bounds keep the others out of the plan.
        rows = await pool.fetch(
            "SELECT r.value FROM unnest($1::int8[], $2::int4[], $3::int2[], $4::int2[]) WITH ORDINALITY"
            " AS k (us, device, metric, channel, n)"
            " LEFT JOIN LATERAL (SELECT value FROM reading"
            "  WHERE ts = 'epoch'::timestamptz + k.us * interval '1 microsecond'"
            "  AND device = k.device AND metric = k.metric AND channel = k.channel"
            "  AND ts BETWEEN $5 AND $6 LIMIT 1) r ON true ORDER BY k.n",
            times.tolist(),
            readings.device[part].tolist(),
            readings.metric[part].tolist(),
            readings.channel[part].tolist(),
            to_datetime(int(times.min())),
            to_datetime(int(times.max())),
        )
    return np.array([np.nan if row[0] is None else row[0] for row in rows], np.float64)


async def recent(
    pool: asyncpg.Pool,
    registry: Registry,
    since: Micros,
    *,
    until: Micros | None = None,
    devices: Sequence[int] | None = None,
    metrics: Sequence[int] | None = None,
    page: int | None = None,
) -> AsyncIterator[Readings]:
    """Yield the stored readings of registered devices with ``since <= ts < until``, oldest first, in batches.

    Each batch holds all readings of its instants, so that none is cut between two. ``devices``,
    ``metrics``: only of these numbers. ``page``: about how many a batch.
    """
    only = _Only(_LAST if until is None else until, devices, metrics)
    size = page = page or _PAGE
    while True:
        rows = await _page(pool, since, only, size)
        if len(rows) < size:
            if len(rows):
                yield _unpack(rows, registry)
            return
        last = rows["ts"][-1]
        whole = rows[: np.searchsorted(rows["ts"], last)]
        if not len(whole):  # one instant alone fills the page
            size *= 2
            continue
        yield _unpack(whole, registry)
        since = int(last) + _POSTGRES_EPOCH
        size = page


@dataclass(frozen=True, slots=True)
class _Only:
    """Which readings are asked for: before ``until``, of these devices and metrics (None: of all)."""

    until: Micros
    devices: Sequence[int] | None
    metrics: Sequence[int] | None

    def condition(self, first: int) -> tuple[str, list[list[int]]]:
        """Return SQL on numbers, with its parameters, which begin at ``$first``."""
        columns = (("device", self.devices), ("metric", self.metrics))
        given = [(name, list(wanted)) for name, wanted in columns if wanted is not None]
        said = "".join(f" AND {name} = ANY(${first + n})" for n, (name, _) in enumerate(given))
        return said, [wanted for _, wanted in given]


async def _page(pool: asyncpg.Pool, since: Micros, only: _Only, size: int) -> npt.NDArray[np.void]:
    condition, numbers = only.condition(4)
    got = bytearray()

    async def take(data: bytes) -> None:
        got.extend(data)

    with store_errors():
        async with pool.acquire() as conn:
            await conn.copy_from_query(
                f"SELECT {', '.join(COLUMNS)} FROM reading WHERE ts >= $1 AND ts < $2{condition}"
                " ORDER BY ts, device, metric, channel LIMIT $3",
                to_datetime(since),
                to_datetime(only.until),
                size,
                *numbers,
                output=take,
                format="binary",
            )
    count = (len(got) - len(_HEADER) - len(_TRAILER)) // _ROW.itemsize
    return np.frombuffer(got, _ROW, count, len(_HEADER))


def _unpack(rows: npt.NDArray[np.void], registry: Registry) -> Readings:
    device = rows["device"].astype(np.int32)
    known = device < len(registry.kind)
    known[known] = registry.kind[device[known]] >= 0
    rows, device = rows[known], device[known]
    metric, channel = rows["metric"].astype(np.int16), rows["channel"].astype(np.int16)
    return Readings(
        registry.series_many(device, metric, channel),
        device,
        metric,
        channel,
        rows["ts"].astype(np.int64) + _POSTGRES_EPOCH,
        rows["received_at"].astype(np.int64) + _POSTGRES_EPOCH,
        rows["value"].astype(np.float64),
        rows["flags"].astype(np.int16),
    )
