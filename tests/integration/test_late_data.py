"""Late data is stored and corrects history; what it shows of the past is on record, and only a fire calls anybody."""

from pathlib import Path
from typing import Any

import asyncpg
from service import Api, now_ms, publisher, running, signed_in
from waiting import until

MINUTE_MS = 60_000


async def stored(pool: asyncpg.Pool, device: str, at_least: int) -> bool:
    count = await pool.fetchval("select count(*) from api.readings where unit = 'past' and device = $1", device)
    return bool(count >= at_least)


async def alerts(api: Api, device: str, **query: str) -> list[Any]:
    return [item for item in (await api.get("/alerts", unit="past", **query))["items"] if item["device"] == device]


def told(items: list[Any]) -> list[tuple[Any, ...]]:
    return sorted((item["rule"], item["state"], item["condition"], tuple(item["flags"])) for item in items)


async def test_late_smoke_over_the_limit_is_an_open_fire_and_late_low_pressure_a_closed_record_once_and_for_all(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    newest = now_ms() - MINUTE_MS
    hour_ago = newest - 60 * MINUTE_MS
    late = {
        "smk": [{"ts": hour_ago + n * MINUTE_MS, "smoke": 0.5} for n in range(2)],
        "hyd": [{"ts": hour_ago + n * MINUTE_MS, "pressure": 0.08} for n in range(8)],
        "fine": [{"ts": hour_ago + n * MINUTE_MS, "pressure": 0.3} for n in range(8)],
    }
    expected = {
        "smk": [
            ("smoke-fire", "unacknowledged", "normal", ("historical",)),
            ("smoke-prealarm", "closed", "normal", ("historical",)),
        ],
        "hyd": [("hydrant-pressure-low", "closed", "normal", ("historical",))],
        "fine": [],
    }

    counts = {name: len(readings) for name, readings in late.items()}

    async def send_and_look(api: Api, round_: int) -> None:
        with publisher(nats.device_url) as device:
            for name, readings in late.items():
                device.send(f"firetower/v1/past/{name}/telemetry", readings)
                marker = {"ts": newest + round_, **{key: 0.3 for key in readings[0] if key == "pressure"}}
                marker |= {key: 0.01 for key in readings[0] if key == "smoke"}
                device.send(f"firetower/v1/past/{name}/telemetry", marker)
        for name, count in counts.items():
            await until(lambda name=name, n=count: stored(pool, name, n + 1 + round_), 20, "all is stored")
            assert told(await alerts(api, name)) == expected[name]

    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            device.send("firetower/v1/past/smk/telemetry", {"ts": newest, "smoke": 0.01})
            for name in ("hyd", "fine"):
                device.send(f"firetower/v1/past/{name}/telemetry", {"ts": newest, "pressure": 0.3})
        for name in late:
            await until(lambda name=name: stored(pool, name, 1), 20, "the newest reading is stored")
        await send_and_look(api, 1)
        (record,) = await alerts(api, "hyd", state="closed")
        assert await alerts(api, "hyd", state="unacknowledged") == []
        assert (record["value"], record["limit"], record["disposition"]) == (0.08, 0.1, None)
        assert record["closed_by"] == "rule:hydrant-pressure-low"
        history = (await api.get(f"/alerts/{record['id']}/history"))["items"]
        assert [entry["reason"] for entry in history] == ["closed_historical"]
        await send_and_look(api, 2)
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        await send_and_look(api, 3)


async def test_a_long_backlog_in_one_message_is_historical_when_it_is_over_and_live_when_it_still_holds(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    start = now_ms() - 601 * MINUTE_MS
    async with running(database_url, nats.url, tmp_path) as service, signed_in(service) as api:
        with publisher(nats.device_url) as device:
            for name, last in (("over", 0.17), ("holds", 0.13)):  # low by so little that nothing fell fast
                values = [0.17] * 100 + [0.13] * 100 + [last] * 400
                backlog = [{"ts": start + n * MINUTE_MS, "pressure": value} for n, value in enumerate(values)]
                device.send(f"firetower/v1/past/{name}/telemetry", backlog)
        for name in ("over", "holds"):
            await until(lambda name=name: stored(pool, name, 600), 20, "the backlog is stored")
        assert told(await alerts(api, "over")) == [("hydrant-pressure-low", "closed", "normal", ("historical",))]
        assert told(await alerts(api, "holds")) == [("hydrant-pressure-low", "unacknowledged", "active", ())]
