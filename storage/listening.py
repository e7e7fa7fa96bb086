"""Following a NOTIFY channel: connected again after every loss, and asked now and then: silence proves nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.storage.pool import heed_cancellation, is_not_now

LOOKS_EVERY_S = 5.0
"""A follower asks the database itself this often, so that a connection that died without a word is noticed."""
ANSWER_S = 5.0
"""Longest a look may take."""
_LONGEST_WAIT_S = 5.0

_log = logger("storage.listening")

Look = Callable[[Any, bool], Awaitable[None]]
"""``(connection, whether it is new)``: brings the follower up to date."""


async def follow(source: asyncpg.Pool | str, channel: str, *, look: Look, heard: Callable[[str], None]) -> None:
    """Call ``heard`` with the payload of each NOTIFY on ``channel``, until cancelled.

    ``look`` is called on every new connection, after it listens, and every LOOKS_EVERY_S. ``source``: a database URL,
    or a pool of which one connection is kept.
    """
    failures = 0
    while True:
        connected = False
        try:
            async with _connection(source) as conn:
                lost = asyncio.Event()
                async with _listening(conn, channel, heard, lost, pooled=not isinstance(source, str)):
                    while not lost.is_set():
                        await look(conn, not connected)
                        connected, failures = True, 0
                        await _wait(lost, LOOKS_EVERY_S)
        except Exception as err:
            if not isinstance(err, StoreUnavailable) and not is_not_now(err):
                raise
            heed_cancellation(err)
            if connected or failures == 0:
                _log.warning(
                    "listening on %s was interrupted (%s: %s); connecting again", channel, type(err).__name__, err
                )
        failures += 1
        await asyncio.sleep(random.uniform(0.05, min(_LONGEST_WAIT_S, 0.1 * 2 ** min(failures, 10))))


@asynccontextmanager
async def _connection(source: asyncpg.Pool | str) -> AsyncIterator[Any]:
    if not isinstance(source, str):
        async with source.acquire(timeout=ANSWER_S) as pooled:
            yield pooled
        return
    conn = await asyncpg.connect(source, timeout=10, server_settings={"application_name": "firetower-live"})
    try:
        yield conn
    finally:
        conn.terminate()


@asynccontextmanager
async def _listening(
    conn: Any, channel: str, heard: Callable[[str], None], lost: asyncio.Event, *, pooled: bool
) -> AsyncIterator[None]:
    def on_notify(_conn: Any, _pid: int, _channel: str, payload: str) -> None:
        heard(payload)

    def on_end(_conn: Any) -> None:
        lost.set()

    conn.add_termination_listener(on_end)
    await conn.add_listener(channel, on_notify)
    try:
        yield
    finally:
        # one of our own is terminated anyway, and a database that hangs would never answer the UNLISTEN
        if pooled and not conn.is_closed():
            conn.remove_termination_listener(on_end)
            await conn.remove_listener(channel, on_notify)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
