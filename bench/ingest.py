"""Sustained ingest: telemetry of three readings a message, from publish to commit, de-duplicated, rules on."""

import asyncio
import statistics
import time
from typing import Any

import asyncpg

from bench.frames import send
from bench.stand import Stand, cpu_seconds, resident_mib, stand

DEVICES = 1000
READINGS = 3


def measure(*, quick: bool) -> dict[str, Any]:
    """Publish rounds of messages and take the time until the last reading of each is committed."""
    size = 20_000 if quick else 50_000
    with stand() as it:
        return asyncio.run(_measure(it, size, rounds=3))


async def _measure(it: Stand, size: int, rounds: int) -> dict[str, Any]:
    database = await asyncpg.connect(it.database_url)
    base = time.time_ns() // 1_000_000 - 3_600_000
    await send(it.mqtt_url, telemetry(base - 100_000, DEVICES))  # registers the devices
    await _until_stored(database, DEVICES * READINGS)
    stored = DEVICES * READINGS
    rates, costs = [], []
    for number in range(rounds):
        messages = telemetry(base + number * size, size)
        cpu, began = cpu_seconds(it.service_pid), time.perf_counter()
        await send(it.mqtt_url, messages)
        stored += size * READINGS
        await _until_stored(database, stored)
        seconds = time.perf_counter() - began
        rates.append(size / seconds)
        costs.append((cpu_seconds(it.service_pid) - cpu) / size * 1e6)
        print(f"round {number + 1}: {rates[-1]:8.0f} messages/s  {rates[-1] * READINGS:8.0f} readings/s  "
              f"{costs[-1]:6.1f} us service CPU a message")  # fmt: skip
    await database.close()
    return {
        "messages_per_second": statistics.median(rates),
        "readings_per_second": statistics.median(rates) * READINGS,
        "service_cpu_us_per_message": statistics.median(costs),
        "service_resident_mib": resident_mib(it.service_pid),
        "targettelemetry_per_second": 50_000,
    }


def telemetry(base: int, count: int) -> list[tuple[str, bytes]]:
    return [
        (
            f"firetower/v1/bench/e{n % DEVICES}/telemetry",
            b'{"ts": %d, "seq": %d, "residual_current": %.1f, "cable_temperature.1": %.1f, "cable_temperature.2": %.1f}'
            % (base + n, n, 100 + n % 50, 30 + n % 9, 31 + n % 7),
        )
        for n in range(count)
    ]


async def _until_stored(database: asyncpg.Connection, wanted: int) -> None:
    deadline = time.monotonic() + 300
    while await database.fetchval("select count(*) from api.readings") < wanted:
        if time.monotonic() > deadline:
            raise SystemExit("the readings did not arrive within 300 s")
        await asyncio.sleep(0.05)
