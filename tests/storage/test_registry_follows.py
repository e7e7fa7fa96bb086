"""A running process follows what others write of the registry: imports, and what the ingest heard."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import asyncpg
import numpy as np
from waiting import until

from firetower.core.clock import MINUTE, ManualClock
from firetower.devices.city import City, Device, Unit
from firetower.devices.kinds import DeviceKind
from firetower.devices.liveness import STATUS_NAMES, statuses
from firetower.devices.registry import Registry
from firetower.storage import liveness, registry


@contextlib.asynccontextmanager
async def _task(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work, name="under test")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _city(*devices: str) -> City:
    return City(
        units=(Unit(code="mall-01"),),
        devices=tuple(Device(unit="mall-01", device=name, kind=DeviceKind.SMOKE) for name in devices),
    )


async def test_a_device_imported_while_the_service_runs_is_known_to_it(pool: asyncpg.Pool) -> None:
    known = Registry()
    await registry.load(pool, known)
    async with _task(registry.watch(pool, known)):
        await registry.import_city(pool, _city("smk-1"))
        await until(lambda: known.number("mall-01", "smk-1"))
        await registry.import_city(pool, _city("smk-1", "smk-2"))
        await until(lambda: known.number("mall-01", "smk-2"))


async def test_an_import_made_while_the_listening_was_cut_is_caught_up_with(pool: asyncpg.Pool) -> None:
    known = Registry()
    async with _task(registry.watch(pool, known)):
        await registry.import_city(pool, _city("smk-1"))
        await until(lambda: known.number("mall-01", "smk-1"))
        await pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()"
        )
        await registry.import_city(pool, _city("smk-1", "smk-2"))
        await until(lambda: known.number("mall-01", "smk-2"), 20)


async def test_a_process_that_hears_nothing_itself_shows_what_the_ingest_wrote(
    pool: asyncpg.Pool, clock: ManualClock
) -> None:
    await registry.import_city(pool, _city("heard", "lost", "new"))
    hearing, showing = Registry(), Registry()
    for each in (hearing, showing):
        await registry.load(pool, each)
    heard, lost, new = (hearing.number("mall-01", name) or 0 for name in ("heard", "lost", "new"))
    now = clock.now()
    hearing.heard(np.array([heard, lost], np.int32), np.array([now, now - 60 * MINUTE], np.int64))
    await liveness.flush(pool, hearing, now)

    await liveness.mirror(pool, showing, now)
    shown = statuses(showing, now)
    assert [STATUS_NAMES[shown[number]] for number in (heard, lost, new)] == ["online", "offline", "never_seen"]

    hearing.heard(np.array([lost], np.int32), np.array([now], np.int64))
    await liveness.flush(pool, hearing, now)
    await liveness.mirror(pool, showing, now)
    assert STATUS_NAMES[statuses(showing, now)[lost]] == "online"
