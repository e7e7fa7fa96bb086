"""What an admin does to accounts: each act in one transaction with its entry in the shift log, one at a time."""

import json
from typing import Any

from firetower.alerts.watch.log import LogKind
from firetower.core.clock import Micros, to_datetime
from firetower.core.errors import Conflict, InvalidInput, NotFound
from firetower.storage import accounts, watch
from firetower.storage.accounts import Account, Role
from firetower.storage.idempotency import used_at
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry

_OTHER_ADMINS = "SELECT count(*) FROM account WHERE role = 'admin' AND disabled_at IS NULL AND username <> $1"


async def add(
    pool: Pool,
    username: str,
    password_hash: str,
    role: Role,
    at: Micros,
    *,
    unit: str | None,
    actor: str,
    idempotency_key: str | None,
) -> Account:
    """Create an account. The same request under its key again: the account it made, whatever became of it since.

    Raises InvalidInput for a name, a role or a unit that cannot be, Conflict where the name is taken.
    """
    accounts.check_username(username)
    if (role == "unit") != (unit is not None):
        remedy = "name the unit it is of" if unit is None else "leave the unit out, or take role unit"
        raise InvalidInput(f"account {username!r} is to be of role {role}; {remedy}", {"field": "unit"})
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            if idempotency_key is not None:
                request = json.dumps(["account", username, role, unit], ensure_ascii=False)
                if await used_at(conn, idempotency_key, actor, request, at) is not None:
                    return await _get(conn, username)
            made = await accounts.insert(conn, username, password_hash, role, at, unit=unit)
            await _log(conn, at, actor, made, "added", role=role)
    return made


async def change_role(pool: Pool, username: str, role: Role, *, actor: str, at: Micros) -> Account:
    """Let an account do more or less. Raises NotFound; Conflict for a unit's, one's own, and who cannot be spared."""
    if role not in {"admin", "operator", "viewer"}:
        raise InvalidInput(f"{username} cannot become an account of a unit; add one instead", {"field": "role"})
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await watch.alone(conn)
            found = await _get(conn, username)
            if found.role == role:
                return found
            if found.role == "unit":
                raise Conflict(f"{username} is an account of unit {found.unit}; add one for the centre instead")
            await _check_can_spare(conn, found, actor, leaves_watch=role == "viewer")
            await conn.execute("UPDATE account SET role = $2 WHERE username = $1", username, role)
            await _log(conn, at, actor, found, "role", role=role, before=found.role)
            return await _get(conn, username)


async def disable(pool: Pool, username: str, *, actor: str, at: Micros) -> Account:
    """Let nobody sign in with an account, and end its sessions; again changes nothing.

    Raises NotFound; Conflict for one's own, the last admin's, and that of somebody on duty.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await watch.alone(conn)
            found = await _get(conn, username)
            if found.disabled_at is not None:
                return found
            await _check_can_spare(conn, found, actor, leaves_watch=True)
            await accounts.end_sessions(conn, found)
            await conn.execute("UPDATE account SET disabled_at = $2 WHERE username = $1", username, to_datetime(at))
            await _log(conn, at, actor, found, "disabled")
            return await _get(conn, username)


async def enable(pool: Pool, username: str, *, actor: str, at: Micros) -> Account:
    """Let a disabled account sign in again; again changes nothing. Raises NotFound."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await watch.alone(conn)
            found = await _get(conn, username)
            if found.disabled_at is not None:
                await conn.execute("UPDATE account SET disabled_at = NULL WHERE username = $1", username)
                await _log(conn, at, actor, found, "enabled")
            return await _get(conn, username)


async def set_password(pool: Pool, username: str, password_hash: str, *, actor: str, at: Micros) -> Account:
    """Give an account another password and end its sessions. Raises NotFound."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await watch.alone(conn)
            found = await _get(conn, username)
            await accounts.change_password(conn, found, password_hash)
            await _log(conn, at, actor, found, "password")
    return found


async def set_own_password(pool: Pool, username: str, password_hash: str, own: bytes, at: Micros) -> list[bytes]:
    """Give oneself another password; return the digests of the sessions that stay.

    The session ``own`` (its token's digest) stays. While one is on duty so do one's seats: the watch goes on sounding.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await watch.alone(conn)
            found = await _get(conn, username)
            keep = [own]
            if username in {each.account for each in await watch.on_duty(conn)}:
                rows = await conn.fetch("SELECT token_digest FROM seat WHERE account = $1", username)
                keep += [bytes(row["token_digest"]) for row in rows]
            await accounts.change_password(conn, found, password_hash, keep=keep)
            await _log(conn, at, username, found, "own_password")
    return keep


async def sign_out_everywhere(pool: Pool, username: str, *, actor: str, at: Micros, reason: str | None) -> None:
    """End every session of an account, and its duty with its last seat; ``reason``: an admin forces that.

    Raises NotFound; Conflict where the watch would be left without an owner.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await watch.alone(conn)
            found = await _get(conn, username)
            await watch.leave_altogether(conn, username, at, by=actor, reason=reason)
            await accounts.end_sessions(conn, found)
            await _log(conn, at, actor, found, "signed_out")


async def _check_can_spare(conn: Any, found: Account, actor: str, *, leaves_watch: bool) -> None:
    name = found.username
    if name == actor:
        raise Conflict(f"{name} cannot do this to their own account; let another admin do it")
    if found.role == "admin" and not await conn.fetchval(_OTHER_ADMINS, name):
        raise Conflict(f"{name} is the last admin whose account is enabled; make another one first")
    if leaves_watch and name in {each.account for each in await watch.on_duty(conn)}:
        raise Conflict(
            f"{name} is on duty; hand their watch over, or sign them off with a reason"
            ' (POST /api/v1/watch/off {"account", "reason"}), and do this then',
            current={"on_duty": [name]},
        )


async def _get(conn: Any, username: str) -> Account:
    found = await accounts.get(conn, username)
    if found is None:
        raise NotFound(f"there is no account {username!r}; GET /api/v1/accounts lists them")
    return found


async def _log(conn: Any, at: Micros, actor: str, account: Account, act: str, **said: str) -> None:
    await log_entry(conn, at, LogKind.ACCOUNT, actor, evidence={"account": account.username, "act": act, **said})
