"""The desk's steps that look at fires side by side: a second signal of one zone, and tests that are overruled."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import asyncpg

from firetower.alerts import flags
from firetower.alerts.correlate import (
    CONFIRMS_WITHIN,
    SIGNALS,
    FireInTest,
    Signal,
    confirm,
    confirmed,
    overrule,
    overruled,
    signal,
)  # fmt: skip
from firetower.alerts.model import State
from firetower.core.clock import Micros, from_datetime
from firetower.devices.events import AlertClass
from firetower.storage.alarmed import SAID, SAID_AT
from firetower.storage.alert_moves import PIECE, fenced, in_turns, locked, write_decided
from firetower.storage.alert_rows import chunks
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors

Thing = TypeVar("Thing")

_WITHIN = "$2::bigint * interval '1 microsecond'"
_CLASSES = ", ".join(f"'{each}'" for each in SIGNALS)

_OPEN = f"""
SELECT a.id, a.rule, a.unit, a.zone, a.device, a.device_kind, a.component, a.alert_class, a.flags, {SAID_AT}
FROM alert a {SAID}
WHERE a.state <> 'closed' AND a.alert_class IN ({_CLASSES})
"""

# Of zones in which a fire waits for a second signal only: the steps' own announcements come here too.
_NEAR = f"""
WITH waiting AS MATERIALIZED (
    SELECT DISTINCT unit, zone FROM alert
    WHERE state <> 'closed' AND alert_class = 'fire' AND NOT '{flags.SECOND_SIGNAL}' = ANY(flags)
),
changed AS MATERIALIZED (
    SELECT DISTINCT unit, zone FROM alert JOIN waiting USING (unit, zone)
    WHERE id = ANY($1::bigint[]) AND state <> 'closed' AND alert_class IN ({_CLASSES})
),
near AS MATERIALIZED ({_OPEN} AND (a.unit, a.zone) IN (SELECT unit, zone FROM changed)),
c AS (
    SELECT unit, zone, min(alarmed_at) AS first, max(alarmed_at) AS last FROM near
    WHERE id = ANY($1::bigint[]) GROUP BY 1, 2
)
SELECT near.* FROM near JOIN c USING (unit, zone) WHERE alarmed_at BETWEEN c.first - {_WITHIN} AND c.last + {_WITHIN}
"""

_ALL = f"{_OPEN} AND a.unit IS NOT NULL AND a.zone IS NOT NULL"
_THESE = f"{_OPEN} AND a.id = ANY($1::bigint[])"

_OPEN_FIRE = "state <> 'closed' AND alert_class = 'fire'"
_TESTED = f"{_OPEN_FIRE} AND flags && '{{{flags.IN_TEST}}}'::text[]"

_UNITS = f"""
SELECT DISTINCT unit FROM alert
WHERE ($1::bigint[] IS NULL OR id = ANY($1::bigint[])) AND {_OPEN_FIRE}
    AND unit IN (SELECT unit FROM alert WHERE {_TESTED})
"""

# A fire outside of every test counts as well as one within; what was found to be none, or belongs to a drill, does not.
_OF_UNITS = f"""
SELECT id, unit, window_id, coalesce(zone, unit || '/' || device, subject) AS place,
    '{flags.IN_TEST}' = ANY(flags) AS in_test
FROM alert WHERE unit = ANY($1::text[]) AND {_OPEN_FIRE} AND verification IS DISTINCT FROM 'false'
    AND NOT flags && '{{{flags.IN_DRILL},{flags.AFTER_DRILL}}}'::text[]
"""

# One that is open, or was raised in a window in which there is fire again.
_OVERRULED = f"""
WITH tested AS MATERIALIZED ({_OF_UNITS})
SELECT DISTINCT a.unit FROM alert a WHERE a.alert_class = 'fire' AND a.unit = ANY($1::text[])
    AND (a.state <> 'closed' OR a.window_id IN (SELECT window_id FROM tested WHERE in_test))
    AND EXISTS (SELECT FROM alert_history h WHERE h.alert_id = a.id AND h.reason = 'overruled')
