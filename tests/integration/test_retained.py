"""Retained alarms and statuses: what a broker says again to every new session is raised once, whatever came since."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
from service import Api, now_ms, publisher, running, signed_in
from waiting import until

ALARMS = {
    "timed": {"ts": now_ms(), "event": "fire", "component": "1", "text": "3F"},
    "untimed": {"event": "fire", "component": "2", "text": "4F"},
}
RAISED = "select count(*) from api.alerts where class = 'fire'"
HEARD = "select count(*) from api.readings where unit = 'r' and device = $1"


async def retain(url: str) -> None:
    """Leave the alarms and a status with a broker, as devices that publish them retained do."""
    with publisher(url) as device:
        for name, event in ALARMS.items():
            await asyncio.to_thread(device.send, f"firetower/v1/r/{name}/alarm", event, retain=True)
        await asyncio.to_thread(device.send, "firetower/v1/r/tank/status", b"offline", retain=True)


async def passed(url: str, pool: asyncpg.Pool, name: str) -> None:
    """Return when the service has gone through everything the broker kept: an alarm's own reading is stored."""
    with publisher(url) as device:
        await asyncio.to_thread(device.send, f"firetower/v1/r/{name}/alarm", {"ts": now_ms(), "smoke": 0.01})
        await until(lambda: pool.fetchval(HEARD, name), 20)


async def close_all(api: Api) -> None:
    for alert in (await api.get("/alerts"))["items"]:
        if alert["class"] == "fire":
            assert (await api.post(f"/alerts/{alert['id']}/acknowledge", {}))[0] == 200
            verdict = {"disposition": "false_alarm", "cause": "cooking"}
            status, answer = await api.post(f"/alerts/{alert['id']}/close", verdict)
            assert status == 200, answer


async def test_a_retained_alarm_is_one_alert_through_verdict_restart_and_new_session(
    database_url: str, postgres: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """With and without a time of its own. Two installations at one broker hear it each; after a verdict neither a
    restart nor the broker's saying it again to a session it does not know raises it anew."""
    await retain(nats.device_url)
    for name in ("one", "other", "again", "anew"):
        (tmp_path / name).mkdir()
    async with running(database_url, nats.url, tmp_path / "one") as service, signed_in(service) as api:
        await until(lambda: pool.fetchval(f"{RAISED} having count(*) = 2"), 20, "both are raised by a new session")
        await close_all(api)
        reading = {"ts": now_ms(), "level": 2.5}
        with publisher(nats.device_url) as device:
            await asyncio.to_thread(device.send, "firetower/v1/r/tank/telemetry", reading)
            await until(lambda: pool.fetchval(HEARD, "tank"), 20)
    async with running(database_url, nats.url, tmp_path / "again") as service, signed_in(service) as api:
        await passed(nats.device_url, pool, "after-restart")
        assert await pool.fetchval(RAISED) == 2

        async def offline() -> bool:
            return bool((await api.get("/devices/r/tank"))["status"] == "offline")

        await until(offline, 30, "the retained status is heard at a restart: the session of statuses is new each time")
    # the broker has forgotten the installation's session, not what it retains
    await pool.execute("update installation set id = 'f00d'")
    async with running(database_url, nats.url, tmp_path / "anew"):
        await passed(nats.device_url, pool, "after-loss")
        assert await pool.fetchval(RAISED) == 2
        assert await pool.fetchval(f"{RAISED} and state = 'closed'") == 2

    name = f"other_{now_ms()}"
    await pool.execute(f"create database {name} template template_firetower strategy file_copy")
    other_url = f"{postgres.rsplit('/', 1)[0]}/{name}"
    other = await asyncpg.connect(other_url)
    try:
        async with running(other_url, nats.url, tmp_path / "other"):
            await until(lambda: other.fetchval(f"{RAISED} having count(*) = 2"), 20, "another installation hears them")
    finally:
        await other.close()
        await pool.execute(f"drop database {name} with (force)")
