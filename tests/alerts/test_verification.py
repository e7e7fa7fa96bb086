"""Verifying, forwarding and the receipt: what each does to the alert, its clocks and its history."""

from dataclasses import replace

import pytest

from firetower.alerts import flags
from firetower.alerts.acts import Act, Note, Shelve, decide
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Condition, Hold, Method, State, Verification
from firetower.alerts.verification import Channel, Forward, Receipt, Verify
from firetower.core.clock import HOUR
from firetower.core.errors import Conflict, InvalidInput
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

T0 = 1_763_800_000_000_000
NOW = T0 + 5
REAL, FALSE, UNVERIFIABLE = Verification.REAL, Verification.FALSE, Verification.UNVERIFIABLE


def alert(kind=AlertClass.FIRE, state=State.UNACKNOWLEDGED, *, latched=False) -> Alert:
    said = Verdict(
        VerdictKind.RAISE, "r", 1, SubjectKind.DEVICE, "u/d", "", kind, 3, latched, T0, "题", "title"
    )  # fmt: skip
    new = judge(None, said, T0).alert
    assert new is not None
    normal = state is State.RETURNED
    return replace(new, id=7, state=state, condition=Condition.NORMAL if normal else Condition.ACTIVE)


def act(subject: Alert, what: Act):
    return decide(subject, what, actor="wang", at=NOW)


def test_a_fire_that_is_real_is_acknowledged_verified_and_forwarded_in_one_act():
    after, entries = act(alert(), Verify(REAL, Method.PHONE, "caretaker Liu"))
    assert (after.state, after.acknowledged_by, after.acknowledged_at, after.version) == (
        State.ACKNOWLEDGED,
        "wang",
        NOW,
        2,
    )
    assert (after.verification, after.verified_at, after.verified_by, after.verify_method) == (
        REAL,
        NOW,
        "wang",
        Method.PHONE,
    )
    assert (after.forwarded_at, after.disposition, after.receipted_at) == (NOW, None, None)
    assert [(entry.old, entry.new, entry.reason) for entry in entries] == [
        (State.UNACKNOWLEDGED, State.ACKNOWLEDGED, "verified"),
        (State.ACKNOWLEDGED, State.ACKNOWLEDGED, "forwarded"),
    ]
    assert entries[0].evidence == {"result": "real", "method": "phone", "person": "caretaker Liu"}


def test_who_acknowledged_first_stays_named():
    taken = replace(alert(state=State.ACKNOWLEDGED), acknowledged_at=T0, acknowledged_by="li")
    after, _ = act(taken, Verify(UNVERIFIABLE, Method.VIDEO))
    assert (after.acknowledged_by, after.acknowledged_at, after.verified_by) == ("li", T0, "wang")


@pytest.mark.parametrize("state", [State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED])
def test_a_prealarm_that_is_real_is_a_fire_held_by_nothing_and_forwarded(state):
    suspected = replace(
        alert(AlertClass.PREALARM, state), hold=Hold.SHELVED, held_until=T0 + HOUR, held_by="li", hold_reason="x"
    )
    after, entries = act(suspected, Verify(REAL, Method.VIDEO))
    assert (after.alert_class, after.priority, after.latched, after.hold) == (AlertClass.FIRE, 1, True, Hold.NONE)
    assert (after.held_until, after.held_by, after.hold_reason) == (None, None, None)
    assert (after.state, after.forwarded_at) == (State.ACKNOWLEDGED, NOW)
    assert [entry.reason for entry in entries] == ["verified", "forwarded"]
    assert entries[0].evidence["class"] == "fire"
    with pytest.raises(Conflict, match="a fire is never shelved"):
        act(after, Shelve(NOW + HOUR, "x"))


def test_a_hazard_that_is_real_stays_a_hazard_and_is_not_forwarded_by_itself():
    after, entries = act(alert(AlertClass.HAZARD), Verify(REAL, Method.ON_SITE, "patrol 3"))
    assert (after.alert_class, after.forwarded_at, len(entries)) == (AlertClass.HAZARD, None, 1)


