"""A batch of messages made ready to commit: decoded, strangers introduced, repeats screened out, judged."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from firetower.core.clock import Clock
from firetower.core.logs import logger
from firetower.core.mqtt import Incoming
from firetower.devices.events import Event
from firetower.devices.kinds import guess_kind
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry
from firetower.devices.topics import OWN_UNIT, ROOT
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded
from firetower.devices.wire_json import clean
from firetower.ingest import meters
from firetower.ingest.committer import Committer
from firetower.ingest.decoding import Decoding
from firetower.ingest.order import CommitOrder, Turn
from firetower.ingest.ports import (
    BACKLOG,
    REPLAYED,
    Backlog,
    Liveness,
    OwnUnit,
    OwnWord,
    Provisional,
    Quality,
    Reject,
    Rules,
    Seen,
    Store,
    Stranger,
    Work,
)
from firetower.ingest.precedence import Precedence
from firetower.ingest.screen import Screened, StandingClocks, screen
from firetower.rules.steps import Batch
from firetower.rules.verdicts import Verdict
from firetower.rules.watches.events import judge

log = logger("ingest.processing")

_OWN = f"{ROOT}/{OWN_UNIT}/"
_LOOKED_AT = 250
"""Readings looked at in one step: a millisecond, or two where all of them raise something."""
_STUCK = -1
"""In place of the ``seq`` where a reading of a standing clock is remembered by its key as sent."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the lanes have in common.

    ``provisional``, ``own``, ``quality``: None where nobody wants to be told. ``backlog``: None, then a sender's flood
    of alarms is judged in its turn.
    """

    decoder: Decoder
    engine: Rules
    store: Store
    registry: Registry
    clock: Clock
    order: CommitOrder
    precedence: Precedence
    own: OwnUnit | None = None
    quality: Quality | None = None
    provisional: Provisional | None = None
    backlog: Backlog | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Messages and what is to be committed before they are acknowledged, in its turn."""

    messages: Sequence[Incoming]
    work: Work
    turn: Turn


