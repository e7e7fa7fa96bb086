"""Once a second the passing of time is put to the rules: delays that are over, devices that have fallen silent."""

import asyncio
from typing import Protocol

from firetower.core.clock import Clock, Micros
from firetower.core.logs import logger
from firetower.ingest.committer import Committer
from firetower.ingest.order import CommitOrder
from firetower.ingest.ports import Rules, Store, Work
from firetower.ingest.system import SystemWatch
from firetower.rules.steps import Tick
from firetower.rules.verdicts import Verdict
from firetower.rules.watches.silence import TOLD_A_TICK

log = logger("ingest.ticker")

PERIOD_S = 1.0
_AGAIN_S = 0.1
"""After a tick that told as much as one may: more waits for the next."""


class Listener(Protocol):
    """Whoever knows since when every telemetry message would have reached us."""

    def listening_since(self, now: Micros) -> Micros | None:
        """Return that instant, µs; None: not now."""
        ...

    def lag(self, now: Micros) -> Micros:
        """Return how far it is behind, µs."""
        ...


class Ticker:
    """Commits what the engine decides of a tick, as lane ``tick``. The next tick waits until a commit stands.

    ``system``: decides about Firetower's own alerts; None where nobody does. ``rules_trouble``: why the rules decided
    nothing at the last tick, None when they did.
    """

    def __init__(
        self,
        engine: Rules,
        store: Store,
        clock: Clock,
        order: CommitOrder,
        *,
        telemetry: Listener,
        system: SystemWatch | None = None,
    ) -> None:
        self._engine = engine
        self._system = system
        self._clock = clock
        self.rules_trouble: str | None = None
        self._telemetry = telemetry
        self._committer = Committer("tick", store, clock, order)
        self._ticking = asyncio.Lock()

    async def run(self) -> None:
        """Tick until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            period = _AGAIN_S if await self.tick() else PERIOD_S
            due = max(due + period, loop.time())  # a late tick is not made up for
            await asyncio.sleep(due - loop.time())

    async def settled(self) -> None:
        """Return once everything that was decided before is committed."""
        async with self._ticking:
            pass

    async def tick(self) -> bool:
        """Put the time to the rules once and commit what they decide. True: they may have put something off."""
        async with self._ticking:
            return await self._tick()

    async def _tick(self) -> bool:
        now = self._clock.now()
        decided: list[Verdict] = []
        verdicts = [] if self._system is None else self._system.look(now)
        try:
            decided = self._engine.evaluate(Tick(now, self._telemetry.listening_since(now), self._telemetry.lag(now)))
        except Exception as err:
            # A rule that fails must not end the watch over all the others; the next tick tries again.
            log.exception("the rules failed at a tick")
            self.rules_trouble = f"no delay ends and no silence is found ({type(err).__name__}: {err})"
        else:
            self.rules_trouble = None
            verdicts += decided
        if verdicts:
            await self._committer.commit(Work("tick", verdicts=verdicts), self._committer.take_turn(verdicts))
        return len(decided) >= TOLD_A_TICK
