"""Until when somebody must have answered for a fire, exhaustively by state and verification."""

from dataclasses import replace

import pytest
from alert_making import T0, fire, hazard

from firetower.alerts.acts import decide
from firetower.alerts.ahead import Ahead
from firetower.alerts.closing import Reopen
from firetower.alerts.deadlines import HIGHEST, Due, Limits, awaited, escalate, next_due
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Deadline, State, Verification
from firetower.core.clock import HOUR, SECOND

S = SECOND
ACKED = {"state": State.ACKNOWLEDGED, "acknowledged_at": T0 + 10 * S, "acknowledged_by": "wang"}


def new(verdict, **more) -> Alert:
    alert = judge(None, verdict, T0).alert
    assert alert is not None
    return replace(alert, id=7, **more)


SHOWN = {"shown_at": T0 + S}
OUT = {"forwarded_at": T0 + 20 * S}


def due(deadline: Deadline, at: int) -> Due:
    return Due(deadline, at, Limits().of(deadline))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, due(Deadline.SHOW, T0 + 10 * S)),
        (SHOWN, due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        ({"missed": (Deadline.SHOW,)}, due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        (SHOWN | {"missed": (Deadline.ACKNOWLEDGE,)}, None),
        (SHOWN | {"alarmed_at": T0 + 40 * S}, due(Deadline.ACKNOWLEDGE, T0 + 70 * S)),
        ({"flags": ("in_test",)}, None),
        (SHOWN | {"flags": ("during_test",)}, due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        (ACKED, due(Deadline.VERIFY, T0 + 190 * S)),
        (ACKED | {"missed": (Deadline.ACKNOWLEDGE,)}, due(Deadline.VERIFY, T0 + 190 * S)),
        (ACKED | {"flags": ("in_test",)}, None),
        (ACKED | OUT, due(Deadline.RECEIPT, T0 + 23 * S)),
        (ACKED | OUT | {"flags": ("in_test",)}, due(Deadline.RECEIPT, T0 + 23 * S)),
        (ACKED | OUT | {"missed": (Deadline.RECEIPT,)}, None),
        (ACKED | OUT | {"receipted_at": T0 + 22 * S}, None),
        (SHOWN | OUT, due(Deadline.RECEIPT, T0 + 23 * S)),
        (SHOWN | OUT | {"missed": (Deadline.RECEIPT,)}, due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        (ACKED | {"verification": Verification.REAL, "verified_at": T0 + 20 * S}, None),
        (ACKED | {"verification": Verification.FALSE, "verified_at": T0 + 20 * S}, None),
        (
            ACKED | {"verification": Verification.UNVERIFIABLE, "verified_at": T0 + 20 * S},
            due(Deadline.FORWARD, T0 + 80 * S),
        ),
        (
            ACKED | {"verification": Verification.UNVERIFIABLE, "verified_at": T0 + 5 * S},
            due(Deadline.FORWARD, T0 + 70 * S),
        ),
        ({"state": State.CLOSED}, None),
        ({"state": State.CLOSED} | OUT, None),
    ],
)
def test_who_must_do_what_until_when(changes, expected):
    """10 s to show, 30 s to acknowledge, once each; 180 s to verify; 60 s to forward what is unverifiable; 3 s for the
    receipt; a test and a verdict wait for nothing, and taking a fire on again begins the time anew."""
    assert next_due(new(fire(), **changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        ({"missed": (Deadline.SHOW, Deadline.ACKNOWLEDGE)}, due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        (ACKED, due(Deadline.VERIFY, T0 + 190 * S)),
        (ACKED | OUT | {"missed": (Deadline.RECEIPT,)}, due(Deadline.RECEIPT, T0 + 23 * S)),
        (SHOWN | OUT | {"missed": (Deadline.RECEIPT,)}, due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        (ACKED | {"verification": Verification.REAL, "verified_at": T0 + 20 * S}, None),
    ],
)
def test_a_person_is_told_what_is_next_and_what_is_overdue_until_it_is_done(changes, expected):
    """What has not passed stands before what has; being shown is nobody's task."""
    assert awaited(new(fire(), **changes)) == expected


def test_the_plan_says_how_long():
    """Another limit moves the deadline, and is told with it."""
    assert next_due(new(fire(), **SHOWN), Limits(acknowledged=45 * S)) == Due(Deadline.ACKNOWLEDGE, T0 + 45 * S, 45 * S)


def test_whatever_calls_again_begins_the_time_anew_and_keeps_what_119_owes():
    """Said again, a second event, reopened: alarmed anew at its commit."""
    fired = new(fire(), **ACKED, **OUT, missed=(Deadline.SHOW, Deadline.ACKNOWLEDGE, Deadline.RECEIPT))
    again = judge(fired, fire(at=T0 + 60 * S), T0 + 62 * S).alert
    assert again is not None
    assert (again.alarmed_at, again.missed) == (T0 + 62 * S, (Deadline.RECEIPT,))
    repeated = judge(again, fire(at=T0 + 70 * S), T0 + 72 * S).alert
    assert repeated is not None
    assert repeated.alarmed_at == T0 + 62 * S, "nobody had answered: it is the same period"
    closed = replace(fired, state=State.CLOSED)
    opened, _ = decide(closed, Reopen("smoke again"), actor="li", at=T0 + 90 * S)
    assert (opened.alarmed_at, opened.missed) == (T0 + 90 * S, ())


def test_a_clock_set_back_counts_from_when_that_was_seen():
    """Not hours later; whoever looks again meanwhile does not begin again; set right, it counts as it was."""
    ahead, back = Ahead(), T0 - 8 * HOUR
    assert ahead.began(7, T0, back) == back
    assert ahead.began(7, T0, back + 20 * S) == back
    assert ahead.began(7, T0 + S, back + 20 * S) == back + 20 * S, "another period"
    assert ahead.began(7, T0, back - HOUR) == back - HOUR
    assert ahead.began(7, T0, T0) == T0
    ahead.forget(7)
    assert ahead.began(7, T0, back) == back


def test_nothing_but_a_fire_escalates():
    """A hazard nobody acknowledges falls due for nothing."""
    assert next_due(new(hazard())) is None
    assert awaited(new(hazard())) is None


def test_escalating_tells_what_is_overdue_and_calls_again_for_who_had_taken_it_on():
    """Unacknowledged it keeps its version, so that whoever acknowledges it just then is not refused; taken on, it is
    nobody's again."""
    waiting, entry = escalate(new(fire()), due(Deadline.ACKNOWLEDGE, T0 + 30 * S), T0 + 33 * S)
    assert (waiting.state, waiting.escalation, waiting.version) == (State.UNACKNOWLEDGED, 1, 1)
    assert (entry.actor, entry.reason) == ("timer", "escalated")
    assert (entry.evidence["deadline"], entry.evidence["overdue_s"]) == ("acknowledgement_overdue", 3)
    taken, entry = escalate(new(fire(), **ACKED, escalation=1), due(Deadline.VERIFY, T0 + 190 * S), T0 + 190 * S)
    assert (taken.state, taken.acknowledged_by, taken.escalation, taken.version) == ("unacknowledged", None, 2, 2)
    assert (entry.old, entry.new, entry.evidence["deadline"]) == (
        "acknowledged", "unacknowledged", "verification_overdue",
    )  # fmt: skip


def test_the_level_has_an_end():
    """A fire that escalates for weeks does not outgrow its column."""
    after, _ = escalate(new(fire(), escalation=HIGHEST), due(Deadline.ACKNOWLEDGE, T0), T0)
    assert after.escalation == HIGHEST
