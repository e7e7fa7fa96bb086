"""Suppressed by design 设计抑制: raised all the same, out of the queue with a reason, back by itself; never a fire."""

from dataclasses import replace
from typing import Any

import pytest

from firetower.alerts.acts import Shelve, decide
from firetower.alerts.circumstances import Circumstances, raised_under
from firetower.alerts.holds import enter, leave
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.alerts.provisional import ProvisionalBoard
from firetower.alerts.windows import Window, WindowKind
from firetower.core.clock import HOUR, SECOND, ManualClock, Micros
from firetower.core.errors import Conflict
from firetower.devices.events import AlertClass
from firetower.devices.registry import Registry
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

T0: Micros = 1_763_800_000 * SECOND
WHY = "rule:panel-impaired"
RAISE, CLEAR = VerdictKind.RAISE, VerdictKind.CLEAR


def said(kind: VerdictKind = RAISE, seconds: int = 0, *, of: AlertClass = AlertClass.HAZARD, **more: Any) -> Verdict:
    fields: dict[str, Any] = {"priority": 3, "latch": False, "suppressed": WHY} | more
    return Verdict(
        kind, "low", 1, SubjectKind.DEVICE, "u/d", "", of, at=T0 + seconds * SECOND, title_zh="低", title_en="low",
        **fields,
    )  # fmt: skip


def begun(**more: Any) -> Alert:
    alert = judge(None, said(**more), T0).alert
    assert alert is not None
    return replace(alert, id=7)


def after(alert: Alert, verdict: Verdict) -> tuple[Alert, str | None]:
    outcome = judge(alert, verdict, T0 + HOUR)
    assert outcome.alert is not None
    return outcome.alert, None if outcome.transition is None else outcome.transition.reason


def test_what_is_raised_suppressed_begins_out_of_the_queue_and_says_why() -> None:
    alert = begun()
    assert (alert.hold, alert.hold_reason, alert.held_until) == (Hold.SUPPRESSED, WHY, None)
    fields, evidence = raised_under(alert, Circumstances(7, unit="u", device="d", cause=3))
    assert (fields["hold"], fields["hold_reason"], fields["cause_id"]) == ("suppressed", WHY, None)
    assert evidence == {"hold": "suppressed"}


@pytest.mark.parametrize("of", [AlertClass.FIRE, AlertClass.PREALARM, AlertClass.UNREADABLE])
def test_what_no_window_holds_no_design_holds(of: AlertClass) -> None:
    """Whatever a verdict says: a fire is never held."""
    assert begun(of=of).hold is Hold.NONE


def test_it_comes_back_unacknowledged_when_a_raise_says_so_no_more() -> None:
    """Even where somebody had acknowledged it while it was out of the queue."""
    for state in (State.UNACKNOWLEDGED, State.ACKNOWLEDGED):
        held = replace(begun(), state=state, acknowledged_by="li")
        shown, reason = after(held, said(seconds=9, suppressed="", again=True))
        assert (shown.hold, shown.hold_reason, shown.state) == (Hold.NONE, None, State.UNACKNOWLEDGED)
        assert (reason, shown.version > held.version) == ("suppression_over", True)


def test_said_again_while_it_is_suppressed_it_stays_so_and_a_rise_does_not_bring_it_up() -> None:
    held = begun()
    assert after(held, said(seconds=9))[0].hold is Hold.SUPPRESSED
    risen, reason = after(held, said(seconds=9, priority=2))
    assert (risen.hold, risen.priority, reason) == (Hold.SUPPRESSED, 2, "priority_rose")


@pytest.mark.parametrize("more", [{"priority": 2}, {"of": AlertClass.FIRE}, {"of": AlertClass.PREALARM, "priority": 2}])
def test_a_rise_that_is_not_suppressed_or_may_not_be_brings_it_up(more: dict[str, Any]) -> None:
    shown, reason = after(begun(), said(seconds=9, **({"suppressed": "" if "of" not in more else WHY} | more)))
    assert (shown.hold, reason) == (Hold.NONE, "priority_rose")


def test_what_is_in_view_stays_in_view_though_it_is_suppressed_from_now_on() -> None:
    """Somebody may be on the way already."""
    assert after(begun(suppressed=""), said(seconds=9))[0].hold is Hold.NONE


def test_it_is_over_with_its_condition_and_a_latched_one_comes_up_then() -> None:
    """Nobody says later that what suppressed the latched one is over; it must not stay out of sight for good."""
    closed, _ = after(begun(), said(CLEAR, 9, suppressed=""))
    assert (closed.state, closed.hold, closed.condition) == (State.CLOSED, Hold.NONE, Condition.NORMAL)
    latched, _ = after(begun(latch=True), said(CLEAR, 9, suppressed=""))
    assert (latched.state, latched.hold, latched.condition) == (State.UNACKNOWLEDGED, Hold.NONE, Condition.NORMAL)


def test_a_window_that_takes_out_of_service_takes_it_over_and_the_end_of_another_leaves_it_alone() -> None:
    window = Window(
        3, WindowKind.MAINTENANCE, "u", None, None, None, None, T0, T0 + HOUR, "work", None, None, "li", T0, "wang", T0
    )  # fmt: skip
    held = begun()
    taken = enter(replace(held, unit="u"), window, T0)
    assert taken is not None
    assert taken[0].hold is Hold.OUT_OF_SERVICE
    test = replace(window, kind=WindowKind.TEST)
    assert leave(replace(held, unit="u", window_id=3), {3: test}, [], T0 + HOUR) is None


def test_it_cannot_be_shelved_and_the_refusal_says_when_it_comes_back() -> None:
    with pytest.raises(Conflict, match="rule:panel-impaired; it comes back by itself when that ends"):
        decide(begun(), Shelve(T0 + 2 * HOUR, "known"), actor="li", at=T0 + HOUR)


def test_while_the_store_is_away_nobody_is_called_for_what_is_suppressed_or_on_trial() -> None:
    """A fire is shown whatever it says."""
    board = ProvisionalBoard(Registry(), ManualClock(T0))
    board.waiting("a", [said(), said(suppressed="", shadow=True)])
    assert board.alarms() == ()
    board.waiting("b", [said(of=AlertClass.FIRE)])
    assert [alarm.alert_class for alarm in board.alarms()] == ["fire"]
