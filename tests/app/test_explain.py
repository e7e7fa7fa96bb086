"""Why a rule did or did not fire is told with what was stored, the state it had at that instant, and a sentence."""

from typing import Any

import asyncpg
import pytest
from history_making import BEGIN, NOW, RULING, at, make_history, store

from firetower.cli_explain import text_of
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, rfc3339, to_datetime
from firetower.core.errors import InvalidInput, NotFound
from firetower.explain import Asked, explain
from firetower.rules.book.rulebook import load_texts

LATE = """
overrides:
  - rule: hydrant-low
    scope: {unit: u1}
    reason: a low network
    source: J, a test
    bands: [{priority: 3, limit: 0.11 MPa}]
"""
PAIR = """
rules:
  - id: two-detectors
    version: 1
    title: {zh: 两个, en: Two}
    advice: {zh: 核实, en: Verify}
    class: hazard
    kinds: [smoke]
    condition:
      combination:
        group: zone
        all: [{rules: [smoke-fire], devices: 2}]
        priority: 2
        source: J, a test
  - id: silent
    version: 1
    title: {zh: 离线, en: Silent}
    advice: {zh: 检查, en: Look}
    class: offline
    kinds: [smoke]
    condition:
      silence:
        of: seen
        bands: [{priority: 3, intervals: 3, at_least: 2min, source: "J, a test"}]
  - id: panel-fault
    version: 1
    title: {zh: 火警, en: Fire}
    advice: {zh: 核实, en: Verify}
    class: hazard
    kinds: [panel]
    condition: {event: {events: [fire], priority: 2, on_delay: 5min, source: "J, a test"}}
"""


async def told(pool: asyncpg.Pool, device: str, when: int, texts: dict[str, str] | None = None) -> dict[str, Any]:
    book = None if texts is None else load_texts(texts)
    return await explain(pool, Asked("u1", device, when, book), now=NOW)


def rule(found: dict[str, Any], rule_id: str) -> dict[str, Any]:
    return next(each for each in found["rules"] if each["rule"] == rule_id)


async def test_a_delay_half_over_says_what_is_left_of_it(pool: asyncpg.Pool) -> None:
    """hyd-1 has been under its limit since minute 10, for five minutes it must last: at 13 min, 3 of 5 are over."""
    await make_history(pool)
    found = await told(pool, "hyd-1", at(13))
    low = rule(found, "hydrant-low")
    assert (low["active"], low["component"], low["value"]) == (False, "pressure", 0.12)
    band = low["bands"][0]
    assert (band["zone"], band["since"], band["readings"]) == ("beyond", rfc3339(at(10)), 4)
    assert band["fires_at"] == rfc3339(at(15))
    assert band["why"].startswith("0.12 MPa is below 0.14 MPa since 16:37: 3min of 5min: it fires at 16:42")
    assert found["readings"][0]["newest"][0] == {
        "at": rfc3339(at(13)), "received_at": rfc3339(at(13) + SECOND), "value": 0.12, "quality": "good",
    }  # fmt: skip
    assert low["why"] in "\n".join(text_of(found))


async def test_what_fired_holds_and_what_returned_is_in_order(pool: asyncpg.Pool) -> None:
    """From 15 to 30 min it is raised; after that it is in order, and the explanation says since when."""
    await make_history(pool)
    low = rule(await told(pool, "hyd-1", at(20) + 30 * SECOND), "hydrant-low")
    assert (low["active"], low["since"], low["priority"]) == (True, rfc3339(at(15)), 3)
    assert low["why"].endswith("it fired, and holds")
    low = rule(await told(pool, "hyd-1", at(40)), "hydrant-low")
    assert (low["active"], low["bands"][0]["zone"]) == (False, "in_order")
    assert low["why"] == "0.3 MPa is in order, not below 0.14 MPa, since 16:57"


async def test_the_override_in_force_for_the_device_is_named_and_used(pool: asyncpg.Pool) -> None:
    """With 0.11 MPa for its unit nothing is wrong with 0.12 MPa; the scope, the reason and the source are told."""
    await make_history(pool)
    found = await told(pool, "hyd-1", at(20), RULING | {"own.yaml": LATE})
    low = rule(found, "hydrant-low")
    assert found["rulebook"] == "given"
    assert low["overrides"] == [{"scope": "unit u1", "reason": "a low network", "source": "J, a test"}]
    assert (low["active"], low["bands"][0]["limit"], low["bands"][0]["zone"]) == (False, "0.11 MPa", "between")


