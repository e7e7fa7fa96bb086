"""The canary as everybody but the probe sees it: when the last one was committed, and whether three are missing."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from prometheus_client import Gauge

from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger

log = logger("ingest.canary")

EVERY: Micros = 30 * SECOND
"""A canary flies this often."""
MISSED: Micros = 3 * EVERY
"""Older than this, three are missing."""
_LOOK_S, _ANSWER_S = 2.0, 3.0

_age = Gauge("firetower_canary_age_seconds", "Age of the newest canary that was committed")
_age.set(math.nan)  # a process that watches none must not look as if all were well

Flight = tuple[Micros, Micros]
"""When a canary was sent and when it was committed, µs."""


class CanaryWatch:
    """Follows the newest committed canary in the store, in every role. ``run`` until cancelled.

    ``latest``: asks the store for it; raises StoreUnavailable. ``last``: (sent, committed), None before the first.
    """

    def __init__(self, latest: Callable[[], Awaitable[Flight | None]], clock: Clock) -> None:
        self._latest = latest
        self._clock = clock
        self._since = clock.now()
        self.last: Flight | None = None
        _age.set_function(lambda: self.age(clock.now()) / SECOND)

    async def run(self) -> None:
        """Look each two seconds; while the store is away the last one known grows old."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Ask the store once."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                self.last = await self._latest()
        except (StoreUnavailable, TimeoutError) as err:
            log.debug("the store does not say when the last canary was committed: %s", err)

    def age(self, now: Micros) -> Micros:
        """Return how long ago the newest committed canary was sent, µs; before the first: since the watch began."""
        return max(0, now - (self._since if self.last is None else self.last[0]))

    def alive(self, now: Micros) -> bool:
        """Say whether a canary of the last 90 s was committed; one from the future proves nothing, a clock was set."""
        return self.last is not None and abs(now - self.last[0]) <= MISSED

    def missed(self, now: Micros) -> bool:
        """Say whether three canaries in a row are missing; for the first 90 s after a start nothing is."""
        return not self.alive(now) and now - self._since > MISSED
