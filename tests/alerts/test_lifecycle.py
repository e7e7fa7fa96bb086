"""Every verdict on every alert; what the tables say is held in ``test_lifecycle_tables.py``."""

import itertools
from dataclasses import replace

import pytest

from firetower.alerts.judge import classify, judge, record
from firetower.alerts.lifecycle import Trigger, holds_key
from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.devices.events import AlertClass, Event
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

U, A, R, C = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.CLOSED
T0 = 1_763_800_000_000_000
S = 1_000_000


def verdict(kind=VerdictKind.RAISE, at=T0, *, fire=False, priority=3, latch=False, event=False, key="k", **more):
    rule = "event:x" if event else "rule-x"
    said = Event("u", "d", 1, "x", True, "", "", at, at + S, key) if event else None
    return Verdict(
        kind=kind,
        rule=rule,
        rule_version=1,
        subject_kind=SubjectKind.DEVICE,
        subject="u/d",
        component="",
        alert_class=AlertClass.FIRE if fire else AlertClass.HAZARD,
        priority=1 if fire else priority,
        latch=latch or fire,
        at=at,
        title_zh="题",
        title_en="title",
        event=said,
        **more,
    )


def alert(state=U, condition=Condition.ACTIVE, *, fire=False, latched=False, priority=3) -> Alert:
    new = judge(None, verdict(fire=fire, latch=latched, priority=priority), T0 + 2 * S).alert
    assert new is not None
    return replace(new, id=7, state=state, condition=condition)


ALERTS = [
    alert(state, condition, fire=fire, latched=latched, priority=priority)
    for state, condition, fire, latched, priority in itertools.product(
        State, Condition, [False, True], [False, True], [1, 3]
    )
]
HISTORICAL = [
    verdict(at=T0 + shift, fire=fire, latch=latch, priority=priority, flags=("historical",))
    for shift, fire, latch, priority in itertools.product([-S, 0, S], [False, True], [False, True], [1, 2, 3, 4])
]
VERDICTS = [
    verdict(kind, T0 + shift, fire=fire, latch=latch, event=event, priority=priority)
    for kind, shift, fire, latch, event, priority in itertools.product(
        [VerdictKind.RAISE, VerdictKind.CLEAR], [-S, 0, S], [False, True], [False, True], [False, True], [1, 2, 3, 4]
    )
] + HISTORICAL


@pytest.mark.parametrize(
    "subject", ALERTS, ids=lambda a: f"{a.state}-{a.condition}-{a.alert_class}-{a.latched}-{a.priority}"
)
def test_no_verdict_whatever_is_refused_and_none_weakens_a_fire_or_lowers_an_unacknowledged_priority(subject):
    for said in VERDICTS:
        outcome = judge(subject, said, T0 + 9 * S)
        after = outcome.alert
        assert after is not None
        if outcome.began:
            assert after.id == 0
            assert said.kind is VerdictKind.RAISE
            assert not holds_key(outcome.ended or subject)
            continue
        if subject.is_fire:
            assert after.is_fire
            assert after.priority == 1
            assert after.hold is Hold.NONE
            assert (after.state is C) == (subject.state is C)
        if subject.latched:
            assert after.latched
            assert (after.state is C) == (subject.state is C)
        if subject.state in {U, R}:
            assert after.priority <= subject.priority
        if said.event is not None and said.at < subject.condition_at:
            assert after.condition is subject.condition
            assert said.kind is VerdictKind.RAISE or after is subject
        assert after.condition_at >= subject.condition_at
        if after.state is not subject.state:
            assert after.version == subject.version + 1
            assert outcome.transition is not None
            assert (outcome.transition.old, outcome.transition.new) == (subject.state, after.state)


def test_a_fire_is_raised_red_and_latched_whatever_the_rule_asks():
    raised = judge(None, replace(verdict(fire=True), priority=4, latch=False), T0).alert
    assert raised is not None
    assert (raised.priority, raised.latched, raised.state) == (1, True, U)


def test_a_clear_without_an_alert_does_nothing():
    outcome = judge(None, verdict(VerdictKind.CLEAR), T0)
    assert outcome.alert is None
    assert outcome.transition is None


@pytest.mark.parametrize("state", [U, A])
def test_return_to_normal_is_an_event_on_a_fire_and_not_its_end(state):
    fire = alert(state, fire=True)
    outcome = judge(fire, verdict(VerdictKind.CLEAR, T0 + S, fire=True), T0 + 9 * S)
    assert outcome.alert is not None
    assert outcome.alert.state is state
    assert outcome.alert.condition is Condition.NORMAL
    assert outcome.alert.version == fire.version
    assert outcome.transition is not None
    assert outcome.transition.reason == "returned"


