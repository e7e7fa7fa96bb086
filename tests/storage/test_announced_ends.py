"""A test or drill that is over, on the real store: what it raised is real from then on, with the desk or without it."""

from typing import Any

import pytest
from alert_making import clear, commit, fire, hazard
from desk_city import NOW, City

from firetower.alerts import flags
from firetower.alerts.acts import Acknowledge
from firetower.alerts.closing import Close
from firetower.alerts.model import Alert, Disposition, State
from firetower.core.clock import HOUR, MINUTE, SECOND, ManualClock, Micros, to_datetime
from firetower.core.errors import InvalidInput
from firetower.devices.events import AlertClass, Event
from firetower.storage.alerts import AlertStore
from firetower.storage.escalations import Escalations
from firetower.storage.hold_ends import WindowTurns

END: Micros = NOW + HOUR
LATER: Micros = NOW + 4 * HOUR


@pytest.fixture
def windows(pool, lease) -> WindowTurns:
    return WindowTurns(pool, lease)


async def act(city: City, alert_id: int, what: Any, at: Micros) -> Alert:
    return await AlertStore(city.pool, ManualClock(at)).act(alert_id, what, actor="li")


async def in_a(kind: str, city: City, device: str = "s1", ends_at: Micros = END) -> int:
    """Announce it for a device, raise a fire of that in it, and show it; return the alert's id."""
    await city.window(kind, NOW, ends_at, device=device)
    (alert_id,) = (await commit(city.pool, [fire(device, NOW)], NOW + SECOND)).alert_ids
    await city.shown(alert_id)
    return alert_id


async def again(city: City, at: Micros, device: str = "s1") -> None:
    await commit(city.pool, [fire(device, at)], at + SECOND)


async def test_what_is_open_when_its_test_or_drill_ends_is_in_it_no_more(city, windows):
    """Told of and in the history; whoever took it on has it still; it says what it was raised in and closes as that."""
    tested, taken, drilled = await in_a("test", city), await in_a("test", city, "s2"), await in_a("drill", city, "s3")
    for alert_id in (taken, drilled):
        await act(city, alert_id, Acknowledge(), NOW + MINUTE)
    before = [await city.alert(each) for each in (tested, taken, drilled)]
    assert [each.flags for each in before] == [(flags.IN_TEST,), (flags.IN_TEST,), (flags.IN_DRILL,)]
    await windows.take(None, END - SECOND)
    seq = await city.seq()
    await windows.take([], END)
    after = [await city.alert(each) for each in (tested, taken, drilled)]
    assert [each.flags for each in after] == [(flags.AFTER_TEST,), (flags.AFTER_TEST,), (flags.AFTER_DRILL,)]
    assert [(each.state, each.window_id) for each in after] == [(each.state, each.window_id) for each in before]
    assert [new.version - old.version for old, new in zip(before, after, strict=True)] == [1, 1, 0]
    assert [(await city.told(each))[-1] for each in (tested, taken, drilled)] == [
        ("timer", "test_ended"), ("timer", "test_ended"), ("timer", "drill_ended"),
    ]  # fmt: skip
    assert (await city.since(seq)).alerts == [tested, taken, drilled]
    seq = await city.seq()
    await windows.take([tested], END + SECOND)
    await windows.take(None, LATER)
    assert await city.seq() == seq
    assert (await act(city, taken, Close(Disposition.TEST), LATER)).state is State.CLOSED
    assert (await act(city, drilled, Close(Disposition.DRILL), LATER)).state is State.CLOSED


async def test_what_a_second_test_covers_is_in_test_until_that_ends_by_a_person(city, windows, pool):
    """The end of one test is none of the other; an end by a person is an end."""
    tested = await in_a("test", city)
    whole = await city.window("test", NOW, NOW + 3 * HOUR)
    await windows.take(None, END - SECOND)
    await windows.take([], END)
    assert (await city.alert(tested)).flags == (flags.IN_TEST,)
    ended = END + 10 * MINUTE
    await windows.take([], ended)
    await pool.execute(
        "UPDATE announced_window SET ended_at = $2, ended_by = 'li' WHERE id = $1", whole, to_datetime(ended)
    )
    await windows.take([], ended + SECOND)
    assert (await city.alert(tested)).flags == (flags.AFTER_TEST,)


