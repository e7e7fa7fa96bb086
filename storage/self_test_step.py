"""Self-tests that nobody did: a step of the desk. It also checks the clocks by itself, once a day."""

from collections.abc import Awaitable, Callable, Sequence
from zoneinfo import ZoneInfo

import asyncpg

from firetower.alerts.deadlines import TIMER
from firetower.alerts.duty.self_tests import Period, SelfTests
from firetower.alerts.selftests.findings import MOST_ALONE, RULE, Lack, Lacking, verdicts
from firetower.alerts.selftests.schedule import OF_CENTRE, Bounds, Done, Kind, Result, Standing, State
from firetower.core.clock import MINUTE, SECOND, Clock, Micros, from_datetime, to_datetime
from firetower.storage import follower, own_alerts, self_tests
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.pool import store_errors

EVERY: Micros = MINUTE
"""The schedule is looked at no more often."""
AGAIN: Micros = 10 * MINUTE
"""How long after clocks that differ they are compared again."""
_LACKING = (State.OVERDUE, State.FAILED)
_NAMED = 2 * MOST_ALONE

_STANDING = (
    f"SELECT a.component, a.value FROM alert a WHERE a.rule = '{RULE}' AND a.subject_kind = 'system'"
    " AND a.condition = 'active'"
)


class SelfTestStep:
    """Raises what is overdue or failed and clears what is done; ``zone``: by whose calendar.

    ``ahead``: measures by how much the database's clock is ahead of ours, µs; None: asks it.
    """

    name = "self_tests"

    def __init__(
        self,
        pool: asyncpg.Pool,
        lease: Fence,
        plan: SelfTests,
        zone: ZoneInfo,
        clock: Clock,
        *,
        ahead: Callable[[], Awaitable[Micros]] | None = None,
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._plan = plan
        self._zone = zone
        self._clock = clock
        self._ahead = ahead or self._ask_ahead
        self._looked: Micros | None = None
        self._compared: Micros | None = None

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:  # noqa: ARG002  # reason: time alone counts
        """Look at the schedule, a minute after the last time at the soonest. Raises LeaseLost, StoreUnavailable."""
        if self._looked is not None and 0 <= now - self._looked < EVERY:
            return
        with store_errors():
            since = await self._began(now)
            await self._compare_clocks(since, now)
            lacks = [await self._lack(kind, since, now) for kind in Kind]
            standing = {row["component"]: int(row["value"] or 0) for row in await self._pool.fetch(_STANDING)}
        await own_alerts.tell(self._pool, self._lease, verdicts(lacks, standing, now), now)
        self._looked = now

    async def _began(self, now: Micros) -> Micros:
        """Return when the schedule began; it begins with the first look."""
        since = await self_tests.began(self._pool)
        if since is None:
            since = now
            async with fenced(self._pool, self._lease) as conn:
                await follower.store_position(conn, self_tests.SCHEDULE, now)
        return since

    async def _lack(self, kind: Kind, since: Micros, now: Micros) -> Lack:
        period: Period | None = getattr(self._plan, kind)
        if period is None:
            return Lack(kind, 0, ())
        bounds = Bounds.at(period, now, self._zone)
        if kind in OF_CENTRE:
            one = await self_tests.of_centre(self._pool, kind, since)
            found, count = ([one], 1) if bounds.state(one) in _LACKING else ([], 0)
        else:
            found, count = await self_tests.of_units(self._pool, since, bounds, _LACKING, limit=_NAMED)
        return Lack(kind, count, [self._lacking(each, bounds) for each in found])

    def _lacking(self, each: Standing, bounds: Bounds) -> Lacking:
        day = None if each.last is None else to_datetime(each.last.at).astimezone(self._zone).date().isoformat()
        return Lacking(each.kind, each.unit, each.unit_name, bounds.state(each), day)

    async def _compare_clocks(self, since: Micros, now: Micros) -> None:
        """Compare our clock with the database's when that is due, and until it is passed; put the outcome on record.

        One that goes on failing is put on record once a day.
        """
        if self._plan.clocks is None:
            return
        standing = await self_tests.of_centre(self._pool, Kind.CLOCKS, since)
        bounds = Bounds.at(self._plan.clocks, now, self._zone)
        state = bounds.state(standing)
        if state is State.DONE or (self._compared is not None and 0 <= now - self._compared < AGAIN):
            return
        self._compared = now
        ahead = await self._ahead()
        result = Result.PASSED if abs(ahead) <= self._plan.clock_error_s * SECOND else Result.FAILED
        is_news = state is not State.FAILED or result is Result.PASSED
        if is_news or (standing.last is not None and standing.last.at < bounds.due):
            note = f"database {ahead / SECOND:+.3f} s, at most {self._plan.clock_error_s:g} s"
            async with fenced(self._pool, self._lease) as conn:
                await self_tests.put(conn, Done(0, Kind.CLOCKS, None, now, TIMER, result, note))

    async def _ask_ahead(self) -> Micros:
        before = self._clock.now()
        there = from_datetime(await self._pool.fetchval("SELECT clock_timestamp()"))
        return there - (before + self._clock.now()) // 2
