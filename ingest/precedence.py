"""Alarms first, on the one processor that the lanes share: telemetry makes way while an alarm is on its way."""

import asyncio

LONGEST_S = 0.05
"""Longest that one step of telemetry makes way: in a flood of alarms it goes on, slowly."""
HANGING_S = 0.5
"""An alarm that is on its way for longer waits for the store, not for the processor."""
LINGER_S = 0.01
"""After an alarm's commit the way stays free for its frame to the consoles."""


class Precedence:
    """``begin`` when an alarm arrives, ``end`` when none is left; whoever may wait calls ``give_way`` between steps."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()
        self._began = 0.0
        self._opening: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Note that an alarm has arrived."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._free.is_set():
            self._began = asyncio.get_running_loop().time()
            self._free.clear()

    def renew(self) -> None:
        """Note that an alarm is committed and others are on their way: the store works."""
        self._began = asyncio.get_running_loop().time()

    def end(self) -> None:
        """Note that every alarm is committed."""
        if self._opening is None and not self._free.is_set():
            self._opening = asyncio.get_running_loop().call_later(LINGER_S, self._open)

    def _open(self) -> None:
        self._opening = None
        self._free.set()

    async def give_way(self, longest: float = LONGEST_S) -> None:
        """Return once no alarm is on its way, or after ``longest`` s all the same; lets the loop turn in any case."""
        if self._free.is_set() or asyncio.get_running_loop().time() - self._began > HANGING_S:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(longest):
                await self._free.wait()
        except TimeoutError:
            return
