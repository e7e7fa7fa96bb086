"""What seats say they show: noted as it is heard, written to the store a few times a second for all of them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice

from firetower.alerts.watch.scopes import Scope
from firetower.core.clock import Micros
from firetower.storage.watch_scopes import lying_in
from firetower.web.deps import Deps
from firetower.web.live_state import LiveState
from firetower.web.meters import observe_shown
from firetower.web.store_rounds import StoreRounds

TOGETHER_S = 0.15
"""What is shown within this time is written at once."""
AT_ONCE = 1000
_WRITE_S = 5.0
_LEAVE_S = 1.0
_RETRY_S = 0.5


class ShownBook:
    """Times at which live, sound-armed seats showed alerts. ``run`` writes them; what the store does not take is kept.

    Bounded: one time for each alert that was open and not shown, and each scope. ``state``: what is open.
    """

    def __init__(self, deps: Deps, state: Callable[[], LiveState]) -> None:
        self._deps = deps
        self._state = state
        self._noted: dict[Scope, dict[int, Micros]] = {}
        self._news = asyncio.Event()
        self._rounds = StoreRounds("when alerts were shown")

    def note(self, alerts: Iterable[int], scope: Scope) -> None:
        """Note that a seat of this scope shows these alerts from now on; the first time counts."""
        opened, at = self._state().alerts, self._deps.clock.now()
        for id_ in alerts:
            entry = opened.get(id_)
            if entry is not None and entry.alert.shown_at is None:
                self._noted.setdefault(scope, {}).setdefault(id_, at)
                self._news.set()

    async def run(self) -> None:
        """Write until cancelled; then what is left."""
        try:
            while True:
                await self._news.wait()
                await asyncio.sleep(TOGETHER_S)
                if not await self._write(_WRITE_S):
                    self._news.set()
                    await asyncio.sleep(_RETRY_S)
        finally:
            await self._write(_LEAVE_S)

    async def _write(self, seconds: float) -> bool:
        """Write all that is noted by now; False where the store did not take it."""
        self._news.clear()
        while self._noted:
            batch = {scope: dict(islice(noted.items(), AT_ONCE)) for scope, noted in self._noted.items()}
            if not await self._rounds.ask(self._mark(batch), seconds):
                return False
            for scope, noted in batch.items():
                for id_ in noted:
                    del self._noted[scope][id_]
                if not self._noted[scope]:
                    del self._noted[scope]
        return True

    async def _mark(self, batch: Mapping[Scope, Mapping[int, Micros]]) -> bool:
        """Write when alerts were first shown in whose scope they lie. Raises StoreUnavailable."""
        times: dict[int, Micros] = {}
        for scope, noted in batch.items():
            within = noted if scope.is_everything else await lying_in(self._deps.pool, scope, list(noted))
            for id_ in within:
                times[id_] = min(noted[id_], times.get(id_, noted[id_]))
        first = await self._deps.alerts.mark_shown(times)
        state = self._state()
        for id_, at in times.items():
            entry = state.alerts.get(id_)
            if entry is not None and entry.alert.shown_at is None:
                state.keep(replace(entry.alert, shown_at=at))
                if id_ in first:
                    observe_shown(entry.alert.received_at, at)
        return True
