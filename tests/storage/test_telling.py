"""Who is told when: what the store of escalation holds to, in memory and on PostgreSQL alike."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alert_making import T0, fire, hazard
from telling_hall import Hall, MemoryHall, SqlHall, contact, policy, step, telling
from waiting import until

from firetower.alerts.acts import Acknowledge
from firetower.alerts.closing import Close
from firetower.alerts.contacts import Hours, Role
from firetower.alerts.model import Disposition, Method, Verification
from firetower.alerts.verification import Channel as By
from firetower.alerts.verification import Forward, Receipt, Verify
from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock
from firetower.core.errors import LeaseLost
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, VerdictKind
from firetower.storage.cases import Cases
from firetower.storage.desk import Desk
from firetower.storage.lease import DESK, Lease

S = SECOND
RAISED = T0 + 5 * S
PEOPLE = (
    contact(1, Role.CONTROL_ROOM, "desk"),
    contact(2, Role.RESPONSIBLE, "zhao"),
    contact(3, Role.MANAGER, "qian", (Hours(since=0, until=1),)),
    contact(4, Role.DUTY_LEAD, "lead"),
    contact(5, Role.GRID_WORKER, "grid", sms=""),
)
STEPS = [
    step("30s", "control_room", channels=["sms", "voice"]),
    step("1min", "responsible"),
    step("2min", "duty_lead", channels=["voice"], every="1min", at_most=2),
]


@pytest.fixture
async def sql_hall(pool: asyncpg.Pool, lease: Lease) -> SqlHall:
    return await SqlHall.of(pool, lease, PEOPLE)


@pytest.fixture(params=["memory", "postgresql"])
def hall(request: pytest.FixtureRequest) -> Hall:
    return MemoryHall(PEOPLE) if request.param == "memory" else request.getfixturevalue("sql_hall")


async def names(hall: Hall) -> list[str]:
    return [letter.name for letter in await hall.letters()]


async def test_each_step_is_told_in_its_time_the_last_one_again_until_somebody_acknowledges(hall):
    """A second event begins anew; what was acknowledged is told of no more."""
    desk = telling(hall.store, policy(steps=STEPS))
    burning = await hall.raised(fire("s1"), RAISED)
    await desk.take([burning], RAISED)
    expected: list[str] = []
    for seconds, told in ((29, []), (30, ["desk"]), (59, []), (60, ["zhao"]), (120, ["lead"]), (179, [])):
        await desk.take([], RAISED + seconds * S)
        expected += told
        assert await names(hall) == expected, seconds
    await desk.take([], RAISED + 180 * S)
    expected.append("lead")
    assert await names(hall) == expected
    first = (await hall.letters())[0]
    assert (first.channel, first.address, first.reason, first.level, first.role, first.alert_id) == (
        "sms", "11", "unacknowledged", 1, "control_room", burning,
    )  # fmt: skip
    await hall.act(burning, Acknowledge(), RAISED + 200 * S)
    await desk.take([burning], RAISED + 201 * S)
    await desk.take([], RAISED + HOUR)
    assert await names(hall) == expected
    await hall.raised(fire("s1", T0 + HOUR), RAISED + HOUR)
    await desk.take([burning], RAISED + HOUR)
    await desk.take([], RAISED + HOUR + 30 * S)
    assert await names(hall) == [*expected, "desk"]
    for minutes in range(1, 30):
        await desk.take([], RAISED + HOUR + minutes * MINUTE)
    assert await names(hall) == [*expected, "desk", "zhao", "lead", "lead", "lead"], "repeated twice, as the plan says"


async def test_what_is_told_again_of_a_raise_is_a_reminder_and_no_news(hall):
    """A reminder that waits for its channel is asked again whether anybody still has to answer; news goes out."""
    desk = telling(hall.store, policy(of="raised", steps=[step("0s", "duty_lead", every="30s", at_most=9)]))
    burning = await hall.raised(fire("s1"), RAISED)
    await desk.take([burning], RAISED + S)
    await desk.take([], RAISED + 31 * S)
    news, reminder = await hall.letters()
    assert (news.reason, reminder.reason) == ("raised", "unacknowledged")
    await hall.act(burning, Acknowledge(), RAISED + 32 * S)
    await desk.take([burning], RAISED + HOUR)
    assert len(await hall.letters()) == 2


async def test_a_restart_in_mid_escalation_goes_on_where_it_was(hall):
    """Whoever takes over knows nothing but the store, and finds what fell due meanwhile, once each."""
    burning = await hall.raised(fire("s1"), RAISED)
    await telling(hall.store, policy(steps=STEPS)).take(None, RAISED + 31 * S)
    assert await names(hall) == ["desk"]
    again = telling(hall.store, policy(steps=STEPS))
    await again.take(None, RAISED + 40 * S)
    await again.take([burning], RAISED + 41 * S)
    assert await names(hall) == ["desk"]
    late = telling(hall.store, policy(steps=STEPS))
    await late.take(None, RAISED + HOUR)
    assert await names(hall) == ["desk", "zhao", "lead"], "an hour of repetitions is one letter"
    await telling(hall.store, policy(steps=STEPS)).take(None, RAISED + HOUR + 59 * S)
    await late.take([], RAISED + HOUR + 60 * S)
    assert await names(hall) == ["desk", "zhao", "lead", "lead"]


async def test_two_who_tell_by_turns_write_each_letter_once(hall):
    """As when a lease moves to and fro; what one told the other knows of."""
    desks = [telling(hall.store, policy(steps=STEPS)) for _ in range(2)]
    burning = await hall.raised(fire("s1"), RAISED)
    for each in desks:
        await each.take(None, RAISED)
    for seconds in range(10, 200, 10):
        for each in desks:
            await each.take([burning] if seconds == 10 else [], RAISED + seconds * S)
    assert await names(hall) == ["desk", "zhao", "lead", "lead"]


async def test_what_fails_between_deciding_and_writing_is_written_whole_the_next_time(hall):
    """Nothing of it stands before, nothing twice after."""
    fails = [True]

    def is_dead(_channel: str) -> bool:
        if fails:
            fails.clear()
            raise asyncio.CancelledError
        return False

    desk = telling(hall.store, policy(steps=STEPS), is_dead=is_dead)
    await hall.raised(fire("s1"), RAISED)
    with pytest.raises(asyncio.CancelledError):
        await desk.take(None, RAISED + 60 * S)
    assert await names(hall) == []
    await desk.take([], RAISED + 61 * S)
    assert await names(hall) == ["desk", "zhao"]


async def test_where_nobody_can_be_told_the_next_step_is_told_at_once_and_that_is_on_record(hall):
    """No contact, none at this hour, no address: each is said, once; the steps after keep their times."""
    steps = [
        step("0s", "keeper"),
        step("1min", "manager", "grid_worker"),
        step("5min", "responsible"),
        step("9min", "duty_lead", every="1min", at_most=1),
    ]
    desk = telling(hall.store, policy(steps=steps))
    burning = await hall.raised(fire("s1"), RAISED)
    await desk.take([burning], RAISED)
    await desk.take([burning], RAISED + S)
    assert await names(hall) == ["zhao"]
    said = [each.evidence for each in await hall.history(burning) if each.reason == "nobody_to_tell"]
    assert [(each["step"], each["roles"], each["told_instead"]) for each in said] == [
        (1, {"keeper": "no_contact"}, 2),
        (2, {"manager": "off_hours", "grid_worker": "no_address"}, 3),
    ]
    await desk.take([], RAISED + 6 * MINUTE)
    assert await names(hall) == ["zhao"]
    await desk.take([], RAISED + 9 * MINUTE)
    assert await names(hall) == ["zhao", "lead"]


async def test_a_dead_channel_gives_way_to_the_next_one_and_is_used_where_there_is_no_other(hall):
    dead = {"sms"}
    steps = [step("0s", "control_room", channels=["sms", "voice"]), step("0s", "responsible", every="1min", at_most=9)]
    desk = telling(hall.store, policy(steps=steps), is_dead=dead.__contains__)
    await hall.raised(fire("s1"), RAISED)
    await desk.take(None, RAISED)
    assert [(letter.name, letter.channel) for letter in await hall.letters()] == [("desk", "voice"), ("zhao", "sms")]


async def test_an_address_that_refused_a_letter_for_good_gives_way_to_the_next_one(hall):
    """Whoever's number no SMS gateway takes is called; where nothing else is left it is tried once more."""
    steps = [step("0s", "responsible", channels=["sms", "voice"], every="1min", at_most=9)]
    desk = telling(hall.store, policy(steps=steps))
    burning = await hall.raised(fire("s1"), RAISED)
    await desk.take([burning], RAISED)
    for minute, refuses in ((1, "sms"), (2, "voice")):
        await hall.fails(refuses)
        await desk.take([], RAISED + minute * MINUTE)
    assert [letter.channel for letter in await hall.letters()] == ["sms", "voice", "sms"]


