"""A rulebook loaded again (SIGHUP): validated, warmed beside the one in force, put in its place between two batches."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncpg

from firetower.core.clock import Clock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.ingest.rules_in_force import RulesInForce
from firetower.rule_protection import unproven
from firetower.rules.book import rulebook as rulebooks
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook, RulebookError
from firetower.rules.engine import Engine
from firetower.rules.steps import Tick
from firetower.storage.burning_rules import burning_rules, gone_or_lowered, in_force, note_in_force
from firetower.storage.checkpoints import MARGIN
from firetower.storage.lease import Lease
from firetower.storage.rule_gone import end_gone
from firetower.warming import slices

log = logger("rules")


@dataclass(slots=True)
class Current:
    """The rulebook in force, as this process shows it."""

    rulebook: Rulebook

    def set(self, rulebook: Rulebook) -> None:
        """Show another one from now on."""
        self.rulebook = rulebook

    async def follow(self, pool: asyncpg.Pool) -> None:
        """Show what the process that judges has in force, for one that does not; until cancelled."""
        while True:
            try:
                found = await in_force(pool)
            except StoreUnavailable as err:
                log.debug("the rulebook in force is not known now: %s", err)
            else:
                if found is not None and _as_written(found) != _as_written(self.rulebook):
                    self.rulebook = found
            await asyncio.sleep(_FOLLOWS_EVERY_S)


def on_hangup(act: Callable[[], None]) -> None:
    """Do ``act`` at each SIGHUP, which asks for the rulebook to be loaded again."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, act)


class Settles(Protocol):
    """Whoever commits what the engine was given."""

    async def settled(self) -> None:
        """Return once everything that was made ready before is committed."""
        ...


class Makes(Protocol):
    """Whoever makes engines that know what is stored (``warming.Warming``)."""

    async def whole(self, rulebook: Rulebook, beside: Engine | None) -> Engine:
        """Return one, with what is the same in ``beside`` taken from there. Raises StoreUnavailable."""
        ...

    async def catch_up(self, engine: Engine, since: Micros) -> None:
        """Give it what was stored since. Raises StoreUnavailable."""
        ...


