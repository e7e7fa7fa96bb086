"""Alarms nobody could store yet: who stands on the board, for how long, in which order, and what happens when full."""

from dataclasses import replace

import pytest

from firetower.alerts import provisional
from firetower.alerts.provisional import ProvisionalBoard, key_of
from firetower.core.clock import SECOND, ManualClock
from firetower.devices.events import AlertClass, Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

T0 = 1_763_800_000_000_000


@pytest.fixture
def board() -> ProvisionalBoard:
    """A board beside a registry of one smoke detector in a zone."""
    registry = Registry()
    registry.add(DeviceEntry(number=1, unit="u1", device="s1", kind=DeviceKind.SMOKE, zone="b1/f2/z3"))
    return ProvisionalBoard(registry, ManualClock(T0 + 9 * SECOND))


def said(
    component: str,
    *,
    fire: bool = False,
    priority: int = 3,
    at: int = T0,
    kind: VerdictKind = VerdictKind.RAISE,
    rule: str = "event:x",
    number: int | None = None,
    text: str = "",
) -> Verdict:
    """Return a device's word about one of its points, one second under way."""
    event = Event("u1", "s1", number, "x", True, component, text, at, at + SECOND, "k")
    return Verdict(
        kind=kind,
        rule=rule,
        rule_version=1,
        subject_kind=SubjectKind.DEVICE,
        subject="u1/s1",
        component=component,
        alert_class=AlertClass.FIRE if fire else AlertClass.FAULT,
        priority=priority,
        latch=fire,
        at=at,
        title_zh="题",
        title_en="title",
        device_number=number,
        text=text,
        event=event,
    )


def components(board: ProvisionalBoard) -> list[str]:
    """Return the points of the alarms on the board, in its order."""
    return [alarm.component for alarm in board.alarms()]


def test_an_alarm_shows_who_says_what_and_since_when(board: ProvisionalBoard) -> None:
    """An alarm names unit, device, point, the panel's words, its place, the event's time and its arrival."""
    board.waiting("batch", [said("2-3-017", fire=True, number=1, text="3F corridor")])
    (alarm,) = board.alarms()
    assert (alarm.unit, alarm.device, alarm.component) == ("u1", "s1", "2-3-017")
    assert (alarm.text, alarm.place) == ("3F corridor", "b1/f2/z3")
    assert (alarm.device_at, alarm.received_at) == (T0, T0 + SECOND)
    assert (alarm.alert_class, alarm.priority) == (AlertClass.FIRE, 1)
    assert alarm.key == key_of("event:x", "device", "u1/s1", "2-3-017")


def test_a_stranger_has_the_key_of_the_device_it_becomes() -> None:
    """In an outage nobody can be registered: the alarm of a stranger becomes the alert of a device."""
    assert key_of("event:fire", "sender", "u1/s1", "p") == key_of("event:fire", "device", "u1/s1", "p")
    assert key_of("event:fire", "device", "u1/s1", "p") != key_of("event:fire", "device", "u1/s1", "q")


def test_only_what_is_raised_stands_on_the_board(board: ProvisionalBoard) -> None:
    """A return to normal and a record show nothing and wake nobody."""
    told: list[int] = []
    board.listen(lambda: told.append(board.revision))
    board.waiting("batch", [said("p", kind=VerdictKind.CLEAR), said("p", kind=VerdictKind.RECORD)])
    assert (board.alarms(), told) == ((), [])
    board.settled("batch")
    assert told == []


def test_an_alarm_stays_until_the_last_batch_that_says_it_is_settled(board: ProvisionalBoard) -> None:
    """Two batches hold one alarm; it leaves with the second, and everybody who listens is told of each change."""
    told: list[int] = []
    board.listen(lambda: told.append(len(board.alarms())))
    board.waiting("first", [said("p")])
    board.waiting("second", [said("p")])
    board.settled("first")
    assert components(board) == ["p"]
    board.settled("second")
    assert components(board) == []
    assert told[0] == 1
    assert told[-1] == 0


