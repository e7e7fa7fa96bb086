"""What waits too long for its commit is shown as provisional (未落库): works made ready, and the messages behind them.

What may be a fire is looked at first. The looks come in steps of milliseconds, so that 20,000 alarms are through within
seconds and nobody waits for them.

When full: what is kept here is what the lane keeps, and of what it has put away and not judged what was shown before,
or 2,000 of it, as many as a console shows in detail, and whatever may be a fire; how far the rest is behind is the
lane's lag.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.mqtt import Incoming
from firetower.devices.events import Event
from firetower.ingest.first_look import Looks
from firetower.ingest.ports import BACKLOG, Provisional
from firetower.ingest.processing import Prepared
from firetower.ingest.steps import Steps
from firetower.rules.verdicts import Verdict
from firetower.rules.watches.events import judge

GLANCE_S = 0.5
_AFTER: Micros = 2 * SECOND
"""An alarm that is not committed so long after its arrival is shown as provisional."""
MOST_AWAY = 2000
"""Alarms in the backlog up to which others that were put away are kept to be shown."""
_AT_ONCE = 100
"""Alarms told in one step: a millisecond."""


@dataclass(slots=True)
class _Shown:
    """What stands on the board as the tokens (``number``, 0) to (``number``, ``parts`` - 1), until it is ``over``."""

    number: int
    parts: int = 0
    over: bool = False


class Glances:
    """What the alarm lane holds, as ``board`` shows it; ``run`` until cancelled.

    ``glance(message)``: a message's own alarms and what its values would raise, without a trace left anywhere.
    """

    def __init__(
        self,
        board: Provisional,
        clock: Clock,
        looks: Looks,
        glance: Callable[[Incoming], Coroutine[Any, Any, Sequence[Event | Verdict]]],
    ) -> None:
        self._board = board
        self._clock = clock
        self._looks = looks
        self._glance = glance
        self._fires: dict[int, Incoming] = {}
        self._others: dict[int, Incoming] = {}
        self._works: dict[int, tuple[Prepared, Micros, _Shown]] = {}
        self._shown: dict[int, _Shown] = {}
        self._put_away: dict[tuple[str, Micros], deque[_Shown]] = {}
        self._away = 0
        self._to_show: dict[int, tuple[Incoming, _Shown]] = {}
        self._numbers = itertools.count()
        self._steps = Steps()

    def arrived(self, messages: Sequence[Incoming]) -> None:
        """Note what waits from now on; what comes back from the backlog was put away in good order before."""
        for message in messages:
            if message.epoch != BACKLOG:
                (self._fires if self._looks.at(message).may_be_fire else self._others)[id(message)] = message

    def ready(self, prepared: Prepared, since: Micros) -> None:
        """Note what was made of messages that wait since ``since``: it is shown in their place."""
        self._works[id(prepared)] = (prepared, since, _Shown(next(self._numbers)))
        self._forget(prepared.messages)

    def committed(self, prepared: Prepared) -> None:
        """Take back a work, and what the messages that it brought back from the backlog were shown as."""
        self._settle(self._works.pop(id(prepared))[2])
        for message in prepared.messages:
            if message.epoch == BACKLOG and (shown := self._put_away.get(_name(message))):
                self._away -= 1
                first = shown.popleft()
                self._to_show.pop(first.number, None)
                self._settle(first)
                if not shown:
                    del self._put_away[_name(message)]

    def put_away(self, messages: Sequence[Incoming], *, to_show: Callable[[Incoming], bool]) -> None:
        """Note what is in the backlog now: what was shown stays so until it is judged, what is ``to_show`` will be."""
        for message in messages:
            shown = self._shown.pop(id(message), None)
            if shown is None and to_show(message) and (self._away < MOST_AWAY or self._looks.at(message).may_be_fire):
                shown = _Shown(next(self._numbers))
                self._to_show[shown.number] = (message, shown)
            if shown is not None:
                self._away += 1
                self._put_away.setdefault(_name(message), deque()).append(shown)

    def gone(self, messages: Sequence[Incoming]) -> None:
        """Take back messages that wait here no more."""
        self._forget(messages)
        if self._shown:
            for message in messages:
                self._settle(self._shown.pop(id(message), None))

    async def run(self) -> None:
        """Show what waits until cancelled."""
        while True:
            await asyncio.sleep(GLANCE_S)
            before = self._clock.now() - _AFTER
            for prepared, since, shown in tuple(self._works.values()):
                if since <= before:
                    verdicts = prepared.work.verdicts
                    await self._show(shown, len(verdicts), lambda part, verdicts=verdicts: verdicts[part])  # type: ignore[misc]
            for waiting in (self._fires, self._others):
                while waiting and (message := next(iter(waiting.values()))).received_at <= before:
                    del waiting[id(message)]
                    self._shown[id(message)] = shown = _Shown(next(self._numbers))
                    await self._look_at(message, shown)
            while self._to_show and (first := next(iter(self._to_show.values())))[0].received_at <= before:
                message, shown = self._to_show.pop(first[1].number)
                await self._look_at(message, shown)

    async def _look_at(self, message: Incoming, shown: _Shown) -> None:
        await self._steps.turn()
        said = await self._glance(message)
        await self._show(shown, len(said), lambda part: _verdicts(said[part]))

    async def _show(self, shown: _Shown, count: int, verdicts: Callable[[slice], Sequence[Verdict]]) -> None:
        for part, place in enumerate(range(0, count, _AT_ONCE)):
            await self._steps.turn()
            if shown.over:
                return
            shown.parts = max(shown.parts, part + 1)
            self._board.waiting((shown.number, part), verdicts(slice(place, place + _AT_ONCE)))

    def _settle(self, shown: _Shown | None) -> None:
        if shown is not None:
            shown.over = True
            for part in range(shown.parts):
                self._board.settled((shown.number, part))

    def _forget(self, messages: Sequence[Incoming]) -> None:
        for message in messages:
            if self._fires.pop(id(message), None) is None:
                self._others.pop(id(message), None)


def _verdicts(said: Sequence[Event | Verdict]) -> list[Verdict]:
    return [verdict for one in said for verdict in (judge([one]) if isinstance(one, Event) else [one])]


def _name(message: Incoming) -> tuple[str, Micros]:
    """Return what a message in the backlog is found again by; those of one arrival come back in their order."""
    return message.topic, message.received_at
