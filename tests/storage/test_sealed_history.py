"""The sealed history: what is edited, deleted or added behind Firetower is found, and nothing else is."""

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from alert_making import T0, commit, fire, hazard

from firetower.alerts.acts import Acknowledge, Close
from firetower.alerts.chain import GENESIS, link
from firetower.alerts.model import Disposition
from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros
from firetower.core.errors import InvalidInput, LeaseLost
from firetower.storage import history_check, sealer
from firetower.storage.alerts import AlertStore
from firetower.storage.chain_rows import COLUMNS, to_entry
from firetower.storage.history_check import Checked, Printed
from firetower.storage.lease import Lease
from firetower.storage.sealer import Sealer

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW: Micros = T0 + MINUTE


@pytest.fixture
def step(pool: asyncpg.Pool, lease: Lease) -> Sealer:
    return Sealer(pool, lease, SHANGHAI)


async def found(pool: asyncpg.Pool, printed: Sequence[Printed] = (), start: int = 1) -> tuple[Checked, list[str]]:
    checked = Checked()
    return checked, [words async for words in history_check.check(pool, checked, start=start, printed=printed)]


async def some_alerts(pool: asyncpg.Pool) -> None:
    """A fire, acknowledged and closed, and two limits broken: five entries."""
    await commit(pool, [fire(), hazard("h1"), hazard("h2")])
    store = AlertStore(pool, ManualClock(T0 + 30 * SECOND))
    await store.act(1, Acknowledge(), actor="olga")
    await store.act(1, Close(Disposition.FALSE_ALARM, "steam"), actor="olga")


async def test_every_entry_is_sealed_once_in_the_order_of_the_changes_and_anybody_can_do_the_chain_again(
    pool: asyncpg.Pool, step: Sealer
) -> None:
    await some_alerts(pool)
    await step.take(None, NOW)
    await commit(pool, [hazard("h3"), hazard("h1", T0 + 40 * SECOND, priority=2)], NOW)
    await step.take([2, 4], NOW + SECOND)
    await step.take([2, 4], NOW + 2 * SECOND)
    rows = await pool.fetch(
        f"SELECT s.n, s.hash, {COLUMNS} FROM history_seal s JOIN alert_history h USING (alert_id, seq)"
        " JOIN alert a ON a.id = h.alert_id ORDER BY n"
    )
    assert [row["n"] for row in rows] == list(range(1, 8))
    assert [(row["alert_id"], row["seq"]) for row in rows[-2:]] == [(2, 2), (4, 1)]
    before = GENESIS
    for row in rows:
        before = link(before, to_entry(row))
        assert row["hash"] == before
    checked, wrong = await found(pool)
    assert (wrong, checked.sealed, checked.waiting, checked.hash) == ([], 7, 0, before)


