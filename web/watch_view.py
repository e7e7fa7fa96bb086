"""The watch as the consoles are told of it: looked up for the whole node, a question only to whom it is put."""

import asyncio
from collections.abc import Callable, Mapping

from firetower.alerts.watch.scopes import EVERYTHING, Scope
from firetower.core.clock import SECOND, Micros
from firetower.storage import watch, watch_scopes
from firetower.storage.watch import Watch
from firetower.web.deps import Deps
from firetower.web.store_rounds import StoreRounds
from firetower.web.watch_json import PresenceOut, WatchFrame, members_of, presence_of

EVERY_S = 2.0
_NOTED_EVERY: Micros = 60 * SECOND
"""While nothing is asked, that somebody is there is written down this often."""
_NOBODY = Watch((), (), None, 0, None)
_UNASKED = b"null}}"


class WatchView:
    """``watch``: as of the last look, two seconds ago at most; while the store is away what was known stands.

    ``changed``: called when the consoles have something new to be told.
    """

    def __init__(self, deps: Deps, changed: Callable[[], None]) -> None:
        self._deps = deps
        self._changed = changed
        self._rounds = StoreRounds("the watch")
        self.watch = _NOBODY
        self._limited: Mapping[str, Scope] = {}
        self._noted: dict[str, Micros] = {}
        self._pressed: set[str] = set()
        self._has_pressed = asyncio.Event()
        self._presses = StoreRounds("who is there")
        self.written = self._write()

    async def run(self) -> None:
        """Look, and write who is there, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_often(), name="watch, looking")
            tasks.create_task(self._note_pressed(), name="watch, who is there")

    async def _look_often(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def _note_pressed(self) -> None:
        while True:
            await self._has_pressed.wait()
            self._has_pressed.clear()
            pressed, self._pressed = self._pressed, set()
            await asyncio.gather(*(self._presses.ask(self.is_there(account), EVERY_S) for account in pressed))

    async def look(self) -> None:
        """Look once."""
        found = await self._rounds.ask(self._found(), EVERY_S)
        if found is None:
            return
        before = self.written, [each.asked_at for each in self.watch.on_duty]
        self.watch, self._limited = found
        self.written = self._write()
        if before != (self.written, [each.asked_at for each in self.watch.on_duty]):
            self._changed()

    def scope_of(self, account: str) -> Scope:
        """Return what an account answers for."""
        return self._limited.get(account, EVERYTHING)

    def told(self, frame: bytes, account: str) -> bytes:
        """Return a frame, which ends with ``written`` and a brace, as ``account`` is to have it."""
        asked = self._asked(account)
        if asked is None:
            return frame
        return b"%b%b}}" % (frame[: -len(_UNASKED)], asked.model_dump_json().encode())

    def pressed(self, account: str) -> None:
        """Have it noted that somebody has pressed a key. Nobody's feed waits for the store."""
        self._pressed.add(account)
        self._has_pressed.set()

    async def is_there(self, account: str) -> None:
        """Note that somebody on duty has pressed a key. Raises StoreUnavailable."""
        now = self._deps.clock.now()
        if all(each.account != account for each in self.watch.on_duty):
            return
        asked = self._asked(account) is not None
        if not asked and 0 <= now - self._noted.get(account, -_NOTED_EVERY) < _NOTED_EVERY:
            return
        self._noted[account] = now
        await watch.show_presence(self._deps.pool, account, now)
        if asked:
            await self.look()

    def _asked(self, account: str) -> PresenceOut | None:
        for each in self.watch.on_duty:
            if each.account == account:
                return presence_of(each, self._deps.duty.watch.answer_within)
        return None

    async def _found(self) -> tuple[Watch, Mapping[str, Scope]]:
        now = self._deps.clock.now()
        return await watch.latest(self._deps.pool, now), await watch_scopes.limited(self._deps.pool)

    def _write(self) -> bytes:
        """Return the member ``watch`` of a frame, with nothing asked; ``told`` goes by how it ends."""
        return WatchFrame(**members_of(self.watch, None)).model_dump_json().encode()
