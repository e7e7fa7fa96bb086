"""Messages on their way on one connection, without I/O: theirs until we acknowledge, ours until they do."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from firetower.core.mqtt_message import BrokerUnavailable, Incoming

PACKET_IDS = 65_535

Waiter = TypeVar("Waiter")


class Received:
    """What arrived at QoS 1 and was not acknowledged; bounded by the packet ids, and by whoever takes the messages."""

    def __init__(self) -> None:
        self._in_work: dict[int, Incoming] = {}
        self._acked: dict[int, int] = {}  # by packet id, the hash of what was acknowledged under it

    def note(self, messages: list[Incoming], *, repeats: bool) -> list[Incoming]:
        """Note ``messages`` as arrived and return those to hand on; ``repeats``: one has its DUP flag.

        Left out is what is in work, or was acknowledged under its packet id just now: a broker repeats what waits long
        for its PUBACK (NATS after 5 s), with the DUP flag, and without it only if it errs. A repeat is not acknowledged
        again: the packet id may be another message's by now.
        """
        in_work = self._in_work
        by_mid = {message.mid: message for message in messages}
        if not repeats and len(by_mid) == len(messages) and 0 not in by_mid and in_work.keys().isdisjoint(by_mid):
            in_work.update(by_mid)
            return messages
        new = []
        for message in messages:
            if message.qos:
                content = (message.topic, message.payload)
                before = in_work.get(message.mid)
                if before is not None and (message.dup or content == (before.topic, before.payload)):
                    continue
                if message.dup and self._acked.get(message.mid) == hash(content):
                    continue
                in_work[message.mid] = message
            new.append(message)
        return new

    def done(self, messages: Iterable[Incoming]) -> list[int]:
        """Return the packet ids of those of ``messages`` that wait for their PUBACK here; they no longer do."""
        in_work, acked = self._in_work, self._acked
        mids = []
        for message in messages:
            mid = message.mid
            if in_work.get(mid) is message:
                del in_work[mid]
                acked[mid] = hash((message.topic, message.payload))
                mids.append(mid)
        return mids


class Sent(Generic[Waiter]):
    """What we published at QoS 1 and the broker has not acknowledged; ``window``: most it takes at a time.

    What exceeds the window waits here for its turn, so that ``send`` is called in the order of ``add``.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._waiters: dict[int, Waiter | None] = {}
        self._later: deque[bytes] = deque()
        self._last_mid = 0
        self.window = PACKET_IDS

    def __len__(self) -> int:
        return len(self._waiters)

    def next_mid(self) -> int:
        """Return a packet id that is free; BrokerUnavailable when all are taken."""
        if len(self._waiters) >= PACKET_IDS:
            raise BrokerUnavailable(
                f"{PACKET_IDS} messages wait for their PUBACK, the most MQTT has numbers for; publish fewer at a time"
            )
        mid = self._last_mid % PACKET_IDS + 1
        while mid in self._waiters:
            mid = mid % PACKET_IDS + 1
        self._last_mid = mid
        return mid

    def add(self, mid: int, packet: bytes, waiter: Waiter | None) -> None:
        """Send ``packet``, now or when the window allows it."""
        if len(self._waiters) < self.window:
            self._send(packet)
        else:
            self._later.append(packet)
        self._waiters[mid] = waiter

    def answered(self, mids: Iterable[int]) -> list[Waiter | None]:
        """Return who waits for the answers to ``mids``, each once, and send what may go now."""
        waiters = self._waiters
        told = [waiters.pop(mid) for mid in mids if mid in waiters]
        while self._later and len(waiters) - len(self._later) < self.window:
            self._send(self._later.popleft())
        return told

    def abandon(self) -> list[Waiter]:
        """Return who waits in vain; nobody does afterwards."""
        left = [waiter for waiter in self._waiters.values() if waiter is not None]
        self._waiters.clear()
        self._later.clear()
        return left
