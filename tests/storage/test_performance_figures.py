"""Shift reports, bad actors and floods on record, as the store counts them."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from alert_making import clear, commit, fire, hazard

from firetower.alerts.acts import Acknowledge, Close, Note
from firetower.alerts.model import Disposition
from firetower.alerts.performance import Answers, Delay, Roster
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros, from_datetime, to_datetime
from firetower.storage import accounts, performance
from firetower.storage.alerts import AlertStore
from firetower.storage.flood_episodes import FloodEpisodes
from firetower.storage.lease import DESK, Lease
from firetower.storage.sealer import Sealer

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROSTER = Roster()
SHIFT = ROSTER.recent(1_763_800_000 * SECOND, 2)[1]
T: Micros = SHIFT.begin


@pytest.fixture
async def lease(database_url: str) -> AsyncIterator[Lease]:
    held = Lease(database_url, DESK)
    await held.take()
    yield held
    held.release()


async def test_a_shift_report_tells_what_came_who_answered_and_how_fast(pool: asyncpg.Pool, lease: Lease) -> None:
    for name in ("olga", "wang"):
        await accounts.add(pool, name, "hash", "operator", T)
    clock = ManualClock(T)
    store = AlertStore(pool, clock)
    await commit(pool, [hazard("old")], T - 2 * DAY)
    await commit(pool, [hazard("h0")], T - 1)
    await commit(pool, [fire("s1", T), *(hazard(f"h{n}", T) for n in range(1, 12))], T)
    await commit(pool, [clear(hazard("h1"), T + 20 * SECOND), clear(hazard("h2"), T + MINUTE)], T + 20 * SECOND)
    fires = await pool.fetchval("SELECT id FROM alert WHERE alert_class = 'fire'")
    broken = await pool.fetchval("SELECT id FROM alert WHERE subject = 'u1/h5'")
    clock.set(T + 10 * SECOND)
    await store.act(fires, Acknowledge(), actor="olga")
    clock.set(T + 50 * SECOND)
    await store.act(fires, Close(Disposition.FALSE_ALARM, "steam"), actor="wang")
    await store.act(fires, Note("the caretaker called"), actor="wang")
    clock.set(T + 30 * SECOND)
    await store.act(broken, Acknowledge(), actor="olga")
    await pool.execute(
        "INSERT INTO alert_history (alert_id, seq, at, old, new, actor, reason)"
        " SELECT $1::int8, 9, $2::timestamptz, 'acknowledged', 'acknowledged', 'wang', 'verified'"
        " UNION ALL SELECT $1, 10, $2, 'acknowledged', 'acknowledged', 'timer', 'escalated'",
        fires, to_datetime(T + 100 * SECOND),
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO flood (started_at, ended_at, alarms, peak, operators) VALUES ($1, $2, 1, 1, 1)",
        to_datetime(T - HOUR), to_datetime(T + 6 * HOUR),
    )  # fmt: skip
    await commit(pool, [hazard("later")], SHIFT.end)
    await Sealer(pool, lease, SHANGHAI).take(None, SHIFT.end + MINUTE)

    found = await performance.report(pool, ROSTER, SHIFT, SHIFT.end + MINUTE)
    assert found.counts.raised == {("fire", 1): 1, ("hazard", 3): 11}
    assert (found.counts.open_at_end, found.counts.stale) == (13, 1)
    assert (found.counts.fleeting, found.counts.escalations) == (2, 1)
    assert (found.counts.false_alarms, found.counts.checked) == (1, 1)
    assert (found.counts.in_time, found.counts.due) == (0, 1)
    assert found.counts.worst_share == pytest.approx(100 * 10 / 12)
    assert (found.rate.operators, found.rate.peak) == (2, 6.0)
    assert found.rate.in_flood == pytest.approx(50.0)
    olga, wang = found.operators
    assert olga == Answers(
        "olga", 2, 0, 0, 0,
        acknowledge=Delay(2, 20.0, 29.0), acknowledge_fire=Delay(1, 10.0, 10.0),
        verify=Delay(1, 100.0, 100.0), verify_fire=Delay(1, 100.0, 100.0),
    )  # fmt: skip
    assert (wang.verified, wang.closed, wang.noted, wang.acknowledge.median_s) == (1, 1, 1, None)
    assert (found.everyone.acknowledged, found.everyone.closed) == (2, 1)
    assert found.sealed is not None
    assert found.sealed.n == await pool.fetchval("SELECT max(n) FROM history_seal")
    assert not found.sealed.is_over


async def test_a_shift_in_which_nothing_happened_has_a_report_too(pool: asyncpg.Pool) -> None:
    found = await performance.report(pool, ROSTER, SHIFT, SHIFT.end)
    assert (found.counts.raised, found.operators, found.sealed, found.everyone.acknowledged) == ({}, [], None, 0)


async def test_the_worst_actor_stands_first_and_what_is_open_for_days_stands_there_too(pool: asyncpg.Pool) -> None:
    now = T + HOUR
    await commit(pool, [hazard("old", T - 9 * DAY)], T - 9 * DAY)
    await commit(pool, [hazard("h1"), hazard("h2")], T)
    for turn in range(1, 4):
        moment = T + turn * 20 * SECOND
        await commit(pool, [clear(hazard("h1"), moment)], moment)
        await commit(pool, [hazard("h1", moment + 5 * SECOND)], moment + 5 * SECOND)
    await pool.execute("UPDATE alert SET flags = '{chattering}' WHERE subject = 'u1/h1'")
    first, second, third = await performance.bad_actors(pool, now - 7 * DAY, now, 10)
    assert (first.subject, first.raised, first.chattering, first.fleeting, first.stale) == ("u1/h1", 1, 1, 1, False)
    assert first.occurrences > second.occurrences
    assert (second.subject, second.last_raised_at) == ("u1/h2", T)
    assert (third.subject, third.raised, third.stale) == ("u1/old", 0, True)
    assert len(await performance.bad_actors(pool, now - 7 * DAY, now, 1)) == 1


async def test_a_flood_is_on_record_from_its_begin_to_its_end_with_its_peak(pool: asyncpg.Pool, lease: Lease) -> None:
    step = FloodEpisodes(pool, lease)
    await commit(pool, [hazard(f"h{n}") for n in range(10)], T)
    await step.take(None, T)
    assert await pool.fetchval("SELECT count(*) FROM flood") == 0, "ten for one operator are none yet"
    await commit(pool, [hazard("h10")], T + MINUTE)
    await step.take([], T + MINUTE)
    await commit(pool, [hazard("h11")], T + 2 * MINUTE)
    await step.take([], T + 2 * MINUTE)
    row = await pool.fetchrow("SELECT * FROM flood")
    assert (from_datetime(row["started_at"]), row["ended_at"], row["peak"]) == (T + MINUTE, None, 12)
    await step.take([], T + 11 * MINUTE)
    row = await pool.fetchrow("SELECT * FROM flood")
    assert (from_datetime(row["ended_at"]), row["alarms"], row["peak"]) == (T + 11 * MINUTE, 12, 12)
    await step.take([], T + 12 * MINUTE)
    assert await pool.fetchval("SELECT count(*) FROM flood") == 1
