"""What every outbox does, in memory and on PostgreSQL; and what only rows in transactions can."""

import asyncio
from dataclasses import replace
from typing import Any, Protocol

import asyncpg
import pytest
from alert_making import T0, commit, fire, hazard
from letter_making import alert_of, low_pressure, new_letter
from memory_outbox import MemoryOutbox

from firetower.alerts.model import Condition, Disposition, State, Verification
from firetower.alerts.notify.letters import LetterState
from firetower.alerts.notify.ports import Fact, OutboxStore, Outcome
from firetower.core.clock import HOUR, MINUTE, SECOND, to_datetime
from firetower.core.errors import LeaseLost, NotFound
from firetower.storage.lease import DESK, Lease
from firetower.storage.letter_turns import LetterTurns
from firetower.storage.outbox import Outbox, put_letters

NOW = T0 + MINUTE


class World(Protocol):
    """An outbox, the ids of a fire and of a hazard, and how to change an alert."""

    store: OutboxStore
    burning: int
    low: int

    async def set(self, alert_id: int, **changes: Any) -> None: ...


class Memory:
    def __init__(self) -> None:
        self.burning, self.low = 1, 2
        self.store = MemoryOutbox({1: alert_of(1), 2: low_pressure(2)})

    async def set(self, alert_id: int, **changes: Any) -> None:
        words = {"state": State, "condition": Condition, "verification": Verification, "disposition": Disposition}
        changes = {name: words[name](value) if name in words else value for name, value in changes.items()}
        self.store.alerts[alert_id] = replace(self.store.alerts[alert_id], **changes)


class Sql:
    def __init__(self, pool: asyncpg.Pool, lease: Lease, burning: int, low: int) -> None:
        self.store = Outbox(pool, lease)
        self._pool, self.burning, self.low = pool, burning, low

    async def set(self, alert_id: int, **changes: Any) -> None:
        if changes:
            named = ", ".join(f"{name} = ${number}" for number, name in enumerate(changes, 2))
            values = [to_datetime(value) if isinstance(value, int) else value for value in changes.values()]
            await self._pool.execute(f"UPDATE alert SET {named} WHERE id = $1", alert_id, *values)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
async def sql(pool: asyncpg.Pool, lease: Lease) -> Sql:
    ids = (await commit(pool, [fire(), hazard()])).alert_ids
    burning = await pool.fetchval("SELECT id FROM alert WHERE alert_class = 'fire'")
    return Sql(pool, lease, burning, next(each for each in ids if each != burning))


@pytest.fixture(params=["memory", "sql"])
def world(request: pytest.FixtureRequest) -> World:
    return request.getfixturevalue(request.param)


async def test_a_key_is_written_once_for_ever(world: World) -> None:
    """A restart in mid-escalation writes its letters again: nothing of it is sent twice."""
    one = new_letter("a", world.burning)
    assert await world.store.put([one, one], NOW) == 1
    (given,) = (await world.store.claim("hook", 9, (), NOW)).send
    await world.store.record(given.letter, Outcome(LetterState.SENT), NOW)
    assert await world.store.put([one, new_letter("b", world.burning)], NOW) == 1
    stored = await world.store.of_alert(world.burning)
    assert [(each.new.key, each.state.value, each.tries) for each in stored] == [("a", "sent", 1), ("b", "waiting", 0)]
    assert len({each.reference for each in stored}) == 2
    assert stored[0].new == one
    assert stored[0].sent_at == NOW


async def test_fires_are_taken_first_and_no_more_than_there_is_room_for(world: World) -> None:
    letters = [new_letter(f"h{n}", world.low, address=f"{n}") for n in range(3)]
    letters += [new_letter(f"f{n}", world.burning, address=f"{n}") for n in range(2)]
    letters += [new_letter("later", world.burning, address="5", due_at=NOW + SECOND)]
    letters += [new_letter("other", world.burning, channel="mail")]
    await world.store.put(letters, T0)
    first = await world.store.claim("hook", 3, (), NOW)
    assert [each.letter.new.key for each in first.send] == ["f0", "f1", "h0"]
    in_hand = {each.letter.id for each in first.send}
    second = await world.store.claim("hook", 9, in_hand, NOW)
    assert [each.letter.new.key for each in second.send] == ["h1", "h2"]
    in_hand |= {each.letter.id for each in second.send}
    assert not (await world.store.claim("hook", 9, in_hand, NOW)).send
    assert [each.letter.new.key for each in (await world.store.claim("hook", 9, in_hand, NOW + SECOND)).send] == [
        "later"
    ]


