"""The look-out: it hears the alarms itself, and shows what does not get into the store.

A node that only serves consoles learns of alarms from the store. When the store is away, or whoever takes the messages
in, its operators would see nothing. A node that takes them in sees no further than its alarm lane, which is full at
20,000 messages. So the look-out has a session of its own on the alarm topics, acknowledges at once (the lane's session
is the one that keeps them), and shows as provisional (未落库) what the store does not have after two seconds, until it
does. Where there is a lane it looks only while that is full; what came five seconds before is then still here.

When full (20,000 in all, heard or shown, and 64 MiB heard): what may be a fire takes the place of the oldest of the
others, heard before shown; another one that of the oldest heard. What had to go is counted, told in the log once a
minute, and on the board as alarms beyond those in detail.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.core.mqtt import Incoming, MqttSession
from firetower.core.patience import Patience
from firetower.devices.events import Event
from firetower.devices.topics import OWN_UNIT, ROOT
from firetower.devices.wire import Decoder
from firetower.ingest.decoding import Decoding
from firetower.ingest.fires_first import bytes_of
from firetower.ingest.first_look import may_be_fire
from firetower.ingest.intake import MOST_BYTES
from firetower.ingest.ports import Provisional
from firetower.ingest.steps import Steps, turn_of_the_loop
from firetower.rules.watches.events import judge

log = logger("ingest.lookout")

AFTER: Micros = 2 * SECOND
"""An alarm that is not in the store so long after it was heard is shown."""
REMEMBERED: Micros = 5 * SECOND
"""How long an alarm is kept for a lane that may be full soon."""
MOST = 20_000
_OWN = f"{ROOT}/{OWN_UNIT}/"
_PERIOD_S, _ANSWER_S = 0.5, 3.0
_AT_ONCE, _CHUNKS = 500, 10
"""Alarms the store is asked for in one question, and questions in one look."""
_TOLD_EVERY_S = 60.0


class Stored(Protocol):
    """The part of the store that knows which alarms it has."""

    def events_known(self, events: Sequence[Event]) -> Coroutine[Any, Any, list[bool]]:
        """Return, per event, whether it is stored. Raises StoreUnavailable."""
        ...


class Board(Provisional, Protocol):
    """Whoever shows provisional alarms, and says how many more there are."""

    def beyond(self, count: int) -> None:
        """Say that ``count`` more alarms may wait, of which nothing is kept."""
        ...


@dataclass(slots=True)
class _Kind:
    """Alarms of one kind, oldest first: messages heard, and events shown, by their number."""

    heard: deque[Incoming] = field(default_factory=deque)
    shown: dict[int, Event] = field(default_factory=dict)


class Lookout:
    """Hears alarms by ``session`` (clean, with the alarm lane's filters), tells ``board``; ``run`` until cancelled.

    ``active``: whether to look for what is heard; while it says no, that is forgotten after five seconds. ``received``:
    messages so far. As a source of readiness it is not behind, commits nothing and judges no readings.
    """

    def __init__(
        self,
        session: MqttSession,
        decoder: Decoder,
        stored: Stored,
        board: Board,
        clock: Clock,
        *,
        active: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = "look-out"
        self.received = 0
        self.store_trouble: str | None = None
        self.rules_trouble: str | None = None
        self._session = session
        self._decoding = Decoding("look-out", decoder, welcome=False, pause=turn_of_the_loop)
        self._stored = stored
        self._board = board
        self._clock = clock
        self._active = active
        self._fires, self._others = _Kind(), _Kind()
        self._bytes = 0
        self._patience = Patience()
        self._steps = Steps()
        self._away = False
        self._number = 0
        self._dropped = 0
        self._beyond = 0
        self._told_at = -_TOLD_EVERY_S
        session.on_messages = self._take

    @property
    def connected(self) -> bool:
        """Whether its session is subscribed and its connection alive."""
        return self._session.connected

    @property
    def trouble(self) -> str | None:
        """Why the broker cannot be heard."""
        return self._session.last_error

    def lag(self, now: Micros) -> Micros:  # noqa: ARG002  # reason: asked of every source
        """Return 0: nothing waits here to be committed."""
        return 0

    async def run(self) -> None:
        """Hear and look until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._session.run(), name="look-out session")
            tasks.create_task(self._look_always(), name="look-out")

    # hearing ---------------------------------------------------------------------------------------

    def _take(self, messages: Sequence[Incoming]) -> None:
        self.received += len(messages)
        self._session.ack(messages)
        for message in messages:
            if message.topic.startswith(_OWN) or message.retain:  # what a broker had kept was heard when it was said
                continue
            kind = self._fires if may_be_fire(message) else self._others
            if self._room_for(kind, bytes_of(message)):
                kind.heard.append(message)
                self._bytes += bytes_of(message)
            else:
                self._drop()

    def _room_for(self, kind: _Kind, size: int = 0) -> bool:
        """Make room for one more of ``kind``, with ``size`` bytes where it is a message; say whether there is."""
        others = self._others
        while self._bytes + size > MOST_BYTES or self._count() >= MOST:
            if others.heard:
                self._heard_first(others)
                self._drop()
            elif kind is self._fires and others.shown and self._count() >= MOST:
                self._forget_shown(others, next(iter(others.shown)))
                self._drop()
            else:
                return False
        return True

    def _count(self) -> int:
        return sum(len(kind.heard) + len(kind.shown) for kind in (self._fires, self._others))

    def _heard_first(self, kind: _Kind) -> Incoming:
        message = kind.heard.popleft()
        self._bytes -= bytes_of(message)
        return message

    def _drop(self) -> None:
        if self._active():
            self._dropped += 1
            self._beyond += 1

    # looking ---------------------------------------------------------------------------------------

    async def _look_always(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_PERIOD_S)
            await self.look()
            if self._dropped and loop.time() - self._told_at >= _TOLD_EVERY_S:
                log.error(
                    "look-out: of %d alarms nothing could be kept, past %d that wait; none is lost, they are shown "
                    "when they are stored; see why the store or the node that takes messages in is behind",
                    self._dropped, MOST,
                )  # fmt: skip
                self._dropped, self._told_at = 0, loop.time()

    async def look(self) -> None:
        """Ask the store for what was heard two seconds ago, and for what is shown; show what it has not."""
        self._away = False
        if self._active():
            await self._look_at_heard(self._clock.now() - AFTER)
        else:
            self._forget_heard(self._clock.now() - REMEMBERED)
        await self._look_at_shown()
        if not (self._away or self._fires.shown or self._others.shown):
            self._beyond = 0
        self._board.beyond(self._beyond)

    def _forget_heard(self, before: Micros) -> None:
        for kind in (self._fires, self._others):
            while kind.heard and kind.heard[0].received_at <= before:
                self._heard_first(kind)

    async def _look_at_heard(self, before: Micros) -> None:
        for _ in range(_CHUNKS):
            kind = next((k for k in (self._fires, self._others) if k.heard and k.heard[0].received_at <= before), None)
            if kind is None:
                return
            due: list[Incoming] = []
            while kind.heard and kind.heard[0].received_at <= before and len(due) < _AT_ONCE:
                due.append(self._heard_first(kind))
            events: list[Event] = []
            for message in due:
                events += (await self._decoding.glance(message)).events
                await self._steps.turn()
            for place in range(0, len(events), _AT_ONCE):
                await self._show_unknown(kind, events[place : place + _AT_ONCE])

    async def _show_unknown(self, kind: _Kind, events: Sequence[Event]) -> None:
        for event, known in zip(events, await self._known(events), strict=True):
            await self._steps.turn()
            if known:
                continue
            if not self._room_for(kind):
                self._drop()
                continue
            self._number += 1
            kind.shown[self._number] = event
            self._board.waiting(("look-out", self._number), judge([event]))

    async def _look_at_shown(self) -> None:
        """Take back what is stored by now; what was asked for stands last then."""
        for kind in (self._fires, self._others):
            asked = list(itertools.islice(kind.shown.items(), _AT_ONCE * _CHUNKS))
            for place in range(0, len(asked), _AT_ONCE):
                part = asked[place : place + _AT_ONCE]
                answers = await self._known([event for _, event in part])
                if self._away:
                    return
                for (number, event), known in zip(part, answers, strict=True):
                    await self._steps.turn()
                    if known:
                        self._forget_shown(kind, number)
                    elif kind.shown.pop(number, None) is not None:
                        kind.shown[number] = event

    def _forget_shown(self, kind: _Kind, number: int) -> None:
        if kind.shown.pop(number, None) is not None:
            self._board.settled(("look-out", number))

    async def _known(self, events: Sequence[Event]) -> list[bool]:
        """Return which of ``events`` are stored; once the store did not answer in this look, none is taken to be."""
        if events and not self._away:
            try:
                return await self._patience.ask(self._stored.events_known(events), _ANSWER_S)
            except StoreUnavailable:
                self._away = True
        return [False] * len(events)
