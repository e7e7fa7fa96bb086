"""The store of alerts as operators, consoles and the engine's start see it; ingest's side is ``alert_verdicts``."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from firetower.alerts.acts import Acknowledge, Act, Close, Note, decide
from firetower.alerts.model import Alert, Disposition
from firetower.alerts.ports import AlertFilter, Entry, Page, Standing
from firetower.core.clock import DAY, Clock, Micros, from_datetime, to_datetime
from firetower.core.errors import Conflict, InvalidInput, NotFound
from firetower.storage import changes
from firetower.storage.alert_list import list_alerts
from firetower.storage.alert_rows import COLUMNS, KEY_ORDER, append_history, read_history, to_alert, update
from firetower.storage.alert_verdicts import Applied, apply_verdicts
from firetower.storage.pool import store_errors

__all__ = ["KEYS_KEPT_FOR", "AlertStore", "Applied", "apply_verdicts", "forget_keys"]

KEYS_KEPT_FOR: Micros = DAY
"""How long an Idempotency-Key is remembered."""
KEY_LIMIT = 200
"""Characters of an Idempotency-Key."""


class AlertStore:
    """Alerts on PostgreSQL. Every method may raise StoreUnavailable.

    The acts raise NotFound, InvalidInput, and Conflict with the alert as it stands as ``current``: its state does not
    allow the act, or ``expected_version`` is given and not the alert's. ``idempotency_key`` used before by the same
    actor for the same request: the current alert and no second act; for another request: Conflict.
    """

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    # looking ------------------------------------------------------------------------------------

    async def list(self, wanted: AlertFilter) -> Page:
        """Return a page of alerts; InvalidInput for a cursor or limit that is not usable."""
        with store_errors():
            return await list_alerts(self._pool, wanted)

    async def get(self, alert_id: int) -> Alert:
        """Return one alert; NotFound."""
        with store_errors():
            return await _get(self._pool, alert_id)

    async def history(self, alert_id: int) -> Sequence[Entry]:
        """Return every transition of an alert, oldest first; NotFound."""
        with store_errors():
            await _get(self._pool, alert_id)
            return await read_history(self._pool, alert_id)

    async def snapshot(self) -> tuple[int, Sequence[Alert]]:
        """Return the durable sequence and the alerts open at exactly that number, highest and newest first."""
        with store_errors():
            async with self._one_view() as conn:
                seq = await changes.latest(conn)
                rows = await conn.fetch(
                    f"SELECT {COLUMNS} FROM alert a WHERE a.state <> 'closed'"
                    " ORDER BY a.priority, a.raised_at DESC, a.id DESC"
                )
        return seq, [to_alert(row) for row in rows]

    async def changes(self, after: int) -> tuple[int, Sequence[Alert]] | None:
        """Return the newest number and every alert changed after ``after``, closed ones too, as they stand by then.

        None when ``after`` is older than the hour kept, or of another database: take a snapshot.
        """
        with store_errors():
            async with self._one_view() as conn:
                changed = await changes.since(conn, after)
                if changed is None:
                    return None
                rows = await conn.fetch(
                    f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[]) ORDER BY a.id",
                    changed.alerts,
                )
        return changed.seq, [to_alert(row) for row in rows]

    async def open_counts(self) -> dict[tuple[str, int], int]:
        """Return how many alerts are open by (class, priority)."""
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT alert_class, priority, count(*) AS n FROM alert WHERE state <> 'closed' GROUP BY 1, 2"
            )
        return {(row["alert_class"], row["priority"]): row["n"] for row in rows}

    async def open_for_engine(self) -> Sequence[Standing]:
        """Return the rules' alerts whose condition stands, closed ones too, so that none of them is raised as new.

        One whose condition is normal again is left out though it is open: its next raise is an occurrence.
        """
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT rule, subject_kind, subject, component, device_id, priority, condition_at FROM alert"
                " WHERE condition = 'active'"
                " AND device_id IS NOT NULL AND NOT starts_with(rule, 'event:') ORDER BY id"
            )
        return [
            Standing(
                rule=row["rule"],
                subject_kind=row["subject_kind"],
                subject=row["subject"],
                component=row["component"],
                device_number=row["device_id"],
                priority=row["priority"],
                condition_at=from_datetime(row["condition_at"]),
            )
            for row in rows
        ]

    # acting -------------------------------------------------------------------------------------

    async def acknowledge(
        self, alert_id: int, *, actor: str, expected_version: int | None = None, idempotency_key: str | None = None
    ) -> Alert:
        """受理: seen, not solved."""
        return await self._act(alert_id, Acknowledge(), actor, expected_version, idempotency_key)

    async def note(
        self,
        alert_id: int,
        text: str,
        *,
        actor: str,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Alert:
        """Add words to the history, in any state."""
        return await self._act(alert_id, Note(text), actor, expected_version, idempotency_key)

    async def close(
        self,
        alert_id: int,
        disposition: Disposition | None,
        cause: str | None = None,
        note: str | None = None,
        *,
        actor: str,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Alert:
        """办结 with what it turned out to be."""
        return await self._act(alert_id, Close(disposition, cause, note), actor, expected_version, idempotency_key)

    async def mark_shown(self, alert_ids: Sequence[int], at: Micros) -> int:
        """Note that alerts were shown on a live, sound-armed seat at ``at``; return for how many it was the first time.

        Not announced: in a flood every console would else be told of every alert twice.
        """
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                done = await conn.execute(
                    "WITH unseen AS (SELECT a.id FROM alert a WHERE a.id = ANY($1::bigint[]) AND a.shown_at IS NULL"
                    f" ORDER BY {KEY_ORDER} FOR NO KEY UPDATE OF a)"
                    " UPDATE alert SET shown_at = $2 FROM unseen WHERE alert.id = unseen.id AND alert.shown_at IS NULL",
                    list(alert_ids),
                    to_datetime(at),
                )
        return int(done.rsplit(" ", 1)[1])

    async def _act(self, alert_id: int, act: Act, actor: str, expected: int | None, key: str | None) -> Alert:
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                at = self._clock.now()
                if key is not None and not await _first_use(
                    conn, key, actor, _fingerprint(alert_id, act, expected), at
                ):
                    return await _get(conn, alert_id)
                alert = await _get(conn, alert_id, lock=True)
                if expected is not None and alert.version != expected:
                    raise Conflict(
                        f"alert {alert_id} has changed: version {expected} was expected, it is {alert.version}"
                        f" ({alert.state}); look at it again before acting",
                        current=alert,
                    )
                after, transition = decide(alert, act, actor=actor, at=at)
                if after is not alert:
                    await update(conn, [after])
                await append_history(conn, [(alert_id, transition)])
                await changes.announce(conn, [alert_id], at)
        return after

    @asynccontextmanager
    async def _one_view(self) -> AsyncIterator[Any]:
        """A transaction that sees one instant of the database."""
        async with self._pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            yield conn


async def _get(conn: Any, alert_id: int, *, lock: bool = False) -> Alert:
    row = None
    if 0 < alert_id < 2**63:
        row = await conn.fetchrow(
            f"SELECT {COLUMNS} FROM alert a WHERE a.id = $1{' FOR NO KEY UPDATE' if lock else ''}", alert_id
        )
    if row is None:
        raise NotFound(f"there is no alert {alert_id}; list alerts to find the one you mean")
    return to_alert(row)


def _fingerprint(alert_id: int, act: Act, expected: int | None) -> str:
    said = {name: getattr(act, name) for name in act.__slots__}
    return json.dumps([type(act).__name__, alert_id, expected, said], ensure_ascii=False, sort_keys=True)


async def _first_use(conn: Any, key: str, actor: str, request: str, at: Micros) -> bool:
    """Remember a request under its key; False when the same one was made before, Conflict when another one was."""
    if not 1 <= len(key) <= KEY_LIMIT or not key.isprintable():
        raise InvalidInput(
            f"Idempotency-Key has {len(key)} characters; send 1 to {KEY_LIMIT} printable ones, for example a UUID",
            {"field": "Idempotency-Key"},
        )
    new = await conn.fetchval(
        "INSERT INTO idempotency (key, account, request, at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (account, key) DO NOTHING RETURNING true",
        key,
        actor,
        request,
        to_datetime(at),
    )
    if new:
        return True
    before = await conn.fetchval("SELECT request FROM idempotency WHERE key = $1 AND account = $2", key, actor)
    if before != request:
        raise Conflict(
            f"Idempotency-Key {key!r} was used by {actor} for another request; send a new key with a new request"
        )
    return False


async def forget_keys(pool: asyncpg.Pool, now: Micros) -> int:
    """Forget the Idempotency-Keys of more than a day ago; return how many."""
    with store_errors():
        done = await pool.execute("DELETE FROM idempotency WHERE at < $1", to_datetime(now - KEYS_KEPT_FOR))
    return int(done.rsplit(" ", 1)[1])
