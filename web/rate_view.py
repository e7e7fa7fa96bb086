"""The city's rates as of a moment ago: counted once for everybody who asks within fifteen seconds or so."""

import asyncio

from firetower.core.clock import SECOND, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.patience import Patience
from firetower.storage import rates
from firetower.storage.rates import Counted
from firetower.web.deps import Deps

STANDS: Micros = 15 * SECOND
"""What was counted answers for so long: however many walls and overviews look, the store counts four times a minute."""
_TIMES = 10
"""Where counting takes long it answers for so many times as long: it costs the store a tenth of a core at most."""
LONGEST_S = 20.0


class RateView:
    """Counts when asked, for all who wait. What was counted before is never given for the present."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._patience = Patience()
        self._one = asyncio.Lock()
        self._tries = 0
        self._counted: Counted | None = None
        self._stands: Micros = STANDS

    async def now(self) -> Counted:
        """Return the figures, at most STANDS old, or ten times as long as counting takes. Raises StoreUnavailable."""
        tries = self._tries
        async with self._one:
            now = self._deps.clock.now()
            if self._counted is None or not 0 <= now - self._counted.as_of < self._stands:
                if tries != self._tries:  # what failed for one who waited fails for all: no queue before a hung store
                    raise StoreUnavailable("the rates could not be counted; ask again in a moment")
                self._tries += 1
                loop = asyncio.get_running_loop()
                began = loop.time()
                self._counted = await self._patience.ask(rates.count(self._deps.pool, now), LONGEST_S)
                self._stands = max(STANDS, int(_TIMES * (loop.time() - began) * SECOND))
            return self._counted
