"""Latency of a device alarm: from publish to the console's WebSocket frame, idle and beside a telemetry load."""

import asyncio
import contextlib
import json
import time
from typing import Any

import aiohttp
import numpy as np

from bench.frames import send
from bench.ingest import telemetry
from bench.stand import Stand, stand
from firetower.core.clock import SystemClock
from firetower.core.mqtt import MqttSession

PERIOD = 0.05


def measure(*, quick: bool) -> dict[str, Any]:
    """Publish alarms on a fixed schedule (open loop) and time each from its intended instant to its frame."""
    with stand() as it:
        return asyncio.run(_measure(it, 100 if quick else 400))


async def _measure(it: Stand, alarms: int) -> dict[str, Any]:
    results: dict[str, Any] = {"target_idle_p99_ms": 25, "target_saturated_p99_ms": 150}
    async with contextlib.AsyncExitStack() as stack:
        session = MqttSession(it.mqtt_url, "bench-alarms", on_messages=None, clean=True, clock=SystemClock())
        runner = asyncio.create_task(session.run(), name="alarms")
        stack.callback(runner.cancel)
        await session.wait_connected()
        http = await stack.enter_async_context(aiohttp.ClientSession(headers={"Authorization": f"Bearer {it.token()}"}))
        live = await stack.enter_async_context(http.ws_connect(f"{it.http_url}/api/v1/live"))
        await live.receive()
        results["idle_ms"] = _figures("idle", await _round(session, live, "i", alarms))
        load = asyncio.create_task(_load(it), name="load")
        results["saturated_ms"] = _figures("saturated", await _round(session, live, "s", alarms))
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
    return results


async def _load(it: Stand) -> None:
    base = time.time_ns() // 1_000_000 - 7_200_000
    number = 0
    while True:
        await send(it.mqtt_url, telemetry(base + number * 5_000, 5_000))
        number += 1


async def _round(session: MqttSession, live: aiohttp.ClientWebSocketResponse, tag: str, alarms: int) -> list[float]:
    began = time.perf_counter() + 0.2
    due = {f"{tag}{n}": began + n * PERIOD for n in range(alarms)}
    seen: dict[str, float] = {}

    async def publish() -> None:
        for component, at in due.items():
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            event = {"ts": time.time_ns() // 1_000_000, "event": "fire", "component": component}
            session.publish_nowait("firetower/v1/bench/panel/alarm", json.dumps(event).encode())

    publishing = asyncio.create_task(publish(), name="publish")
    async with asyncio.timeout(alarms * PERIOD + 120):
        while len(seen) < alarms:
            frame = json.loads((await live.receive()).data)
            arrived = time.perf_counter()
            for alert in frame.get("alerts", []):
                if alert["component"] in due:
                    seen.setdefault(alert["component"], arrived)
    await publishing
    return [(seen[component] - at) * 1000 for component, at in due.items()]


def _figures(name: str, values: list[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    print(f"{name:<10} p50 {p50:7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f}  max {max(values):7.1f} ms  (n={len(values)})")
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99), "max": max(values)}
