"""What accounts answer for, on PostgreSQL, and which units that leaves to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from firetower.alerts.watch.log import LogKind
from firetower.alerts.watch.own import NAMED
from firetower.alerts.watch.scopes import EVERYTHING, Scope
from firetower.core.clock import Micros, to_datetime
from firetower.core.errors import InvalidInput, NotFound
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry

_IN_SCOPE = "(u.code = ANY($1::text[]) OR g.code = ANY($2::text[]) OR g.district = ANY($3::text[]))"
_GAPS = f"""
SELECT count(*) AS count, (array_agg(u.code ORDER BY u.code))[1:{NAMED}] AS units
FROM unit u LEFT JOIN grid g ON g.id = u.grid_id WHERE {_IN_SCOPE} IS NOT TRUE
"""
_LYING = f"""
SELECT a.id FROM alert a LEFT JOIN unit u ON u.code = a.unit LEFT JOIN grid g ON g.id = u.grid_id
WHERE a.id = ANY($4::bigint[]) AND (a.unit IS NULL OR a.unit = ANY($1::text[]) OR {_IN_SCOPE})
"""
_PEOPLE = """
SELECT a.username, a.role, a.unit, a.disabled_at IS NOT NULL AS disabled, s.units, s.grids, s.districts
FROM account a LEFT JOIN account_scope s ON s.account = a.username
"""
_UNKNOWN = """
SELECT 'unit' AS what, code FROM unnest($1::text[]) AS g (code)
WHERE NOT EXISTS (SELECT FROM unit WHERE unit.code = g.code)
UNION ALL
SELECT 'grid', code FROM unnest($2::text[]) AS g (code) WHERE NOT EXISTS (SELECT FROM grid WHERE grid.code = g.code)
UNION ALL
SELECT 'district', name FROM unnest($3::text[]) AS g (name)
WHERE NOT EXISTS (SELECT FROM grid WHERE grid.district = g.name)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """An account and what it answers for; ``unit``: whose it is, of role ``unit``."""

    username: str
    role: str
    unit: str | None
    disabled: bool
    scope: Scope


@dataclass(frozen=True, slots=True)
class Gaps:
    """Units in nobody's scope: how many, and the first ones by code."""

    count: int
    units: Sequence[str]


async def people(pool: Pool, roles: Sequence[str]) -> list[Person]:
    """Return the accounts of these roles, by name. Raises StoreUnavailable."""
    with store_errors():
        rows = await pool.fetch(f"{_PEOPLE} WHERE a.role = ANY($1::text[]) ORDER BY a.username", list(roles))
    return [_person(row) for row in rows]


async def person(pool: Pool, username: str) -> Person | None:
    """Return one account; None when there is none by that name. Raises StoreUnavailable."""
    with store_errors():
        row = await pool.fetchrow(f"{_PEOPLE} WHERE a.username = $1", username)
    return None if row is None else _person(row)


async def limited(conn: Any) -> dict[str, Scope]:
    """Return the scope of each account that does not answer for everything. Raises StoreUnavailable."""
    with store_errors():
        rows = await conn.fetch("SELECT account, units, grids, districts FROM account_scope")
    scopes = {row["account"]: _scope(row) for row in rows}
    return {account: scope for account, scope in scopes.items() if not scope.is_everything}


async def put(pool: Pool, account: str, scope: Scope, *, actor: str, at: Micros) -> None:
    """Give an account another scope. Raises NotFound, InvalidInput for codes that nobody registered."""
    given = _given(scope)
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            role = await conn.fetchval("SELECT role FROM account WHERE username = $1", account)
            if role is None:
                raise NotFound(f"there is no account {account!r}; see `firetower users list`")
            if role not in {"admin", "operator"}:
                raise InvalidInput(f"{account} is a {role}, who answers for nothing; scopes are operators' and admins'")
            unknown = await conn.fetchrow(_UNKNOWN, *given)
            if unknown is not None:
                what, code = unknown["what"], unknown["code"]
                raise InvalidInput(
                    f"there is no {what} {code!r}; register it, or mend its name",
                    {"field": f"{what}s", "unknown": code},
                )
            await conn.execute(
                "INSERT INTO account_scope (account, units, grids, districts, changed_at, changed_by)"
                " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account) DO UPDATE SET units = excluded.units,"
                " grids = excluded.grids, districts = excluded.districts, changed_at = excluded.changed_at,"
                " changed_by = excluded.changed_by",
                account,
                *given,
                to_datetime(at),
                actor,
            )
            said = dict(zip(("account", "units", "grids", "districts"), (account, *given), strict=True))
            await log_entry(conn, at, LogKind.SCOPE, actor, evidence=said)


async def gaps(conn: Any, scope: Scope) -> Gaps:
    """Return which registered units lie outside of ``scope``. Raises StoreUnavailable."""
    if scope.is_everything:
        return Gaps(0, ())
    with store_errors():
        row = await conn.fetchrow(_GAPS, *_given(scope))
    return Gaps(row["count"], row["units"] or ())


async def lying_in(pool: Pool, scope: Scope, alert_ids: Sequence[int]) -> list[int]:
    """Return which alerts lie in ``scope``; those of no unit lie in everybody's. Raises StoreUnavailable."""
    with store_errors():
        rows = await pool.fetch(_LYING, *_given(scope), list(alert_ids))
    return [row["id"] for row in rows]


def _given(scope: Scope) -> tuple[list[str], list[str], list[str]]:
    return sorted(scope.units), sorted(scope.grids), sorted(scope.districts)


def _person(row: Any) -> Person:
    return Person(row["username"], row["role"], row["unit"], row["disabled"], _scope(row))


def _scope(row: Any) -> Scope:
    if row["units"] is None:
        return EVERYTHING
    return Scope(frozenset(row["units"]), frozenset(row["grids"]), frozenset(row["districts"]))
