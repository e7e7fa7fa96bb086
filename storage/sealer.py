"""The sealer: a step of the desk that chains every entry of the alert history to the one before, and ends each day.

It follows the live changes from a position of its own, stored with the seals, so that no entry is sealed twice and none
is left out. Where it never was, or the changes it had not read are forgotten by now, it goes through the whole history
in the order of time, and takes what has no seal.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from firetower.alerts.chain import GENESIS, ChainEntry, link
from firetower.core.clock import SECOND, Micros, from_datetime, to_datetime
from firetower.core.logs import logger
from firetower.storage import follower
from firetower.storage.chain_rows import COLUMNS, to_entry
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors

NAME = "sealer"
EVERY: Micros = 9 * SECOND // 10
"""Sealing more often would add a commit to nearly every alarm's."""
MOST = 1000
"""Entries of one transaction, and of one search."""
A_CALL = 3 * MOST
"""Entries of one call, about: the desk's other steps wait meanwhile."""
_ALERTS = 500
_PART = 50
"""Entries read, and sealed, in one go."""
_HASHED = 0.001
"""Seconds of hashing, but for one entry, before the event loop gets its turn: entries may be of any size."""
_NUMBERS = 20
"""Changes read at once; each may be of hundreds of alerts."""

_PLANS = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
"""Few rows by their keys in tables of any size: through the indexes, whatever the statistics say."""

_OF_ALERTS = f"""
SELECT {COLUMNS} FROM unnest($1::bigint[]) WITH ORDINALITY AS c (id, place)
JOIN alert_history h ON h.alert_id = c.id
 AND h.seq > (SELECT coalesce(max(s.seq), 0) FROM history_seal s WHERE s.alert_id = c.id)
JOIN alert a ON a.id = h.alert_id
ORDER BY c.place, h.seq
"""
_UNSEALED = f"""
SELECT {COLUMNS}, h.at AS exactly FROM alert_history h JOIN alert a ON a.id = h.alert_id
WHERE (h.at, h.alert_id, h.seq) > ($1::timestamptz, $2::bigint, $3::int)
AND NOT EXISTS (SELECT FROM history_seal s WHERE s.alert_id = h.alert_id AND s.seq = h.seq)
ORDER BY h.at, h.alert_id, h.seq LIMIT {MOST}
"""
_SEAL = (
    "INSERT INTO history_seal (n, alert_id, seq, hash, sealed_at)"
    " SELECT n, alert_id, seq, hash, $5 FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::bytea[])"
    " AS s (n, alert_id, seq, hash)"
)

_log = logger("storage.sealer")


