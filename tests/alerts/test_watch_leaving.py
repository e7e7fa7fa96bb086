"""Who may leave the watch, what a handover takes, what the watch raises about itself, and whose a unit is."""

import pytest
from pydantic import ValidationError

from firetower.alerts.duty.watch import Watch
from firetower.alerts.watch import handover, own
from firetower.alerts.watch.handover import HandoverState, Waiting
from firetower.alerts.watch.leaving import Watchers, check_has_nothing_open, check_may_leave
from firetower.alerts.watch.scopes import EVERYTHING, Scope, union
from firetower.core.errors import Conflict
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import VerdictKind

NOW = 1_763_800_000_000_000


def test_the_last_one_is_told_who_could_take_over_and_how() -> None:
    with pytest.raises(Conflict, match=r"wang could take over: sign on \(POST /api/v1/watch/on\)") as told:
        check_may_leave("olga", Watchers(["olga"], [], ["wang"], ["ada", "wang"]))
    assert told.value.current == {"on_duty": ["olga"], "could_take_over": ["wang"]}
    with pytest.raises(Conflict, match=r"nobody else who may act sits at a seat; let somebody who may act \(ada\)"):
        check_may_leave("olga", Watchers(["olga"], [], [], ["ada"]))
    with pytest.raises(Conflict, match="wang is on duty, but at no live seat"):
        check_may_leave("olga", Watchers(["olga", "wang"], [], [], ["wang"]))


def test_whoever_is_not_on_duty_leaves_freely_and_so_does_one_of_two_at_seats() -> None:
    check_may_leave("vera", Watchers(["olga"], [], [], []))
    check_may_leave("olga", Watchers(["olga", "wang"], ["wang"], [], ["wang"]))


def test_nobody_leaves_open_alerts_behind_without_handing_them_over() -> None:
    with pytest.raises(Conflict, match=r"olga still has 2 open alerts \(7, 9\).*to wang") as told:
        check_has_nothing_open("olga", [7, 9], ["wang"])
    assert told.value.current == {"alerts": ["7", "9"]}
    check_has_nothing_open("olga", [], ["wang"])


def test_a_handover_is_accepted_by_one_person_who_is_not_the_one_who_leaves() -> None:
    made = handover.begin("olga", None, actor="olga", on_duty=["olga"], at=NOW, notes="")
    with pytest.raises(Conflict, match="under their own name"):
        handover.accept(made, "olga")
    taken = handover.accept(made, "wang")
    assert taken.incoming == "wang"
    with pytest.raises(Conflict, match="is to wang"):
        handover.accept(taken, "ada")
    with pytest.raises(Conflict, match="1 open alarms are not accepted yet: 5 Fire") as told:
        handover.complete(taken, "wang", [Waiting(5, "Fire")], NOW, at_seat=True)
    assert told.value.current == {"missing": [{"id": "5", "title": "Fire"}]}
    with pytest.raises(Conflict, match="switch its sound on"):
        handover.complete(taken, "wang", [], NOW, at_seat=False)
    done = handover.complete(taken, "wang", [], NOW, at_seat=True)
    assert (done.state, done.ended_by) == (HandoverState.COMPLETED, "wang")
    with pytest.raises(Conflict, match="was completed by wang"):
        handover.cancel(done, "olga", NOW, admin=True)


@pytest.mark.parametrize(
    ("outgoing", "incoming", "actor", "told"),
    [
        ("wang", None, "wang", "wang is not on duty, olga is"),
        ("olga", "olga", "olga", "cannot hand over to olga"),
        ("olga", "wang", "ada", "ada neither leaves nor comes"),
    ],
)
def test_a_handover_begins_between_two_of_whom_one_is_on_duty(
    outgoing: str, incoming: str | None, actor: str, told: str
) -> None:
    with pytest.raises(Conflict, match=told):
        handover.begin(outgoing, incoming, actor=actor, on_duty=["olga"], at=NOW, notes="")


def test_what_is_wanted_is_raised_once_what_is_over_is_cleared_and_what_was_closed_is_left() -> None:
    wanted = dict([own.unattended(), own.absent("olga", 180_000_000)])
    raised = own.differences(wanted, {}, NOW)
    assert [(each.kind, each.rule, each.component, each.priority) for each in raised] == [
        (VerdictKind.RAISE, "system_unattended", "", 1),
        (VerdictKind.RAISE, "system_presence", "olga", 2),
    ]
    assert {each.alert_class for each in raised} == {AlertClass.FAULT}
    assert "3 分钟" in raised[1].text
    assert "within 3 min" in raised[1].text
    assert own.differences(wanted, dict(wanted), NOW) == []
    assert own.differences(wanted, dict.fromkeys(wanted), NOW) == [], "somebody closed them while they stand"
    assert [each.kind for each in own.differences({}, wanted, NOW)] == [VerdictKind.CLEAR, VerdictKind.CLEAR]


def test_of_many_units_ten_are_named_and_all_are_counted_and_a_change_is_told_without_a_new_alert() -> None:
    key, text = own.uncovered(12, [f"u{n:02}" for n in range(10)])
    assert "12 units" in text
    assert "u09 …" in text
    again = own.differences({key: text}, {key: own.uncovered(1, ["u00"])[1]}, NOW)
    assert [(each.kind, each.again) for each in again] == [(VerdictKind.RAISE, True)]


def test_a_scope_is_units_grids_and_districts_together_and_an_empty_one_everything() -> None:
    east = Scope(districts=frozenset({"east"}))
    mall = Scope(units=frozenset({"mall"}), grids=frozenset({"g1"}))
    both = union([east, mall])
    assert both is not None
    assert both.covers("mall", None, None)
    assert both.covers("x", "g1", "west")
    assert both.covers("x", "g2", "east")
    assert not both.covers("x", "g2", "west")
    assert not both.covers("x", None, None)
    assert both.covers(None, None, None), "what belongs to no unit is everybody's"
    assert union([mall, EVERYTHING]) == EVERYTHING
    assert union([]) is None


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"answer_within": "5s"}, "must lie between 30s and 1h"),
        ({"presence_every": "25h"}, "must lie between 0s and 24h"),
        ({"presence_every": "3min"}, "presence_every must be longer than answer_within"),
        ({"presence_every": 60}, "is not a duration"),
        ({"unattended": "maybe"}, "'on' or 'off'"),
    ],
)
def test_a_plan_of_the_watch_that_cannot_be_is_refused_in_words(plan: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Watch.model_validate(plan)
    assert Watch.model_validate({"presence_every": "0s"}).every is None
