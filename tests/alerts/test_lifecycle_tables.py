"""The tables of the lifecycle, exhausted: every state × trigger × nature, and every hold × trigger."""

import itertools
from dataclasses import replace

import pytest

from firetower.alerts.judge import judge
from firetower.alerts.lifecycle import (
    ACTS,
    FIRE,
    HOLDS,
    LATCHED,
    PLAIN,
    Trigger,
    following,
    hold_after,
    table_of,
)
from firetower.alerts.model import Alert, Hold, State
from firetower.core.errors import Conflict
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

U, A, R, C = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.CLOSED
T = Trigger
T0 = 1_763_800_000_000_000
REFUSED = (None, None, None)


def alert(state: State, *, fire: bool = False, latched: bool = False, hold: Hold = Hold.NONE) -> Alert:
    kind = AlertClass.FIRE if fire else AlertClass.HAZARD
    said = Verdict(
        VerdictKind.RAISE, "r", 1, SubjectKind.DEVICE, "u/d", "", kind, 3, latched, T0, "题", "title"
    )  # fmt: skip
    new = judge(None, said, T0).alert
    assert new is not None
    return replace(new, id=7, state=state, hold=hold)


# What the tables must say, written a second time and by nature, independently of how they are built.
EXPECTED = {
    #               plain, latched, fire; None: refused
    (U, T.REPEATS): (U, U, U),
    (U, T.EASES): REFUSED,
    (U, T.RISES): (U, U, U),
    (U, T.OCCURS): (None, None, U),
    (U, T.RETURNS): (R, U, U),
    (U, T.SUCCEEDED): REFUSED,
    (U, T.LATE_EVIDENCE): (U, U, U),
    (U, T.RECORDED): (U, U, U),
    (U, T.RETURNS_HELD): (C, None, None),
    (U, T.ESCALATES): (None, None, U),
    (U, T.OVERRULED): (None, None, U),
    (U, T.SUPPRESSED): (U, U, None),
    (U, T.OUT_OF_SERVICE): (U, U, None),
    (U, T.RELEASED): (U, U, None),
    (U, T.RELEASED_NORMAL): (C, U, None),
    (U, T.ACKNOWLEDGE): (A, A, A),
    (U, T.VERIFY): (A, A, A),
    (U, T.FORWARD): (A, A, A),
    (U, T.RECEIPT): (U, U, U),
    (U, T.FOLLOW_UP): (U, U, U),
    (U, T.CANCEL): (U, U, U),
    (U, T.ASSIGN): (U, U, U),
    (U, T.SHELVE): (A, A, None),
    (U, T.UNSHELVE): (U, U, None),
    (U, T.NOTE): (U, U, U),
    (U, T.CLOSE): (C, C, None),
    (U, T.REOPEN): REFUSED,
    (A, T.REPEATS): (A, A, A),
    (A, T.EASES): (A, A, A),
    (A, T.RISES): (U, U, U),
    (A, T.OCCURS): (U, U, U),
    (A, T.RETURNS): (C, A, A),
    (A, T.SUCCEEDED): REFUSED,
    (A, T.LATE_EVIDENCE): (A, A, A),
    (A, T.RECORDED): (A, A, A),
    (A, T.RETURNS_HELD): (C, None, None),
    (A, T.ESCALATES): (None, None, U),
    (A, T.OVERRULED): (None, None, U),
    (A, T.SUPPRESSED): (A, A, None),
    (A, T.OUT_OF_SERVICE): (A, A, None),
    (A, T.RELEASED): (U, U, None),
    (A, T.RELEASED_NORMAL): (C, U, None),
    (A, T.ACKNOWLEDGE): REFUSED,
    (A, T.VERIFY): (A, A, A),
    (A, T.FORWARD): (A, A, A),
    (A, T.RECEIPT): (A, A, A),
    (A, T.FOLLOW_UP): (A, A, A),
    (A, T.CANCEL): (A, A, A),
    (A, T.ASSIGN): (A, A, A),
    (A, T.SHELVE): (A, A, None),
    (A, T.UNSHELVE): (A, A, None),
    (A, T.NOTE): (A, A, A),
    (A, T.CLOSE): (C, C, C),
    (A, T.REOPEN): REFUSED,
    (R, T.REPEATS): (R, R, R),
    (R, T.EASES): REFUSED,
    (R, T.RISES): (U, U, U),
    (R, T.OCCURS): (U, U, U),
    (R, T.RETURNS): (R, R, R),
    (R, T.SUCCEEDED): REFUSED,
    (R, T.LATE_EVIDENCE): (R, R, R),
    (R, T.RECORDED): (R, R, R),
    (R, T.RETURNS_HELD): (C, None, None),
    (R, T.ESCALATES): (None, None, U),
    (R, T.OVERRULED): (None, None, U),
    (R, T.SUPPRESSED): (R, R, None),
    (R, T.OUT_OF_SERVICE): (R, R, None),
    (R, T.RELEASED): (U, U, None),
    (R, T.RELEASED_NORMAL): (C, R, None),
    (R, T.ACKNOWLEDGE): (C, A, A),
    (R, T.VERIFY): (R, A, A),
    (R, T.FORWARD): (A, A, A),
    (R, T.RECEIPT): (R, R, R),
    (R, T.FOLLOW_UP): (R, R, R),
    (R, T.CANCEL): (R, R, R),
    (R, T.ASSIGN): (R, R, R),
    (R, T.SHELVE): REFUSED,
    (R, T.UNSHELVE): (R, R, None),
    (R, T.NOTE): (R, R, R),
    (R, T.CLOSE): (C, C, None),
    (R, T.REOPEN): REFUSED,
    **{(C, trigger): REFUSED for trigger in Trigger},
    (C, T.REPEATS): (C, C, C),
    (C, T.RETURNS): (C, C, C),
    (C, T.SUCCEEDED): (C, C, C),
    (C, T.LATE_EVIDENCE): (C, C, C),
    (C, T.NOTE): (C, C, C),
    (C, T.FOLLOW_UP): (C, C, C),
    (C, T.REOPEN): (U, U, U),
}

