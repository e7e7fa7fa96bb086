"""Back-test: how much faster than real time stored history is replayed, under the shipped rules on both sides.

10,000 devices that report every 60 s: electrical ones with three readings each, detectors and hydrants; now and then
one is beyond its limits for a while. What is timed is all of it: reading from PostgreSQL, both engines, both desks.
"""

import asyncio
import contextlib
import resource
import tempfile
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np

from bench.stand import connected
from firetower.backtest import backtest
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, Micros, to_datetime
from firetower.core.datadir import DataDir
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.embedded import EmbeddedPostgres
from firetower.rules.book.rulebook import load
from firetower.storage import migrate, partitions, readings
from firetower.storage import pool as pools

BEGIN: Micros = 1_763_800_020 * SECOND
DEVICES = 10_000
_SHARES = (("electrical", 0.5), ("smoke", 0.3), ("hydrant", 0.2))
_SERIES = {
    "electrical": (("residual_current", 0, 60.0, 400.0), ("cable_temperature", 1, 35.0, 80.0),
                   ("cable_temperature", 2, 35.0, 80.0)),
    "smoke": (("smoke", 0, 0.01, 0.14),),
    "hydrant": (("pressure", 0, 0.30, 0.09),),
}  # fmt: skip
"""By kind: metric, channel, its usual value, and its value when something is wrong."""
_WRONG = 0.0005
"""Share of the devices that something is wrong with in a stretch of ten minutes."""


def measure(*, quick: bool) -> dict[str, Any]:
    """Measure, print, and return the figures."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="firetower-bench-")))
        folder.chmod(0o755)
        postgres = EmbeddedPostgres(stack.enter_context(DataDir(folder / "engines").held()))
        stack.callback(postgres.stop)
        postgres.start()
        migrate.upgrade(postgres.url)
        return asyncio.run(_measure(postgres.url, hours=1 if quick else 4))


async def _measure(url: str, *, hours: int) -> dict[str, Any]:
    await _register(url)
    pool = await pools.connect(url)
    try:
        stored = await _store(pool, hours)
        until = BEGIN + hours * HOUR
        told = await backtest(pool, load(), BEGIN, until, now=until)
    finally:
        await pool.close()
    figures = {
        "devices": DEVICES,
        "hours": hours,
        "readings": told["readings"],
        "lost": stored - told["readings"],
        "seconds": told["took_s"],
        "times_real_time": told["times_real_time"],
        "readings_per_second": told["readings"] / told["took_s"],
        "alerts": told["new"]["alerts"],
        "alike": told["new"] == told["in_force"],
        "resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    for name, value in figures.items():
        print(f"{name:24}{value:>14,}" if isinstance(value, int) else f"{name:24}{value:>14,.1f}")
    return figures


async def _register(url: str) -> None:
    async with connected(url) as database:
        await database.execute("INSERT INTO unit (code, name) SELECT 'u' || n, 'bench' FROM generate_series(0, 99) n")
        for kind, share in _SHARES:
            await database.execute(
                "INSERT INTO device (unit_id, name, kind, interval_s, registered_at)"
                " SELECT u.id, $1 || n, $1, 60, $3 FROM generate_series(1, $2) n"
                " JOIN unit u ON u.code = 'u' || n % 100",
                kind, round(DEVICES * share), to_datetime(BEGIN - DAY),
            )  # fmt: skip


async def _store(pool: asyncpg.Pool, hours: int) -> int:
    """Store the history; return how many readings."""
    rng = np.random.default_rng(5)
    devices: dict[str, np.ndarray] = {}
    async with pool.acquire() as conn:
        for kind, _ in _SHARES:
            rows = await conn.fetch("SELECT id FROM device WHERE kind = $1 ORDER BY id", kind)
            devices[kind] = np.array([row["id"] for row in rows], np.int32)
        for number in (1, 2):
            await conn.execute(
                "INSERT INTO channel (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", number, str(number)
            )
        async with conn.transaction():
            await partitions.ensure(conn, {partitions.day_of(BEGIN + hour * HOUR) for hour in range(hours + 1)})
    count = 0
    wrong = {kind: np.zeros(len(numbers), np.bool_) for kind, numbers in devices.items()}
    for minute in range(hours * 60):
        for kind, numbers in devices.items():
            if minute % 10 == 0:
                wrong[kind] = rng.random(len(numbers)) < _WRONG
            for name, channel, usual, other in _SERIES[kind]:
                size = len(numbers)
                ts = BEGIN + minute * MINUTE + rng.integers(0, MINUTE, size)
                value = np.where(wrong[kind], other, usual * rng.uniform(0.97, 1.03, size))
                batch = Readings(
                    np.zeros(size, np.int32), numbers, np.full(size, catalogue().by_name[name].number, np.int16),
                    np.full(size, channel, np.int16), ts, ts + SECOND, value, np.zeros(size, np.int16),
                )  # fmt: skip
                async with pool.acquire() as conn, conn.transaction():
                    count += await readings.insert(conn, batch, at=BEGIN, retention_days=400)
    async with pool.acquire() as conn:
        await conn.execute("ANALYZE reading", timeout=300)
    return count
