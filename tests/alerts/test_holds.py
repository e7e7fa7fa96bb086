"""How holds begin and end by themselves, over every class, state, hold and condition."""

import itertools
from dataclasses import replace

import pytest
from alert_making import T0, hazard

from firetower.alerts.holds import after_shelving, enter, explains, leave, release, suppress, under_cause
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Condition, Hold, State
from firetower.alerts.windows import Window, WindowKind
from firetower.core.clock import HOUR, MINUTE
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind

NOW = T0 + HOUR
U, A, R, C = State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.CLOSED
ACTIVE, NORMAL = Condition.ACTIVE, Condition.NORMAL


def alert(**changes) -> Alert:
    made = judge(None, hazard(), T0).alert
    assert made is not None
    return replace(made, **({"id": 7, "unit": "u1", "device": "h1", "zone": "b1/f1/z1"} | changes))


def window(kind=WindowKind.MAINTENANCE, window_id=3, *, ends_at=NOW + HOUR, **more) -> Window:
    fields = {"unit": "u1", "zone": None, "device": None, "component": None, "main": None, "reason": "pipe work"}
    return Window(
        id=window_id, kind=kind, starts_at=T0, ends_at=ends_at, measure=None, person=None,
        requested_by="li", requested_at=T0, approved_by="wang", approved_at=T0, **(fields | more),
    )  # fmt: skip


GATEWAY_SILENT = alert(
    id=1, rule="silence", alert_class=AlertClass.OFFLINE, subject_kind="gateway", subject="u1/gw", device="gw"
)
POWER_LOST = alert(id=2, rule="event:main_power_lost", alert_class=AlertClass.FAULT, subject="u1/h1")


def every_alert():
    """Every class, state, hold and condition, held by everything that could hold it."""
    for each, state, hold, condition in itertools.product(AlertClass, State, Hold, Condition):
        yield alert(
            alert_class=each, state=state, hold=hold, condition=condition, latched=each is AlertClass.FIRE,
            held_until=T0, window_id=3, gateway="gw", cause_id=1 if hold is Hold.SUPPRESSED else None,
        )  # fmt: skip


def test_nothing_ever_holds_or_lets_go_of_a_fire_or_touches_what_is_closed():
    """Promise 6, over everything this can be asked: of a fire at most its mark changes, of a closed alert nothing."""
    ended, active = {3: window(ends_at=NOW)}, [window(window_id=4)]
    causes = {1: GATEWAY_SILENT, 2: POWER_LOST}
    held = 0
    for each in every_alert():
        if each.is_fire and each.hold is not Hold.NONE:
            continue  # the table has none
        moves = [
            after_shelving(each, NOW),
            enter(each, active[0], NOW),
            leave(each, ended, active, NOW),
            leave(each, ended, [], NOW),
            suppress(each, causes.values(), NOW),
            under_cause(each, causes, NOW),
            under_cause(each, {}, NOW),
        ]
        for after, _ in (move for move in moves if move is not None):
            held += after.hold is not Hold.NONE
            assert each.state is not C
            if each.is_fire:
                assert replace(after, flags=each.flags) == each
                assert after.flags == ("impaired",)
    assert held


@pytest.mark.parametrize(
    ("latched", "state", "condition", "expected"),
    [
        (False, U, ACTIVE, U),
        (False, A, ACTIVE, U),
        (False, A, NORMAL, C),
        (False, U, NORMAL, C),
        (True, A, ACTIVE, U),
        (True, A, NORMAL, U),
    ],
)
def test_when_a_hold_ends_what_stands_sounds_again_and_what_is_over_is_closed(latched, state, condition, expected):
    """By the timer, a version on, with nothing left of the hold; who had taken it on is asked again."""
    held = alert(
        latched=latched, state=state, condition=condition, hold=Hold.SHELVED, held_until=NOW, held_by="wang",
        hold_reason="known", acknowledged_by="wang", acknowledged_at=T0, window_id=9,
    )  # fmt: skip
    assert after_shelving(held, NOW - 1) is None
    move = after_shelving(held, NOW)
    assert move is not None
    assert move[1] is not None
    after, entry = move
    assert (after.state, after.hold, after.held_until, after.hold_reason, after.held_by) == (
        expected, Hold.NONE, None, None, None,
    )  # fmt: skip
    assert (after.version, after.window_id) == (held.version + 1, 9)
    if expected is U:
        assert (after.acknowledged_by, after.acknowledged_at) == (None, None) if state is A else True
    else:
        assert (after.closed_by, after.closed_at) == ("timer", NOW)
    assert (entry.actor, entry.reason, entry.old, entry.new) == ("timer", "shelving_ended", state, expected)
    assert entry.evidence["held_by"] == "wang"


