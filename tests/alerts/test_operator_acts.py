"""Acknowledge, note, close, assign, shelve, reopen: what is accepted, and what each refusal tells the operator."""

import re
from dataclasses import replace

import pytest

from firetower.alerts.acts import Acknowledge, Act, Assign, Note, Shelve, Unshelve, decide
from firetower.alerts.closing import CallBack, Close, Reopen
from firetower.alerts.flags import AFTER_DRILL, AFTER_TEST, DURING_TEST, IN_DRILL, IN_TEST
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Condition, Disposition, Hold, State, Transition, Verification
from firetower.core.clock import HOUR, MINUTE, rfc3339
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


def act(subject: Alert, what: Act) -> tuple[Alert, Transition]:
    """Do what leaves one entry."""
    after, (entry,) = decide(subject, what, actor="wang", at=T0 + 5)
    return after, entry


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


FIRE = alert(State.ACKNOWLEDGED, AlertClass.FIRE)
HANDED_OVER = replace(FIRE, forwarded_at=T0 + 1, receipted_at=T0 + 2)


def test_a_real_fire_is_closed_only_after_119_has_taken_it():
    with pytest.raises(InvalidInput, match="was not forwarded to 119; verify it as real, or forward it"):
        act(FIRE, Close(D.REAL_FIRE, note="called 119"))
    with pytest.raises(InvalidInput, match="nobody at 119 has taken it; record the receipt, or the voice call"):
        act(replace(FIRE, forwarded_at=T0 + 1), Close(D.REAL_FIRE, note="called 119"))
    after, entry = act(HANDED_OVER, Close(D.REAL_FIRE, note="put out 14:20"))
    assert (after.state, after.disposition, after.closed_by) == (State.CLOSED, D.REAL_FIRE, "wang")
    assert entry.evidence == {"disposition": "real_fire", "note": "put out 14:20"}


def test_what_119_is_not_told_of_is_no_real_fire():
    with pytest.raises(InvalidInput, match=r"fault alert 7 cannot be closed as real_fire.*report the fire as one"):
        act(alert(State.ACKNOWLEDGED, AlertClass.FAULT), Close(D.REAL_FIRE))


@pytest.mark.parametrize(
    ("disposition", "verification"),
    [
        (D.REAL_FIRE, Verification.FALSE),
        (D.FALSE_ALARM, Verification.REAL),
        (D.TEST, Verification.REAL),
        (D.DRILL, Verification.REAL),
    ],
)
def test_a_verdict_that_contradicts_the_verification_is_refused_until_it_is_verified_again(disposition, verification):
    subject = replace(HANDED_OVER, verification=verification, verified_by="li")
    with pytest.raises(InvalidInput, match=f"li verified it as {verification}; verify it again first"):
        act(replace(subject, flags=(IN_TEST, IN_DRILL)), Close(disposition, "steam", call_back=CallBack("Wang", "138")))


@pytest.mark.parametrize("disposition", [D.TEST, D.DRILL])
@pytest.mark.parametrize("flag", [IN_TEST, DURING_TEST, IN_DRILL, None])
def test_a_test_or_a_drill_is_an_announced_one_or_confirmed_by_call_back(disposition, flag):
    subject = replace(FIRE, flags=() if flag is None else (flag,))
    announced = flag in ({IN_TEST, DURING_TEST} if disposition is D.TEST else {IN_DRILL})
    if announced:
        assert act(subject, Close(disposition))[0].disposition is disposition
    else:
        with pytest.raises(InvalidInput, match=f"raised in no announced {disposition}.*call_back") as refused:
            act(subject, Close(disposition, note="they say so"))
        assert refused.value.details == {"field": "call_back"}
    after, entry = act(subject, Close(disposition, call_back=CallBack(" Zhang ", "138 0000 0000")))
    assert after.state is State.CLOSED
    assert entry.evidence["call_back"] == {"person": "Zhang", "number": "138 0000 0000"}


def test_a_call_back_names_the_person_and_the_number():
    with pytest.raises(InvalidInput, match="call-back of alert 7 needs a number; say under which"):
        act(FIRE, Close(D.TEST, call_back=CallBack("Zhang", " ")))


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


def test_an_assignment_raises_the_version_once_and_changes_no_state():
    after, entry = act(alert(), Assign("li"))
    assert (after.assignee, after.state, after.version) == ("li", State.UNACKNOWLEDGED, 2)
    assert (entry.reason, entry.evidence) == ("assigned", {"to": "li"})
    assert act(after, Assign("li"))[0].version == 2
    assert act(after, Assign("zhao"))[1].evidence == {"to": "zhao", "from": "li"}


def test_shelving_ends_at_an_instant_and_takes_the_alert_on():
    after, entry = act(alert(), Shelve(T0 + 5 + HOUR, " waiting for the spare part "))
    assert (after.state, after.acknowledged_by, after.version) == (State.ACKNOWLEDGED, "wang", 2)
    assert (after.hold, after.held_until, after.held_by, after.hold_reason) == (
        Hold.SHELVED,
        T0 + 5 + HOUR,
        "wang",
        "waiting for the spare part",
    )
    assert entry.reason == "shelved"
    assert entry.evidence["reason"] == "waiting for the spare part"


