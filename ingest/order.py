"""The order of commits: what the one engine decided of a key first is committed first, whichever lane carries it."""

import asyncio
from collections.abc import Sequence

from firetower.rules.verdicts import Verdict

Key = tuple[str, str, str, str]


class Turn:
    """A place in the order: ``come`` returns when all earlier work over the same keys is done; ``done`` ends it."""

    def __init__(self, order: "CommitOrder", keys: set[Key], earlier: list[asyncio.Event]) -> None:
        self._order = order
        self._keys = keys
        self._earlier = earlier
        self._over = asyncio.Event()

    @property
    def over(self) -> asyncio.Event:
        """Set once the work of this turn is done."""
        return self._over

    async def come(self) -> None:
        """Return when it is this work's turn."""
        for event in self._earlier:
            await event.wait()

    def done(self) -> None:
        """Let the next ones have their turn."""
        self._over.set()
        self._order.forget(self._keys, self._over)


class CommitOrder:
    """Turns of the lanes and of the tick, which share one engine and commit each by itself.

    A raise and a clear of one key, committed the other way round, would leave an alert that stands for ever or end one
    that still stands. Work waits only for earlier work over one of its own keys, so an alarm does not wait for
    telemetry. A device's own events take no turn: they come by one lane only, and their times tell their order.
    """

    def __init__(self) -> None:
        self._last: dict[Key, asyncio.Event] = {}

    def take(self, verdicts: Sequence[Verdict]) -> Turn:
        """Take the next turn for ``verdicts``; to be called without an ``await`` since the engine gave them."""
        keys = {verdict.key for verdict in verdicts if verdict.event is None}
        turn = Turn(self, keys, list({self._last[key] for key in keys if key in self._last}))
        self._last.update(dict.fromkeys(keys, turn.over))
        return turn

    def forget(self, keys: set[Key], over: asyncio.Event) -> None:
        """Drop what nobody has to wait for any more."""
        for key in keys:
            if self._last.get(key) is over:
                del self._last[key]
