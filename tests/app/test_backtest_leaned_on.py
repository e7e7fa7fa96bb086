"""A loosened fire limit leans on a back-test of all that is stored: any stretch in which nothing burned is none."""

import asyncpg
from history_making import BEGIN, LOOSER, NOW, at, make_history

from firetower.backtest_process import do_asked
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros, rfc3339
from firetower.rules.book.rulebook import load_texts
from firetower.rules.told.backtest import fire_digest
from firetower.storage import backtests

DIGEST = fire_digest(load_texts(LOOSER))


async def asked(pool: asyncpg.Pool, since: Micros, until: Micros, now: Micros) -> str:
    return (await backtests.ask(pool, LOOSER, DIGEST, since=since, until=until, by="ada", at=now)).id


async def why_not(
    pool: asyncpg.Pool, since: Micros, until: Micros, now: Micros = NOW, *, stored_from: Micros = BEGIN
) -> str:
    """Why no limit may lean on a back-test of a range, of what is stored from then on, that missed no fire in it."""
    backtest_id = await asked(pool, since, until, now)
    told = {"readings": 1, "fires": {"missed": 0}, "stored_from": rfc3339(stored_from)}
    await backtests.finish(pool, backtest_id, told, now)
    return await backtests.is_sound(pool, backtest_id, DIGEST) or ""


def stretch(since: Micros, until: Micros) -> str:
    return f"{rfc3339(since)} to {rfc3339(until)}"


async def test_a_range_that_leaves_out_confirmed_fires_lets_nothing_be_loosened(pool: asyncpg.Pool) -> None:
    """The looser rulebook misses the fire of minute 30; a stretch after it, replayed, says nothing of that."""
    await make_history(pool)
    backtest_id = await asked(pool, at(40), NOW, NOW)
    assert await do_asked(pool, backtest_id, ManualClock(NOW)) == "done"
    said = await backtests.is_sound(pool, backtest_id, DIGEST)
    assert f"leaves out {stretch(BEGIN, at(40))}, with 2 confirmed fires; take all" in str(said)
    assert f"leaves out {stretch(at(25), NOW)}, with 1 confirmed fires" in await why_not(pool, BEGIN, at(25))
    both = await why_not(pool, at(25), at(26))
    assert f"leaves out {stretch(BEGIN, at(25))} and {stretch(at(26), NOW)}, with 2 confirmed fires" in both
    assert await why_not(pool, BEGIN, at(35)) == "", "what is left out is within an hour, and nothing burned in it"


async def test_without_any_fire_all_that_is_stored_is_enough(pool: asyncpg.Pool) -> None:
    """To within an hour of when it was asked for; what people told, and false alarms, are no fires that rules find."""
    await make_history(pool)
    await pool.execute("UPDATE alert SET disposition = 'false_alarm' WHERE subject = 'u1/smk-1'")
    await pool.execute("UPDATE alert SET rule = 'manual:fire' WHERE subject = 'u1/smk-2'")
    assert await why_not(pool, BEGIN, NOW) == ""
    assert await why_not(pool, BEGIN - MINUTE, NOW, NOW + HOUR) == ""
    assert await why_not(pool, BEGIN, at(25)) == ""
    assert f"leaves out {stretch(BEGIN, at(1))}; take all" in await why_not(pool, at(1), NOW)
    late = NOW + HOUR + SECOND
    assert f"leaves out {stretch(NOW, late)}; take all" in await why_not(pool, BEGIN, NOW, late)


async def test_of_a_history_longer_than_can_be_replayed_its_last_92_days_are_asked_for(pool: asyncpg.Pool) -> None:
    """Fires of before them are not held against it: nobody could replay them and the present at once."""
    await make_history(pool)
    now = NOW + 100 * DAY
    begin = now - 92 * DAY
    assert await why_not(pool, begin, now, now) == ""
    assert f"leaves out {stretch(begin, begin + DAY)}; take all" in await why_not(pool, begin + DAY, now, now)
    assert f"leaves out {stretch(begin, now)};" in await why_not(pool, BEGIN, NOW, now)
    assert await why_not(pool, now - DAY, now, now, stored_from=now - DAY) == ""
