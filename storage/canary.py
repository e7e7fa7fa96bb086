"""The canary's last flight: when it was sent and when it was committed, stored and told with the live changes."""

from typing import Any

import asyncpg

from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.storage.pool import store_errors

_WORD = "canary"
_LATEST = "SELECT sent_at, committed_at FROM canary"


def noting(sent: Micros, at: Micros, channel: str) -> str:
    """Return the script that notes a canary sent at ``sent`` and committed at ``at``, and tells it on ``channel``.

    Of numbers only. One that comes after a newer one is not noted.
    """
    return (
        f"INSERT INTO canary (sent_at, committed_at) VALUES ('{to_datetime(sent)}', '{to_datetime(at)}')"
        " ON CONFLICT (one) DO UPDATE SET sent_at = excluded.sent_at, committed_at = excluded.committed_at"
        " WHERE canary.sent_at <= excluded.sent_at;"
        f"SELECT pg_notify('{channel}', '{_WORD} {sent:d} {at:d}');"
    )


def heard(payload: str) -> tuple[Micros, Micros] | None:
    """Return (sent, committed) of a notification that ``noting`` made; None for any other."""
    word, _, times = payload.partition(" ")
    if word != _WORD:
        return None
    sent, _, committed = times.partition(" ")
    return int(sent), int(committed)


async def latest(pool: asyncpg.Pool) -> tuple[Micros, Micros] | None:
    """Return when the newest canary was sent and when it was committed, µs; None before the first."""
    with store_errors():
        return await latest_on(pool)


async def latest_on(conn: Any, **options: Any) -> tuple[Micros, Micros] | None:
    """``latest`` on a connection, with the database's errors as they are."""
    row = await conn.fetchrow(_LATEST, **options)
    return None if row is None else (from_datetime(row["sent_at"]), from_datetime(row["committed_at"]))