class RulesReload:
    """Loads the rulebook again when asked, without a restart and without a batch that is judged by neither.

    The new one is validated, warmed beside the one in force, and takes its place between two batches. Refused, and the
    old one stays: a broken rulebook, and one without a fire rule of which an alert is open (nobody deletes a rule from
    under a fire). ``folder``: None for the shipped one. ``on_loaded``: told of each that came into force.
    """

    def __init__(
        self,
        folder: Path | None,
        in_force: RulesInForce,
        warming: Makes,
        lanes: Sequence[Settles],
        pool: asyncpg.Pool,
        *,
        lease: Lease,
        clock: Clock,
        on_loaded: Callable[[Rulebook], None],
    ) -> None:
        self._folder = folder
        self._in_force = in_force
        self._warming = warming
        self._lanes = lanes
        self._pool = pool
        self._lease = lease
        self._clock = clock
        self._on_loaded = on_loaded
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have the rulebook loaded again; asked while that goes on, it is done once more."""
        self._asked.set()

    async def run(self) -> None:
        """Load whenever asked, until cancelled; before, make the state whole where the start could not."""
        while True:
            if not self._in_force.whole:
                await self._complete_unless_asked()
            await self._asked.wait()
            self._asked.clear()
            try:
                await self.load()
            except RulebookError as err:
                log.error("the rulebook in force stays: %s", err)
            except StoreUnavailable as err:
                log.error("the rulebook in force stays, the store cannot answer (%s); ask again", err)

    async def _complete_unless_asked(self) -> None:
        """Make the state whole; whoever asks for a rulebook meanwhile need not wait for that."""
        asked = asyncio.create_task(self._asked.wait(), name="rulebook asked for")
        completing = asyncio.create_task(self._complete(), name="rules made whole")
        try:
            await asyncio.wait({asked, completing}, return_when=asyncio.FIRST_COMPLETED)
            if completing.done():
                completing.result()
        finally:
            asked.cancel()
            completing.cancel()
            await asyncio.wait({asked, completing})

    async def load(self) -> None:
        """Load once. Raises RulebookError for one that is refused, StoreUnavailable."""
        book = await asyncio.to_thread(rulebooks.load, self._folder, guarded=True)
        if problems := [f"{each.rule.id}: {why}" for each, why in await unproven(self._pool, book)]:
            raise RulebookError(str(self._folder), problems)
        if problems := _changed_under_one_version(book, self._in_force.rulebook):
            raise RulebookError(str(self._folder or "shipped"), problems)
        await self._put_in_force(book, refuse=True)
        self._on_loaded(book)
        log.info("rulebook loaded: %d rules", len(book.rules))
        try:
            await note_in_force(self._pool, book)
            for lane in self._lanes:
                await lane.settled()  # what the rulebook before decided
            gone = await end_gone(self._pool, self._lease, book, self._clock.now())
        except StoreUnavailable as err:
            log.warning("that this rulebook is in force could not be written down (%s); load it again", err)
        else:
            if gone:
                log.warning("%d alerts were of rules that the rulebook has no more, or has on trial", gone)

    async def _complete(self) -> None:
        """Have the rulebook in force judge with all that its rules remember, which a start does not wait for."""
        while not self._in_force.whole:
            try:
                await self._put_in_force(self._in_force.rulebook, refuse=False)
            except StoreUnavailable as err:
                log.warning("the state of the rules is not whole yet, the store cannot answer: %s", err)
                await asyncio.sleep(_FOLLOWS_EVERY_S)
        log.info("the state of the rules is whole")

    async def _put_in_force(self, book: Rulebook, *, refuse: bool) -> None:
        """Make an engine beside the one in force and put it in its place. Raises RulebookError, StoreUnavailable.

        ``refuse``: a book that takes a rule from under a fire.
        """
        self._in_force.begin(self._clock.now() - MARGIN)
        try:
            if refuse:
                self._refuse_under_fire(book, await burning_rules(self._pool))
            engine = await self._warming.whole(book, self._in_force.engine if self._in_force.whole else None)
            since = self._in_force.tap()
            for lane in self._lanes:
                await lane.settled()
            await self._warming.catch_up(engine, since)
            if refuse:  # a person may have found a fire meanwhile
                self._refuse_under_fire(book, await burning_rules(self._pool))
            while (batch := self._in_force.tapped()) is not None:
                parts = list(slices(batch))
                for part in parts:
                    engine.warm(part)
                if len(parts) > 1:
                    await asyncio.sleep(0)
            # nothing is awaited from the last batch to the swap
            engine.warm(Tick(self._clock.now(), None))
            engine.learn(self._in_force.said)
            if refuse:  # fires since then, whose alerts may be on their way still
                self._refuse_under_fire(book, dict.fromkeys(sorted(self._in_force.burning), 0))
        except BaseException:
            self._in_force.untap()
            raise
        self._in_force.swap(engine)

    def _refuse_under_fire(self, book: Rulebook, burning: dict[str, int]) -> None:
        """Refuse ``book`` when it lacks, or has as less than a fire rule, one of ``burning`` (alert id, 0: not yet)."""
        problems = []
        for rule_id, rule in gone_or_lowered(book, self._in_force.rulebook.rules, list(burning)):
            what = "is missing" if rule is None else f"is of class {rule.alert_class}"
            which = f"fire alert {burning[rule_id]}" if burning[rule_id] else "a fire"
            problems.append(f"{rule_id}: {what}, but {which} of it is open; close it first, or leave the rule in")
        if problems:
            raise RulebookError("that was to be loaded", problems)


def _changed_under_one_version(book: Rulebook, before: Rulebook) -> list[str]:
    """Return the rules that say something else than before under a version that has not risen."""
    problems = []
    for rule in book.rules:
        old = before.rule(rule.id)
        if old is None or rule.version > old.version or _without_version(rule) == _without_version(old):
            continue
        problems.append(
            f"{book.where.get(rule.id, rule.id)}: version: {rule.version} for {rule.id!r}, which says something else"
            f" than version {old.version} in force; accepted: {old.version + 1} or more (alerts name the version that"
            " raised them)"
        )
    return problems


def _as_written(book: Rulebook) -> tuple[object, ...]:
    return book.written, book.written_overrides, book.written_calendar


def _without_version(rule: Rule) -> Rule:
    return rule.model_copy(update={"version": 1, "loosened": None})


_FOLLOWS_EVERY_S = 10.0
