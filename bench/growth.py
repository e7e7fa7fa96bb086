"""What registered devices cost: start, memory, and processor time a message, at growing numbers of them."""

import asyncio
import time
from typing import Any

from bench.generator import Load, send
from bench.ingest import drained
from bench.stand import Stand, stand

STRIDE = 7_919
"""A prime: neighbouring messages come from devices far apart."""


def measure(*, quick: bool, sizes: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Measure at each size on a stand of its own; every device reports once before the cost of a message is taken."""
    taken = sizes or ((10_000, 100_000) if quick else (10_000, 100_000, 1_000_000))
    messages = 20_000 if quick else 200_000
    rows = []
    for devices in taken:
        with stand(devices=devices) as (it, start):
            rows.append(asyncio.run(_size(it, devices, start, messages)))
    least, most = rows[0], rows[-1]
    more = most["devices"] - least["devices"]
    result = {
        "sizes": rows,
        "cost_ratio": most["service_cpu_us_per_message"] / least["service_cpu_us_per_message"],
        "bytes_per_device": (most["resident_mib"] - least["resident_mib"]) * 2**20 / more,
        "largest": most["devices"], "largest_start_s": most["start_s"], "largest_restart_s": most["restart_s"],
    }  # fmt: skip
    print(f"{most['devices']} devices beside {least['devices']}: a message costs {result['cost_ratio']:.2f} times as"
          f" much, a device {result['bytes_per_device']:.0f} bytes of the service's memory")  # fmt: skip
    return result


async def _size(it: Stand, devices: int, start: float, messages: int) -> dict[str, Any]:
    base = time.time_ns() // 1_000_000 - 3_600_000
    registered = it.usage().memory["service"]
    first = await _cost(it, Load(it.mqtt_url, devices, devices, base, stride=STRIDE))
    cost = await _cost(it, Load(it.mqtt_url, messages, devices, base + devices, stride=STRIDE))
    memory = it.usage().memory
    await asyncio.to_thread(it.service.stop)
    restart = it.start()
    print(f"{devices:>9} devices: start {start:.1f} s, again {restart:.1f} s; service {cost:.1f} us a message,"
          f" {first:.1f} the first of a device; registered {registered:.0f} MiB, all heard"
          f" {memory['service']:.0f} MiB")  # fmt: skip
    return {
        "devices": devices, "start_s": start, "restart_s": restart, "registered_mib": registered,
        "resident_mib": memory["service"], "service_cpu_us_per_message": cost, "first_message_us": first,
    }  # fmt: skip


async def _cost(it: Stand, load: Load) -> float:
    before, acknowledged = it.usage(), it.acknowledged("telemetry")
    await send(load)
    last = load.count - 1
    await drained(it, load.base + last, last * load.stride % load.devices, acknowledged + load.count)
    return it.usage().cost(before, load.count)["service"]
