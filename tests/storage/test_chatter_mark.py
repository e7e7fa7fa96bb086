"""What chatters is marked while it does."""

from alert_making import T0, clear, fire, hazard

from firetower.core.clock import MINUTE, SECOND
from firetower.storage.chatter import Chatter

S = SECOND


async def test_three_turns_within_a_minute_mark_an_alert_until_it_has_been_quiet(city, pool, lease):
    """One entry when it begins, none for each turn, one when it has settled, also under another desk; a return that
    closes the alert and the next alert of its key count together."""
    step = Chatter(pool, lease)
    await step.take(None, T0)
    (low,) = await city.raised(hazard("h1", T0), at=T0)
    await step.take([low], T0)
    await pool.execute("UPDATE alert SET state = 'acknowledged' WHERE id = $1", low)
    await city.raised(clear(hazard("h1"), T0 + 10 * S), at=T0 + 10 * S)
    await step.take([low], T0 + 10 * S)
    assert ((await city.alert(low)).state, (await city.alert(low)).flags) == ("closed", ())
    (next_one,) = await city.raised(hazard("h1", T0 + 20 * S), at=T0 + 20 * S, flags=[])
    assert next_one != low
    await step.take([next_one], T0 + 20 * S)
    assert (await city.alert(next_one)).flags == ("chattering",)
    assert (await city.alert(next_one)).version == 1
    for second in (30, 40):
        at = T0 + second * S
        await city.raised(clear(hazard("h1"), at) if second == 30 else hazard("h1", at), at=at)
        await step.take([next_one], at)
    reasons = [reason for _, reason in await city.told(next_one)]
    assert reasons == ["raised", "chattering", "returned", "occurred_again"]
    seq = await city.seq()
    again = Chatter(pool, lease)
    await again.take(None, T0 + 10 * MINUTE + 39 * S)
    assert await city.seq() == seq
    await again.take([], T0 + 10 * MINUTE + 40 * S)
    assert (await city.alert(next_one)).flags == ()
    assert (await city.told(next_one))[-1] == ("timer", "settled")
    seq = await city.seq()
    await again.take([next_one], T0 + 11 * MINUTE)
    assert await city.seq() == seq


async def test_a_fire_that_chatters_is_marked_and_nothing_else_about_it_changes(city, pool, lease):
    """Its state, its version and what it was called for stay as they are."""
    step = Chatter(pool, lease)
    (burning,) = await city.raised(fire("s1"))
    for second in range(10, 50, 10):
        at = T0 + second * S
        await city.raised(fire("s1", at, active=second % 20 == 0), at=at)
    before = await city.alert(burning)
    await step.take([burning], T0 + 50 * S)
    after = await city.alert(burning)
    assert after.flags == ("chattering",)
    assert (after.state, after.version, after.hold) == (before.state, before.version, before.hold)