@pytest.mark.parametrize(
    ("reason", "change", "goes"),
    [
        ("unacknowledged", {"state": "acknowledged"}, False),
        ("unacknowledged", {"state": "returned"}, False),
        ("unacknowledged", {"verification": "real"}, True),
        ("raised", {"verification": "false"}, False),
        ("raised", {"state": "acknowledged"}, True),
        ("raised", {"state": "closed", "disposition": "false_alarm"}, False),
        ("unverified", {"verification": "real"}, False),
        ("unverified", {"state": "acknowledged"}, True),
        ("unverified", {"state": "acknowledged", "forwarded_at": NOW}, False),
        ("unforwarded", {"verification": "unverifiable"}, True),
        ("unforwarded", {"verification": "unverifiable", "forwarded_at": NOW}, False),
        ("unforwarded", {"verification": "real"}, False),
        ("unreceipted", {}, False),
        ("unattended", {"condition": "normal"}, False),
    ],
)
async def test_a_reminder_never_goes_out_for_what_is_handled(
    world: World, reason: str, change: dict[str, str], goes: bool
) -> None:
    """The alert is asked when the letter is taken into hand, whatever was so when it was written."""
    await world.store.put([new_letter("a", world.burning, reason=reason)], T0)
    await world.set(world.burning, **change)
    claimed = await world.store.claim("hook", 1, (), NOW)
    assert [each.letter.new.key for each in claimed.send] == (["a"] if goes else [])
    (stored,) = await world.store.of_alert(world.burning)
    assert (stored.state.value, stored.trouble) == (("waiting", None) if goes else ("cancelled", "handled"))
    assert dict(claimed.cancelled) == ({} if goes else {"handled": 1})


async def test_what_waits_for_one_address_about_one_alert_is_one_letter_the_newest(world: World) -> None:
    """After an hour's outage nobody gets ten reminders at once; a newer one that nobody wants hides no older one."""
    letters = [new_letter(f"{n}", world.burning) for n in range(3)]
    letters += [new_letter("for 119", world.burning, reason="unreceipted")]
    letters += [new_letter("elsewhere", world.burning, address="another")]
    await world.store.put(letters, T0)
    claimed = await world.store.claim("hook", 9, (), NOW)
    assert [each.letter.new.key for each in claimed.send] == ["2", "elsewhere"]
    assert dict(claimed.cancelled) == {"superseded": 2, "handled": 1}


async def test_what_somebody_left_in_hand_is_taken_again_at_once_under_the_same_reference(world: World) -> None:
    """A crash between send and record sends again, and the receiver can tell."""
    await world.store.put([new_letter("a", world.burning)], T0)
    (lost,) = (await world.store.claim("hook", 1, (), NOW)).send
    assert not (await world.store.claim("hook", 1, {lost.letter.id}, NOW)).send
    (again,) = (await world.store.claim("hook", 1, (), NOW)).send
    assert (again.letter.reference, again.letter.tries) == (lost.letter.reference, 2)


async def test_a_failed_letter_waits_for_its_time_unless_the_clock_is_set_back(world: World) -> None:
    await world.store.put([new_letter("a", world.burning)], NOW)
    (given,) = (await world.store.claim("hook", 1, (), NOW)).send
    await world.store.record(given.letter, Outcome(LetterState.WAITING, "no answer", NOW + 10 * SECOND), NOW)
    assert not (await world.store.claim("hook", 1, (), NOW + 9 * SECOND)).send
    (again,) = (await world.store.claim("hook", 1, (), NOW - HOUR)).send
    await world.store.record(again.letter, Outcome(LetterState.WAITING, "no answer", NOW - HOUR + SECOND), NOW - HOUR)
    assert not (await world.store.claim("hook", 1, (), NOW - HOUR)).send
    assert (await world.store.claim("hook", 1, (), NOW - HOUR + SECOND)).send


async def test_facts_are_instants_of_their_own_and_the_first_telling_counts(world: World) -> None:
    """A receipt that comes before we have recorded the sending says that it was sent: it is not sent again."""
    await world.store.put([new_letter("a", world.burning)], T0)
    (given,) = (await world.store.claim("hook", 1, (), NOW)).send
    reference = given.letter.reference or ""
    assert await world.store.note(reference, Fact.DELIVERED, NOW + SECOND, {"word": "ok"})
    assert not await world.store.note(reference, Fact.DELIVERED, NOW + MINUTE, {"word": "again"})
    assert await world.store.note(reference, Fact.ACTED, NOW + 2 * SECOND, {})
    await world.store.record(given.letter, Outcome(LetterState.WAITING, "timed out", NOW + SECOND), NOW)
    (stored,) = await world.store.of_alert(world.burning)
    assert stored.state is LetterState.SENT
    assert (stored.sent_at, stored.delivered_at, stored.read_at, stored.acted_at) == (
        NOW + SECOND, NOW + SECOND, None, NOW + 2 * SECOND,
    )  # fmt: skip
    assert stored.facts == {"word": "ok"}
    assert not (await world.store.claim("hook", 1, (), NOW + HOUR)).send
    with pytest.raises(NotFound):
        await world.store.note("nobody", Fact.READ, NOW, {})


