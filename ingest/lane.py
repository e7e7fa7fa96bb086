"""A lane: one session's messages decoded, screened, judged, committed, and only then acknowledged.

Alarms, telemetry and status are lanes of their own, so that none waits for another. Within a lane one batch is made
ready while the one before it is committed: a single message when idle, thousands under load. What may be a fire goes
before all other alarms that wait (``fires_first``), so it waits for two batches at most, and those are cut short.

When full: the messages and bytes not yet acknowledged are bounded; at the bound the session stops reading and the
broker keeps the rest. Nothing is dropped. While the store cannot commit, the alarm lane goes on making ready what
arrives, up to the same bound, and what it raises is shown as provisional (未落库);
what waits at the broker behind a full alarm lane is shown by the look-out.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

from firetower.core.clock import SECOND, Micros
from firetower.core.errors import LeaseLost
from firetower.core.logs import logger
from firetower.core.mqtt import ANSWERS_WITHIN, Incoming, MqttSession
from firetower.ingest import meters
from firetower.ingest.committer import Committer
from firetower.ingest.fairness import Fairness
from firetower.ingest.fires_first import FiresFirst, FirstCome, Waiting, next_batch
from firetower.ingest.first_look import Looks
from firetower.ingest.glances import GLANCE_S, Glances
from firetower.ingest.intake import Intake
from firetower.ingest.pace import AlarmPace, Pace
from firetower.ingest.ports import BACKLOG, REPLAYED
from firetower.ingest.processing import Prepared, Processing, Shared
from firetower.ingest.steps import turn_of_the_loop

log = logger("ingest.lane")

MOST_ALARMS = 20_000
"""Alarms not yet acknowledged: as many as the shipped brokers hand out (NATS max_ack_pending, Mosquitto
max_inflight_messages). With a lower bound a flood would hide the alarms behind it; a higher one is never reached."""
_BATCH_BYTES = 256 << 10
"""Payload of one batch: at most 20,000 readings, so that no step over them holds the loop for long."""
_BEHIND: Micros = 10 * SECOND
"""A lane that is this far behind cannot say who is silent."""
_READY = 2
"""Batches between decoding and commit: one is committed, one waits for its turn."""
ALARM = "alarm"


class Lane:
    """One lane, named ``alarm``, ``telemetry`` or ``status``; ``run`` until cancelled; raises LeaseLost.

    ``batch_messages``: most in one transaction; four times as many may wait, of alarms 20,000. ``batch_age_ms``: under
    load a batch of telemetry gathers for so long since the one before; of alarms see ``pace``. ``auto_register``:
    strangers are registered on first sight. ``received``, ``acknowledged``: messages so far.
    """

    def __init__(
        self,
        name: str,
        session: MqttSession,
        shared: Shared,
        *,
        batch_messages: int,
        batch_age_ms: int,
        auto_register: bool,
    ) -> None:
        self.name = name
        self.session = session
        self._clock = shared.clock
        self._own = shared.own
        self._precedence = shared.precedence
        self._pace = AlarmPace(batch_messages) if name == ALARM else Pace(batch_messages, batch_age_ms / 1000)
        self._intake = Intake(session, shared.clock, MOST_ALARMS if name == ALARM else 4 * batch_messages)
        self._committer = Committer(name, shared.store, shared.clock, shared.order)
        pause: Callable[[], Awaitable[None]] = turn_of_the_loop if name == ALARM else shared.precedence.give_way
        self._processing = Processing(
            name, shared, self._committer, auto_register=auto_register, pause=pause, settled=self.settled
        )
        self._looks = Looks()
        self._glances: Glances | None = None
        if name == ALARM and shared.provisional is not None:
            self._glances = Glances(shared.provisional, shared.clock, self._looks, self._processing.glance)
        self._fairness: Fairness | None = None
        if name == ALARM and shared.backlog is not None:
            self._fairness = Fairness(
                shared.backlog,
                self._committer,
                self._looks,
                finished=self._put_away,
                feed=self._feed,
                admitted=self._admit,
            )
        self._queue: Waiting = FiresFirst(self._looks) if name == ALARM else FirstCome()
        self._fed = FiresFirst(self._looks)
        self._arrived = asyncio.Event()
        self._hurries = asyncio.Event()
        self._preparing: Sequence[Incoming] = ()
        self._ready: deque[Prepared] = deque()
        self._has_ready = asyncio.Event()
        self._moved = asyncio.Condition()
        self._replaying = 0
        self._fed_at: Micros = 0
        self._complete_since: Micros = 0
        self.received = 0
        self.acknowledged = 0
        self._received_meter = meters.messages_received.labels(name)
        session.on_messages = self._take
        meters.ingest_lag.labels(name).set_function(lambda: self.lag(self._clock.now()) / SECOND)

    # how it stands ---------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether its session is subscribed and its connection alive."""
        return self.session.connected

    @property
    def trouble(self) -> str | None:
        """Why the broker cannot be heard."""
        return self.session.last_error

    @property
    def store_trouble(self) -> str | None:
        """Why the store cannot commit now, None while it can."""
        return self._committer.trouble

    @property
    def rules_trouble(self) -> str | None:
        """Why the last batch was stored without being judged, None when it was judged."""
        return self._processing.rules_trouble

    @property
    def paused(self) -> bool:
        """Whether the session has stopped reading because too much waits."""
        return self._intake.paused

    def lag(self, now: Micros) -> Micros:
        """Return how far the lane is behind, µs: the wait of its oldest message, put away or not, or of its probe."""
        published = 0 if self._own is None else self._own.lag(self.name, now)
        away = None if self._fairness is None else self._fairness.since
        return max(published, self._wait(now), 0 if away is None else now - away)

    def _wait(self, now: Micros) -> Micros:
        """Return how long the oldest message not yet committed has been here, µs."""
        parts = (self._ready[0].messages if self._ready else (), self._preparing, self._queue.oldest())
        waits = [now - since for part in parts if (since := self._oldest(part)) is not None]
        return max([0, *waits])

    def listening_since(self, now: Micros) -> Micros | None:
        """Return since when every message would have been heard; None while it would not.

        To be asked every second or so: what is seen to be wrong counts until now.
        """
        since = self.session.connected_since
        if since is not None and self.session.quiet_for > ANSWERS_WITHIN:
            self._complete_since = now  # a hung broker keeps the devices' words to itself
            return None
        if since is None or self.paused or self._wait(now) > _BEHIND:
            return None
        return max(since, self._complete_since, self._intake.complete_since)

    # the way of a message -------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, and take messages in until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.session.run(), name=f"{self.name} session")
            tasks.create_task(self._prepare_all(), name=f"{self.name} preparing")
            tasks.create_task(self._commit_all(), name=f"{self.name} committing")
            if self._fairness is not None:
                tasks.create_task(self._fairness.run(), name=f"{self.name} backlog")
            if self._glances is not None:
                tasks.create_task(self._glances.run(), name=f"{self.name} provisional")

    def _take(self, messages: Sequence[Incoming]) -> None:
        self.received += len(messages)
        self._received_meter.inc(len(messages))
        self._enqueue(messages)

    async def replay(self, messages: Sequence[Incoming]) -> None:
        """Take messages of the reject ledger in, of epoch REPLAYED; return when they are committed."""
        self._replaying += len(messages)
        self._enqueue(messages)
        while self._replaying:
            await self._change()

    def _enqueue(self, messages: Sequence[Incoming]) -> None:
        self._count(messages)
        if self._fairness is not None:
            try:
                messages = self._fairness.admit(messages)
            except Exception:  # a fault of ours in telling senders apart must not cost the alarms
                log.exception("%s: %d messages are judged in their turn, whoever sent them", self.name, len(messages))
        self._admit(messages)

    def _admit(self, messages: Sequence[Incoming]) -> None:
        if messages:
            if self.name == ALARM:
                self._precedence.begin()
            self._queue.extend(messages)
            self._arrived.set()
            if self._queue.has_fire:
                self._hurries.set()

    def _feed(self, messages: Sequence[Incoming]) -> None:
        """Take alarms of the backlog in; whatever arrives goes before most of them."""
        self._count(messages)
        self._fed_at = self._clock.now()
        self._fed.extend(messages)
        self._arrived.set()

    def _count(self, messages: Sequence[Incoming]) -> None:
        self._intake.hold(messages)
        if self._glances is not None:
            self._glances.arrived(messages)

    def _oldest(self, messages: Iterable[Incoming]) -> Micros | None:
        """Return since when the first of ``messages`` waits here; None where none is that is not replayed.

        One of the backlog was put away in good order before. Of alarms a batch holds fires before others.
        """
        waits = (
            self._fed_at if each.epoch == BACKLOG else each.received_at for each in messages if each.epoch != REPLAYED
        )
        return min(waits, default=None) if self.name == ALARM else next(waits, None)

    async def _prepare_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            await self._room()
            gathers = self._pace.gathers_until(loop.time()) - loop.time()
            if gathers > 0 and not self._fed and len(self._queue) < self._pace.others:
                await self._hurried(gathers)
            self._pace.begins(loop.time())
            batch = self._preparing = self._next_batch()
            if batch:
                await self._prepare_surely(batch)

    async def _hurried(self, seconds: float) -> None:
        """Return when a fire has come, or after ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurries.wait()

    async def _room(self) -> None:
        """Return when another batch may be made ready.

        Two are enough while commits go through: what arrives meanwhile makes the next batch larger. While the store is
        away the alarm lane goes on, twice a second.
        """
        while len(self._ready) >= _READY:
            try:
                async with asyncio.timeout(GLANCE_S):
                    await self._change()
            except TimeoutError:
                if self.name == ALARM:
                    return

    async def _change(self) -> None:
        async with self._moved:
            await self._moved.wait()

    async def settled(self) -> None:
        """Return once everything that was made ready before is committed."""
        last = self._ready[-1] if self._ready else None
        while any(each is last for each in self._ready):
            await self._change()

    def _next_batch(self) -> list[Incoming]:
        fed = self._fed if len(self._ready) < _READY else FirstCome()  # without the store no fire goes behind these
        batch = next_batch(self._queue, fed, self._pace.most, self._pace.others, _BATCH_BYTES)
        if not (self._queue or self._fed):
            self._arrived.clear()
        if not self._queue.has_fire:
            self._hurries.clear()
        return batch

    async def _prepare_surely(self, batch: Sequence[Incoming]) -> None:
        """Make ``batch`` ready; should that fail, each message by itself; one that fails alone goes to the ledger."""
        try:
            self._enter(await self._processing.prepare(batch))
        except LeaseLost:
            raise
        except Exception:
            log.exception("%s: %d messages could not be processed together", self.name, len(batch))
        else:
            return
        if len(batch) == 1:
            self._enter(await self._processing.refuse(batch[0]))
            return
        for place in range(len(batch)):
            await self._prepare_surely(batch[place : place + 1])

    def _enter(self, prepared: Prepared) -> None:
        self._ready.append(prepared)
        if self._glances is not None:
            self._glances.ready(prepared, self._oldest(prepared.messages) or self._clock.now())
        self._preparing = self._preparing[len(prepared.messages) :]
        self._has_ready.set()

    async def _commit_all(self) -> None:
        while True:
            await self._has_ready.wait()
            prepared = self._ready[0]
            await self._commit(prepared)
            self._ready.popleft()
            if not self._ready:
                self._has_ready.clear()
            if self.name == ALARM and not (self._ready or self._preparing or self._queue):
                self._precedence.end()
            elif self.name == ALARM:
                self._precedence.renew()
            self._done(prepared)
            async with self._moved:
                self._moved.notify_all()

    async def _commit(self, prepared: Prepared) -> None:
        work = prepared.work
        if work.is_empty():
            prepared.turn.done()
            return
        done = await self._committer.commit(work, prepared.turn)
        self._pace.committed(len(prepared.messages), self._committer.took)
        for event in work.events:
            meters.alarm_latency.labels("received").observe(max(0, event.received_at - event.at) / SECOND)
            meters.alarm_latency.labels("committed").observe(max(0, done.at - event.received_at) / SECOND)

    def _done(self, prepared: Prepared) -> None:
        self._replaying -= len(prepared.work.replayed)
        if self._glances is not None:
            self._glances.committed(prepared)
        if self._fairness is not None:
            self._fairness.done(prepared.messages)
        self._finish(prepared.messages)

    def _put_away(self, batch: Sequence[Incoming]) -> None:
        """Acknowledge what is in the backlog; what was, or is to be, shown as provisional is so until it is judged."""
        if self._glances is not None and self._fairness is not None:
            self._glances.put_away(batch, to_show=self._fairness.crowded_out)
        self._finish(batch)

    def _finish(self, batch: Sequence[Incoming]) -> None:
        """Acknowledge what is safe in the store, and make room."""
        if self._glances is not None:
            self._glances.gone(batch)
        self._looks.forget(batch)
        count = self.session.ack(batch)
        self.acknowledged += count
        meters.messages_acknowledged.labels(self.name).inc(count)
        self._intake.release(batch)
