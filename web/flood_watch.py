"""Whether there is a flood of alarms now, found from the store every five seconds, alike on every node."""

import asyncio
from dataclasses import replace

from firetower.alerts.floods import Flood
from firetower.storage.alarm_rate import alarm_rate
from firetower.web.deps import Deps
from firetower.web.store_rounds import StoreRounds

EVERY_S = 5.0


class FloodWatch:
    """``flood``: as of the last look; while the store is away what was known stands."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._rounds = StoreRounds("the rate of new alarms")
        self.flood = Flood(alarms=0, operators=1, since=None)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Count new alarms and operators once."""
        now = self._deps.clock.now()
        rate = await self._rounds.ask(alarm_rate(self._deps.pool, now), EVERY_S)
        if rate is None:
            return
        before = self.flood
        if rate.flood_since is not None:  # a node that was just started goes on from what is on record
            before = replace(before, since=rate.flood_since)
        self.flood = Flood.after(before, rate.alarms, rate.operators, now)
