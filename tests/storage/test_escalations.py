"""Fires nobody answered for escalate once in their time, whoever keeps the desk."""

import pytest
from alert_making import T0, fire, hazard
from desk_city import City

from firetower.alerts.acts import Acknowledge
from firetower.alerts.deadlines import Limits
from firetower.alerts.verification import Forward
from firetower.core.clock import SECOND, ManualClock, to_datetime
from firetower.storage.alert_rows import read_history
from firetower.storage.alerts import AlertStore
from firetower.storage.escalations import Escalations

S = SECOND
RAISED = T0 + 5 * S


@pytest.fixture
def step(pool, lease) -> Escalations:
    return Escalations(pool, lease)


@pytest.fixture
def store(pool, clock: ManualClock) -> AlertStore:
    return AlertStore(pool, clock)


async def level(city: City, alert_id: int) -> tuple[str, int]:
    alert = await city.alert(alert_id)
    return alert.state.value, alert.escalation


async def test_a_fire_unacknowledged_for_30_s_escalates_once_over_restarts(city, step, pool, lease):
    """Once in each period, also for a desk that knows nothing of the first time; a hazard and a test never."""
    burning, low, tested = await city.raised(fire("s1"), hazard("h1"), fire("s2"))
    await city.shown(burning)
    await pool.execute("UPDATE alert SET flags = '{in_test}' WHERE id = $1", tested)
    await step.take([burning, low, tested], RAISED)
    await step.take([], RAISED + 29 * S)
    assert await level(city, burning) == ("unacknowledged", 0)
    seq = await city.seq()
    await step.take([], RAISED + 31 * S)
    assert await level(city, burning) == ("unacknowledged", 1)
    assert (await city.told(burning))[-1] == ("timer", "escalated")
    assert (await city.since(seq)).alerts == [burning]
    seq = await city.seq()
    await step.take([burning], RAISED + 32 * S)
    await step.take([], RAISED + 999 * S)
    await Escalations(pool, lease).take(None, RAISED + 1000 * S)
    assert await city.seq() == seq
    assert [await level(city, each) for each in (low, tested)] == [("unacknowledged", 0)] * 2


async def test_a_fire_that_alarms_again_waits_30_s_anew(city, step, store, clock):
    """The second event on an acknowledged fire begins a period of its own."""
    (burning,) = await city.raised(fire("s1"))
    await city.shown(burning)
    await step.take(None, RAISED + 31 * S)
    clock.set(RAISED + 40 * S)
    await store.act(burning, Acknowledge(), actor="wang")
    await city.raised(fire("s1", T0 + 60 * S), at=RAISED + 60 * S)
    await step.take([burning], RAISED + 60 * S)
    await step.take([], RAISED + 89 * S)
    assert await level(city, burning) == ("unacknowledged", 1)
    await step.take([], RAISED + 90 * S)
    assert await level(city, burning) == ("unacknowledged", 2)


async def test_an_acknowledged_fire_nobody_verifies_in_180_s_calls_again(city, step, store, clock, pool, lease):
    """It is nobody's again, and in the next period waits for an acknowledgement and another 180 s, no sooner."""
    (burning,) = await city.raised(fire("s1"))
    await city.shown(burning)
    clock.set(RAISED + 10 * S)
    await store.act(burning, Acknowledge(), actor="wang")
    await step.take([burning], RAISED + 10 * S)
    await step.take([], RAISED + 189 * S)
    assert await level(city, burning) == ("acknowledged", 0)
    await step.take([], RAISED + 190 * S)
    after = await city.alert(burning)
    assert (after.state, after.escalation, after.acknowledged_by) == ("unacknowledged", 1, None)
    clock.set(RAISED + 200 * S)
    await store.act(burning, Acknowledge(), actor="li")
    again = Escalations(pool, lease)
    await again.take(None, RAISED + 379 * S)
    assert await level(city, burning) == ("acknowledged", 1)
    await again.take([], RAISED + 380 * S)
    await again.take([burning], RAISED + 381 * S)
    await again.take([], RAISED + 410 * S)
    assert await level(city, burning) == ("unacknowledged", 3)


