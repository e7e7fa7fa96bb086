"""The desk's step that watches the watch: is anybody there, do they answer, is every unit somebody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.alerts.duty.watch import Watch as Plan
from firetower.alerts.watch import own
from firetower.alerts.watch.absence import Absence
from firetower.alerts.watch.log import FIRETOWER, LogKind
from firetower.alerts.watch.presence import OnDuty, is_steady, looked
from firetower.alerts.watch.scopes import Scope, union
from firetower.core.clock import SECOND, Micros, from_datetime, rfc3339, to_datetime
from firetower.core.logs import logger
from firetower.storage import seats, watch, watch_scopes
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.own_alerts import tell
from firetower.storage.pool import store_errors
from firetower.storage.watch_log import log_entry
from firetower.storage.watch_scopes import Gaps

_GAPS_EVERY: Micros = 30 * SECOND
"""Registered units are compared with one and the same scope this often."""

_STANDING = (
    "SELECT rule, component, CASE WHEN state <> 'closed' THEN text END AS text FROM alert"
    " WHERE rule = ANY($1::text[]) AND subject_kind = 'system' AND condition = 'active'"
    " AND (state <> 'closed' OR condition = 'active')"
)
_STATE = "SELECT unattended_since, left_at, uncovered_since, uncovered FROM watch_state"
_GONE = (
    "SELECT d.account FROM watch_duty d JOIN account a ON a.username = d.account"
    " WHERE a.disabled_at IS NOT NULL OR a.role NOT IN ('admin', 'operator')"
)

_log = logger("storage.watch_step")


@dataclass(frozen=True, slots=True)
class _Stored:
    """What stands in the store: since when nobody is there, and which units are nobody's; None: all is well."""

    unattended_since: Micros | None
    left: bool
    uncovered_since: Micros | None
    gaps: Gaps | None