def test_the_same_batch_told_again_changes_nothing(board: ProvisionalBoard) -> None:
    """The lane tells of the same batch twice a second; nobody is woken for it, and one settling ends it."""
    board.waiting("batch", [said("p")])
    revision = board.revision
    board.waiting("batch", [said("p")])
    assert board.revision == revision
    board.settled("batch")
    assert components(board) == []


def test_a_second_word_keeps_the_higher_level_the_newest_event_and_the_first_arrival(board: ProvisionalBoard) -> None:
    """A fault that becomes a fire is one alarm, a fire, waiting since it first arrived; a repeat does not lower it."""
    board.waiting("a", [said("p", priority=3, at=T0)])
    board.waiting("b", [said("p", fire=True, at=T0 + 5 * SECOND)])
    board.waiting("c", [said("p", priority=4, at=T0 + 8 * SECOND)])
    (alarm,) = board.alarms()
    assert (alarm.is_fire, alarm.priority) == (True, 1)
    assert (alarm.device_at, alarm.received_at) == (T0 + 8 * SECOND, T0 + SECOND)


def test_fires_come_first_then_priority_then_the_newest(board: ProvisionalBoard) -> None:
    """The order an operator reads in."""
    board.waiting(
        "batch",
        [
            said("blue", priority=4, at=T0 + 9),
            said("old fire", fire=True, at=T0),
            said("orange", priority=2, at=T0 + 5),
            said("new fire", fire=True, at=T0 + 1),
            said("red", priority=1, at=T0 + 8),
        ],
    )
    assert components(board) == ["new fire", "old fire", "red", "orange", "blue"]


def test_a_full_board_keeps_fires_and_counts_the_rest(board: ProvisionalBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no room left a fire displaces the oldest of the lowest, nothing displaces a fire, the others are counted."""
    monkeypatch.setattr(provisional, "MOST", 3)
    board.waiting("a", [said("y1"), said("y2"), said("b1", priority=4)])
    board.waiting("b", [said("f1", fire=True), said("f2", fire=True)])
    assert set(components(board)) == {"f1", "f2", "y2"}
    assert board.more == 2
    board.waiting("c", [said("f3", fire=True)])
    board.waiting("d", [said("o1", priority=2), said("f4", fire=True)])
    assert set(components(board)) == {"f1", "f2", "f3"}
    assert board.more == 5


def test_what_was_only_counted_is_shown_once_there_is_room(
    board: ProvisionalBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the first batches are committed, what the board had no room for appears when its batch is told of again."""
    monkeypatch.setattr(provisional, "MOST", 1)
    board.waiting("a", [said("p1")])
    board.waiting("b", [said("p2")])
    assert (components(board), board.more) == (["p1"], 1)
    board.settled("a")
    board.waiting("b", [said("p2")])
    assert (components(board), board.more) == (["p2"], 0)
    board.settled("b")
    assert (components(board), board.more) == ([], 0)


def test_late_evidence_waits_for_the_store_in_silence_unless_it_is_of_a_fire(board: ProvisionalBoard) -> None:
    """It will be a closed record: nobody is to be called for it now either."""
    past = [replace(said(name, fire=name == "burnt"), flags=("historical",)) for name in ("low", "burnt")]
    board.waiting("token", past)
    assert components(board) == ["burnt"]
    assert board.more == 0


def test_alarms_that_nothing_could_be_kept_of_are_counted_beside_the_others(board: ProvisionalBoard) -> None:
    """The number says how many more wait than the list shows; who listens hears when it changes, and only then."""
    heard: list[int] = []
    board.listen(lambda: heard.append(board.more))
    board.waiting("a", [said("p1")])
    board.beyond(17)
    board.beyond(17)
    assert (components(board), board.more) == (["p1"], 17)
    board.beyond(0)
    assert heard == [0, 17, 0]
