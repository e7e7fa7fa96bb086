"""Until when somebody must have answered for a fire, exhaustively by state and verification."""

from dataclasses import replace

import pytest
from alert_making import T0, fire, hazard

from firetower.alerts.deadlines import HIGHEST, Deadline, Due, escalate, next_due
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, State, Verification
from firetower.core.clock import SECOND

S = SECOND
ACKED = {"state": State.ACKNOWLEDGED, "acknowledged_at": T0 + 10 * S, "acknowledged_by": "wang"}


def new(verdict, **more) -> Alert:
    alert = judge(None, verdict, T0).alert
    assert alert is not None
    return replace(alert, id=7, **more)


@pytest.mark.parametrize(
    ("changes", "escalated", "expected"),
    [
        ({}, False, Due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        ({}, True, None),
        ({"flags": ("in_test",)}, False, None),
        ({"flags": ("during_test",)}, False, Due(Deadline.ACKNOWLEDGE, T0 + 30 * S)),
        (ACKED, False, Due(Deadline.VERIFY, T0 + 190 * S)),
        (ACKED, True, Due(Deadline.VERIFY, T0 + 190 * S)),
        (ACKED | {"flags": ("in_test",)}, False, None),
        (ACKED | {"forwarded_at": T0 + 20 * S}, False, None),
        (ACKED | {"verification": Verification.REAL, "verified_at": T0 + 20 * S}, False, None),
        (ACKED | {"verification": Verification.FALSE, "verified_at": T0 + 20 * S}, False, None),
        (
            ACKED | {"verification": Verification.UNVERIFIABLE, "verified_at": T0 + 20 * S},
            False,
            Due(Deadline.FORWARD, T0 + 80 * S),
        ),
        (
            ACKED | {"verification": Verification.UNVERIFIABLE, "verified_at": T0 + 5 * S},
            False,
            Due(Deadline.FORWARD, T0 + 70 * S),
        ),
        (
            ACKED | {"verification": Verification.UNVERIFIABLE, "verified_at": T0 + 20 * S, "forwarded_at": T0 + 9 * S},
            False,
            None,
        ),
        ({"state": State.CLOSED}, False, None),
    ],
)
def test_who_must_do_what_until_when(changes, escalated, expected):
    """30 s to acknowledge, once; 180 s to verify; 60 s to forward what is unverifiable; a test and a verdict wait for
    nothing, and taking a fire on again begins the time anew."""
    assert next_due(new(fire(), **changes), alarmed_at=T0, escalated=escalated) == expected


def test_nothing_but_a_fire_escalates():
    """A hazard nobody acknowledges falls due for nothing."""
    assert next_due(new(hazard()), alarmed_at=T0, escalated=False) is None


def test_escalating_tells_what_is_overdue_and_calls_again_for_who_had_taken_it_on():
    """Unacknowledged it keeps its version, so that whoever acknowledges it just then is not refused; taken on, it is
    nobody's again."""
    waiting, entry = escalate(new(fire()), Due(Deadline.ACKNOWLEDGE, T0 + 30 * S), T0 + 33 * S)
    assert (waiting.state, waiting.escalation, waiting.version) == (State.UNACKNOWLEDGED, 1, 1)
    assert (entry.actor, entry.reason) == ("timer", "escalated")
    assert (entry.evidence["deadline"], entry.evidence["overdue_s"]) == ("acknowledgement_overdue", 3)
    taken, entry = escalate(new(fire(), **ACKED, escalation=1), Due(Deadline.VERIFY, T0 + 190 * S), T0 + 190 * S)
    assert (taken.state, taken.acknowledged_by, taken.escalation, taken.version) == ("unacknowledged", None, 2, 2)
    assert (entry.old, entry.new, entry.evidence["deadline"]) == (
        "acknowledged", "unacknowledged", "verification_overdue",
    )  # fmt: skip


def test_the_level_has_an_end():
    """A fire that escalates for weeks does not outgrow its column."""
    after, _ = escalate(new(fire(), escalation=HIGHEST), Due(Deadline.ACKNOWLEDGE, T0), T0)
    assert after.escalation == HIGHEST
