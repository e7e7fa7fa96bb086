"""The hand-over to 119: what follows a report and in which order, who sends it, and what goes first."""

from typing import Any

import pytest
from alert_making import fire, hazard
from command_centre import Behaviour, listening
from handover_world import REAL, World, keys
from waiting import until

from firetower.alerts.acts import Acknowledge
from firetower.alerts.closing import Close
from firetower.alerts.handover.acts import Cancel, FollowUp
from firetower.alerts.handover.model import MessageState
from firetower.alerts.model import Disposition
from firetower.alerts.verification import Channel, Forward, Receipt
from firetower.core.clock import MINUTE, SECOND
from firetower.core.errors import Conflict, InvalidInput, LeaseLost
from firetower.devices.events import AlertClass
from firetower.storage.handovers import Handovers
from firetower.storage.lease import DESK, Lease


async def test_report_follow_ups_and_cancellation_arrive_in_order_and_wait_for_the_report(world: World) -> None:
    with listening(fail=500) as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await world.tried(alert_id, 1)
            await world.act(alert_id, FollowUp("smoke on the third floor"))
            await world.act(alert_id, Cancel("steam from the kitchen"))
            with pytest.raises(Conflict, match="was cancelled"):
                await world.act(alert_id, FollowUp("nothing"))
            with pytest.raises(Conflict, match="was cancelled"):
                await world.act(alert_id, Cancel("again"))
            assert desk.messages == {}
            desk.behaviour = Behaviour()
            world.clock.advance(31 * SECOND)
            await until(lambda: len(desk.messages) == 3)
            await until(lambda: _all_received(world))
    said = [(each["kind"], each["text"], each["report_key"]) for each in desk.messages.values()]
    report = next(iter(desk.messages))
    assert said == [
        ("report", "", report),
        ("follow_up", "smoke on the third floor", report),
        ("cancel", "steam from the kitchen", report),
    ]


async def _all_received(world: World) -> bool:
    return {state for _, state in await keys(world)} == {"received"}


async def test_what_was_given_up_goes_out_again_with_what_follows_it_the_report_first(world: World) -> None:
    """A follow-up to a report that 119 never got must not arrive alone."""
    with listening(fail=400) as (desk, url):
        async with world.sending(world.centre(url)):
            (gas,) = await world.city.raised(hazard("gas-1", rule="gas"))
            await world.act(gas, Forward(unverified=True))
            handover = await world.tried(gas, 1)
            assert handover.state is MessageState.FAILED
            desk.behaviour = Behaviour()
            await world.act(gas, FollowUp("the smell grows stronger"))
            await until(lambda: _all_received(world))
    assert [each["kind"] for each in desk.messages.values()] == ["report", "follow_up"]


async def test_closing_as_false_after_a_hand_over_takes_a_cancellation_first(world: World) -> None:
    await world.known(world.centre("http://127.0.0.1:9/"))
    (alert_id,) = await world.city.raised(fire())
    await world.act(alert_id, Acknowledge())
    await world.act(alert_id, Forward(unverified=True))
    close = Close(Disposition.FALSE_ALARM, "steam")
    with pytest.raises(Conflict, match=r"cancel the hand-over first"):
        await world.act(alert_id, close)
    cancelled = await world.act(alert_id, Cancel("steam from the kitchen"))
    assert cancelled.disposition is None
    assert cancelled.handover is not None
    assert cancelled.handover.cancel is MessageState.WAITING
    await world.act(alert_id, close)


async def test_a_fire_that_is_real_after_its_hand_over_was_cancelled_is_handed_over_again(world: World) -> None:
    """The cancellation was the mistake: 119 must hear of it under a new key, and its receipt is awaited anew."""
    with listening() as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await until(lambda: world.is_received(alert_id))
            await world.act(alert_id, Cancel("steam"))
            await world.act(alert_id, REAL)
            await until(lambda: len(desk.messages) == 3)
            await until(lambda: world.is_received(alert_id))
    reports = [each for each in desk.messages.values() if each["kind"] == "report"]
    assert reports[1]["earlier_key"] == reports[0]["key"]
    assert (await world.city.alert(alert_id)).receipted_at is not None


async def test_a_message_that_was_on_the_way_when_its_sender_died_is_sent_again_under_its_key(world: World) -> None:
    with listening(delay=0.3, times=1) as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await until(lambda: desk.behaviour.times == 0)  # it is on the way
        assert not await world.is_received(alert_id)  # and nobody was there to record its receipt
        async with world.sending(world.centre(url)):
            await until(lambda: world.is_received(alert_id))
    assert len(desk.messages) == 1
    assert len(set(desk.requests)) == 1


