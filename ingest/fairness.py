"""One sender's flood of alarms waits for itself alone: what is over its share is stored as it came, then acknowledged.

The broker hands out one queue, first come first served. Were a flood of one unit judged in its turn, everybody's alarms
would wait behind it. So once a sender has ``SHARE`` alarms waiting here, its further ones go to the backlog in the
store, bytes and all, at many times the speed of raising them, and are acknowledged there: nothing is lost, and the
queue behind moves on. From the backlog they come back in order, a few at a time, when nobody else's alarm waits.

A unit's fires, and the readings it sends by the alarm lane, count apart and have a larger share, so that they pass the
flood of its faults. A raise and its return bear the same event's name, so they count to the same sender and stay in
order.

When full: the backlog is bounded by the disk alone. While the store cannot take it, what is over the share stays here
unacknowledged, within the lane's own bound, and is shown as provisional like everything else that waits.
"""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from firetower.core.errors import LeaseLost
from firetower.core.logs import logger
from firetower.core.mqtt import Incoming
from firetower.devices.wire_json import clean
from firetower.ingest import meters
from firetower.ingest.committer import Committer
from firetower.ingest.ports import BACKLOG, Backlog

log = logger("ingest.fairness")

SHARE, FIRE_SHARE = 200, 1000
"""Alarms of one sender that may wait in the lane before the others go to the backlog."""
FED_AT_ONCE = 100
"""Alarms that come back from the backlog at a time, over all senders."""
EACH = 25
"""Of one sender among them."""
_PUT_AT_ONCE = 5000
_EVENT = re.compile(rb'"event"\s*:\s*"((?:[^"\\]|\\.){0,200})')
_FIRE = (b"fire", b"manual_call", "火".encode(), b"\\u706b")
_HEAD = len("firetower/v1/")
_LONGEST_UNIT = 64
"""Characters of a unit's name that are looked at: no sound name has more, an unsound one is a sender all the same."""


class Sender(NamedTuple):
    """Whose share a message counts to: a unit, its fires and readings apart from the rest."""

    unit: str
    urgent: bool

    def __str__(self) -> str:
        return f"{'!' if self.urgent else '.'}{self.unit}"

    @staticmethod
    def read(written: str) -> "Sender":
        """Return the sender that ``str`` wrote."""
        return Sender(written[1:], written[:1] == "!")


class Fairness:
    """The senders of the alarm lane; ``run`` until cancelled.

    ``finished(messages)``: acknowledges what is in the backlog. ``feed(messages)``: hands the lane what comes back from
    there, of epoch BACKLOG; the lane calls ``done`` for everything it has committed. ``admitted(messages)``: hands it
    what arrived before it was known whose alarms the backlog has. ``held``: what waits to be put.
    """

    def __init__(
        self,
        backlog: Backlog,
        committer: Committer,
        *,
        finished: Callable[[Sequence[Incoming]], None],
        feed: Callable[[Sequence[Incoming]], None],
        admitted: Callable[[Sequence[Incoming]], None],
    ) -> None:
        self._backlog = backlog
        self._committer = committer
        self._finished = finished
        self._feed = feed
        self._admitted = admitted
        self._known = False
        self._waiting: Counter[Sender] = Counter()
        self._behind: set[Sender] = set()
        self.held: deque[Incoming] = deque()
        self._fed = self._puts = 0
        self._has_held = asyncio.Event()
        self._may_feed = asyncio.Event()
        meters.alarm_backlog.set_function(lambda: len(self._behind))

    def admit(self, messages: Sequence[Incoming]) -> Sequence[Incoming]:
        """Return those of ``messages`` that are within their senders' shares; the others are held for the backlog."""
        if not self._known:  # what an earlier start left there goes first
            self.held.extend(messages)
            return ()
        admitted: list[Incoming] = []
        for message in messages:
            sender = sender_of(message)
            if sender in self._behind or self._waiting[sender] >= (FIRE_SHARE if sender.urgent else SHARE):
                self._behind.add(sender)
                self.held.append(message)
            else:
                self._waiting[sender] += 1
                admitted.append(message)
        if self.held:
            self._has_held.set()
        return admitted

    def done(self, messages: Sequence[Incoming]) -> None:
        """Note that the lane has committed ``messages``."""
        for message in messages:
            if message.epoch == BACKLOG:
                self._fed -= 1
                continue
            sender = sender_of(message)
            self._waiting[sender] -= 1
            if self._waiting[sender] <= 0:
                del self._waiting[sender]
        if self._fed == 0 and self._behind:
            self._may_feed.set()

    async def run(self) -> None:
        """Put away what is held and bring back what was put away, until cancelled; raises LeaseLost."""
        self._behind = {Sender.read(sender) for sender in await self._committer.ask(self._backlog.senders)}
        early = list(self.held)
        self.held.clear()
        self._known = True
        self._admitted(self.admit(early))
        self._may_feed.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._put_away(), name="alarm backlog, putting away")
            tasks.create_task(self._bring_back(), name="alarm backlog, bringing back")

    async def _put_away(self) -> None:
        while True:
            await self._has_held.wait()
            batch = [self.held[place] for place in range(min(len(self.held), _PUT_AT_ONCE))]
            rows = [(str(sender_of(message)), message) for message in batch]
            try:
                await self._committer.ask(lambda rows=rows: self._backlog.put(rows))  # type: ignore[misc]
            except LeaseLost:
                raise
            except Exception:
                log.exception(
                    "%d alarms over their share cannot be put away; they are judged in their turn", len(batch)
                )
                kept = False
            else:
                kept = True
            for _ in batch:
                self.held.popleft()
            if not self.held:
                self._has_held.clear()
            if kept:
                self._puts += 1
                self._finished(batch)
            else:
                self._waiting.update(sender_of(message) for message in batch)
                self._admitted(batch)
            self._may_feed.set()

    async def _bring_back(self) -> None:
        while True:
            await self._may_feed.wait()
            self._may_feed.clear()
            if self._fed or not self._behind:
                continue
            asked, puts = sorted(self._behind), self._puts
            names = [str(sender) for sender in asked]
            rows = await self._committer.ask(lambda names=names: self._backlog.take(names, EACH, FED_AT_ONCE))  # type: ignore[misc]
            if rows:
                self._fed = len(rows)
                self._feed(rows)
                continue
            if puts == self._puts:  # else something was put away that the answer does not know
                self._behind = {sender_of(message) for message in self.held} | (self._behind - set(asked))


def sender_of(message: Incoming) -> Sender:
    """Return whose share a message counts to; urgent where every event in it is a fire, or it has readings only."""
    topic = message.topic
    end = topic.find("/", _HEAD)
    unit = topic[_HEAD:end] if end >= 0 else topic
    events = _EVENT.findall(message.payload.lower())
    urgent = all(any(word in event for word in _FIRE) for event in events)
    return Sender(clean(unit[:_LONGEST_UNIT]), urgent)


def may_be_fire(message: Incoming) -> bool:
    """Say whether any event in a message is a fire, or none is told apart in it: it has readings, or is unreadable."""
    events = _EVENT.findall(message.payload.lower())
    return not events or any(word in event for event in events for word in _FIRE)
