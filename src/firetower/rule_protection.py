"""Fire and prealarm rules that a rulebook of one's own takes away or loosens: who may, and what a start does then.

A reload is refused. A start is not: a city watched by the rules as they are shipped is better off than one that nobody
watches.
"""

import asyncio
from pathlib import Path

import asyncpg

from firetower.core.logs import logger
from firetower.rules.book import rulebook as rulebooks
from firetower.rules.book.guard import Loosening
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.told.backtest import fire_digest
from firetower.storage.backtests import is_sound

log = logger("rules")


async def unproven(pool: asyncpg.Pool, book: Rulebook) -> list[tuple[Loosening, str]]:
    """Return what is looser than shipped without two persons and a sound back-test, each with why. StoreUnavailable."""
    digest = fire_digest(book)
    found: list[tuple[Loosening, str]] = []
    for each in book.loosened:
        if each.loosened is None:
            found.append((each, "nobody says who loosened it (loosened: {by, approved_by, backtest, reason})"))
        elif (why := await is_sound(pool, each.loosened.backtest, digest)) is not None:
            found.append((each, why))
    return found


async def rules_for_a_start(pool: asyncpg.Pool, folder: Path | None) -> Rulebook:
    """Return the rulebook in ``folder``, fire and prealarm rules as shipped where it may not have them otherwise.

    Raises RulebookError where it is broken, StoreUnavailable.
    """
    book = await asyncio.to_thread(rulebooks.load, folder)
    if folder is None:
        return book
    rules: set[str] = set()
    overrides: set[int] = set()
    for rule_id, what in rulebooks.taken_away(book).items():
        log.error("%s; until then it is in force as it is shipped", what)
        rules.add(rule_id)
    for each, why in await unproven(pool, book):
        log.error("%s is looser than shipped (%s), but %s", each.rule.id, "; ".join(each.what), why)
        if each.override is None:
            log.error("%s is in force as it is shipped, or not at all where nothing of its name is", each.rule.id)
            rules.add(each.rule.id)
        else:
            log.error("the override of %s in that scope is not in force", each.rule.id)
            overrides.add(each.override)
    return rulebooks.restored(book, rules, overrides) if rules or overrides else book
