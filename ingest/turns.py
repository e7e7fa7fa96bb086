"""Whose alarms are away in the backlog, and who comes back next: of fires first, then whoever has waited longest.

A sender is away from its first alarm that is put away until its last one is committed, so that nothing it says passes
what it said before; and nothing of it comes back while what it said before that still waits in the lane. It has a few
brought back at a time and then stands behind the others: neither a long queue nor a city full of senders keeps anybody
for ever. Counted is what may be there: a sender counted too high is set right when fewer come back than were asked for,
one counted too low would be passed by its own word.

When full: bounded by who holds the alarms; here is one small record a sender.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from firetower.core.clock import Micros
from firetower.ingest.first_look import Sender

FED = 1000
"""Alarms of the backlog that are in the lane at a time: four batches; more come once half of them are committed."""
EACH = 25
"""Of one sender among them: its flood alone makes no batch that the next fire would wait for."""


@dataclass(slots=True)
class _Away:
    """How many alarms of a sender wait to be put, may be in the store, are in the lane; ``fire``: one may be among."""

    fire: bool
    held: int = 0
    stored: int = 0
    in_lane: int = 0


class Turns:
    """Senders that are away. ``stored`` counts what is not in the lane; nothing here awaits.

    ``waits``: whether alarms of a sender wait in the lane that were never put away; once none does, ``caught_up``.
    """

    def __init__(self, waits: Callable[[Sender], bool] = lambda _: False) -> None:
        self._waits = waits
        self._away: dict[Sender, _Away] = {}
        self._of_fires: OrderedDict[Sender, None] = OrderedDict()
        self._of_others: OrderedDict[Sender, None] = OrderedDict()
        self._since: OrderedDict[Sender, Micros] = OrderedDict()
        self._in_lane: dict[int, Sender] = {}

    def __contains__(self, sender: Sender) -> bool:
        return sender in self._away

    def __len__(self) -> int:
        return len(self._away)

    @property
    def since(self) -> Micros | None:
        """Since when the one that has waited longest waits, of those that are away through no flood of their own."""
        return next(iter(self._since.values()), None)

    def for_no_fault(self, sender: Sender) -> bool:
        """Say whether a sender is away because the lane was crowded, and not for a flood of its own."""
        return sender in self._since

    def left(self, sender: Sender, count: int, since: Micros | None) -> None:
        """Note what an earlier start left; ``since``: as in ``hold``."""
        away = self._away[sender] = _Away(sender.urgent, stored=count)
        if since is not None:
            self._since[sender] = since
        self._queue(sender, away)

    def hold(self, sender: Sender, *, fire: bool, since: Micros | None) -> None:
        """Note an alarm that waits to be put, maybe a ``fire``. ``since``: when it came, None in a flood of its own."""
        away = self._away.setdefault(sender, _Away(sender.urgent))
        away.held += 1
        if fire and not away.fire:
            away.fire = True
            if sender in self._of_others:
                del self._of_others[sender]
                self._queue(sender, away)
        if since is not None:
            self._since.setdefault(sender, since)

    def put(self, senders: Iterable[Sender]) -> None:
        """Note an attempt to put one alarm of each of ``senders``: even one that fails may have done it."""
        for sender in senders:
            self._away[sender].stored += 1

    def held_no_more(self, senders: Iterable[Sender]) -> None:
        """Note that one alarm of each of ``senders`` no longer waits to be put."""
        for sender in senders:
            away = self._away[sender]
            away.held -= 1
            self._queue(sender, away)

    def caught_up(self, sender: Sender) -> None:
        """Note that nothing of a sender waits in the lane any more but what came back."""
        if (away := self._away.get(sender)) is not None:
            self._queue(sender, away)

    @property
    def may_feed(self) -> bool:
        """Whether somebody is to be asked for now."""
        count = len(self._in_lane)
        return (count <= FED // 2 and bool(self._of_others)) or (count < FED and bool(self._of_fires))

    def following(self) -> list[tuple[Sender, int]]:
        """Take out whose turn it is, with how many of each are to be brought back; all are given to ``fed`` next."""
        asked: list[tuple[Sender, int]] = []
        if not self.may_feed:
            return asked
        room = FED - len(self._in_lane)
        for queue in (self._of_fires, self._of_others):
            while queue and room > 0:
                sender, _ = queue.popitem(last=False)
                if self._waits(sender):
                    continue
                count = min(self._away[sender].stored, EACH, room)
                asked.append((sender, count))
                room -= count
        return asked

    def fed(self, asked: Sequence[tuple[Sender, int]], came: Sequence[tuple[int, Sender]]) -> None:
        """Note what came back of what was ``asked`` for, as (number, sender): all there is, where that is less."""
        self._in_lane.update(came)
        counts = Counter(sender for _, sender in came)
        for sender, count in asked:
            away = self._away[sender]
            away.in_lane = counts[sender]
            away.stored = away.stored - count if counts[sender] == count else 0
            self._settle(sender, away, None)

    def judged(self, number: int, at: Micros) -> None:
        """Note that an alarm that came back, and had come ``at`` first, is committed."""
        sender = self._in_lane.pop(number)
        away = self._away[sender]
        away.in_lane -= 1
        self._settle(sender, away, at)

    def _settle(self, sender: Sender, away: _Away, at: Micros | None) -> None:
        if away.in_lane:
            return
        since = self._since.pop(sender, None)
        if since is not None:  # the next one came later than the one that was judged
            self._since[sender] = since if at is None else at
        self._queue(sender, away)

    def _queue(self, sender: Sender, away: _Away) -> None:
        """Have a sender wait for its turn if something of it is in the store, nothing in the lane; or let it go."""
        if away.stored and not away.in_lane:
            if self._waits(sender):
                return
            (self._of_fires if away.fire else self._of_others).setdefault(sender)
        elif not (away.held or away.stored or away.in_lane):
            del self._away[sender]
            self._since.pop(sender, None)