def test_a_further_fire_event_on_an_acknowledged_fire_is_a_new_occurrence_and_unacknowledged():
    fire = replace(alert(A, fire=True), acknowledged_at=T0, acknowledged_by="wang")
    outcome = judge(fire, verdict(at=T0 + S, fire=True, event=True), T0 + 9 * S)
    after = outcome.alert
    assert after is not None
    assert (after.state, after.occurrences, after.version) == (U, 2, 2)
    assert (after.acknowledged_at, after.acknowledged_by) == (None, None)
    assert outcome.transition is not None
    assert outcome.transition.reason == "occurred_again"


def test_the_same_fire_event_again_is_a_repeat_in_the_history_and_changes_no_version():
    fire = alert(A, fire=True)
    outcome = judge(fire, verdict(at=T0, fire=True, event=True), T0 + 9 * S)
    assert outcome.alert is not None
    assert (outcome.alert.state, outcome.alert.repeats, outcome.alert.version) == (A, 1, 1)
    assert outcome.transition is not None
    assert outcome.transition.reason == "repeated"


def test_a_fire_event_after_the_verdict_is_a_new_alert_and_frees_the_key_of_the_old_one():
    closed = alert(C, fire=True)
    outcome = judge(closed, verdict(at=T0 + S, fire=True, event=True), T0 + 9 * S)
    assert outcome.began
    assert outcome.ended is not None
    assert (outcome.ended.id, outcome.ended.state, outcome.ended.condition) == (7, C, Condition.NORMAL)
    assert outcome.alert is not None
    assert (outcome.alert.id, outcome.alert.state, outcome.alert.device_at) == (0, U, T0 + S)


def test_a_repeat_of_a_fault_closed_while_it_stands_raises_nothing_but_a_worse_one_does():
    closed = alert(C, priority=3)
    same = judge(closed, verdict(at=T0 + S, priority=3), T0 + 9 * S)
    assert not same.began
    assert same.alert is not None
    assert (same.alert.state, same.alert.repeats) == (C, 1)
    assert judge(closed, verdict(at=T0 + S, priority=2), T0 + 9 * S).began


def test_a_latched_event_again_after_its_disposition_is_a_new_alert_though_the_device_never_said_normal():
    assert judge(alert(C, latched=True), verdict(at=T0 + S, latch=True, event=True), T0 + 9 * S).began


def test_a_repeat_on_an_acknowledged_alert_stays_acknowledged_with_the_newest_value_and_no_history():
    outcome = judge(alert(A), verdict(at=T0 + S, value=0.09, limit=0.14), T0 + 9 * S)
    after = outcome.alert
    assert after is not None
    assert (after.state, after.repeats, after.version) == (A, 1, 1)
    assert (after.value, after.limit_value, after.last_event_at) == (0.09, 0.14, T0 + S)
    assert outcome.transition is None


def test_a_rise_in_priority_makes_an_acknowledged_alert_unacknowledged_with_the_new_title():
    outcome = judge(alert(A, priority=3), replace(verdict(at=T0 + S, priority=2), title_en="worse"), T0 + 9 * S)
    after = outcome.alert
    assert after is not None
    assert (after.state, after.priority, after.title_en, after.version) == (U, 2, "worse", 2)


def test_priority_falls_only_once_acknowledged():
    lower = verdict(at=T0 + S, priority=4)
    kept = judge(alert(U, priority=3), lower, T0 + 9 * S).alert
    eased = judge(alert(A, priority=3), lower, T0 + 9 * S).alert
    assert kept is not None
    assert kept.priority == 3
    assert eased is not None
    assert (eased.priority, eased.state, eased.version) == (4, A, 2)


def test_a_hazard_that_becomes_a_fire_becomes_one_even_from_stale_news():
    outcome = judge(alert(A, priority=1), verdict(at=T0 - S, fire=True), T0 + 9 * S)
    assert outcome.alert is not None
    assert outcome.alert.is_fire
    assert outcome.alert.latched
    assert outcome.alert.state is U


def test_alarming_again_after_return_is_unacknowledged_and_active():
    outcome = judge(alert(R, Condition.NORMAL), verdict(at=T0 + S), T0 + 9 * S)
    assert outcome.alert is not None
    assert (outcome.alert.state, outcome.alert.condition, outcome.alert.occurrences) == (U, Condition.ACTIVE, 2)


def test_the_rules_last_word_holds_whatever_its_time_and_the_time_of_condition_never_goes_back():
    """A reading may wait in a queue while a tick finds a silence, or a delay over, at a later instant."""
    spoke = judge(alert(A), verdict(VerdictKind.CLEAR, at=T0 - S), T0 + 9 * S).alert
    assert spoke is not None
    assert (spoke.state, spoke.condition, spoke.condition_at) == (C, Condition.NORMAL, T0)
    returned = replace(alert(R, Condition.NORMAL), condition_at=T0 + 5 * S)
    again = judge(returned, verdict(at=T0 + S), T0 + 9 * S).alert
    assert again is not None
    assert (again.state, again.condition, again.condition_at) == (U, Condition.ACTIVE, T0 + 5 * S)


