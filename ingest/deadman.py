"""The dead-man signal: an address outside is called while alarms get through; its watcher misses the call otherwise."""

import asyncio

from firetower.core.clock import SECOND, Clock
from firetower.core.logs import logger
from firetower.core.outside import Outside, OutsideFailed, wait_before
from firetower.ingest.canary import EVERY, CanaryWatch

log = logger("ingest.deadman")

PERIOD_S = EVERY / SECOND


class DeadMan:
    """Calls ``url`` (GET) every 30 s while the canary lives. ``run`` until cancelled.

    ``trouble``: why the address did not take the last call, None when it did; each cause is logged once.
    """

    def __init__(self, url: str, outside: Outside, canary: CanaryWatch, clock: Clock) -> None:
        self._url = url
        self._outside = outside
        self._canary = canary
        self._clock = clock
        self._failures = 0
        self._silent = False
        self.trouble: str | None = None

    async def run(self) -> None:
        """Call, sooner again after a failure, until cancelled."""
        while True:
            await self.call()
            # without a first canary, look again soon: a start is not told by a missing call
            wait = 1.0 if self._silent else PERIOD_S
            await asyncio.sleep(min(wait, wait_before(self._failures)) if self._failures else wait)

    async def call(self) -> None:
        """Call once, if a canary of the last 90 s was committed."""
        self._note_silence(silent=not self._canary.alive(self._clock.now()))
        if self._silent:
            return
        try:
            await self._outside.get(self._url)
        except OutsideFailed as err:
            self._failures += 1
            if str(err) != self.trouble:
                log.warning("the dead-man signal is not taken: %s; it is sent again", err)
            self.trouble = str(err)
        else:
            self._failures = 0
            if self.trouble is not None:
                log.info("the dead-man signal is taken again")
            self.trouble = None

    def _note_silence(self, *, silent: bool) -> None:
        if silent and not self._silent and self._canary.missed(self._clock.now()):
            log.error("three canaries are missing: the dead-man signal stops until one is committed again")
        self._silent = silent
