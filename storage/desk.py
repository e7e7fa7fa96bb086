"""The desk: one background worker in the whole installation, which acts on what changed and on time that passed.

Its lease makes it one: every instance competes for it, whatever its role, and another goes on when the holder ends. It
follows the live changes in commit order from a stored position and hands the ids of changed alerts to its *steps*, each
with transactions of its own, fenced by the lease. A step that fails keeps what it has not taken and is asked again, and
the position stays behind it, so that nothing is missed after a crash; what a step has seen it may see again.

What takes long, above all what waits for somebody outside, runs *beside* the steps, for as long as the lease is held.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import asyncpg

from firetower.core.clock import Clock, Micros
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.core.logs import logger
from firetower.storage import changes, follower
from firetower.storage.lease import Lease, LeaseTaken
from firetower.storage.pool import heed_cancellation, store_errors

TICK_S = 1.0
"""Steps are told at least this often that time has passed."""
GATHERS_S = 0.05
"""What is announced within this is taken together."""
GATHERS_MORE_S = 0.1
"""In a storm it is gathered for so much longer, as long as no fire is among it."""
STORM_ROUNDS, STORM_PAUSE_S = 5, 0.3
"""A storm: so many rounds in a row, none later than this after the one before, each of which had something to do.

What the steps do themselves is announced, too, and makes a round or two of its own.
"""
STANDS_BY_S = 3.0
"""How long another instance's lease is believed before it is asked for again."""
CHUNK = 500
"""Most alerts handed to a step at once."""
LONGEST_S = 20.0
"""A step that takes longer is given up for this time: it must not keep the others waiting."""
_NUMBERS = 500
"""Most numbers read at once."""
_MOST_WAITING = 100_000
"""Alerts kept for a step that fails; beyond, it is asked to look at everything."""
_NAME = "desk"

_log = logger("storage.desk")


class Step(Protocol):
    """One thing the desk does."""

    name: str

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Act on alerts that changed since the last call, in commit order; [] when only time has passed.

        None: what changed is not known, look at everything open. To be idempotent: after a failure or a crash the same
        ids come again, together with newer ones. Where nothing is to be done nothing is written, so that no step is
        woken for ever by its own announcements.
        """
        ...


class Beside(Protocol):
    """One thing that goes on beside the steps. Every transaction of it is fenced by the desk's lease."""

    name: str

    async def run(self) -> None:
        """Go on until cancelled, over a store that is away. Raises LeaseLost."""
        ...


@dataclass(slots=True)
class _Place:
    """A step's place: what it has not taken yet (``everything``: it must look at all), up to which number it has."""

    step: Step
    everything: bool = True
    waiting: dict[int, None] = field(default_factory=dict)
    taken: int | None = None
    trouble: str | None = None

    @property
    def has_work(self) -> bool:
        return self.everything or bool(self.waiting)

    def give(self, news: follower.News) -> None:
        self.waiting.update(dict.fromkeys(news.alerts))
        if news.lost or len(self.waiting) > _MOST_WAITING:
            self.everything = True
            self.waiting.clear()


@dataclass(slots=True)
class _Storm:
    """Whether alarms keep coming; instants of the loop, s."""

    rounds: int = 0
    last: float = float("-inf")

    def note(self, now: float) -> None:
        """Note that a round had something to do."""
        self.rounds = self.rounds + 1 if now - self.last <= STORM_PAUSE_S else 1
        self.last = now

    def rages(self, now: float) -> bool:
        return self.rounds >= STORM_ROUNDS and now - self.last <= STORM_PAUSE_S


