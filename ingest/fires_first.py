"""What waits in a lane, in the order in which it is taken: of alarms, what may be a fire first.

A message that may have a fire in it brings forward what its topic said before it, and what the topic says while it
waits waits behind it. So what one device says stays in the order in which it was said, whatever it says: a return
behind its raise, a reset (复位) behind the fault and before the fire that came after it, the second word of an event
rule behind the first. A raise and its return bear one name, but that alone would not do: a reset is noted on whatever
is open of its device, event rules count fires beside other events, and a gateway's message may hold both. Between
devices no order was ever promised: networks and brokers keep none.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from firetower.core.mqtt import Incoming
from firetower.ingest.first_look import Looks

LEAST_OTHERS = 5
"""Others that go with each batch of fires, at least, ..."""
_PART = 5
"""... and a fifth of what a batch without fires may take: a flood of fires does not keep them for ever.

Never more than half of a batch: where ``batch_messages`` is tiny, they would keep the fires.
"""


class Waiting(Protocol):
    """Messages that wait. When full: whoever fills it pauses the session."""

    def __len__(self) -> int:
        """Return how many wait."""
        ...

    @property
    def has_fire(self) -> bool:
        """Whether something that may be a fire waits."""
        ...

    def extend(self, messages: Sequence[Incoming]) -> None:
        """Have ``messages`` wait."""
        ...

    def take(self, most: int, most_others: int, most_bytes: int) -> list[Incoming]:
        """Take the next batch out: at most ``most``, of what is no fire ``most_others``, about ``most_bytes``."""
        ...

    def oldest(self) -> Iterable[Incoming]:
        """Return messages among which the one is that has waited longest; of each kind it comes first."""
        ...


class FirstCome:
    """First come, first served: telemetry and status, which know no fires."""

    has_fire = False

    def __init__(self) -> None:
        self._queue: deque[Incoming] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def extend(self, messages: Sequence[Incoming]) -> None:
        """Have ``messages`` wait."""
        self._queue.extend(messages)

    def take(self, most: int, most_others: int, most_bytes: int) -> list[Incoming]:
        """Take the next batch out."""
        return _taken(len(self._queue), self._queue.popleft, min(most, most_others), most_bytes)

    def oldest(self) -> Iterable[Incoming]:
        """Return all that wait, the oldest first."""
        return self._queue


class FiresFirst:
    """Alarms: what may be a fire, in the order in which it came, then the others in theirs.

    What waits of one topic waits either all among the fires or all among the others.
    """

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._fires: deque[Incoming] = deque()
        self._fires_of: Counter[str] = Counter()
        self._others: OrderedDict[int, Incoming] = OrderedDict()
        self._others_of: dict[str, deque[int]] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._fires) + len(self._others)

    @property
    def has_fire(self) -> bool:
        """Whether something that may be a fire waits."""
        return bool(self._fires)

    def extend(self, messages: Sequence[Incoming]) -> None:
        """Have ``messages`` wait, each behind what its topic said before."""
        for message in messages:
            topic = message.topic
            if topic not in self._fires_of and not self._looks.at(message).may_be_fire:
                self._number += 1
                self._others[self._number] = message
                self._others_of.setdefault(topic, deque()).append(self._number)
                continue
            said_before = [self._others.pop(number) for number in self._others_of.pop(topic, ())]
            self._fires.extend((*said_before, message))
            self._fires_of[topic] += len(said_before) + 1

    def take(self, most: int, most_others: int, most_bytes: int) -> list[Incoming]:
        """Take the next batch out; with fires, few others."""
        if self._fires:
            most_others = min(max(LEAST_OTHERS, most_others // _PART), most // 2)
        others = min(most_others, len(self._others))
        batch = _taken(len(self._fires), self._next_fire, most - others, most_bytes)
        batch += _taken(len(self._others), self._next_other, min(most_others, most - len(batch)), most_bytes)
        return batch

    def oldest(self) -> Iterable[Incoming]:
        """Return the oldest of the fires and of the others."""
        if self._fires:
            yield self._fires[0]
        if self._others:
            yield next(iter(self._others.values()))

    def _next_fire(self) -> Incoming:
        message = self._fires.popleft()
        self._fires_of[message.topic] -= 1
        if not self._fires_of[message.topic]:
            del self._fires_of[message.topic]
        return message

    def _next_other(self) -> Incoming:
        _, message = self._others.popitem(last=False)
        numbers = self._others_of[message.topic]
        numbers.popleft()
        if not numbers:
            del self._others_of[message.topic]
        return message


def next_batch(fresh: Waiting, back: Waiting, most: int, most_others: int, most_bytes: int) -> list[Incoming]:
    """Return the next batch, limited as in ``take``: of what is ``fresh``, and a part of what came ``back``.

    Where nothing fresh is left it is filled from the backlog; while that does not happen, a fifth comes from there.
    """
    most_back = LEAST_OTHERS if fresh.has_fire else most_others
    part = min(len(back), most_back // _PART, most // 2)
    batch = fresh.take(most - part, most_others - part, most_bytes)
    part = part if fresh else min(most - len(batch), most_back)
    return batch + back.take(part, part, most_bytes)


def bytes_of(message: Incoming) -> int:
    """Return what a message that waits counts."""
    return len(message.topic) + len(message.payload)


def _taken(waiting: int, following: Callable[[], Incoming], most: int, most_bytes: int) -> list[Incoming]:
    """Return what ``following`` gives, of ``waiting``: at most ``most``, none after ``most_bytes``."""
    batch: list[Incoming] = []
    size = 0
    while len(batch) < min(waiting, most) and size < most_bytes:
        batch.append(following())
        size += bytes_of(batch[-1])
    return batch