async def test_a_combination_names_the_devices_that_count(pool: asyncpg.Pool) -> None:
    """smk-2 alone is one of two; smk-4 of its zone with it makes two, and smk-3 is told the same of its zone."""
    registry = await make_history(pool)
    book = RULING | {"pair.yaml": PAIR}
    two = rule(await told(pool, "smk-3", at(31), book), "two-detectors")
    assert not two["active"]
    assert two["why"] == ("u1/A/1/w: not met: 1 device with smoke-fire, 2 needed: u1/smk-2 (smoke-fire since 16:57:10)")
    await store(pool, registry, [("smk-4", "smoke", at(30) + step * 10 * SECOND, 0.5) for step in range(7)])
    two = rule(await told(pool, "smk-3", at(31), book), "two-detectors")
    assert (two["active"], two["priority"]) == (True, 2)
    assert "u1/smk-4" in two["why"]


async def test_silence_and_events_say_how_long_and_what(pool: asyncpg.Pool) -> None:
    """Nine seconds after its last reading a detector is not silent; the panel's fire is half through a delay."""
    await make_history(pool)
    book = RULING | {"pair.yaml": PAIR}
    await pool.execute("UPDATE device SET registered_at = $1", to_datetime(BEGIN - DAY))
    silent = rule(await told(pool, "smk-1", at(60), book), "silent")
    assert not silent["active"]
    assert "silent for 9s; allowed: 2min (priority 3)" in silent["why"]
    fault = rule(await told(pool, "panel-1", at(53), book), "panel-fault")
    assert not fault["active"]
    assert fault["why"] == "active: fire at 2-1 since 17:17; it must hold for 5min"
    assert rule(await told(pool, "panel-1", at(56), book), "panel-fault")["active"]


async def test_a_device_that_was_silent_has_fired(pool: asyncpg.Pool) -> None:
    """smk-4 spoke once, at minute 20; a quarter of an hour later it has been silent for too long since 22 min."""
    registry = await make_history(pool)
    await store(pool, registry, [("smk-4", "smoke", at(20), 0.01)])
    await pool.execute("UPDATE device SET registered_at = $1", to_datetime(BEGIN - DAY))
    silent = rule(await told(pool, "smk-4", at(35), RULING | {"pair.yaml": PAIR}), "silent")
    assert (silent["active"], silent["since"]) == (True, rfc3339(at(22) + SECOND))


async def test_all_times_a_person_reads_are_of_one_zone_which_is_named(pool: asyncpg.Pool) -> None:
    """The calendar's: 16:40 without a zone is its own, which is said; the header, the readings and the sentences."""
    await make_history(pool)
    book = load_texts(RULING)
    naive = to_datetime(at(13) + 8 * HOUR).replace(tzinfo=None)
    found = await explain(pool, Asked("u1", "hyd-1", naive, book), now=NOW)
    assert (found["at"], found["zone"]) == (rfc3339(at(13)), "Asia/Shanghai")
    text = "\n".join(text_of(found))
    assert "at 2025-11-22 16:40:00+08:00; all times are of the rulebook calendar's zone Asia/Shanghai, in which" in text
    assert "pressure: 16:40 0.12 MPa; 16:39 0.12 MPa" in text
    assert "since 16:37" in text
    assert "T08:40" not in text


async def test_a_rule_without_any_reading_says_so(pool: asyncpg.Pool) -> None:
    """smk-4 reported nothing: nothing is known, so nothing fires."""
    await make_history(pool)
    fire = rule(await told(pool, "smk-4", at(30)), "smoke-fire")
    assert (fire["active"], fire["bands"]) == (False, [])
    assert fire["why"].startswith("no reading of smoke since")


async def test_what_cannot_be_explained_is_refused_with_the_reason(pool: asyncpg.Pool) -> None:
    """An unknown device, the future, and what is stored no more."""
    with pytest.raises(NotFound, match="no device u1/none"):
        await told(pool, "none", at(1))
    await make_history(pool)
    for when, said in ((NOW + MINUTE, "in the future"), (BEGIN - 2 * DAY, "nothing is stored any more")):
        with pytest.raises(InvalidInput, match=said):
            await told(pool, "hyd-1", when)