def test_a_window_holds_what_it_covers_and_marks_fires_and_prealarms():
    """Out of service with the approver, the reason and the end; not outside its zone; not twice."""
    taken = enter(alert(), window(zone="b1/f1"), NOW)
    assert taken is not None
    assert taken[1] is not None
    after, entry = taken
    assert (after.hold, after.hold_reason, after.held_by, after.held_until, after.window_id) == (
        Hold.OUT_OF_SERVICE, "maintenance: pipe work", "wang", NOW + HOUR, 3,
    )  # fmt: skip
    assert (entry.reason, entry.evidence["window"]) == ("out_of_service", 3)
    assert enter(after, window(), NOW) is None
    assert enter(alert(), window(zone="b1/f2"), NOW) is None
    for each in (AlertClass.FIRE, AlertClass.PREALARM):
        marked = enter(alert(alert_class=each, latched=True), window(), NOW)
        assert marked is not None
        assert (marked[0].flags, marked[0].hold, marked[0].version) == (("impaired",), Hold.NONE, 1)
        assert enter(marked[0], window(), NOW) is None


def test_when_a_window_ends_another_one_that_covers_it_takes_over_else_it_is_reinstated():
    """A permit's alerts are taken over by a permit only."""
    held = alert(hold=Hold.OUT_OF_SERVICE, window_id=3)
    ended = {3: window(ends_at=NOW)}
    other = window(WindowKind.IMPAIRMENT, 4)
    move = leave(held, ended, [other], NOW)
    assert move is not None
    assert (move[0].hold, move[0].window_id, move[0].hold_reason) == (Hold.OUT_OF_SERVICE, 4, "impairment: pipe work")
    move = leave(held, ended, [window(WindowKind.TEST, 5), window(window_id=6, zone="b2")], NOW)
    assert move is not None
    assert move[1] is not None
    assert (move[0].hold, move[0].state, move[0].window_id, move[1].reason) == (Hold.NONE, U, None, "reinstated")
    move = leave(replace(held, hold=Hold.SUPPRESSED), {3: window(WindowKind.WATER_PERMIT)}, [other], NOW)
    assert move is not None
    assert move[1] is not None
    assert (move[0].hold, move[1].reason) == (Hold.NONE, "permit_ended")
    raised_in_it = alert(hold=Hold.SUPPRESSED, cause_id=1, window_id=3)
    assert leave(raised_in_it, ended, [], NOW) is None


