"""The rules in force as they were written, and those of open fires, which outlive their removal from the rulebook."""

from collections.abc import Sequence

import asyncpg
import msgspec

from firetower.core.logs import logger
from firetower.devices.events import AlertClass
from firetower.rules.model import Rule
from firetower.rules.rulebook import Rulebook
from firetower.storage.pool import store_errors

_log = logger("storage.rules")


async def burning_rules(pool: asyncpg.Pool) -> dict[str, int]:
    """Return the rules of the rulebook that an open fire alert was raised by, with the oldest such alert's id."""
    with store_errors():
        rows = await pool.fetch(
            "SELECT rule, min(id) AS alert FROM alert WHERE alert_class = 'fire' AND state <> 'closed'"
            " AND rule NOT LIKE 'event:%' AND rule NOT LIKE 'manual:%' GROUP BY rule ORDER BY rule"
        )
    return {row["rule"]: row["alert"] for row in rows}


def gone_or_lowered(book: Rulebook, before: Sequence[Rule], burning: Sequence[str]) -> list[tuple[str, Rule | None]]:
    """Return those of ``burning`` that ``book`` lacks (None), or has, once a fire rule of ``before``, as anything less.

    A fire by a person's word, of a rule of another class, only keeps its rule in the book.
    """
    fires = {rule.id for rule in before if rule.alert_class is AlertClass.FIRE}
    found = [(rule_id, book.rule(rule_id)) for rule_id in burning]
    return [
        (rule_id, rule)
        for rule_id, rule in found
        if rule is None or (rule_id in fires and rule.alert_class is not AlertClass.FIRE)
    ]


async def with_burning(pool: asyncpg.Pool, book: Rulebook) -> Rulebook:
    """Return ``book``, with the rules of open fires as they were in force where it has them no more, or as less.

    For a start, which nothing may refuse: a city without a rule is better watched than one without the others.
    Raises StoreUnavailable.
    """
    burning = await burning_rules(pool)
    with store_errors():
        rows = await pool.fetch("SELECT id, written::text AS written FROM rule_in_force WHERE id = ANY($1)", [*burning])
    written = {row["id"]: msgspec.json.decode(row["written"]) for row in rows}
    before = [Rule.model_validate(each) for each in written.values()]
    kept: list[Rule] = []
    for rule_id, _ in gone_or_lowered(book, before, list(burning)):
        rule = next((each for each in before if each.id == rule_id), None)
        if rule is None:
            _log.error("rule %s of open fire alert %d is gone, and is not known any more", rule_id, burning[rule_id])
            continue
        _log.error(
            "rule %s stays in force as it was, though the rulebook has it no more or as less than a fire: fire alert"
            " %d of it is open; put it back, or close that alert and start again", rule_id, burning[rule_id],
        )  # fmt: skip
        kept.append(rule)
    names = {rule.id for rule in kept}
    return Rulebook(
        (*(rule for rule in book.rules if rule.id not in names), *kept),
        book.where,
        book.written | {name: written[name] for name in names},
    )


async def in_force(pool: asyncpg.Pool) -> Rulebook | None:
    """Return the rulebook that is in force where devices are heard; None before there was one. StoreUnavailable."""
    with store_errors():
        rows = await pool.fetch("SELECT id, place, written::text AS written FROM rule_in_force ORDER BY n")
    written = {row["id"]: msgspec.json.decode(row["written"]) for row in rows}
    if not written:
        return None
    where = {row["id"]: row["place"] for row in rows if row["place"] is not None}
    return Rulebook(tuple(Rule.model_validate(each) for each in written.values()), where, written)


async def note_in_force(pool: asyncpg.Pool, book: Rulebook) -> None:
    """Write down which rules are in force, as they were written. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("DELETE FROM rule_in_force")
            await conn.execute(
                "INSERT INTO rule_in_force (id, place, written, n)"
                " SELECT g.id, g.place, g.written::jsonb, g.n"
                " FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS g (id, place, written, n)",
                list(book.written),
                [book.where.get(rule_id) for rule_id in book.written],
                [msgspec.json.encode(given).decode() for given in book.written.values()],
            )
