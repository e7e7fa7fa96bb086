"""Marks alerts that chatter 频繁跳变, and takes the mark away when they have been quiet: a step of the desk."""

from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from firetower.alerts.chatter import CHATTER_WITHIN, TURNS, RecentTurns, is_settled
from firetower.alerts.deadlines import TIMER
from firetower.alerts.flags import CHATTERING
from firetower.alerts.holds import Move
from firetower.alerts.lifecycle import Trigger, following
from firetower.alerts.model import Alert, State
from firetower.alerts.moves import entry
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.storage.alert_moves import BATCH, Fence, fenced, locked, write
from firetower.storage.alert_rows import chunks
from firetower.storage.pool import store_errors

SETTLED = "settled"
"""The reason of the entry when the mark is taken away."""

_NEWEST = 50
"""Entries of a history that are looked at: a turn behind so many others is none of the last minute's."""

_TURNS = f"""
SELECT a.id, a.rule, a.subject_kind, a.subject, a.component, a.state <> 'closed' AS open,
       '{CHATTERING}' = ANY(a.flags) AS marked, h.seq, h.at
FROM alert a LEFT JOIN LATERAL (
    SELECT n.seq, n.at FROM (
        SELECT seq, at, reason FROM alert_history WHERE alert_id = a.id ORDER BY seq DESC LIMIT {_NEWEST}
    ) n WHERE n.reason = ANY($2::text[])
) h ON true
WHERE a.id = ANY($1::bigint[]) ORDER BY h.at, a.id, h.seq
"""
_AT_START = f"""
SELECT id FROM alert WHERE state <> 'closed' AND '{CHATTERING}' = ANY(flags)
UNION SELECT id FROM alert WHERE raised_at > $1
ORDER BY id
"""


class Chatter:
    """Watches the turns of each key. A fire is marked like any other, and nothing else about it changes."""

    name = "chatter"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease
        self._turns = RecentTurns()
        self._to_mark: dict[int, None] = {}
        self._marked: dict[int, Micros] = {}  # by id: when it last turned

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Mark what chatters, and unmark what has settled. Raises LeaseLost, StoreUnavailable."""
        with store_errors():
            if changed is None:
                since = to_datetime(now - CHATTER_WITHIN)
                changed = [row["id"] for row in await self._pool.fetch(_AT_START, since)]
            for chunk in chunks(changed):
                await self._look(chunk, now)
        self._turns.forget(now)
        settled = [alert_id for alert_id, turned_at in self._marked.items() if is_settled(turned_at, now)]
        ids = [*self._to_mark, *settled][:BATCH]
        if not ids:
            return
        async with fenced(self._pool, self._lease) as conn:
            moves = [
                _marked(each, now) if each.id in self._to_mark else _settled(each, now)
                for each in await locked(conn, ids)
            ]
            await write(conn, [move for move in moves if move is not None], now)
        for alert_id in ids:
            if alert_id in self._to_mark:
                del self._to_mark[alert_id]
                self._marked.setdefault(alert_id, now)
            else:
                self._marked.pop(alert_id, None)

    async def _look(self, alert_ids: Sequence[int], now: Micros) -> None:
        """Note the turns of alerts, and which of them are, or are to be, marked."""
        keys: dict[int, tuple[str, str, str, str]] = {}
        states: dict[int, tuple[bool, bool]] = {}
        turned_at: dict[int, Micros] = {}
        for row in await self._pool.fetch(_TURNS, list(alert_ids), list(TURNS)):
            key = keys[row["id"]] = (row["rule"], row["subject_kind"], row["subject"], row["component"])
            states[row["id"]] = (row["open"], row["marked"])
            if row["at"] is None:
                continue
            at = turned_at[row["id"]] = from_datetime(row["at"])
            if now - at <= CHATTER_WITHIN:
                self._turns.add(key, row["id"], row["seq"], at)
        for alert_id, (is_open, is_marked) in states.items():
            if not is_open:
                self._marked.pop(alert_id, None)
                self._to_mark.pop(alert_id, None)
            elif is_marked:
                self._marked[alert_id] = turned_at.get(alert_id, now)
            elif self._turns.chatters(keys[alert_id]):
                self._to_mark[alert_id] = None


def _marked(alert: Alert, at: Micros) -> Move | None:
    if alert.state is State.CLOSED or CHATTERING in alert.flags:
        return None
    marked = replace(alert, state=following(alert, Trigger.NOTE), flags=(*alert.flags, CHATTERING))
    return marked, entry(alert, marked, CHATTERING, actor=TIMER, at=at)


def _settled(alert: Alert, at: Micros) -> Move | None:
    if alert.state is State.CLOSED or CHATTERING not in alert.flags:
        return None
    flags = tuple(flag for flag in alert.flags if flag != CHATTERING)
    quiet = replace(alert, state=following(alert, Trigger.NOTE), flags=flags)
    return quiet, entry(alert, quiet, SETTLED, actor=TIMER, at=at)
