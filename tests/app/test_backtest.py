"""A back-test says what another rulebook would have done, against the rules in force, on what is really stored."""

import asyncio
from typing import Any

import asyncpg
import pytest
from history_making import BEGIN, LOOSER, NOW, RULING, at, make_history, store
from waiting import until as wait_until

from firetower.backtest import backtest
from firetower.backtest_process import BacktestProcesses, do_asked
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, rfc3339, to_datetime
from firetower.core.errors import Conflict, InvalidInput
from firetower.devices.events import Event
from firetower.rules.book.rulebook import load_texts
from firetower.rules.told.backtest import fire_digest
from firetower.storage import backtests
from firetower.storage.alerts import apply_verdicts
from firetower.storage.burning_rules import note_in_force

MISSING = """
rules:
  - id: no-start
    version: 1
    title: {zh: 未启动, en: Not started}
    advice: {zh: 检查, en: Look}
    class: fault
    kinds: [panel]
    condition: {event: {events: [pump_start], priority: 3, missing_for: 3d, source: "J, a test"}}
"""


async def told(pool: asyncpg.Pool, texts: dict[str, str], *, since: int = at(5), until: int = NOW) -> dict[str, Any]:
    return await backtest(pool, load_texts(texts), since, until, now=NOW)


async def test_alerts_are_counted_by_rule_class_unit_and_hour_on_both_sides(pool: asyncpg.Pool) -> None:
    """Three detectors, the hydrant and the panel alarm under the rules in force; the looser ones find two of them."""
    await make_history(pool)
    found = await told(pool, LOOSER)
    assert found["readings"] == 3 * 360 + 60
    assert found["events"] == 1
    assert found["in_force"]["by_rule"] == {"smoke-fire": 3, "event:fire": 1, "hydrant-low": 1}
    assert found["in_force"]["by_class"] == {"fire": 4, "hazard": 1}
    assert found["in_force"]["by_unit"] == {"u1": 5}
    hours = [rfc3339(hour) for hour in (BEGIN // HOUR * HOUR, BEGIN // HOUR * HOUR + HOUR)]
    times = [at(15), at(20), at(30), at(40), at(50)]
    assert found["in_force"]["by_hour"] == {
        hour: count
        for hour in hours
        if (count := sum(rfc3339(time // HOUR * HOUR) == hour for time in times))
    }  # fmt: skip
    assert found["new"]["by_rule"] == {"event:fire": 1, "smoke-fire": 1}
    assert found["gone"]["list"] == [
        {"rule": rule, "subject_kind": "device", "subject": subject, "component": component, "alerts": 1}
        for rule, subject, component in (
            ("hydrant-low", "u1/hyd-1", "pressure"),
            ("smoke-fire", "u1/smk-2", "smoke"),
            ("smoke-fire", "u1/smk-3", "smoke"),
        )
    ]
    assert found["appeared"] == {"keys": 0, "list": []}


async def test_what_operators_would_have_seen_is_told_for_each_ten_minutes(pool: asyncpg.Pool) -> None:
    """From minute 5 on there are six stretches: with hydrant, smk-1, smk-2, smk-3, panel in five of them, one each."""
    await make_history(pool)
    seen = (await told(pool, RULING))["in_force"]["seen_in_ten_minutes"]
    assert seen == {
        "max": 2,  # the hydrant at 15 min and the first detector at 20 min
        "max_from": rfc3339(at(15)),
        "mean": round(5 / 6, 3),
        "stretches": {"0": 2, "1-2": 4, "3-5": 0, "6-10": 0, "over 10": 0},
    }


async def test_a_confirmed_fire_the_rulebook_would_not_have_found_is_named(pool: asyncpg.Pool) -> None:
    """smk-2's fire stayed under the looser limit; its false neighbour is avoided, and the real one of smk-1 found."""
    await make_history(pool)
    found = await told(pool, LOOSER)
    assert (found["fires"]["confirmed"], found["fires"]["missed"]) == (2, 1)
    assert [each["subject"] for each in found["fires"]["list"]] == ["u1/smk-2"]
    assert found["fires"]["missed_by_rules_in_force"] == 0
    assert (found["false_alarms"]["found"], found["false_alarms"]["avoided"]) == (1, 1)
    assert [each["subject"] for each in found["false_alarms"]["list"]] == ["u1/smk-3"]


async def test_a_fire_is_found_by_another_device_of_its_zone(pool: asyncpg.Pool) -> None:
    """Where smk-4, of smk-2's zone, measures enough at the time, the looser rulebook misses no fire."""
    registry = await make_history(pool)
    await store(pool, registry, [("smk-4", "smoke", at(33) + step * SECOND, 0.5) for step in range(12)])
    assert (await told(pool, LOOSER))["fires"]["missed"] == 0


async def test_what_was_half_over_when_the_range_begins_is_still_raised_in_it(pool: asyncpg.Pool) -> None:
    """The hydrant is low from minute 10 on, for five minutes: a range from 12 min on has its alert at 15 min."""
    await make_history(pool)
    found = await told(pool, RULING, since=at(12))
    assert found["replayed_from"] == rfc3339(BEGIN)
    assert found["new"]["by_rule"]["hydrant-low"] == 1
    assert "hydrant-low" not in (await told(pool, RULING, since=at(16)))["new"]["by_rule"]


async def test_a_range_of_which_nothing_can_be_said_is_refused_with_what_is_accepted(pool: asyncpg.Pool) -> None:
    """Nothing stored, the future, a beginning after the end, and before what is stored."""
    with pytest.raises(InvalidInput, match="nothing is stored yet"):
        await told(pool, RULING)
    await make_history(pool)
    for since, until, said in (
        (NOW, at(5), "beginning before its end"),
        (at(5), NOW + MINUTE, "not after now"),
        (BEGIN - 2 * DAY, NOW, "the oldest reading or alarm stored"),
    ):
        with pytest.raises(InvalidInput, match=said):
            await told(pool, RULING, since=since, until=until)


# asked for ---------------------------------------------------------------------------------------


async def ask(
    pool: asyncpg.Pool, texts: dict[str, str], *, now: int = NOW, since: int = BEGIN, until: int = NOW
) -> str:
    digest = fire_digest(load_texts(texts))
    return (await backtests.ask(pool, texts, digest, since=since, until=until, by="ada", at=now)).id


async def test_one_that_was_asked_for_is_done_and_says_whether_a_limit_may_lean_on_it(pool: asyncpg.Pool) -> None:
    """One that missed a fire does not count, one of the rules as they are does, for those rules only."""
    await make_history(pool)
    clock = ManualClock(NOW)
    ruling, looser = fire_digest(load_texts(RULING)), fire_digest(load_texts(LOOSER))
    first = await ask(pool, LOOSER)
    said = await backtests.is_sound(pool, first, looser)
    assert said is not None
    assert "goes on" in said
    assert await do_asked(pool, first, clock) == "done"
    assert "missed 1 confirmed" in str(await backtests.is_sound(pool, first, looser))
    second = await ask(pool, RULING)
    assert await do_asked(pool, second, clock) == "done"
    assert await backtests.is_sound(pool, second, ruling) is None
    assert "other ones" in str(await backtests.is_sound(pool, second, looser))
    assert "there is no back-test" in str(await backtests.is_sound(pool, "bt-none", ruling))
    found = await backtests.found(pool, second, NOW)
    assert found is not None
    assert (found[0].state, found[0].asked_by) == ("done", "ada")
    assert found[1] is not None
    assert found[1]["new"]["alerts"] == 5


async def test_who_loosened_and_other_rules_do_not_make_it_another_rulebook(pool: asyncpg.Pool) -> None:
    """The back-test's own id is written into the rulebook after it; a hydrant's limit has no part in fires."""
    loosened = (
        "    loosened: {by: li, approved_by: wang, backtest: bt-1, reason: a kitchen}\n"
    )  # fmt: skip
    written = RULING | {"smoke.yaml": RULING["smoke.yaml"] + loosened}
    assert fire_digest(load_texts(written)) == fire_digest(load_texts(RULING))
    assert fire_digest(load_texts(RULING | {"hydrant.yaml": LOOSER["hydrant.yaml"]})) == fire_digest(load_texts(RULING))
    assert fire_digest(load_texts(LOOSER)) != fire_digest(load_texts(RULING))


async def test_a_second_one_is_refused_while_one_goes_on_and_one_left_behind_has_failed(pool: asyncpg.Pool) -> None:
    """Nobody holds the lock of one whose process died: after a minute it counts as failed, and the next is taken."""
    await make_history(pool)
    first = await ask(pool, RULING)
    with pytest.raises(Conflict, match=first):
        await ask(pool, RULING, now=NOW + SECOND)
    async with backtests.at_work(pool, first):
        with pytest.raises(Conflict, match=first):
            await ask(pool, RULING, now=NOW + 2 * MINUTE)
        async with backtests.at_work(pool, first) as again:
            assert again is None  # nobody does it a second time
    second = await ask(pool, RULING, now=NOW + 2 * MINUTE)
    states = {each.id: (each.state, each.error) for each in await backtests.listed(pool, NOW + 2 * MINUTE)}
    assert states[second] == ("running", None)
    state, error = states[first]
    assert state == "failed"
    assert error is not None
    assert "the service was stopped" in error


async def test_one_that_cannot_be_done_fails_with_the_reason(pool: asyncpg.Pool) -> None:
    """Nothing is stored, so nothing can be replayed."""
    await note_in_force(pool, load_texts(RULING))
    backtest_id = await ask(pool, RULING)
    assert await do_asked(pool, backtest_id, ManualClock(NOW)) == "failed"
    found = await backtests.found(pool, backtest_id, NOW)
    assert found is not None
    assert (found[0].state, "nothing is stored" in str(found[0].error)) == ("failed", True)


async def test_it_is_done_in_a_process_of_its_own(pool: asyncpg.Pool, database_url: str) -> None:
    """What is begun is done when its process has ended; what died, or was stopped with the service, says so."""
    await make_history(pool)
    ids: list[str] = []

    async def ended(url: str, state: str) -> str:
        """Begin one on a database, wait until it is in that state, and return its error."""
        processes = BacktestProcesses(pool, url, ManualClock(NOW))
        async with asyncio.TaskGroup() as group:
            running = group.create_task(processes.run())
            await asyncio.sleep(0)
            ids.append(await ask(pool, LOOSER))
            processes.begin(ids[-1])
            await wait_until(lambda: is_now(ids[-1], state), seconds=60)
            await asyncio.sleep(0)
            running.cancel()
        found = await backtests.found(pool, ids[-1], NOW)
        assert found is not None
        return str(found[0].error)

    async def is_now(backtest_id: str, state: str) -> bool:
        found = await backtests.found(pool, backtest_id, NOW)
        return found is not None and found[0].state == state

    assert await ended(database_url, "done") == "None"
    told = await backtests.found(pool, ids[0], NOW)
    assert told is not None
    assert told[1] is not None
    assert told[1]["fires"]["missed"] == 1
    assert "its process ended with status 2" in await ended("postgresql://127.0.0.1:1/none", "failed")
    assert await ended(database_url, "running") == "the service was stopped; ask again"


async def test_whoever_asked_being_gone_ends_it(pool: asyncpg.Pool) -> None:
    """The service's end of the pipe is closed: the process stops and leaves the row to be found as failed."""
    await make_history(pool)
    backtest_id = await ask(pool, RULING)
    whole = asyncio.StreamReader()
    whole.feed_eof()
    with pytest.raises(asyncio.CancelledError):
        await do_asked(pool, backtest_id, ManualClock(NOW), whole=whole)
    assert [each.state for each in await backtests.listed(pool, NOW + 2 * MINUTE)] == ["failed"]


async def test_an_event_of_days_ago_counts_where_a_rule_asks_when_it_last_came(pool: asyncpg.Pool) -> None:
    """A pump ran three days before minute 20, and is missing after three days: from minute 20 on, and not before."""
    registry = await make_history(pool)
    await pool.execute("UPDATE device SET registered_at = $1", to_datetime(BEGIN - 30 * DAY))
    ran = at(20) - 3 * DAY
    said = Event(
        "u1", "panel-1", registry.number("u1", "panel-1"), "pump_start", True, "p1", "", ran, ran + SECOND, "p"
    )
    async with pool.acquire() as conn, conn.transaction():
        await apply_verdicts(conn, [], at=ran + SECOND, events=[said])
    assert (await told(pool, RULING | {"missing.yaml": MISSING}))["new"]["by_rule"]["no-start"] == 1
    assert "no-start" not in (await told(pool, RULING | {"missing.yaml": MISSING}, until=at(19)))["new"]["by_rule"]