def test_unshelving_puts_it_back_and_its_history_keeps_why_it_lay_there():
    shelved, _ = act(alert(), Shelve(T0 + 5 + HOUR, "spare part"))
    after, entry = act(shelved, Unshelve())
    assert (after.hold, after.held_until, after.held_by, after.hold_reason) == (Hold.NONE, None, None, None)
    assert after.state is State.ACKNOWLEDGED
    assert (entry.reason, entry.evidence["hold_reason"], entry.evidence["held_by"]) == (
        "unshelved",
        "spare part",
        "wang",
    )


@pytest.mark.parametrize("away", [-HOUR, 0, MINUTE - 1, 24 * HOUR + 1])
def test_nothing_is_shelved_for_less_than_a_minute_or_more_than_a_day(away):
    with pytest.raises(InvalidInput, match="shelved for 1 minute to 24 hours; choose an instant between") as refused:
        act(alert(), Shelve(T0 + 5 + away, "x"))
    assert refused.value.details == {"field": "until"}
    for most in (MINUTE, 24 * HOUR):
        assert act(alert(), Shelve(T0 + 5 + most, "x"))[0].hold is Hold.SHELVED


def test_shelving_says_why():
    with pytest.raises(InvalidInput, match="shelving alert 7 needs a reason"):
        act(alert(), Shelve(T0 + HOUR, " "))


@pytest.mark.parametrize("state", [State.UNACKNOWLEDGED, State.ACKNOWLEDGED])
def test_a_fire_is_never_shelved(state):
    with pytest.raises(Conflict, match="a fire is never shelved"):
        act(alert(state, AlertClass.FIRE), Shelve(T0 + HOUR, "x"))


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (
            {"hold": Hold.SUPPRESSED, "hold_reason": "cause:355", "cause_id": 355},
            "for alert 355 explains it; it comes back by itself minutes after alert 355 is over",
        ),
        (
            {"hold": Hold.SUPPRESSED, "hold_reason": "cause:355", "cause_id": 355, "held_until": T0},
            f"for alert 355 explains it; it comes back by itself at {rfc3339(T0)}",
        ),
        (
            {"hold": Hold.OUT_OF_SERVICE, "hold_reason": "maintenance: pump work", "held_until": T0},
            f"for maintenance: pump work; it comes back by itself at {rfc3339(T0)}",
        ),
    ],
)
def test_what_is_held_by_something_else_is_not_shelved_and_the_refusal_says_when_it_comes_back(held, told):
    subject = replace(alert(), **held)
    with pytest.raises(Conflict, match=f"it is out of the queue already, {re.escape(told)}$"):
        act(subject, Shelve(T0 + HOUR, "x"))


def test_closing_ends_any_hold():
    shelved, _ = act(alert(), Shelve(T0 + HOUR, "spare part"))
    after, entry = act(shelved, Close(D.HAZARD_FIXED))
    assert (after.state, after.hold, after.held_until, after.hold_reason) == (State.CLOSED, Hold.NONE, None, None)
    assert entry.evidence["hold"] == "shelved"


def test_reopening_forgets_the_verdict_and_the_history_keeps_it():
    looked_into = replace(HANDED_OVER, verification=Verification.REAL, verified_at=T0, verified_by="li")
    closed, _ = act(looked_into, Close(D.REAL_FIRE))
    after, entry = act(closed, Reopen("119 found nothing, the smoke is next door"))
    assert (after.state, after.version) == (State.UNACKNOWLEDGED, closed.version + 1)
    for name in (
        "disposition",
        "cause",
        "closed_at",
        "closed_by",
        "acknowledged_at",
        "acknowledged_by",
        "verification",
        "verified_at",
        "verified_by",
        "verify_method",
        "forwarded_at",
        "receipted_at",
    ):
        assert getattr(after, name) is None, name
    assert entry.reason == "reopened"
    assert {
        "reason": "119 found nothing, the smoke is next door",
        "disposition": "real_fire",
        "verification": "real",
        "closed_by": "wang",
    }.items() <= entry.evidence.items()
    assert {"forwarded_at", "receipted_at"} <= entry.evidence.keys()


@pytest.mark.parametrize("state", [State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED])
def test_only_what_is_closed_is_reopened(state):
    with pytest.raises(Conflict, match="it is open; act on it as it stands"):
        act(alert(state), Reopen("x"))


@pytest.mark.parametrize(
    ("disposition", "word"),
    [(D.TEST, IN_TEST), (D.TEST, DURING_TEST), (D.TEST, AFTER_TEST), (D.DRILL, IN_DRILL), (D.DRILL, AFTER_DRILL)],
)
def test_what_is_reopened_is_in_no_test_or_drill_any_more(disposition, word):
    """That it was one was the wrong verdict: it sounds as real, and to close it as one takes a call-back."""
    taken = replace(FIRE, flags=("late", word), window_id=4)
    closed, _ = act(taken, Close(disposition))
    opened, _ = act(closed, Reopen("it was none of it"))
    assert (opened.flags, opened.window_id) == (("late",), 4)
    with pytest.raises(InvalidInput, match="call_back"):
        act(act(opened, Acknowledge())[0], Close(disposition))


def test_reopening_says_why():
    with pytest.raises(InvalidInput, match="reopening alert 7 needs a reason"):
        act(alert(State.CLOSED), Reopen(""))


def test_late_evidence_that_began_closed_can_be_reopened_and_closed_again():
    late = replace(alert(State.CLOSED), condition=Condition.NORMAL, flags=("historical",))
    opened, _ = act(late, Reopen("the hydrant was opened by thieves"))
    taken, _ = act(opened, Acknowledge())
    assert taken.state is State.ACKNOWLEDGED
    assert act(taken, Close(None))[0].state is State.CLOSED
