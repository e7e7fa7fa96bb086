"""Property: however readings are cut into batches, repeated, delayed and redelivered, the same set is stored."""

import itertools
import json
from collections import Counter, deque

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock
from firetower.core.mqtt import Incoming
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.devices.wire import Decoder
from firetower.ingest.committer import Committer
from firetower.ingest.order import CommitOrder
from firetower.ingest.precedence import Precedence
from firetower.ingest.processing import Prepared, Processing, Shared
from firetower.rules.book import rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch
from firetower.storage import readings as stored_readings
from firetower.storage import registry as stored_registry
from firetower.storage.ingest import IngestStore

RULES = rulebook.load()
START = ManualClock().now()
STORED = (
    "select device, (extract(epoch from ts) * 1000000)::int8 as us, value, count(*) as n from api.readings"
    " where unit = $1 group by 1, 2, 3"
)
_units = itertools.count()

ACTS = st.sampled_from(["", "", "prepare", "prepare", "commit", "crash", "crash after commit"])
KINDS = st.sampled_from(["timed", "untimed", "standing", "gateway"])
READINGS = st.lists(st.tuples(KINDS, st.integers(0, 100), st.integers(0, 9)), min_size=1, max_size=12, unique=True)


class Ingest:
    """One installation that may crash: what was prepared and not committed comes again."""

    def __init__(self, pool: asyncpg.Pool, unit: str) -> None:
        self.pool, self.unit = pool, unit
        self.clock = ManualClock()
        self.waiting: deque[Incoming] = deque()
        self.packets = itertools.count(1)
        self.prepared: deque[Prepared] = deque()

    async def start(self) -> None:
        registry = Registry()
        await stored_registry.load(self.pool, registry)
        store = IngestStore(self.pool, registry, self.clock)
        since = START - 2 * HOUR
        engine = Engine(RULES, registry, warm_since=since)
        async for batch in stored_readings.recent(self.pool, registry, since):
            engine.warm(Batch(batch, 0))
        order = CommitOrder()
        shared = Shared(Decoder(catalogue(), registry), engine, store, registry, self.clock, order, Precedence())
        self.committer = Committer("telemetry", store, self.clock, order)
        self.processing = Processing(
            "telemetry", shared, self.committer, auto_register=True, pause=at_once, settled=self.settle
        )

    def arrive(self, topic: str, payload: bytes) -> None:
        """Take a message from the broker at an instant of its own."""
        self.clock.advance(SECOND)
        self.waiting.append(Incoming(topic, payload, next(self.packets), 1, False, False, self.clock.now(), 1))

    async def prepare(self) -> None:
        """Make everything that waits ready, as one batch."""
        if self.waiting:
            batch = list(self.waiting)
            self.waiting.clear()
            self.prepared.append(await self.processing.prepare(batch))

    async def settle(self) -> None:
        """Commit everything that is ready."""
        while self.prepared:
            one = self.prepared.popleft()
            await self.committer.commit(one.work, one.turn)

    async def crash(self, *, committed: bool) -> None:
        """Lose everything in memory; the broker redelivers what it had no PUBACK for, here or there in the store."""
        again = [message for one in self.prepared for message in one.messages]
        if committed:
            await self.settle()
        self.prepared.clear()
        later = list(self.waiting)
        self.waiting.clear()
        for message in again + later:
            self.arrive(message.topic, message.payload)
        await self.start()


async def at_once() -> None:
    """No other part waits."""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), readings=READINGS)
async def test_any_interleaving_of_batches_repeats_and_lateness_stores_the_same_set(
    pool: asyncpg.Pool, data: st.DataObject, readings: list[tuple[str, int, int]]
) -> None:
    """Timed ones at their time, late or not; those of a standing clock and those without a time once each."""
    unit = f"any-{next(_units)}"
    ingest = Ingest(pool, unit)
    await ingest.start()
    messages: list[tuple[str, bytes]] = []
    wanted: set[tuple[str, int | None, float]] = set()
    keys: Counter[tuple[str, int]] = Counter()
    for number, (kind, minute, value) in enumerate(readings):
        at, level = START - HOUR + minute * MINUTE // 2, 2 + value / 10
        if kind == "timed":
            said, device, leaf = {"ts": at // 1000, "level": level}, "timed", "timed"
        elif kind == "gateway":
            said, device, leaf = {"behind": [{"ts": at // 1000, "level": level}]}, "behind", "gateway"
        elif kind == "standing":
            at = START - HOUR
            said, device, leaf = {"ts": at // 1000, "level": level}, "standing", "standing"
        else:
            said, device, leaf = {"seq": number, "level": level}, "untimed", "untimed"
            at = -number
        messages.append((f"firetower/v1/{unit}/{leaf}/telemetry", json.dumps(said).encode()))
        if (device, at, level) not in wanted:
            keys[device, at] += 1
        wanted.add((device, at, level))
    repeats = data.draw(st.lists(st.sampled_from(messages), max_size=15), "repeated")
    for topic, payload in data.draw(st.permutations(messages + repeats), "as they arrive"):
        ingest.arrive(topic, payload)
        act = data.draw(ACTS, "then")
        if act:
            await ingest.prepare()
        if act == "commit":
            await ingest.settle()
        elif act.startswith("crash"):
            await ingest.crash(committed=act != "crash")
    await ingest.prepare()
    await ingest.settle()
    rows = await pool.fetch(STORED, unit)
    assert all(row["n"] == 1 for row in rows)
    assert Counter((row["device"], row["value"]) for row in rows) == Counter((name, value) for name, _, value in wanted)
    found = {(row["device"], row["us"], row["value"]) for row in rows}
    for device, at, level in wanted:
        if at > 0 and keys[device, at] == 1:
            assert (device, at, level) in found, "at its own time"
