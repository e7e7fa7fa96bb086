"""A device registered later gets its refused readings back; its alarms, shown when they came, are not raised twice."""

import json
from pathlib import Path
from typing import Any

import asyncpg
from service import Service, now_ms, publisher, running, signed_in
from waiting import until

READINGS = "select count(*) from api.readings where unit = 'late' and device = 'h-1'"


def registry(*devices: str) -> dict[str, Any]:
    return {
        "format": "firetower-registry/1",
        "units": [{"code": "late", "name": "Late"}],
        "devices": [{"unit": "late", "device": name, "kind": "hydrant", "interval_s": 600} for name in devices],
    }


async def test_a_device_registered_later_gets_its_readings_back(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    start = now_ms() - 60_000
    async with running(database_url, nats.url, tmp_path, auto_register="off") as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            for number in range(30):
                reading = {"ts": start + number * 1000, "seq": number, "pressure": 0.3, "nonsense": 1}
                device.send("firetower/v1/late/h-1/telemetry", reading)
            device.send("firetower/v1/late/gateway/telemetry", {"h-1": [{"ts": start - 5000, "pressure": 0.31}]})
            device.send("firetower/v1/late/h-1/alarm", {"ts": start, "event": "fire", "pressure": 0.25})
            device.send("firetower/v1/late/h-2/telemetry", {"ts": start, "pressure": 0.3})
        rejected = "select count(*) from api.rejects where reason = 'unknown_device'"
        await until(lambda: _is(pool, rejected, 33), what="every reading of a stranger stands in the ledger")
        city = tmp_path / "city.json"
        city.write_text(json.dumps(registry("h-1")))
        status, said = await service.command("devices", "import", str(city))
        assert status == 0, said
        status, said = await service.command("rejects", "replay", "--unit", "late", "--device", "h-1")
        assert status == 0, said
        assert said.startswith("32 tried again"), said
        assert await pool.fetchval(READINGS) == 32
        times = await pool.fetch("select ts, received_at from api.readings where unit = 'late' order by ts limit 2")
        assert int(times[0]["ts"].timestamp() * 1000) == start - 5000, "at the device's own time"
        left = {(row["topic"], row["reason"]) for row in await pool.fetch("select topic, reason from api.rejects")}
        assert ("firetower/v1/late/h-2/telemetry", "unknown_device") in left, "nobody asked for the other one"
        assert ("firetower/v1/late/h-1/telemetry", "unknown_metric") in left, "what is still wrong stands in the ledger"
        assert not [row for row in left if row == ("firetower/v1/late/h-1/telemetry", "unknown_device")]
        fires = [item for item in (await api.get("/alerts"))["items"] if item["class"] == "fire"]
        assert len(fires) == 1
        status, answer = await api.post("/rejects/replay", {"unit": "late", "device": "h-1"})
        assert (status, answer) == (202, {"asked": 0})
        status, said = await service.command("rejects", "replay", "--unit", "late", "--device", "h-1")
        assert status == 0
        assert said.startswith("No reject"), said


async def test_a_replay_raises_no_alarm_again_though_its_alert_is_closed_by_now(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """An alarm without a time or a number of its own is a new one each time it is read; its readings are wanted."""
    async with running(database_url, nats.url, tmp_path, auto_register="off") as service, signed_in(service) as api:
        fault = {"event": "fault", "component": "pump", "pressure": 0.25}
        with publisher(nats.device_url) as device:
            device.send("firetower/v1/late/h-1/alarm", fault)
            alert = await until(lambda: api.alert(component="pump"), what="an alarm of a stranger is shown at once")
            status, answer = await api.post(f"/alerts/{alert['id']}/acknowledge", {})
            assert status == 200, answer
            device.send("firetower/v1/late/h-1/alarm", {"event": "fault", "component": "pump", "active": False})
            closed = "select count(*) from api.alerts where state = 'closed'"
            await until(lambda: _is(pool, closed, 1), what="seen by somebody and over")
        assert await pool.fetchval("select count(*) from api.rejects where reason = 'unknown_device'") == 1
        city = tmp_path / "city.json"
        city.write_text(json.dumps(registry("h-1")))
        status, said = await service.command("devices", "import", str(city))
        assert status == 0, said
        status, said = await service.command("rejects", "replay", "--unit", "late", "--device", "h-1")
        assert status == 0, said
        assert said.startswith("1 tried again"), said
        assert await pool.fetchval(READINGS) == 1
        rows = await pool.fetch("select id, state from api.alerts where component = 'pump'")
        assert [(str(row["id"]), row["state"]) for row in rows] == [(alert["id"], "closed")]


async def test_a_replay_asked_for_while_the_service_is_down_is_done_by_the_next_start(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    service = Service(database_url, nats.url, tmp_path, auto_register="off")
    await service.start()
    try:
        with publisher(nats.device_url) as device:
            device.send("firetower/v1/late/h-1/telemetry", {"ts": now_ms(), "pressure": 0.3})
        await until(lambda: _is(pool, "select count(*) from api.rejects", 1))
        await service.kill()
        city = tmp_path / "city.json"
        city.write_text(json.dumps(registry("h-1")))
        status, said = await service.command("devices", "import", str(city))
        assert status == 0, said
        status, said = await service.command("rejects", "replay")
        assert status == 0, said
        assert "1 asked for, 1 wait" in said
        await service.start()
        await until(lambda: _is(pool, READINGS, 1), seconds=20)
        await until(lambda: _is(pool, "select count(*) from api.rejects", 0))
    finally:
        await service.stop()


async def _is(pool: asyncpg.Pool, query: str, wanted: int) -> bool:
    return bool(await pool.fetchval(query) == wanted)
