"""What devices and rules say of an alert that is held: every state × hold × nature × verdict has a way."""

import itertools
from dataclasses import replace

import pytest

from firetower.alerts.flags import IMPAIRED, SECOND_SIGNAL
from firetower.alerts.judge import judge, record
from firetower.alerts.lifecycle import holds_key
from firetower.alerts.model import Alert, Condition, Hold, Method, State, Verification
from firetower.core.clock import SECOND, Micros
from firetower.devices.events import AlertClass, Event
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

T0: Micros = 1_763_800_000 * SECOND
NOW = T0 + 9 * SECOND
U, A, R, C = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.CLOSED


def said(
    kind: VerdictKind = VerdictKind.RAISE,
    at: Micros = T0 + SECOND,
    *,
    of: AlertClass = AlertClass.HAZARD,
    priority: int = 3,
    latch: bool = False,
    event: bool = False,
    flags: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(
        kind, "event:x" if event else "rule-x", 1, SubjectKind.DEVICE, "u/d", "", of, priority, latch, at, "题",
        "title", flags=flags, event=Event("u", "d", 1, "x", True, "", "", at, at, "k") if event else None,
    )  # fmt: skip


def held(
    hold: Hold,
    state: State = U,
    condition: Condition = Condition.ACTIVE,
    *,
    of: AlertClass = AlertClass.HAZARD,
    latched: bool = False,
) -> Alert:
    alert = judge(None, said(at=T0, of=of, latch=latched), T0).alert
    assert alert is not None
    why = {} if hold is Hold.NONE else {"hold_reason": "why", "held_until": T0 + 99 * SECOND, "held_by": "li"}
    cause = {"cause_id": 3} if hold is Hold.SUPPRESSED else {}
    return replace(alert, id=7, state=state, hold=hold, condition=condition, **why, **cause)


def after(alert: Alert, verdict: Verdict) -> Alert:
    outcome = judge(alert, verdict, NOW)
    assert outcome.alert is not None
    assert not outcome.began
    return outcome.alert


def reasons(alert: Alert) -> tuple[object, ...]:
    return alert.hold_reason, alert.held_until, alert.held_by, alert.cause_id


NOT_HELD = (None, None, None, None)
CLASSES = (AlertClass.HAZARD, AlertClass.OFFLINE, AlertClass.PREALARM, AlertClass.FIRE)
VERDICTS = [
    said(kind, T0 + shift * SECOND, of=of, priority=priority, latch=latch, event=event, flags=flags)
    for kind, shift, of, priority, latch, event, flags in itertools.product(
        (VerdictKind.RAISE, VerdictKind.CLEAR), (-1, 0, 1), CLASSES, (1, 3, 4), (False, True), (False, True),
        ((), ("historical",)),
    )
]  # fmt: skip


@pytest.mark.parametrize(("state", "hold"), list(itertools.product(State, Hold)))
def test_no_message_is_refused_whatever_the_state_and_the_hold_of_its_alert(state: State, hold: Hold) -> None:
    """A refusal would stop the ingest; and no fire is ever held, nothing closed is, no hold is without its reason."""
    for condition, of, latched in itertools.product(Condition, CLASSES, (False, True)):
        subject = held(Hold.NONE if of is AlertClass.FIRE else hold, state, condition, of=of, latched=latched)
        for verdict in VERDICTS:
            outcome = judge(subject, verdict, NOW)
            now = outcome.alert
            assert now is not None
            if outcome.began or now is subject:
                continue
            assert now.hold is Hold.NONE or not (now.is_fire or now.state is C)
            assert (reasons(now) == NOT_HELD) == (now.hold is Hold.NONE)
            if now.hold is not subject.hold:
                assert outcome.transition is not None
                assert outcome.transition.evidence["hold_ended"] == subject.hold
                assert now.version == subject.version + 1
        if holds_key(subject) and state is not C:
            assert record(subject, said(VerdictKind.RECORD, event=True), NOW).new is state


@pytest.mark.parametrize("hold", [Hold.SUPPRESSED, Hold.OUT_OF_SERVICE])
@pytest.mark.parametrize("state", [U, A])
def test_what_returns_while_it_is_explained_or_out_of_service_is_closed_since_nobody_waits_for_it(
    hold: Hold, state: State
) -> None:
    """A plain alert; who closed it is who said that it returned."""
    now = after(held(hold, state), said(VerdictKind.CLEAR))
    assert (now.state, now.hold, now.closed_by, now.closed_at) == (C, Hold.NONE, "rule:rule-x", NOW)
    assert reasons(now) == NOT_HELD


@pytest.mark.parametrize("hold", [Hold.SUPPRESSED, Hold.OUT_OF_SERVICE])
def test_a_latched_alert_that_returns_stays_open_and_held_until_the_hold_ends(hold: Hold) -> None:
    """A cover closed again under a permit is looked at when the permit is over, not before."""
    subject = held(hold, U, latched=True)
    now = after(subject, said(VerdictKind.CLEAR))
    assert (now.state, now.hold, now.condition) == (U, hold, Condition.NORMAL)
    assert reasons(now) == reasons(subject)


def test_an_acknowledged_alert_on_the_shelf_that_returns_leaves_it_closed() -> None:
    """Nothing closed lies on the shelf."""
    now = after(held(Hold.SHELVED, A), said(VerdictKind.CLEAR))
    assert (now.state, now.hold, now.held_until) == (C, Hold.NONE, None)


def test_alarming_again_on_the_shelf_stays_there_and_a_higher_priority_comes_off_it() -> None:
    """Shelving is of what was seen; what is worse was not seen."""
    shelved = held(Hold.SHELVED, R, Condition.NORMAL)
    again = after(shelved, said())
    assert (again.state, again.hold, again.held_until) == (U, Hold.SHELVED, shelved.held_until)
    worse = after(held(Hold.SHELVED, A), said(priority=2))
    assert (worse.state, worse.hold, worse.priority) == (U, Hold.NONE, 2)
    assert reasons(worse) == NOT_HELD


def test_what_is_explained_stays_so_when_it_grows_worse() -> None:
    """The longer silence of a point behind a silent gateway is the gateway's all the same."""
    now = after(held(Hold.SUPPRESSED, U, of=AlertClass.OFFLINE), said(of=AlertClass.OFFLINE, priority=2))
    assert (now.priority, now.hold, now.cause_id) == (2, Hold.SUPPRESSED, 3)


@pytest.mark.parametrize("hold", list(Hold))
def test_what_becomes_a_fire_is_held_no_more_and_says_when_it_was_out_of_service(hold: Hold) -> None:
    """Promise 6 and its annotation: a fire from an impaired device is raised and said to be from one."""
    now = after(held(hold, A), said(of=AlertClass.FIRE))
    assert (now.alert_class, now.state, now.hold) == (AlertClass.FIRE, U, Hold.NONE)
    assert reasons(now) == NOT_HELD
    assert (IMPAIRED in now.flags) == (hold is Hold.OUT_OF_SERVICE)


def test_what_becomes_a_prealarm_is_held_by_no_window_and_stays_on_the_shelf_only_if_it_is_no_worse() -> None:
    """Of a rulebook that was changed: windows hold no prealarm, so one that was a hazard before comes up."""
    now = after(held(Hold.OUT_OF_SERVICE, A), said(of=AlertClass.PREALARM, priority=2))
    assert (now.state, now.hold, now.flags) == (U, Hold.NONE, (IMPAIRED,))
    now = after(held(Hold.SHELVED, R, Condition.NORMAL), said(of=AlertClass.PREALARM, priority=3))
    assert (now.alert_class, now.hold) == (AlertClass.PREALARM, Hold.SHELVED)


def test_a_further_fire_event_is_to_be_verified_anew_and_what_was_forwarded_stays_so() -> None:
    """What was found out was found out of the alarm before; 119 is on its way all the same."""
    fire = judge(None, said(at=T0, of=AlertClass.FIRE, priority=1, event=True), T0).alert
    assert fire is not None
    looked_into = replace(
        fire, id=7, state=A, acknowledged_at=T0, acknowledged_by="li", verification=Verification.FALSE,
        verified_at=T0, verified_by="li", verify_method=Method.VIDEO, forwarded_at=T0, flags=(SECOND_SIGNAL,),
    )  # fmt: skip
    again = after(looked_into, said(of=AlertClass.FIRE, priority=1, event=True))
    assert again.state is U
    assert (again.verification, again.verified_at, again.verified_by, again.verify_method) == (None,) * 4
    assert (again.forwarded_at, again.flags) == (T0, ())


def test_a_further_fire_event_sounds_again_though_the_devices_clock_was_set_back() -> None:
    """An acknowledged fire, then one more dated before it: an occurrence; the same event once more is a repeat."""
    fire = judge(None, said(at=T0, of=AlertClass.FIRE, priority=1, event=True), T0).alert
    assert fire is not None
    taken_on = replace(fire, id=7, state=A, acknowledged_at=T0, acknowledged_by="li")
    earlier = after(taken_on, said(at=T0 - 180 * SECOND, of=AlertClass.FIRE, priority=1, event=True))
    assert (earlier.state, earlier.occurrences, earlier.last_event_at) == (U, 2, T0)
    same = after(taken_on, said(at=T0, of=AlertClass.FIRE, priority=1, event=True))
    assert (same.state, same.occurrences) == (A, 1)
