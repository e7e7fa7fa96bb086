"""Readings in the store: exact, once each, on the day they belong to."""

import asyncio
import math

import asyncpg
import numpy as np
import pytest

from firetower.core.clock import DAY, HOUR, SECOND, ManualClock, to_datetime
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Mark, Quality, Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.storage import partitions, readings

NOW = ManualClock().now()
KEEP = 400


def batch(times: list[int], *, device: int = 1, values: list[float] | None = None) -> Readings:
    n = len(times)
    return Readings.of(
        [0] * n,
        [device] * n,
        [1] * n,
        [0] * n,
        times,
        [NOW] * n,
        values if values is not None else [0.1 * i for i in range(n)],
        [0] * n,
    )


async def put(pool: asyncpg.Pool, rows: Readings, at: int = NOW, keep: int = KEEP) -> int:
    async with pool.acquire() as conn:
        try:
            async with conn.transaction():
                return await readings.insert(conn, rows, at=at, retention_days=keep)
        except readings.NotAllNew:
            async with conn.transaction():
                return await readings.insert_new(conn, rows, at=at, retention_days=keep)


async def count(pool: asyncpg.Pool) -> int:
    return await pool.fetchval("SELECT count(*) FROM reading")


def registry_of(*numbers: int) -> Registry:
    registry = Registry()
    for number in numbers:
        registry.add(DeviceEntry(number, "mall", f"d{number}", DeviceKind.HYDRANT))
    return registry


async def all_recent(pool: asyncpg.Pool, registry: Registry, since: int) -> list[Readings]:
    return [page async for page in readings.recent(pool, registry, since)]


async def test_values_and_microseconds_come_back_exactly_as_they_were_stored(pool: asyncpg.Pool) -> None:
    values = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.pi, 1 / 3, -273.15]
    times = [NOW - HOUR + n for n in range(len(values))]
    sent = Readings.of(
        [0] * 7,
        [1, 2, 3, 4, 5, 6, 2**31 - 1],
        [1, 2, 3, 4, 5, 6, 32767],
        [0, 1, 0, 32767, 0, 0, 2],
        times,
        [NOW + n for n in range(7)],
        values,
        [0, 1, 2, Mark.LATE, Mark.CLOCK_STUCK | 1, 0, 32767],
    )
    assert await put(pool, sent) == 7
    rows = await pool.fetch("SELECT * FROM reading ORDER BY ts")
    assert [row["ts"] for row in rows] == [to_datetime(at) for at in times]
    assert [row["received_at"] for row in rows] == [to_datetime(NOW + n) for n in range(7)]
    assert [row["value"].hex() for row in rows] == [value.hex() for value in values]
    assert [row["device"] for row in rows] == sent.device.tolist()
    assert [row["metric"] for row in rows] == sent.metric.tolist()
    assert [row["channel"] for row in rows] == sent.channel.tolist()
    assert [row["flags"] for row in rows] == sent.flags.tolist()
    assert (await readings.stored(pool, sent)).tobytes() == np.array(values).tobytes()
    (back,) = await all_recent(pool, registry_of(1, 2, 3, 4, 5, 6), NOW - DAY)
    assert back.ts.tolist() == times[:6]
    assert back.received.tolist() == [NOW + n for n in range(6)]
    assert back.value.tobytes() == np.array(values[:6]).tobytes()
    assert back.flags.tolist() == sent.flags.tolist()[:6]


async def test_a_repeated_batch_is_stored_once(pool: asyncpg.Pool) -> None:
    rows = batch([NOW - n * SECOND for n in range(100)])
    assert await put(pool, rows) == 100
    assert await put(pool, rows) == 0
    assert await count(pool) == 100


async def test_of_overlapping_batches_only_the_new_readings_are_added_and_the_first_value_stands(
    pool: asyncpg.Pool,
) -> None:
    assert await put(pool, batch([NOW + n for n in range(10)])) == 10
    assert await put(pool, batch([NOW + n for n in range(5, 15)], values=[9.0] * 10)) == 5
    assert await count(pool) == 15
    kept = await readings.stored(pool, batch([NOW + 4, NOW + 5, NOW + 9, NOW + 10]))
    assert kept.tolist() == [0.1 * 4, 0.1 * 5, 0.1 * 9, 9.0]


async def test_a_key_twice_in_one_batch_is_stored_once(pool: asyncpg.Pool) -> None:
    assert await put(pool, batch([NOW, NOW, NOW + 1])) == 2


async def test_two_slow_batches_in_one_transaction_do_not_mix(pool: asyncpg.Pool) -> None:
    await put(pool, batch([NOW]))
    async with pool.acquire() as conn, conn.transaction():
        assert await readings.insert_new(conn, batch([NOW, NOW + 1]), at=NOW, retention_days=KEEP) == 1
        assert await readings.insert_new(conn, batch([NOW + 1, NOW + 2]), at=NOW, retention_days=KEEP) == 1
    assert await count(pool) == 3


async def test_a_batch_crossing_days_and_reaching_last_month_makes_the_days_it_needs(pool: asyncpg.Pool) -> None:
    times = [NOW - days * DAY for days in (0, 1, 2, 31, 32, 399)]
    assert await put(pool, batch(times)) == 6
    assert await put(pool, batch(times)) == 0
    async with pool.acquire() as conn:
        if not await partitions.is_hypertable(conn):
            assert {partitions.day_of(at) for at in times} <= await partitions.existing(conn)
    assert await pool.fetchval("SELECT count(DISTINCT tableoid) FROM reading") == 6


