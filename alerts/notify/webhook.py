"""The webhook channel: provisional alarms (未落库) of priority 1 and 2, signed, to one address; it needs no store.

One message for each alarm on the board, told again only when the alarm rises. Red goes first. While an alarm of
priority 1 is on the board it is tried until it is taken; everything else six times within two minutes.

When full (2,000 messages wait): the oldest message whose alarm is committed by now is dropped, then the newest of
priority 2. Priority 1 on the board is never dropped; there are at most as many as the board keeps in detail.

What a receiver does: check the signature (``signing.py``) and drop a body it has seen: a message whose answer was lost
comes again.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from firetower.alerts.notify import meters
from firetower.alerts.notify.signing import sign
from firetower.alerts.provisional import ProvisionalAlarm
from firetower.core.clock import Clock, rfc3339
from firetower.core.logs import logger
from firetower.core.outside import Outside, OutsideFailed, wait_before

log = logger("alerts.notify.webhook")

MOST_WAITING = 2000
MOST_TRIES = 6
WITHIN_S = 120.0
_LOWEST = 2
_SENDERS = 4
_LOOK_S = 1.0
_GATHER_S = 0.1
"""In a flood the board changes with every message; it is read so often at most."""
_CHANNEL = "webhook"


class Board(Protocol):
    """Where provisional alarms stand."""

    def alarms(self) -> Sequence[ProvisionalAlarm]:
        """Return those that are provisional now."""
        ...

    def listen(self, on_change: Callable[[], None]) -> None:
        """Have ``on_change`` called after every change."""
        ...


@dataclass(slots=True)
class _Letter:
    alarm: ProvisionalAlarm
    written: float
    due: float
    tries: int = 0
    in_hand: bool = False
    on_board: bool = True

    @property
    def stays(self) -> bool:
        """Whether it is tried until it is taken."""
        return self.on_board and self.alarm.priority == 1


class Webhook:
    """Posts what is on ``board`` to ``url``, signed with ``secret``. ``run`` until cancelled.

    ``trouble``: why the last message was not taken, None when it was.
    """

    def __init__(self, url: str, secret: str, outside: Outside, board: Board, clock: Clock) -> None:
        self._url = url
        self._secret = secret.encode()
        self._outside = outside
        self._board = board
        self._clock = clock
        self._letters: dict[str, _Letter] = {}
        self._told: dict[str, int] = {}  # rank of what was written, of alarms that are on the board
        self._changed = asyncio.Event()
        self._written = asyncio.Condition()
        self.trouble: str | None = None

    async def run(self) -> None:
        """Follow the board and send until cancelled."""
        self._board.listen(self._changed.set)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="webhook board")
            for number in range(_SENDERS):
                tasks.create_task(self._send_all(), name=f"webhook sender {number}")

    async def _follow(self) -> None:
        while True:
            self.tell(self._board.alarms())
            async with self._written:
                self._written.notify_all()
            await asyncio.sleep(_GATHER_S)
            await self._changed.wait()
            self._changed.clear()

    def tell(self, alarms: Sequence[ProvisionalAlarm]) -> None:
        """Write to the receiver about each of ``alarms``, all that are provisional now, that it was not told of yet."""
        now = asyncio.get_running_loop().time()
        standing = {alarm.key for alarm in alarms}
        self._told = {key: rank for key, rank in self._told.items() if key in standing}
        for key, letter in self._letters.items():
            letter.on_board = key in standing
        for alarm in alarms:
            rank = _rank(alarm)
            if alarm.priority > _LOWEST or self._told.get(alarm.key, _LOWEST + 1) <= rank:
                continue
            self._told[alarm.key] = rank
            self._letters[alarm.key] = _Letter(alarm, written=now, due=now)
        self._make_room()

    def _make_room(self) -> None:
        more = len(self._letters) - MOST_WAITING
        if more <= 0:
            return
        gone = [key for key, letter in self._letters.items() if not letter.on_board and not letter.in_hand]
        orange = [key for key, letter in self._letters.items() if letter.on_board and not letter.stays]
        dropped = (gone + orange[::-1])[:more]
        for key in dropped:
            del self._letters[key]
        if dropped:
            meters.notifications.labels(_CHANNEL, "dropped").inc(len(dropped))
            log.error(
                "%d messages about provisional alarms are dropped, more than %d wait: %s",
                len(dropped), MOST_WAITING, self.trouble or "the receiver is too slow",
            )  # fmt: skip

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            letter = self._next(loop.time())
            if letter is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S), self._written:
                        await self._written.wait()
                continue
            letter.in_hand = True
            try:
                taken = await self._send(letter)
            finally:
                letter.in_hand = False
            if taken and self._letters.get(letter.alarm.key) is letter:  # it may have risen meanwhile
                del self._letters[letter.alarm.key]

    def _next(self, now: float) -> _Letter | None:
        """Return the letter to send now: fires first, then red, then the one written first."""
        due = (letter for letter in self._letters.values() if not letter.in_hand and letter.due <= now)
        return min(due, key=lambda letter: (_rank(letter.alarm), letter.written), default=None)

    async def _send(self, letter: _Letter) -> bool:
        """Try once; return whether the letter is done with."""
        loop = asyncio.get_running_loop()
        letter.tries += 1
        body = _body(letter.alarm)
        try:
            await self._outside.post(self._url, body, self._headers(body))
        except OutsideFailed as err:
            self._fails(str(err))
            over = letter.tries >= MOST_TRIES or loop.time() - letter.written >= WITHIN_S
            if not letter.stays and (err.permanent or over):
                meters.notifications.labels(_CHANNEL, "refused" if err.permanent else "failed").inc()
                return True
            letter.due = loop.time() + wait_before(letter.tries)
            return False
        meters.notifications.labels(_CHANNEL, "sent").inc()
        if self.trouble is not None:
            log.info("notifications are taken again")
            self.trouble = None
        return True

    def _fails(self, why: str) -> None:
        if self.trouble is None:
            log.error("a notification is not taken: %s; /readyz tells while it is not", why)
        self.trouble = why

    def _headers(self, body: bytes) -> dict[str, str]:
        signed = sign(self._secret, body, self._clock.now())
        return {"Content-Type": "application/json; charset=utf-8", **signed}


def _rank(alarm: ProvisionalAlarm) -> int:
    return 0 if alarm.is_fire else alarm.priority


def _body(alarm: ProvisionalAlarm) -> bytes:
    said = {
        "provisional": True,
        "key": alarm.key,
        "class": alarm.alert_class.value,
        "priority": alarm.priority,
        "title_zh": alarm.title_zh,
        "title_en": alarm.title_en,
        "unit": alarm.unit,
        "device": alarm.device,
        "component": alarm.component,
        "place": alarm.place,
        "text": alarm.text,
        "flags": list(alarm.flags),
        "device_at": rfc3339(alarm.device_at),
        "received_at": rfc3339(alarm.received_at),
    }
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
