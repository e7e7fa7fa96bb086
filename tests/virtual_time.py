"""A loop in which waiting takes no time: its clock goes on to whatever is awaited next. Not for sockets."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

from firetower.core.clock import SECOND, Micros


class _Idle(selectors.DefaultSelector):
    """Says at once that nothing has come, and that the time asked for has passed."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits for something that never comes")
        self.loop.passed += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        selector = _Idle()
        selector.loop = self
        self.passed = 1_000.0
        super().__init__(selector)

    def time(self) -> float:
        return self.passed


class LoopClock:
    """A wall clock that goes with the loop, and that may be set."""

    def __init__(self, start: Micros) -> None:
        self._offset = start - 1_000 * SECOND

    def now(self) -> Micros:
        return self._offset + round(asyncio.get_running_loop().time() * SECOND)

    def step(self, by: Micros) -> None:
        self._offset += by


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(test)
