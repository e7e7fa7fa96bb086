"""The dispatcher: takes letters out of the outbox and hands them to their channels, one owner at a time.

It runs beside the desk's steps, while the desk's lease is held. A letter is taken into hand in a transaction that asks
its alert whether it is still wanted, then sent, then what became of it is recorded. So a crash between the two sends it
again, under the same reference: whatever is in hand, but not in ours, was left behind by somebody who ended. Channels
do not wait for each other; ``pace.py`` says how fast each is fed. A database that is away holds a record up, no more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from firetower.alerts.duty.channels import Channel
from firetower.alerts.notify import dead_channels, meters
from firetower.alerts.notify.letters import Letter, LetterState
from firetower.alerts.notify.message import Facts
from firetower.alerts.notify.pace import Pace
from firetower.alerts.notify.ports import OutboxStore, Outcome
from firetower.alerts.notify.senders import Asks, Sender, SendFailed
from firetower.alerts.notify.texts import message
from firetower.alerts.notify.wanted import Candidate
from firetower.core.clock import SECOND, Clock, Micros
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.core.logs import logger
from firetower.core.outside import wait_before
from firetower.rules.verdicts import Verdict

LOOK_S = 0.5
"""How often a channel looks for letters; one that is due waits so long at most."""
_STORE_S = 2.0
"""How long a database that is away is left alone."""
_SLOWER_AFTER, _SLOWER = 8, 4.0
"""After so many failures a letter waits so many times longer."""
_ASKED_AT_ONCE = 50
_MOST_KEPT = 10_000

_log = logger("alerts.notify.dispatcher")


@dataclass(slots=True)
class _Line:
    """One channel: what it is, what sends to it, how it does.

    ``in_hand``: letters of which nothing is recorded yet; ``first_tried``: when those to be tried again first were, by
    the loop's clock, which is never set; ``told``: whether it was said to be dead, None: nothing was; ``took``:
    whether it has taken any.
    """

    channel: Channel
    sender: Sender
    pace: Pace
    in_hand: set[int] = field(default_factory=set)
    first_tried: dict[int, float] = field(default_factory=dict)
    told: bool | None = None
    took: bool = False
    freed: asyncio.Event = field(default_factory=asyncio.Event)


class Dispatcher:
    """Sends what is due. ``run`` while the lease is held.

    ``facts``: gives what a letter is written from. ``tell``: raises and clears our own alerts. ``store`` and ``tell``
    are fenced: LeaseLost ends the run.
    """

    name = "letters"

    def __init__(
        self,
        store: OutboxStore,
        channels: Sequence[tuple[Channel, Sender]],
        clock: Clock,
        *,
        facts: Callable[[Candidate], Awaitable[Facts]],
        tell: Callable[[Sequence[Verdict], Micros], Awaitable[None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._facts = facts
        self._tell = tell
        self._lines = {
            channel.name: _Line(channel, sender, Pace(channel.rate, channel.at_once, channel.dead_after / SECOND))
            for channel, sender in channels
        }

    def is_dead(self, channel: str) -> bool:
        """Say whether a letter had better take another channel; a dead one is offered letters again after a while."""
        line = self._lines.get(channel)
        return line is None or line.pace.passed_over(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Send until cancelled. Raises LeaseLost."""
        for line in self._lines.values():
            line.pace.in_hand = 0
            line.in_hand.clear()
            line.first_tried.clear()
        await self._over_outages(self._begin)
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines.values():
                tasks.create_task(self._serve(line, tasks), name=f"channel {line.channel.name}")
                if isinstance(line.sender, Asks) and line.sender.asks_every_s is not None:
                    tasks.create_task(
                        self._follow(line, line.sender, line.sender.asks_every_s),
                        name=f"status of channel {line.channel.name}",
                    )

    async def _begin(self) -> None:
        now = self._clock.now()
        gone = await self._store.begin(tuple(self._lines))
        await self._tell([dead_channels.verdict(name, None, now) for name in gone], now)

    async def _serve(self, line: _Line, tasks: asyncio.TaskGroup) -> None:
        while True:
            line.freed.clear()
            try:
                await self._tell_of(line)
                await self._take(line, tasks)
            except StoreUnavailable as err:
                _log.debug("channel %s waits for the database: %s", line.channel.name, err)
                await asyncio.sleep(_STORE_S)
            except LeaseLost:
                raise
            except Exception:  # noqa: BLE001  # reason: whatever it is, other channels go on, and this one is tried again
                _log.exception("channel %s is stuck and goes on in %g s", line.channel.name, _STORE_S)
                await asyncio.sleep(_STORE_S)
            try:
                async with asyncio.timeout(LOOK_S):
                    await line.freed.wait()
            except TimeoutError:
                continue

    async def _take(self, line: _Line, tasks: asyncio.TaskGroup) -> None:
        room = line.pace.room(asyncio.get_running_loop().time())
        if not room:
            return
        claimed = await self._store.claim(line.channel.name, room, line.in_hand, self._clock.now())
        for why, count in claimed.cancelled.items():
            meters.notifications.labels(line.channel.name, why).inc(count)
        for each in claimed.send:
            line.pace.begins()
            line.in_hand.add(each.letter.id)
            tasks.create_task(self._deliver(line, each), name=f"letter {each.letter.id}")

    async def _deliver(self, line: _Line, candidate: Candidate) -> None:
        """Send one letter that is in hand, and record what became of it."""
        letter = candidate.letter
        outcome = await self._try(line, candidate)
        line.freed.set()
        try:
            await self._over_outages(lambda: self._store.record(letter, outcome, self._clock.now()))
        except LeaseLost:
            raise
        except Exception:  # noqa: BLE001  # reason: it stays in hand, or it would be sent for ever
            _log.exception("what became of letter %d cannot be recorded; it is left until the next start", letter.id)
            return
        line.in_hand.discard(letter.id)
        if outcome.state is not LetterState.WAITING:
            line.first_tried.pop(letter.id, None)
        word = {LetterState.SENT: "sent", LetterState.WAITING: "tried"}.get(outcome.state, "failed")
        meters.notifications.labels(line.channel.name, word).inc()
        if outcome.state is LetterState.FAILED:
            _log.error(
                "letter %d about alert %d to %s over %s is given up after %d tries: %s",
                letter.id, letter.new.alert_id, letter.new.role, line.channel.name, letter.tries, outcome.trouble,
            )  # fmt: skip

    async def _try(self, line: _Line, candidate: Candidate) -> Outcome:
        loop = asyncio.get_running_loop()
        letter, pace = candidate.letter, line.pace
        try:
            said = message(letter, await self._facts(candidate), link=line.channel.link)
        except StoreUnavailable as err:
            pace.given_back()
            return self._again(str(err), _STORE_S)
        except Exception:  # noqa: BLE001  # reason: a letter that cannot be written must not hold up others
            pace.given_back()
            _log.exception("letter %d cannot be written", letter.id)
            return self._after(line, letter, SendFailed("it cannot be written; the log says why", permanent=False))
        try:
            facts = await line.sender.send(said)
        except SendFailed as err:
            pace.failed(loop.time(), str(err), refuses=err.of_channel, rests=err.retry_after_s)
            return self._after(line, letter, err)
        except Exception as err:  # noqa: BLE001  # reason: whatever a channel does, the others go on
            pace.failed(loop.time(), type(err).__name__)
            _log.exception("channel %s failed on letter %d", line.channel.name, letter.id)
            return self._after(line, letter, SendFailed(f"{type(err).__name__}: {err}", permanent=False))
        pace.taken()
        line.took = True
        return Outcome(LetterState.SENT, facts=facts)

    def _after(self, line: _Line, letter: Letter, err: SendFailed) -> Outcome:
        """Return what becomes of a letter that was not taken."""
        now, within_s = asyncio.get_running_loop().time(), line.channel.within / SECOND
        is_old = now - line.first_tried.setdefault(letter.id, now) >= within_s
        if len(line.first_tried) > _MOST_KEPT:  # those that were cancelled since are never asked for again
            line.first_tried = {each: at for each, at in line.first_tried.items() if now - at < within_s}
        if err.permanent or letter.tries >= line.channel.tries or is_old:
            return Outcome(LetterState.FAILED, str(err))
        wait = wait_before(letter.tries) * (_SLOWER if letter.tries > _SLOWER_AFTER else 1.0)
        return self._again(str(err), max(wait, err.retry_after_s or 0.0))

    def _again(self, why: str, wait_s: float) -> Outcome:
        return Outcome(LetterState.WAITING, why, self._clock.now() + round(wait_s * SECOND))

    async def _tell_of(self, line: _Line) -> None:
        """Raise or clear the channel's own alert, one word a change; the first that it takes is one after a start."""
        dead = line.pace.is_dead
        if dead == line.told or (line.told is None and not dead and not line.took):
            return
        name, now = line.channel.name, self._clock.now()
        await self._tell([dead_channels.verdict(name, (line.pace.trouble or "") if dead else None, now)], now)
        line.told = dead
        (_log.error if dead else _log.info)(
            "channel %s %s", name, f"is dead: {line.pace.trouble}" if dead else "takes letters"
        )

    async def _follow(self, line: _Line, sender: Asks, every_s: float) -> None:
        """Ask a gateway that tells nothing by itself what became of what it took."""
        name = line.channel.name
        while True:
            await asyncio.sleep(every_s)
            try:
                since = self._clock.now() - sender.asks_until
                for letter in await self._store.asked_about(name, since, _ASKED_AT_ONCE):
                    fact, facts = await sender.ask(letter.reference or "", letter.facts)
                    if (fact is not None or facts) and await self._store.note(
                        letter.reference or "", fact, self._clock.now(), facts
                    ):
                        meters.notifications.labels(name, fact or "undelivered").inc()
            except (StoreUnavailable, SendFailed) as err:
                _log.info("what became of letters over %s is not known: %s", name, err)
            except LeaseLost:
                raise
            except Exception:  # noqa: BLE001  # reason: it would end the desk, and with it escalation and 119
                _log.exception("what became of letters over %s cannot be asked; it is asked again", name)

    @staticmethod
    async def _over_outages(act: Callable[[], Awaitable[object]]) -> None:
        """Do ``act``, however long the database is away."""
        while True:
            try:
                await act()
            except StoreUnavailable as err:
                _log.warning("the outbox waits for the database: %s", err)
                await asyncio.sleep(_STORE_S)
            else:
                return
