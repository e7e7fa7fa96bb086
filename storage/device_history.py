"""Read queries for the API: what a device said, over time and last."""

from dataclasses import dataclass

import asyncpg

from firetower.core.clock import DAY, MINUTE, SECOND, Micros, from_datetime, to_datetime
from firetower.devices.readings import Mark, Quality
from firetower.storage.devices import DeviceRow, fetch
from firetower.storage.pool import Pool

LATEST_WITHIN: Micros = 7 * DAY


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one device, by number; ``channel`` a suffix, "" for readings without one, None for all."""

    device: int
    metric: int
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class StoredReading:
    """One stored reading; ``metric``, ``channel_number``: as stored; ``channel``: the suffix, "" for none."""

    ts: Micros
    metric: int
    channel_number: int
    channel: str
    value: float
    flags: int
    received_at: Micros


@dataclass(frozen=True, slots=True)
class Bucket:
    """The readings of one channel from ``ts`` on for one width: how many, and what they say."""

    ts: Micros
    channel: str
    count: int
    low: float
    high: float
    mean: float
    last: float


@dataclass(frozen=True, slots=True)
class Reporting:
    """The stored readings of a device over a stretch of time: how many, and how many of them came how.

    ``late``: 补报; ``bad``, ``uncertain``: of that quality; ``stuck``: with a clock that stood; ``unclocked``: without
    a time that could be used.
    """

    readings: int
    late: int
    bad: int
    uncertain: int
    stuck: int
    unclocked: int


async def reporting(pool: Pool, device: int, start: Micros, end: Micros) -> Reporting:
    """Return how a device, by number, reported. Raises StoreUnavailable."""
    rows = await fetch(
        pool,
        """
        select count(*) as readings, count(*) filter (where flags & $4 <> 0) as late,
               count(*) filter (where flags & $5 = $6) as bad, count(*) filter (where flags & $5 = $7) as uncertain,
               count(*) filter (where flags & $8 <> 0) as stuck, count(*) filter (where flags & $9 <> 0) as unclocked
          from reading where device = $1 and ts >= $2 and ts < $3
        """,
        [
            device, to_datetime(start), to_datetime(end), int(Mark.LATE), int(Mark.QUALITY), int(Quality.BAD),
            int(Quality.UNCERTAIN), int(Mark.CLOCK_STUCK), int(Mark.ARRIVAL_TIME),
        ],
    )  # fmt: skip
    return Reporting(**dict(rows[0]))


async def latest(pool: Pool, number: int, device: DeviceRow, now: Micros) -> list[StoredReading]:
    """Return the newest reading of each metric and channel, of what the device last said, at most a week old.

    Looks first around the time the device was last heard, so that the scan stays within a partition or two.
    """
    if device.last_seen_at is None:
        return []
    around = device.last_seen_at - max(10 * MINUTE, 5 * device.interval_s * SECOND)
    for since in (max(around, now - LATEST_WITHIN), now - LATEST_WITHIN):
        rows = await fetch(
            pool,
            """
            select distinct on (r.metric, r.channel) r.ts, r.metric, r.channel as channel_number,
                   c.name as channel, r.value, r.flags, r.received_at
              from reading r left join channel c on c.id = r.channel
             where r.device = $1 and r.ts >= $2 and r.ts <= $3
             order by r.metric, r.channel, r.ts desc
            """,
            [number, to_datetime(since), to_datetime(now + 10 * MINUTE)],
        )
        if rows:
            return [_reading(row) for row in rows]
    return []


async def readings(
    pool: Pool, of: Series, start: Micros, end: Micros, *, limit: int, after: tuple[Micros, int] | None = None
) -> list[StoredReading]:
    """Return up to ``limit`` readings with start <= ts < end by (ts, channel number), those past ``after``."""
    place, past = (start, -1) if after is None else after
    rows = await fetch(
        pool,
        """
        select r.ts, r.metric, r.channel as channel_number, c.name as channel, r.value, r.flags, r.received_at
          from reading r left join channel c on c.id = r.channel
         where r.device = $1 and r.metric = $2 and r.ts >= $3 and r.ts < $4
           and ($5::text is null or coalesce(c.name, '') = $5)
           and (r.ts > $6 or r.channel > $7)
         order by r.ts, r.channel limit $8
        """,
        [
            of.device,
            of.metric,
            to_datetime(max(start, place)),
            to_datetime(end),
            of.channel,
            to_datetime(place),
            past,
            limit,
        ],
    )
    return [_reading(row) for row in rows]


async def buckets(pool: Pool, of: Series, start: Micros, end: Micros, *, width: Micros) -> list[Bucket]:
    """Return buckets ``width`` µs wide counted from ``start``; empty ones are left out."""
    rows = await fetch(
        pool,
        """
        select date_bin(make_interval(secs => $6::double precision / 1e6), r.ts, $3) as bucket,
               coalesce(c.name, '') as channel, count(*) as count, min(r.value) as low, max(r.value) as high,
               avg(r.value) as mean, (array_agg(r.value order by r.ts desc))[1] as last
          from reading r left join channel c on c.id = r.channel
         where r.device = $1 and r.metric = $2 and r.ts >= $3 and r.ts < $4
           and ($5::text is null or coalesce(c.name, '') = $5)
         group by 1, 2 order by 1, 2
        """,
        [of.device, of.metric, to_datetime(start), to_datetime(end), of.channel, width],
    )
    return [
        Bucket(
            from_datetime(row["bucket"]),
            row["channel"],
            row["count"],
            row["low"],
            row["high"],
            row["mean"],
            row["last"],
        )
        for row in rows
    ]


def _reading(row: asyncpg.Record) -> StoredReading:
    return StoredReading(
        from_datetime(row["ts"]),
        row["metric"],
        row["channel_number"],
        row["channel"] or "",
        row["value"],
        row["flags"],
        from_datetime(row["received_at"]),
    )
