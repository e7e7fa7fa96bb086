"""Findings of data quality on the running service: raised, kept over a kill, ended; counts stand with the device."""

import asyncio
from pathlib import Path
from typing import Any

from service import Service, now_ms, publisher, signed_in
from waiting import until

TOPIC = "firetower/v1/water/hyd-1/telemetry"


async def test_a_wrong_unit_and_a_standing_clock_are_found_and_end_after_a_kill(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    """kPa sent as MPa, and new values at an old time, are one finding each; mended after a SIGKILL, both end."""
    service = Service(database_url, nats.url, tmp_path)
    await service.start()
    start = now_ms() - 600_000
    in_kpa = [{"ts": start + 60_000 * n, "seq": seq, "pressure": 312.0} for n, seq in enumerate((1, 2, 5))]
    standing = [{"ts": start + 180_000, "seq": 6 + n, "battery": 3.1 + n / 10} for n in range(4)]
    try:
        with publisher(nats.device_url) as device:
            await asyncio.to_thread(device.send, TOPIC, in_kpa)
            await asyncio.to_thread(device.send, TOPIC, in_kpa)
            await asyncio.to_thread(device.send, TOPIC, standing)
            async with signed_in(service) as api:
                unit = await until(lambda: api.alert(metric="pressure"), 10)
                assert (unit["class"], unit["priority"], unit["value"], unit["limit"]) == ("quality", 3, 312.0, 5.0)
                clock = await until(lambda: api.alert(rule="clock-stuck"), 10)
                assert (clock["class"], clock["priority"], clock["component"]) == ("quality", 4, "")

                async def figures() -> Any:
                    quality = (await api.get("/devices/water/hyd-1"))["quality"]
                    return quality if quality["seq_missed"] else None

                assert await until(figures, 20) == {"seq_missed": 2, "seq_repeated": 3, "clock_skew_s": None}
            await service.kill()
            await service.start()
            mended = [{"ts": now_ms() + n, "seq": 10 + n, "pressure": 0.3 + n / 100, "battery": 3.6} for n in range(3)]
            await asyncio.to_thread(device.send, TOPIC, mended)
            async with signed_in(service) as api:
                for found in (unit, clock):
                    await until(lambda id_=found["id"]: api.alert(id=id_, condition="normal"), 10)
    finally:
        await service.stop()
