"""A flood waits in the store and not in the lane: what is over a sender's share, or over what the lane can hold.

The broker hands out one queue, first come first served. Were a flood of one unit judged in its turn, everybody's alarms
would wait behind it. So once a sender has ``SHARE`` alarms waiting here, its further ones go to the backlog in the
store, bytes and all, at many times the speed of raising them, and are acknowledged there: nothing is lost, and the
queue behind moves on. The same goes for a storm of many senders, none over its share: once ``CROWD`` alarms wait that
are no fires, further ones go to the backlog, so that the session goes on reading and meets the fire behind them.

From the backlog they come back in order, a few of each sender at a time (``turns``), behind what arrives; while that
does not end, a part of each batch is theirs.

What may be a fire is never put away for the crowd. A unit's fires, and the readings it sends by the alarm lane, count
apart and have a larger share, so that they pass the flood of its faults. A raise and its return bear the same event's
name, so they count to the same sender and stay in order.

When full: the backlog is bounded by the disk alone. While the store cannot take it, what is over stays here
unacknowledged, within the lane's own bound, and is shown as provisional like everything else that waits.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence

from firetower.core.clock import Micros
from firetower.core.errors import LeaseLost
from firetower.core.logs import logger
from firetower.core.mqtt import Incoming
from firetower.ingest import meters
from firetower.ingest.committer import Committer
from firetower.ingest.fires_first import bytes_of
from firetower.ingest.first_look import Looks, Sender
from firetower.ingest.intake import MOST_BYTES
from firetower.ingest.ports import BACKLOG, Backlog
from firetower.ingest.turns import Turns

log = logger("ingest.fairness")

SHARE, FIRE_SHARE = 200, 1000
"""Alarms of one sender that may wait in the lane before the others go to the backlog."""
CROWD = 4000
"""Alarms of all senders that are no fires and may wait in the lane. A burst of a second is judged without a detour;
where the machine commits some hundreds a second, what is admitted is judged within seconds, and four fifths of what the
broker hands out unacknowledged are left for fires and for what is being put away."""
CROWD_BYTES = MOST_BYTES // 4
_PUT_AT_ONCE = 5000


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
        looks: Looks,
        *,
        finished: Callable[[Sequence[Incoming]], None],
        feed: Callable[[Sequence[Incoming]], None],
        admitted: Callable[[Sequence[Incoming]], None],
    ) -> None:
        self._backlog = backlog
        self._committer = committer
        self._looks = looks
        self._finished = finished
        self._feed = feed
        self._admitted = admitted
        self._known = False
        self._waiting: Counter[Sender] = Counter()
        self._others: dict[int, int] = {}
        self._others_bytes = 0
        self._turns = Turns(lambda sender: sender in self._waiting)
        self.held: deque[Incoming] = deque()
        self._has_held = asyncio.Event()
        self._may_feed = asyncio.Event()
        self._asking = asyncio.Lock()
        meters.alarm_backlog.set_function(lambda: len(self._turns))

    @property
    def since(self) -> Micros | None:
        """Since when the oldest alarm waits that was put away for the crowd; None where there is none."""
        return self._turns.since

    def crowded_out(self, message: Incoming) -> bool:
        """Say whether a message that was put away was so for the crowd, and not for a flood of its sender's own."""
        return self._turns.for_no_fault(self._looks.at(message).sender)

    def admit(self, messages: Sequence[Incoming]) -> Sequence[Incoming]:
        """Return those of ``messages`` that there is room for; the others are held for the backlog."""
        if not self._known:  # what an earlier start left there goes first
            self.held.extend(messages)
            return ()
        admitted: list[Incoming] = []
        for message in messages:
            sender, may_be_fire = self._looks.at(message)
            over = self._waiting[sender] >= (FIRE_SHARE if sender.urgent else SHARE) or sender in self._turns
            if over or (self._crowded and not may_be_fire):
                self._turns.hold(sender, fire=may_be_fire, since=None if over else message.received_at)
                self.held.append(message)
            else:
                self._admit(message, sender, may_be_fire=may_be_fire)
                admitted.append(message)
        if self.held:
            self._has_held.set()
        return admitted

    def done(self, messages: Sequence[Incoming]) -> None:
        """Note that the lane has committed ``messages``."""
        for message in messages:
            if message.epoch == BACKLOG:
                self._turns.judged(message.mid, message.received_at)
                continue
            self._others_bytes -= self._others.pop(id(message), 0)
            sender = self._looks.at(message).sender
            self._waiting[sender] -= 1
            if self._waiting[sender] <= 0:
                del self._waiting[sender]
                self._turns.caught_up(sender)
        if self._turns.may_feed:
            self._may_feed.set()

    @property
    def _crowded(self) -> bool:
        return len(self._others) >= CROWD or self._others_bytes >= CROWD_BYTES

    def _admit(self, message: Incoming, sender: Sender, *, may_be_fire: bool) -> None:
        self._waiting[sender] += 1
        if not may_be_fire:
            self._others[id(message)] = size = bytes_of(message)
            self._others_bytes += size

    async def run(self) -> None:
        """Put away what is held and bring back what was put away, until cancelled; raises LeaseLost."""
        for written, count, since in await self._committer.ask(self._backlog.senders):
            sender = Sender.read(written)
            self._turns.left(sender, count, None if sender.urgent or count > SHARE else since)
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
            async with self._asking:
                batch = [self.held[place] for place in range(min(len(self.held), _PUT_AT_ONCE))]
                kept = await self._put(batch)
                for _ in batch:
                    self.held.popleft()
                if not self.held:
                    self._has_held.clear()
            if kept:
                self._finished(batch)
            else:
                for message in batch:
                    sender, may_be_fire = self._looks.at(message)
                    self._admit(message, sender, may_be_fire=may_be_fire)
                self._admitted(batch)
            self._may_feed.set()

    async def _put(self, batch: Sequence[Incoming]) -> bool:
        """Put ``batch`` into the backlog and note it; False where the store refuses it."""
        senders = [self._looks.at(message).sender for message in batch]
        rows = [(str(sender), message) for sender, message in zip(senders, batch, strict=True)]

        async def put() -> None:
            self._turns.put(senders)
            await self._backlog.put(rows)

        try:
            await self._committer.ask(put)
        except LeaseLost:
            raise
        except Exception:
            log.exception("%d alarms over their share cannot be put away; they are judged in their turn", len(batch))
            return False
        finally:
            self._turns.held_no_more(senders)
        return True

    async def _bring_back(self) -> None:
        while True:
            await self._may_feed.wait()
            self._may_feed.clear()
            async with self._asking:
                asked = self._turns.following()
                if not asked:
                    continue
                wanted = [(str(sender), count) for sender, count in asked]
                rows = await self._committer.ask(lambda wanted=wanted: self._backlog.take(wanted))  # type: ignore[misc]
                self._turns.fed(asked, [(message.mid, Sender.read(sender)) for sender, message in rows])
            if rows:
                self._feed([message for _, message in rows])
            if self._turns.may_feed:
                self._may_feed.set()
