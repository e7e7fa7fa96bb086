"""The hand-over to 119: one message a forwarding, sent until there is a receipt of it, however 119 behaves."""

from typing import Any

import pytest
from alert_making import fire, hazard
from command_centre import Behaviour, listening
from handover_world import REAL, World, keys
from waiting import until

from firetower.alerts.closing import Close
from firetower.alerts.handover.acts import Cancel
from firetower.alerts.handover.model import MessageState
from firetower.alerts.model import Disposition
from firetower.alerts.verification import Channel, Forward, Receipt
from firetower.core.clock import HOUR, SECOND
from firetower.core.errors import Conflict
from firetower.storage import changes
from firetower.storage.correlation import SecondSignalStep


async def test_a_fire_that_is_real_is_handed_over_and_its_receipt_is_on_record(world: World) -> None:
    with listening() as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await until(lambda: world.is_received(alert_id))
    (message,) = desk.messages.values()
    handover, alert = await world.handed_over(alert_id), await world.city.alert(alert_id)
    assert (message["kind"], message["key"], message["sender"]) == ("report", handover.key, "fz-01")
    assert (message["alert"]["id"], message["alert"]["class"], message["alert"]["text"]) == (
        str(alert_id), "fire", "3F corridor",
    )  # fmt: skip
    assert message["coordinate_system"] == "WGS-84"
    assert handover.receipt is not None
    assert (handover.receipt.person, handover.receipt.number) == ("接警员 王芳", "119-000001")
    assert alert.receipted_at == world.clock.now()
    assert (await world.city.told(alert_id))[-1] == ("119", "receipted")
    assert not handover.missed


async def test_without_a_command_centre_nothing_is_written_and_119_is_called_as_before(world: World) -> None:
    async with world.sending(None):
        alert_id = await world.burning()
        await world.act(alert_id, Receipt("Zhang", Channel.VOICE, "rec-7"))
        world.clock.advance(HOUR)
    assert await keys(world) == []
    assert (await world.city.alert(alert_id)).handover is None
    with pytest.raises(Conflict, match="call 119"):
        await world.act(alert_id, Cancel("steam"))
    await world.act(alert_id, Close(Disposition.REAL_FIRE))


async def test_a_forwarding_that_is_not_committed_leaves_no_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.known(world.centre("http://127.0.0.1:9/"))
    (alert_id,) = await world.city.raised(fire())

    async def failing(*_given: Any) -> None:
        raise RuntimeError("crash")

    monkeypatch.setattr(changes, "announce", failing)
    with pytest.raises(RuntimeError, match="crash"):
        await world.act(alert_id, REAL)
    assert await keys(world) == []
    assert (await world.city.alert(alert_id)).forwarded_at is None


async def test_every_way_of_forwarding_writes_one_message_in_its_own_transaction(world: World) -> None:
    """By the act, by a verification, and by the desk when a second signal confirms."""
    await world.known(world.centre("http://127.0.0.1:9/"))
    (hazardous,) = await world.city.raised(hazard("gas-1", rule="gas"))
    await world.act(hazardous, Forward(unverified=True))
    await world.burning()
    pair = await world.city.raised(fire("smk-8"), fire("smk-9"), unit="u1", zone="main/3/east")
    step = SecondSignalStep(world.city.pool, world.lease, forward=True)
    await step.take(pair, world.clock.now())
    rows = await world.city.pool.fetch("SELECT alert_id, actor FROM handover ORDER BY id")
    by_desk = {row["alert_id"] for row in rows if row["actor"] != "wang"}
    assert len(rows) == 4
    assert by_desk == set(pair)