def test_a_false_one_is_neither_forwarded_nor_disposed_of():
    after, (entry,) = act(alert(), Verify(FALSE, Method.PHONE, "Liu", "steam"))
    assert (after.verification, after.forwarded_at, after.disposition, after.state) == (
        FALSE,
        None,
        None,
        State.ACKNOWLEDGED,
    )
    assert entry.evidence == {"result": "false", "method": "phone", "person": "Liu", "cause": "steam"}


def test_an_unverifiable_fire_escalates_and_whoever_is_at_it_stays_at_it():
    after, entries = act(alert(), Verify(UNVERIFIABLE, Method.VIDEO))
    assert (after.escalation, after.state, after.version) == (1, State.ACKNOWLEDGED, 2)
    assert [entry.reason for entry in entries] == ["verified", "escalated"]
    assert entries[1].evidence["reason"] == "unverifiable"
    hazard, (only,) = act(alert(AlertClass.HAZARD), Verify(UNVERIFIABLE, Method.VIDEO))
    assert (hazard.escalation, only.reason) == (0, "verified")


@pytest.mark.parametrize("method", [Method.PHONE, Method.ON_SITE])
@pytest.mark.parametrize("person", [None, "  "])
def test_a_call_or_a_visit_names_its_person(method, person):
    with pytest.raises(InvalidInput, match=f"verifying alert 7 by {method} needs a person") as refused:
        act(alert(), Verify(REAL, method, person))
    assert refused.value.details == {"field": "person"}


def test_a_false_one_names_its_cause():
    with pytest.raises(InvalidInput, match="verifying alert 7 as false needs a cause") as refused:
        act(alert(), Verify(FALSE, Method.VIDEO))
    assert refused.value.details == {"field": "cause"}


def test_a_real_one_verified_again_is_not_forwarded_twice():
    first, _ = act(alert(), Verify(REAL, Method.VIDEO))
    again, entries = decide(first, Verify(REAL, Method.ON_SITE, "Liu"), actor="li", at=NOW + 9)
    assert (again.forwarded_at, again.verified_by, len(entries)) == (NOW, "li", 1)


def test_what_was_false_and_burns_after_all_is_verified_again_and_forwarded():
    first, _ = act(alert(), Verify(FALSE, Method.PHONE, "Liu", "steam"))
    after, entries = act(first, Verify(REAL, Method.VIDEO))
    assert (after.verification, after.forwarded_at) == (REAL, NOW)
    assert [entry.reason for entry in entries] == ["verified", "forwarded"]


@pytest.mark.parametrize("kind", list(AlertClass))
def test_119_is_told_of_what_may_be_a_fire_and_of_nothing_else(kind):
    subject = alert(kind)
    if kind in {AlertClass.FIRE, AlertClass.PREALARM, AlertClass.HAZARD, AlertClass.UNREADABLE}:
        after, (entry,) = act(subject, Forward(unverified=True))
        assert (after.forwarded_at, after.state, after.acknowledged_by) == (NOW, State.ACKNOWLEDGED, "wang")
        assert after.latched, "what 119 was told of closes only with a disposition"
        assert entry.evidence == {"unverified": True}
    else:
        with pytest.raises(InvalidInput, match=f"{kind} alert 7 is nothing 119 is told of"):
            act(subject, Forward(unverified=True))


def test_forwarding_what_has_returned_keeps_it_open():
    after, _ = act(alert(AlertClass.HAZARD, State.RETURNED), Forward(unverified=True))
    assert (after.state, after.latched) == (State.ACKNOWLEDGED, True)


@pytest.mark.parametrize("verification", [None, UNVERIFIABLE])
def test_what_is_not_verified_as_real_is_forwarded_only_when_that_is_said(verification):
    subject = replace(alert(), verification=verification)
    with pytest.raises(InvalidInput, match="not verified as real; verify it, or forward it all the same") as refused:
        act(subject, Forward())
    assert refused.value.details == {"field": "unverified"}
    _, (entry,) = act(subject, Forward(unverified=True))
    assert entry.evidence["unverified"] is True


