"""Shelving ends, windows begin and end: what the desk does to stored alerts then, and to fires never."""

import pytest
from alert_making import T0, clear, fire, hazard
from desk_city import NOW, silent

from firetower.core.clock import HOUR, MINUTE, SECOND, to_datetime
from firetower.core.errors import LeaseLost
from firetower.devices.events import AlertClass
from firetower.storage.alert_moves import BATCH
from firetower.storage.causes import Causes
from firetower.storage.chatter import Chatter
from firetower.storage.hold_ends import ShelvingEnds, WindowTurns

U_NONE = ("unacknowledged", "none")
OUT = ("unacknowledged", "out_of_service")


@pytest.fixture
def shelving(pool, lease) -> ShelvingEnds:
    return ShelvingEnds(pool, lease)


@pytest.fixture
def windows(pool, lease) -> WindowTurns:
    return WindowTurns(pool, lease)


async def test_shelving_ends_by_itself_and_what_is_normal_by_then_is_closed(city, shelving):
    """What stands sounds again, what returned is closed by the timer, what has time left stays; the second time nothing
    happens."""
    stands, over, later = await city.raised(hazard("h1"), hazard("h2"), hazard("h3"))
    await city.shelved(stands, over, until=NOW)
    await city.shelved(later, until=NOW + SECOND)
    await city.pool.execute("UPDATE alert SET condition = 'normal' WHERE id = $1", over)
    await shelving.take([], NOW - 1)
    assert await city.seen(stands) == [("acknowledged", "shelved")]
    seq = await city.seq()
    await shelving.take([], NOW)
    assert await city.seen(stands, over, later) == [U_NONE, ("closed", "none"), ("acknowledged", "shelved")]
    assert (await city.alert(over)).closed_by == "timer"
    assert (await city.told(stands))[-1] == ("timer", "shelving_ended")
    assert (await city.since(seq)).alerts == [stands, over]
    seq = await city.seq()
    await shelving.take(None, NOW)
    assert await city.seq() == seq


async def test_a_closed_alert_of_the_past_or_a_lease_that_is_lost_changes_nothing(city, shelving, lease):
    """Whoever was overtaken lets go of nothing, though the time has come."""
    (alert_id,) = await city.raised(hazard("h1"))
    await city.shelved(alert_id, until=NOW)
    await city.pool.execute("UPDATE lease SET epoch = epoch + 1")
    with pytest.raises(LeaseLost):
        await shelving.take([], NOW)
    assert await city.seen(alert_id) == [("acknowledged", "shelved")]