"""


class SecondSignalStep:
    """Step ``second_signal``. ``forward``: what is confirmed is verified and forwarded without waiting for anybody.

    ``within``: gives the time within which signals confirm each other, asked for anew each time.
    """

    name = "second_signal"

    def __init__(
        self,
        pool: asyncpg.Pool,
        lease: Lease,
        *,
        forward: bool = False,
        within: Callable[[], Micros] = lambda: CONFIRMS_WITHIN,
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._forward = forward
        self._within = within

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Mark the fires that another point of their zone confirms."""
        if changed is not None and not changed:
            return
        with store_errors():
            within = self._within()
            query = (_ALL,) if changed is None else (_NEAR, changed, within)
            found = await _found(await _read(self._pool, _signal, *query), within)
            for chunk in chunks(sorted(found.items())):
                await self._mark({each for pair in chunk for each in pair}, within, now)

    async def _mark(self, alert_ids: Iterable[int], within: Micros, now: Micros) -> None:
        """Decide again on locked rows, and write."""
        async with fenced(self._pool, self._lease) as conn:
            alerts = {alert.id: alert for alert in await locked(conn, alert_ids)}
            found = await _found([_signal(row) for row in await conn.fetch(_THESE, list(alerts))], within)
            done = [
                confirm(alerts[fire], alerts[other], now, forward=self._forward)
                async for fire, other in in_turns(found.items())
            ]
            await write_decided(conn, done, now)


class OverruleStep:
    """Step ``test_overruled``: a fire under test is treated as real when it burns elsewhere in the unit, too."""

    name = "test_overruled"

    def __init__(self, pool: asyncpg.Pool, lease: Lease) -> None:
        self._pool = pool
        self._lease = lease

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Overrule the tests of units in which there is fire in two places, and what came later in those."""
        if changed is not None and not changed:
            return
        with store_errors():
            units = [row["unit"] for row in await self._pool.fetch(_UNITS, changed)]
            if not units:
                return
            already = [row["unit"] for row in await self._pool.fetch(_OVERRULED, units)]
            found = overruled(await _read(self._pool, _in_test, _OF_UNITS, units), already)
            for chunk in chunks(sorted(found.items())):
                await self._overrule(dict(chunk), now)

    async def _overrule(self, found: dict[int, list[str]], now: Micros) -> None:
        async with fenced(self._pool, self._lease) as conn:
            done = [
                overrule(alert, found[alert.id], now)
                async for alert in in_turns(await locked(conn, found))
                if alert.state is not State.CLOSED and alert.is_fire and flags.IN_TEST in alert.flags
            ]
            await write_decided(conn, done, now)


async def _read(pool: asyncpg.Pool, of: Callable[[Any], Thing], query: str, *values: Any) -> list[Thing]:
    """Return what ``of`` makes of a query's rows, read in pieces: thousands at once would hold the event loop up."""
    async with pool.acquire() as conn, conn.transaction(readonly=True):
        return [of(row) async for row in conn.cursor(query, *values, prefetch=2 * PIECE)]


async def _found(signals: Iterable[Signal | None], within: Micros) -> dict[int, int]:
    """Return which fires are confirmed by what (``confirmed``), zone by zone, others having their turn in between."""
    zones: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    for each in signals:
        if each is not None:
            zones[each.where].append(each)
    all_of_them = (pair for of in zones.values() for pair in confirmed(of, within))
    return {fire: other async for fire, other in in_turns(all_of_them) if other is not None}


def _in_test(row: Any) -> FireInTest:
    return FireInTest(row["id"], row["unit"], row["place"], row["in_test"])


def _signal(row: Any) -> Signal | None:
    return signal(
        alert_id=row["id"],
        rule=row["rule"],
        unit=row["unit"],
        zone=row["zone"],
        device=row["device"],
        device_kind=row["device_kind"],
        component=row["component"],
        alert_class=AlertClass(row["alert_class"]),
        words=row["flags"],
        alarmed_at=from_datetime(row["alarmed_at"]),
    )