async def test_nobody_is_told_of_what_is_handled_or_is_no_policys(hall):
    """Acknowledged before the desk looks, verified as false, closed; a hazard under a policy for fires."""
    last = step("0s", "duty_lead", every="1min", at_most=9)
    desk = telling(
        hall.store, policy(steps=[last]), policy(name="news", of="raised", steps=[last]),
        policy(name="all", of="raised", until="verified", steps=[last]),
    )  # fmt: skip
    taken, false, over = [await hall.raised(fire(f"s{n}"), RAISED) for n in range(3)]
    await hall.raised(hazard("h1"), RAISED)
    for each in (taken, false, over):
        await hall.act(each, Acknowledge(), RAISED + S)
    await hall.act(false, Verify(Verification.FALSE, Method.PHONE, "zhao", "steam"), RAISED + 2 * S)
    await hall.act(over, Close(Disposition.FALSE_ALARM, "steam"), RAISED + 2 * S)
    await desk.take(None, RAISED + 3 * S)
    assert [(letter.alert_id, letter.policy) for letter in await hall.letters()] == [(taken, "all")]
    await hall.act(taken, Verify(Verification.REAL, Method.VIDEO), RAISED + 4 * S)
    await desk.take([taken], RAISED + HOUR)
    assert len(await hall.letters()) == 1


