"""A city's devices as one client that keeps a ledger: what was published, and what must be stored of it."""

import asyncio
import random
import threading
from collections import Counter
from typing import Any

import asyncpg
from service import Publisher, now_ms

UNIT = "led"
WINDOW = 300
"""Messages published and not acknowledged before the devices wait."""
STORED = (
    "select device, (extract(epoch from ts) * 1000)::int8 as ms, value, count(*) as n from api.readings"
    " where unit = $1 and device = any($2::text[]) group by 1, 2, 3"
)
VALUES = (
    "select device, value, count(*) as n from api.readings where unit = $1 and device = any($2::text[]) group by 1, 2"
)
ALERTS = "select class, component, count(*) as n from api.alerts where unit = $1 group by 1, 2"
TIMED = ("timed", "cached", "behind-1", "behind-2")
ARRIVED = ("untimed", "standing")


class Ledger:
    """Publishes until ``stop``; the broker acknowledges everything in the end: the client sends it again until it has.

    By kind: readings with a time of their own, without one but with a ``seq``, of several devices behind a gateway, of
    a clock that stands still, of a device that sends up to 600 stored records again and again, oldest first; fires,
    and faults behind a gateway. One message in six is published twice.
    """

    def __init__(self, url: str, seed: int) -> None:
        self._chance = random.Random(seed)
        self._device = Publisher(url)
        self._start = now_ms() - 3_000_000
        self._stop = threading.Event()
        self._thread = asyncio.create_task(asyncio.to_thread(self._publish), name="ledger")
        self.timed: set[tuple[str, int, float]] = set()
        self.arrived: set[tuple[str, float]] = set()
        self.alerts: set[tuple[str, str]] = set()

    @property
    def published(self) -> int:
        """Messages so far, each repeat counted."""
        return self._device.published

    async def stop(self) -> None:
        """Publish no more; return when the broker has acknowledged everything."""
        self._stop.set()
        await self._thread

    def _publish(self) -> None:
        self._device.open()
        try:
            number = 0
            while not self._stop.wait(0.002):
                if self._device.unacknowledged < WINDOW:
                    for leaf, said in self._next(number):
                        for _ in range(2 if self._chance.random() < 1 / 6 else 1):
                            self._device.post(f"firetower/v1/{UNIT}/{leaf}", said)
                    number += 1
        finally:
            self._drain()
            self._device.close()

    def _drain(self) -> None:
        """Wait for what is not acknowledged yet."""
        idle = threading.Event()
        for _ in range(600):
            if not self._device.unacknowledged:
                return
            idle.wait(0.1)
        raise AssertionError(f"{self._device.unacknowledged} messages are not acknowledged after a minute")

    def _next(self, number: int) -> list[tuple[str, Any]]:
        """Return the messages of one round: (topic's end, payload)."""
        at, value = self._start + number, round(2 + number * 1e-5, 5)
        out: list[tuple[str, Any]] = [("timed/telemetry", {"ts": at, "seq": number, "level": value})]
        self.timed.add(("timed", at, value))
        out.append(("untimed/telemetry", {"seq": number, "level": value}))
        self.arrived.add(("untimed", value))
        if number % 3 == 0:
            out.append(("standing/telemetry", {"ts": self._start, "level": value}))
            self.arrived.add(("standing", value))
        if number % 4 == 0:
            both = {name: [{"ts": at, "level": value}, {"ts": at + 1, "level": value}] for name in TIMED[2:]}
            out.append(("gateway/telemetry", both))
            self.timed |= {(name, at + after, value) for name in TIMED[2:] for after in (0, 1)}
        if number % 100 == 0:
            count = self._chance.randint(1, 600)
            records = [{"ts": at - count + n, "level": 2.5} for n in range(count)]
            out.append(("cached/telemetry", records))
            self.timed |= {("cached", record["ts"], 2.5) for record in records}
        if number % 25 == 0:
            out.append(("panel/alarm", {"ts": at, "event": "fire", "component": f"f{number}"}))
            out.append(("gateway/alarm", {"panel-2": [{"event": "fault", "component": f"w{number}"}]}))
            self.alerts |= {("fire", f"f{number}"), ("fault", f"w{number}")}
        return out

    async def differences(self, url: str) -> dict[str, int]:
        """Return what is lost and what is doubled or foreign in the store, by kind; empty when nothing is."""
        store = await asyncpg.connect(url)
        try:
            timed = {
                (row["device"], row["ms"], row["value"]): row["n"]
                for row in await store.fetch(STORED, UNIT, list(TIMED))
            }
            arrived = {
                (row["device"], row["value"]): row["n"] for row in await store.fetch(VALUES, UNIT, list(ARRIVED))
            }
            alerts = {(row["class"], row["component"]): row["n"] for row in await store.fetch(ALERTS, UNIT)}
        finally:
            await store.close()
        alerts.pop(("quality", ""), None)  # of the clock that stands still
        out: Counter[str] = Counter()
        for wanted, found in ((self.timed, timed), (self.arrived, arrived), (self.alerts, alerts)):
            out.update(f"lost {key[0]}" for key in wanted - found.keys())
            out.update(f"foreign {key[0]}" for key in found.keys() - wanted)
            for key, count in found.items():
                out[f"doubled {key[0]}"] += count - 1
        return {name: count for name, count in out.items() if count}

    async def lost(self, url: str) -> bool:
        """Whether something that was published is not stored yet."""
        return any(name.startswith("lost") for name in await self.differences(url))
