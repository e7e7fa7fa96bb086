"""The clock is set back by hours: nothing is hidden, nobody waits, and no seal is doubted for as long as it jumped."""

from zoneinfo import ZoneInfo

import asyncpg
from alert_making import T0, commit, fire, hazard
from desk_city import City, silent

from firetower.alerts.acts import Acknowledge
from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock
from firetower.rules.verdicts import VerdictKind
from firetower.storage import history_check
from firetower.storage.alerts import AlertStore
from firetower.storage.causes import Causes
from firetower.storage.escalations import Escalations
from firetower.storage.history_check import Checked
from firetower.storage.hold_ends import WindowTurns
from firetower.storage.lease import Lease
from firetower.storage.sealer import Sealer

AHEAD = T0 + 8 * HOUR
"""What the clock says before it is set right."""


async def test_what_a_cause_hid_comes_back_within_its_grace(city: City, lease: Lease) -> None:
    step = Causes(city.pool, lease)
    gateway, point = await city.raised(silent("gw-1", gateway=True), silent("p1"))
    await city.pool.execute("UPDATE alert SET gateway = 'gw-1' WHERE id = $1", point)
    await step.take(None, AHEAD)
    heard = silent("gw-1", gateway=True, kind=VerdictKind.CLEAR, at=T0 + MINUTE)
    await commit(city.pool, [heard], AHEAD)
    await step.take([gateway], AHEAD + SECOND)
    await step.take([point], AHEAD + 2 * SECOND)
    assert await city.seen(point) == [("unacknowledged", "suppressed")]
    await step.take([], T0 + MINUTE)
    assert await city.seen(point) == [("unacknowledged", "none")]


async def test_a_window_gives_back_what_it_held_at_its_end_and_a_test_is_over_at_its_own(
    city: City, lease: Lease
) -> None:
    """Both were announced after it; the console is told of their ends; what begins later takes out of service."""
    step = WindowTurns(city.pool, lease)
    await step.take(None, AHEAD)
    await step.take([], AHEAD + MINUTE)
    maintained = await city.window("maintenance", T0, T0 + HOUR, device="h1")
    tested = await city.window("test", T0, T0 + HOUR, device="s1")
    later = await city.window("maintenance", T0 + 2 * HOUR, T0 + 3 * HOUR, device="h1")
    held, burning = await city.raised(hazard("h1"), fire("s1"), at=T0 + MINUTE)
    assert await city.seen(held) == [("unacknowledged", "out_of_service")]
    await step.take([held, burning], T0 + MINUTE)
    await step.take([], T0 + HOUR - SECOND)
    assert [(await city.alert(each)).flags for each in (held, burning)] == [(), ("in_test",)]
    seq = await city.seq()
    await step.take([], T0 + HOUR)
    assert await city.seen(held) == [("unacknowledged", "none")]
    assert (await city.alert(burning)).flags == ("after_test",)
    assert (await city.since(seq)).windows == [maintained, tested]
    await step.take([], T0 + 2 * HOUR)
    assert (await city.alert(held)).window_id == later
    await step.take([], T0 + 3 * HOUR)
    assert await city.seen(held) == [("unacknowledged", "none")]


async def test_a_fire_raised_before_it_escalates_once_in_its_time_after_it(city: City, lease: Lease) -> None:
    """Thirty seconds by the clock set right, whatever else becomes of the alert meanwhile; to a new desk too."""
    step = Escalations(city.pool, lease)
    first, second = (await commit(city.pool, [fire("s1"), fire("s2")], AHEAD)).alert_ids
    await city.shown(first, second, at=AHEAD)
    await step.take(None, AHEAD + SECOND)
    await step.take([], T0)
    await step.take([second], T0 + 20 * SECOND)
    assert [(await city.alert(each)).escalation for each in (first, second)] == [0, 0]
    await step.take([], T0 + 30 * SECOND)
    assert [(await city.alert(each)).escalation for each in (first, second)] == [1, 1]
    await AlertStore(city.pool, ManualClock(AHEAD)).act(first, Acknowledge(), actor="li")
    again = Escalations(city.pool, lease)
    for seconds in (40, 210, 220, 230):
        await again.take(None if seconds == 40 else [], T0 + seconds * SECOND)
        expected = 1 if seconds < 220 else 2
        assert [(await city.alert(each)).escalation for each in (first, second)] == [expected, 1]


async def test_a_history_whose_sealer_was_away_meanwhile_waits_for_it_and_is_not_called_false(
    pool: asyncpg.Pool, lease: Lease
) -> None:
    """The changes it had not read are forgotten; what stands between sealed entries is still named."""
    step = Sealer(pool, lease, ZoneInfo("Asia/Shanghai"))
    (first,) = (await commit(pool, [hazard("h1")], AHEAD)).alert_ids
    await AlertStore(pool, ManualClock(AHEAD)).act(first, Acknowledge(), actor="li")
    await step.take(None, AHEAD)
    await commit(pool, [hazard("h2")], T0)
    await commit(pool, [hazard("h3")], T0 + 2 * HOUR)
    await pool.execute("DELETE FROM live_change WHERE seq < (SELECT max(seq) FROM live_change)")
    checked = Checked()
    assert [words async for words in history_check.check(pool, checked)] == []
    assert (checked.sealed, checked.waiting, checked.behind) == (2, 2, True)
    await pool.execute("UPDATE alert_history SET seq = 0 WHERE alert_id = $1 AND seq = 1", first)
    words = [each async for each in history_check.check(pool, Checked())]
    assert any(f"seq 0 of alert {first} was never sealed" in each for each in words), words
    await pool.execute("UPDATE alert_history SET seq = 1 WHERE alert_id = $1 AND seq = 0", first)
    await step.take([], T0 + 2 * HOUR)
    after = Checked()
    assert [words async for words in history_check.check(pool, after)] == []
    assert (after.sealed, after.waiting, after.behind) == (4, 0, False)
