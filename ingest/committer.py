"""Commits tried until they stand: unchanged while the store is away, piece by piece when it refuses the content."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from firetower.core.clock import Clock
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.core.logs import logger
from firetower.ingest import meters
from firetower.ingest.order import CommitOrder, Turn
from firetower.ingest.pieces import halves, size
from firetower.ingest.ports import Committed, Reject, Store, Work
from firetower.rules.verdicts import Verdict

log = logger("ingest.committer")

Answer = TypeVar("Answer")

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0
_ATTEMPTS = 3
"""Attempts before an error other than unavailability is taken for the content's fault."""


class Committer:
    """The store as a lane uses it: every call returns an answer, however long the store is away.

    ``order``: shared by all that commit what one engine decides. ``trouble``: why the store cannot commit now, None
    while it can. ``took``: how long the store took for its last commit, s.
    """

    def __init__(self, name: str, store: Store, clock: Clock, order: CommitOrder) -> None:
        self._name = name
        self._order = order
        self._store = store
        self._clock = clock
        self.trouble: str | None = None
        self.took = 0.0

    async def ask(self, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer of ``act``, asked again with backoff while the store is unavailable."""
        wait = _FIRST_WAIT
        while True:
            try:
                answer = await act()
            except StoreUnavailable as err:
                if self.trouble is None:
                    log.error("%s: the store cannot commit: %s; nothing is acknowledged until it can", self._name, err)
                self.trouble = str(err)
            else:
                if self.trouble is not None:
                    log.info("%s: the store answers again", self._name)
                    self.trouble = None
                return answer
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))
            wait = min(2 * wait, _LONGEST_WAIT)

    def take_turn(self, verdicts: Sequence[Verdict]) -> Turn:
        """Take the turn of ``verdicts``, without an ``await`` since the engine gave them."""
        return self._order.take(verdicts)

    async def commit(self, work: Work, turn: Turn) -> Committed:
        """Commit ``work`` in its turn and count it. What the store refuses for its content ends in the ledger, alone.

        Raises LeaseLost; then nothing more may be acknowledged.
        """
        try:
            await turn.come()
            return await self._in_turn(work)
        finally:
            turn.done()

    async def _in_turn(self, work: Work) -> Committed:
        for attempt in range(_ATTEMPTS):
            try:
                done = await self._once(work)
            except LeaseLost:
                raise
            except Exception:
                log.exception("%s: a unit of work failed, attempt %d of %d", self._name, attempt + 1, _ATTEMPTS)
                await asyncio.sleep(_FIRST_WAIT * 4**attempt)
            else:
                return done
        return await self._piecewise(work)

    async def _once(self, work: Work) -> Committed:
        loop = asyncio.get_running_loop()

        async def timed() -> Committed:
            began = loop.time()
            done = await self._store.commit(work)
            self.took = loop.time() - began
            meters.commit_time.observe(self.took)
            return done

        done = await self.ask(timed)
        meters.readings_stored.inc(done.stored)
        meters.readings_repeated.inc(done.repeated)
        for alert_class, count in done.raised.items():
            meters.alerts_raised.labels(alert_class).inc(count)
        for reject in work.rejects:
            meters.rejects.labels(reject.reason).inc()
        return done

    async def _piecewise(self, work: Work) -> Committed:
        """Commit halves, and halves of them; the one thing that fails alone goes to the ledger as an internal error."""
        if size(work) > 1:
            one, other = halves(work)
            first, second = await self._try(one), await self._try(other)
            raised = dict(first.raised)
            for alert_class, count in second.raised.items():
                raised[alert_class] = raised.get(alert_class, 0) + count
            return Committed(first.stored + second.stored, first.repeated + second.repeated, raised, second.at)
        described = repr(work).replace("\\x00", "")[:2000]
        refused = Reject(self._clock.now(), self._name, "", "internal_error", f"the store refused {described}", b"")
        # without these what came from the store would come from it again, and be refused again, for ever
        rest = Work(
            self._name, rejects=[refused], replayed=work.replayed, canary=work.canary, brought_back=work.brought_back
        )
        while True:
            try:
                done = await self._once(rest)
            except LeaseLost:
                raise
            except Exception as err:
                # Not even the ledger takes it: then the store is at fault, and nothing may be acknowledged.
                log.exception("%s: the store fails at every commit", self._name)
                self.trouble = f"the store fails at every commit: {err}"
                await asyncio.sleep(_LONGEST_WAIT)
            else:
                log.critical("%s: the store refuses %s; it stands in the reject ledger", self._name, described)
                return done

    async def _try(self, work: Work) -> Committed:
        try:
            return await self._once(work)
        except LeaseLost:
            raise
        except Exception:
            log.exception("%s: a part of a unit of work failed", self._name)
            return await self._piecewise(work)
