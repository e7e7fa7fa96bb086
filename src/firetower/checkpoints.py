"""Takes a checkpoint of the engine every few minutes, beside its work."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from firetower.core.clock import MINUTE, SECOND, Clock
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.core.logs import logger
from firetower.ingest.rules_in_force import RulesInForce
from firetower.ingest.steps import turn_of_the_loop
from firetower.rules.checkpoint import encode
from firetower.storage.checkpoints import MARGIN, CheckpointStore, ReplayFloor

log = logger("rules")

EVERY = 10 * MINUTE


class Settles(Protocol):
    """Whoever commits what the engine decides."""

    async def settled(self) -> None:
        """Return once everything that was decided before is committed."""
        ...


class Checkpoints:
    """Copies the engine's state and writes it down once all that it knows is committed.

    Were it written before, a crash could leave a state that knows of an alert which was never stored. ``settle``:
    the lanes and the ticker.
    """

    def __init__(
        self,
        in_force: RulesInForce,
        store: CheckpointStore,
        floor: ReplayFloor,
        settle: Sequence[Settles],
        clock: Clock,
    ) -> None:
        self._in_force = in_force
        self._store = store
        self._floor = floor
        self._settle = settle
        self._clock = clock

    async def run(self) -> None:
        """Take one every ten minutes until cancelled."""
        while True:
            await asyncio.sleep(EVERY / SECOND)
            try:
                await self.take()
            except StoreUnavailable as err:
                log.warning("no checkpoint of the rules was written, the store cannot answer: %s", err)
            except LeaseLost:
                raise
            except Exception:  # it is a cache, and must not end the watch over the city
                log.exception("no checkpoint of the rules was written")

    async def take(self) -> bool:
        """Take one; False when another engine came into force meanwhile, or this one does not know all yet.

        Raises StoreUnavailable, LeaseLost.
        """
        if not self._in_force.whole:
            return False
        engine, begun = self._in_force.engine, self._clock.now()
        self._floor.begin(begun - MARGIN)
        pieces: list[bytes] = []
        for piece in engine.checkpoint():
            pieces.append(await asyncio.to_thread(encode, piece))
            await turn_of_the_loop()
        for each in self._settle:
            await each.settled()
        if self._in_force.engine is not engine:
            return False
        await self._store.write(engine.rulebook.digest, begun, pieces)
        return True