@pytest.mark.parametrize(
    ("verification", "forwarded", "expected"),
    [
        ("unverifiable", False, ("unacknowledged", 1)),
        ("unverifiable", True, ("acknowledged", 0)),
        ("real", True, ("acknowledged", 0)),
        ("false", False, ("acknowledged", 0)),
    ],
)
async def test_what_nobody_can_verify_is_forwarded_within_60_s_or_calls_again(
    city, step, store, clock, pool, verification, forwarded, expected
):
    """A fire that is real, false or on its way to 119 waits for nobody."""
    (burning,) = await city.raised(fire("s1"))
    await city.shown(burning)
    clock.set(RAISED + 10 * S)
    await store.act(burning, Acknowledge(), actor="wang")
    await pool.execute(
        "UPDATE alert SET verification = $2, verified_at = $3, forwarded_at = $4, receipted_at = $4 WHERE id = $1",
        burning, verification,
        to_datetime(RAISED + 20 * S), to_datetime(RAISED + 25 * S) if forwarded else None,
    )  # fmt: skip
    await step.take([burning], RAISED + 79 * S)
    assert await level(city, burning) == ("acknowledged", 0)
    await step.take([], RAISED + 80 * S)
    assert await level(city, burning) == expected


async def test_an_acknowledgement_just_before_the_deadline_wins(city, step, store, clock):
    """What is decided is decided on the row as it stands, not on what was known of it."""
    (burning,) = await city.raised(fire("s1"))
    await city.shown(burning)
    await step.take([burning], RAISED)
    clock.set(RAISED + 29 * S)
    await store.act(burning, Acknowledge(), actor="wang")
    await step.take([], RAISED + 31 * S)
    assert await level(city, burning) == ("acknowledged", 0)


async def last(city: City, alert_id: int) -> dict[str, object]:
    """Return the evidence of the newest entry of an alert's history."""
    return dict((await read_history(city.pool, alert_id))[-1].transition.evidence)


async def test_a_fire_no_seat_shows_in_10_s_is_on_record_and_one_shown_meanwhile_is_not(city, step, store, pool, lease):
    """Once, with what it missed and why that long; its state stays; nobody announces that a fire was shown."""
    unseen, seen = await city.raised(fire("s1"), fire("s2"))
    await step.take([unseen, seen], RAISED)
    await store.mark_shown({seen: RAISED + 9 * S})
    seq = await city.seq()
    await step.take([], RAISED + 10 * S)
    assert (await city.since(seq)).alerts == [unseen]
    assert [await level(city, each) for each in (unseen, seen)] == [("unacknowledged", 1), ("unacknowledged", 0)]
    told = await last(city, unseen)
    assert (told["deadline"], told["limit_s"], told["overdue_s"]) == ("showing_overdue", 10, 0)
    assert "GB 25506" in str(told["basis"])
    await step.take([unseen], RAISED + 29 * S)
    await Escalations(pool, lease).take(None, RAISED + 29 * S)
    assert await level(city, unseen) == ("unacknowledged", 1)
    await step.take([], RAISED + 30 * S)
    assert [await level(city, each) for each in (unseen, seen)] == [("unacknowledged", 2), ("unacknowledged", 1)]


async def test_all_of_a_flood_that_was_shown_is_out_of_the_way_in_one_call(city, pool, lease, store):
    """A fire that was not is found behind hundreds that were."""
    ids = await city.raised(*(fire(f"s{n:03}") for n in range(500)))
    step = Escalations(pool, lease)
    await step.take(None, RAISED)
    await store.mark_shown(dict.fromkeys(ids[:-1], RAISED + S))
    await step.take([], RAISED + 10 * S)
    assert (await city.alert(ids[-1])).escalation == 1
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE escalation > 0") == 1


async def test_a_forwarded_fire_without_receipt_escalates_once_and_stays_whose_it_is(city, store, clock, pool, lease):
    """By the limit of the plan, which is then its basis; through the next period too, and not with a receipt."""
    (burning,) = await city.raised(fire("s1"))
    await city.shown(burning)
    step = Escalations(pool, lease, Limits(receipted=20 * S))
    clock.set(RAISED + 10 * S)
    await store.act(burning, Acknowledge(), actor="wang")
    await store.act(burning, Forward(unverified=True), actor="wang")
    await step.take([burning], RAISED + 29 * S)
    assert await level(city, burning) == ("acknowledged", 0)
    await step.take([], RAISED + 30 * S)
    assert await level(city, burning) == ("acknowledged", 1)
    told = await last(city, burning)
    assert (told["deadline"], told["limit_s"], told["basis"]) == (
        "receipt_overdue", 20, "the duty plan of this centre",
    )  # fmt: skip
    await city.raised(fire("s1", T0 + 60 * S), at=RAISED + 60 * S)
    await step.take([burning], RAISED + 85 * S)
    assert await level(city, burning) == ("unacknowledged", 1)
