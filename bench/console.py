"""A console without a screen: reads the live feed and notes when each alert was first shown."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp
import msgspec
import numpy as np

from bench.stand import Stand

Name = tuple[str, str, str]
"""Unit, device, component."""


class Shown(msgspec.Struct):
    """What of an alert is looked at."""

    rule: str
    unit: str | None
    device: str | None
    component: str
    received_at: datetime
    raised_at: datetime
    arrived: float = 0.0


class _Frame(msgspec.Struct):
    type: str
    alerts: list[Shown] = []


@dataclass(slots=True)
class Console:
    """Alerts by name, with the wall-clock second their first frame ``arrived``; ``frames`` counts what came."""

    seen: dict[Name, Shown] = field(default_factory=dict)
    frames: int = 0
    again: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, names: Iterable[Name]) -> None:
        """Return once all of ``names`` were shown."""
        missing = set(names)
        while missing:
            self.news.clear()
            missing -= self.seen.keys()
            if missing:
                await self.news.wait()

    async def read(self, it: Stand, token: str, ready: asyncio.Event) -> None:
        """Follow the feed until cancelled; a console that is hung up on comes again, as a browser does."""
        decode = msgspec.json.Decoder(_Frame).decode
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with http.ws_connect(f"{it.http_url}/api/v1/live", max_msg_size=0) as live:
                        async for message in live:
                            if message.type is not aiohttp.WSMsgType.TEXT:
                                continue
                            arrived = time.time_ns() / 1e9
                            ready.set()
                            self.frames += 1
                            for alert in decode(message.data).alerts:
                                alert.arrived = arrived
                                self.seen.setdefault((alert.unit or "", alert.device or "", alert.component), alert)
                            self.news.set()
                self.again += 1
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def console(it: Stand) -> AsyncIterator[Console]:
    """Give a console that has its snapshot."""
    one, ready = Console(), asyncio.Event()
    token = await asyncio.to_thread(it.token)
    reading = asyncio.create_task(one.read(it, token, ready), name="console")
    try:
        async with asyncio.timeout(30):
            await ready.wait()
        yield one
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def figures(values: list[float]) -> dict[str, float]:
    """Percentiles of some milliseconds."""
    if not values:
        return {}
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return {"p50": float(p50), "p95": float(p95), "p99": float(p99), "max": max(values), "n": len(values)}


def line(of: dict[str, float]) -> str:
    """The same for a line of text."""
    if not of:
        return "nothing arrived"
    return f"p50 {of['p50']:8.1f}  p95 {of['p95']:8.1f}  p99 {of['p99']:8.1f}  max {of['max']:8.1f} ms  (n={of['n']})"
