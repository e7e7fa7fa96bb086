"""Figures of data quality are written back now and then, and go on after a restart."""

import asyncpg
import numpy as np

from firetower.core.clock import MINUTE, SECOND, ManualClock
from firetower.devices.city import City, Device, Unit
from firetower.devices.kinds import DeviceKind
from firetower.devices.quality import DeviceQuality
from firetower.devices.registry import Registry
from firetower.devices.wire_batch import NO_TIME
from firetower.storage import registry
from firetower.storage.quality import QualityStore


async def _known(pool: asyncpg.Pool, *devices: str) -> tuple[Registry, DeviceQuality]:
    await registry.import_city(
        pool,
        City(
            units=(Unit(code="mall-01"),),
            devices=tuple(Device(unit="mall-01", device=name, kind=DeviceKind.SMOKE) for name in devices),
        ),
    )
    known = Registry()
    await registry.load(pool, known)
    return known, DeviceQuality(known)


def _say(figures: DeviceQuality, device: int, at: int, *numbers: int) -> None:
    count = len(numbers)
    figures.note([device] * count, [at] * count, numbers, [NO_TIME] * count)


async def test_what_changed_is_written_each_device_at_most_once_a_minute(
    pool: asyncpg.Pool, clock: ManualClock
) -> None:
    """Counts and skew reach the device's row; nothing to say is no write, and a chatterer is not one a second."""
    known, figures = await _known(pool, "a", "b", "c")
    store = QualityStore(pool, figures)
    a, b = (known.number("mall-01", name) or 0 for name in "ab")
    now = clock.now()
    assert await store.flush(now) == 0
    _say(figures, a, now, 1, 2, 5, 5)
    figures.skew[b] = -28_800.25
    assert await store.flush(now) == 2
    assert await store.flush(now + MINUTE) == 0
    rows = await pool.fetch("select name, seq_missed, seq_repeated, clock_skew_ms from device order by name")
    assert [tuple(row) for row in rows] == [("a", 2, 1, None), ("b", 0, 0, -28_800_250), ("c", 0, 0, None)]

    _say(figures, a, now, 5)
    figures.skew[b] += 0.5  # as much as the network moves it
    assert await store.flush(now + MINUTE - SECOND) == 0
    assert await store.flush(now + MINUTE) == 1
    assert await pool.fetchval("select seq_repeated from device where name = 'a'") == 2


async def test_figures_go_on_after_a_restart(pool: asyncpg.Pool, clock: ManualClock) -> None:
    """What was stored is there again, is not written again, and counts on."""
    known, figures = await _known(pool, "a", "b")
    a, b = (known.number("mall-01", name) or 0 for name in "ab")
    _say(figures, a, clock.now(), 1, 4)
    figures.skew[b] = 7200.5
    await QualityStore(pool, figures).flush(clock.now())

    known, figures = await _known(pool)
    store = QualityStore(pool, figures)
    assert await store.load() == 2
    assert (int(figures.missed[a]), float(figures.skew[b])) == (2, 7200.5)
    assert np.isnan(figures.skew[a])
    assert await store.flush(clock.now()) == 0
    _say(figures, a, clock.now(), 9, 11)
    assert await store.flush(clock.now()) == 1
    assert await pool.fetchval("select seq_missed from device where name = 'a'") == 3