class WatchStep:
    """Step ``watch``. What has been missing for how long is known to this instance; what stands is stored."""

    name = "watch"

    def __init__(self, pool: asyncpg.Pool, lease: Fence, plan: Plan) -> None:
        self._pool = pool
        self._lease = lease
        self._plan = plan
        self._empty = Absence()
        self._gap = Absence()
        self._compared: tuple[Scope, Micros, Gaps] | None = None
        self._looked_at: Micros | None = None

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:  # noqa: ARG002  # reason: seats and time
        """Look at the seats, ask and miss whoever is on duty, raise and clear. Raises LeaseLost, StoreUnavailable."""
        with store_errors():
            sounding = [account for _, account in await seats.sounding(self._pool, now)]
            before = await self._stored()
            duty = await watch.on_duty(self._pool)
            gone = {row["account"] for row in await self._pool.fetch(_GONE)} if duty else set()
            found = await self._gaps(sounding, now)
            self._empty = self._empty.after(now, missing=not sounding)
            if found is not None:
                self._gap = self._gap.after(now, missing=found.count > 0)
            after = self._decided(before, found, now, attended=bool(sounding))
            steady = is_steady(self._looked_at, now)
            asked = [self._presence(each, now, steady=steady, asks=bool(sounding)) for each in duty]
            if after != before or asked != duty or gone:
                async with fenced(self._pool, self._lease) as conn:
                    await _write(conn, before, after, now)
                    duty = await self._write_presence(conn, gone, now, steady=steady, asks=bool(sounding))
            rows = await self._pool.fetch(_STANDING, list(own.RULES))
        standing = {(row["rule"], row["component"]): row["text"] for row in rows}
        await tell(self._pool, self._lease, own.differences(self._wanted(after, duty), standing, now), now)
        self._looked_at = now

    async def _stored(self) -> _Stored:
        row = await self._pool.fetchrow(_STATE)
        assert row is not None  # one row always stands there
        since, uncovered_since = (
            None if row[name] is None else from_datetime(row[name]) for name in ("unattended_since", "uncovered_since")
        )
        gaps = row["uncovered"]
        return _Stored(
            since,
            row["left_at"] is not None,
            uncovered_since,
            None if gaps is None else Gaps(gaps["count"], tuple(gaps["units"])),
        )

    async def _gaps(self, sounding: Sequence[str], now: Micros) -> Gaps | None:
        """Return the units that nobody at a seat answers for; None while nobody is at one."""
        limited = await watch_scopes.limited(self._pool)
        scope = union(limited.get(account, Scope()) for account in sounding)
        if scope is None:
            return None
        known = self._compared
        if known is None or known[0] != scope or not 0 <= now - known[1] < _GAPS_EVERY:
            found = await watch_scopes.gaps(self._pool, scope)
            self._compared = known = (scope, now, Gaps(found.count, tuple(found.units)))
        return known[2]

    def _decided(self, before: _Stored, found: Gaps | None, now: Micros, *, attended: bool) -> _Stored:
        since = before.unattended_since
        if attended:
            since = None
        elif since is None and (self._empty.stands or before.left):
            since = now
        uncovered_since, gaps = before.uncovered_since, before.gaps
        if found is not None and found.count == 0:
            uncovered_since = gaps = None
        elif found is not None and (self._gap.stands or gaps is not None):
            uncovered_since, gaps = uncovered_since or now, found
        return _Stored(since, before.left and not attended, uncovered_since, gaps)

    def _presence(self, duty: OnDuty, now: Micros, *, steady: bool, asks: bool) -> OnDuty:
        return looked(duty, now, self._plan.every, self._plan.answer_within, steady=steady, asks=asks)

    async def _write_presence(
        self, conn: Any, gone: set[str], now: Micros, *, steady: bool, asks: bool
    ) -> list[OnDuty]:
        """Ask and miss, decided on locked rows: somebody may just have answered. Return who is on duty then."""
        left = []
        for each in await watch.on_duty(conn, lock=True):
            if each.account in gone:
                await watch.take_off(conn, each.account)
                said: dict[str, object] = {"of": each.account, "reason": "may act no more"}
                await log_entry(conn, now, LogKind.SIGN_OFF, FIRETOWER, evidence=said)
                continue
            after = self._presence(each, now, steady=steady, asks=asks)
            left.append(after)
            if after is each:
                continue
            await watch.write_presence(conn, after)
            if after.missed_at is not None and after.asked_at is not None:
                said = {"account": after.account, "asked_at": rfc3339(after.asked_at)}
                await log_entry(conn, now, LogKind.PRESENCE_MISSED, FIRETOWER, evidence=said)
        return left

    def _wanted(self, state: _Stored, duty: Sequence[OnDuty]) -> dict[own.Key, str]:
        wanted = [own.absent(each.account, self._plan.answer_within) for each in duty if each.missed_at is not None]
        if state.unattended_since is not None and self._plan.unattended == "on":
            wanted.append(own.unattended())
        if state.gaps is not None:
            wanted.append(own.uncovered(state.gaps.count, state.gaps.units))
        return dict(wanted)


async def _write(conn: Any, before: _Stored, after: _Stored, now: Micros) -> None:
    """Store what is the case from now on, and note in the log what began and what ended."""
    if after == before:
        return
    gaps = None if after.gaps is None else {"count": after.gaps.count, "units": list(after.gaps.units)}
    await conn.execute(
        "UPDATE watch_state SET unattended_since = $1, uncovered_since = $2, uncovered = $3,"
        " left_at = CASE WHEN $4 THEN NULL ELSE left_at END",
        _time(after.unattended_since),
        _time(after.uncovered_since),
        gaps,
        before.left and not after.left,
    )
    for was, since, began, ended, said in (
        (before.unattended_since, after.unattended_since, LogKind.UNATTENDED, LogKind.ATTENDED, None),
        (before.uncovered_since, after.uncovered_since, LogKind.UNCOVERED, LogKind.COVERED, gaps),
    ):
        if was is None and since is not None:
            _log.warning("the watch is %s", began)
            await log_entry(conn, now, began, FIRETOWER, evidence=said)
        elif was is not None and since is None:
            lasted = {"since": rfc3339(was), "seconds": max(now - was, 0) // SECOND}
            await log_entry(conn, now, ended, FIRETOWER, evidence=lasted)


def _time(at: Micros | None) -> Any:
    return None if at is None else to_datetime(at)
