"""The duty roster 排班 on PostgreSQL: one plan, replaced as a whole, each time noted in the shift log."""

from dataclasses import dataclass

from firetower.alerts.watch.log import LogKind
from firetower.alerts.watch.roster import DutyRoster
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import Conflict, InvalidInput
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry

_LOCK = 0x6669_7265_0007
"""Advisory lock of whoever replaces the roster."""


@dataclass(frozen=True, slots=True)
class StoredRoster:
    """The roster in force. ``revision`` 0, and nobody's, before there was one; ``changed_at`` in µs."""

    roster: DutyRoster
    revision: int = 0
    changed_at: Micros | None = None
    changed_by: str | None = None


async def get(pool: Pool) -> StoredRoster:
    """Return the roster in force. Raises StoreUnavailable."""
    with store_errors():
        row = await pool.fetchrow("SELECT plan, revision, changed_at, changed_by FROM duty_roster")
    if row is None:
        return StoredRoster(DutyRoster())
    plan = DutyRoster.model_validate(row["plan"])
    return StoredRoster(plan, row["revision"], from_datetime(row["changed_at"]), row["changed_by"])


async def replace(pool: Pool, roster: DutyRoster, expected: int | None, *, actor: str, at: Micros) -> StoredRoster:
    """Put another roster into force. Raises Conflict where its revision is not the ``expected`` one, InvalidInput where
    somebody named in it is no enabled operator or admin.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            revision = await conn.fetchval("SELECT revision FROM duty_roster") or 0
            if expected not in {None, revision}:
                raise Conflict(
                    f"the roster has changed: revision {expected} was expected, it is {revision}; load it again",
                    current={"revision": revision},
                )
            rows = await conn.fetch(
                "SELECT username FROM account WHERE role IN ('admin', 'operator') AND disabled_at IS NULL"
            )
            unknown = sorted(roster.accounts() - {row["username"] for row in rows})
            if unknown:
                raise InvalidInput(
                    f"the roster names {', '.join(map(repr, unknown[:10]))}, who is no enabled operator or admin;"
                    " add the account (`firetower users add`), or take the name out",
                    {"field": "accounts", "unknown": unknown},
                )
            await conn.execute(
                "INSERT INTO duty_roster (plan, revision, changed_at, changed_by) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (one) DO UPDATE SET plan = excluded.plan, revision = excluded.revision,"
                " changed_at = excluded.changed_at, changed_by = excluded.changed_by",
                roster.model_dump(mode="json"),
                revision + 1,
                to_datetime(at),
                actor,
            )
            await log_entry(conn, at, LogKind.ROSTER, actor, evidence={"revision": revision + 1})
    return StoredRoster(roster, revision + 1, at, actor)
