"""Whatever devices, rules and operators say and do, in any order: a fire is a fire until a person says otherwise."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.alerts.acts import Acknowledge, Act, Assign, Note, Shelve, Unshelve, decide
from firetower.alerts.closing import CallBack, Close, Reopen
from firetower.alerts.judge import judge
from firetower.alerts.lifecycle import holds_key
from firetower.alerts.model import Alert, Condition, Disposition, Hold, Method, State, Transition, Verification
from firetower.alerts.verification import Channel, Forward, Receipt, Verify
from firetower.core.clock import HOUR, SECOND
from firetower.core.errors import Conflict, InvalidInput
from firetower.devices.events import AlertClass, Event
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

T0 = 1_763_800_000 * SECOND


def _verdict(kind, alert_class, priority, latch, from_event, at, suppressed) -> Verdict:
    said = Event("u", "d", 1, "x", True, "", "", at, at, str(at)) if from_event else None
    return Verdict(
        kind, "r", 1, SubjectKind.DEVICE, "u/d", "", alert_class, priority, latch, at, "题", "title", event=said,
        suppressed=suppressed,
    )  # fmt: skip


VERDICTS = st.builds(
    _verdict,
    st.sampled_from([VerdictKind.RAISE, VerdictKind.RAISE, VerdictKind.CLEAR]),
    st.sampled_from([AlertClass.FIRE, AlertClass.FIRE, AlertClass.PREALARM, AlertClass.HAZARD]),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.integers(0, 40).map(lambda s: T0 + s * SECOND),
    st.sampled_from(["", "", "rule:panel-impaired"]),
)
ACTS = st.one_of(
    st.just(Acknowledge()),
    st.just(Note("seen")),
    st.just(Assign("li")),
    st.just(Shelve(T0 + 2 * HOUR, "spare part")),
    st.just(Unshelve()),
    st.just(Reopen("wrong")),
    st.booleans().map(Forward),
    st.just(Receipt("Zhang", Channel.VOICE, "rec-71")),
    st.builds(Verify, st.sampled_from(Verification), st.sampled_from(Method), st.just("Liu"), st.just("steam")),
    st.builds(
        Close,
        st.sampled_from([None, *Disposition]),
        st.sampled_from([None, "steam"]),
        call_back=st.sampled_from([None, CallBack("Liu", "138")]),
    ),
)


@settings(max_examples=200)
@given(VERDICTS, st.lists(st.one_of(VERDICTS, ACTS, ACTS), min_size=15, max_size=30))
def test_no_life_gives_a_fire_a_hold_a_lower_class_or_an_end_without_a_persons_verdict(first, life):
    alert = None
    for number, said in enumerate([first, *life]):
        at = T0 + HOUR + number * SECOND
        if isinstance(said, Verdict):
            outcome = judge(alert, said, at)
            if outcome.alert is None:
                continue
            after = replace(outcome.alert, id=outcome.alert.id or number + 1)
            if outcome.began and alert is not None:
                assert not holds_key(outcome.ended or alert)
            elif alert is not None:
                _check(alert, after, [outcome.transition] if outcome.transition else [], None)
        elif alert is None:
            continue
        else:
            try:
                after, entries = decide(alert, said, actor="wang", at=at)
            except (Conflict, InvalidInput):
                continue
            _check(alert, after, list(entries), said)
        _check_one(after)
        alert = after


def _check(before: Alert, after: Alert, entries: list[Transition], act: Act | None) -> None:
    if before.is_fire:
        assert after.is_fire
        assert after.latched
        if after.state is State.CLOSED and before.state is not State.CLOSED:
            assert isinstance(act, Close)
            assert before.state is State.ACKNOWLEDGED
            assert after.disposition not in {None, Disposition.UNKNOWN}
            assert after.closed_by == "wang"
    if before.state is State.CLOSED and after.state is not State.CLOSED:
        assert isinstance(act, Reopen), "only a person opens again what was closed"
    if after.state is not before.state:
        assert after.version > before.version
        assert entries, "a change of state is in the history"
    states = [before.state, *(state for entry in entries for state in (entry.old, entry.new)), after.state]
    assert states[0::2] == states[1::2], "each entry begins where the one before it ended"


def _check_one(alert: Alert) -> None:
    if alert.is_fire:
        assert (alert.priority, alert.hold) == (1, Hold.NONE)
    if alert.hold is Hold.SUPPRESSED:
        assert alert.alert_class is AlertClass.HAZARD
        assert alert.hold_reason == "rule:panel-impaired"
        assert alert.condition is Condition.ACTIVE, "what is suppressed by design ends, or comes up, as it returns"
    if alert.hold is Hold.SHELVED:
        assert alert.held_until is not None
        assert alert.state is not State.CLOSED
    if alert.state is State.CLOSED:
        assert alert.closed_at is not None
    if alert.disposition is Disposition.REAL_FIRE:
        assert alert.receipted_at is not None
