"""A fire while the database is cut off, hangs, is stopped or full: shown within ten seconds, then stored once."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fault_proxy import FaultProxy
from seat import seat
from service import now_ms, publisher, running, signed_in
from waiting import until

ALARM = 'firetower_messages_{}_total{{lane="alarm"}}'
FULL = """
create function full_disk() returns trigger language plpgsql as
$$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
create trigger full_disk before insert or update on lease execute function full_disk();
create trigger full_disk before insert or update on alert execute function full_disk();
create trigger full_disk before insert on device_event execute function full_disk();
create trigger full_disk before insert on alarm_backlog execute function full_disk();
create trigger full_disk before insert on live_change execute function full_disk();
"""


async def begin(fault: str, wire: FaultProxy, server: Any) -> None:
    """Let the outage begin."""
    if fault == "stopped":
        server.stop()
    elif fault == "full":
        await said(server, FULL)
    else:
        getattr(wire, fault)()


async def end(fault: str, wire: FaultProxy, server: Any) -> None:
    """Let it end."""
    if fault == "stopped":
        server.start()
    elif fault == "full":
        await said(server, "drop function full_disk cascade")
    else:
        wire.heal()


async def said(server: Any, statement: str) -> None:
    """Say it to the database itself, past the wire."""
    database = await asyncpg.connect(server.url)
    try:
        await database.execute(statement)
    finally:
        await database.close()


@pytest.mark.parametrize("fault", ["cut", "stall", "stopped", "full"])
async def test_a_fire_in_an_outage_is_shown_within_ten_seconds_and_stored_once_when_it_ends(
    own_postgres: Any, nats: Any, tmp_path: Path, fault: str
) -> None:
    """Every seat has it as provisional, also one that comes then; nothing of it is acknowledged; /readyz and /metrics
    tell of the outage; no seat is ever without it; then it is one alert of the same key, raised once."""
    async with (
        FaultProxy(own_postgres.url) as wire,
        running(wire.url, nats.url, tmp_path) as service,
        signed_in(service) as api,
        seat(api) as early,
    ):
        with publisher(nats.device_url) as device:

            async def fire(name: str) -> None:
                event = {"ts": now_ms(), "event": "fire", "component": "2-3-017", "text": "三层走廊"}
                await asyncio.to_thread(device.send, f"firetower/v1/mall-01/{name}/alarm", event)

            await fire("panel-1")
            await until(lambda: early.open("panel-1"), 10, "stored and shown before the outage")
            await begin(fault, wire, own_postgres)
            await fire("panel-2")
            alarm = await until(lambda: early.waiting("panel-2"), 10, "the promise: provisional within ten seconds")
            before = await service.metrics()
            assert (alarm["class"], alarm["priority"], alarm["text"]) == ("fire", 1, "三层走廊")
            async with seat(api) as late:
                assert late.waiting("panel-2"), "in the first frame of a seat that comes during the outage"
                await until(lambda: early.store == late.store == "unavailable", 20, "the seats are told")

                async def told() -> bool:
                    return not (await service.checks())["database"]["ok"]

                await until(told, 20, "/readyz says so")

                async def counted() -> bool:
                    return (await service.metrics())['firetower_ready{check="database"}'] == 0

                await until(counted, 20, "/metrics says so")
                after = await service.metrics()
                assert after[ALARM.format("acknowledged")] == before[ALARM.format("acknowledged")]
                assert after[ALARM.format("acknowledged")] < after[ALARM.format("received")]
                assert after['firetower_ingest_lag_seconds{lane="alarm"}'] > 0
                assert not early.open("panel-2")

                await end(fault, wire, own_postgres)
                for one in (early, late):
                    await until(lambda one=one: one.open("panel-2") and not one.provisional, 40, "stored and shown so")
                    assert one.open("panel-2")["key"] == alarm["key"]
                    assert one.missed == set(), "there was no frame without it"
                    assert one.open("panel-1")
        await until(service.ready, 30, "ready again")
        stored = await until(lambda: api.alert(device="panel-2"), 20)
        history = (await api.get(f"/alerts/{stored['id']}/history"))["items"]
        assert [entry["reason"] for entry in history] == ["raised"]
        now = await service.metrics()
        assert now['firetower_alerts_raised_total{class="fire"}'] == 2