class Desk:
    """Runs the steps, in the order given, while this instance holds the lease. ``run`` until cancelled.

    ``url``: of the database, for a connection that listens; ``pool``: for position and changes; ``lease``: that of
    number ``lease.DESK``, the steps' own too. ``beside``: run while it is held, begun anew each time. ``give_way``:
    awaited before each round, where alarms pass on the same processor; it returns within a second or so, however many
    they are.
    """

    def __init__(
        self,
        url: str,
        pool: asyncpg.Pool,
        lease: Lease,
        clock: Clock,
        steps: Sequence[Step],
        *,
        beside: Sequence[Beside] = (),
        give_way: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._url = url
        self._pool = pool
        self._lease = lease
        self._clock = clock
        self._steps = steps
        self._beside = beside
        self._give_way = give_way
        self._places: list[_Place] = []
        self._woken = asyncio.Event()
        self._unanswered: str | None = None

    @property
    def trouble(self) -> str | None:
        """Which steps failed when they were last asked, and why; None while all is well or another instance acts."""
        failing = [f"{place.step.name}: {place.trouble}" for place in self._places if place.trouble is not None]
        return "; ".join(failing) or self._unanswered

    async def run(self) -> None:
        """Compete for the lease and act while it is held."""
        while True:
            try:
                await self._lease.take()
                await self._keep()
            except LeaseTaken as err:
                _log.debug("%s", err)
                self._unanswered = None
            except StoreUnavailable as err:
                if self._unanswered is None:
                    _log.warning("the desk waits for the database: %s", err)
                self._unanswered = str(err)
            await asyncio.sleep(STANDS_BY_S * random.uniform(0.5, 1.5))

    async def _keep(self) -> None:
        """Act until the lease is lost."""
        self._places = [_Place(step) for step in self._steps]
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._lease.keep(), name="desk's lease")
                parts.create_task(changes.listen(self._url, lambda _seq: self._woken.set()), name="desk's news")
                parts.create_task(self._act(), name="desk's steps")
                for each in self._beside:
                    parts.create_task(each.run(), name=f"desk's {each.name}")
        except* LeaseLost as group:
            lost: BaseException = group
            while isinstance(lost, BaseExceptionGroup):  # what runs beside may be a group of its own
                lost = lost.exceptions[0]
            _log.warning("%s", lost)
        finally:
            self._places = []
            self._lease.release()

    async def _act(self) -> None:
        loop = asyncio.get_running_loop()
        position: int | None = None
        stored: int | None = None
        ticked_at = loop.time() - TICK_S
        storm = _Storm()
        while True:
            self._woken.clear()
            if self._give_way is not None:
                await self._give_way()
            try:
                if position is None:
                    position = stored = await self._stored_position()
                news = await self._read(position)
                if storm.rages(loop.time()) and not self._has_work:
                    news = await self._gathered(news, min(loop.time() + GATHERS_MORE_S, ticked_at + TICK_S))
                self._unanswered = None
                ticks = loop.time() - ticked_at >= TICK_S
                if ticks:
                    ticked_at = loop.time()
                for place in self._places:
                    place.give(news)
                    if ticks or (place.trouble is None and (place.has_work or news.seq != position)):
                        await self._take(place, news.seq)
                if news.alerts:
                    storm.note(loop.time())
                position = news.seq
                stored = await self._note_position(stored)
            except StoreUnavailable as err:
                self._unanswered = str(err)
                await asyncio.sleep(TICK_S)
                continue
            if not news.behind and not self._has_work:
                await self._rest(ticked_at + TICK_S - loop.time())

    async def _stored_position(self) -> int | None:
        with store_errors():
            return await follower.position(self._pool, _NAME)

    async def _read(self, after: int | None) -> follower.News:
        with store_errors():
            return await follower.read(self._pool, after, _NUMBERS, fires=True)

    @property
    def _has_work(self) -> bool:
        """Whether a step that works has not taken all that it was given."""
        return any(place.has_work and place.trouble is None for place in self._places)

    async def _gathered(self, news: follower.News, until: float) -> follower.News:
        """Return ``news`` and what comes until an instant of the loop, or until there is a fire among it."""
        loop = asyncio.get_running_loop()
        while news.alerts and not (news.has_fire or news.behind) and loop.time() < until:
            await self._rest(until - loop.time())
            if not self._woken.is_set():
                break
            self._woken.clear()
            news = news.and_then(await self._read(news.seq))
        return news

    async def _take(self, place: _Place, seq: int) -> None:
        """Hand a step what waits for it, at most CHUNK; ``seq``: up to where that is known."""
        ids = None if place.everything else list(islice(place.waiting, CHUNK))
        try:
            async with asyncio.timeout(LONGEST_S):
                await place.step.take(ids, self._clock.now())
        except LeaseLost:
            raise
        except Exception as err:  # noqa: BLE001  # reason: whatever it is, the other steps go on, and this is asked again
            heed_cancellation(err)
            words = f"{type(err).__name__}: {err}"
            if words != place.trouble:
                known = isinstance(err, StoreUnavailable | TimeoutError)
                _log.error("step %s failed and is asked again: %s", place.step.name, words, exc_info=not known)
            place.trouble = words
            return
        place.trouble = None
        if ids is None:
            place.everything = False
        else:
            for each in ids:
                del place.waiting[each]
        if not place.waiting:
            place.taken = seq

    async def _note_position(self, stored: int | None) -> int | None:
        """Store up to where all have taken, when that has changed, and return it."""
        taken = [place.taken for place in self._places]
        if None in taken:
            return stored
        seq = min((each for each in taken if each is not None), default=stored)
        if seq is None or seq == stored:
            return stored
        with store_errors():
            if not await follower.store_position(self._pool, _NAME, seq, held=self._lease.checked()):
                raise await self._lease.overtaken(self._pool)
        return seq

    async def _rest(self, seconds: float) -> None:
        """Wait until something is announced, but no longer than ``seconds``."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._woken.wait()
                await asyncio.sleep(GATHERS_S)
        except TimeoutError:
            return
