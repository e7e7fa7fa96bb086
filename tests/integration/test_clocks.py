"""Devices whose clock is hours ahead or behind, or stands still: their readings are kept and marked, and it is told."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from service import Service, now_ms, publisher, signed_in
from waiting import until

HOUR_MS = 3_600_000
IMPATIENT = "from firetower.devices import quality; quality.HALF = 1_000_000; from firetower.cli import main; main()"
CLOCKS = {"ahead": 8 * HOUR_MS, "behind": -8 * HOUR_MS, "odd": -100 * 60_000, "right": 0}
STORED = (
    "select value, quality, extract(epoch from received_at - ts)::float8 as late from api.readings"
    " where unit = 'clocks' and device = $1 order by value"
)


async def test_clocks_hours_off_and_standing_still_are_marked_and_told_with_the_mistake_they_look_like(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """The service's own clock is right. A clock is judged over stretches of a second here, of five minutes else."""
    service = Service(database_url, nats.url, tmp_path)
    service.program = ("-c", IMPATIENT, "serve")
    await service.start()
    try:
        async with signed_in(service) as api:
            said = [0]

            async def report() -> None:
                """One round of every device."""
                said[0] += 1
                value = 2 + said[0] / 1000
                for name, off in CLOCKS.items():
                    reading = {"ts": now_ms() + off, "level": value}
                    await asyncio.to_thread(device.send, f"firetower/v1/clocks/{name}/telemetry", reading)
                stuck = {"ts": first, "level": value}
                await asyncio.to_thread(device.send, "firetower/v1/clocks/stuck/telemetry", stuck)
                local = (datetime.now(UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S")
                await asyncio.to_thread(
                    device.send, "firetower/v1/clocks/text/telemetry", {"ts": local, "level": value}
                )

            async def findings() -> dict[tuple[str, str], Any]:
                items = (await api.get("/alerts", **{"class": "quality"}))["items"]
                return {(item["device"], item["rule"]): item for item in items}

            wanted = {(name, "clock-wrong") for name in ("ahead", "behind", "odd")} | {("stuck", "clock-stuck")}

            async def told() -> bool:
                await report()
                return wanted <= (await findings()).keys()

            with publisher(nats.device_url) as device:
                first = now_ms()
                await until(told, 60, "every wrong clock is a finding")
            found = await findings()
            titles = {name: found[name, "clock-wrong"]["title"] for name in ("ahead", "behind", "odd")}
            assert "快 8 小时,像是把当地时间当作 UTC 发送" in titles["ahead"]["zh"]
            assert "8 h ahead, looks like local time sent as UTC" in titles["ahead"]["en"]
            assert "8 h behind, looks like a wrong time zone" in titles["behind"]["en"]
            assert "100 min behind" in titles["odd"]["en"]
            assert {name for name, rule in found if rule == "clock-wrong"} == {"ahead", "behind", "odd"}
            assert all(item["priority"] == 4 for item in found.values())
            count = said[0]

            async def all_stored() -> bool:
                return bool(await pool.fetchval("select count(*) from api.readings") == 6 * count)

            await until(all_stored, 20, "every reading is kept")
            ahead = await pool.fetch(STORED, "ahead")
            assert all(row["quality"] == "uncertain" and row["late"] == 0 for row in ahead), "at arrival, uncertain"
            behind = await pool.fetch(STORED, "behind")
            assert all(row["quality"] == "good" and 8 * 3600 - 60 < row["late"] < 8 * 3600 + 60 for row in behind)
            stuck = await pool.fetch(STORED, "stuck")
            assert stuck[0]["late"] > 0
            assert all(row["late"] == 0 for row in stuck[1:]), "one at the time it stands at, the others at arrival"
            text = await pool.fetch(STORED, "text")
            assert all(abs(row["late"]) < 60 for row in text), "a text without a zone is read as UTC+8"
    finally:
        assert await service.stop() == 0, service.log()[-3000:]
