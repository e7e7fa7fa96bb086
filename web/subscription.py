"""One console between the live hub and its socket: what it is sent next, or everything it missed, merged."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from firetower.web.backlog import Backlog, News, Part
from firetower.web.provisional_view import Listing
from firetower.web.told import Told

ANSWERS = 64
"""So many pongs and the like may wait for a console that asks and does not read: then it is dropped."""

SLOW_READER = 4008  # close codes of ours; the console comes back with ?after=<its last seq>
SESSION_OVER = 4401  # the console asks for a sign-in


@dataclass(frozen=True, slots=True)
class Whole:
    """A frame of number ``seq`` that stands for everything before it: a snapshot, or that there is none yet."""

    frame: bytes
    seq: int
    listing: Listing


@dataclass(eq=False, slots=True)
class Subscription:
    """One console. ``write``: a frame of a part of what it missed; ``snapshot``: one in place of all of it; ``own``: a
    frame as its account is to have it.

    While it takes each frame before there is another it gets the one that all get. Whatever comes while one still
    waits is merged (``backlog``); one that is too far behind is given a snapshot, made when it takes it. Nobody waits
    for it. ``dropped`` is its close code: it comes back with ``?after`` and loses nothing.
    """

    digest: bytes
    account: str
    write: Callable[[Part], bytes]
    snapshot: Callable[[], Whole | None]
    own: Callable[[bytes, str], bytes]
    dropped: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _whole: Whole | None = None
    _next: News | None = None
    _behind: Backlog = field(default_factory=lambda: Backlog(-1))
    _answers: deque[bytes] = field(default_factory=deque)
    _held: list[News] | None = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self) -> None:
        """Keep what comes from now on until ``resume``, or until a snapshot stands for it."""
        self._held = []

    def resume(self, after: int, seq: int, told: Told, listing: Listing) -> bool:
        """Begin with what changed after the number ``after`` up to ``seq``; False if a snapshot came meanwhile."""
        if self._held is None:
            return False
        held, self._held = self._held, None
        self._behind = Backlog(after)
        self._behind.resume(seq, told, listing)
        for news in held:
            self._behind.add(news)
        self._wake.set()
        return True

    def replace(self, whole: Whole) -> None:
        """Have the console told ``whole`` in place of everything it was told and has not been told yet."""
        for news in (*(self._held or ()), *([] if self._next is None else [self._next])):
            self._behind.add(news)
        self._held = self._next = None
        self._whole, self._behind = whole, self._behind.replaced(whole.seq, whole.listing)
        self._wake.set()

    def offer(self, news: News) -> None:
        """Have the console told something."""
        if self.dropped is not None:
            return
        if self._held is not None:
            self._held.append(news)
            return
        if self._next is None and self._whole is None and self._behind.is_next(news):
            self._next = news
        else:
            if self._next is not None:
                self._behind.add(self._next)
                self._next = None
            self._behind.add(news)
        self._wake.set()

    def answer(self, frame: bytes) -> None:
        """Have the console told what only it asked, before everything else; one that asks and reads not is dropped."""
        if len(self._answers) >= ANSWERS:
            self.drop(SLOW_READER)
            return
        self._answers.append(frame)
        self._wake.set()

    def drop(self, code: int) -> None:
        """End the subscription with a WebSocket close code."""
        if self.dropped is None:
            self.dropped = code
            self._whole = self._next = self._held = None
            self._behind = Backlog(-1)
            self._wake.set()
            self.ended.set()

    async def next(self) -> bytes | None:
        """Return the next frame, None once dropped. Ask when it can be sent: what was taken is not merged any more."""
        while self.dropped is None:
            if self._answers:
                return self._answers.popleft()
            if (frame := self._take()) is not None:
                return self.own(frame, self.account)
            self._wake.clear()
            await self._wake.wait()
        return None

    def _take(self) -> bytes | None:
        if self._behind.is_full:
            whole = self.snapshot()
            if whole is None:
                return None  # the hub reads the store anew, and replaces this
            self.replace(whole)
        if self._whole is not None:
            whole, self._whole = self._whole, None
            return whole.frame
        if self._next is not None:
            news, self._next = self._next, None
            self._behind.sent(news)
            return news.frame
        return self.write(self._behind.part()) if self._behind else None
