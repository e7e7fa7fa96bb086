"""Engines brought to the state they would have, had they judged all along: by a checkpoint, by what is stored."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import asyncpg
import numpy as np

from firetower.core.clock import MINUTE, Clock, Micros
from firetower.core.logs import logger
from firetower.devices.events import Event, meaning
from firetower.devices.quality import DeviceQuality
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.checkpoint import Piece, decode
from firetower.rules.engine import Engine
from firetower.rules.memory import SHORTEST, WORDS_BACK, events_of, events_watched, memory_of
from firetower.rules.steps import Batch, Tick
from firetower.storage import history, readings, shadow_alerts
from firetower.storage.alerts import AlertStore
from firetower.storage.checkpoints import Checkpoint, CheckpointStore

log = logger("rules")

_AHEAD: Micros = 10 * MINUTE
_AT_ONCE = 1000
"""Readings taken in without giving way while the service runs: about a millisecond."""
_PAGE_WHILE_RUNNING = 4000
_SEEDED_AT_ONCE = 32
"""Open alerts taken over without giving way: a few milliseconds."""
_UNUSABLE = "the checkpoint of the rules cannot be used; their state is made anew from what is stored"
"""It is a cache: whatever is wrong with it, what is stored tells the same."""


@dataclass(frozen=True, slots=True)
class Warm:
    """An engine. ``whole``: it knows all that its rules remember; else only what a delay of two hours needs."""

    engine: Engine
    whole: bool


class Warming:
    """Makes engines that know what is stored: the open alerts, readings and alarms.

    ``quality``: where devices' clocks are measured. ``checkpoints``: None where there are none.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        registry: Registry,
        alerts: AlertStore,
        quality: DeviceQuality,
        *,
        clock: Clock,
        checkpoints: CheckpointStore | None = None,
    ) -> None:
        self._pool = pool
        self._registry = registry
        self._alerts = alerts
        self._quality = quality
        self._clock = clock
        self._checkpoints = checkpoints

    async def at_start(self, rulebook: Rulebook) -> Warm:
        """Return an engine as soon as may be: from its checkpoint, else warm with the last hours. StoreUnavailable."""
        pieces, checkpoint = await self._kept()
        if checkpoint is not None and checkpoint.rulebook == rulebook.digest:
            found = await self._restored(rulebook, checkpoint, pieces)
            if found is not None:
                return Warm(found, whole=True)
            pieces = []
        now = self._clock.now()
        engine = Engine(rulebook, self._registry, warm_since=now - SHORTEST, quality=self._quality)
        try:
            lacking = engine.carry(pieces)
        except Exception:
            log.exception(_UNUSABLE)
            engine = Engine(rulebook, self._registry, warm_since=now - SHORTEST, quality=self._quality)
            lacking = engine.carry(())
        await self._seed(engine)
        since = now - SHORTEST if checkpoint is None else min(now - SHORTEST, checkpoint.replay_from)
        async for batch in self._stored([(since, None)], now - events_of(rulebook)):
            engine.warm(batch)
        engine.warm(Tick(self._clock.now(), None))
        whole = not memory_of(rulebook, self._registry, lacking)
        if not whole:  # nothing more is to be learned where nothing older is stored
            oldest = await history.oldest(self._pool)
            whole = oldest is None or oldest >= since
        return Warm(engine, whole=whole)

    async def whole(self, rulebook: Rulebook, beside: Engine | None) -> Engine:
        """Return an engine that knows all that its rules remember, while the service goes on. StoreUnavailable.

        ``beside``: one that knows all that its own rules remember; what is the same in both is taken from it.
        """
        pieces: list[Piece] = []
        for piece in beside.tables() if beside is not None else ():
            pieces.append(piece)
            await asyncio.sleep(0)
        now = self._clock.now()
        engine = Engine(rulebook, self._registry, warm_since=now - SHORTEST, quality=self._quality)
        lacking = engine.carry(pieces)
        await self._seed(engine)
        # the readings of the last hours count for every metric; those before for the metrics with longer memories
        spans = memory_of(rulebook, self._registry, lacking)
        ages = sorted({*spans.values()}, reverse=True)
        stages: list[tuple[Micros, list[int] | None]] = [
            (now - age, [metric for metric, span in spans.items() if span >= age]) for age in ages
        ]
        stages.append((now - SHORTEST, None))
        async for batch in self._stored(stages, now - events_of(rulebook), page=_PAGE_WHILE_RUNNING):
            for part in slices(batch):
                engine.warm(part)
                await asyncio.sleep(0)
        return engine

    async def catch_up(self, engine: Engine, since: Micros) -> None:
        """Give ``engine`` what was stored since, some of it again, while the service goes on. StoreUnavailable."""
        async for batch in self._stored([(since, None)], since, page=_PAGE_WHILE_RUNNING):
            for part in slices(batch):
                engine.warm(part)
                await asyncio.sleep(0)

    async def _kept(self) -> tuple[list[Piece], Checkpoint | None]:
        """Return the pieces of the stored checkpoint, of whatever rulebook; none where it cannot be read."""
        checkpoint = None if self._checkpoints is None else await self._checkpoints.read()
        if checkpoint is None or self._checkpoints is None:
            return [], None
        try:
            return [decode(data) async for data in self._checkpoints.pieces(checkpoint.number)], checkpoint
        except ValueError:
            log.exception(_UNUSABLE)
            await self._checkpoints.drop()
            return [], None

    async def _restored(self, rulebook: Rulebook, checkpoint: Checkpoint, pieces: list[Piece]) -> Engine | None:
        """Return the engine of a checkpoint, brought up to date; None where it cannot be used."""
        engine = Engine(rulebook, self._registry, warm_since=checkpoint.replay_from, quality=self._quality)
        try:
            engine.restore(pieces)
        except Exception:
            log.exception(_UNUSABLE)
            if self._checkpoints is not None:
                await self._checkpoints.drop()
            return None
        await self._seed(engine)
        async for batch in self._stored([(checkpoint.replay_from, None)], checkpoint.replay_from):
            engine.warm(batch)
        engine.warm(Tick(self._clock.now(), None))
        return engine

    async def _seed(self, engine: Engine) -> None:
        """Tell ``engine`` what is open and active, also of rules on trial, and what it may come to miss."""
        book, now = engine.rulebook, self._clock.now()
        on_trial = {rule.id for rule in book.rules if rule.shadow}
        real = [row for row in await self._alerts.open_for_engine() if row.rule not in on_trial]
        tried = [row for row in await shadow_alerts.standing(self._pool) if row.rule in on_trial]
        for number, row in enumerate((*real, *tried)):
            if number % _SEEDED_AT_ONCE == 0:
                await asyncio.sleep(0)
            known = engine.seed(
                row.rule, row.device_number, row.component, row.priority, row.condition_at,
                subject=row.subject, held=row.held,
            )  # fmt: skip
            if not known and engine.rulebook.rule(row.rule) is not None:
                log.warning(
                    "alert of %s on %s %s: the rule is not for this device any more, so its return to normal is not"
                    " noticed; close it by hand",
                    row.rule, row.subject, row.component,
                )  # fmt: skip
        # of other events that stand the open alerts tell
        recorded = {name for name in events_watched(book) if meaning(name).alert_class is None}
        words = await history.last_words(
            self._pool, self._registry, recorded | set(engine.awaited), now - WORDS_BACK, now + _AHEAD
        )
        for word in words:
            if word.active and word.device_number is not None and word.event in engine.awaited:
                engine.seed_last(word.device_number, word.event, word.at, component=word.component)
        engine.warm(Batch(Readings.empty(), now, [word for word in words if word.event in recorded]))

    async def _stored(
        self, stages: list[tuple[Micros, list[int] | None]], events_since: Micros, *, page: int | None = None
    ) -> AsyncIterator[Batch]:
        """Yield what is stored, oldest first: ``stages`` say from when on, and of which metrics (None: all).

        Alarms come with the readings of their time.
        """
        alarms = await history.received(self._pool, self._registry, events_since)
        ends = [since for since, _ in stages[1:]] + [None]
        for (since, metrics), until in zip(stages, ends, strict=True):
            async for batch in readings.recent(
                self._pool, self._registry, since, until=until, metrics=metrics, page=page
            ):
                self._registry.heard(batch.device, batch.received)  # later than what was written of it before we ended
                newest = int(batch.ts[-1])
                yield Batch(batch, newest, _until(alarms, newest))
        if alarms:
            yield Batch(Readings.empty(), alarms[-1].at, alarms)


def _until(events: list[Event], at: Micros) -> list[Event]:
    """Take those out that are not later than ``at``."""
    count = next((n for n, event in enumerate(events) if event.at > at), len(events))
    taken = events[:count]
    del events[:count]
    return taken


def slices(batch: Batch) -> Iterator[Batch]:
    """Yield a batch in parts that may be taken in without giving way; the alarms come with the last."""
    count = len(batch.readings)
    if count <= _AT_ONCE:
        yield batch
        return
    start = 0
    while start < count:
        end = min(start + _AT_ONCE, count)
        while end < count and batch.readings.ts[end] == batch.readings.ts[end - 1]:
            end += 1  # readings of one instant know one another, as those of a message do
        part = batch.readings.take(np.arange(start, end))
        yield Batch(part, batch.now, batch.events if end == count else ())
        start = end
