"""The webhook: red and orange provisional alarms reach the receiver, signed, once each, however it behaves."""

import asyncio
import contextlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from outside_server import Call, Receiver, receiving
from prometheus_client import REGISTRY
from waiting import until

from firetower.alerts.notify import webhook
from firetower.alerts.notify.webhook import Webhook
from firetower.alerts.provisional import ProvisionalAlarm
from firetower.core.clock import SECOND, Clock, ManualClock
from firetower.core.outside import Outside
from firetower.devices.events import AlertClass

SECRET = "a secret of sixteen"


def alarm(key: str, priority: int = 1, **more: Any) -> ProvisionalAlarm:
    at = 1_763_800_000 * SECOND
    alert_class = more.pop("alert_class", AlertClass.FIRE if priority == 1 else AlertClass.PREALARM)
    return ProvisionalAlarm(
        key, alert_class, priority, "火警", "Fire", "mall-01", "panel-1", "1-012", "3F 走廊", "A/3F", at, at, ("late",)
    )


class Board:
    """A board that shows what it is told."""

    def __init__(self) -> None:
        self._alarms: dict[str, ProvisionalAlarm] = {}
        self._told: Callable[[], None] = lambda: None

    def alarms(self) -> Sequence[ProvisionalAlarm]:
        return tuple(self._alarms.values())

    def listen(self, on_change: Callable[[], None]) -> None:
        self._told = on_change

    def show(self, *alarms: ProvisionalAlarm) -> None:
        self._alarms |= {each.key: each for each in alarms}
        self._told()

    def settle(self, *keys: str) -> None:
        for key in keys or tuple(self._alarms):
            del self._alarms[key]
        self._told()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@contextlib.asynccontextmanager
async def running(board: Board, receiver: Receiver, clock: Clock) -> AsyncIterator[Webhook]:
    async with Outside() as outside:
        made = Webhook(receiver.url, SECRET, outside, board, clock)
        task = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def keys(calls: Sequence[Call]) -> list[str]:
    return [json.loads(call.body)["key"] for call in calls]


def counted(outcome: str) -> float:
    labels = {"channel": "webhook", "outcome": outcome}
    return REGISTRY.get_sample_value("firetower_notifications_total", labels) or 0.0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr(webhook, "wait_before", lambda _: 0.0)
    monkeypatch.setattr(webhook, "_LOOK_S", 0.01)


