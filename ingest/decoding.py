"""A batch of messages decoded: ordinary telemetry in runs, everything else one by one; no message costs another one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from firetower.core.logs import logger
from firetower.core.mqtt import Incoming
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded
from firetower.ingest.ports import REPLAYED, RETAINED

log = logger("ingest.decoding")

_SLICE_S = 0.003
_RUN = 256
"""Ordinary messages decoded in one go: a millisecond."""


class Decoding:
    """Decodes what comes by the lane ``name``.

    ``welcome``: strangers are to be registered. ``pause``: awaited between steps, so that none holds the loop for long.
    """

    def __init__(self, name: str, decoder: Decoder, *, welcome: bool, pause: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._decoder = decoder
        self._welcome = welcome
        self._pause = pause

    async def decode(self, batch: Sequence[Incoming]) -> Decoded:
        """Return everything that ``batch`` says, in order of arrival."""
        loop = asyncio.get_running_loop()
        decoded = Decoded(welcome=self._welcome)
        until = loop.time() + _SLICE_S
        place = 0
        run = 0 if any(message.epoch == REPLAYED for message in batch) else _RUN
        while place < len(batch):
            taken = self._take(batch[place : place + run], decoded)
            place += taken
            if (taken < run or not run) and place < len(batch):
                await self._decode_carefully(batch[place], decoded)
                place += 1
            if loop.time() > until:
                await self._pause()
                until = loop.time() + _SLICE_S
        return decoded

    def _take(self, messages: Sequence[Incoming], decoded: Decoded) -> int:
        """Decode ordinary messages up to the first that is not; return how many those are."""
        before = decoded.sizes()
        try:
            return self._decoder.take(messages, decoded)
        except Exception:
            log.exception("%s: messages taken for ordinary could not be decoded", self._name)
            decoded.undo(before)
            return 0

    async def _decode_carefully(self, message: Incoming, decoded: Decoded) -> None:
        before = decoded.sizes()
        marks = len(decoded.events), len(decoded.heard), len(decoded.status)
        try:
            for _ in self._decoder.steps(message.topic, message.payload, message.received_at, decoded):
                await self._pause()
        except Exception:
            # A fault of ours in one message must cost neither the lane nor its neighbours.
            log.exception("%s: a message on %r could not be decoded", self._name, message.topic)
            decoded.undo(before)
            self.refuse(message, decoded)
        if message.epoch == REPLAYED:
            _keep_its_readings(decoded, *marks)
        elif message.retain:
            _mark_retained(decoded, marks[0])

    def refuse(self, message: Incoming, into: Decoded) -> None:
        """Put a message that Firetower fails at into the ledger; an alarm is also shown as unreadable."""
        self._decoder.refuse(
            message.topic, message.payload, message.received_at, into,
            reason="internal_error",
            detail="Firetower failed at this message; its log has the traceback. Please report it.",
        )  # fmt: skip

    async def glance(self, message: Incoming) -> Decoded:
        """Return what ``message`` says, without asking for anybody to be registered."""
        decoded = Decoded()
        try:
            for _ in self._decoder.steps(message.topic, message.payload, message.received_at, decoded):
                await self._pause()
        except Exception:  # noqa: BLE001  # reason: it is logged when the message is decoded in its turn
            decoded = Decoded()
            self.refuse(message, decoded)
        return decoded


def _keep_its_readings(decoded: Decoded, events: int, heard: int, status: int) -> None:
    """Take back what a message of long ago says of the present: its alarms were shown when they came."""
    del decoded.events[events:]
    del decoded.status[status:]
    for column in (decoded.heard, decoded.heard_at, decoded.heard_seq, decoded.heard_sent):
        del column[heard:]


def _mark_retained(decoded: Decoded, events: int) -> None:
    """Mark alarms that a broker kept: it says them again to every new session."""
    for place in range(events, len(decoded.events)):
        event = decoded.events[place]
        decoded.events[place] = replace(event, flags=(*event.flags, RETAINED))
