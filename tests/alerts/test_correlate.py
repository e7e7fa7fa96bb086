"""A second signal confirms a fire, and fire in two places of a test is no test: decided without a store."""

from dataclasses import replace

import pytest

from firetower.alerts import flags
from firetower.alerts.correlate import (
    FireInTest,
    Signal,
    confirm,
    confirmed,
    confirms_within,
    overrule,
    overruled,
    signal,
)
from firetower.alerts.judge import judge
from firetower.alerts.model import Alert, Method, State, Verification
from firetower.core.clock import MINUTE, SECOND
from firetower.devices.events import AlertClass
from firetower.rules.book.model import Rule
from firetower.rules.verdicts import HISTORICAL, SubjectKind, Verdict, VerdictKind

T0 = 1_763_800_000 * SECOND


def said(alert_id: int, device: str | None = "s-1", at: int = T0, **more) -> Signal | None:
    fields = {
        "rule": "event:fire",
        "unit": "h1",
        "zone": "b1/f3/za",
        "device_kind": "smoke",
        "component": "",
        "alert_class": AlertClass.FIRE,
        "words": (),
    }
    return signal(alert_id=alert_id, device=device, alarmed_at=at, **(fields | more))


def pairs(*signals: Signal | None) -> dict[int, int]:
    pairs = confirmed([each for each in signals if each is not None])
    return {fire: other for fire, other in pairs if other is not None}


def fire(alert_id: int = 7, **more) -> Alert:
    verdict = Verdict(
        VerdictKind.RAISE,
        "event:fire",
        1,
        SubjectKind.DEVICE,
        "h1/s-1",
        "",
        AlertClass.FIRE,
        1,
        True,
        T0,
        "火警",
        "Fire",
    )
    new = judge(None, verdict, T0 + SECOND).alert
    assert new is not None
    return replace(new, id=alert_id, **more)


def test_two_detectors_of_one_zone_confirm_each_other_within_five_minutes() -> None:
    """Both fires are confirmed, each by the other; a moment later than T, none is."""
    assert pairs(said(1), said(2, "s-2", T0 + 5 * MINUTE)) == {1: 2, 2: 1}
    assert pairs(said(1), said(2, "s-2", T0 + 5 * MINUTE + 1)) == {}


def test_the_rulebook_says_within_which_time_signals_confirm_each_other() -> None:
    """That of its first confirmation; a rule on trial says nothing, and without one it is five minutes."""
    rule = Rule.model_validate(
        {
            "id": "second-signal", "version": 1, "title": {"zh": "确认", "en": "Confirmed"}, "class": "fire",
            "advice": {"zh": "查", "en": "look"}, "kinds": ["smoke"],
            "condition": {"confirmation": {"within": "2min", "source": "J, us"}},
        }
    )  # fmt: skip
    assert confirms_within([rule]) == 2 * MINUTE
    assert confirms_within([rule.model_copy(update={"shadow": True})]) == confirms_within([]) == 5 * MINUTE
    signals = [each for each in (said(1), said(2, "s-2", T0 + 3 * MINUTE)) if each is not None]
    assert dict(confirmed(signals, 3 * MINUTE)) == {1: 2, 2: 1}
    assert dict(confirmed(signals, confirms_within([rule]))) == {1: None, 2: None}


def test_what_a_rule_says_of_a_zone_confirms_nothing_for_it_follows_from_the_zones_signals() -> None:
    """A person who reports a fire there is a signal of their own."""
    assert pairs(said(1), said(2, None, rule="smoke-and-heat")) == {}
    assert pairs(said(1), said(2, None, rule="manual:report")) == {1: 2, 2: 1}


def test_a_prealarm_confirms_a_fire_and_is_not_confirmed_itself() -> None:
    """And two prealarms are no fire."""
    pre = said(2, "s-2", alert_class=AlertClass.PREALARM)
    assert pairs(said(1), pre) == {1: 2}
    assert pairs(pre, said(3, "s-3", alert_class=AlertClass.PREALARM)) == {}


def test_one_detector_twice_confirms_nothing() -> None:
    """Its own alarm and the limit that its reading broke are one detector; so is the same point of one panel."""
    assert pairs(said(1), said(2, rule="smoke.fire", component="smoke")) == {}
    assert pairs(said(1, "p", device_kind="panel"), said(2, "p", device_kind="panel", rule="event:prealarm")) == {}


def test_two_points_of_one_panel_confirm_each_other_and_so_does_its_call_point() -> None:
    """A panel speaks for many, and a call point without a number is none of its detectors."""
    first = said(1, "p", device_kind="panel", component="2-3-017")
    assert pairs(first, said(2, "p", device_kind="panel", component="2-3-018")) == {1: 2, 2: 1}
    unnamed = said(3, "p", device_kind="panel")
    assert pairs(unnamed, said(4, "p", device_kind="panel", rule="event:manual_call")) == {3: 4, 4: 3}


def test_a_report_by_telephone_and_a_detector_confirm_each_other() -> None:
    """But two callers are not two detectors: both may have seen the same smoke."""
    call = said(1, rule="manual:report", component="a", device=None, device_kind=None, words=(flags.MANUAL,))
    again = said(2, rule="manual:report", component="b", device=None, device_kind=None, words=(flags.MANUAL,))
    assert pairs(call, said(3)) == {1: 3, 3: 1}
    assert pairs(call, again) == {}


