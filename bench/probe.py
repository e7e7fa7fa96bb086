"""Single messages on a fixed schedule, each timed from the instant it was meant to go out (open loop)."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bench.console import Console, Name, figures
from bench.frames import dial, publish_frame
from bench.generator import Load, send
from bench.ingest import drained
from bench.stand import Stand


class Publisher:
    """Publishes at QoS 1 without waiting; whatever the broker answers is read and counted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._packet = 0
        self.acknowledged = 0

    def send(self, topic: str, payload: object) -> None:
        """Publish one message now."""
        self._packet = self._packet % 65_000 + 1
        self._writer.write(publish_frame(topic, self._packet, json.dumps(payload).encode()))

    async def read(self) -> None:
        """Count PUBACKs until cancelled."""
        while await self._reader.readexactly(4):
            self.acknowledged += 1


@contextlib.asynccontextmanager
async def publisher(url: str) -> AsyncIterator[Publisher]:
    """Give a connected publisher."""
    wire = dial(url, "bench-probe")
    wire.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=wire)
    one = Publisher(reader, writer)
    reading = asyncio.create_task(one.read(), name="pubacks")
    try:
        yield one
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


@dataclass(slots=True)
class Series:
    """Probes of one kind: the name of the alert each causes, and the wall-clock second it was meant to go out."""

    due: dict[Name, float]

    def latencies(self, of: Console) -> list[float]:
        """Milliseconds from the intended instant to the frame, of those that arrived."""
        return [(of.seen[name].arrived - at) * 1000 for name, at in self.due.items() if name in of.seen]

    def stages(self, of: Console) -> dict[str, dict[str, float]]:
        """Percentiles of the whole way and of its parts."""
        pairs = [(of.seen[name], at) for name, at in self.due.items() if name in of.seen]
        return {
            "total": figures(self.latencies(of)),
            "received": figures([(one.received_at.timestamp() - at) * 1000 for one, at in pairs]),
            "committed": figures([(one.raised_at - one.received_at).total_seconds() * 1000 for one, _ in pairs]),
            "shown": figures([(one.arrived - one.raised_at.timestamp()) * 1000 for one, _ in pairs]),
            "missing": {"n": len(self.due) - len(pairs)},
        }


async def fires(to: Publisher, tag: str, count: int, period: float, *, panel: str = "p0999") -> Series:
    """Fires of a panel, each of a component of its own, one each ``period`` seconds."""
    series = _schedule({(panel, "panel", f"{tag}{n}"): n for n in range(count)}, period, 0.0)
    for (unit, device, component), at in series.due.items():
        await asyncio.sleep(max(0.0, at - time.time_ns() / 1e9))
        event = {"ts": int(at * 1000), "event": "fire", "component": component}
        to.send(f"firetower/v1/{unit}/{device}/alarm", event)
    return series


async def smoke(to: Publisher, first: int, count: int, period: float) -> Series:
    """Readings of smoke over the fire limit in the telemetry lane, each of a detector of its own."""
    series = _schedule({("smoke", f"s{first + n:04}", "smoke"): n for n in range(count)}, period, period / 2)
    for (unit, device, _), at in series.due.items():
        await asyncio.sleep(max(0.0, at - time.time_ns() / 1e9))
        to.send(f"firetower/v1/{unit}/{device}/telemetry", {"ts": int(at * 1000), "smoke": 0.5})
    return series


def _schedule(names: dict[Name, int], period: float, shift: float) -> Series:
    began = time.time_ns() / 1e9 + 0.1 + shift
    return Series({name: began + number * period for name, number in names.items()})


async def arrived(series: list[Series], of: Console, within: float) -> None:
    """Wait until every probe was shown, at most ``within`` seconds; what is missing then is counted as missing."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            await of.wait([name for one in series for name in one.due])


async def rate_sustained(it: Stand, messages: int, devices: int) -> float:
    """Messages/s the service takes now: a short closed loop, for loads that are a share of it."""
    base, before = time.time_ns() // 1_000_000 - 3_600_000, it.acknowledged("telemetry")
    sent = await send(Load(it.mqtt_url, messages, devices, base))
    ended = await drained(it, base + messages - 1, (messages - 1) % devices, before + messages)
    return messages / (ended - sent.began)
