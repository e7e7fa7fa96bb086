"""What the desk does for the rates beside its steps: counts the day that runs, and freezes it at its end.

Every five minutes the figures of the running day are written over. At its end they are written a last time and
frozen: no later fault, import or retirement changes the rate of a day that is over. After an outage a day keeps what
was counted last, with its hour, and is marked late; a day on which nobody counted is put on record as a gap.

Nothing is counted while no device is heard, or for five minutes after: whoever is silent then need not be away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from firetower.core.clock import MINUTE, Clock, Micros, from_datetime, to_datetime
from firetower.core.logs import logger
from firetower.devices import rates as rates_of
from firetower.devices.rates import Figures
from firetower.storage import rates
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.pool import Pool, store_errors
from firetower.storage.rates import HEARD_LATELY, Part
from firetower.storage.rounds import keep_looking
from firetower.storage.sealer import day_of, end_of

EVERY: Micros = 5 * MINUTE
SETTLED: Micros = 5 * MINUTE
"""So long after devices are heard again their silence is their own."""
LOOK_S = 10.0
_UNITS_AT_ONCE = 2_000
"""Units whose connection is noted in one transaction."""

_COLUMNS = (
    "units_due", "units_connected", "devices", "online", "intact", "never_reported", "in_maintenance",
)  # fmt: skip

_TURNED = f"""
SELECT u.id, heard.unit_id IS NOT NULL AS connected FROM unit u
LEFT JOIN (SELECT DISTINCT d.unit_id FROM device d WHERE {HEARD_LATELY}) heard ON heard.unit_id = u.id
WHERE (u.connected_since IS NULL) = (heard.unit_id IS NOT NULL)
"""

_log = logger("storage.rate_days")


@dataclass(frozen=True, slots=True)
class RateDay:
    """A frozen day; ``figures`` None where nobody counted. ``intact_time``: 1 - alarm duration / period. Times: µs."""

    day: date
    figures: Figures | None
    intact_time: float | None
    as_of: Micros | None
    frozen_at: Micros
    late: bool


class RateDays:
    """``desk.Beside`` that counts and freezes. ``hears``: whether devices are heard now; ``zone``: whose days."""

    name = "rates"

    def __init__(
        self, pool: asyncpg.Pool, lease: Fence, zone: ZoneInfo, clock: Clock, hears: Callable[[], bool] = lambda: True
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._zone = zone
        self._clock = clock
        self._hears = hears
        self._heard_since: Micros | None = None
        self._counted_at: Micros | None = None
        self._day: date | None = None

    async def run(self) -> None:
        """Look until cancelled, over a store that is away. Raises LeaseLost."""
        self._heard_since = self._counted_at = self._day = None  # another instance may have counted meanwhile
        await keep_looking(lambda: self.look(self._clock.now()), LOOK_S, "counting the rates", _log)

    async def look(self, now: Micros) -> None:
        """Freeze what is over, then count the running day where that is due. Raises LeaseLost, StoreUnavailable."""
        if not self._hears():
            self._heard_since = None
        elif self._heard_since is None or self._heard_since > now:
            self._heard_since = now
        today = day_of(now, self._zone)
        if self._day != today:
            await self._freeze(today, now)
            self._day, self._counted_at = today, None
        settled = self._heard_since is not None and now - self._heard_since >= SETTLED
        if settled and (self._counted_at is None or not 0 <= now - self._counted_at < EVERY):
            await self._write(today, await rates.count(self._pool, now))
            await self._note_connections(now)
            self._counted_at = now

    async def _freeze(self, today: date, now: Micros) -> None:
        with store_errors():
            known = await self._pool.fetchrow(
                "SELECT max(day) FILTER (WHERE frozen_at IS NOT NULL) AS frozen,"
                " min(day) FILTER (WHERE frozen_at IS NULL) AS open FROM rate_day WHERE day < $1",
                today,
            )
        assert known is not None  # an aggregate always gives one
        for day in rates_of.over(today, known["frozen"], known["open"]):
            end = end_of(day, self._zone)
            # who was heard all along until midnight is as it is now, a moment later
            heard = self._heard_since is not None and self._heard_since <= end - SETTLED
            if heard and not rates_of.is_late(now, end):
                await self._write(day, await rates.count(self._pool, now))
            await self._end(day, end, now)

    async def _end(self, day: date, end: Micros, now: Micros) -> None:
        with store_errors():
            counted = await self._pool.fetchval("SELECT max(as_of) FROM rate_day WHERE day = $1", day)
        begin = rates_of.begin_of(day, self._zone)
        until = begin if counted is None else min(from_datetime(counted), end)
        times = await rates.intact_time(self._pool, begin, until) if until > begin else {}
        late = rates_of.is_late(now, end)
        async with fenced(self._pool, self._lease) as conn:
            await conn.execute(
                "INSERT INTO rate_day (day, scope) SELECT $1, 'city' WHERE NOT EXISTS"
                " (SELECT FROM rate_day WHERE day = $1)",
                day,
            )
            await conn.execute(
                "UPDATE rate_day r SET frozen_at = $2, late = $3, intact_time ="
                " (SELECT t.share FROM unnest($4::text[], $5::text[], $6::float8[]) AS t (scope, code, share)"
                "  WHERE (t.scope, t.code) = (r.scope, r.code))"
                " WHERE r.day = $1 AND r.frozen_at IS NULL",
                day,
                to_datetime(now),
                late,
                [scope for scope, _ in times],
                [code for _, code in times],
                list(times.values()),
            )
        if late:
            _log.warning("the rates of %s were frozen late, as last counted: %s", day, counted or "nobody counted")

    async def _write(self, day: date, counted: rates.Counted) -> None:
        """Write the figures of a day that is not frozen over."""
        parts = counted.parts
        async with fenced(self._pool, self._lease) as conn:
            await conn.execute("DELETE FROM rate_day WHERE day = $1 AND frozen_at IS NULL", day)
            await conn.execute(
                f"INSERT INTO rate_day (day, as_of, scope, code, {', '.join(_COLUMNS)})"
                f" SELECT $1, $2, * FROM unnest($3::text[], $4::text[]{', $%d::int4[]' * len(_COLUMNS)})"
                % tuple(range(5, 5 + len(_COLUMNS)))
                + " ON CONFLICT DO NOTHING",  # a clock set back: the day is frozen
                day,
                to_datetime(counted.as_of),
                [scope for scope, _ in parts],
                [code for _, code in parts],
                *([getattr(each, name) for each in parts.values()] for name in _COLUMNS),
            )

    async def _note_connections(self, now: Micros) -> None:
        """Note since when units are connected, of those whose connection began or ended."""
        with store_errors():
            turned = await self._pool.fetch(_TURNED, to_datetime(now))
        for start in range(0, len(turned), _UNITS_AT_ONCE):
            rows = turned[start : start + _UNITS_AT_ONCE]
            async with fenced(self._pool, self._lease) as conn:
                await conn.execute(
                    "UPDATE unit u SET connected_since = CASE WHEN t.connected THEN $3::timestamptz END"
                    " FROM unnest($1::int4[], $2::bool[]) AS t (id, connected) WHERE u.id = t.id",
                    [row["id"] for row in rows],
                    [row["connected"] for row in rows],
                    to_datetime(now),
                )


async def frozen(pool: Pool, part: Part, first: date, last: date) -> Sequence[RateDay]:
    """Return the frozen days from ``first`` to ``last`` of a part, oldest first. Raises StoreUnavailable.

    A day on which nobody counted is one for every part.
    """
    scope, code = part
    with store_errors():
        rows = await pool.fetch(
            f"SELECT day, {', '.join(_COLUMNS)}, intact_time, as_of, frozen_at, late FROM rate_day"
            " WHERE frozen_at IS NOT NULL AND day BETWEEN $3 AND $4"
            " AND ((scope, code) = ($1, $2) OR scope = 'city' AND as_of IS NULL) ORDER BY day",
            scope,
            code,
            first,
            last,
        )
    return [_day(row) for row in rows]


def _day(row: Any) -> RateDay:
    known = row["as_of"] is not None
    return RateDay(
        day=row["day"],
        figures=Figures(**{name: row[name] for name in _COLUMNS}) if known else None,
        intact_time=row["intact_time"],
        as_of=from_datetime(row["as_of"]) if known else None,
        frozen_at=from_datetime(row["frozen_at"]),
        late=row["late"],
    )