class Sealer:
    """``desk.Step`` that seals. ``zone``: whose midnight ends a day."""

    name = NAME

    def __init__(self, pool: asyncpg.Pool, lease: Lease, zone: ZoneInfo) -> None:
        self._pool = pool
        self._lease = lease
        self._zone = zone
        self._acted_at: Micros | None = None
        self._behind = True
        self._day: date | None = None
        self._search: _Search | None = None

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:  # noqa: ARG002  # reason: it has a position of its own
        """End the days that are over, then seal some thousand entries, in their order; what is left the next time.

        Raises StoreUnavailable, LeaseLost.
        """
        if not self._behind and self._acted_at is not None and 0 <= now - self._acted_at < EVERY:
            return
        with store_errors():
            await self._end_days(now)
            self._behind, sealed = True, 0
            while self._behind and sealed < A_CALL:
                sealed += await self._turn(now)
        self._acted_at = now

    async def _turn(self, now: Micros) -> int:
        """Seal what came next, in one transaction or a few; return how many entries."""
        if self._search is None:
            position = await follower.position(self._pool, NAME)
            news = await follower.read(self._pool, position, _NUMBERS)
            if not news.lost:
                self._behind = news.behind
                return await self._seal_news(news, position, now)
            self._search = _Search(news.seq)
        return await self._go_on_searching(self._search, now)

    async def _seal_news(self, news: follower.News, position: int | None, now: Micros) -> int:
        sealed = 0
        slices = [news.alerts[start : start + _ALERTS] for start in range(0, len(news.alerts), _ALERTS)]
        for alerts in slices:
            async with self._pool.acquire() as conn, conn.transaction():
                await self._lease.hold(conn)
                await conn.execute(_PLANS)
                rows = [row async for row in conn.cursor(_OF_ALERTS, alerts, prefetch=_PART)]
                await self._chain(conn, rows, now)
                sealed += len(rows)
                if alerts is slices[-1]:
                    await follower.store_position(conn, NAME, news.seq)
        if not slices and news.seq != position:
            async with self._pool.acquire() as conn, conn.transaction():
                await self._lease.hold(conn)
                await follower.store_position(conn, NAME, news.seq)
        return sealed

    async def _go_on_searching(self, search: "_Search", now: Micros) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            await self._lease.hold(conn)
            await conn.execute(_PLANS)
            rows = [row async for row in conn.cursor(_UNSEALED, *search.after, prefetch=_PART)]
            await self._chain(conn, rows, now)
            if len(rows) < MOST:
                await follower.store_position(conn, NAME, search.since)
        if len(rows) < MOST:
            self._search = None
        else:
            search.after = (rows[-1]["exactly"], rows[-1]["alert_id"], rows[-1]["seq"])
        return len(rows)

    async def _chain(self, conn: Any, rows: Sequence[Any], now: Micros) -> None:
        """Seal entries in the order given."""
        newest = await conn.fetchrow("SELECT n, hash FROM history_seal ORDER BY n DESC LIMIT 1")
        n, before = (0, GENESIS) if newest is None else (newest["n"], newest["hash"])
        for start in range(0, len(rows), _PART):
            entries = [to_entry(row) for row in rows[start : start + _PART]]
            hashes = await _links(before, entries)
            await conn.execute(
                _SEAL,
                list(range(n + 1, n + 1 + len(entries))),
                [entry.alert_id for entry in entries],
                [entry.seq for entry in entries],
                hashes,
                to_datetime(now),
            )
            n, before = n + len(entries), hashes[-1]

    # days -----------------------------------------------------------------------------------------

    async def _end_days(self, now: Micros) -> None:
        """Put on record the hash at the end of every day that is over and has none yet."""
        today = day_of(now, self._zone)
        if self._day == today:
            return
        async with self._pool.acquire() as conn, conn.transaction():
            await self._lease.hold(conn)
            ended = await self._unrecorded_days(conn, today)
            for day in ended:
                await self._end_day(conn, day, now)
        self._day = today

    async def _unrecorded_days(self, conn: Any, today: date) -> list[date]:
        last = await conn.fetchval("SELECT max(day) FROM history_day")
        if last is not None:
            first = last + timedelta(days=1)
        else:
            began = await conn.fetchval("SELECT sealed_at FROM history_seal ORDER BY n LIMIT 1")
            first = today if began is None else day_of(from_datetime(began), self._zone)
        return [first + timedelta(days=more) for more in range((today - first).days)]

    async def _end_day(self, conn: Any, day: date, now: Micros) -> None:
        newest = await conn.fetchrow(
            "SELECT n, hash FROM history_seal WHERE sealed_at < $1 ORDER BY n DESC LIMIT 1",
            to_datetime(end_of(day, self._zone)),
        )
        if newest is None:
            return
        await conn.execute(
            "INSERT INTO history_day (day, last_n, hash, sealed_at) VALUES ($1, $2, $3, $4)",
            day,
            newest["n"],
            newest["hash"],
            to_datetime(now),
        )
        _log.info("alert history at the end of %s: entry %d, hash %s", day, newest["n"], newest["hash"].hex())


class _Search:
    """A walk through the whole history. ``since``: the newest change when it began, from which to follow afterwards."""

    def __init__(self, since: int) -> None:
        self.since = since
        self.after: tuple[datetime, int, int] = (to_datetime(0), 0, 0)


async def _links(before: bytes, entries: Sequence[ChainEntry]) -> list[bytes]:
    loop = asyncio.get_running_loop()
    hashes: list[bytes] = []
    began = loop.time()
    for entry in entries:
        before = link(before, entry)
        hashes.append(before)
        if loop.time() - began > _HASHED:
            await asyncio.sleep(0)
            began = loop.time()
    return hashes


def day_of(at: Micros, zone: ZoneInfo) -> date:
    """Return the day on which ``at`` falls in ``zone``."""
    return to_datetime(at).astimezone(zone).date()


def end_of(day: date, zone: ZoneInfo) -> Micros:
    """Return the midnight at which ``day`` ends in ``zone``."""
    return from_datetime(datetime.combine(day + timedelta(days=1), datetime.min.time(), zone))
