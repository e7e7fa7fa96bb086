"""Acting on stored alerts: one row locked, decided on, written with its history and announced; and manual reports."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import asyncpg

from firetower.alerts.acts import Act, Assign, decide
from firetower.alerts.closing import Reopen
from firetower.alerts.handover.model import WRITTEN_FOR
from firetower.alerts.model import Alert
from firetower.alerts.reports import Report
from firetower.alerts.verification import Verify
from firetower.core.clock import Clock
from firetower.core.errors import Conflict, InvalidInput, NotFound
from firetower.ingest.meters import alerts_raised
from firetower.storage import alert_reports, changes, idempotency
from firetower.storage.alert_rows import COLUMNS, append_history, to_alert, update
from firetower.storage.call_rows import of_verification
from firetower.storage.pool import store_errors


@dataclass(frozen=True, slots=True)
class _Asked:
    actor: str
    expected_version: int | None
    key: str | None


class AlertActs:
    """The acting half of the store of alerts. Every method may raise StoreUnavailable.

    The acts raise NotFound, InvalidInput, and Conflict with the alert as it stands as ``current``: its state does not
    allow the act, or ``expected_version`` is given and not the alert's. ``idempotency_key`` used before by the same
    actor for the same request: the current alert and no second act; for another request: Conflict.
    """

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def act(
        self,
        alert_id: int,
        act: Act,
        *,
        actor: str,
        expected_version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Alert:
        """Do ``act`` (``alerts/acts.py``) and return the alert after it."""
        asked = _Asked(actor, expected_version, idempotency_key)
        with store_errors():
            while True:
                try:
                    async with self._pool.acquire() as conn, conn.transaction():
                        return await self._act(conn, alert_id, act, asked)
                except asyncpg.UniqueViolationError as err:
                    # A new alert took the key in the moment this one was reopened: the next look finds it.
                    if err.constraint_name != "alert_one_open_per_key":
                        raise

    async def report(self, report: Report, *, actor: str, idempotency_key: str | None = None) -> Alert:
        """电话报警: raise an alert that a person reported. InvalidInput names what the report lacks or mistakes."""
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                at, before = self._clock.now(), None
                if idempotency_key is not None:
                    request = json.dumps(["Report", asdict(report)], ensure_ascii=False, sort_keys=True)
                    before = await idempotency.used_at(conn, idempotency_key, actor, request, at)
                if before is not None:
                    return await alert_reports.find(conn, alert_reports.component_of(idempotency_key, actor, before))
                component = alert_reports.component_of(idempotency_key, actor, at)
                alert = await alert_reports.insert(conn, report, component=component, actor=actor, at=at)
                await changes.announce(conn, [alert.id], at)
        alerts_raised.labels(alert.alert_class.value).inc()
        return alert

    async def _act(self, conn: Any, alert_id: int, act: Act, asked: _Asked) -> Alert:
        at, expected = self._clock.now(), asked.expected_version
        if asked.key is not None:
            said = [type(act).__name__, alert_id, expected, asdict(act)]
            request = json.dumps(said, ensure_ascii=False, sort_keys=True)
            if await idempotency.used_at(conn, asked.key, asked.actor, request, at) is not None:
                return await get(conn, alert_id)
        alert = await get(conn, alert_id, lock=True)
        if expected is not None and alert.version != expected:
            raise Conflict(
                f"alert {alert_id} has changed: version {expected} was expected, it is {alert.version}"
                f" ({alert.state}); look at it again before acting",
                current=alert,
            )
        if isinstance(act, Assign):
            await _check_may_act(conn, act.to)
        if isinstance(act, Verify):
            spoken_to = await of_verification(conn, alert_id, act)
            act = replace(act, person=act.person or spoken_to)
        after, entries = decide(alert, act, actor=asked.actor, at=at)
        if isinstance(act, Reopen):
            await _check_key_is_free(conn, alert)
        if after is not alert:
            await update(conn, [after])
        await append_history(conn, [(alert_id, entry) for entry in entries])
        if any(entry.reason in WRITTEN_FOR for entry in entries):
            after = await get(conn, alert_id)  # with its hand-over as it is by now
        await changes.announce(conn, [alert_id], at)
        return after


async def get(conn: Any, alert_id: int, *, lock: bool = False) -> Alert:
    """Return one alert, its row locked if asked; raises NotFound."""
    row = None
    if 0 < alert_id < 2**63:
        if lock:  # apart: whoever waited for the lock would else see the hand-over as it was before
            await conn.execute("SELECT FROM alert WHERE id = $1 FOR NO KEY UPDATE", alert_id)
        row = await conn.fetchrow(f"SELECT {COLUMNS} FROM alert a WHERE a.id = $1", alert_id)
    if row is None:
        raise NotFound(f"there is no alert {alert_id}; list alerts to find the one you mean")
    return to_alert(row)


async def _check_may_act(conn: Any, username: str) -> None:
    row = await conn.fetchrow("SELECT role, disabled_at FROM account WHERE username = $1", username)
    if row is None:
        why = "there is no such account"
    elif row["disabled_at"] is not None:
        why = "that account is disabled"
    elif row["role"] not in {"admin", "operator"}:
        why = f"that account is a {row['role']}, which may not act on alerts"
    else:
        return
    raise InvalidInput(
        f"the alert cannot be assigned to {username!r}: {why}; name an operator or an admin", {"field": "to"}
    )


async def _check_key_is_free(conn: Any, alert: Alert) -> None:
    """Raise Conflict when another alert holds the key of ``alert``: it is open, or what it was closed over stands."""
    newer = await conn.fetchrow(
        "SELECT id, state FROM alert WHERE rule = $1 AND subject_kind = $2 AND subject = $3 AND component = $4"
        " AND (state <> 'closed' OR condition = 'active') AND id <> $5",
        alert.rule,
        alert.subject_kind,
        alert.subject,
        alert.component,
        alert.id,
    )
    if newer is not None:
        raise Conflict(
            f"alert {alert.id} cannot be reopened: alert {newer['id']} ({newer['state']}) is of the same point and"
            " newer; act on that one",
            current=alert,
        )