def test_what_is_real_is_forwarded_without_more():
    subject = replace(alert(AlertClass.HAZARD), verification=REAL)
    assert act(subject, Forward())[1][0].evidence == {"verification": "real"}


@pytest.mark.parametrize("unverified", [False, True])
def test_what_is_false_is_not_forwarded(unverified):
    subject = replace(alert(), verification=FALSE, verified_by="li")
    with pytest.raises(Conflict, match="verified as false by li; verify it again first"):
        act(subject, Forward(unverified))


def test_forwarding_twice_is_a_conflict_that_says_when_it_was():
    first, _ = act(alert(), Forward(unverified=True))
    with pytest.raises(Conflict, match=r"was forwarded at 2025-11-22T08:26:40.*record who took it") as refused:
        act(first, Forward(unverified=True))
    assert refused.value.current is first


def test_a_receipt_says_who_took_it_and_the_first_one_sets_the_clock():
    forwarded, _ = act(alert(), Forward(unverified=True))
    after, (entry,) = act(forwarded, Receipt(" desk 4, Zhang ", Channel.VOICE, "rec-0071"))
    assert (after.receipted_at, after.state, after.version) == (NOW, State.ACKNOWLEDGED, 3)
    assert entry.evidence == {"person": "desk 4, Zhang", "channel": "voice", "reference": "rec-0071"}
    later, _ = decide(after, Receipt("Chen", Channel.INTERFACE), actor="li", at=NOW + 9)
    assert later.receipted_at == NOW


def test_there_is_no_receipt_of_what_was_not_forwarded():
    with pytest.raises(Conflict, match="was not forwarded; forward it first"):
        act(alert(), Receipt("Zhang", Channel.VOICE, "rec-0071"))


def test_a_receipt_names_its_person():
    forwarded, _ = act(alert(), Forward(unverified=True))
    with pytest.raises(InvalidInput, match="needs a person; name who at 119 took it"):
        act(forwarded, Receipt(" ", Channel.VOICE, "rec-0071"))


def test_a_receipt_by_voice_names_its_recording_and_one_by_the_interface_need_not():
    forwarded, _ = act(alert(), Forward(unverified=True))
    for nothing in (None, " "):
        with pytest.raises(
            InvalidInput, match="by voice needs a reference; give the number of the call's recording"
        ) as no:
            act(forwarded, Receipt("Zhang", Channel.VOICE, nothing))
        assert no.value.details == {"field": "reference"}
    assert act(forwarded, Receipt("Zhang", Channel.INTERFACE))[0].receipted_at == NOW


@pytest.mark.parametrize(
    "what",
    [Verify(REAL, Method.VIDEO), Forward(unverified=True), Receipt("Zhang", Channel.VOICE)],
)
def test_what_is_closed_is_reopened_first(what):
    closed = replace(alert(state=State.CLOSED), closed_by="li")
    with pytest.raises(Conflict, match="closed by li and takes only notes; reopen it"):
        act(closed, what)
    assert act(closed, Note("x"))[0] is closed


@pytest.mark.parametrize("words", ["x" * 101, "a\0b"])
def test_a_name_that_cannot_be_kept_is_refused(words):
    with pytest.raises(InvalidInput, match=r"person ha|person holds"):
        act(alert(), Verify(REAL, Method.PHONE, words))


def test_what_a_person_found_real_is_in_test_no_more():
    """It sounds as real, also when it says fire again; the other verdicts leave it in its test."""
    tested = replace(alert(), flags=("late", flags.IN_TEST), window_id=4)
    after, _ = act(tested, Verify(REAL, Method.VIDEO))
    assert (after.flags, after.window_id) == (("late", flags.DURING_TEST), 4)
    assert act(tested, Verify(UNVERIFIABLE, Method.VIDEO))[0].flags == tested.flags
    assert act(tested, Verify(FALSE, Method.VIDEO, cause="steam"))[0].flags == tested.flags
