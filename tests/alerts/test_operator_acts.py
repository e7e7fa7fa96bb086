"""Acknowledge, note and close: what is accepted, and what each refusal tells the operator."""

from dataclasses import replace

import pytest

from firetower.alerts.acts import Acknowledge, Close, Note, decide
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Condition, Disposition, State
from firetower.core.errors import Conflict, InvalidInput
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

T0 = 1_763_800_000_000_000
D = Disposition


def alert(state=State.UNACKNOWLEDGED, kind=AlertClass.HAZARD, *, latched=False) -> Alert:
    said = Verdict(
        VerdictKind.RAISE, "r", 1, SubjectKind.DEVICE, "u/d", "", kind, 3, latched, T0, "题", "title"
    )  # fmt: skip
    new = judge(None, said, T0).alert
    assert new is not None
    normal = state is State.RETURNED
    return replace(new, id=7, state=state, condition=Condition.NORMAL if normal else Condition.ACTIVE)


def act(subject: Alert, what: Acknowledge | Note | Close):
    return decide(subject, what, actor="wang", at=T0 + 5)


def test_acknowledging_says_by_whom_and_when():
    after, entry = act(alert(), Acknowledge())
    assert (after.state, after.acknowledged_by, after.acknowledged_at, after.version) == (
        State.ACKNOWLEDGED,
        "wang",
        T0 + 5,
        2,
    )
    assert (entry.old, entry.new, entry.actor, entry.reason) == (
        State.UNACKNOWLEDGED,
        State.ACKNOWLEDGED,
        "wang",
        "acknowledged",
    )


def test_acknowledging_what_has_returned_closes_it():
    after, _ = act(alert(State.RETURNED), Acknowledge())
    assert (after.state, after.closed_by, after.acknowledged_by) == (State.CLOSED, "wang", "wang")


def test_acknowledging_twice_is_a_conflict_that_names_who_was_first():
    taken = replace(alert(State.ACKNOWLEDGED), acknowledged_by="li")
    with pytest.raises(Conflict, match="li has acknowledged it") as refused:
        act(taken, Acknowledge())
    assert refused.value.current is taken


@pytest.mark.parametrize("state", list(State))
def test_a_note_is_taken_in_every_state_and_changes_nothing_else(state):
    subject = alert(state)
    after, entry = act(subject, Note("  called the control room "))
    assert after is subject
    assert (entry.old, entry.new, entry.evidence) == (state, state, {"text": "called the control room"})


@pytest.mark.parametrize("what", [Acknowledge(), Close(D.FALSE_ALARM, "steam")])
def test_a_closed_alert_takes_nothing_but_notes(what):
    with pytest.raises(Conflict, match=r"alert 7 is closed.*only notes"):
        act(replace(alert(State.CLOSED), closed_by="li"), what)


@pytest.mark.parametrize("disposition", [D.UNKNOWN, D.HAZARD_FIXED, D.MAINTENANCE])
def test_a_fire_is_never_closed_as_what_only_a_hazard_can_be(disposition):
    with pytest.raises(InvalidInput, match=f"fire alert 7 cannot be closed as {disposition}"):
        act(alert(State.ACKNOWLEDGED, AlertClass.FIRE), Close(disposition, "dust", "a note"))


def test_a_fire_is_acknowledged_before_it_is_closed():
    with pytest.raises(Conflict, match="acknowledge it first"):
        act(alert(kind=AlertClass.FIRE), Close(D.FALSE_ALARM, "steam"))


@pytest.mark.parametrize("subject", [alert(State.ACKNOWLEDGED, AlertClass.FIRE), alert(State.RETURNED, latched=True)])
def test_a_latched_alert_is_not_closed_without_a_disposition(subject):
    with pytest.raises(InvalidInput, match="is latched and is closed only with a disposition; give one of real_fire"):
        act(subject, Close(None))


def test_what_is_still_active_is_not_closed_without_a_disposition():
    with pytest.raises(InvalidInput, match="has not returned to normal"):
        act(alert(State.ACKNOWLEDGED), Close(None))


def test_what_has_returned_is_closed_without_a_disposition():
    after, _ = act(alert(State.RETURNED), Close(None))
    assert (after.state, after.disposition) == (State.CLOSED, None)


def test_a_false_alarm_needs_its_cause():
    with pytest.raises(InvalidInput, match="false_alarm needs a cause") as refused:
        act(alert(State.ACKNOWLEDGED, AlertClass.FIRE), Close(D.FALSE_ALARM, "  "))
    assert refused.value.details == {"field": "cause"}


@pytest.mark.parametrize(
    ("disposition", "words"), [(D.REAL_FIRE, "119"), (D.TEST, "call-back"), (D.DRILL, "call-back")]
)
def test_real_fire_test_and_drill_need_a_note_that_says_who_confirmed(disposition, words):
    subject = alert(State.ACKNOWLEDGED, AlertClass.FIRE)
    with pytest.raises(InvalidInput, match=words):
        act(subject, Close(disposition))
    after, entry = act(subject, Close(disposition, note="Zhang, 119 desk, 14:02"))
    assert (after.state, after.disposition, after.closed_by) == (State.CLOSED, disposition, "wang")
    assert entry.evidence == {"disposition": str(disposition), "note": "Zhang, 119 desk, 14:02"}


def test_closing_a_fire_leaves_its_condition_as_the_device_says_it():
    after, _ = act(alert(State.ACKNOWLEDGED, AlertClass.FIRE), Close(D.FALSE_ALARM, "steam"))
    assert after.condition is Condition.ACTIVE


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), ("x" * 2001, "2001 characters, at most 2000"), ("a\0b", "NUL"), ("a\ud800", "surrogate")],
)
def test_a_note_that_cannot_be_kept_is_refused_with_the_limit(text, said):
    with pytest.raises(InvalidInput, match=said):
        act(alert(), Note(text))
