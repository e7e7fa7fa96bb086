"""Does what scenarios do to the service, beside the play, and lets go on what waited for it."""

import asyncio
from types import TracebackType
from typing import Protocol, Self

from firetower.core.clock import Clock, Micros
from firetower.core.errors import FiretowerError
from firetower.devices.city import Device
from firetower.simulator.play import Cue, Play
from firetower.simulator.truth import Run


class Conduct(Protocol):
    """Whoever can do an act to the service."""

    async def __call__(self, cue: Cue, device: Device, since: Micros) -> None:
        """Do it; FiretowerError when it cannot be done. ``since``: when the run began, µs."""


class Acting:
    """The acts of a play, each in a task of its own until it is done; ``failed``: those that could not be, and why."""

    def __init__(self, play: Play, course: Run, conduct: Conduct | None, clock: Clock) -> None:
        self._play, self._course, self._conduct, self._clock = play, course, conduct, clock
        self._tasks: dict[asyncio.Task[None], Cue] = {}
        self.failed: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task, cue in self._tasks.items():
            if not task.done():
                task.cancel()
                self.failed.append(f"{_name(cue)} was not done by the end of the run")
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether an act is under way."""
        return not all(task.done() for task in self._tasks)

    def look(self, now: Micros) -> None:
        """Begin what is due at ``now``."""
        for cue in self._play.cues(self._course.at(now)):
            task = asyncio.create_task(self._do(cue), name=_name(cue))
            self._tasks[task] = cue

    async def _do(self, cue: Cue) -> None:
        if self._conduct is None:
            self.failed.append(f"{_name(cue)} cannot be done: no service was given (--score URL)")
            return
        try:
            await self._conduct(cue, self._play.city.devices[cue.device], self._course.wall)
        except FiretowerError as err:
            self.failed.append(f"{_name(cue)}: {err}")
            return
        self._play.done(cue, self._course.at(self._clock.now()))


def _name(cue: Cue) -> str:
    return f"act {cue.act.name!r} of {cue.scenario}"
