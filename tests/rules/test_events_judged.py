"""A device's own alarms become verdicts; doubt raises, and two points never share a key."""

from dataclasses import replace

import pytest

from firetower.devices.events import EVENTS, AlertClass, Event
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.events import judge

FIRE = Event("mall-01", "panel-1", 7, "fire", True, "2-3-017", "3F corridor", 1_000, 2_000, "k")


def one(event: Event) -> Verdict:
    (verdict,) = judge([event])
    return verdict


def test_a_fire_is_a_latched_fire_of_priority_1_at_its_point() -> None:
    verdict = one(FIRE)
    assert verdict.key == ("event:fire", "device", "mall-01/panel-1", "2-3-017")
    assert (verdict.kind, verdict.alert_class, verdict.priority, verdict.latch) == (
        VerdictKind.RAISE,
        AlertClass.FIRE,
        1,
        True,
    )
    assert (verdict.at, verdict.text, verdict.flags, verdict.event) == (1_000, "3F corridor", (), FIRE)


def test_a_fire_from_somebody_nobody_registered_is_raised_and_marked() -> None:
    verdict = one(replace(FIRE, device_number=None))
    assert verdict.subject_kind is SubjectKind.SENDER
    assert verdict.subject == "mall-01/panel-1"
    assert verdict.flags == ("unregistered",)
    assert (verdict.alert_class, verdict.priority) == (AlertClass.FIRE, 1)


def test_the_return_to_normal_clears_the_same_key() -> None:
    assert one(replace(FIRE, active=False)).kind is VerdictKind.CLEAR
    assert one(replace(FIRE, active=False)).key == one(FIRE).key


def test_an_alarm_without_a_point_is_keyed_by_its_text_and_one_without_both_by_nothing() -> None:
    assert one(replace(FIRE, component="")).component == "3F corridor"
    assert one(replace(FIRE, component="", text="")).component == ""


@pytest.mark.parametrize("name", ["fire", "fault", "wierd", "unreadable", "喷淋火警"])
def test_two_points_never_share_a_key(name: str) -> None:
    events = [
        replace(FIRE, event=name, component=c, text=t)
        for c, t in [("1", "a"), ("2", "a"), ("", "a"), ("", "b"), ("", "")]
    ]
    assert len({verdict.key for verdict in judge(events)}) == len(events)


@pytest.mark.parametrize("name", ["feedback", "reset", "test"])
def test_feedback_reset_and_test_are_recorded_and_raise_nothing(name: str) -> None:
    assert one(replace(FIRE, event=name)).kind is VerdictKind.RECORD


@pytest.mark.parametrize("name", ["FireAlarm", "fire_2", "喷淋火警"])
def test_an_unknown_name_that_says_fire_is_a_fire(name: str) -> None:
    verdict = one(replace(FIRE, event=name))
    assert (verdict.alert_class, verdict.priority, verdict.latch) == (AlertClass.FIRE, 1, True)
    assert verdict.rule == f"event:{name}"


def test_any_other_unknown_name_is_an_unreadable_alarm_that_keeps_it() -> None:
    verdict = one(replace(FIRE, event="blinkenlights"))
    assert (verdict.rule, verdict.alert_class, verdict.priority) == ("event:unreadable", AlertClass.UNREADABLE, 2)
    assert verdict.latch
    assert verdict.component == "blinkenlights: 2-3-017"
    assert "blinkenlights" in verdict.title_en
    assert "blinkenlights" in verdict.title_zh


def test_bytes_nobody_could_decode_raise_an_unreadable_alarm_with_them() -> None:
    verdict = one(Event("u", "d", None, "unreadable", True, "", "", 1, 1, None, payload=b"\x00\xff"))
    assert verdict.rule == "event:unreadable"
    assert verdict.event is not None
    assert verdict.event.payload == b"\x00\xff"


@pytest.mark.parametrize("name", [name for name, known in EVENTS.items() if known.alert_class is not None])
def test_every_event_of_the_contract_has_its_class_and_priority(name: str) -> None:
    verdict = one(replace(FIRE, event=name))
    known = EVENTS[name]
    assert (verdict.alert_class, verdict.priority, verdict.latch) == (known.alert_class, known.priority, known.latch)