async def test_two_policies_tell_of_one_alert_each_in_its_own_time(hall):
    last = step("0s", "duty_lead", every="1h", at_most=9)
    later = step("30s", "responsible", every="1h", at_most=9)
    desk = telling(hall.store, policy(name="news", of="raised", steps=[last]), policy(steps=[later]))
    burning = await hall.raised(fire("s1"), RAISED)
    await desk.take([burning], RAISED)
    await desk.take([burning], RAISED + 30 * S)
    told = [(letter.policy, letter.reason, letter.name) for letter in await hall.letters()]
    assert told == [("news", "raised", "lead"), ("fire", "unacknowledged", "zhao")]


async def test_a_receipt_that_is_missing_is_told_until_it_is_there(hall):
    desk = telling(hall.store, policy(of="unreceipted", steps=[step("10s", "duty_lead", every="30s", at_most=9)]))
    burning = await hall.raised(fire("s1"), RAISED)
    await hall.act(burning, Acknowledge(), RAISED + S)
    await hall.act(burning, Forward(unverified=True), RAISED + 2 * S)
    await desk.take([burning], RAISED + 11 * S)
    assert await names(hall) == []
    await desk.take([], RAISED + 12 * S)
    await desk.take([], RAISED + 42 * S)
    await hall.act(burning, Receipt("centre", By.INTERFACE, "119-7"), RAISED + 50 * S)
    await desk.take([burning], RAISED + HOUR)
    assert [letter.reason for letter in await hall.letters()] == ["unreceipted"] * 2