async def test_red_and_orange_are_told_once_signed_and_the_others_not(receiver: Receiver, clock: ManualClock) -> None:
    board, sent = Board(), counted("sent")
    board.show(alarm("fire"), alarm("yellow", 3))
    async with running(board, receiver, clock):
        await until(lambda: len(receiver.calls) == 1)
        board.show(alarm("orange", 2))
        await until(lambda: len(receiver.calls) == 2)
        board.show(alarm("fire"), alarm("last", 2))
        await until(lambda: len(receiver.calls) == 3)
    assert keys(receiver.calls) == ["fire", "orange", "last"]
    assert counted("sent") == sent + 3
    first = receiver.calls[0]
    assert (first.method, first.headers["Firetower-Timestamp"]) == ("POST", str(clock.now() // SECOND))
    signed = first.headers["Firetower-Timestamp"].encode() + b"." + first.body
    assert first.headers["Firetower-Signature"] == "v1=" + hmac.digest(SECRET.encode(), signed, "sha256").hex()
    assert json.loads(first.body) == {
        "provisional": True, "key": "fire", "class": "fire", "priority": 1, "title_zh": "火警", "title_en": "Fire",
        "unit": "mall-01", "device": "panel-1", "component": "1-012", "place": "A/3F", "text": "3F 走廊",
        "flags": ["late"], "device_at": "2025-11-22T08:26:40.000Z", "received_at": "2025-11-22T08:26:40.000Z",
    }  # fmt: skip


async def test_an_alarm_that_rises_is_told_again_and_one_of_the_next_outage_too(
    receiver: Receiver, clock: ManualClock
) -> None:
    board = Board()
    async with running(board, receiver, clock):
        board.show(alarm("one", 2))
        await until(lambda: len(receiver.calls) == 1)
        board.show(alarm("one", 1))
        await until(lambda: len(receiver.calls) == 2)
        board.settle("one")
        board.show(alarm("two", 2))
        await until(lambda: len(receiver.calls) == 3)
        board.show(alarm("one", 1))
        await until(lambda: len(receiver.calls) == 4)
    assert keys(receiver.calls) == ["one", "one", "two", "one"]


@pytest.mark.usefixtures("quick")
async def test_a_red_alarm_on_the_board_is_tried_until_it_is_taken(
    receiver: Receiver, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    board = Board()
    receiver.statuses = [500, 404] * 10
    async with running(board, receiver, clock) as channel:
        board.show(alarm("fire"))
        await until(lambda: len(receiver.calls) == 21 and channel.trouble is None)
    assert set(keys(receiver.calls)) == {"fire"}
    assert caplog.text.count("a notification is not taken") == 1


@pytest.mark.usefixtures("quick")
async def test_an_orange_alarm_is_tried_six_times_and_not_again_after_a_refusal(
    receiver: Receiver, clock: ManualClock
) -> None:
    board, failed, refused = Board(), counted("failed"), counted("refused")
    receiver.statuses = [500] * 6 + [403]
    async with running(board, receiver, clock):
        board.show(alarm("unlucky", 2))
        await until(lambda: counted("failed") == failed + 1)
        board.show(alarm("unwanted", 2))
        await until(lambda: counted("refused") == refused + 1)
        board.show(alarm("taken", 2))
        await until(lambda: len(receiver.calls) == 8)
    assert keys(receiver.calls) == ["unlucky"] * 6 + ["unwanted", "taken"]


@pytest.mark.usefixtures("quick")
async def test_a_red_alarm_that_was_stored_meanwhile_is_tried_as_often_as_any_other(
    receiver: Receiver, clock: ManualClock
) -> None:
    board, failed = Board(), counted("failed")
    receiver.gate.clear()
    receiver.statuses = [500] * 100
    async with running(board, receiver, clock) as channel:
        board.show(alarm("fire"))
        await until(lambda: len(receiver.calls) == 1)
        board.settle("fire")
        await until(lambda: not channel._letters["fire"].on_board)
        receiver.gate.set()
        await until(lambda: counted("failed") == failed + 1)
    assert len(receiver.calls) == 6


async def test_a_receiver_that_hangs_over_four_messages_gets_red_before_orange_next(
    receiver: Receiver, clock: ManualClock
) -> None:
    board = Board()
    receiver.gate.clear()
    async with running(board, receiver, clock) as channel:
        board.show(*(alarm(f"early-{number}", 2) for number in range(6)))
        await until(lambda: len(receiver.calls) == 4)
        board.show(alarm("gas", 1, alert_class=AlertClass.HAZARD), alarm("fire", 1))
        await until(lambda: "fire" in channel._letters)
        receiver.gate.set()
        await until(lambda: len(receiver.calls) == 8)
    assert sorted(keys(receiver.calls)[:4]) == [f"early-{number}" for number in range(4)]
    assert set(keys(receiver.calls)[4:6]) == {"gas", "fire"}


async def test_when_full_what_is_stored_goes_first_then_the_newest_orange_and_never_a_red(
    receiver: Receiver, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "MOST_WAITING", 4)
    dropped = counted("dropped")
    async with Outside() as outside:
        channel = Webhook(receiver.url, SECRET, outside, Board(), clock)
        channel.tell([alarm("stored", 1)])
        now = [alarm("orange-1", 2), alarm("orange-2", 2), alarm("red-1")]
        channel.tell(now)
        assert counted("dropped") == dropped
        channel.tell([*now, alarm("red-2")])
        assert set(channel._letters) == {"orange-1", "orange-2", "red-1", "red-2"}
        channel.tell([*now, *(alarm(f"red-{number}") for number in range(2, 8))])
    assert set(channel._letters) == {f"red-{number}" for number in range(1, 8)}
    assert counted("dropped") == dropped + 3
