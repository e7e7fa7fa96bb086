"""A lane: one session's messages decoded, screened, judged, committed, and only then acknowledged.

Alarms, telemetry and status are lanes of their own, so that none waits for another. Within a lane there is one batch at
a time, made of whatever arrived while the one before was committed: a single message when idle, thousands under load.

When full: the messages and bytes not yet acknowledged are bounded; at the bound the session stops reading and the
broker keeps the rest. Nothing is dropped.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import numpy as np

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.logs import logger
from firetower.core.mqtt import ANSWERS_WITHIN, Incoming, MqttSession
from firetower.devices.kinds import guess_kind
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded
from firetower.devices.wire_json import clean
from firetower.ingest import meters
from firetower.ingest.committer import Committer
from firetower.ingest.order import CommitOrder
from firetower.ingest.ports import Liveness, Reject, Rules, Seen, Store, Stranger, Work
from firetower.ingest.screen import screen
from firetower.rules.events import judge
from firetower.rules.verdicts import Verdict

log = logger("ingest.lane")

MOST_BYTES = 64 << 20
"""Bytes of payload not yet acknowledged before the session stops reading."""
_BATCH_BYTES = 256 << 10
"""Payload of one batch: at most 20,000 readings, so that no step over them holds the loop for long."""
_SLICE_S = 0.003
_BEHIND: Micros = 10 * SECOND
"""A lane that is this far behind cannot say who is silent."""
_LONG_PAUSE_S = 5.0
ALARM = "alarm"


class Lane:
    """One lane, named ``alarm``, ``telemetry`` or ``status``; ``run`` until cancelled.

    ``batch_messages``: most in one transaction; four times as many may wait. ``batch_age_ms``: under load a batch of
    telemetry gathers for so long since the last commit; an alarm never does. ``auto_register``: strangers are
    registered on first sight. ``received``, ``acknowledged``: messages so far. ``rules_trouble``: why the last batch
    was stored without being judged, None when it was.
    """

    def __init__(  # noqa: PLR0917  # reason: one line of parts, named where app.py wires them
        self,
        name: str,
        session: MqttSession,
        decoder: Decoder,
        engine: Rules,
        store: Store,
        registry: Registry,
        clock: Clock,
        order: CommitOrder,
        *,
        batch_messages: int,
        batch_age_ms: int,
        auto_register: bool,
    ) -> None:
        self.name = name
        self.session = session
        self._decoder = decoder
        self._engine = engine
        self._store = store
        self._registry = registry
        self._clock = clock
        self._batch_messages = batch_messages
        self._gather_s = 0.0 if name == ALARM else batch_age_ms / 1000
        self._most_messages = 4 * batch_messages
        self._auto_register = auto_register
        self._committer = Committer(name, store, clock, order)
        self._queue: deque[Incoming] = deque()
        self._arrived = asyncio.Event()
        self._waiting = 0
        self._waiting_bytes = 0
        self._oldest: Micros | None = None
        self._paused_at: float | None = None
        self._complete_since: Micros = 0
        self.received = 0
        self.acknowledged = 0
        self.rules_trouble: str | None = None
        self._received_meter = meters.messages_received.labels(name)
        session.on_message = self._take
        meters.ingest_lag.labels(name).set_function(lambda: self.lag(clock.now()) / SECOND)

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
    def last_commit_at(self) -> Micros | None:
        """When the lane's last commit stood."""
        return self._committer.last_commit_at

    @property
    def paused(self) -> bool:
        """Whether the session has stopped reading because too much waits."""
        return self._paused_at is not None

    def lag(self, now: Micros) -> Micros:
        """Return how long the oldest message not yet committed has waited, µs."""
        oldest = self._oldest if self._oldest is not None else (self._queue[0].received_at if self._queue else now)
        return max(0, now - oldest)

    def listening_since(self, now: Micros) -> Micros | None:
        """Return since when every message would have been heard; None while it would not.

        To be asked every second or so: what is seen to be wrong counts until now.
        """
        since = self.session.connected_since
        if since is not None and self.session.quiet_for > ANSWERS_WITHIN:
            self._complete_since = now  # a hung broker keeps the devices' words to itself
            return None
        if since is None or self.paused or self.lag(now) > _BEHIND:
            return None
        return max(since, self._complete_since)

    # the way of a message -------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, and take messages in until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.session.run(), name=f"{self.name} session")
            tasks.create_task(self._work(), name=f"{self.name} work")

    def _take(self, message: Incoming) -> None:
        self._queue.append(message)
        self.received += 1
        self._received_meter.inc()
        self._waiting += 1
        self._waiting_bytes += len(message.payload)
        if self._paused_at is None and (self._waiting >= self._most_messages or self._waiting_bytes >= MOST_BYTES):
            self._paused_at = asyncio.get_running_loop().time()
            self.session.pause()
        self._arrived.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        committed = -self._gather_s
        while True:
            await self._arrived.wait()
            gather = committed + self._gather_s - loop.time()
            if gather > 0 and len(self._queue) < self._batch_messages:
                await asyncio.sleep(gather)
            batch = self._next_batch()
            self._oldest = batch[0].received_at
            await self._process_surely(batch)
            committed = loop.time()
            self._oldest = None
            self._done(batch)

    def _next_batch(self) -> list[Incoming]:
        batch: list[Incoming] = []
        size = 0
        while self._queue and len(batch) < self._batch_messages and size < _BATCH_BYTES:
            message = self._queue.popleft()
            batch.append(message)
            size += len(message.payload)
        if not self._queue:
            self._arrived.clear()
        return batch

    def _done(self, batch: Sequence[Incoming]) -> None:
        count = self.session.ack(batch)
        self.acknowledged += count
        meters.messages_acknowledged.labels(self.name).inc(count)
        self._waiting -= len(batch)
        self._waiting_bytes -= sum(len(message.payload) for message in batch)
        if (
            self._paused_at is not None
            and self._waiting <= self._most_messages // 2
            and self._waiting_bytes <= MOST_BYTES // 2
        ):
            if asyncio.get_running_loop().time() - self._paused_at > _LONG_PAUSE_S:
                self._complete_since = self._clock.now()
            self._paused_at = None
            self.session.resume()

    async def _process_surely(self, batch: Sequence[Incoming]) -> None:
        """Process ``batch``; should that fail, each message by itself, and one that fails alone goes to the ledger."""
        try:
            await self._process(batch)
        except Exception:
            log.exception("%s: %d messages could not be processed together", self.name, len(batch))
        else:
            return
        if len(batch) > 1:
            for message in batch:
                await self._process_surely([message])
            return
        decoded = Decoded()
        self._refuse(batch[0], decoded)
        await self._committer.commit(
            Work(self.name, events=decoded.events, verdicts=judge(decoded.events), rejects=self._rejects(decoded))
        )

    async def _process(self, batch: Sequence[Incoming]) -> None:
        decoded = await self._decode(batch)
        if decoded.strangers or decoded.new_channels:
            await self._introduce(decoded)
        decoded.note_heard(self._registry)
        liveness = self._note_status(decoded, batch)
        seen, repeats = await self._unseen(decoded)
        await asyncio.sleep(0)
        readings = decoded.readings(self._registry, repeats)
        await asyncio.sleep(0)
        repeated = len(decoded.value) - len(readings)
        rejects = self._rejects(decoded)
        verdicts: list[Verdict] = []
        if len(readings):
            unsure = self._engine.unsure(readings)
            doubtful = readings.take(unsure)
            stored = np.zeros(0)
            if len(doubtful):
                stored = await self._committer.ask(lambda: self._store.stored(doubtful))
            screened = screen(readings, unsure, stored)
            readings = screened.readings
            repeated += screened.repeats
            verdicts = self._judge_readings(readings, batch[0], rejects)
        verdicts += judge(decoded.events)
        meters.readings_repeated.inc(repeated)
        work = Work(self.name, readings, decoded.events, verdicts, rejects, seen, liveness)
        if not work.is_empty():
            done = await self._committer.commit(work)
            for event in decoded.events:
                meters.alarm_latency.labels("received").observe(max(0, event.received_at - event.at) / SECOND)
                meters.alarm_latency.labels("committed").observe(max(0, done.at - event.received_at) / SECOND)

    async def _decode(self, batch: Sequence[Incoming]) -> Decoded:
        loop = asyncio.get_running_loop()
        decoded = Decoded(welcome=self._auto_register)
        until = loop.time() + _SLICE_S
        for message in batch:
            before = decoded.sizes()
            try:
                for _ in self._decoder.steps(message.topic, message.payload, message.received_at, decoded):
                    await asyncio.sleep(0)
            except Exception:
                # A fault of ours in one message must cost neither the lane nor its neighbours.
                log.exception("%s: a message on %r could not be decoded", self.name, message.topic)
                decoded.undo(before)
                self._refuse(message, decoded)
            if loop.time() > until:
                await asyncio.sleep(0)
                until = loop.time() + _SLICE_S
        return decoded

    def _refuse(self, message: Incoming, into: Decoded) -> None:
        self._decoder.refuse(
            message.topic, message.payload, message.received_at, into,
            reason="internal_error",
            detail="Firetower failed at this message; its log has the traceback. Please report it.",
        )  # fmt: skip

    def _rejects(self, decoded: Decoded) -> list[Reject]:
        return [
            Reject(refusal.at, self.name, refusal.topic, refusal.reason, refusal.detail, refusal.payload)
            for refusal in decoded.refusals
        ]

    async def _introduce(self, decoded: Decoded) -> None:
        """Have strangers registered and new channels numbered."""
        if decoded.strangers:
            strangers = [
                Stranger(unit, device, guess_kind(newcomer.metrics))
                for (unit, device), newcomer in decoded.strangers.items()
            ]
            now = self._clock.now()
            await self._committer.ask(lambda: self._store.register(strangers, now))
        if decoded.new_channels:
            names = list(decoded.new_channels)
            await self._committer.ask(lambda: self._store.channels(names))
        decoded.resolve(self._registry)

    def _note_status(self, decoded: Decoded, batch: Sequence[Incoming]) -> list[Liveness]:
        """Note what devices say of themselves; whoever sends something else is not offline."""
        offline = self._registry.offline
        if decoded.heard:
            offline[np.asarray(decoded.heard)] = False
        for device, online, _ in decoded.status:
            offline[device] = not online
        retained = {message.received_at for message in batch if message.retain}
        fresh = [(device, at) for device, online, at in decoded.status if online and at not in retained]
        if fresh:
            devices, times = zip(*fresh, strict=True)
            self._registry.heard(np.asarray(devices, np.int32), np.asarray(times, np.int64))
        return [Liveness(device, online, at) for device, online, at in decoded.status]

    async def _unseen(self, decoded: Decoded) -> tuple[list[Seen], set[int]]:
        """Return the messages without a time to be remembered, and which of ``onces`` are repeats."""
        if not decoded.onces:
            return [], set()
        messages = [Seen(once.device, once.seq, once.digest, once.at) for once in decoded.onces]
        known = await self._committer.ask(lambda: self._store.seen(messages))
        repeats = {index for index, was_seen in enumerate(known) if was_seen}
        met: set[tuple[int, int, bytes]] = set()
        for index, message in enumerate(messages):
            key = (message.device, message.seq, message.digest)
            if key in met:
                repeats.add(index)
            met.add(key)
        return [message for index, message in enumerate(messages) if index not in repeats], repeats

    def _judge_readings(self, readings: Readings, first: Incoming, rejects: list[Reject]) -> list[Verdict]:
        now = self._clock.now()
        try:
            verdicts = self._engine.evaluate(readings, now)
        except Exception as err:
            # Readings are stored even where a rule fails over them; that they were not judged must not go unseen.
            log.exception("%s: the rules failed over %d readings", self.name, len(readings))
            self.rules_trouble = f"the rules failed over {len(readings)} readings ({type(err).__name__}: {err})"
            detail = (
                f"{self.rules_trouble}: they are stored but were not judged; the first of their messages stands here, "
                "Firetower's log has the traceback"
            )
            rejects.append(Reject(now, self.name, clean(first.topic), "internal_error", detail, first.payload))
            return []
        self.rules_trouble = None
        return verdicts
