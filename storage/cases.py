"""Alerts that may be told of, with what was told of them, on PostgreSQL: the store of escalation."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from firetower.alerts.contacts import Contact
from firetower.alerts.escalation.ports import Case, Decide, Progress
from firetower.alerts.model import Alert, Transition
from firetower.alerts.notify.letters import NewLetter
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.storage import changes, contacts
from firetower.storage.alert_moves import Fence, fenced, in_turns, locked
from firetower.storage.alert_rows import COLUMNS, append_history, chunks, to_alert
from firetower.storage.outbox import put_letters
from firetower.storage.pool import store_errors

_MAY_BE_TOLD = "a.state <> 'closed' AND a.hold = 'none' AND ($1::text[] IS NULL OR a.alert_class = ANY($1::text[]))"
_OPEN = f"SELECT coalesce(array_agg(a.id ORDER BY a.priority, a.id), '{{}}') FROM alert a WHERE {_MAY_BE_TOLD}"
_THESE = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($2::bigint[]) AND {_MAY_BE_TOLD}"
_UNITS = """
SELECT u.code, u.category, g.code AS grid
FROM unit u LEFT JOIN grid g ON g.id = u.grid_id WHERE u.code = ANY($1::text[])
"""
_PROGRESS = "SELECT alert_id, policy, step, since, times, told_at FROM told_step WHERE alert_id = ANY($1::bigint[])"
_FAILED = "SELECT alert_id, channel, address FROM letter WHERE alert_id = ANY($1::bigint[]) AND state = 'failed'"
_COME_FURTHER = """
INSERT INTO told_step (alert_id, policy, step, since, times, told_at)
SELECT * FROM unnest($1::int8[], $2::text[], $3::int2[], $4::timestamptz[], $5::int4[], $6::timestamptz[])
ON CONFLICT (alert_id, policy, step)
DO UPDATE SET since = excluded.since, times = excluded.times, told_at = excluded.told_at
"""

_Place = tuple[str | None, str | None, float | None, float | None]


class Cases:
    """The store of escalation on PostgreSQL. ``classes``: of which alerts anybody is told; None: of all."""

    def __init__(self, pool: asyncpg.Pool, lease: Fence, classes: Iterable[str] | None = None) -> None:
        self._pool = pool
        self._lease = lease
        self._classes = None if classes is None else sorted(classes)

    async def open_cases(self) -> Sequence[int]:
        """Return the ids of all alerts that may be told of, the most urgent first. Raises StoreUnavailable."""
        with store_errors():
            return list(await self._pool.fetchval(_OPEN, self._classes))

    async def cases(self, alert_ids: Sequence[int]) -> Sequence[Case]:
        """Return those of ``alert_ids``, at most CHUNK, that may be told of. Raises StoreUnavailable."""
        with store_errors():
            rows = await self._pool.fetch(_THESE, self._classes, list(alert_ids))
            return await _cases(self._pool, [to_alert(row) for row in rows]) if rows else []

    async def tell(self, alert_ids: Sequence[int], decide: Decide, now: Micros) -> None:
        """Decide about alerts on their locked rows and write it at once. Raises LeaseLost, StoreUnavailable."""
        letters: list[NewLetter] = []
        entries: list[tuple[int, Transition]] = []
        further: list[tuple[int, Progress]] = []
        async with fenced(self._pool, self._lease) as conn:
            cases = await _cases(conn, await locked(conn, alert_ids))
            known: dict[_Place, list[Contact]] = {}
            async for case in in_turns(cases):
                told = decide(case, await _contacts(conn, case, known))
                letters += told.letters
                entries += ((case.alert.id, entry) for entry in told.entries)
                further += ((case.alert.id, each) for each in told.progress)
            await put_letters(conn, letters, now)
            await append_history(conn, entries)
            for chunk in chunks(further):
                await conn.execute(_COME_FURTHER, *_columns(chunk))
            await changes.announce(conn, [alert_id for alert_id, _ in entries], now)


async def _cases(conn: Any, alerts: Sequence[Alert]) -> list[Case]:
    units = {row["code"]: row for row in await conn.fetch(_UNITS, sorted({each.unit for each in alerts if each.unit}))}
    progress: dict[int, list[Progress]] = defaultdict(list)
    for row in await conn.fetch(_PROGRESS, [each.id for each in alerts]):
        since, told_at = from_datetime(row["since"]), from_datetime(row["told_at"])
        progress[row["alert_id"]].append(Progress(row["policy"], row["step"], since, row["times"], told_at))
    failed: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in await conn.fetch(_FAILED, list(progress)) if progress else ():
        failed[row["alert_id"]].add((row["channel"], row["address"]))
    found = []
    for alert in alerts:
        unit = units.get(alert.unit)
        grid, category = (None, None) if unit is None else (unit["grid"], unit["category"])
        lost = frozenset(failed.get(alert.id, ()))
        found.append(Case(alert, grid, category, tuple(progress.get(alert.id, ())), lost))
    return found


async def _contacts(conn: Any, case: Case, known: dict[_Place, list[Contact]]) -> list[Contact]:
    """Return everybody who may be called for a case's place; looked up once for each place."""
    alert = case.alert
    place = (alert.unit, case.grid, alert.lon, alert.lat)
    if place not in known:
        known[place] = await contacts.for_place(conn, *place)
    return known[place]


def _columns(further: Sequence[tuple[int, Progress]]) -> tuple[list[Any], ...]:
    return (
        [alert_id for alert_id, _ in further],
        [each.policy for _, each in further],
        [each.step for _, each in further],
        [to_datetime(each.since) for _, each in further],
        [each.times for _, each in further],
        [to_datetime(each.told_at) for _, each in further],
    )