async def test_a_gateway_is_asked_until_somebody_acted_or_it_failed(world: World) -> None:
    await world.store.put([new_letter(each, world.burning, address=each) for each in "abc"], T0)
    for each in (await world.store.claim("hook", 9, (), NOW)).send:
        await world.store.record(each.letter, Outcome(LetterState.SENT, facts={"gateway_id": each.letter.new.key}), NOW)
    a, b, _ = await world.store.of_alert(world.burning)
    await world.store.note(a.reference or "", Fact.ACTED, NOW, {})
    assert await world.store.note(b.reference or "", None, NOW, {"undelivered": True})
    assert not await world.store.note(b.reference or "", None, NOW, {"undelivered": True})
    (left,) = await world.store.asked_about("hook", NOW - SECOND, 9)
    assert left.facts == {"gateway_id": "c"}
    assert not await world.store.asked_about("hook", NOW + SECOND, 9)


async def test_figures_of_channels_and_their_newest_trouble(world: World) -> None:
    await world.store.put([new_letter(each, world.burning, address=each) for each in "abc"], NOW)
    given = (await world.store.claim("hook", 2, (), NOW)).send
    await world.store.record(given[0].letter, Outcome(LetterState.SENT), NOW)
    await world.store.record(given[1].letter, Outcome(LetterState.FAILED, "status 500"), NOW)
    figures = (await world.store.figures(NOW - HOUR))["hook"]
    assert dict(figures.by_state) == {LetterState.SENT: 1, LetterState.FAILED: 1, LetterState.WAITING: 1}
    assert (figures.trouble, figures.trouble_at) == ("status 500", NOW)
    assert not await world.store.figures(NOW + SECOND)


async def test_letters_of_a_channel_that_is_gone_from_the_plan_fail_and_say_so(world: World) -> None:
    await world.store.put([new_letter("a", world.burning), new_letter("b", world.burning, channel="fax")], T0)
    await world.store.begin(["hook"])
    stored = {each.new.key: (each.state.value, each.trouble) for each in await world.store.of_alert(world.burning)}
    assert stored == {"a": ("waiting", None), "b": ("failed", "the duty plan has no channel fax any more")}


async def test_a_letter_is_there_exactly_when_what_decided_it_is(pool: asyncpg.Pool) -> None:
    (burning,) = (await commit(pool, [fire()])).alert_ids
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await put_letters(conn, [new_letter("a", burning)], NOW)
        await transaction.rollback()
    assert await Outbox(pool).of_alert(burning) == []


async def test_whoever_lost_the_lease_takes_and_records_nothing(pool: asyncpg.Pool, lease: Lease, database_url) -> None:
    """Two instances, one message out: the second takes nothing while the first holds, the first nothing after that."""
    (burning,) = (await commit(pool, [fire()])).alert_ids
    first = Outbox(pool, lease)
    await first.put([new_letter(each, burning, address=each) for each in "ab"], T0)
    with pytest.raises(LeaseLost):
        await Outbox(pool, Lease(database_url, DESK, owner="hall-2")).claim("hook", 1, (), NOW)
    (given,) = (await first.claim("hook", 1, (), NOW)).send
    await pool.execute("UPDATE lease SET epoch = epoch + 1, owner = 'hall-2' WHERE partition = $1", DESK)
    for act in (first.claim("hook", 1, (), NOW), first.record(given.letter, Outcome(LetterState.SENT), NOW)):
        with pytest.raises(LeaseLost, match="hall-2"):
            await act


async def test_a_change_of_an_alert_cancels_what_waits_and_notes_who_acted(pool: asyncpg.Pool, lease: Lease) -> None:
    """Not only when it would be sent; and whoever was told and then acknowledged has acted."""
    (burning,) = (await commit(pool, [fire()])).alert_ids
    store, step = Outbox(pool, lease), LetterTurns(pool, lease)
    await store.put([new_letter("a", burning, name="wang"), new_letter("b", burning, due_at=NOW + HOUR)], T0)
    (given,) = (await store.claim("hook", 1, (), NOW)).send
    await store.record(given.letter, Outcome(LetterState.SENT), NOW)
    await step.take([burning], NOW)
    assert [each.state.value for each in await store.of_alert(burning)] == ["sent", "waiting"]
    await pool.execute(
        "UPDATE alert SET state = 'acknowledged', acknowledged_by = 'wang', acknowledged_at = $1", to_datetime(NOW)
    )
    await step.take(None, NOW)
    await step.take([burning], NOW)
    sent, waiting = await store.of_alert(burning)
    assert (sent.state.value, sent.acted_at) == ("sent", NOW)
    assert (waiting.state.value, waiting.trouble) == ("cancelled", "handled")


async def test_a_letter_that_somebody_else_changes_holds_no_other_up(pool: asyncpg.Pool, lease: Lease) -> None:
    """Or two of the desk's parts wait for each other, and a fire's letters for a second and more."""
    (burning,) = (await commit(pool, [fire()])).alert_ids
    store = Outbox(pool, lease)
    await store.put([new_letter(name, burning, address=name) for name in ("a", "b")], T0)
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("SELECT FROM letter WHERE key = 'a' FOR NO KEY UPDATE")
        async with asyncio.timeout(5):
            (given,) = (await store.claim("hook", 9, (), NOW)).send
    assert given.letter.new.key == "b"
    assert [each.letter.new.key for each in (await store.claim("hook", 9, {given.letter.id}, NOW)).send] == ["a"]
