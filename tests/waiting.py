"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def until(condition: Callable[[], Any | Awaitable[Any]], seconds: float = 10, what: str = "") -> Any:
    """Return the first truthy value of ``condition`` (plain or async); fail after ``seconds``.

    What takes long to ask is asked a quarter of the time: who is asked without a pause gets to nothing else.
    """
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        answered = time.monotonic()
        if answered > deadline:
            raise AssertionError(f"not within {seconds} s: {what or inspect.getsource(condition).strip()}")
        await asyncio.sleep(min(max(0.01, 3 * (answered - asked)), 0.2))