async def test_two_thousand_holds_end_in_bounded_calls(city, shelving, pool):
    """Each call ends a batch, the longest overdue first, so that the other steps of the desk get their turn."""
    await pool.execute(
        "INSERT INTO alert (rule, rule_version, subject_kind, subject, component, alert_class, priority, latched,"
        " state, hold, condition, title_zh, title_en, device_at, received_at, raised_at, condition_at, last_event_at,"
        " held_until)"
        " SELECT 'r', 1, 'device', 'u1/h' || n, '', 'hazard', 3, false, 'acknowledged', 'shelved', 'active', 't', 't',"
        "  $1, $1, $1, $1, $1, $2::timestamptz - n * interval '1 ms' FROM generate_series(1, 2000) AS n",
        to_datetime(T0), to_datetime(NOW),
    )  # fmt: skip
    left = []
    for _ in range(2000 // BATCH):
        await shelving.take([], NOW)
        left.append(await pool.fetchval("SELECT count(*) FROM alert WHERE hold = 'shelved'"))
    assert left == list(range(2000 - BATCH, -1, -BATCH))
    assert await pool.fetchval("SELECT count(*) FROM alert_history WHERE reason = 'shelving_ended'") == 2000


async def test_a_window_takes_out_of_service_what_it_covers_and_reinstates_it_by_itself(city, windows):
    """From its beginning to its end, the zone it names and no other; the console is told of both turns of the window;
    fires and prealarms in it are marked and left alone."""
    inside, elsewhere, smoke, burning = await city.raised(
        hazard("h1"), hazard("h2"), hazard("s1", rule="smoke", alert_class=AlertClass.PREALARM), fire("s2")
    )
    await city.pool.execute("UPDATE alert SET zone = 'b1/f1/z1' WHERE id = ANY($1::bigint[])", [inside, smoke, burning])
    await city.pool.execute("UPDATE alert SET zone = 'b1/f2/z1' WHERE id = $1", elsewhere)
    window = await city.window("maintenance", NOW, NOW + HOUR, zone="b1/f1")
    await windows.take(None, NOW - SECOND)
    assert await city.seen(inside) == [U_NONE]
    seq = await city.seq()
    await windows.take([], NOW)
    assert await city.seen(inside, elsewhere, smoke, burning) == [OUT, U_NONE, U_NONE, U_NONE]
    held = await city.alert(inside)
    assert (held.hold_reason, held.held_by, held.held_until, held.window_id) == (
        "maintenance: pipe work", "wang", NOW + HOUR, window,
    )  # fmt: skip
    assert [(await city.alert(each)).flags for each in (smoke, burning)] == [("impaired",), ("impaired",)]
    changed = await city.since(seq)
    assert (changed.alerts, changed.windows) == (sorted([inside, smoke, burning]), [window])
    seq = await city.seq()
    await windows.take(None, NOW + MINUTE)
    assert await city.seq() == seq
    await windows.take([], NOW + HOUR)
    assert await city.seen(inside) == [U_NONE]
    assert (await city.told(inside))[-2:] == [("timer", "out_of_service"), ("timer", "reinstated")]
    changed = await city.since(seq)
    assert (changed.alerts, changed.windows) == ([inside], [window])
    seq = await city.seq()
    await windows.take(None, NOW + HOUR + MINUTE)
    assert await city.seq() == seq


async def test_a_window_ended_by_a_person_or_while_nobody_looked_is_found(city, windows, pool, lease):
    """The end has a minute to become visible; after a restart everything that ended meanwhile is reinstated; what a
    second window covers stays out of service."""
    first, second = await city.raised(hazard("h1"), hazard("h2"))
    whole = await city.window("impairment", NOW, NOW + 3 * HOUR)
    await windows.take(None, NOW - SECOND)
    await windows.take([], NOW)
    await city.window("maintenance", NOW, NOW + 4 * HOUR, device="h2")
    assert await city.seen(first, second) == [OUT, OUT]
    await windows.take([], NOW + 30 * MINUTE)
    await pool.execute(
        "UPDATE announced_window SET ended_at = $2, ended_by = 'li' WHERE id = $1",
        whole, to_datetime(NOW + 30 * MINUTE - 5 * SECOND),
    )  # fmt: skip
    seq = await city.seq()
    await WindowTurns(pool, lease).take([], NOW + 30 * MINUTE + SECOND)
    assert await city.seen(first, second) == [U_NONE, OUT]
    assert (await city.alert(second)).hold_reason == "maintenance: pipe work"
    assert (await city.since(seq)).windows == []
    await WindowTurns(pool, lease).take(None, NOW + 9 * HOUR)
    assert await city.seen(second) == [U_NONE]


async def test_what_a_person_reopened_under_a_window_stays_in_view(city, windows, pool, lease):
    """A window acts when it begins, not for ever after, and a restart is no beginning."""
    (alert_id,) = await city.raised(hazard("h1"))
    await city.window("maintenance", NOW, NOW + 3 * HOUR)
    await windows.take(None, NOW)
    assert await city.seen(alert_id) == [OUT]
    await pool.execute("UPDATE alert SET hold = 'none', window_id = NULL, version = 5 WHERE id = $1", alert_id)
    await windows.take([alert_id], NOW + 10 * SECOND)
    await windows.take([alert_id], NOW + 10 * MINUTE)
    await WindowTurns(pool, lease).take(None, NOW + 20 * MINUTE)
    assert await city.seen(alert_id) == [U_NONE]


async def test_an_alert_raised_while_its_window_was_being_approved_is_held_all_the_same(city, windows):
    """The one that missed its window by a moment is found as it is announced."""
    await city.window("maintenance", T0, NOW + HOUR)
    await windows.take(None, NOW)
    (alert_id,) = await city.raised(hazard("h1"), at=NOW + 5 * MINUTE, hold="none", window_id=None)
    await windows.take([alert_id], NOW + 5 * MINUTE)
    assert await city.seen(alert_id) == [OUT]


async def test_what_a_permit_suppressed_is_released_and_a_test_held_nothing(city, windows):
    """Both end in one turn, and the console is told of both."""
    water, tested = await city.raised(hazard("h1"), hazard("h2"))
    permit = await city.window("water_permit", T0, NOW, device="h1")
    test = await city.window("test", T0, NOW, device="h2")
    await city.pool.execute(
        "UPDATE alert SET hold = 'suppressed', window_id = $2, held_until = $3 WHERE id = $1",
        water, permit, to_datetime(NOW),
    )  # fmt: skip
    await city.pool.execute("UPDATE alert SET flags = '{in_test}', window_id = $2 WHERE id = $1", tested, test)
    await windows.take(None, NOW - SECOND)
    seq = await city.seq()
    await windows.take([], NOW)
    assert await city.seen(water, tested) == [U_NONE, U_NONE]
    assert (await city.told(water))[-1] == ("timer", "permit_ended")
    assert (await city.told(tested))[-1] == ("timer", "test_ended")
    assert (await city.since(seq)).windows == [permit, test]


async def test_a_fire_goes_through_all_of_it_and_only_gets_its_mark(city, windows, shelving, pool, lease):
    """In maintenance, behind a silent gateway, on a panel without power, chattering: unacknowledged and unheld."""
    (burning,) = await city.raised(fire("p1"), gateway="gw", zone="b1/f1/z1")
    await city.raised(
        hazard("p1", rule="event:main_power_lost", component="", alert_class=AlertClass.FAULT),
        silent("gw", gateway=True),
    )
    await city.window("maintenance", NOW, NOW + HOUR)
    await city.window("impairment", NOW, NOW + 2 * HOUR)
    await city.window("water_permit", NOW, NOW + HOUR)
    steps = [shelving, windows, Causes(pool, lease), Chatter(pool, lease)]
    for changed, at in ((None, NOW - SECOND), ([burning], NOW), ([burning], NOW + HOUR), (None, NOW + 9 * HOUR)):
        for step in steps:
            await step.take(changed, at)
        assert await city.seen(burning) == [U_NONE]
    after = await city.alert(burning)
    assert (after.flags, after.version, after.hold_reason, after.held_until) == (("impaired",), 1, None, None)
    assert await city.told(burning) == [("device", "raised"), ("timer", "impaired")]


async def test_what_returned_in_a_window_is_closed_at_its_end(city, windows):
    """A plain alert whose condition went while it was out of service does not come back to anybody."""
    (alert_id,) = await city.raised(hazard("h1"))
    await city.window("maintenance", NOW, NOW + HOUR)
    await windows.take(None, NOW)
    await city.raised(clear(hazard("h1"), NOW + MINUTE), at=NOW + MINUTE)
    await windows.take([], NOW + HOUR)
    assert await city.seen(alert_id) == [("closed", "none")]
