"""Takes the pictures that are due, beside the desk's steps: what a camera does keeps no alarm and no step waiting.

What is due stands in the store, so a process that dies loses none: whoever keeps the desk next asks again. At most
AT_ONCE are asked for at once, OF_ONE of one host; what is over in number waits, and is given up when it is too late.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from urllib.parse import urlsplit

from firetower.alerts.cameras import taking
from firetower.alerts.cameras.eye import NoPicture
from firetower.alerts.cameras.ports import Picture, SnapshotStore, Wanted
from firetower.alerts.cameras.trouble import Trouble, Why
from firetower.core.clock import Clock, Micros
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.core.logs import logger

AT_ONCE, OF_ONE = 8, 3
STORED_AT_ONCE = 2
"""Of the pictures in hand: each holds a connection while its megabytes are written."""
LOOKED_AT = 500
"""Pictures that are due looked at in one look."""
LOOK_S = 0.3
RETRY_S = 2.0

_log = logger("alerts.cameras")


class Looks(Protocol):
    """What asks a camera (``eye.Eye``)."""

    async def look(self, address: str, secret: str | None) -> Picture:
        """Return the picture ``address`` answers with. Raises NoPicture."""
        ...


class Photographer:
    """Asks for what ``store`` holds. ``run`` while the lease is held. ``open_eye``: gives whoever asks, to be entered.

    What is in hand is kept by its host. A picture that came while the store was away is offered to it until it takes
    it: at most AT_ONCE of 4 MiB are held.
    """

    name = "cameras"

    def __init__(
        self, store: SnapshotStore, open_eye: Callable[[], AbstractAsyncContextManager[Looks]], clock: Clock
    ) -> None:
        self._store = store
        self._open_eye = open_eye
        self._clock = clock
        self._in_hand: dict[int, str] = {}
        self._freed = asyncio.Event()
        self._writing = asyncio.Semaphore(STORED_AT_ONCE)

    async def run(self) -> None:
        """Take pictures until cancelled. Raises LeaseLost."""
        self._in_hand.clear()
        async with self._open_eye() as eye, asyncio.TaskGroup() as tasks:
            while True:
                self._freed.clear()
                wait = LOOK_S
                try:
                    await self._begin(eye, tasks)
                except LeaseLost:
                    raise
                except StoreUnavailable as err:
                    _log.debug("pictures of cameras wait for the database: %s", err)
                    wait = RETRY_S
                except Exception:  # noqa: BLE001  # reason: whatever it is, it must end neither this nor the desk
                    _log.exception("pictures of cameras are hindered, and looked for again in %g s", RETRY_S)
                    wait = RETRY_S
                try:
                    async with asyncio.timeout(wait):
                        await self._freed.wait()
                except TimeoutError:
                    continue

    async def _begin(self, eye: Looks, tasks: asyncio.TaskGroup) -> None:
        if len(self._in_hand) >= AT_ONCE:
            return
        now = self._clock.now()
        due = {each.id: each for each in await self._store.due(now, list(self._in_hand), LOOKED_AT)}
        for each in list(due.values()):
            if each.address is None or taking.is_too_late(each.due, now):
                why = Why.REMOVED if each.address is None else Why.TOO_LATE
                await self._store.failed(due.pop(each.id), Trouble(why), None, None)
        waiting = [(each.id, urlsplit(each.address or "").netloc) for each in due.values()]
        for number in taking.begun(waiting, self._in_hand, at_once=AT_ONCE, of_one=OF_ONE):
            self._in_hand[number] = urlsplit(due[number].address or "").netloc
            tasks.create_task(self._take(eye, due[number]), name=f"picture {number}")

    async def _take(self, eye: Looks, wanted: Wanted) -> None:
        asked = self._clock.now()
        try:
            found = await self._look(eye, wanted)
            if isinstance(found, Trouble):
                await self._until_stored(lambda: self._missed(wanted, found, asked))
            else:
                taken = self._clock.now()
                await self._until_stored(lambda: self._store.keep(wanted, found, asked, taken))
        finally:
            self._in_hand.pop(wanted.id, None)
            self._freed.set()

    @staticmethod
    async def _look(eye: Looks, wanted: Wanted) -> Picture | Trouble:
        try:
            return await eye.look(wanted.address or "", wanted.secret)
        except NoPicture as err:
            return err.trouble
        except Exception:  # noqa: BLE001  # reason: whatever a camera answers, the others are asked
            _log.exception("asking a camera for picture %d failed", wanted.id)
            return Trouble(Why.UNREACHABLE)

    async def _missed(self, wanted: Wanted, trouble: Trouble, asked: Micros) -> None:
        again = taking.next_try(wanted.tries + 1, self._clock.now(), permanent=trouble.permanent)
        await self._store.failed(wanted, trouble, asked, again)

    async def _until_stored(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do ``act``, however long the database is away. Raises LeaseLost."""
        while True:
            try:
                async with self._writing:
                    await act()
            except StoreUnavailable as err:
                _log.debug("a picture of a camera waits for the database: %s", err)
                await asyncio.sleep(RETRY_S)
            except LeaseLost:
                raise
            except Exception:  # noqa: BLE001  # reason: it is asked for again by whoever keeps the desk next
                _log.exception("what became of a picture cannot be stored")
                await asyncio.sleep(RETRY_S)
                return
            else:
                return
