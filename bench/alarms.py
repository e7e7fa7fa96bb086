"""Alerts from the wire: fires of distinct points as fast as the broker takes them, and one bad sender beside a fire."""

import asyncio
import time
from typing import Any

from bench.console import console, figures, line
from bench.generator import Load, generator, send
from bench.probe import arrived, fires, publisher
from bench.stand import PANELS, Stand, connected, stand

BAD = PANELS - 2
"""The panel that floods; PANELS - 1 is the one whose fires are timed, the others raise the many."""
WITHIN_S = 300
PERIOD = 0.1


def measure(*, quick: bool, alarms: int | None = None) -> dict[str, Any]:
    """Take the time until the last of many fires is committed and shown; then flood one unit, time another's fire."""
    count = alarms or (5_000 if quick else 50_000)
    with stand() as (it, _):
        raised = asyncio.run(_raises(it, count))
    with stand() as (it, _):
        return raised | {"bad_sender": asyncio.run(_bad_sender(it, 2 * count))}


async def _raises(it: Stand, count: int) -> dict[str, Any]:
    async with console(it) as of:
        before = it.usage()
        sent = await send(Load(it.mqtt_url, count, BAD, kind="alarm", base=time.time_ns() // 1_000_000))
        async with asyncio.timeout(WITHIN_S):
            await of.wait((f"p{number % BAD:04}", "panel", f"{number:07}") for number in range(count))
        shown = max(one.arrived for one in of.seen.values())
        committed = max(one.raised_at for one in of.seen.values()).timestamp()
        costs = it.usage().cost(before, count)
    stored, points = await _stored(it)
    result = {
        "alarms": count, "duplicates": stored - points, "lost": count - points,
        "raises_per_second": count / (committed - sent.wall), "shown_per_second": count / (shown - sent.wall),
        "broker_took_per_second": count / (sent.ended - sent.began),
        "cpu_us_per_alarm": costs, "console_reconnects": of.again,
    }  # fmt: skip
    print(f"{count} fires: {result['raises_per_second']:.0f}/s committed, {result['shown_per_second']:.0f}/s shown"
          f" (the broker took {result['broker_took_per_second']:.0f}/s); {result['duplicates']} doubled,"
          f" {result['lost']} lost; service {costs['service']:.0f} us a fire")  # fmt: skip
    return result


async def _bad_sender(it: Stand, flood: int) -> dict[str, Any]:
    """Fires of one unit in a flood; another unit's fire each PERIOD until the flood is shown."""
    bad = [(f"p{BAD:04}", "panel", f"{number:07}") for number in range(flood)]
    async with console(it) as of, publisher(it.mqtt_url) as to:
        load = Load(it.mqtt_url, flood, 1, kind="alarm", base=time.time_ns() // 1_000_000, first=BAD)
        async with generator(load) as one:
            await one.begin()
            sending = asyncio.create_task(one.done(), name="flood")
            over = asyncio.create_task(of.wait(bad), name="flood shown")
            series = []
            async with asyncio.timeout(WITHIN_S):
                while not over.done():
                    series.append(await fires(to, f"good{len(series)}-", 5, PERIOD))
            sent = await sending
        await arrived(series, of, 60)
        values = [value for one in series for value in one.latencies(of)]
        seconds = max(of.seen[name].raised_at for name in bad).timestamp() - sent.wall
    stored, points = await _stored(it)
    result: dict[str, Any] = {
        "flood": flood, "flood_seconds": seconds, "others_ms": figures(values), "others_values_ms": values,
        "others_missing": sum(len(one.due) for one in series) - len(values), "duplicates": stored - points,
    }  # fmt: skip
    missing = f"  MISSING {result['others_missing']}" if result["others_missing"] else ""
    print(f"one unit sends {flood} fires, all committed after {seconds:.1f} s;"
          f" another unit's fire meanwhile: {line(result['others_ms'])}{missing}")  # fmt: skip
    return result


async def _stored(it: Stand) -> tuple[int, int]:
    """How many fires are stored, and of how many distinct points."""
    async with connected(it.database_url) as database:
        row = await database.fetchrow(
            "SELECT count(*), count(DISTINCT (unit, device, component)) FROM api.alerts WHERE unit LIKE 'p%'"
        )
    return int(row[0]), int(row[1])
