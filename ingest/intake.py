"""What a lane holds and has not acknowledged, within bounds: at a bound its session stops reading."""

import asyncio
from collections.abc import Sequence

from firetower.core.clock import Clock, Micros
from firetower.core.mqtt import Incoming, MqttSession
from firetower.ingest.fires_first import bytes_of

MOST_BYTES = 64 << 20
"""Bytes of payload not yet acknowledged before the session stops reading."""
_LONG_PAUSE_S = 5.0


class Intake:
    """Messages and bytes of one lane; ``most``: so many messages are held before the session is paused.

    When full: the session reads nothing until half of it is acknowledged; the broker keeps the rest.
    ``complete_since``: after a long pause, when it ended; what is heard since then is complete.
    """

    def __init__(self, session: MqttSession, clock: Clock, most: int) -> None:
        self._session = session
        self._clock = clock
        self._most = most
        self._messages = self._bytes = 0
        self._paused_at: float | None = None
        self.complete_since: Micros = 0

    @property
    def paused(self) -> bool:
        """Whether the session has stopped reading because too much is held."""
        return self._paused_at is not None

    def hold(self, messages: Sequence[Incoming]) -> None:
        """Note what is held from now on."""
        self._messages += len(messages)
        self._bytes += sum(map(bytes_of, messages))
        if self._paused_at is None and (self._messages >= self._most or self._bytes >= MOST_BYTES):
            self._paused_at = asyncio.get_running_loop().time()
            self._session.pause()

    def release(self, messages: Sequence[Incoming]) -> None:
        """Note what is held no more."""
        self._messages -= len(messages)
        self._bytes -= sum(map(bytes_of, messages))
        room = self._messages <= self._most // 2 and self._bytes <= MOST_BYTES // 2
        if self._paused_at is not None and room:
            if asyncio.get_running_loop().time() - self._paused_at > _LONG_PAUSE_S:
                self.complete_since = self._clock.now()
            self._paused_at = None
            self._session.resume()
