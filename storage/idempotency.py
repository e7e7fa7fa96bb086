"""Requests remembered under the key their sender gave them, so that one sent again does nothing again."""

from typing import Any

import asyncpg

from firetower.core.clock import DAY, Micros, from_datetime, to_datetime
from firetower.core.errors import Conflict, InvalidInput
from firetower.storage.pool import store_errors

KEYS_KEPT_FOR: Micros = DAY
"""How long an Idempotency-Key is remembered."""
KEY_LIMIT = 200
"""Characters of an Idempotency-Key."""


async def used_at(conn: Any, key: str, actor: str, request: str, at: Micros) -> Micros | None:
    """Remember ``request`` under its key inside the caller's transaction; None: it is the first time.

    Else return when the same one was made; InvalidInput for no key, Conflict when it was another request's.
    """
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
        return None
    before = await conn.fetchrow("SELECT request, at FROM idempotency WHERE key = $1 AND account = $2", key, actor)
    if before["request"] != request:
        raise Conflict(
            f"Idempotency-Key {key!r} was used by {actor} for another request; send a new key with a new request"
        )
    return from_datetime(before["at"])


async def forget_keys(pool: asyncpg.Pool, now: Micros) -> int:
    """Forget the Idempotency-Keys of more than a day ago; return how many."""
    with store_errors():
        done = await pool.execute("DELETE FROM idempotency WHERE at < $1", to_datetime(now - KEYS_KEPT_FOR))
    return int(done.rsplit(" ", 1)[1])
