"""A second try for rejects: messages of the ledger go through the telemetry lane again, at their old time of arrival.

Somebody asks for it (``firetower rejects replay``, the API) after registering the devices. What is good now is stored
and judged like any late reading; what is still wrong stands in the ledger again. The rows leave the ledger in the
transaction that holds their readings, so that a crash replays them once more and stores nothing twice. Alarms are not
raised again: they were shown when they came.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.core.mqtt import Incoming
from firetower.ingest.ports import REPLAYED, Reject

log = logger("ingest.replay")

AT_ONCE = 200
"""Messages given to the lane at a time: what devices send now does not wait long behind them."""
LOOKS_EVERY_S = 30.0
RETRY_S = 2.0


class Ledger(Protocol):
    """The part of the store that knows what was asked for."""

    async def asked(self, limit: int) -> list[tuple[int, Reject]]:
        """Return up to ``limit`` rejects to be tried again, each with its number. Raises StoreUnavailable."""
        ...


class Replaying(Protocol):
    """The lane that takes them."""

    async def replay(self, messages: Sequence[Incoming]) -> None:
        """Take messages of epoch REPLAYED in; return when they are committed."""
        ...


class Replayer:
    """Replays what is asked for, when ``told`` and every half minute; ``run`` until cancelled."""

    def __init__(self, ledger: Ledger, lane: Replaying) -> None:
        self._ledger = ledger
        self._lane = lane
        self._asked = asyncio.Event()

    def told(self) -> None:
        """Look at once: a replay may have been asked for."""
        self._asked.set()

    async def run(self) -> None:
        """Replay until cancelled."""
        while True:
            self._asked.clear()
            try:
                while rejects := await self._ledger.asked(AT_ONCE):
                    log.info("%d rejected messages are tried again", len(rejects))
                    await self._lane.replay([_message(number, reject) for number, reject in rejects])
            except StoreUnavailable:
                await asyncio.sleep(RETRY_S)
                continue
            try:
                async with asyncio.timeout(LOOKS_EVERY_S):
                    await self._asked.wait()
            except TimeoutError:
                continue


def _message(number: int, reject: Reject) -> Incoming:
    return Incoming(
        topic=reject.topic, payload=reject.payload, mid=number, qos=0, dup=False, retain=False,
        received_at=reject.at, epoch=REPLAYED,
    )  # fmt: skip
