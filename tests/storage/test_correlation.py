"""Second signals and overruled tests on the real store: what is marked, forwarded, unacknowledged again, and told."""

from typing import Any

import asyncpg
import pytest
from alert_making import T0, commit, fire

from firetower.alerts import flags
from firetower.alerts.acts import Acknowledge
from firetower.alerts.model import Alert
from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock, to_datetime
from firetower.storage import changes
from firetower.storage.alerts import AlertStore
from firetower.storage.correlation import OverruleStep, SecondSignalStep
from firetower.storage.lease import Lease

AT = T0 + 5 * SECOND


async def raised(
    pool: asyncpg.Pool,
    device: str,
    *,
    zone: str | None = "b1/f3/za",
    at: int = AT,
    said: int | None = None,
    window: int | None = None,
    unit: str = "u1",
    **more: Any,
) -> int:
    """Raise a fire in a zone, ``said`` at that time, in a test when there is a ``window``; return its id."""
    (alert_id,) = (await commit(pool, [fire(device, at - 5 * SECOND if said is None else said, **more)], at)).alert_ids
    await pool.execute(
        "UPDATE alert SET zone = $2, device_kind = 'smoke', window_id = $3, flags = flags || $4::text[], unit = $5"
        " WHERE id = $1",
        alert_id,
        zone,
        window,
        [] if window is None else [flags.IN_TEST],
        unit,
    )
    return alert_id


async def a_test(pool: asyncpg.Pool) -> int:
    """Announce a test of unit u1; return its id."""
    return await pool.fetchval(
        "INSERT INTO announced_window (kind, unit, starts_at, ends_at, reason, requested_by, requested_at)"
        " VALUES ('test', 'u1', now(), now() + interval '1 hour', 'yearly', 'wang', now()) RETURNING id"
    )


async def read(pool: asyncpg.Pool, *ids: int) -> list[Alert]:
    store = AlertStore(pool, ManualClock())
    return [await store.get(alert_id) for alert_id in ids]


async def reasons(pool: asyncpg.Pool, alert_id: int) -> list[str]:
    return [each.transition.reason for each in await AlertStore(pool, ManualClock()).history(alert_id)]


async def test_a_second_detector_of_the_zone_marks_both_fires_once(pool: asyncpg.Pool, lease: Lease) -> None:
    """Each names the other in its history, both are announced; seen again, nothing is written."""
    step = SecondSignalStep(pool, lease)
    first = await raised(pool, "s-1")
    await step.take([first], AT)
    second = await raised(pool, "s-2", at=AT + 5 * MINUTE)
    elsewhere = await raised(pool, "s-3", zone="b1/f4/za", at=AT + 5 * MINUTE)
    before = await changes.latest(pool)
    await step.take([second, elsewhere], AT + 5 * MINUTE)
    one, two, three = await read(pool, first, second, elsewhere)
    assert [each.flags for each in (one, two, three)] == [(flags.SECOND_SIGNAL,), (flags.SECOND_SIGNAL,), ()]
    assert {(each.state, each.forwarded_at) for each in (one, two)} == {("unacknowledged", None)}
    entry = (await AlertStore(pool, ManualClock()).history(first))[-1].transition
    assert (entry.reason, entry.actor, entry.evidence["alert_id"]) == (
        "second_signal",
        "rule:second_signal",
        str(second),
    )
    assert await changes.latest(pool) == before + 1
    await step.take([first, second], AT)
    await step.take(None, AT)
    assert await changes.latest(pool) == before + 1


async def test_a_second_detector_confirms_a_fire_that_burns_again(pool: asyncpg.Pool, lease: Lease) -> None:
    """An acknowledged fire that alarms anew is a signal of that instant, and no longer of the one it was raised at."""
    step, again = SecondSignalStep(pool, lease), AT + 20 * MINUTE
    first = await raised(pool, "s-1")
    await AlertStore(pool, ManualClock(AT + MINUTE)).act(first, Acknowledge(), actor="li")
    early = await raised(pool, "s-2", zone="b1/f4/za")
    await AlertStore(pool, ManualClock(AT + MINUTE)).act(early, Acknowledge(), actor="li")
    for device in ("s-1", "s-2"):
        await commit(pool, [fire(device, again - 5 * SECOND)], again)
    second = await raised(pool, "s-3", at=again + 5 * MINUTE)
    late = await raised(pool, "s-4", zone="b1/f4/za", at=again + 5 * MINUTE + 1)
    await step.take([second, late], again + 5 * MINUTE)
    await step.take(None, again + 6 * MINUTE)
    assert [bool(each.flags) for each in await read(pool, first, second, early, late)] == [True, True, False, False]


