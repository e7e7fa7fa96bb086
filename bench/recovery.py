"""After kill -9 under load, with many devices and a queue at the broker: time to ready and to drained, no loss."""

import asyncio
import time
from typing import Any

from bench.generator import READINGS, Load, generator, send
from bench.ingest import drained
from bench.stand import Stand, connected, stand

DEVICES = 100_000
REDELIVERED_WITHIN_S, LOOK_S = 60.0, 0.05


def measure(*, quick: bool, queue: int | None = None) -> dict[str, Any]:
    """Kill the service while it works, fill its queue, start it again."""
    with stand(devices=DEVICES) as (it, _):
        return asyncio.run(_measure(it, queue or (30_000 if quick else 1_000_000)))


async def _measure(it: Stand, queue: int) -> dict[str, Any]:
    base = time.time_ns() // 1_000_000 - 3_600_000
    await send(Load(it.mqtt_url, DEVICES, DEVICES, base))
    await drained(it, base + DEVICES - 1, DEVICES - 1, DEVICES)
    under = queue // 3
    async with generator(Load(it.mqtt_url, under, DEVICES, base + DEVICES)) as one:
        await one.begin()
        sending = asyncio.create_task(one.done(), name="load")
        await asyncio.sleep(0.2)
        it.service.kill()
        await sending
    left = queue - under
    await send(Load(it.mqtt_url, left, DEVICES, base + DEVICES + under))
    began = time.monotonic()
    ready = it.start()
    await drained(it, base + DEVICES + queue - 1, (left - 1) % DEVICES, left)
    sent = (DEVICES + queue) * READINGS
    async with connected(it.database_url) as database:
        # what was in flight at the kill comes again when the broker's ack_wait is over, behind the rest of the queue
        for _ in range(int(REDELIVERED_WITHIN_S / LOOK_S)):
            if await database.fetchval("SELECT count(*) FROM reading") >= sent:
                break
            await asyncio.sleep(LOOK_S)
        ended = time.monotonic()
        row = await database.fetchrow("SELECT count(*), count(DISTINCT (ts, device, channel)) FROM api.readings")
    result = {
        "devices": DEVICES, "queued_messages": queue, "ready_s": ready, "drained_s": ended - began,
        "readings_sent": sent, "lost": sent - row[1], "duplicates": row[0] - row[1],
    }  # fmt: skip
    print(f"{DEVICES} devices, up to {queue} messages queued: ready after {ready:.1f} s, drained after"
          f" {result['drained_s']:.1f} s; {result['lost']} readings lost, {result['duplicates']} doubled")  # fmt: skip
    return result
