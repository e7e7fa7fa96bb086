"""The name of this installation: made once, kept in its database, part of its client ids at the broker."""

import secrets

import asyncpg

from firetower.storage.pool import store_errors


async def installation_id(pool: asyncpg.Pool) -> str:
    """Return 16 hexadecimal digits that nobody outside knows, the same at every start.

    Brokers bind a session to its client id and not to an account: whoever connects under a session's id takes it over
    and can delete its queue. So the ids of the ingest's sessions must not be guessable (docs/decisions/0007).
    """
    with store_errors():
        await pool.execute("INSERT INTO installation (id) VALUES ($1) ON CONFLICT DO NOTHING", secrets.token_hex(8))
        return str(await pool.fetchval("SELECT id FROM installation"))