async def test_all_of_a_large_test_ends_though_nobody_kept_the_desk_meanwhile(city, windows, pool):
    """In bounded calls, and after hours in which no desk ran."""
    await city.window("test", NOW, END)
    await commit(pool, [fire(f"s{n}", NOW) for n in range(450)], NOW + SECOND)
    await windows.take(None, NOW + MINUTE)
    for _ in range(3):
        await windows.take([], LATER)
    assert await pool.fetchval("SELECT count(*) FROM alert WHERE flags = '{after_test}'") == 450


@pytest.mark.parametrize("is_taken", [True, False], ids=["acknowledged", "unacknowledged"])
@pytest.mark.parametrize("has_desk", [True, False], ids=["desk", "no desk"])
@pytest.mark.parametrize(("kind", "disposition"), [("test", Disposition.TEST), ("drill", Disposition.DRILL)])
async def test_a_fire_said_after_its_test_or_drill_is_real(city, windows, lease, is_taken, has_desk, kind, disposition):
    """A new occurrence that sounds; it is awaited within 30 s; to close it as a test or drill takes a call-back."""
    burning = await in_a(kind, city)
    if is_taken:
        await act(city, burning, Acknowledge(), NOW + MINUTE)
    if has_desk:
        await windows.take(None, END - SECOND)
        await windows.take([], END)
    before = await city.alert(burning)
    await again(city, LATER)
    alert = await city.alert(burning)
    assert (alert.state, alert.occurrences, alert.flags, alert.acknowledged_by) == (State.UNACKNOWLEDGED, 2, (), None)
    assert alert.version > before.version
    assert (await city.told(burning))[-1] == ("device", "occurred_again")
    step = Escalations(city.pool, lease)
    await step.take(None, LATER + 30 * SECOND)
    assert (await city.alert(burning)).escalation == 0
    await step.take([], LATER + 31 * SECOND)
    assert (await city.alert(burning)).escalation == 1
    await again(city, LATER + MINUTE)
    assert (await city.told(burning))[-1] == ("device", "repeated"), "it is real since, and sounds as it is"
    await act(city, burning, Acknowledge(), LATER + 2 * MINUTE)
    with pytest.raises(InvalidInput, match="call_back"):
        await act(city, burning, Close(disposition), LATER + 2 * MINUTE)


async def test_what_says_more_within_its_test_stays_in_test(city):
    """Acknowledged or not, until the test is over."""
    tested = await in_a("test", city)
    await again(city, NOW + MINUTE)
    await act(city, tested, Acknowledge(), NOW + 2 * MINUTE)
    await again(city, NOW + 3 * MINUTE)
    alert = await city.alert(tested)
    assert (alert.state, alert.occurrences, alert.repeats, alert.flags) == (
        State.UNACKNOWLEDGED, 2, 1, (flags.IN_TEST,),
    )  # fmt: skip


async def test_a_prealarm_said_after_its_test_is_none_of_the_test_and_what_only_returns_says_nothing(city):
    """One more event counts, whatever it does to the state; a return to normal does not."""

    def said(device: str, at: Micros) -> Any:
        event = Event("u1", device, None, "prealarm", True, "", "", at, at + SECOND, str(at))
        return hazard(
            device, at, rule="event:prealarm", component="", alert_class=AlertClass.PREALARM, latch=True, event=event
        )

    await city.window("test", NOW, END)
    smoke, over = await city.raised(said("s1", NOW), said("s2", NOW), at=NOW + SECOND)
    await commit(city.pool, [said("s1", LATER), clear(said("s2", NOW), LATER)], LATER + SECOND)
    assert [(await city.alert(each)).flags for each in (smoke, over)] == [(), (flags.IN_TEST,)]
    assert (await city.told(smoke))[-1] == ("device", "repeated")


async def test_a_fire_escalates_from_the_end_of_its_test(city, windows, lease):
    """Acknowledging is awaited within 30 s of it, verifying what was acknowledged in it within 180 s."""
    tested, taken = await in_a("test", city), await in_a("test", city, "s2")
    await act(city, taken, Acknowledge(), NOW + MINUTE)
    step = Escalations(city.pool, lease)
    await step.take(None, END - SECOND)
    await windows.take(None, END - SECOND)
    await windows.take([], END)
    await step.take([tested, taken], END)
    for seconds, levels in ((29, [0, 0]), (31, [1, 0]), (179, [1, 0]), (181, [1, 1])):
        await step.take([], END + seconds * SECOND)
        assert [(await city.alert(each)).escalation for each in (tested, taken)] == levels
