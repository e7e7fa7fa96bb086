"""Sends messages to 119 and reads their receipts, beside the desk's steps; fires first.

At most eight are on the way at once, and at most four that are no fires: an address that hangs keeps no fire waiting.
What is over in number waits in the store, where it loses nothing. A message that was on the way when the process died
is sent again, under the same key.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from firetower.alerts.handover.line import Line
from firetower.alerts.handover.model import Message
from firetower.alerts.handover.pacing import Bounds, Next, address, after_failure, after_taken
from firetower.alerts.handover.ports import Messages
from firetower.alerts.handover.receipt import TAKEN, NoReceipt, read
from firetower.alerts.notify import meters
from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.core.logs import logger
from firetower.core.outside import OutsideFailed, place, wait_before

AT_ONCE = 8
OTHERS_AT_ONCE = 4
"""Of what is no fire."""
LOOK_S = 0.2
"""The store is asked this often for what is to be sent."""
RETRY_S = 1.0
_CHANNEL = "command_centre"

_log = logger("alerts.handover")


class Sender:
    """Tells the command centre at the end of ``line`` what ``messages`` holds. ``run`` until cancelled.

    ``line`` None: none is configured, and nothing is sent; receipts that never came are recorded all the same.
    """

    name = "hand-over to 119"

    def __init__(self, line: Line | None, messages: Messages, clock: Clock) -> None:
        self._line = line
        self._messages = messages
        self._clock = clock
        self._in_hand: dict[int, bool] = {}
        self._first = 0
        self._taken: dict[int, int] = {}  # which address has taken a message it gives no receipt of yet
        self._quiet_until: dict[int, Micros] = {}
        self._done = asyncio.Event()
        self._trouble: str | None = None
        self._hindered: str | None = None

    async def run(self) -> None:
        """Send until cancelled. Raises LeaseLost."""
        self._in_hand.clear()
        self._taken.clear()
        configured = False
        async with asyncio.TaskGroup() as tasks:
            while True:
                configured = configured or await self._done_well(self._messages.configure(self._clock.now()))
                well = configured and await self._done_well(self._messages.miss(self._clock.now()))
                if self._line is not None:
                    well = await self._done_well(self._look(self._line, tasks)) and well
                try:
                    async with asyncio.timeout(LOOK_S if well and self._line is not None else RETRY_S):
                        await self._done.wait()
                except TimeoutError:
                    continue

    async def _done_well(self, work: Coroutine[Any, Any, None]) -> bool:
        """Return whether ``work`` was done; what hinders it must end neither this nor the desk. Raises LeaseLost."""
        try:
            await work
        except LeaseLost:
            raise
        except Exception as err:  # noqa: BLE001  # reason: whatever it is, 119 must be told what else there is
            words = None if isinstance(err, StoreUnavailable) else f"{type(err).__name__}: {err}"
            if words is not None and words != self._hindered:
                _log.exception("the hand-over to 119 is hindered and tried again")
            self._hindered = words
            return False
        return True

    async def _look(self, line: Line, tasks: asyncio.TaskGroup) -> None:
        """Begin to send what is due, as far as there is room."""
        self._done.clear()
        room = AT_ONCE - len(self._in_hand)
        if room <= 0:
            return
        for message in await self._messages.due(self._clock.now(), list(self._in_hand), room):
            others = sum(not is_fire for is_fire in self._in_hand.values())
            if message.is_fire or others < OTHERS_AT_ONCE:
                self._in_hand[message.id] = message.is_fire
                tasks.create_task(self._tell(line, message), name=f"message {message.key} to 119")

    async def _tell(self, line: Line, message: Message) -> None:
        try:
            await self._try(line, message)
        except StoreUnavailable as err:
            _log.warning("what became of message %s to 119 is not stored, it is sent again: %s", message.key, err)
            await asyncio.sleep(RETRY_S)
        except LeaseLost:
            raise
        except Exception:  # noqa: BLE001  # reason: whatever one message meets, the others go on, and it is tried again
            _log.exception("message %s to 119 failed and is tried again", message.key)
            await asyncio.sleep(RETRY_S)
        finally:
            del self._in_hand[message.id]
            self._done.set()

    async def _try(self, line: Line, message: Message) -> None:
        """Send once, and record what came of it."""
        centre = line.centre
        bounds = Bounds(len(centre.addresses), centre.tries, centre.slow, centre.within)
        body = await self._messages.claim(message, self._clock.now())
        tried = self._taken.pop(message.id, None)
        if tried is None:
            tried = address(message, self._first, self._quiet_until, bounds, self._clock.now())
        url = centre.addresses[tried]
        try:
            answer = await line.say(tried, message.key, body)
        except OutsideFailed as err:
            if err.retry_after_s is not None:
                self._quiet_until[tried] = self._clock.now() + round(err.retry_after_s * SECOND)
            await self._failed(message, tried, bounds, str(err), permanent=err.permanent)
            return
        now = self._clock.now()
        if answer.status == TAKEN:
            self._taken[message.id] = tried
            self._first = tried
            why = f"{place(url)} has taken it and gives no receipt so far"
            asked = None if answer.retry_after_s is None else round(answer.retry_after_s * SECOND)
            await self._unreceived(message, after_taken(message, bounds, now, asked), why, "taken")
            return
        try:
            signed = read(answer.body, message.key, created_at=message.created_at, now=now)
        except NoReceipt as err:
            why = f"{place(url)} answers with status {answer.status} and no receipt: {err}"
            await self._failed(message, tried, bounds, why, permanent=False)
            return
        self._first = tried
        await self._messages.received(message, signed, now)
        meters.notifications.labels(_CHANNEL, "received").inc()
        if self._trouble is not None:
            _log.info("119 gives receipts again")
            self._trouble = None

    async def _failed(self, message: Message, tried: int, bounds: Bounds, why: str, *, permanent: bool) -> None:
        now = self._clock.now()
        wait = round(wait_before(message.tries // bounds.addresses + 1) * SECOND)
        after = after_failure(
            message, tried, bounds, now, wait=wait, quiet_until=self._quiet_until, permanent=permanent
        )
        if self._trouble is None:
            _log.error("message %s to 119 has no receipt: %s", message.key, why)
        self._trouble = why
        await self._unreceived(message, after, why, "refused" if permanent else "failed")

    async def _unreceived(self, message: Message, after: Next, why: str, outcome: str) -> None:
        await self._messages.unreceived(message, after, why, self._clock.now())
        meters.notifications.labels(_CHANNEL, outcome).inc()
