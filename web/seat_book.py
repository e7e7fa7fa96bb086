"""The seats of this node: whose console is connected and heard of, and whether its sound is proven to work."""

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass

from firetower.core.clock import Micros
from firetower.storage import seats
from firetower.storage.seats import COUNTS_FOR, Seat
from firetower.web.deps import Deps, Person
from firetower.web.store_rounds import StoreRounds

EVERY_S = 5.0
_TOGETHER_S = 0.25  # what joins and leaves within this time is written at once
_WRITE_S = 5.0
_LEAVE_S = 1.0


@dataclass(slots=True)
class _Console:
    person: Person
    heard_at: Micros
    armed: bool = False


class SeatBook:
    """Consoles by their subscriptions. ``run`` writes them to the store every five seconds and at each change."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._consoles: dict[object, _Console] = {}
        self._node = f"{socket.gethostname()}/{secrets.token_hex(4)}"
        self._changed = asyncio.Event()
        self._rounds = StoreRounds("the seats of this node")
        self._stored = False

    def join(self, of: object, person: Person) -> None:
        """Note a console that connected."""
        self._consoles[of] = _Console(person, self._deps.clock.now())
        self._changed.set()

    def heard(self, of: object, *, armed: bool | None = None) -> None:
        """Note that a console said something; ``armed``: whether its sound is proven to work, None: it did not say."""
        console = self._consoles[of]
        console.heard_at = self._deps.clock.now()
        if armed is not None and armed is not console.armed:
            console.armed = armed
            self._changed.set()

    def leave(self, of: object) -> None:
        """Note that a console is gone."""
        if self._consoles.pop(of, None) is not None:
            self._changed.set()

    def seats(self, now: Micros) -> list[Seat]:
        """Return the seats that are live at ``now``, each session once."""
        live = [console for console in self._consoles.values() if now - console.heard_at < COUNTS_FOR]
        armed = {console.person.digest for console in live if console.armed}
        people = {console.person.digest: console.person.username for console in live}
        return [Seat(digest, username, digest in armed) for digest, username in people.items()]

    def is_armed(self, digest: bytes, now: Micros) -> bool:
        """Say whether a session has a live seat here whose sound works."""
        return any(seat.armed for seat in self.seats(now) if seat.digest == digest)

    async def run(self) -> None:
        """Keep the store told until cancelled; then empty this node's seats."""
        try:
            while True:
                self._changed.clear()
                await self._write(self.seats(self._deps.clock.now()), _WRITE_S)
                await asyncio.sleep(_TOGETHER_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        await self._changed.wait()
        finally:
            await self._write([], _LEAVE_S)

    async def _write(self, live: list[Seat], seconds: float) -> None:
        if not live and not self._stored:
            return
        self._stored = True
        now = self._deps.clock.now()
        if await self._rounds.ask(_written(self._deps, self._node, live, now), seconds):
            self._stored = bool(live)


async def _written(deps: Deps, node: str, live: list[Seat], now: Micros) -> bool:
    await seats.write(deps.pool, node, live, now)
    return True
