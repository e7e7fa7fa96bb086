"""The hand-over to 119: one message a forwarding, in order, sent until there is a receipt, however 119 behaves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alert_making import fire, hazard
from command_centre import SECRET, Behaviour, listening
from desk_city import City
from waiting import until

from firetower.alerts.acts import Acknowledge, Act
from firetower.alerts.closing import Close
from firetower.alerts.duty.command_centre import CommandCentre
from firetower.alerts.handover import sender as sending
from firetower.alerts.handover.acts import Cancel, FollowUp
from firetower.alerts.handover.model import HandedOver, MessageState
from firetower.alerts.handover.sender import Sender
from firetower.alerts.model import Alert, Disposition, Method, Verification
from firetower.alerts.verification import Channel, Forward, Receipt, Verify
from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock, SystemClock
from firetower.core.errors import Conflict, LeaseLost
from firetower.core.outside import Outside
from firetower.devices.events import AlertClass
from firetower.storage.alerts import AlertStore
from firetower.storage.correlation import SecondSignalStep
from firetower.storage.handovers import Handovers
from firetower.storage.lease import DESK, Lease

REAL = Verify(Verification.REAL, Method.PHONE, "Liu")
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LOOK_S", 0.01)
    monkeypatch.setattr(sending, "RETRY_S", 0.01)


@dataclass
class World:
    """A database, a desk's lease, and a clock that is moved by hand."""

    city: City
    lease: Lease
    store: AlertStore
    clock: ManualClock

    def centre(self, *addresses: str, **more: Any) -> CommandCentre:
        return CommandCentre(addresses=addresses, secret=SECRET, sender="fz-01", **more)

    @contextlib.asynccontextmanager
    async def sending(
        self, centre: CommandCentre | None, lease: Lease | None = None
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Run the sender."""
        async with Outside() as outside:
            messages = Handovers(self.city.pool, lease or self.lease, centre, ZONE)
            task = asyncio.create_task(Sender(centre, messages, outside, self.clock).run())
            await until(lambda: self._configured(centre))
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _configured(self, centre: CommandCentre | None) -> bool:
        return (await self.city.pool.fetchval("SELECT count(*) FROM command_centre") == 1) is (centre is not None)

    async def known(self, centre: CommandCentre) -> None:
        """Have messages written for ``centre`` though nobody sends them yet."""
        await Handovers(self.city.pool, self.lease, centre, ZONE).configure(self.clock.now())

    async def act(self, alert_id: int, act: Act) -> Alert:
        return await self.store.act(alert_id, act, actor="wang")

    async def handed_over(self, alert_id: int) -> HandedOver:
        found = (await self.city.alert(alert_id)).handover
        assert found is not None
        return found

    async def is_received(self, alert_id: int) -> bool:
        return (await self.handed_over(alert_id)).state is MessageState.RECEIVED

    async def tried(self, alert_id: int, times: int) -> HandedOver:
        async def so_often() -> HandedOver | None:
            found = await self.handed_over(alert_id)
            return found if found.tries >= times else None

        return await until(so_often)  # type: ignore[no-any-return]

    async def burning(self, device: str = "smk-1", *, act: Act = REAL) -> int:
        (alert_id,) = await self.city.raised(fire(device))
        await self.act(alert_id, act)
        return alert_id


@pytest.fixture
def world(city: City, lease: Lease) -> World:
    clock = ManualClock(SystemClock().now())  # the receiver goes by the machine's clock
    return World(city, lease, AlertStore(city.pool, clock), clock)


async def keys(world: World) -> list[tuple[str, str]]:
    rows = await world.city.pool.fetch("SELECT kind, state FROM handover ORDER BY id")
    return [(row["kind"], row["state"]) for row in rows]


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
            await until(lambda: _missed(world, alert_id))
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


async def _missed(world: World, alert_id: int) -> bool:
    return (await world.handed_over(alert_id)).missed


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
        await until(lambda: _missed(world, alert_id))


async def test_classes_119_is_not_told_of_write_nothing(world: World) -> None:
    await world.known(world.centre("http://127.0.0.1:9/"))
    (alert_id,) = await world.city.raised(hazard("p-1", rule="event:fault", alert_class=AlertClass.FAULT))
    with pytest.raises(Exception, match="nothing 119 is told of"):
        await world.act(alert_id, Forward(unverified=True))
    assert await keys(world) == []