@pytest.mark.parametrize(
    ("cause", "changes", "expected"),
    [
        (GATEWAY_SILENT, {"alert_class": AlertClass.OFFLINE, "gateway": "gw"}, True),
        (GATEWAY_SILENT, {"alert_class": AlertClass.OFFLINE, "gateway": "gw2"}, False),
        (GATEWAY_SILENT, {"alert_class": AlertClass.OFFLINE, "gateway": None}, False),
        (GATEWAY_SILENT, {"alert_class": AlertClass.OFFLINE, "gateway": "gw", "unit": "u2"}, False),
        (GATEWAY_SILENT, {"alert_class": AlertClass.FAULT, "gateway": "gw"}, False),
        (GATEWAY_SILENT, {"alert_class": AlertClass.HAZARD, "gateway": "gw"}, False),
        (
            GATEWAY_SILENT,
            {"alert_class": AlertClass.OFFLINE, "gateway": "gw", "subject_kind": SubjectKind.GATEWAY},
            False,
        ),
        (replace(GATEWAY_SILENT, condition=NORMAL), {"alert_class": AlertClass.OFFLINE, "gateway": "gw"}, False),
        (replace(GATEWAY_SILENT, state=C), {"alert_class": AlertClass.OFFLINE, "gateway": "gw"}, False),
        (POWER_LOST, {"alert_class": AlertClass.FAULT}, True),
        (POWER_LOST, {"alert_class": AlertClass.FAULT, "device": "h2"}, False),
        (POWER_LOST, {"alert_class": AlertClass.FAULT, "rule": "event:backup_power_lost"}, False),
        (POWER_LOST, {"alert_class": AlertClass.OFFLINE}, False),
        (POWER_LOST, {"alert_class": AlertClass.SUPERVISORY}, False),
        (POWER_LOST, {"alert_class": AlertClass.FIRE, "latched": True}, False),
    ],
)
def test_what_explains_what(cause, changes, expected):
    """Silence by the gateway's silence, faults by the panel's lost power, and nothing else by anything."""
    assert explains(cause, alert(**changes)) is expected
    assert (suppress(alert(**changes), [cause], NOW) is not None) is expected


def test_after_its_cause_an_alert_stays_hidden_for_the_grace_and_then_comes_back():
    """The gateway's points need their turn; a cause that comes back, or another that explains it, keeps it hidden."""
    point = alert(alert_class=AlertClass.OFFLINE, gateway="gw", subject="u1/h1")
    hidden = suppress(point, [GATEWAY_SILENT], NOW)
    assert hidden is not None
    held = hidden[0]
    assert (held.hold, held.cause_id, held.hold_reason) == (Hold.SUPPRESSED, 1, "cause:1")
    assert under_cause(held, {1: GATEWAY_SILENT}, NOW) is None
    over = {1: replace(GATEWAY_SILENT, state=R, condition=NORMAL)}
    waiting = under_cause(held, over, NOW)
    assert waiting is not None
    assert (waiting[0].hold, waiting[0].held_until, waiting[1]) == (Hold.SUPPRESSED, NOW + 3 * MINUTE, None)
    assert under_cause(waiting[0], over, NOW + 3 * MINUTE - 1) is None
    assert under_cause(waiting[0], {1: GATEWAY_SILENT}, NOW + MINUTE) == (held, None)
    again = replace(GATEWAY_SILENT, id=8)
    kept = under_cause(waiting[0], over | {8: again}, NOW + MINUTE)
    assert kept is not None
    assert (kept[0].hold, kept[0].cause_id, kept[0].held_until) == (Hold.SUPPRESSED, 8, None)
    for causes in (over, {}):
        back = under_cause(waiting[0], causes, NOW + 3 * MINUTE)
        assert back is not None
        assert back[1] is not None
        assert (back[0].state, back[0].hold, back[0].cause_id, back[1].reason) == (U, Hold.NONE, None, "cause_over")


def test_a_cause_closed_by_a_person_though_it_stands_lets_go_at_once():
    """Somebody has said that it explains nothing any more."""
    held = alert(alert_class=AlertClass.OFFLINE, gateway="gw", hold=Hold.SUPPRESSED, cause_id=1)
    back = under_cause(held, {1: replace(GATEWAY_SILENT, state=C)}, NOW)
    assert back is not None
    assert (back[0].state, back[0].hold) == (U, Hold.NONE)


def test_what_is_not_in_view_is_not_hidden_a_second_time():
    """The shelf, a window, and what is over already stay as they are."""
    point = alert(alert_class=AlertClass.OFFLINE, gateway="gw")
    for changes in ({"hold": Hold.SHELVED}, {"hold": Hold.OUT_OF_SERVICE}, {"state": R}, {"condition": NORMAL}):
        assert suppress(replace(point, **changes), [GATEWAY_SILENT], NOW) is None


def test_releasing_what_returned_and_is_latched_stays_with_the_operator():
    """A cover that was opened in a window is not closed by the window's end."""
    held = alert(latched=True, condition=NORMAL, hold=Hold.OUT_OF_SERVICE, window_id=3)
    assert release(held, "reinstated", NOW)[0].state is U
