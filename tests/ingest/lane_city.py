"""One registry, engine and store with lanes on them, and a device's client, for the tests of lanes."""

import asyncio
import contextlib
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from memory_store import MemoryStore

from firetower.core.clock import MINUTE, SystemClock
from firetower.core.mqtt import MqttSession
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import DeviceEntry, Registry
from firetower.devices.topics import lane_filters
from firetower.devices.wire import Decoder
from firetower.ingest.lane import Lane
from firetower.ingest.order import CommitOrder
from firetower.ingest.precedence import Precedence
from firetower.ingest.processing import Shared
from firetower.ingest.ticker import Ticker
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine

CLOCK = SystemClock()
TELEMETRY, ALARM, STATUS = (f"firetower/v1/mall-01/smk-1/{leaf}" for leaf in ("telemetry", "alarm", "status"))


class City:
    """One registry, engine and store with lanes on them."""

    def __init__(
        self,
        url: str,
        *,
        auto_register: bool = False,
        batch_messages: int = 500,
        provisional: Any = None,
        backlog: Any = None,
    ) -> None:
        self.url = url
        self.registry = Registry()
        self.registry.add(DeviceEntry(1, "mall-01", "smk-1", DeviceKind.SMOKE, registered_at=CLOCK.now()))
        self.engine = Engine(rulebook.load(), self.registry, warm_since=CLOCK.now() - 60 * MINUTE)
        self.store = MemoryStore(self.registry, CLOCK)
        self.shared = Shared(
            Decoder(catalogue(), self.registry), self.engine, self.store, self.registry, CLOCK, CommitOrder(),
            Precedence(), provisional=provisional, backlog=backlog,
        )  # fmt: skip
        self._options: dict[str, Any] = {
            "auto_register": auto_register, "batch_messages": batch_messages, "batch_age_ms": 20
        }  # fmt: skip

    def lane(self, name: str) -> Lane:
        session = MqttSession(self.url, f"test-{name}", filters=lane_filters(name), clean=name == "status", clock=CLOCK)
        return Lane(name, session, self.shared, **self._options)

    def values(self, metric: str = "smoke") -> list[float]:
        number = catalogue().by_name[metric].number
        return sorted(value for (_, m, _, _), (value, _) in self.store.readings.items() if m == number)


@contextlib.asynccontextmanager
async def running(*parts: Lane | MqttSession | Ticker) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        async with asyncio.timeout(20):
            for part in parts:
                if not isinstance(part, Ticker):
                    await (part.session if isinstance(part, Lane) else part).wait_connected()
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def publisher(url: str) -> MqttSession:
    return MqttSession(url, f"pub-{uuid.uuid4().hex[:8]}", clean=True, clock=CLOCK)


_times: Iterable[int] = itertools.count(CLOCK.now() // 1000 - 100_000)
now_ms: Callable[[], int] = iter(_times).__next__


def said(**more: Any) -> bytes:
    return json.dumps({"ts": now_ms(), **more}).encode()
