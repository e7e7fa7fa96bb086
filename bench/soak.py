"""SIGKILL of the service, PostgreSQL and NATS at random moments under load, with a ledger of what was acknowledged.

The publisher sends again whatever has no PUBACK when its connection ends, as a device does. So every message of the
ledger is acknowledged at last, and must be stored exactly once: readings with a time of their own, readings without one
(known by ``seq``), and fires, each of a point of its own.
"""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.frames import dial, publish_frame
from bench.stand import Stand, connected, stand

VICTIMS = ("service", "postgres", "nats")
WINDOW, RATE = 500, 1000
SETTLED_WITHIN_S = 180
_STORED = """
SELECT count(*) FILTER (WHERE device < 'e0000900'), count(DISTINCT ts) FILTER (WHERE device < 'e0000900'),
       count(*) FILTER (WHERE device = 'e0000999'), count(DISTINCT value) FILTER (WHERE device = 'e0000999')
FROM api.readings WHERE unit = 'u0000'
"""
_FIRES = "SELECT count(*), count(DISTINCT (unit, component)) FROM api.alerts WHERE unit LIKE 'p%' AND class = 'fire'"


@dataclass(slots=True)
class Ledger:
    """What was published, by kind, and what of it the broker has not acknowledged yet, by packet id."""

    url: str
    rate: int
    sent: Counter[str] = field(default_factory=Counter)
    waiting: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    again: int = 0
    paused: bool = False
    base: int = field(default_factory=lambda: time.time_ns() // 1_000_000 - 3_600_000)

    async def run(self) -> None:
        """Publish at ``rate`` messages/s until cancelled, over as many connections as it takes."""
        while True:
            with contextlib.suppress(OSError, EOFError, TimeoutError, SystemExit):
                await self._connection()
            await asyncio.sleep(0.1)

    async def _connection(self) -> None:
        wire = await asyncio.to_thread(dial, self.url, "bench-soak")
        wire.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=wire)
        try:
            for packet, (topic, payload) in self.waiting.items():
                self.again += 1
                writer.write(publish_frame(topic, packet, payload))
            async with asyncio.TaskGroup() as both:
                both.create_task(self._acknowledged(reader), name="pubacks")
                both.create_task(self._publish(writer), name="publish")
        except BaseExceptionGroup as err:
            raise err.exceptions[0] from err
        finally:
            writer.close()

    async def _acknowledged(self, reader: asyncio.StreamReader) -> None:
        while True:
            frame = await reader.readexactly(4)
            self.waiting.pop(int.from_bytes(frame[2:], "big"), None)

    async def _publish(self, writer: asyncio.StreamWriter) -> None:
        packet = 0
        while True:
            for _ in range(self.rate // 50 or 1):
                if self.paused or len(self.waiting) >= WINDOW or writer.is_closing():
                    break
                packet = packet % 65_000 + 1
                while packet in self.waiting:
                    packet = packet % 65_000 + 1
                self.waiting[packet] = self._next()
                writer.write(publish_frame(self.waiting[packet][0], packet, self.waiting[packet][1]))
            await writer.drain()
            await asyncio.sleep(0.02)

    def _next(self) -> tuple[str, bytes]:
        number = self.sent.total()
        kind = "fires" if number % 50 == 0 else "untimed" if number % 10 == 1 else "timed"
        count = self.sent[kind]
        self.sent[kind] += 1
        at = self.base + count
        if kind == "fires":
            said: dict[str, Any] = {"ts": at, "event": "fire", "component": str(count)}
            return f"firetower/v1/p{count % 900:04}/panel/alarm", json.dumps(said).encode()
        if kind == "untimed":  # each with a value of its own, in mA below the lowest limit
            said = {"seq": count, "residual_current": count / 1e5}
            return "firetower/v1/u0000/e0000999/telemetry", json.dumps(said).encode()
        said = {"ts": at, "seq": count, "residual_current": 100 + count % 50}
        return f"firetower/v1/u0000/e{count % 900:07}/telemetry", json.dumps(said).encode()


def measure(*, quick: bool, kills: int | None = None, seed: int = 1, rate: int = RATE) -> dict[str, Any]:
    """Kill ``kills`` times (quick: 20, else 100) and compare; the seed decides who is killed and when."""
    with stand() as (it, _):
        return asyncio.run(soak(it, kills or (20 if quick else 100), seed, rate, say=print))


async def soak(it: Stand, kills: int, seed: int, rate: int, *, say: Any = lambda _: None) -> dict[str, Any]:
    """Kill, start again and compare on a stand; return the counts: ``lost`` and ``doubled`` by kind are all zero."""
    chance = random.Random(seed)
    ledger = Ledger(it.mqtt_url, rate)
    killed: Counter[str] = Counter()
    back: list[float] = []
    publishing = asyncio.create_task(ledger.run(), name="publish")
    began = time.monotonic()
    differences: dict[str, int] = {}
    try:
        for number in range(1, kills + 1):
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            victims = chance.sample(VICTIMS, 2 if chance.random() < 0.15 else 1)
            for victim in victims:
                it.processes[victim].kill()
            killed.update(victims)
            await asyncio.sleep(chance.uniform(0, 0.8))
            back.append(await it.revive(*victims))
            say(f"{time.monotonic() - began:6.0f} s  kill {number}/{kills}: {' and '.join(victims)}, ready again after"
                f" {back[-1]:.1f} s; sent {ledger.sent.total()}, again {ledger.again}, unacknowledged"
                f" {len(ledger.waiting)}")  # fmt: skip
            if number % 25 == 0 or number == kills:
                differences = await _compare(it, ledger)
                say(f"compared: {differences}")
                if any(differences.values()):
                    break
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
    return {
        "kills": killed.total(), "killed": dict(killed), "seed": seed, "seconds": time.monotonic() - began,
        "sent": dict(ledger.sent), "sent_again": ledger.again, "ready_longest_s": max(back, default=0.0),
        "lost": sum(count for name, count in differences.items() if name.startswith("lost")),
        "doubled": sum(count for name, count in differences.items() if name.startswith("doubled")),
        "differences": differences,
    }  # fmt: skip


async def _compare(it: Stand, ledger: Ledger) -> dict[str, int]:
    """Let everything settle; return how many of each kind are lost and doubled."""
    ledger.paused = True
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        found = await _differences(it, ledger)
        # what is still on its way is not lost, and what is doubled will stay so
        if not ledger.waiting and not any(count for name, count in found.items() if name.startswith("lost")):
            break
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)
    found = await _differences(it, ledger)
    ledger.paused = False
    return found | {"lost: never acknowledged": len(ledger.waiting)}


async def _differences(it: Stand, ledger: Ledger) -> dict[str, int]:
    async with connected(it.database_url) as database:
        timed, times, untimed, values = await database.fetchrow(_STORED)
        fires, points = await database.fetchrow(_FIRES)
    sent = ledger.sent
    return {
        "lost timed": sent["timed"] - times, "doubled timed": timed - times,
        "lost untimed": sent["untimed"] - values, "doubled untimed": untimed - values,
        "lost fires": sent["fires"] - points, "doubled fires": fires - points,
    }  # fmt: skip
