"""The running service tells of itself: missing canaries, telemetry that is behind; and whom it may not judge then."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
from service import Service, now_ms, publisher, signed_in
from waiting import until

IMPATIENT = """
from firetower.ingest import canary, lane, probe, system
canary.MISSED, canary._LOOK_S, probe.EVERY = 3_000_000, 0.2, 8_000_000
system.BLIND, system.SEES = 2_000_000, 1_000_000
lane._BEHIND = 3_600_000_000
from firetower.cli import main
main()
"""
"""A canary counts as missing after 3 s and flies each 8 s; telemetry is blind at 2 s; it listens however far behind."""


@contextlib.asynccontextmanager
async def impatient(database_url: str, mqtt_url: str, folder: Path, **settings: str) -> AsyncIterator[Service]:
    """Give a running service that waits seconds where the shipped one waits minutes."""
    service = Service(database_url, mqtt_url, folder, **settings)
    service.program = ("-c", IMPATIENT, "serve")
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


async def test_canaries_that_are_missing_are_an_alert_and_one_that_arrives_ends_it(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    async with impatient(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        alert = await until(lambda: api.alert(rule="system_canary", condition="active"), 30)
        assert (alert["subject_kind"], alert["class"], alert["priority"]) == ("system", "fault", 2)
        back = await until(lambda: api.alert(rule="system_canary", condition="normal"), 30)
        assert back["id"] == alert["id"]


async def test_telemetry_that_is_behind_is_an_alert_and_nobody_who_reports_more_often_is_silent_for_it(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    """Two devices speak once at one instant, and the store is held up: 4 s later both have been silent for too long."""
    rulebook = tmp_path / "rulebook"
    shutil.copytree(str(files("firetower.rules") / "rulebook"), rulebook)
    page = (rulebook / "device.yaml").read_text("utf-8")
    shipped = "intervals: 3\n            source: J, three reports missed"
    assert page.count(shipped) == 1
    soon = "intervals: 3\n            at_most: 4s\n            source: J, of this test"
    (rulebook / "device.yaml").write_text(page.replace(shipped, soon), "utf-8")
    devices = [
        {"unit": "own", "device": name, "kind": "hydrant", "interval_s": interval}
        for name, interval in (("often", 1), ("seldom", 600))
    ]
    city = tmp_path / "city.json"
    city.write_text(json.dumps({"format": "firetower-registry/1", "units": [{"code": "own"}], "devices": devices}))

    async with impatient(database_url, nats.url, tmp_path, rulebook=str(rulebook)) as service:
        status, said = await service.command("devices", "import", str(city))
        assert status == 0, said
        async with signed_in(service) as api:

            async def silent() -> set[str]:
                items = (await api.get("/alerts", **{"class": "offline"}))["items"]
                return {item["device"] for item in items}

            with publisher(nats.device_url) as device:
                async with pool.acquire() as conn, conn.transaction():
                    await conn.execute("lock table reading in access exclusive mode")
                    reading = [{"ts": now_ms(), "pressure": 0.3}]
                    both = {"often": reading, "seldom": reading}
                    await asyncio.to_thread(device.send, "firetower/v1/own/gateway/telemetry", both)
                    alert = await until(lambda: api.alert(rule="system_lag", condition="active"), 30)
                    assert (alert["subject_kind"], alert["class"], alert["priority"]) == ("system", "fault", 2)
                    found = await until(silent, 30, "a device that reports seldom is found silent all the same")
                    assert found == {"seldom"}, "what the other one said may be on its way"
                await until(lambda: api.alert(rule="system_lag", condition="normal"), 30)

                async def both_silent() -> bool:
                    return await silent() == {"often", "seldom"}

                await until(both_silent, 30, "once telemetry keeps up, silence is silence")