_ENDS = {T.RELEASED, T.RELEASED_NORMAL, T.RETURNS_HELD, T.CLOSE, T.REOPEN, T.FORWARD}
EXPECTED_HOLDS = {
    Hold.NONE: {T.SHELVE: Hold.SHELVED, T.SUPPRESSED: Hold.SUPPRESSED, T.OUT_OF_SERVICE: Hold.OUT_OF_SERVICE},
    Hold.SHELVED: {T.UNSHELVE: Hold.NONE, T.RISES: Hold.NONE, T.OUT_OF_SERVICE: Hold.OUT_OF_SERVICE},
    Hold.SUPPRESSED: {T.OUT_OF_SERVICE: Hold.OUT_OF_SERVICE},
    Hold.OUT_OF_SERVICE: {},
}
REFUSED_HOLDS = {
    (Hold.NONE, T.UNSHELVE),
    *itertools.product([Hold.SUPPRESSED, Hold.OUT_OF_SERVICE], [T.SHELVE, T.UNSHELVE]),
}


def test_the_expectation_covers_every_state_and_every_trigger():
    assert set(EXPECTED) == set(itertools.product(State, Trigger))


@pytest.mark.parametrize("nature", [0, 1, 2], ids=["plain", "latched", "fire"])
@pytest.mark.parametrize(("state", "trigger"), list(itertools.product(State, Trigger)))
def test_every_state_and_trigger_leads_where_the_contract_says_or_is_refused_naming_both(state, trigger, nature):
    subject = alert(state, latched=nature > 0, fire=nature == 2)
    assert table_of(subject) is (PLAIN, LATCHED, FIRE)[nature]
    expected = EXPECTED[state, trigger][nature]
    if expected is not None:
        assert following(subject, trigger) is expected
        return
    with pytest.raises(Conflict) as refused:
        following(subject, trigger)
    assert str(state) in str(refused.value)
    assert str(trigger) in str(refused.value)
    assert refused.value.current is subject


@pytest.mark.parametrize(("hold", "trigger"), list(itertools.product(Hold, Trigger)))
def test_every_hold_and_trigger_leads_where_the_contract_says_or_is_refused_naming_it(hold, trigger):
    subject = replace(alert(A, hold=hold), hold_reason="cause:3")
    if (hold, trigger) in REFUSED_HOLDS:
        with pytest.raises(Conflict, match=str(trigger)) as refused:
            hold_after(subject, trigger)
        assert str(hold) in str(refused.value)
        assert refused.value.current is subject
        return
    expected = Hold.NONE if trigger in _ENDS else EXPECTED_HOLDS[hold].get(trigger, hold)
    assert hold_after(subject, trigger) is expected


def test_no_table_of_holds_leads_anywhere_for_a_trigger_that_a_fire_knows_but_back_into_view():
    """What is said or done of a fire can only end a hold; whatever begins one is not in the table of fires."""
    of_fires = {trigger for _, trigger in FIRE}
    for (hold, trigger), after in HOLDS.items():
        if trigger in of_fires:
            assert after is Hold.NONE, (hold, trigger)


def test_only_a_person_closes_a_fire():
    assert {trigger for (state, trigger), after in FIRE.items() if after is C and state is not C} == {T.CLOSE}
    assert T.CLOSE in ACTS


@pytest.mark.parametrize("state", [U, A, R])
def test_a_refusal_names_what_a_person_can_do_instead(state):
    with pytest.raises(Conflict, match=r"possible: a(cknowledge|ssign)") as refused:
        following(alert(state, fire=True), T.RELEASED)
    named = str(refused.value).partition("possible: ")[2].split(", ")
    assert named == sorted(act for act in ACTS if (state, act) in FIRE)