def test_the_nearest_signal_of_another_point_is_the_evidence() -> None:
    """However often the same detector spoke in between."""
    assert pairs(said(1), said(2, at=T0 + 2), said(3, "s-2", T0 + 3)) == {1: 3, 2: 3, 3: 2}
    assert pairs(said(1, "s-2"), said(2, at=T0 + 100), said(3, "s-3", T0 + 101)) == {1: 2, 2: 3, 3: 2}


@pytest.mark.parametrize(
    "apart",
    [
        {"words": (flags.IN_TEST,)},
        {"words": (flags.AFTER_TEST,)},
        {"words": (HISTORICAL,)},
        {"zone": None},
        {"unit": None},
        {"alert_class": AlertClass.FAULT},
    ],
)
def test_a_test_the_past_and_what_has_no_zone_confirm_nothing(apart) -> None:
    """Nor are they confirmed."""
    assert pairs(said(1), said(2, "s-2", **apart)) == {}


def test_what_is_confirmed_is_not_confirmed_again_but_confirms() -> None:
    """A third detector is confirmed by the two that were."""
    known = said(1, words=(flags.SECOND_SIGNAL,))
    assert pairs(known, said(2, "s-2")) == {2: 1}


def test_confirming_recommends_and_leaves_the_state_to_people() -> None:
    """The flag and the other alert as evidence; nothing is forwarded, nobody has acknowledged."""
    after, entries = confirm(fire(), fire(8, device="s-2"), T0, forward=False)
    assert (after.flags, after.state, after.version) == ((flags.SECOND_SIGNAL,), State.UNACKNOWLEDGED, 1)
    assert [(each.reason, each.actor, each.evidence["alert_id"]) for each in entries] == [
        ("second_signal", "rule:second_signal", "8")
    ]
    assert after.forwarded_at is None


def test_where_it_is_configured_the_confirmed_fire_is_forwarded_and_still_waits_for_a_person() -> None:
    """Verified as real by the rule, forwarded at once, unacknowledged as before, so that it goes on sounding."""
    after, entries = confirm(fire(), fire(8), T0 + 9, forward=True)
    assert (after.verification, after.verify_method, after.verified_by, after.forwarded_at) == (
        Verification.REAL,
        Method.SECOND_SIGNAL,
        "rule:second_signal",
        T0 + 9,
    )
    assert (after.state, after.acknowledged_at, after.acknowledged_by) == (State.UNACKNOWLEDGED, None, None)
    assert [(each.reason, each.old, each.new) for each in entries] == [
        (reason, State.UNACKNOWLEDGED, State.UNACKNOWLEDGED) for reason in ("second_signal", "verified", "forwarded")
    ]


@pytest.mark.parametrize(
    "known",
    [
        {"verification": Verification.FALSE},
        {"verification": Verification.REAL, "forwarded_at": T0},
        {"flags": (flags.IN_DRILL,)},
        {"flags": (flags.AFTER_DRILL,)},
    ],
)
def test_a_persons_word_a_drill_and_what_was_forwarded_are_left_alone(known) -> None:
    """They are marked, and that is all."""
    before = fire(**known)
    after, entries = confirm(before, fire(8), T0 + 9, forward=True)
    assert (after.verification, after.forwarded_at) == (before.verification, before.forwarded_at)
    assert [each.reason for each in entries] == ["second_signal"]


def test_fire_in_two_places_of_a_unit_under_test_is_in_earnest() -> None:
    """All its fires are, whichever tests cover them; a test with fire in one place stays a test, and so do those of
    another unit."""
    fires = [FireInTest(1, "u4", "za", True), FireInTest(2, "u4", "za", True), FireInTest(3, "u5", "zb", True)]
    assert overruled(fires, ()) == {}
    assert overruled([*fires, FireInTest(9, "u4", "zb", True)], ()) == {n: ["za", "zb"] for n in (1, 2, 9)}


def test_a_call_point_in_another_zone_of_the_test_is_a_second_place() -> None:
    """It was treated as real from the start, and so needs no overruling."""
    assert overruled([FireInTest(1, "u4", "za", True), FireInTest(2, "u4", "zb", False)], ()) == {1: ["za", "zb"]}


def test_once_a_test_is_overruled_whatever_comes_in_it_is_too() -> None:
    """Though it be in one place."""
    assert overruled([FireInTest(1, "u4", "za", True)], ["u4"]) == {1: ["za"]}


def test_an_overruled_fire_is_unacknowledged_again_and_says_why() -> None:
    """What a person took for a test is to be looked at once more."""
    taken = fire(
        state=State.ACKNOWLEDGED, acknowledged_by="li", acknowledged_at=T0, flags=("late", flags.IN_TEST), window_id=4
    )
    after, (entry,) = overrule(taken, ["za", "zb"], T0 + 9)
    assert (after.state, after.acknowledged_by, after.flags, after.version) == (
        State.UNACKNOWLEDGED,
        None,
        ("late", flags.DURING_TEST),
        2,
    )
    assert (entry.reason, entry.actor, entry.old, entry.new) == (
        "overruled",
        "rule:test_overruled",
        State.ACKNOWLEDGED,
        State.UNACKNOWLEDGED,
    )
    assert entry.evidence["places"] == ["za", "zb"]
