"""The service while its database cuts connections, and while people keep all of the web's connections busy."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
from fault_proxy import FaultProxy
from seat import seat
from service import Service, now_ms, publisher, running, signed_in
from waiting import until

CUT = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and application_name like 'firetower%' and pid <> pg_backend_pid()"
)
WAITING = "select count(*) >= 5 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


async def test_connections_cut_again_and_again_under_load_cost_no_reading_no_alarm_and_not_the_service(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    service = Service(database_url, nats.url, tmp_path)
    await service.start()
    watcher = await asyncpg.connect(database_url)
    try:
        start, count = now_ms() - 60_000, 1200

        def load() -> None:
            with publisher(nats.device_url) as device:
                for number in range(count):
                    device.send("firetower/v1/c/tank/telemetry", {"ts": start + number, "level": 2.5})
                    if number % 40 == 0:
                        fire = {"ts": start + number, "event": "fire", "component": str(number)}
                        device.send("firetower/v1/c/panel/alarm", fire)

        sending = asyncio.create_task(asyncio.to_thread(load), name="load")
        cut = 0
        while not sending.done():
            cut += await watcher.fetchval(CUT)
            await asyncio.sleep(0.05)
        await sending
        assert cut > 0
        stored = "select (select count(*) from api.readings), (select count(*) from api.alerts where class = 'fire')"

        async def complete() -> bool:
            readings, fires = await watcher.fetchrow(stored)
            return readings >= count and fires >= count // 40

        await until(complete, 40, "everything is stored")
        assert tuple(await watcher.fetchrow(stored)) == (count, count // 40)
        assert await watcher.fetchval("select count(*) from api.rejects") == 0
        await until(service.ready, 20, "ready again")
    finally:
        await watcher.close()
        assert await service.stop() == 0, service.log()[-3000:]


async def test_a_lane_commits_while_every_connection_of_the_web_waits_for_a_lock(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        blocker, watcher = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
        try:
            async with blocker.transaction():
                await blocker.execute("lock table unit in access exclusive mode")
                lookups = [asyncio.create_task(api.get("/units")) for _ in range(30)]
                await until(lambda: watcher.fetchval(WAITING), 10, "lookups wait")
                with publisher(nats.device_url) as device:
                    message = {"ts": now_ms(), "not_a_metric": 1}
                    await asyncio.to_thread(device.send, "firetower/v1/u/panel/telemetry", message)
                await until(lambda: watcher.fetchval("select count(*) from api.rejects"), 10, "the lane commits")
            await asyncio.gather(*lookups)
        finally:
            await blocker.close()
            await watcher.close()


async def test_a_service_told_to_end_while_its_database_hangs_ends(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    """With an alarm in hand that it cannot commit: it gives up in order, and the next one stores it."""
    async with FaultProxy(database_url) as wire:
        async with running(wire.url, nats.url, tmp_path) as service, signed_in(service) as api, seat(api) as at:
            wire.stall()
            with publisher(nats.device_url) as device:
                await asyncio.to_thread(device.send, "firetower/v1/u/panel/alarm", {"ts": now_ms(), "event": "fire"})
            await until(lambda: at.waiting("panel"), 20)
            assert await service.stop() == 0, service.log()[-3000:]
        wire.heal()
        async with running(wire.url, nats.url, tmp_path) as service, signed_in(service) as api:
            await until(lambda: api.alert(device="panel"), 20)
