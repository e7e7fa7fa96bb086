"""Two instances on one database and broker: the second says why it will not run, takes over at once, and fences."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from service import Service, now_ms, publisher
from waiting import until

EPOCH = "select epoch from lease where partition = 0"
FIRES = "select count(*) from api.alerts where class = 'fire' and component = $1"
TOO_OLD = "select clock_timestamp() - renewed_at > interval '16 s' from lease where partition = 0"


@asynccontextmanager
async def two(database_url: str, mqtt_url: str, folder: Path) -> AsyncIterator[tuple[Service, Service]]:
    """Give two services, the first one running; end both, whatever has become of them."""
    for name in ("first", "second"):
        (folder / name).mkdir()
    first, second = (Service(database_url, mqtt_url, folder / name) for name in ("first", "second"))
    try:
        await first.start()
        yield first, second
    finally:
        for service in (first, second):
            if service.alive:
                await service.kill()


async def fire(nats: Any, component: str) -> None:
    with publisher(nats.device_url) as device:
        event = {"ts": now_ms(), "event": "fire", "component": component}
        await asyncio.to_thread(device.send, "firetower/v1/u/panel/alarm", event)


async def test_a_second_instance_ends_and_says_why_and_after_the_first_is_killed_it_starts_at_once(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """Exit status 2 and one line with the holder and the remedies; the first goes on; no lease has to run out."""
    async with two(database_url, nats.url, tmp_path) as (first, second):
        await second.launch()
        assert await second.ended(40) == 2
        (line,) = [line for line in second.log().splitlines() if line.startswith("firetower: ")]
        assert f"process {first.pid}" in line
        assert "Stop that one first, or run this one with --role web" in line
        assert "Traceback" not in second.log()
        assert await first.ready()
        assert "another client took over" not in first.log()
        await fire(nats, "1")
        await until(lambda: pool.fetchval(FIRES, "1"), 20, "the first goes on")
        assert await pool.fetchval(EPOCH) == 1

        await fire(nats, "2")
        await first.kill()
        await second.start()
        assert await pool.fetchval(EPOCH) == 2
        assert "taking partition 0 over" not in second.log(), "the lock was free; nothing had to grow old"
        await fire(nats, "3")
        for component in ("1", "2", "3"):
            await until(lambda component=component: pool.fetchval(FIRES, component), 20)
        assert await pool.fetchval("select count(*) from api.alerts where class = 'fire'") == 3
        assert await second.stop() == 0


@pytest.mark.timeout(200)
async def test_an_instance_frozen_until_its_lease_was_taken_over_commits_nothing_more_and_ends(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """What it had in hand is stored by the new one, once; it names the new owner, and ends with status 2."""
    async with two(database_url, nats.url, tmp_path) as (first, second):
        blocker = await asyncpg.connect(database_url)
        try:
            async with blocker.transaction():  # the fire is in the first one's hands, and not committed
                await blocker.execute("lock table alert in share mode")
                await fire(nats, "in hand")
                held = "select count(*) from pg_locks where relation = 'alert'::regclass and not granted"
                await until(lambda: pool.fetchval(held), 20, "the commit waits")
                first.signal(signal.SIGSTOP)
                await fire(nats, "meanwhile")
                await until(lambda: pool.fetchval(TOO_OLD), 60, "the lease is not renewed")
        finally:
            await blocker.close()
        await second.start()
        assert await pool.fetchval(EPOCH) == 2
        await fire(nats, "after")
        for component in ("in hand", "meanwhile", "after"):
            await until(lambda component=component: pool.fetchval(FIRES, component), 40)
        first.signal(signal.SIGCONT)
        assert await first.ended(40) == 2, first.log()[-3000:]
        assert "epoch 2 is held by" in first.log()
        assert f"process {second.pid}" in first.log()
        await fire(nats, "last")
        await until(lambda: pool.fetchval(FIRES, "last"), 20)
        assert await pool.fetchval("select count(*) from api.alerts where class = 'fire'") == 4
        histories = await pool.fetch(
            "select alert_id, array_agg(reason order by seq) as said from api.alert_history group by 1"
        )
        assert [row["said"] for row in histories] == [["raised"]] * 4
        assert await second.ready()
        assert await second.stop() == 0