class Processing:
    """The way from messages to work, of the lane ``name``.

    ``pause``: awaited between steps, so that no step holds the loop for long. ``settled``: returns once everything
    prepared before is committed; awaited before the store is asked what it holds. ``rules_trouble``: why the last batch
    was not judged, None when it was.
    """

    def __init__(
        self,
        name: str,
        shared: Shared,
        committer: Committer,
        *,
        auto_register: bool,
        pause: Callable[[], Awaitable[None]],
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self._name = name
        self._shared = shared
        self._decoding = Decoding(name, shared.decoder, welcome=auto_register, pause=pause)
        self._engine = shared.engine
        self._store = shared.store
        self._registry = shared.registry
        self._committer = committer
        self._pause = pause
        self._settled = settled
        self._standing = StandingClocks()
        self.rules_trouble: str | None = None

    async def prepare(self, batch: Sequence[Incoming]) -> Prepared:
        """Return the work of ``batch``. What fails in one message only costs that message: it goes to the ledger."""
        canary, rest = self._without_own(batch)
        decoded = await self._decoding.decode(rest)
        if decoded.strangers or decoded.new_channels:
            await self._introduce(decoded)
        decoded.note_heard(self._registry)
        if self._shared.quality is not None and decoded.heard:
            own = self._shared.own
            lag = 0 if own is None else own.lag(self._name, self._shared.clock.now())
            self._shared.quality.note(decoded.heard, decoded.heard_at, decoded.heard_seq, decoded.heard_sent, lag=lag)
        liveness = self._note_status(decoded, rest)
        seen, repeats = await self._unseen(decoded)
        await self._pause()
        readings = decoded.readings(self._registry, repeats)
        await self._pause()
        repeated = decoded.count - len(readings)
        rejects = self._rejects(decoded)
        verdicts: list[Verdict] = []
        if len(readings):
            screened, said = await self._screened(readings)
            readings = screened.readings
            seen += said
            repeated += screened.repeats
        if len(readings) or decoded.events:
            verdicts = self._judge(readings, decoded.events, rest[0], rejects)
        meters.readings_repeated.inc(repeated)
        work = Work(
            self._name, readings, decoded.events, verdicts, rejects, seen, liveness, _numbers(batch, REPLAYED), canary,
            _numbers(batch, BACKLOG),
        )  # fmt: skip
        return Prepared(batch, work, self._committer.take_turn(verdicts))

    async def refuse(self, message: Incoming) -> Prepared:
        """Return the work of a message that Firetower fails at: it stands in the ledger, an alarm as unreadable."""
        decoded = Decoded()
        self._decoding.refuse(message, decoded)
        verdicts = judge(decoded.events)
        work = Work(
            self._name,
            events=decoded.events,
            verdicts=verdicts,
            rejects=self._rejects(decoded),
            replayed=_numbers([message], REPLAYED),
            brought_back=_numbers([message], BACKLOG),
        )
        return Prepared([message], work, self._committer.take_turn(verdicts))

    async def glance(self, message: Incoming) -> Sequence[Event | Verdict]:
        """Return a message's own alarms, and what its values would raise, without a trace left anywhere.

        It is still to be prepared.
        """
        if self._own_word(message) is not None:
            return ()
        decoded = await self._decoding.glance(message)
        if not decoded.value:
            return decoded.events
        readings, channels = decoded.looked_at(self._registry)
        said: list[Event | Verdict] = []
        for start in range(0, len(readings), _LOOKED_AT):
            part = slice(start, start + _LOOKED_AT)
            said += self._engine.glance(readings.take(np.arange(len(readings))[part]), channels[part])
            await self._pause()
        return said + decoded.events

    def _without_own(self, batch: Sequence[Incoming]) -> tuple[int | None, Sequence[Incoming]]:
        """Take out what Firetower says to itself; return when the newest canary in it was sent, and the others."""
        if self._shared.own is None or not any(message.topic.startswith(_OWN) for message in batch):
            return None, batch
        words = [self._own_word(message) for message in batch]
        rest = [message for message, word in zip(batch, words, strict=True) if word is None]
        return max((word.canary for word in words if word is not None and word.canary is not None), default=None), rest

    def _own_word(self, message: Incoming) -> OwnWord | None:
        """Return what Firetower says to itself in ``message``; None: it is somebody else's."""
        own = self._shared.own
        return own.heard(self._name, message) if own is not None and message.topic.startswith(_OWN) else None

    def _rejects(self, decoded: Decoded) -> list[Reject]:
        return [
            Reject(
                refusal.at, self._lane_of(refusal.topic), refusal.topic, refusal.reason, refusal.detail, refusal.payload
            )
            for refusal in decoded.refusals
        ]

    def _lane_of(self, topic: str) -> str:
        """Return the lane a message came by first; one that is replayed comes by the telemetry lane."""
        leaf = topic.rpartition("/")[2]
        return leaf if leaf == "alarm" else self._name

    async def _introduce(self, decoded: Decoded) -> None:
        """Have strangers registered and new channels numbered."""
        if decoded.strangers:
            strangers = [
                Stranger(unit, device, guess_kind(newcomer.metrics))
                for (unit, device), newcomer in decoded.strangers.items()
            ]
            now = self._shared.clock.now()
            await self._committer.ask(lambda: self._store.register(strangers, now))
        if decoded.new_channels:
            names = list(decoded.new_channels)
            await self._committer.ask(lambda: self._store.channels(names))
        decoded.resolve(self._registry)

    def _note_status(self, decoded: Decoded, batch: Sequence[Incoming]) -> list[Liveness]:
        """Note what devices say of themselves; whoever sends something else after it said so is not offline.

        What was sent before a Last Will may be taken in after it: the lanes do not wait for each other.
        """
        offline, said_at = self._registry.offline, self._registry.offline_said_at
        if decoded.heard:
            heard = np.asarray(decoded.heard)
            offline[heard[np.asarray(decoded.heard_at) > said_at[heard]]] = False
        for device, online, at in decoded.status:
            if at >= said_at[device]:
                offline[device] = not online
                said_at[device] = said_at[device] if online else at
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
        known = await self._were_seen(messages)
        new = [message for message, was_seen in zip(messages, known, strict=True) if not was_seen]
        return new, {index for index, was_seen in enumerate(known) if was_seen}

    async def _were_seen(self, messages: Sequence[Seen]) -> list[bool]:
        """Return, per message, whether it was stored, or stands among ``messages`` before."""
        await self._settled()
        known = await self._committer.ask(lambda: self._store.seen(messages))
        met: set[tuple[int, int, bytes]] = set()
        for index, message in enumerate(messages):
            key = (message.device, message.seq, message.digest)
            known[index] |= key in met
            met.add(key)
        return known

    async def _screened(self, readings: Readings) -> tuple[Screened, list[Seen]]:
        """Screen ``readings``, to be judged before the next ``await``; also return what is to be remembered of them.

        While the store is asked, another lane may have newer readings of the same series judged.
        """
        unsure = self._engine.unsure(readings)
        while True:
            doubtful = readings.take(unsure)
            stored = np.zeros(0)
            if len(doubtful):
                await self._settled()
                stored = await self._committer.ask(lambda: self._store.stored(doubtful))  # noqa: B023  # reason: awaited here
            now = screen(readings, unsure, stored, self._engine.newest(readings), self._standing)
            screened, seen = await self._without_known(now)
            if not (len(doubtful) or len(screened.stuck)):
                return screened, seen
            overtaken = self._engine.unsure(readings) & ~unsure
            if not overtaken.any():
                return screened, seen
            unsure |= overtaken

    async def _without_known(self, screened: Screened) -> tuple[Screened, list[Seen]]:
        """Drop what a standing clock's readings say again; return the others to be remembered.

        They are stored at their arrival, so their key as sent has to be kept apart: else each redelivery is a new one.
        """
        if not len(screened.stuck):
            return screened, []
        stuck = screened.readings.take(screened.stuck)
        columns = (stuck.metric, stuck.channel, screened.sent, stuck.value)
        said = zip(*(column.tolist() for column in columns), strict=True)
        messages = [
            Seen(device, _STUCK, hashlib.sha256(repr(key).encode()).digest(), at)
            for device, at, key in zip(stuck.device.tolist(), stuck.received.tolist(), said, strict=True)
        ]
        known = await self._were_seen(messages)
        new = [message for message, stored in zip(messages, known, strict=True) if not stored]
        return screened.without(np.asarray(known, np.bool_)), new

    def _judge(
        self, readings: Readings, events: Sequence[Event], first: Incoming, rejects: list[Reject]
    ) -> list[Verdict]:
        now = self._shared.clock.now()
        try:
            verdicts = self._engine.evaluate(Batch(readings, now, events))
        except Exception as err:
            # Readings are stored even where a rule fails over them; that they were not judged must not go unseen.
            log.exception("%s: the rules failed over %d readings", self._name, len(readings))
            self.rules_trouble = f"the rules failed over {len(readings)} readings ({type(err).__name__}: {err})"
            detail = (
                f"{self.rules_trouble}: they are stored but were not judged; the first of their messages stands here, "
                "Firetower's log has the traceback"
            )
            rejects.append(Reject(now, self._name, clean(first.topic), "internal_error", detail, first.payload))
            return judge(events)  # what a device says itself needs no rule
        self.rules_trouble = None
        return verdicts


def _numbers(batch: Sequence[Incoming], epoch: int) -> list[int]:
    return [message.mid for message in batch if message.epoch == epoch]
