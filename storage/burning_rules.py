"""The rulebook in force as it was written, and the rules of open fires, which outlive their removal from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import msgspec
from pydantic import ValidationError

from firetower.core.logs import logger
from firetower.devices.events import AlertClass
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook, rebuild
from firetower.storage.pool import store_errors

_PARTITION = 0

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

    Their overrides are then those that were in force, too. For a start, which nothing may refuse: a city without a rule
    is better watched than one without the others. Raises StoreUnavailable.
    """
    burning = await burning_rules(pool)
    stored = await _stored(pool)
    before = {rule.id: rule for rule in map(_readable, stored.written.values()) if rule is not None}
    names: set[str] = set()
    for rule_id, _ in gone_or_lowered(book, list(before.values()), list(burning)):
        if rule_id not in before:
            _log.error("rule %s of open fire alert %d is gone, and is not known any more", rule_id, burning[rule_id])
            continue
        _log.error(
            "rule %s stays in force as it was, though the rulebook has it no more or as less than a fire: fire alert"
            " %d of it is open; put it back, or close that alert and start again", rule_id, burning[rule_id],
        )  # fmt: skip
        names.add(rule_id)
    if not names:
        return book
    rules = {name: given for name, given in book.written.items() if name not in names}
    own = [(given, book.where.get(f"overrides[{n}]")) for n, given in enumerate(book.written_overrides, 1)]
    overrides = [pair for pair in own if pair[0].get("rule") not in names]
    overrides += [pair for pair in stored.overrides if pair[0].get("rule") in names]
    try:
        return _rebuilt(
            rules | {name: stored.written[name] for name in sorted(names)}, overrides, book.written_calendar, book.where
        )
    except ValidationError as err:
        _log.error("the overrides of those rules are not readable any more, and are left out: %s", err)
        kept = tuple(before[name] for name in sorted(names))
        rest = tuple(rule for rule in book.rules if rule.id not in names)
        return replace(book, rules=rest + kept, written=rules | {name: stored.written[name] for name in sorted(names)})


async def in_force(pool: asyncpg.Pool) -> Rulebook | None:
    """Return the rulebook that is in force where devices are heard; None before there was one. StoreUnavailable.

    None, too, where it was written down by a release whose rules this one cannot read.
    """
    stored = await _stored(pool)
    if not stored.written:
        return None
    try:
        return _rebuilt(stored.written, stored.overrides, stored.calendar, stored.where)
    except ValidationError as err:
        _log.warning("the rulebook in force is of another release and cannot be shown: %s", err)
        return None


async def note_in_force(pool: asyncpg.Pool, book: Rulebook) -> None:
    """Write down which rules, overrides and calendar are in force, as they were written. Raises StoreUnavailable."""
    overrides = [
        {"written": given, "place": book.where.get(f"overrides[{n}]")}
        for n, given in enumerate(book.written_overrides, 1)
    ]
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("DELETE FROM rule_in_force")
            await conn.execute(
                "INSERT INTO rule_in_force (id, place, written, n)"
                " SELECT g.id, g.place, g.written::jsonb, g.n"
                " FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS g (id, place, written, n)",
                list(book.written),
                [book.where.get(rule_id) for rule_id in book.written],
                [_json(given) for given in book.written.values()],
            )
            await conn.execute(
                "INSERT INTO rulebook_in_force (id, overrides, calendar) VALUES ($1, $2::text::jsonb, $3::text::jsonb)"
                " ON CONFLICT (id) DO UPDATE SET overrides = excluded.overrides, calendar = excluded.calendar",
                _PARTITION,
                _json(overrides),
                None if book.written_calendar is None else _json(book.written_calendar),
            )


@dataclass(frozen=True, slots=True)
class _Stored:
    """A rulebook as it was written down: its rules by id, its overrides each with its place, its calendar."""

    written: dict[str, Any]
    where: dict[str, str]
    overrides: list[tuple[Any, str | None]]
    calendar: Any


async def _stored(pool: asyncpg.Pool) -> _Stored:
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            rows = await conn.fetch("SELECT id, place, written::text AS written FROM rule_in_force ORDER BY n")
            rest = await conn.fetchrow(
                "SELECT overrides::text AS overrides, calendar::text AS calendar FROM rulebook_in_force WHERE id = $1",
                _PARTITION,
            )
    overrides = [] if rest is None else msgspec.json.decode(rest["overrides"])
    calendar = None if rest is None or rest["calendar"] is None else msgspec.json.decode(rest["calendar"])
    return _Stored(
        {row["id"]: msgspec.json.decode(row["written"]) for row in rows},
        {row["id"]: row["place"] for row in rows if row["place"] is not None},
        [(each["written"], each["place"]) for each in overrides],
        calendar,
    )


def _rebuilt(
    written: Mapping[str, Any], overrides: Sequence[tuple[Any, str | None]], calendar: Any, where: Mapping[str, str]
) -> Rulebook:
    places = {name: place for name, place in where.items() if name in written}
    places |= {f"overrides[{n}]": place for n, (_, place) in enumerate(overrides, 1) if place is not None}
    return rebuild(written, [given for given, _ in overrides], calendar, places)


def _readable(written: Any) -> Rule | None:
    try:
        return Rule.model_validate(written)
    except ValidationError as err:
        _log.warning("a rule that was in force is of another release and cannot be read: %s", err)
        return None


def _json(given: Any) -> str:
    return msgspec.json.encode(given).decode()
