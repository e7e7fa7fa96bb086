"""A day and a night of the watch: three people hand over at every change of shift, over the change to summer time."""

import asyncio
from datetime import time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from alert_making import commit, fire
from desk_city import NOW, City

from firetower.alerts.performance import Roster
from firetower.core.clock import HOUR, MINUTE, Micros
from firetower.core.errors import Conflict
from firetower.storage import accounts, watch, watch_handovers, watch_log

SHIFTS = Roster((time(8), time(20)), ZoneInfo("Europe/Berlin"))


async def on_duty(pool: asyncpg.Pool) -> list[str]:
    return [each.account for each in await watch.on_duty(pool)]


async def hand_over(pool: asyncpg.Pool, outgoing: str, incoming: str, at: Micros) -> None:
    """Hand over as people do: the draft ten minutes before the shift ends, completed at its end."""
    begun = await watch_handovers.begin(pool, outgoing, None, actor=outgoing, notes="", at=at - 10 * MINUTE)
    draft = await watch_handovers.draft(pool, begun.id, at - 5 * MINUTE)
    ids = [each.alert.id for each in draft.alerts]
    await watch_handovers.accept(pool, begun.id, ids, actor=incoming, at=at - 5 * MINUTE)
    assert await on_duty(pool) == [outgoing]
    await watch_handovers.complete(pool, begun.id, actor=incoming, seated=True, at=at)


async def test_at_every_moment_one_is_on_duty_and_each_shift_has_its_own_log(pool: asyncpg.Pool, city: City) -> None:
    """Saturday's night is an hour short; each fire stays with whoever is on duty until somebody closes it."""
    for name in ("olga", "wang", "li"):
        await accounts.add(pool, name, "-", "operator", 0)
    shift = SHIFTS.named("2026-03-28T08:00")
    assert shift is not None
    lengths, people = [], ["olga", "wang", "li", "olga"]
    await watch.sign_on(pool, people[0], shift.begin)
    for outgoing, incoming in pairwise(people):
        lengths.append((shift.end - shift.begin) // HOUR)
        (alert,) = await city.raised(fire(f"s-{shift.id[8:13]}", shift.begin + HOUR), at=shift.begin + HOUR)
        await pool.execute("UPDATE alert SET assignee = $2 WHERE id = $1", alert, outgoing)
        await hand_over(pool, outgoing, incoming, shift.end)
        assert await on_duty(pool) == [incoming]
        assert await pool.fetchval("SELECT count(*) FROM alert WHERE assignee = $1", incoming) == len(lengths)
        found = await watch_log.entries(pool, shift.begin, shift.end, limit=100)
        begun_with = "sign_on" if len(lengths) == 1 else "handover"
        assert [each.kind for each in found] == [begun_with, "handover_begun"]
        shift = SHIFTS.at(shift.end)
    assert lengths == [12, 11, 12]
    told = await pool.fetch("SELECT evidence FROM shift_log WHERE kind = 'handover' ORDER BY id")
    assert [len(row["evidence"]["alerts"]) for row in told] == [1, 2, 3]
    history = await city.told(alert)
    assert history[-1] == ("olga", "assigned"), "the history of each alert says who has it now"


async def test_a_fire_that_is_committed_after_the_acceptance_holds_the_handover_up(
    pool: asyncpg.Pool, city: City
) -> None:
    for name in ("olga", "wang"):
        await accounts.add(pool, name, "-", "operator", 0)
    at = 1_763_800_000_000_000
    await watch.sign_on(pool, "olga", at)
    begun = await watch_handovers.begin(pool, "olga", "wang", actor="olga", notes="", at=at)
    late = (await commit(pool, [fire("s-9")])).alert_ids
    with pytest.raises(Conflict, match="1 open alarms are not accepted") as told:
        await watch_handovers.complete(pool, begun.id, actor="wang", seated=True, at=at)
    assert told.value.current["missing"][0]["id"] == str(late[0])  # type: ignore[index]
    assert await on_duty(pool) == ["olga"]
    assert await pool.fetchval("SELECT count(*) FROM shift_log WHERE kind = 'handover'") == 0


async def test_a_large_handover_leaves_the_event_loop_its_turns(
    pool: asyncpg.Pool, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consoles, and on a small installation alarms, pass on the same processor while hundreds change hands."""
    for name in ("olga", "wang"):
        await accounts.add(pool, name, "-", "operator", 0)
    await watch.sign_on(pool, "olga", NOW)
    ids = await city.raised(*(fire(f"s{number}") for number in range(120)), assignee="olga")
    begun = await watch_handovers.begin(pool, "olga", "wang", actor="olga", notes="", at=NOW)
    await watch_handovers.accept(pool, begun.id, ids, actor="wang", at=NOW)
    turns, decided = 0, []
    decide = watch_handovers.decide

    def counted(*given: Any, **more: Any) -> Any:
        decided.append(turns)
        return decide(*given, **more)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(watch_handovers, "decide", counted)
    other = asyncio.create_task(others())
    await watch_handovers.complete(pool, begun.id, actor="wang", seated=True, at=NOW)
    other.cancel()
    assert (len(decided), len(set(decided))) == (120, 3)
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE assignee = 'wang'") == 120
