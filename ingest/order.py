"""The order of commits: what the one engine decided of a key first is committed first, whichever lane carries it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from firetower.rules.verdicts import Verdict

Key = tuple[str, str, str, str]


class CommitOrder:
    """Turns of the lanes and of the tick, which share one engine and commit each by itself.

    A raise and a clear of one key, committed the other way round, would leave an alert that stands for ever or end one
    that still stands. Work waits only for earlier work over one of its own keys, so an alarm does not wait for
    telemetry. A device's own events take no turn: they come by one lane only, and their times tell their order.
    """

    def __init__(self) -> None:
        self._last: dict[Key, asyncio.Event] = {}

    @asynccontextmanager
    async def turn(self, verdicts: Sequence[Verdict]) -> AsyncIterator[None]:
        """Hold the turn of ``verdicts``; to be entered without an ``await`` since the engine gave them."""
        keys = {verdict.key for verdict in verdicts if verdict.event is None}
        earlier = {self._last[key] for key in keys if key in self._last}
        mine = asyncio.Event()
        self._last.update(dict.fromkeys(keys, mine))
        try:
            for event in earlier:
                await event.wait()
            yield
        finally:
            mine.set()
            for key in keys:
                if self._last.get(key) is mine:
                    del self._last[key]