async def test_a_flood_of_history_from_before_the_sealer_is_sealed_in_pieces(
    pool: asyncpg.Pool, step: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing follows the changes yet, and those of the alerts before are forgotten: all that stands there is taken."""
    monkeypatch.setattr(sealer, "A_CALL", 1)
    await commit(pool, [hazard(f"h{n}") for n in range(1500)])
    await pool.execute("DELETE FROM live_change")
    await commit(pool, [fire()], T0 + 10 * SECOND)
    assert (await found(pool))[0].waiting == 1501
    for second in range(6):
        await step.take([], NOW + second * SECOND)
        assert (await found(pool))[1] == [], "what waits for its seal is nothing wrong"
    checked, _ = await found(pool)
    assert (checked.sealed, checked.waiting) == (1501, 0)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ("UPDATE alert_history SET actor = 'someone' WHERE alert_id = 1 AND seq = 3", "seq 3 of alert 1 is not what"),
        ("UPDATE alert SET text = 'elsewhere' WHERE id = 1", "seq 1 of alert 1 is not what was sealed"),
        ("DELETE FROM alert_history WHERE alert_id = 1 AND seq = 2", "seq 2 of alert 1, sealed at"),
        (
            "INSERT INTO alert_history SELECT 1, 4, at, old, new, 'someone', 'x', '{}' FROM alert_history LIMIT 1",
            "seq 4 of alert 1 was never sealed",
        ),
        ("UPDATE alert_history SET seq = 9 WHERE alert_id = 1 AND seq = 3", "seq 9 of alert 1 was never sealed"),
        ("UPDATE alert_history SET at = 'infinity' WHERE alert_id = 3", "seq 1 of alert 3 is not what was sealed"),
        ("DELETE FROM history_seal WHERE n = 2", "the seal of entry 2 is missing"),
        ("UPDATE history_seal SET hash = sha256('x') WHERE n = 2", "entry 2: seq"),
        ("DELETE FROM history_seal WHERE n = 5", "the chain ends at entry 4"),
        ("UPDATE history_day SET hash = sha256('x')", "the hash stored for its end (entry 5)"),
    ],
)
async def test_what_is_changed_behind_firetower_is_found_and_named(
    pool: asyncpg.Pool, step: Sealer, edit: str, told: str
) -> None:
    await some_alerts(pool)
    await step.take(None, NOW)
    await step.take([], NOW + DAY)
    assert (await found(pool))[1] == []
    await pool.execute(edit)
    _, wrong = await found(pool)
    assert any(told in words for words in wrong), wrong


async def test_a_chain_that_was_rebuilt_as_a_whole_is_found_by_the_hash_on_paper_only(
    pool: asyncpg.Pool, step: Sealer, lease: Lease
) -> None:
    await some_alerts(pool)
    await step.take(None, NOW)
    await step.take([], NOW + DAY)
    day, last, hash_ = await pool.fetchrow("SELECT day, last_n, hash FROM history_day")
    on_paper = [Printed(day, None, hash_), Printed(None, last, hash_)]
    assert (await found(pool, on_paper))[1] == []
    await pool.execute("UPDATE alert_history SET actor = 'someone' WHERE alert_id = 1 AND seq = 2")
    await pool.execute("TRUNCATE history_seal, history_day, follower")
    rebuilt = Sealer(pool, lease, SHANGHAI)
    await rebuilt.take(None, NOW)
    await rebuilt.take([], NOW + DAY)
    assert (await found(pool))[1] == []
    _, wrong = await found(pool, on_paper)
    assert [words.partition(":")[0] for words in wrong] == [
        f"printed hash of the end of {day}",
        f"printed hash of entry {last}",
    ]


async def test_a_hash_of_a_day_that_is_not_on_record_is_told_with_what_is(pool: asyncpg.Pool, step: Sealer) -> None:
    """A day before the first is most likely a slip; one in between can only have been removed."""
    before, first, between, last, after = (date(2025, 11, n) for n in (21, 22, 23, 24, 25))
    printed = [Printed(day, None, bytes(32)) for day in (before, between, after)]
    assert "no entry is that old, the first day on record has not ended" in (await found(pool, printed))[1][0]
    await some_alerts(pool)
    await step.take(None, NOW)
    await step.take([], NOW + 3 * DAY)
    assert await pool.fetchval("DELETE FROM history_day WHERE day = $1 RETURNING day", between) == between
    assert [row["day"] for row in await pool.fetch("SELECT day FROM history_day ORDER BY 1")] == [first, last]
    _, wrong = await found(pool, printed)
    assert len(wrong) == 3
    assert f"no entry is that old, the first day on record is {first}; check the day" in wrong[0]
    assert "no such day; its record was removed" in wrong[1]
    assert f"the last day on record is {last}; that day has not ended, or its record was removed" in wrong[2]


async def test_a_check_may_begin_later_and_believes_the_hash_before_it(pool: asyncpg.Pool, step: Sealer) -> None:
    await some_alerts(pool)
    await step.take(None, NOW)
    await pool.execute("UPDATE alert SET text = 'elsewhere' WHERE id = 1")
    checked, wrong = await found(pool, start=4)
    assert (checked.sealed, wrong) == (2, [])
    with pytest.raises(InvalidInput, match="the newest is 5"):
        await found(pool, start=9)


async def test_each_day_ends_at_midnight_of_the_city_with_the_hash_of_its_last_entry(
    pool: asyncpg.Pool, step: Sealer, caplog: pytest.LogCaptureFixture
) -> None:
    """A day without an entry has one too: that of the day before. The log keeps a copy outside the database."""
    caplog.set_level("INFO", "firetower.storage.sealer")
    await some_alerts(pool)
    today = sealer.day_of(NOW, SHANGHAI)
    midnight = sealer.end_of(today, SHANGHAI)
    await step.take(None, midnight - SECOND)
    assert await pool.fetchval("SELECT count(*) FROM history_day") == 0
    await commit(pool, [hazard("h7")], midnight + HOUR)
    await step.take([4], midnight + DAY + HOUR)
    rows = await pool.fetch("SELECT day, last_n, hash FROM history_day ORDER BY day")
    assert [(row["day"] - today).days for row in rows] == [0, 1]
    assert [row["last_n"] for row in rows] == [5, 5]
    assert rows[0]["hash"].hex() in caplog.text
    assert await pool.fetchval("SELECT max(n) FROM history_seal") == 6


async def test_who_lost_the_desk_seals_nothing(pool: asyncpg.Pool, step: Sealer) -> None:
    await some_alerts(pool)
    await pool.execute("UPDATE lease SET epoch = epoch + 1")
    with pytest.raises(LeaseLost):
        await step.take(None, NOW)
    assert await pool.fetchval("SELECT count(*) FROM history_seal") == 0
