"""Console accounts and their sessions; passwords come hashed, tokens as SHA-256 digests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import Conflict, InvalidInput, NotFound
from firetower.storage.pool import store_errors
from firetower.storage.window_places import unit_number

Role = Literal["admin", "operator", "viewer", "unit"]
USERNAME_LIMIT = 64
"""Characters of the longest username; as many as sign-in takes."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in; ``disabled_at`` None while they may. Times in µs since the epoch.

    ``unit``: the code of the unit whose account it is, of role ``unit``; else None.
    """

    id: int
    username: str
    role: Role
    created_at: Micros
    disabled_at: Micros | None
    password_hash: str
    unit: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in session and whose it is. Times in µs since the epoch.

    ``shows_until``: beyond ``expires_at`` it shows and sounds until then, as a seat of the watch; else None.
    """

    account: Account
    created_at: Micros
    expires_at: Micros
    client: str
    shows_until: Micros | None = None


def check_username(given: str) -> None:
    """Raise InvalidInput for a name nobody could sign in with, or mistake for another one."""
    if not (1 <= len(given) <= USERNAME_LIMIT and given.isprintable() and not any(map(str.isspace, given))):
        raise InvalidInput(
            f"username {given!r} is not 1 to {USERNAME_LIMIT} printable characters without spaces",
            {"field": "username"},
        )


def _account(row: asyncpg.Record) -> Account:
    return Account(
        id=row["id"],
        username=row["username"],
        role=row["role"],
        created_at=from_datetime(row["account_created_at"]),
        disabled_at=None if row["disabled_at"] is None else from_datetime(row["disabled_at"]),
        password_hash=row["password_hash"],
        unit=row["unit"],
    )


_ACCOUNT = "a.id, a.username, a.role, a.created_at AS account_created_at, a.disabled_at, a.password_hash, a.unit"


async def add(
    pool: asyncpg.Pool, username: str, password_hash: str, role: Role, at: Micros, *, unit: str | None = None
) -> Account:
    """Create an account, with ``unit`` one of that unit's, of role ``unit``.

    Raises Conflict when the name is taken, InvalidInput when nobody registered the unit.
    """
    with store_errors():
        async with pool.acquire() as conn:
            return await insert(conn, username, password_hash, role, at, unit=unit)


async def insert(conn: Any, username: str, password_hash: str, role: Role, at: Micros, *, unit: str | None) -> Account:
    """Create an account on the caller's connection; see ``add``."""
    if unit is not None:
        await unit_number(conn, unit)
    row = await conn.fetchrow(
        "INSERT INTO account AS a (username, password_hash, role, created_at, unit) VALUES ($1, $2, $3, $4, $5)"
        f" ON CONFLICT (username) DO NOTHING RETURNING {_ACCOUNT}",
        username,
        password_hash,
        role,
        to_datetime(at),
        unit,
    )
    if row is None:
        raise Conflict(f"account {username!r} exists already; choose another name, or change its password")
    return _account(row)


async def find(pool: asyncpg.Pool, username: str) -> Account | None:
    """Return the account of that name, disabled or not; None when there is none."""
    with store_errors():
        return await get(pool, username)


async def get(conn: Any, username: str) -> Account | None:
    """Return the account of that name on the caller's connection; None when there is none."""
    row = await conn.fetchrow(f"SELECT {_ACCOUNT} FROM account a WHERE username = $1", username)
    return None if row is None else _account(row)


async def list_accounts(pool: asyncpg.Pool) -> list[Account]:
    """Return every account, by name."""
    with store_errors():
        rows = await pool.fetch(f"SELECT {_ACCOUNT} FROM account a ORDER BY username")
    return [_account(row) for row in rows]


async def set_password(pool: asyncpg.Pool, username: str, password_hash: str) -> None:
    """Give an account another password; its sessions end. Raises NotFound."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            account = await get(conn, username)
            if account is None:
                raise NotFound(f"there is no account {username!r}; see `firetower users list`")
            await change_password(conn, account, password_hash)


async def change_password(conn: Any, account: Account, password_hash: str, *, keep: Sequence[bytes] = ()) -> None:
    """Give an account another password inside the caller's transaction; its sessions end, but those of ``keep``."""
    await conn.execute("UPDATE account SET password_hash = $2 WHERE id = $1", account.id, password_hash)
    await end_sessions(conn, account, keep=keep)


async def end_sessions(conn: Any, account: Account, *, keep: Sequence[bytes] = ()) -> None:
    """End every session of an account, and empty its seats, inside the caller's transaction; but those of the tokens'
    digests ``keep``.
    """
    # the seats before any session: in the order in which a node writes them (``seats.write``)
    await conn.execute(
        "DELETE FROM seat WHERE account = $1 AND token_digest <> ALL ($2::bytea[])", account.username, list(keep)
    )
    await conn.execute(
        "DELETE FROM session WHERE account_id = $1 AND token_digest <> ALL ($2::bytea[])", account.id, list(keep)
    )


async def open_session(
    pool: asyncpg.Pool, account_id: int, digest: bytes, *, at: Micros, expires_at: Micros, client: str = ""
) -> None:
    """Store a session under the SHA-256 ``digest`` of its token; ``client``: what signed in, for the list."""
    with store_errors():
        await pool.execute(
            "INSERT INTO session (token_digest, account_id, created_at, expires_at, client)"
            " VALUES ($1, $2, $3, $4, $5)",
            digest,
            account_id,
            to_datetime(at),
            to_datetime(expires_at),
            client,
        )


async def find_session(pool: asyncpg.Pool, digest: bytes, now: Micros) -> Session | None:
    """Return the session of a token's digest; None when unknown, expired, or its account is disabled."""
    with store_errors():
        row = await pool.fetchrow(
            f"SELECT {_ACCOUNT}, s.created_at, s.expires_at, s.client, s.shows_until"
            " FROM session s JOIN account a ON a.id = s.account_id"
            " WHERE s.token_digest = $1 AND greatest(s.expires_at, s.shows_until) > $2 AND a.disabled_at IS NULL",
            digest,
            to_datetime(now),
        )
    if row is None:
        return None
    return Session(
        account=_account(row),
        created_at=from_datetime(row["created_at"]),
        expires_at=from_datetime(row["expires_at"]),
        client=row["client"],
        shows_until=None if row["shows_until"] is None else from_datetime(row["shows_until"]),
    )


async def purge_sessions(pool: asyncpg.Pool, now: Micros) -> int:
    """Delete the sessions that have expired and show no more; return how many."""
    with store_errors():
        done = await pool.execute(
            "DELETE FROM session WHERE expires_at <= $1 AND (shows_until IS NULL OR shows_until <= $1)",
            to_datetime(now),
        )
    return int(done.rsplit(" ", 1)[1])
