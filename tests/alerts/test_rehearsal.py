"""Alerts of a back-test: what a desk that answers at once would have been told of, without a store."""

from alert_making import T0, clear, fire, hazard

from firetower.alerts.comparison import figures
from firetower.alerts.rehearsal import Answered, Rehearsal
from firetower.core.clock import HOUR, MINUTE, SECOND
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import HISTORICAL, Verdict


def told(*verdicts: Verdict, answers: dict[tuple[str, str, str, str], list[Answered]] | None = None) -> list[str]:
    """What came up on the desk, in order."""
    desk = Rehearsal(answers)
    desk.take(verdicts, T0, T0 + 2 * HOUR)
    return [each.why for each in desk.sounded if each.seen]


def test_what_returns_and_comes_again_is_a_new_alert_once_somebody_took_it_on() -> None:
    """Acknowledged at once, an alert closes as it returns; the next is a new one, a repeat of it is not."""
    again = hazard(at=T0 + 2 * MINUTE)
    assert told(hazard(), clear(hazard(), T0 + MINUTE), again, hazard(at=T0 + 3 * MINUTE)) == ["raised", "raised"]


def test_nobody_takes_it_on_before_somebody_really_did() -> None:
    """The stored alert of the same key was acknowledged an hour later: until then it is one alert that comes again."""
    answers = {hazard().key: [Answered(T0 + SECOND, T0 + HOUR, None)]}
    again = hazard(at=T0 + 2 * MINUTE)
    assert told(hazard(), clear(hazard(), T0 + MINUTE), again, answers=answers) == ["raised", "again"]


def test_a_stored_alert_of_another_time_says_nothing() -> None:
    """One that began twenty minutes earlier is another alert."""
    answers = {hazard().key: [Answered(T0 - 20 * MINUTE, None, None)]}
    again = hazard(at=T0 + 2 * MINUTE)
    assert told(hazard(), clear(hazard(), T0 + MINUTE), again, answers=answers) == ["raised", "raised"]


def test_a_rise_is_told_and_a_fall_is_not() -> None:
    """From yellow to orange somebody is told again; back to yellow nobody is."""
    worse, better = hazard(at=T0 + MINUTE, priority=2), hazard(at=T0 + 2 * MINUTE, priority=3)
    assert told(hazard(), worse, better) == ["raised", "rose"]


def test_what_is_held_back_by_design_comes_up_when_that_is_over() -> None:
    """Raised under suppression it is counted, not seen; said again without it, it is seen."""
    held, later = hazard(suppressed="rule:gateway-silent"), hazard(at=T0 + MINUTE, again=True)
    assert told(held) == []
    assert told(held, later) == ["released"]
    assert told(held, clear(held, T0 + MINUTE)) == []


def test_rules_on_trial_and_the_past_are_counted_and_not_seen() -> None:
    """A shadow rule's alert stands apart, late evidence among the historical ones."""
    desk = Rehearsal()
    desk.take([hazard(shadow=True), hazard("h2", flags=(HISTORICAL,)), hazard("h3")], T0, T0 + HOUR)
    counted = figures(desk.sounded, since=T0, until=T0 + HOUR)
    assert (counted["alerts"], counted["historical"]) == (2, 1)
    assert counted["on_trial"] == {"hydrant.pressure.low": 1}
    assert counted["seen_in_ten_minutes"]["max"] == 1


def test_a_fire_is_closed_when_it_is_over_and_burns_anew_as_another() -> None:
    """A latched alert is closed by the desk once normal; while it stands, a further fire event comes again."""
    over = fire(at=T0 + 2 * MINUTE, active=False)
    assert told(fire(), fire(at=T0 + MINUTE), over, fire(at=T0 + 3 * MINUTE)) == ["raised", "again", "raised"]


def test_ten_minutes_are_counted_from_the_beginning_of_the_range() -> None:
    """Twelve at once are a flood, an empty stretch is none, and the mean is over all of them."""
    desk = Rehearsal()
    desk.take([hazard(f"h{n}", at=T0 + 11 * MINUTE) for n in range(12)], T0, T0 + HOUR)
    desk.take([hazard("late", at=T0 + 45 * MINUTE, alert_class=AlertClass.FAULT)], T0, T0 + HOUR)
    seen = figures(desk.sounded, since=T0, until=T0 + HOUR)["seen_in_ten_minutes"]
    assert seen["stretches"] == {"0": 4, "1-2": 1, "3-5": 0, "6-10": 0, "over 10": 1}
    assert (seen["max"], seen["mean"]) == (12, round(13 / 6, 3))
