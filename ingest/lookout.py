"""The look-out of a process without lanes: it hears the alarms itself, and shows what does not get into the store.

A node that only serves consoles learns of alarms from the store. When the store is away, or whoever takes the messages
in, its operators would see nothing. So it has a session of its own on the alarm topics, acknowledges at once (the
lane's session is the one that keeps them), and shows as provisional (未落库) what the store does not have after two
seconds, until it does.

When full: of the alarms that wait for their first look the oldest is dropped and counted in the log; those shown stay.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
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
from firetower.ingest.ports import Provisional
from firetower.rules.events import judge

log = logger("ingest.lookout")

AFTER: Micros = 2 * SECOND
"""An alarm that is not in the store so long after it was heard is shown."""
_PERIOD_S, _ANSWER_S = 0.5, 3.0
_MOST = 20_000
_AT_ONCE = 500


class Stored(Protocol):
    """The part of the store that knows which alarms it has."""

    def events_known(self, events: Sequence[Event]) -> Coroutine[Any, Any, list[bool]]:
        """Return, per event, whether it is stored. Raises StoreUnavailable."""
        ...


class Lookout:
    """Hears alarms by ``session`` (clean, with the alarm lane's filters), tells ``board``; ``run`` until cancelled."""

    def __init__(
        self, session: MqttSession, decoder: Decoder, stored: Stored, board: Provisional, clock: Clock
    ) -> None:
        self._session = session
        self._decoding = Decoding("look-out", decoder, welcome=False, pause=_no_pause)
        self._stored = stored
        self._board = board
        self._clock = clock
        self._new: deque[Incoming] = deque()
        self._shown: dict[int, Event] = {}
        self._patience = Patience()
        self._number = 0
        self._dropped = 0
        session.on_messages = self._take

    async def run(self) -> None:
        """Hear and look until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._session.run(), name="look-out session")
            tasks.create_task(self._look_again(), name="look-out")

    def _take(self, messages: Sequence[Incoming]) -> None:
        self._session.ack(messages)
        self._new.extend(message for message in messages if not message.topic.startswith(f"{ROOT}/{OWN_UNIT}/"))
        while len(self._new) > _MOST:
            self._new.popleft()
            self._dropped += 1

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_PERIOD_S)
            await self.look()
            if self._dropped:
                log.error("%d alarms were not looked for in the store: more came than can be asked for", self._dropped)
                self._dropped = 0

    async def look(self) -> None:
        """Ask the store for what was heard two seconds ago, and for what is shown; show what it has not."""
        due: list[Event] = []
        before = self._clock.now() - AFTER
        while self._new and self._new[0].received_at <= before and len(due) < _AT_ONCE:
            due += self._decoding.glance(self._new.popleft()).events
        for event, known in zip(due, await self._known(due), strict=True):
            if not known:
                self._number += 1
                self._shown[self._number] = event
                self._board.waiting(("look-out", self._number), judge([event]))
        shown = list(self._shown.items())[:_AT_ONCE]
        for (number, event), known in zip(shown, await self._known([event for _, event in shown]), strict=True):
            del self._shown[number]
            if known:
                self._board.settled(("look-out", number))
            else:
                self._shown[number] = event  # to the end: the others are asked for first next time

    async def _known(self, events: Sequence[Event]) -> list[bool]:
        if not events:
            return []
        try:
            return await self._patience.ask(self._stored.events_known(events), _ANSWER_S)
        except StoreUnavailable:
            return [False] * len(events)


async def _no_pause() -> None:
    return
