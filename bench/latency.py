"""Latency from publish to the console's WebSocket frame, both lanes: idle, at half load, and saturated.

An alarm of a panel travels in the alarm lane; a reading of smoke over the fire limit in the telemetry lane, where the
shipped rule raises the alert. Each is timed from the instant it was meant to go out, whatever the system was doing.
"""

import asyncio
from typing import Any

from bench.console import Console, console, line
from bench.generator import Load, generator
from bench.probe import Publisher, arrived, fires, publisher, rate_sustained, smoke
from bench.stand import Stand, stand

DEVICES = 10_000
PERIOD = 0.05
DRAIN_S = 180


def measure(*, quick: bool, probes: int | None = None) -> dict[str, Any]:
    """Publish probes on a fixed schedule beside each load."""
    count = probes or (80 if quick else 1000)
    with stand(devices=DEVICES) as (it, _):
        return asyncio.run(_measure(it, count, 20_000 if quick else 100_000))


async def _measure(it: Stand, count: int, calibration: int) -> dict[str, Any]:
    async with publisher(it.mqtt_url) as to, console(it) as of:
        sustained = await rate_sustained(it, calibration, DEVICES)
        print(f"sustained here: {sustained:.0f} messages/s")
        results: dict[str, Any] = {"sustained_messages_per_second": sustained, "probes": count}
        results["idle"] = await _round(it, to, of, ("idle", 0, count))
        results["half"] = await _round(it, to, of, ("half", sustained / 2, count))
        results["saturated"] = await _round(it, to, of, ("saturated", 2 * sustained, count))
        results["console_reconnects"] = of.again
    return results


async def _round(it: Stand, to: Publisher, of: Console, what: tuple[str, float, int]) -> dict[str, Any]:
    """One load: its name, messages/s, and how many probes of each lane go beside it."""
    name, rate, count = what
    first = {"idle": 0, "half": count, "saturated": 2 * count}[name]
    result: dict[str, Any] = {"offered_messages_per_second": rate}
    if rate:
        messages = int(rate * (count * PERIOD + 2))
        load = Load(it.mqtt_url, messages, DEVICES, rate=rate)
        async with generator(load) as one:
            await one.begin()
            sending = asyncio.create_task(one.done(), name="load")
            await asyncio.sleep(1)
            alarm, telemetry = await _probes(to, of, name, first, count)
            sent = await sending
            result["load_late_s"] = sent.late
    else:
        alarm, telemetry = await _probes(to, of, name, first, count)
    await arrived([alarm, telemetry], of, DRAIN_S)
    result["alarm"], result["telemetry"] = alarm.stages(of), telemetry.stages(of)
    result["alarm_values_ms"], result["telemetry_values_ms"] = alarm.latencies(of), telemetry.latencies(of)
    for lane in ("alarm", "telemetry"):
        stages = result[lane]
        middle = ", ".join(f"{stage} {stages[stage].get('p50', 0):.1f}" for stage in ("received", "committed", "shown"))
        missing = f"  MISSING {stages['missing']['n']}" if stages["missing"]["n"] else ""
        print(f"{name:10} {lane:10} {line(stages['total'])}  p50 of stages: {middle}{missing}")
    return result


async def _probes(to: Publisher, of: Console, tag: str, first: int, count: int) -> Any:
    alarm = asyncio.create_task(fires(to, tag, count, PERIOD), name="fires")
    if tag == "idle":  # one after the other: beside the other lane's probes a lane is not idle
        await asyncio.wait({alarm})
    telemetry = asyncio.create_task(smoke(to, first, count, PERIOD), name="smoke")
    series = await alarm, await telemetry
    await arrived(list(series[:1]), of, 30)
    return series
