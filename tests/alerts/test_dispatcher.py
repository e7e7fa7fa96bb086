"""The dispatcher in virtual time: what is due goes out once, however its channel behaves, whatever the clock does."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from alert_making import T0
from letter_hall import Hall, Recipient, channel
from letter_making import alert_of, new_letter
from virtual_time import run

from firetower.alerts.model import State
from firetower.alerts.notify.letters import Letter, LetterState, NewLetter
from firetower.alerts.notify.message import Message
from firetower.alerts.notify.ports import Fact, Outcome
from firetower.alerts.notify.senders import SendFailed
from firetower.core.clock import HOUR, SECOND
from firetower.core.errors import LeaseLost, StoreUnavailable
from firetower.rules.verdicts import VerdictKind

DOWN = SendFailed("https://x does not answer", permanent=False)


def letters(count: int, alert_id: int = 1, **more: Any) -> list[NewLetter]:
    return [new_letter(f"{alert_id}-{n}", alert_id, address=f"{n}", **more) for n in range(count)]


def test_a_letter_goes_out_once_with_its_reference_and_is_on_record() -> None:
    async def test() -> None:
        hall = Hall()
        await hall.put(new_letter("a"))
        async with hall.at_work():
            await asyncio.sleep(60)
        ((_, message),) = hall.hook.taken
        stored = hall.letter("a")
        assert (message.reference, stored.state, stored.sent_at) == (stored.reference, LetterState.SENT, T0)
        assert hall.said == [("hook", VerdictKind.CLEAR)]

    run(test())


def test_a_temporary_failure_is_tried_again_a_permanent_one_not() -> None:
    async def test() -> None:
        hall = Hall()
        hall.hook.says = [SendFailed("number unknown", permanent=True), DOWN, DOWN]
        await hall.put(new_letter("wrong", address="0"))
        async with hall.at_work():
            await asyncio.sleep(10)
            await hall.put(new_letter("right"))
            await asyncio.sleep(20)
        assert hall.hook.keys == ["right"]
        assert (hall.letter("wrong").state, hall.letter("wrong").tries) == (LetterState.FAILED, 1)
        assert hall.letter("wrong").trouble == "number unknown"
        assert (hall.letter("right").state, hall.letter("right").tries) == (LetterState.SENT, 3)

    run(test())


def test_a_letter_is_given_up_after_its_tries_or_its_time() -> None:
    async def test() -> None:
        hall = Hall(few=channel("few", tries=4), short=channel("short", within="3min"))
        for each in hall.recipients.values():
            each.always = DOWN
        await hall.put(new_letter("a", channel="few"), new_letter("b", channel="short"))
        async with hall.at_work():
            await asyncio.sleep(900)
        assert (hall.letter("a").state, hall.letter("a").tries) == (LetterState.FAILED, 4)
        assert hall.letter("b").state is LetterState.FAILED
        assert hall.recipients["short"].tried[-1][0] - hall.recipients["short"].tried[0][0] < 300

    run(test())


def test_a_receiver_that_asks_to_be_let_be_is_for_all_its_letters() -> None:
    async def test() -> None:
        hall = Hall(hook=channel(at_once=1))
        hall.hook.says = [SendFailed("status 429", permanent=False, retry_after_s=60.0)]
        await hall.put(*letters(3))
        async with hall.at_work():
            await asyncio.sleep(120)
        began = hall.hook.tried[0][0]
        assert [round(at - began) >= 60 for at, _ in hall.hook.tried] == [False, True, True, True]
        assert len(hall.hook.taken) == 3

    run(test())


def test_a_channel_that_hangs_holds_no_other_up_and_takes_no_more_than_it_may() -> None:
    async def test() -> None:
        hall = Hall(hook=channel(), mail=channel("mail"))
        hall.hook.takes_s = 1e6
        await hall.put(*letters(9), new_letter("m", channel="mail"))
        async with hall.at_work():
            await asyncio.sleep(5)
            assert hall.recipients["mail"].keys == ["m"]
            assert hall.hook.at_once == 4

    run(test())


def test_fires_go_first() -> None:
    async def test() -> None:
        hall = Hall(hook=channel(at_once=1))
        await hall.put(*letters(3, alert_id=2), *letters(2))
        async with hall.at_work():
            await asyncio.sleep(30)
        assert hall.hook.keys == ["1-0", "1-1", "2-0", "2-1", "2-2"]

    run(test())


def test_an_hour_of_outage_ends_without_a_storm_and_without_a_reminder_of_what_is_handled() -> None:
    """The channel is said to be dead after two minutes and to live again; while it is dead one letter at a time knocks.

    The backlog comes at the channel's rate; of 50 reminders to one person one is left; what is handled is not told.
    """

    async def test() -> None:
        hall = Hall(hook=channel(rate=60))
        hall.store.alerts[3] = alert_of(3)
        hall.hook.always = DOWN
        await hall.put(*letters(100), *letters(40, alert_id=3))
        async with hall.at_work():
            for number in range(50):
                await asyncio.sleep(72)
                await hall.put(new_letter(f"again {number}", address="wang"))
            assert hall.said == [("hook", VerdictKind.RAISE)]
            assert hall.dispatcher.is_dead("hook")
            knocks = [at for at, _ in hall.hook.tried if at > hall.hook.tried[0][0] + 180]
            assert max(sum(at <= each < at + 60 for each in knocks) for at in knocks) <= 3
            hall.store.alerts[3] = replace(hall.store.alerts[3], state=State.ACKNOWLEDGED)
            hall.hook.always = None
            await asyncio.sleep(300)
            assert not hall.dispatcher.is_dead("hook")
        assert hall.said == [("hook", VerdictKind.RAISE), ("hook", VerdictKind.CLEAR)]
        times = [at for at, _ in hall.hook.taken]
        assert max(sum(at <= each < at + 60 for each in times) for at in times) <= 65
        assert sorted(hall.hook.keys) == sorted([*(f"1-{n}" for n in range(100)), "again 49"])
        states = {each.state for each in await hall.store.of_alert(3)}
        assert states == {LetterState.CANCELLED}

    run(test())


def test_a_channel_that_refuses_us_is_dead_at_once_and_its_letters_wait() -> None:
    """A password that was changed is mended by a person; what waits then goes out."""

    async def test() -> None:
        hall = Hall()
        hall.hook.always = SendFailed("status 401", permanent=False, of_channel=True)
        await hall.put(new_letter("a"))
        async with hall.at_work():
            await asyncio.sleep(2)
            assert hall.said == [("hook", VerdictKind.RAISE)]
            assert hall.dispatcher.is_dead("hook")
            hall.hook.always = None
            await asyncio.sleep(60)
        assert hall.hook.keys == ["a"]
        assert hall.said[-1] == ("hook", VerdictKind.CLEAR)

    run(test())


def test_a_dead_channel_with_nothing_to_try_is_offered_letters_again_after_a_while() -> None:
    async def test() -> None:
        hall = Hall(hook=channel(tries=1, dead_after="10s"))
        hall.hook.always = DOWN
        async with hall.at_work():
            for number in range(3):
                await hall.put(new_letter(f"{number}"))
                await asyncio.sleep(10)
            assert hall.dispatcher.is_dead("hook")
            await asyncio.sleep(400)
            assert not hall.dispatcher.is_dead("hook")
        assert hall.dispatcher.is_dead("no such channel")

    run(test())


def test_a_gateway_that_cannot_be_asked_ends_nothing() -> None:
    """Were it to end the dispatcher, the desk would end, and with it escalation and the hand-over to 119."""

    class Odd(Recipient):
        asks_every_s, asks_until = 2.0, 10 * SECOND
        asked = 0

        async def ask(self, reference: str, facts: Mapping[str, Any]) -> tuple[Fact | None, Mapping[str, Any]]:
            self.asked += 1
            raise ValueError("odd")

    async def test() -> None:
        hall = Hall()
        odd = hall.recipients["hook"] = Odd()
        hall.dispatcher = hall.made()
        await hall.put(new_letter("a"))
        async with hall.at_work():
            await asyncio.sleep(5)
            await hall.put(new_letter("b", address="2"))
            await asyncio.sleep(0.9)
        assert (odd.keys, odd.asked) == (["a", "b"], 2)

    run(test())


def test_who_ends_between_send_and_record_sends_again_under_the_same_reference() -> None:
    async def test() -> None:
        hall = Hall()
        await hall.put(new_letter("a"))
        recording = asyncio.Event()
        record = hall.store.record

        async def hangs(letter: Letter, outcome: Outcome, now: int) -> None:
            recording.set()
            await asyncio.sleep(1e6)

        hall.store.record = hangs  # type: ignore[method-assign]
        async with hall.at_work():
            await recording.wait()
        hall.store.record = record  # type: ignore[method-assign]
        hall.dispatcher = hall.made()
        async with hall.at_work():
            await asyncio.sleep(2)
        (_, one), (_, two) = hall.hook.taken
        assert one.reference == two.reference
        assert hall.letter("a").state is LetterState.SENT

    run(test())


def test_a_store_that_is_away_holds_the_record_up_and_nothing_is_sent_twice() -> None:
    async def test() -> None:
        hall = Hall()
        await hall.put(new_letter("a"))
        record, away = hall.store.record, [True] * 20

        async def fails(letter: Letter, outcome: Outcome, now: int) -> None:
            if away:
                away.pop()
                raise StoreUnavailable("away")
            await record(letter, outcome, now)

        hall.store.record = fails  # type: ignore[method-assign]
        async with hall.at_work():
            await asyncio.sleep(120)
        assert hall.hook.keys == ["a"]
        assert hall.letter("a").state is LetterState.SENT

    run(test())


@pytest.mark.parametrize("step", [-HOUR, 3 * HOUR])
def test_a_clock_that_is_set_loses_no_letter_and_doubles_none(step: int) -> None:
    """Set back, what waits does not wait for an hour; set forward, what failed once is not given up for its age."""

    async def test() -> None:
        hall = Hall()
        hall.hook.always = DOWN
        await hall.put(*letters(2))
        async with hall.at_work():
            await asyncio.sleep(5)
            hall.clock.step(step)
            await hall.put(new_letter("after"))
            await asyncio.sleep(1)
            hall.hook.always = None
            await asyncio.sleep(60)
        assert sorted(hall.hook.keys) == ["1-0", "1-1", "after"]

    run(test())


def test_whoever_loses_the_lease_stops_with_everything_in_hand() -> None:
    async def test() -> None:
        hall = Hall()
        hall.hook.takes_s = 1e6
        await hall.put(new_letter("a"))

        async def lost(*_: Any) -> None:
            raise LeaseLost("held by hall-2")

        running = asyncio.create_task(hall.dispatcher.run())
        await asyncio.sleep(1)
        hall.store.claim = lost  # type: ignore[assignment]
        with pytest.raises(BaseExceptionGroup) as ended:
            await running
        assert ended.group_contains(LeaseLost)
        assert hall.hook.at_once == 0

    run(test())


def test_a_channel_that_breaks_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        hall = Hall(hook=channel(tries=2), mail=channel("mail"))
        await hall.put(new_letter("a"), new_letter("m", channel="mail"))

        async def breaks(message: Message) -> Mapping[str, Any]:
            raise ZeroDivisionError

        hall.hook.send = breaks  # type: ignore[method-assign]
        async with hall.at_work():
            await asyncio.sleep(30)
        assert hall.letter("a").state is LetterState.FAILED
        assert hall.letter("m").state is LetterState.SENT

    run(test())
    assert "failed on letter" in caplog.text
