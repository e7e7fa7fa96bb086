"""Waiting for the store no longer than a person can: a call that hangs is left to end by itself."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from firetower.core.errors import StoreUnavailable

Answer = TypeVar("Answer")


class Patience:
    """Asks the store and gives up on time.

    A statement that was sent to a hung database cannot be cancelled sooner than its own limit (30 s): asyncpg wants to
    hear of it first. So what is not answered goes on behind the back of whoever asked, and its end is looked at by
    nobody; it holds one connection of the pool meanwhile.
    """

    def __init__(self) -> None:
        self._asked: set[asyncio.Task[Any]] = set()

    async def ask(self, call: Coroutine[Any, Any, Answer], seconds: float) -> Answer:
        """Return what ``call`` returns; raises StoreUnavailable when that takes longer than ``seconds``."""
        task = asyncio.create_task(call, name="store call")
        self._asked.add(task)
        task.add_done_callback(self._ended)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(task)
        except TimeoutError as err:
            raise StoreUnavailable(
                f"the database did not answer within {seconds:g} s; check its load, locks and network"
            ) from err
        except asyncio.CancelledError:
            task.cancel()
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._asked.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain of it