async def test_an_instance_that_was_overtaken_sends_and_records_nothing_more(world: World, database_url: str) -> None:
    """Two instances, one message: whoever has the lease sends, the other one ends."""
    other = Lease(database_url, DESK, owner="hall-2")
    with listening() as (desk, url):
        async with world.sending(world.centre(url)) as overtaken:
            world.lease.release()
            await other.take()
            async with world.sending(world.centre(url), other):
                alert_id = await world.burning()
                await until(lambda: world.is_received(alert_id))
                await until(overtaken.done)
    other.release()
    with pytest.raises(BaseExceptionGroup) as ended:
        overtaken.result()
    assert ended.group_contains(LeaseLost)
    assert desk.requests == list(desk.messages)
    assert (await world.city.told(alert_id)).count(("119", "receipted")) == 1


async def test_fires_go_first_and_an_address_that_hangs_keeps_none_of_them_waiting(world: World) -> None:
    with listening(hang=True, times=10) as (desk, url):
        centre = world.centre(url, answers_within="10s")
        await world.known(centre)
        others = await world.city.raised(*(hazard(f"gas-{n}", rule="gas") for n in range(6)))
        for each in others:
            await world.act(each, Forward(unverified=True))
        async with world.sending(centre):
            await until(lambda: desk.behaviour.times == 6)  # four of the six hang
            desk.behaviour = Behaviour()
            burning = await world.burning()
            await until(lambda: world.is_received(burning))
            assert len(desk.messages) == 1


async def test_what_cannot_be_recorded_keeps_no_message_from_119(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of our own beside the sending is logged, and neither the sender nor the desk ends with it."""

    async def failing(*_given: Any) -> None:
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(Handovers, "miss", failing)
    with listening() as (_, url):
        async with world.sending(world.centre(url)) as sender:
            alert_id = await world.burning()
            await until(lambda: world.is_received(alert_id))
            assert not sender.done()
    assert "a fault of our own" in caplog.text


async def test_a_clock_that_is_set_back_delays_no_fire(world: World) -> None:
    with listening(fail=500, times=1) as (_, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await world.tried(alert_id, 1)
            world.clock.advance(-2 * MINUTE)
            await until(lambda: world.is_received(alert_id))


async def test_when_the_command_centre_is_taken_out_of_the_plan_what_waits_is_given_up_and_says_so(
    world: World,
) -> None:
    await world.known(world.centre("http://127.0.0.1:9/"))
    alert_id = await world.burning()
    async with world.sending(None):
        handover = await world.handed_over(alert_id)
        assert handover.state is MessageState.FAILED
        assert "call 119" in (handover.trouble or "")
        world.clock.advance(10 * SECOND)
        await until(lambda: world.is_missed(alert_id))


async def test_an_instance_without_the_plan_that_kept_the_desk_for_a_while_keeps_no_fire_from_119(world: World) -> None:
    """The right one, back again, sends what was given up; what somebody at 119 took by telephone it lets be."""
    await world.known(world.centre("http://127.0.0.1:9/"))
    burning, taken = await world.burning(), await world.burning("smk-2")
    await world.act(burning, FollowUp("third floor"))
    await world.act(taken, Receipt("Zhang", Channel.VOICE, "rec-7"))
    async with world.sending(None):
        assert {state for _, state in await keys(world)} == {"failed"}
    with listening() as (desk, url):
        async with world.sending(world.centre(url)):
            await until(lambda: _is_told(world, "follow_up"))
            assert await world.is_received(burning)
    assert [(each["kind"], each["alert"]["id"]) for each in desk.messages.values()] == [
        ("report", str(burning)), ("follow_up", str(burning)),
    ]  # fmt: skip
    assert (await world.handed_over(taken)).state is MessageState.FAILED


async def test_classes_119_is_not_told_of_write_nothing(world: World) -> None:
    await world.known(world.centre("http://127.0.0.1:9/"))
    (alert_id,) = await world.city.raised(hazard("p-1", rule="event:fault", alert_class=AlertClass.FAULT))
    with pytest.raises(InvalidInput, match="nothing 119 is told of"):
        await world.act(alert_id, Forward(unverified=True))
    assert await keys(world) == []


async def test_a_busy_119_that_has_the_fire_is_asked_no_sooner_than_it_wants(world: World) -> None:
    """Of what is said after the receipt: it must not be said again at every look, five times a second."""
    with listening() as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await until(lambda: world.is_received(alert_id))
            desk.behaviour = Behaviour(fail=429, retry_after="120")
            await world.act(alert_id, FollowUp("third floor"))
            await until(lambda: _tries(world, "follow_up"))
            (gas,) = await world.city.raised(hazard("gas-1", rule="gas"))
            await world.act(gas, Forward(unverified=True))  # due at the same look
            await until(lambda: _is_tried(world, gas))
            assert await _tries(world, "follow_up") == 1
            desk.behaviour = Behaviour()
            world.clock.advance(120 * SECOND)
            await until(lambda: _is_told(world, "follow_up"))


async def _tries(world: World, kind: str) -> int:
    return int(await world.city.pool.fetchval("SELECT tries FROM handover WHERE kind = $1", kind))


async def _is_tried(world: World, alert_id: int) -> bool:
    return (await world.handed_over(alert_id)).tries > 0


async def _is_told(world: World, kind: str) -> bool:
    return (kind, "received") in await keys(world)
