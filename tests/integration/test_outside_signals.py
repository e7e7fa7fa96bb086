"""The service tells outside: that alarms get through, by the dead-man signal; a fire it cannot store, by webhook."""

import hmac
import json
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from outside_server import receiving
from service import now_ms, publisher, running
from waiting import until

from firetower.alerts.provisional import key_of

SECRET = "a secret of the receiver"
FIRE = "select rule, subject_kind, subject, component from alert where alert_class = 'fire'"


async def test_the_canary_gets_through_the_dead_man_is_told_and_a_fire_the_store_cannot_take_is_posted_once(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with receiving() as dead_man, receiving() as receiver:
        outside = {"deadman_url": dead_man.url, "notify_url": receiver.url, "notify_secret": SECRET}
        async with running(database_url, nats.url, tmp_path, **outside) as service:
            await until(lambda: dead_man.calls, 30, "a canary is committed and the dead-man signal sent")
            database = await asyncpg.connect(database_url)
            try:
                assert await database.fetchval("select count(*) from api.rejects") == 0
                assert await database.fetchval("select count(*) from api.alerts") == 0
                async with aiohttp.ClientSession() as http, http.get(f"{service.url}/metrics") as answer:
                    figures = dict(line.rsplit(" ", 1) for line in (await answer.text()).splitlines())
                assert float(figures["firetower_canary_age_seconds"]) < 90
                async with database.transaction():
                    await database.execute("lock table alert, device_event in access exclusive mode")
                    with publisher(nats.device_url) as device:
                        device.send("firetower/v1/mall-01/panel-1/alarm", {"ts": now_ms(), "event": "fire"})
                    (call,) = await until(lambda: receiver.calls, 20, "the fire is posted")
                await until(lambda: database.fetch(FIRE), 30, "the fire is stored")
                (alert,) = await database.fetch(FIRE)
            finally:
                await database.close()
            await until(service.ready, 20, "ready again")
        assert len(receiver.calls) == 1
    said = json.loads(call.body)
    assert (said["class"], said["provisional"], said["unit"]) == ("fire", True, "mall-01")
    assert said["key"] == key_of(*alert)
    signed = call.headers["Firetower-Timestamp"].encode() + b"." + call.body
    assert call.headers["Firetower-Signature"] == "v1=" + hmac.digest(SECRET.encode(), signed, "sha256").hex()
