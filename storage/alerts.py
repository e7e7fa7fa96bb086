"""The store of alerts as operators, consoles and the engine's start see it; ingest's side is ``alert_verdicts``."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from firetower.alerts.model import Alert
from firetower.alerts.ports import AlertFilter, Entry, LiveView, Page, Standing
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.storage import changes, incidents, windows
from firetower.storage.alert_acts import AlertActs, get
from firetower.storage.alert_list import list_alerts
from firetower.storage.alert_moves import read
from firetower.storage.alert_rows import COLUMNS, KEY_ORDER, read_history
from firetower.storage.alert_verdicts import Applied, apply_verdicts
from firetower.storage.pool import store_errors

__all__ = ["AlertStore", "Applied", "apply_verdicts"]

_BY_ID = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[]) ORDER BY a.id"


class AlertStore(AlertActs):
    """Alerts on PostgreSQL: to look at, and to act on. Every method may raise StoreUnavailable."""

    # looking ------------------------------------------------------------------------------------

    async def list(self, wanted: AlertFilter) -> Page:
        """Return a page of alerts; InvalidInput for a cursor or limit that is not usable."""
        with store_errors():
            return await list_alerts(self._pool, wanted)

    async def get(self, alert_id: int) -> Alert:
        """Return one alert; NotFound."""
        with store_errors():
            return await get(self._pool, alert_id)

    async def history(self, alert_id: int) -> Sequence[Entry]:
        """Return every transition of an alert, oldest first; NotFound."""
        with store_errors():
            await get(self._pool, alert_id)
            return await read_history(self._pool, alert_id)

    async def snapshot(self) -> LiveView:
        """Return the durable sequence and what is open at exactly that number: alerts, highest and newest first,
        incidents, and the windows requested, planned or in force now.
        """
        with store_errors():
            async with self._one_view() as conn:
                seq = await changes.latest(conn)
                alerts = await read(
                    conn,
                    f"SELECT {COLUMNS} FROM alert a WHERE a.state <> 'closed'"
                    " ORDER BY a.priority, a.raised_at DESC, a.id DESC",
                )
                opened = await incidents.open_incidents(conn)
                announced = await windows.current(conn, self._clock.now())
        return LiveView(seq, alerts, opened, announced)

    async def changes(self, after: int) -> LiveView | None:
        """Return the newest number and what changed after ``after``, closed and ended ones too, as it stands by then.

        None when ``after`` is older than the hour kept, or of another database: take a snapshot.
        """
        with store_errors():
            async with self._one_view() as conn:
                changed = await changes.since(conn, after)
                if changed is None:
                    return None
                alerts = await read(conn, _BY_ID, changed.alerts)
                moved = await incidents.by_ids(conn, changed.incidents) if changed.incidents else []
                announced = await windows.by_ids(conn, changed.windows) if changed.windows else []
        return LiveView(changed.seq, alerts, moved, announced)

    async def open_counts(self) -> dict[tuple[str, int], int]:
        """Return how many alerts are open by (class, priority)."""
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT alert_class, priority, count(*) AS n FROM alert WHERE state <> 'closed' GROUP BY 1, 2"
            )
        return {(row["alert_class"], row["priority"]): row["n"] for row in rows}

    async def open_for_engine(self) -> Sequence[Standing]:
        """Return the rules' and registered devices' alerts whose condition stands, closed ones too.

        None of them is to be raised as new, and combinations have to know what is active.

        One whose condition is normal again is left out though it is open: its next raise is an occurrence.
        """
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT rule, subject_kind, subject, component, device_id, priority, condition_at,"
                " hold = 'suppressed' AND coalesce(hold_reason, '') ~ '^(rule|event):' AS held FROM alert"
                " WHERE condition = 'active' AND NOT starts_with(rule, 'manual:') AND subject_kind <> 'system'"
                " AND (device_id IS NOT NULL OR NOT starts_with(rule, 'event:')) ORDER BY id"
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
                held=row["held"],
            )
            for row in rows
        ]

    async def mark_shown(self, shown: Mapping[int, Micros]) -> set[int]:
        """Note when alerts, by their ids, were shown on a live, sound-armed seat; return those it is the first time of.

        Not announced: in a flood every console would else be told of every alert twice.
        """
        if not shown:
            return set()
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                rows = await conn.fetch(
                    "WITH unseen AS (SELECT a.id FROM alert a WHERE a.id = ANY($1::bigint[]) AND a.shown_at IS NULL"
                    f" ORDER BY {KEY_ORDER} FOR NO KEY UPDATE OF a)"
                    " UPDATE alert SET shown_at = given.at FROM unseen"
                    " JOIN unnest($1::bigint[], $2::timestamptz[]) AS given (id, at) ON given.id = unseen.id"
                    " WHERE alert.id = unseen.id AND alert.shown_at IS NULL RETURNING alert.id",
                    list(shown),
                    [to_datetime(at) for at in shown.values()],
                )
        return {row["id"] for row in rows}

    @asynccontextmanager
    async def _one_view(self) -> AsyncIterator[Any]:
        """A transaction that sees one instant of the database."""
        async with self._pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            yield conn
