"""kill -9 under load: everything the broker acknowledged is stored once, every alert is there once."""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ledger import Ledger
from service import Service, now_ms, publisher, signed_in
from waiting import until

VICTIMS = ["service"] * 4 + ["postgres"] * 3 + ["nats"] * 3


@pytest.mark.timeout(300)
async def test_what_was_acknowledged_is_stored_once_across_ten_kills(
    own_postgres: Any, nats: Any, tmp_path: Path
) -> None:
    """The service, PostgreSQL and NATS die at random moments, now and then one while another is down."""
    seed = int(os.environ.get("FIRETOWER_TEST_SEED") or random.randrange(1 << 32))
    print(f"FIRETOWER_TEST_SEED={seed}")
    chance = random.Random(seed)
    service = Service(own_postgres.url, nats.url, tmp_path)
    await service.start()
    ledger = Ledger(nats.device_url, seed)
    try:
        for victim in chance.sample(VICTIMS, len(VICTIMS)):
            goal = ledger.published + chance.randint(1, 600)
            await until(lambda goal=goal: ledger.published >= goal, 60, "the devices go on")
            if victim == "service":
                await service.kill()
                await asyncio.sleep(chance.uniform(0, 0.5))
                await service.start()
            elif victim == "postgres":
                own_postgres.kill()
                await asyncio.sleep(chance.uniform(0, 0.5))
                own_postgres.start()
            else:
                nats.kill()
                await asyncio.sleep(chance.uniform(0, 0.5))
                nats.start()
        await ledger.stop()

        async def complete() -> bool:
            return not await ledger.lost(own_postgres.url)

        try:
            await until(complete, 90)
        except AssertionError:
            pytest.fail(f"{await ledger.differences(own_postgres.url)}; {service.log()[-3000:]}")
        assert await ledger.differences(own_postgres.url) == {}, "nothing is doubled"
        async with signed_in(service) as api:
            fires = sum(1 for kind, _ in ledger.alerts if kind == "fire")

            async def shown() -> bool:
                return bool((await api.get("/kpis"))["open"]["1"] == fires)

            await until(shown, 30, "the live feed shows every fire")
    finally:
        await ledger.stop()
        assert await service.stop() == 0, service.log()[-3000:]


async def test_an_alert_open_at_the_kill_returns_after_it(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """A limit broken before the kill and mended after it: the one alert returns, and no second one is raised."""
    service = Service(database_url, nats.url, tmp_path)
    await service.start()
    start = now_ms() - 300_000
    high = [{"ts": start + 10_000 * n, "residual_current": 350.0} for n in range(5)]
    low = [{"ts": start + 60_000 + 10_000 * n, "residual_current": 120.0} for n in range(5)]
    with publisher(nats.device_url) as device:
        await asyncio.to_thread(device.send, "firetower/v1/k/elec/telemetry", high)
        one = "select count(*) from api.alerts where condition = $1"
        await until(lambda: pool.fetchval(one, "active"), 10)
        await service.kill()
        await asyncio.to_thread(device.send, "firetower/v1/k/elec/telemetry", [*high, *low])
        await service.start()
        try:
            await until(lambda: pool.fetchval(one, "normal"), 30)
            assert await pool.fetchval("select count(*) from api.alerts") == 1
            assert await pool.fetchval("select count(*) from api.readings") == len(high) + len(low)
        finally:
            await service.stop()