@pytest.mark.parametrize("lie", ["html", "empty", "key", "future", "past", "nobody"])
async def test_an_answer_of_200_that_is_no_receipt_is_none(world: World, lie: str) -> None:
    """A proxy's page, another message's receipt, a time to come: the fire is not with 119, and the seats must know."""
    with listening(lie=lie, times=1) as (_, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            handover = await world.tried(alert_id, 1)
            assert handover.receipt is None
            assert handover.trouble is not None
            assert "no receipt" in handover.trouble
            assert (await world.city.alert(alert_id)).receipted_at is None
            world.clock.advance(2 * SECOND)
            await until(lambda: world.is_received(alert_id))


@pytest.mark.parametrize(
    "does", [{"fail": 500}, {"fail": 429, "retry_after": "20"}, {"redirect": "http://127.0.0.1:9/"}, {"hang": True},
             {"lie": "html"}, {"fail": 401}],
)  # fmt: skip
async def test_the_second_address_takes_what_the_first_does_not(world: World, does: dict[str, Any]) -> None:
    """Within the one second that the first may take, and without a pause."""
    with listening(**does) as (first, one), listening() as (second, other):
        async with world.sending(world.centre(one, other, answers_within="1s")):
            alert_id = await world.burning()
            await until(lambda: world.is_received(alert_id))
    assert first.messages == {} or does.get("lie")
    (key,) = second.messages
    assert (await world.handed_over(alert_id)).tries == 2
    assert key == (await world.handed_over(alert_id)).key


async def test_no_receipt_in_ten_seconds_is_recorded_once_and_a_receipt_by_telephone_ends_the_red(
    world: World,
) -> None:
    with listening(fail=503) as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await world.tried(alert_id, 1)
            assert not (await world.handed_over(alert_id)).missed
            seq = await world.city.seq()
            world.clock.advance(10 * SECOND)
            await until(lambda: world.is_missed(alert_id))
            assert alert_id in (await world.city.since(seq)).alerts
            for _ in range(4):
                world.clock.advance(30 * SECOND)
                await world.tried(alert_id, (await world.handed_over(alert_id)).tries + 1)
            told = await world.city.told(alert_id)
            assert told.count(("timer", "receipt_missing")) == 1
            await world.act(alert_id, Receipt("Zhang", Channel.VOICE, "rec-7"))
            desk.behaviour = Behaviour()
            world.clock.advance(30 * SECOND)
            await until(lambda: world.is_received(alert_id))
    alert = await world.city.alert(alert_id)
    assert alert.receipted_at is not None
    assert alert.receipted_at < world.clock.now()  # the first one stands


async def test_a_fire_is_never_given_up_and_what_is_none_is(world: World) -> None:
    with listening(fail=500) as (_, url):
        async with world.sending(world.centre(url, tries=2, within="10min")):
            burning = await world.burning()
            (gas,) = await world.city.raised(hazard("gas-1", rule="gas"))
            await world.act(gas, Forward(unverified=True))
            for _ in range(30):
                tries = (await world.handed_over(burning)).tries
                world.clock.advance(30 * SECOND)
                await world.tried(burning, tries + 1)
            await until(lambda: _given_up(world, gas))
            assert not await _given_up(world, burning)
            assert (await world.handed_over(burning)).state is MessageState.FAILED
            await world.act(burning, Receipt("Zhang", Channel.VOICE, "rec-7"))
            world.clock.advance(30 * SECOND)
            await until(lambda: _given_up(world, burning))


async def _given_up(world: World, alert_id: int) -> bool:
    return not await world.city.pool.fetchval(
        "SELECT count(*) FROM handover WHERE alert_id = $1 AND next_try_at IS NOT NULL", alert_id
    )


async def test_what_is_taken_without_a_receipt_is_asked_for_again_under_its_key(world: World) -> None:
    with listening(later=True, times=2) as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            handover = await world.tried(alert_id, 1)
            assert "has taken it" in (handover.trouble or "")
            assert handover.receipt is None
            world.clock.advance(5 * SECOND)
            await world.tried(alert_id, 2)
            world.clock.advance(5 * SECOND)
            await until(lambda: world.is_received(alert_id))
    assert desk.requests == [handover.key] * 3


async def test_a_receiver_that_receipts_twice_is_recorded_once(world: World) -> None:
    """It took the message, its answer was lost, and the next try has another receipt."""
    with listening(twice=True, times=1) as (desk, url):
        async with world.sending(world.centre(url)):
            alert_id = await world.burning()
            await world.tried(alert_id, 1)
            world.clock.advance(2 * SECOND)
            await until(lambda: world.is_received(alert_id))
    assert len(desk.messages) == 1
    assert (await world.city.told(alert_id)).count(("119", "receipted")) == 1
    receipt = (await world.handed_over(alert_id)).receipt
    assert receipt is not None
    assert receipt.number == "119-000002"
