"""The engine brought to the state it had, at the start and when a rulebook is loaded again (SIGHUP)."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncpg

from firetower.core.clock import HOUR, Clock, Micros
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.devices.quality import DeviceQuality
from firetower.devices.registry import Registry
from firetower.ingest.rules_in_force import RulesInForce
from firetower.rules import rulebook as rulebooks
from firetower.rules.engine import Engine
from firetower.rules.rulebook import Rulebook, RulebookError
from firetower.rules.steps import Batch
from firetower.storage import readings
from firetower.storage.alerts import AlertStore
from firetower.storage.burning_rules import burning_rules, gone_or_lowered, in_force, note_in_force

log = logger("rules")

WARM_WINDOW: Micros = 2 * HOUR
"""How far back stored readings are read to rebuild delays and counts that were half over."""


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
                if found is not None and found.written != self.rulebook.written:
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


class Warming:
    """Makes engines that know what is stored: the open alerts, then the readings of the last two hours.

    ``quality``: where devices' clocks are measured.
    """

    def __init__(
        self, pool: asyncpg.Pool, registry: Registry, alerts: AlertStore, quality: DeviceQuality, clock: Clock
    ) -> None:
        self._pool = pool
        self._registry = registry
        self._alerts = alerts
        self._quality = quality
        self._clock = clock

    async def engine(self, rulebook: Rulebook) -> Engine:
        """Return an engine of ``rulebook`` that is warm. Raises StoreUnavailable."""
        since = self._clock.now() - WARM_WINDOW
        engine = Engine(rulebook, self._registry, warm_since=since, quality=self._quality)
        for row in await self._alerts.open_for_engine():
            if not engine.seed(row.rule, row.device_number, row.component, row.priority, row.condition_at):
                log.warning(
                    "alert of %s on %s %s: the rulebook has no such rule any more, so its return to normal is not"
                    " noticed; close it by hand",
                    row.rule, row.subject, row.component,
                )  # fmt: skip
        async for batch in readings.recent(self._pool, self._registry, since):
            self._registry.heard(batch.device, batch.received)  # later than what was written of it before we ended
            engine.warm(Batch(batch, self._clock.now()))
        return engine


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
        warming: Warming,
        lanes: Sequence[Settles],
        pool: asyncpg.Pool,
        *,
        on_loaded: Callable[[Rulebook], None],
    ) -> None:
        self._folder = folder
        self._in_force = in_force
        self._warming = warming
        self._lanes = lanes
        self._pool = pool
        self._on_loaded = on_loaded
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Have the rulebook loaded again; asked while that goes on, it is done once more."""
        self._asked.set()

    async def run(self) -> None:
        """Load whenever asked, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self.load()
            except RulebookError as err:
                log.error("the rulebook in force stays: %s", err)
            except StoreUnavailable as err:
                log.error("the rulebook in force stays, the store cannot answer (%s); ask again", err)

    async def load(self) -> None:
        """Load once. Raises RulebookError for one that is refused, StoreUnavailable."""
        book = await asyncio.to_thread(rulebooks.load, self._folder)
        self._in_force.tap()
        try:
            for lane in self._lanes:
                await lane.settled()
            self._refuse_under_fire(book, await burning_rules(self._pool))
            engine = await self._warming.engine(book)
            self._refuse_under_fire(book, await burning_rules(self._pool))  # a person may have found a fire meanwhile
            while (batch := self._in_force.tapped()) is not None:
                engine.warm(batch)
                if len(batch.readings) > _AT_ONCE:
                    await asyncio.sleep(0)
            # fires since then, whose alerts may be on their way still: nothing is awaited from the last batch to here
            self._refuse_under_fire(book, dict.fromkeys(sorted(self._in_force.burning), 0))
        except BaseException:
            self._in_force.untap()
            raise
        self._in_force.swap(engine)
        self._on_loaded(book)
        log.info("rulebook loaded: %d rules", len(book.rules))
        try:
            await note_in_force(self._pool, book)
        except StoreUnavailable as err:
            log.warning("that this rulebook is in force could not be written down (%s); load it again", err)

    def _refuse_under_fire(self, book: Rulebook, burning: dict[str, int]) -> None:
        """Refuse ``book`` when it lacks, or has as less than a fire rule, one of ``burning`` (alert id, 0: not yet)."""
        problems = []
        for rule_id, rule in gone_or_lowered(book, self._in_force.rulebook.rules, list(burning)):
            what = "is missing" if rule is None else f"is of class {rule.alert_class}"
            which = f"fire alert {burning[rule_id]}" if burning[rule_id] else "a fire"
            problems.append(f"{rule_id}: {what}, but {which} of it is open; close it first, or leave the rule in")
        if problems:
            raise RulebookError("that was to be loaded", problems)


_FOLLOWS_EVERY_S = 10.0
_AT_ONCE = 1000
"""Readings taken in without giving way: about a millisecond."""
