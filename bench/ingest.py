"""Sustained ingest: telemetry of three readings a message, from publish to commit and PUBACK, de-duplicated, rules on.

Beside it, in turns on the same engines: the bare loop, the bare broker, and a plain ingestor (``bench/rivals.py``).
"""

import asyncio
import json
import statistics
import time
from datetime import UTC, datetime
from typing import Any

from bench.generator import READINGS, Load, Progress, process, send
from bench.rivals import ROOT
from bench.stand import Stand, connected, cpu_seconds, stand

DEVICES = 10_000
WITHIN_S = 300


def measure(*, quick: bool, messages: int | None = None) -> dict[str, Any]:
    """Take rounds of each in turn; medians over the rounds."""
    size = messages or (60_000 if quick else 300_000)
    with stand(devices=DEVICES) as (it, _):
        return asyncio.run(_measure(it, size, rounds=2 if quick else 5))


async def _measure(it: Stand, size: int, rounds: int) -> dict[str, Any]:
    base = time.time_ns() // 1_000_000 - 3 * 3_600_000
    await _service(it, DEVICES, base - DEVICES)  # every series has been heard of before
    taken: dict[str, list[dict[str, Any]]] = {"service": [], "bare": [], "broker": [], "plain": []}
    print(f"{'':10}{'messages/s':>12}{'readings/s':>12}   processor us a message")
    for number in range(rounds):
        at = base + number * size
        taken["service"].append(_show("service", await _service(it, size, at)))
        taken["bare"].append(_show("bare", await _rival(it, "bare", size, at)))
        taken["broker"].append(_show("broker", await _rival(it, "broker", size, at)))
        taken["plain"].append(_show("plain", await _rival(it, "plain", size // 4, at)))
    results: dict[str, Any] = {name: _median(of) for name, of in taken.items()}
    mine, bare = results["service"]["messages_per_second"], results["bare"]["messages_per_second"]
    kept = await it.stored_readings()
    memory = it.usage().memory
    results |= {
        "messages_a_round": size, "rounds": rounds, "devices": DEVICES,
        "share_of_bare": mine / bare,
        "times_plain": mine / results["plain"]["messages_per_second"],
        "readings_stored": kept, "lost": (rounds * size + DEVICES) * READINGS - kept,
        "resident_mib": memory,
    }  # fmt: skip
    print(f"{results['share_of_bare']:.0%} of the bare loop, {results['times_plain']:.1f} times the plain ingestor;"
          f" {kept} readings stored, {results['lost']} lost; {memory_line(memory)}")  # fmt: skip
    return results


async def _service(it: Stand, size: int, base: int) -> dict[str, Any]:
    before, acknowledged = it.usage(), it.acknowledged("telemetry")
    sent = await send(Load(it.mqtt_url, size, DEVICES, base))
    ended = await drained(it, base + size - 1, (size - 1) % DEVICES, acknowledged + size)
    return _round(size, sent, ended, it.usage().cost(before, size))


async def drained(it: Stand, last: int, device: int, acknowledged: int) -> float:
    """Return the monotonic time at which the last message (its ms and device) was committed and all acknowledged."""
    at, name = datetime.fromtimestamp(last / 1000, UTC), f"e{device:07}"
    deadline = time.monotonic() + WITHIN_S
    async with connected(it.database_url) as database:
        while not await database.fetchval(
            "SELECT true FROM api.readings WHERE ts BETWEEN $1 AND $1 AND device = $2 LIMIT 1", at, name
        ):
            if time.monotonic() > deadline:
                raise SystemExit(f"the last reading was not committed within {WITHIN_S} s: {it.said()}")
            await asyncio.sleep(0.01)
    while await asyncio.to_thread(it.acknowledged, "telemetry") < acknowledged:
        if time.monotonic() > deadline:
            raise SystemExit(f"not everything was acknowledged within {WITHIN_S} s: {it.said()}")
        await asyncio.sleep(0.01)
    return time.monotonic()


async def _rival(it: Stand, kind: str, size: int, base: int) -> dict[str, Any]:
    given = {"mqtt": it.mqtt_url, "database": it.database_url, "count": size}
    async with process("bench.rivals", kind, given) as rival:
        before, own = it.usage(), cpu_seconds(rival.pid)
        sent = await send(Load(it.mqtt_url, size, DEVICES, base, root=ROOT))
        assert rival.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            said = json.loads(await rival.stdout.readline() or b"null")
        if said is None:
            raise SystemExit(f"{kind} ended early, status {await rival.wait()}")
        costs = it.usage().cost(before, size)
        costs[kind] = (cpu_seconds(rival.pid) - own) / size * 1e6
        return _round(size, sent, said["ended"], costs)


def _round(size: int, sent: Progress, ended: float, costs: dict[str, float]) -> dict[str, Any]:
    rate = size / (ended - sent.began)
    costs["generator"] = sent.cpu / size * 1e6
    return {"messages_per_second": rate, "readings_per_second": rate * READINGS, "cpu_us_per_message": costs}


def _show(name: str, of: dict[str, Any]) -> dict[str, Any]:
    costs = "  ".join(f"{process} {cost:.1f}" for process, cost in of["cpu_us_per_message"].items())
    print(f"{name:10}{of['messages_per_second']:12.0f}{of['readings_per_second']:12.0f}   {costs}")
    return of


def _median(of: list[dict[str, Any]]) -> dict[str, Any]:
    each = [one["cpu_us_per_message"] for one in of]
    costs = {name: statistics.median(one[name] for one in each) for name in each[0]}
    rate = statistics.median(one["messages_per_second"] for one in of)
    return {
        "messages_per_second": rate, "readings_per_second": rate * READINGS, "cpu_us_per_message": costs,
        "rounds": [one["messages_per_second"] for one in of],
    }  # fmt: skip


def memory_line(memory: dict[str, float]) -> str:
    """Memory of each process, for a line of text."""
    return "memory " + ", ".join(f"{name} {mib:.0f} MiB" for name, mib in memory.items())
