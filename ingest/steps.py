"""Long work on the loop, in steps of milliseconds."""

import asyncio

_STEP_S, _REST_S = 0.003, 0.002
"""Longest that a step holds the loop, and how long the others have it then."""


async def turn_of_the_loop() -> None:
    """Let the others go on."""
    await asyncio.sleep(0)


class Steps:
    """Whoever has long work awaits ``turn`` in it, at least once a millisecond."""

    def __init__(self) -> None:
        self._until = 0.0

    async def turn(self) -> None:
        """Let the others go on when the step has lasted long enough."""
        loop = asyncio.get_running_loop()
        if loop.time() > self._until:
            await asyncio.sleep(_REST_S)
            self._until = loop.time() + _STEP_S
