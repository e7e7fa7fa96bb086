"""The rulebook in force is written down whole: for a start after a removed fire rule, for nodes that only show it."""

import asyncpg
from alert_making import commit, fire

from firetower.rules.book import rulebook
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.verdicts import SubjectKind
from firetower.storage.burning_rules import in_force, note_in_force, with_burning

OWN = """
rules:
  - id: smoke-fire
    version: 1
    title: {zh: 火, en: Fire}
    advice: {zh: 查, en: look}
    class: fire
    kinds: [smoke]
    metric: smoke
    condition: {limit: {side: above, bands: [{priority: 1, limit: 0.2 dB/m, latch: true, source: "J, x"}]}}
  - id: low
    version: 1
    title: {zh: 低, en: Low}
    advice: {zh: 查, en: look}
    class: hazard
    kinds: [hydrant]
    metric: pressure
    condition: {limit: {side: below, bands: [{priority: 3, limit: 0.1 MPa, clear: 0.12 MPa, source: "J, x"}]}}
overrides:
  - {rule: smoke-fire, scope: {unit: u1}, reason: nursery, source: "J, us", bands: [{priority: 1, limit: 0.1 dB/m}]}
  - {rule: low, scope: {city: all}, reason: winter, source: "J, utility", off: true}
calendar:
  holidays: [2026-10-01]
  spans: {night: {from: "22:00", to: "06:00"}}
"""


def own() -> Rulebook:
    """Two rules, each with an override, and a calendar."""
    return rulebook.load_texts({"own.yaml": OWN})


def without(book: Rulebook, rule: str) -> Rulebook:
    kept = [(n, each) for n, each in enumerate(book.written_overrides, 1) if each["rule"] != rule]
    return rulebook.rebuild(
        {name: given for name, given in book.written.items() if name != rule},
        [each for _, each in kept],
        book.written_calendar,
        book.where | {f"overrides[{n}]": book.where[f"overrides[{old}]"] for n, (old, _) in enumerate(kept, 1)},
    )


async def test_a_node_that_only_shows_the_rulebook_shows_its_overrides_and_calendar_too(
    pool: asyncpg.Pool,
) -> None:
    book = own()
    await note_in_force(pool, book)
    shown = await in_force(pool)
    assert shown is not None
    assert (shown.rules, shown.overrides, shown.calendar) == (book.rules, book.overrides, book.calendar)
    assert shown.where == book.where
    assert shown.digest == book.digest
    await note_in_force(pool, without(book, "low"))
    again = await in_force(pool)
    assert again is not None
    assert [each.rule for each in again.overrides] == ["smoke-fire"]


async def test_a_kept_rule_of_an_open_fire_keeps_the_limits_it_had_in_each_place(
    pool: asyncpg.Pool,
) -> None:
    """Its overrides are part of it; those of other rules are the new rulebook's."""
    book = own()
    await note_in_force(pool, book)
    await commit(pool, [fire(rule="smoke-fire", subject_kind=SubjectKind.DEVICE)])
    started = await with_burning(pool, without(book, "smoke-fire"))
    assert started.rule("smoke-fire") == book.rule("smoke-fire")
    assert {each.rule for each in started.overrides} == {"smoke-fire", "low"}
    assert started.calendar == book.calendar


async def test_a_rulebook_of_another_release_is_not_shown_and_stops_no_start(pool: asyncpg.Pool) -> None:
    """What cannot be read is left out: a city without one rule is better watched than one without the others."""
    await pool.execute(
        'INSERT INTO rule_in_force (id, n, written) VALUES (\'smoke-fire\', 1, \'{"id": "smoke-fire", "form": 1}\')'
    )
    await commit(pool, [fire(rule="smoke-fire", subject_kind=SubjectKind.DEVICE)])
    assert await in_force(pool) is None
    book = without(own(), "smoke-fire")
    assert (await with_burning(pool, book)).rules == book.rules
