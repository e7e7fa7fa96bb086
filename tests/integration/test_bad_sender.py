"""One unit floods the alarm lane: another unit's fire does not wait for it, and nothing of the flood is lost."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from service import Service, now_ms, publisher
from waiting import until

COUNT = 10_000
FLOOD = "select count(*), count(distinct component) from api.alerts where unit = 'flood' and class = 'fault'"
KEPT = "select count(*) >= $1 from api.rejects where topic = $2"
NUL = b'{"event": "fault", "component": "nul", "text": "a\\u0000b\x00"}'
MALFORMED = (b"not json", b"[" * 200, b"\xff\xfe", b'{"event": 3}', NUL, b"")


@pytest.mark.timeout(300)
async def test_ten_thousand_alarms_and_as_many_malformed_of_one_unit_delay_no_other_unit_and_are_all_kept(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """The fire is raised while the flood is worked off, telemetry of others goes on, the service is killed in the
    middle of it; in the end each of the flood's points has one alert and the malformed stand in the ledger."""
    service = Service(database_url, nats.url, tmp_path)
    await service.start()
    try:
        with publisher(nats.device_url) as bad, publisher(nats.device_url) as good:
            start = now_ms()

            def flood() -> None:
                for number in range(COUNT):
                    event = {"ts": start, "event": "fault", "component": f"p{number}"}
                    bad.post("firetower/v1/flood/panel/alarm", event)
                    leaf = "alarm" if number % 2 else "telemetry"
                    bad.post(f"firetower/v1/flood/panel/{leaf}", MALFORMED[number % len(MALFORMED)])

            flooding = asyncio.create_task(asyncio.to_thread(flood), name="flood")
            await until(lambda: pool.fetchval("select count(*) > 500 from alarm_backlog"), 60, "the flood is put away")
            event = {"ts": now_ms(), "event": "fire", "component": "1"}
            await asyncio.to_thread(good.send, "firetower/v1/calm/panel/alarm", event)
            reading = {"ts": now_ms(), "level": 2.5}
            await asyncio.to_thread(good.send, "firetower/v1/calm/tank/telemetry", reading)
            raised = "select count(*) from api.alerts where unit = 'calm' and class = 'fire'"
            await until(lambda: pool.fetchval(raised), 60, "the fire")
            assert (await pool.fetchrow(FLOOD))[0] < COUNT, "the fire did not wait for the flood"
            await until(lambda: pool.fetchval("select count(*) from api.readings where unit = 'calm'"), 60)
            assert (await pool.fetchrow(FLOOD))[0] < COUNT, "nor did others' telemetry"
            await service.kill()
            await service.start()
            await flooding
            await until(lambda: not bad.unacknowledged, 60)

        async def worked_off() -> bool:
            return (await pool.fetchrow(FLOOD))[1] >= COUNT

        await until(worked_off, 120, "every point of the flood is raised")
        await until(lambda: pool.fetchval("select count(*) = 0 from alarm_backlog"), 60)
        assert tuple(await pool.fetchrow(FLOOD)) == (COUNT, COUNT)
        assert await pool.fetchval(raised) == 1
        for leaf in ("alarm", "telemetry"):
            await until(lambda leaf=leaf: pool.fetchval(KEPT, COUNT // 2, f"firetower/v1/flood/panel/{leaf}"), 60)
        unreadable = "select count(*), count(distinct component) from api.alerts where class = 'unreadable'"
        alerts, reasons = await pool.fetchrow(unreadable)
        assert alerts == reasons > 1, "one alert a reason, whatever their number"
    finally:
        assert await service.stop() == 0, service.log()[-3000:]
