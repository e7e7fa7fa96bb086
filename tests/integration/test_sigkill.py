"""kill -9 of the service under load: everything the broker acknowledged is stored once, every alert is there once."""

import asyncio
import itertools
import threading
from pathlib import Path
from typing import Any

import asyncpg
from service import Service, now_ms, publisher, signed_in
from waiting import until


async def test_what_was_acknowledged_is_stored_once_across_three_kills(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """Readings with and without a time of their own, and fires, go on while the service is killed and started again."""
    service = Service(database_url, nats.url, tmp_path)
    await service.start()
    sent: dict[str, int] = {"timed": 0, "untimed": 0, "fires": 0}
    stop = threading.Event()

    def load() -> None:
        start = now_ms()
        with publisher(nats.device_url) as device:
            for number in itertools.count():
                if stop.is_set():
                    return
                device.send("firetower/v1/k/timed/telemetry", {"ts": start + number, "seq": number, "level": 2.5})
                sent["timed"] += 1
                device.send("firetower/v1/k/untimed/telemetry", {"seq": number, "level": 2.5})
                sent["untimed"] += 1
                if number % 50 == 0:
                    fire = {"ts": start + number, "event": "fire", "component": str(number)}
                    device.send("firetower/v1/k/panel/alarm", fire)
                    sent["fires"] += 1

    loader = asyncio.create_task(asyncio.to_thread(load), name="load")
    try:
        for _ in range(3):
            before = sent["timed"]
            await until(lambda before=before: sent["timed"] > before + 150, 30)
            await service.kill()
            await until(lambda before=before: sent["timed"] > before + 250, 30)
            await service.start()
    finally:
        stop.set()
        await loader
    try:

        async def stored() -> dict[str, int]:
            rows = await pool.fetch("select device, count(*) as n from api.readings group by device")
            fires = await pool.fetchval("select count(*) from api.alerts where class = 'fire'")
            return {row["device"]: row["n"] for row in rows} | {"fires": fires}

        async def complete() -> bool:
            now = await stored()
            return all(now.get(name, 0) >= count for name, count in sent.items())

        await until(complete, 40, f"everything acknowledged is stored: {sent}")
        assert {name: (await stored())[name] for name in sent} == sent, "nothing is doubled"
        keys = await pool.fetchval("select count(distinct component) from api.alerts where class = 'fire'")
        assert keys == sent["fires"]
        async with signed_in(service) as api:

            async def shown() -> bool:
                return bool((await api.get("/kpis"))["open"]["1"] == sent["fires"])

            await until(shown, 20, "the live feed shows every fire")
    finally:
        await service.stop()


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
            await until(lambda: pool.fetchval(one, "normal"), 10)
            assert await pool.fetchval("select count(*) from api.alerts") == 1
            assert await pool.fetchval("select count(*) from api.readings") == len(high) + len(low)
        finally:
            await service.stop()