def test_a_devices_clear_older_than_its_last_alarm_ends_nothing():
    repeated = judge(alert(A), verdict(at=T0 + 3 * S, event=True), T0 + 4 * S).alert
    assert repeated is not None
    late = judge(repeated, verdict(VerdictKind.CLEAR, at=T0 + 2 * S, event=True), T0 + 5 * S).alert
    assert late is repeated


def test_a_raise_older_than_the_return_does_not_flip_the_condition():
    returned = replace(alert(R, Condition.NORMAL), condition_at=T0 + 5 * S)
    assert classify(returned, verdict(at=T0 + S, event=True)) is Trigger.REPEATS
    outcome = judge(returned, verdict(at=T0 + S, event=True), T0 + 9 * S)
    assert outcome.alert is not None
    assert (outcome.alert.state, outcome.alert.condition) == (R, Condition.NORMAL)


def test_a_reset_is_history_on_an_open_alert_and_ends_nothing():
    fire = alert(A, fire=True)
    said = replace(verdict(VerdictKind.RECORD, event=True), rule="event:reset")
    entry = record(fire, said, T0 + 9 * S)
    assert (entry.old, entry.new, entry.reason, entry.actor) == (A, A, "reset", "device")


def test_evidence_that_json_cannot_hold_is_left_out():
    outcome = judge(None, verdict(value=float("nan"), limit=0.2), T0)
    assert outcome.transition is not None
    assert "value" not in outcome.transition.evidence
    assert outcome.transition.evidence["limit"] == 0.2


@pytest.mark.parametrize("latch", [False, True])
def test_late_evidence_is_an_alert_that_begins_closed_and_calls_nobody(latch):
    outcome = judge(None, verdict(latch=latch, flags=("historical",)), T0 + 9 * S)
    after, entry = outcome.alert, outcome.transition
    assert outcome.began
    assert after is not None
    assert entry is not None
    assert (after.state, after.condition, after.disposition) == (C, Condition.NORMAL, None)
    assert (after.closed_at, after.closed_by, after.device_at) == (T0 + 9 * S, "rule:rule-x", T0)
    assert after.flags == ("historical",)
    assert (entry.old, entry.new, entry.reason) == (None, C, "closed_historical")
    assert not holds_key(after), "what happens next is an alert of its own"


@pytest.mark.parametrize(
    "subject",
    [each for each in ALERTS if holds_key(each)],
    ids=lambda a: f"{a.state}-{a.condition}-{a.alert_class}-{a.latched}-{a.priority}",
)
def test_late_evidence_of_no_fire_is_only_a_note_on_the_alert_that_holds_the_key(subject):
    for said in HISTORICAL:
        if said.alert_class is AlertClass.FIRE:
            continue
        outcome = judge(subject, said, T0 + 9 * S)
        assert outcome.alert is subject
        assert outcome.transition is not None
        assert (outcome.transition.new, outcome.transition.reason) == (subject.state, "late_evidence")


def test_a_late_fire_is_raised_and_sounds_though_nothing_of_it_holds_now():
    after = judge(None, verdict(fire=True, flags=("historical",)), T0 + 9 * S).alert
    assert after is not None
    assert (after.state, after.condition, after.latched, after.priority) == (U, Condition.NORMAL, True, 1)
    assert (after.closed_at, after.flags) == (None, ("historical",))


@pytest.mark.parametrize(("shift", "state", "reason"), [(-S, A, "repeated"), (S, U, "occurred_again")])
def test_a_late_fire_on_an_acknowledged_one_sounds_again_only_when_it_is_of_a_later_time(shift, state, reason):
    fire = alert(A, Condition.NORMAL, fire=True)
    outcome = judge(fire, verdict(at=T0 + shift, fire=True, flags=("historical",)), T0 + 9 * S)
    assert outcome.alert is not None
    assert outcome.transition is not None
    assert (outcome.alert.state, outcome.alert.condition, outcome.transition.reason) == (
        state,
        Condition.NORMAL,
        reason,
    )
    assert outcome.alert.flags == (), "it was raised live"


def test_a_historical_fire_that_burns_now_is_not_historical_any_more():
    late = judge(None, verdict(fire=True, flags=("historical",)), T0 + 9 * S).alert
    assert late is not None
    for state in (U, A):
        now = judge(replace(late, state=state), verdict(at=T0 + 99 * S, fire=True), T0 + 100 * S).alert
        assert now is not None
        assert (now.state, now.condition, now.flags) == (U, Condition.ACTIVE, ())


def test_a_late_fire_after_the_verdict_on_one_that_stands_is_a_new_alert_and_stands():
    outcome = judge(alert(C, fire=True), verdict(at=T0 - S, fire=True, flags=("historical",)), T0 + 9 * S)
    assert outcome.began
    assert outcome.alert is not None
    assert (outcome.alert.state, outcome.alert.condition) == (U, Condition.ACTIVE)