async def test_fires_of_a_backlog_confirm_each_other_by_the_time_they_were_said_at(
    pool: asyncpg.Pool, lease: Lease
) -> None:
    """A line was down: what burnt twenty minutes apart arrives at once and is no second signal of each other."""
    step, arrived = SecondSignalStep(pool, lease), T0 + 30 * MINUTE
    apart = [
        await raised(pool, "s-1", said=T0, at=arrived),
        await raised(pool, "s-2", said=T0 + 20 * MINUTE, at=arrived),
    ]
    await step.take(apart, arrived)
    assert [each.flags for each in await read(pool, *apart)] == [(), ()]
    near = await raised(pool, "s-3", said=T0 + 24 * MINUTE, at=arrived + 9 * MINUTE)
    await step.take([near], arrived + 9 * MINUTE)
    assert [bool(each.flags) for each in await read(pool, *apart, near)] == [False, True, True]


async def test_that_nobody_answered_is_no_signal(pool: asyncpg.Pool, lease: Lease) -> None:
    """Two fires of a zone, an hour apart, that escalate and are reopened at one time, say nothing of each other."""
    step = SecondSignalStep(pool, lease)
    first, second = await raised(pool, "s-1"), await raised(pool, "s-2", at=AT + HOUR)
    await pool.execute(
        "INSERT INTO alert_history (alert_id, seq, at, old, new, actor, reason)"
        " SELECT id, 90 + n, $1, old, 'unacknowledged', 'timer', reason FROM alert,"
        " (VALUES (1, 'acknowledged', 'escalated'), (2, 'closed', 'reopened')) AS h (n, old, reason)",
        to_datetime(AT + 2 * HOUR),
    )
    await step.take(None, AT + 2 * HOUR)
    assert [each.flags for each in await read(pool, first, second)] == [(), ()]


async def test_what_comes_too_late_from_a_test_or_after_closing_confirms_nothing(
    pool: asyncpg.Pool, lease: Lease
) -> None:
    """Five minutes and a microsecond; a test; a fire that is closed; the same detector again."""
    step = SecondSignalStep(pool, lease)
    closed = await raised(pool, "s-1")
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm' WHERE id = $1", closed)
    ids = [
        await raised(pool, "s-2"),
        await raised(pool, "s-2", rule="smoke.fire", component="smoke"),
        await raised(pool, "s-3", window=await a_test(pool)),
        await raised(pool, "s-4", at=AT + 5 * MINUTE + 1),
    ]
    await step.take([closed, *ids], AT)
    await step.take(None, AT)
    assert all(flags.SECOND_SIGNAL not in each.flags for each in await read(pool, closed, *ids))


async def test_where_it_is_configured_both_are_forwarded_and_go_on_sounding(pool: asyncpg.Pool, lease: Lease) -> None:
    """Verified and forwarded by the rule, in the history as such, and unacknowledged as before."""
    step = SecondSignalStep(pool, lease, forward=True)
    ids = [await raised(pool, "s-1"), await raised(pool, "s-2")]
    await step.take(ids, AT + SECOND)
    for alert in await read(pool, *ids):
        assert (alert.verification, alert.verified_by, alert.verified_at) == ("real", "rule:second_signal", AT + SECOND)
        assert (alert.forwarded_at, alert.state, alert.acknowledged_by) == (AT + SECOND, "unacknowledged", None)
        assert await reasons(pool, alert.id) == ["raised", "second_signal", "verified", "forwarded"]


async def test_two_hundred_fires_of_a_zone_are_all_confirmed(pool: asyncpg.Pool, lease: Lease) -> None:
    """More than one transaction holds; a crash between them is made good by the next look."""
    ids = (await commit(pool, [fire(f"s-{n}") for n in range(250)], AT)).alert_ids
    await pool.execute("UPDATE alert SET zone = 'b1/f3/za', device_kind = 'smoke'")
    await SecondSignalStep(pool, lease).take(ids[:100], AT)
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE 'second_signal' = ANY(flags)") == 250
    assert await pool.fetchval("SELECT count(*) FROM alert_history WHERE reason = 'second_signal'") == 250


async def test_fire_in_two_zones_of_a_test_is_treated_as_real(pool: asyncpg.Pool, lease: Lease) -> None:
    """Those that somebody took for a test are unacknowledged again; what follows in the same test is real at once."""
    step, window = OverruleStep(pool, lease), await a_test(pool)
    one, two = await raised(pool, "s-1", window=window), await raised(pool, "s-2", window=window)
    store = AlertStore(pool, ManualClock(AT))
    await store.act(one, Acknowledge(), actor="li")
    await step.take([one, two], AT)
    assert [each.flags for each in await read(pool, one, two)] == [(flags.IN_TEST,)] * 2
    three = await raised(pool, "s-3", zone="b1/f4/za", window=window)
    await step.take([three], AT + SECOND)
    for alert in await read(pool, one, two, three):
        assert (alert.flags, alert.state, alert.acknowledged_by) == ((flags.DURING_TEST,), "unacknowledged", None)
        assert (await reasons(pool, alert.id))[-1] == "overruled"
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'test' WHERE id <> $1", one)
    later = await raised(pool, "s-4", window=window, at=AT + MINUTE)
    await step.take([later], AT + MINUTE)
    assert (await read(pool, later))[0].flags == (flags.DURING_TEST,)
    seq = await changes.latest(pool)
    await step.take([one, later], AT + MINUTE)
    await step.take(None, AT + MINUTE)
    assert await changes.latest(pool) == seq