async def test_an_unattended_hall_is_told_by_its_own_word_only_and_not_once_somebody_sits_there(hall):
    """By telephone to whoever is on call; a policy for all faults leaves it alone."""
    vacant = {
        "rule": "system_unattended", "subject_kind": SubjectKind.SYSTEM, "subject": "watch", "component": "",
        "alert_class": AlertClass.FAULT, "priority": 2,
    }  # fmt: skip
    phone = step("0s", "duty_lead", channels=["voice"], every="1min", at_most=9)
    desk = telling(
        hall.store, policy(name="vacant", of="unattended", **{"for": {}}, steps=[phone]),
        policy(name="faults", of="raised", **{"for": {"classes": ["fault"]}}, steps=[phone]),
    )  # fmt: skip
    alert = await hall.raised(hazard(**vacant), RAISED)
    await desk.take([alert], RAISED)
    await desk.take([], RAISED + MINUTE)
    told = [(letter.policy, letter.channel, letter.address) for letter in await hall.letters()]
    assert told == [("vacant", "voice", "24")] * 2
    await hall.raised(hazard(at=T0 + MINUTE, kind=VerdictKind.CLEAR, **vacant), RAISED + 70 * S)
    await desk.take([alert], RAISED + HOUR)
    assert len(await hall.letters()) == 2


async def test_a_clock_set_back_by_hours_tells_in_time_and_nobody_twice(hall):
    desk = telling(hall.store, policy(steps=STEPS))
    burning = await hall.raised(fire("s1"), RAISED)
    await desk.take([burning], RAISED + 30 * S)
    assert await names(hall) == ["desk"]
    back = RAISED - 8 * HOUR
    await desk.take([], back)
    await desk.take([], back + 59 * S)
    assert await names(hall) == ["desk"]
    await desk.take([], back + 60 * S)
    await desk.take([], back + 120 * S)
    assert await names(hall) == ["desk", "zhao", "lead"]
    more = back - 8 * HOUR
    await desk.take([], more)
    await desk.take([], more + 59 * S)
    assert await names(hall) == ["desk", "zhao", "lead"]
    await desk.take([], more + 60 * S)
    assert await names(hall) == ["desk", "zhao", "lead", "lead"], "repeated in its time, too"
    await desk.take([], RAISED + 31 * S)
    await desk.take([], RAISED + HOUR)
    assert await names(hall) == ["desk", "zhao", "lead", "lead", "lead"], "set right again: hours are one repetition"


# on PostgreSQL alone --------------------------------------------------------------------------------


async def test_whoever_has_lost_the_desk_writes_nothing(sql_hall, pool, lease, database_url):
    """The other instance, which holds it by then, tells."""
    await sql_hall.raised(fire("s1"), RAISED)
    desk = telling(sql_hall.store, policy(steps=STEPS))
    await desk.take(None, RAISED)
    lease.release()
    taken = Lease(database_url, DESK, owner="hall-2")
    await taken.take()
    with pytest.raises(LeaseLost):
        await desk.take([], RAISED + 60 * S)
    assert await names(sql_hall) == []
    await telling(Cases(pool, taken), policy(steps=STEPS)).take(None, RAISED + 60 * S)
    assert await names(sql_hall) == ["desk", "zhao"]
    taken.release()


async def test_a_desk_that_dies_between_the_alarm_and_its_letters_loses_none(sql_hall, pool, lease, database_url):
    """The alarm's own transaction announced it; whoever keeps the desk next writes what the first was about to."""
    lease.release()

    @contextlib.asynccontextmanager
    async def kept(owner: str) -> AsyncIterator[None]:
        own = Lease(database_url, DESK, owner=owner)
        tells = telling(Cases(pool, own), policy(steps=STEPS))
        running = asyncio.create_task(Desk(database_url, pool, own, ManualClock(RAISED + MINUTE), [tells]).run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            own.release()

    async with pool.acquire() as conn:
        async with kept("hall-1"):
            await until(lambda: pool.fetchval("SELECT count(*) = 1 FROM follower WHERE name = 'desk'"))
            slow = conn.transaction()
            await slow.start()
            await conn.execute("LOCK TABLE letter IN EXCLUSIVE MODE")
            await sql_hall.raised(fire("s1"), RAISED)
            await until(lambda: pool.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
        await slow.rollback()
    assert await names(sql_hall) == []
    async with kept("hall-2"):
        await until(lambda: pool.fetchval("SELECT count(*) > 0 FROM letter"))
    assert await names(sql_hall) == ["desk", "zhao"]
