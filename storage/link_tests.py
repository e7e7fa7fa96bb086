"""The daily test of the link to 119 与119的通信测试, beside the desk's steps, where a command centre is configured."""

import asyncio
from zoneinfo import ZoneInfo

import asyncpg

from firetower.alerts.deadlines import TIMER
from firetower.alerts.duty.self_tests import Period
from firetower.alerts.handover.line import Line
from firetower.alerts.selftests.schedule import Bounds, Done, Kind, Result, State
from firetower.core.clock import MINUTE, Clock, Micros
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.core.logs import logger
from firetower.storage import self_tests
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.pool import store_errors

EVERY_S = 60.0
"""The schedule is looked at this often."""
AGAIN: Micros = 10 * MINUTE
"""How long after a link that failed it is tried again."""

_log = logger("storage.link_tests")


class LinkTests:
    """Tests ``line`` as often as ``period`` says; ``zone``: by whose calendar. None of either: there is none to do."""

    name = "link tests"

    def __init__(
        self,
        pool: asyncpg.Pool,
        lease: Fence,
        line: Line | None,
        period: Period | None,
        *,
        zone: ZoneInfo,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._line = line
        self._period = period
        self._zone = zone
        self._clock = clock
        self._tested: Micros | None = None

    async def run(self) -> None:
        """Test until cancelled. Raises LeaseLost."""
        while True:
            try:
                await self.look()
            except LeaseLost:
                raise
            except StoreUnavailable as err:
                _log.debug("the link test waits for the database: %s", err)
            except Exception:  # noqa: BLE001  # reason: a test that fails on us must not end the desk
                _log.exception("the link to 119 could not be tested; it is tried again")
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Test the link when that is due, and until it is passed; what goes on failing is put on record once a day."""
        if self._line is None or self._period is None:
            return
        now = self._clock.now()
        with store_errors():
            since = await self_tests.began(self._pool)
            if since is None:
                return  # the schedule begins in a moment
            standing = await self_tests.of_centre(self._pool, Kind.LINK_119, since)
        bounds = Bounds.at(self._period, now, self._zone)
        state = bounds.state(standing)
        if state is State.DONE or (self._tested is not None and 0 <= now - self._tested < AGAIN):
            return
        async with fenced(self._pool, self._lease):
            self._tested = now
        wrong = await self._line.test()
        result = Result.FAILED if wrong else Result.PASSED
        is_news = state is not State.FAILED or result is Result.PASSED
        if is_news or (standing.last is not None and standing.last.at < bounds.due):
            note = "; ".join(wrong)[:500] or "every address gave a receipt"
            async with fenced(self._pool, self._lease) as conn:
                await self_tests.put(conn, Done(0, Kind.LINK_119, None, self._clock.now(), TIMER, result, note))