async def test_midnight_belongs_to_the_day_it_begins(pool: asyncpg.Pool) -> None:
    midnight = NOW // DAY * DAY
    assert await put(pool, batch([midnight - 1, midnight])) == 2
    assert await pool.fetchval("SELECT count(DISTINCT tableoid) FROM reading") == 2


async def test_wild_times_take_their_arrival_and_make_no_days(pool: asyncpg.Pool) -> None:
    wild = [0, -62_135_596_800 * SECOND, NOW - 500 * DAY, NOW + 300 * DAY, 9_000_000_000_000_000]
    rows = Readings.of(
        [0] * 5, [1, 2, 3, 4, 5], [1] * 5, [0] * 5, wild, [NOW] * 4 + [NOW + 999 * DAY], [1.0] * 5, [0] * 5
    )
    assert await put(pool, rows) == 5
    assert str((await readings.stored(pool, rows)).tolist()) == str([math.nan] * 5)
    kept = await pool.fetch("SELECT ts, flags FROM reading")
    assert {row["ts"] for row in kept} == {to_datetime(NOW)}
    assert {row["flags"] for row in kept} == {Quality.UNCERTAIN | Mark.ARRIVAL_TIME}


async def test_two_writers_of_the_same_new_day_both_succeed(pool: asyncpg.Pool) -> None:
    old = NOW - 40 * DAY
    stored = await asyncio.gather(*(put(pool, batch([old + n, old - DAY + n], device=n + 1)) for n in range(6)))
    assert stored == [2] * 6
    assert await count(pool) == 12


async def test_stored_tells_known_keys_from_unknown_ones_in_the_order_asked(pool: asyncpg.Pool) -> None:
    await put(pool, batch([NOW, NOW + 1], values=[7.0, 8.0]))
    asked = batch([NOW + 1, NOW + 2, NOW, NOW - 90 * DAY])
    assert str((await readings.stored(pool, asked)).tolist()) == "[8.0, nan, 7.0, nan]"
    assert len(await readings.stored(pool, Readings.empty())) == 0


async def test_recent_readings_come_in_order_whole_instants_at_a_time_and_only_of_known_devices(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_PAGE", 4)
    for device in range(1, 7):
        await put(pool, batch([NOW + n for n in range(5)], device=device))
    await put(pool, batch([NOW - DAY]))
    registry = registry_of(1, 2, 3, 4, 5)
    pages = await all_recent(pool, registry, NOW)
    times = np.concatenate([page.ts for page in pages])
    assert len(times) == 25
    assert (np.diff(times) >= 0).all()
    assert len({at for page in pages for at in set(page.ts.tolist())}) == sum(len(set(p.ts.tolist())) for p in pages)
    assert len(pages) > 1
    for page in pages:
        for series, device in zip(page.series.tolist(), page.device.tolist(), strict=True):
            assert registry.series_device[series] == device
    assert await all_recent(pool, registry, NOW + DAY) == []


async def test_maintenance_makes_days_ahead_indexes_closed_ones_and_drops_old_ones(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        if await partitions.is_hypertable(conn):
            pytest.skip("TimescaleDB makes its own chunks")
    await put(pool, batch([NOW, NOW - DAY, NOW - 5 * DAY, NOW - 30 * DAY]))
    await partitions.maintain(pool, NOW, retention_days=10)
    await partitions.maintain(pool, NOW, retention_days=10)
    async with pool.acquire() as conn:
        days = await partitions.existing(conn)
    for ahead in range(-1, 4):
        assert partitions.day_of(NOW + ahead * DAY) in days
    assert partitions.day_of(NOW - 30 * DAY) not in days
    assert await count(pool) == 3
    indexed = {
        row[0] for row in await pool.fetch("SELECT tablename FROM pg_indexes WHERE indexname LIKE 'reading%history'")
    }
    assert indexed == {partitions.partition_name(partitions.day_of(NOW - days * DAY)) for days in (1, 5)}


async def test_an_index_left_broken_by_a_crash_is_built_again(pool: asyncpg.Pool) -> None:
    await put(pool, batch([NOW - 5 * DAY]))
    await partitions.maintain(pool, NOW, retention_days=10)
    name = f"{partitions.partition_name(partitions.day_of(NOW - 5 * DAY))}_history"
    await pool.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass", name)
    await partitions.maintain(pool, NOW, retention_days=10)
    assert await pool.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = $1::text::regclass", name)


async def test_maintenance_leaves_for_later_what_a_reader_holds(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "INDEX_PATIENCE", "100ms")
    await put(pool, batch([NOW - 30 * DAY]))
    async with pool.acquire() as conn, conn.transaction():
        await conn.fetch("SELECT * FROM reading")
        await partitions.maintain(pool, NOW, retention_days=10)
        assert await conn.fetchval("SELECT count(*) FROM reading") == 1
    await partitions.maintain(pool, NOW, retention_days=10)
    assert await count(pool) == 0
    indexes = await pool.fetch(
        "SELECT indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname LIKE '%history'"
    )
    assert [row[0] for row in indexes] == [True]