async def test_fire_in_two_zones_each_under_a_test_of_its_own_is_treated_as_real(
    pool: asyncpg.Pool, lease: Lease
) -> None:
    """It is one unit, whoever announced what; the next fire of its tests is real at once, while one is open."""
    step, one, two = OverruleStep(pool, lease), await a_test(pool), await a_test(pool)
    ids = [await raised(pool, "s-1", window=one), await raised(pool, "s-2", zone="b1/f4/za", window=two)]
    await step.take(ids[1:], AT)
    assert [each.flags for each in await read(pool, *ids)] == [(flags.DURING_TEST,)] * 2
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'test' WHERE id = $1", ids[0])
    later = await raised(pool, "s-3", zone="b1/f4/za", window=await a_test(pool))
    await step.take([later], AT)
    assert (await read(pool, later))[0].flags == (flags.DURING_TEST,)
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'test'")
    tomorrow = await raised(pool, "s-4", window=await a_test(pool))
    await step.take([tomorrow], AT)
    assert (await read(pool, tomorrow))[0].flags == (flags.IN_TEST,)


async def test_a_device_whose_zone_nobody_knows_is_a_place_of_its_own(pool: asyncpg.Pool, lease: Lease) -> None:
    """Doubt raises; but the test of another unit, and a zone in it alone, stay a test."""
    step, window, other = OverruleStep(pool, lease), await a_test(pool), await a_test(pool)
    ids = [await raised(pool, "s-1", window=window), await raised(pool, "s-2", zone=None, window=window)]
    alone = await raised(pool, "s-3", zone="b1/f9/za", window=other, unit="u2")
    await step.take(None, AT)
    assert [each.flags for each in await read(pool, *ids, alone)] == [
        (flags.DURING_TEST,),
        (flags.DURING_TEST,),
        (flags.IN_TEST,),
    ]


async def test_a_fire_outside_of_every_test_overrules_the_one_in_the_next_zone(
    pool: asyncpg.Pool, lease: Lease
) -> None:
    """Whichever of the two comes first: nobody announced a fire there."""
    step, window = OverruleStep(pool, lease), await a_test(pool)
    tested = await raised(pool, "s-1", window=window)
    await step.take([tested], AT)
    assert (await read(pool, tested))[0].flags == (flags.IN_TEST,)
    real = await raised(pool, "s-2", zone="b1/f4/za")
    await step.take([real], AT)
    assert [each.flags for each in await read(pool, tested, real)] == [(flags.DURING_TEST,), ()]


@pytest.mark.parametrize(
    "change",
    ["verification = 'false', verified_at = now()", "flags = '{in_drill}'", "state = 'closed', disposition = 'test'"],
)
async def test_what_was_found_to_be_no_fire_or_is_a_drill_leaves_the_test_a_test(
    pool: asyncpg.Pool, lease: Lease, change: str
) -> None:
    step, window = OverruleStep(pool, lease), await a_test(pool)
    elsewhere = await raised(pool, "s-2", zone="b1/f4/za")
    await pool.execute(f"UPDATE alert SET {change} WHERE id = $1", elsewhere)
    tested = await raised(pool, "s-1", window=window)
    await step.take([tested, elsewhere], AT)
    assert (await read(pool, tested))[0].flags == (flags.IN_TEST,)


async def test_a_call_point_in_another_zone_overrules_the_test(pool: asyncpg.Pool, lease: Lease) -> None:
    """It is real itself from the start, and so only the others change."""
    window = await a_test(pool)
    one = await raised(pool, "s-1", window=window)
    call = await raised(pool, "m-1", zone="b1/f4/za", window=window, rule="event:manual_call")
    await pool.execute("UPDATE alert SET flags = '{during_test}' WHERE id = $1", call)
    await OverruleStep(pool, lease).take([call], AT)
    assert (await read(pool, one))[0].flags == (flags.DURING_TEST,)
    assert await reasons(pool, call) == ["raised"]


async def test_the_time_between_two_signals_is_asked_for_at_each_look(pool: asyncpg.Pool, lease: Lease) -> None:
    """A rulebook that is loaded with another one needs no restart."""
    within = [MINUTE]
    step = SecondSignalStep(pool, lease, within=lambda: within[0])
    first = await raised(pool, "s-1")
    second = await raised(pool, "s-2", at=AT + 2 * MINUTE)
    await step.take([second], AT + 2 * MINUTE)
    assert [each.flags for each in await read(pool, first, second)] == [(), ()]
    within[0] = 3 * MINUTE
    await step.take([second], AT + 2 * MINUTE)
    assert [each.flags for each in await read(pool, first, second)] == [(flags.SECOND_SIGNAL,)] * 2
