"""Suppression by design: raised, held while something else is active, and raised again after it; never a fire."""

import msgspec
import pytest
from estate import WORDS, Estate, low, rule, turns
from scenario import at

from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.rules.watches.suppression import SuppressionWatch


def held_by(on: str = "device", *, rules: tuple[str, ...] = (), events: tuple[str, ...] = ("shielded",)) -> Rule:
    return low(suppressed={"rules": rules, "events": events, "on": on, "reason": WORDS})


def of_low(estate: Estate, device: int, value: float, seconds: float) -> list[tuple[str, str, bool]]:
    """(kind, held back by, again) of the verdicts on a pressure."""
    said = estate.report((device, "pressure", seconds, value))
    return [(each.kind.value, each.suppressed, each.again) for each in said if each.rule == "low"]


def test_what_is_raised_meanwhile_is_marked_and_raised_again_after_it() -> None:
    estate = Estate(held_by())
    device = estate.put()
    assert estate.says(device, "shielded", 0) == []
    assert of_low(estate, device, 0.13, 10) == [("raise", "event:shielded", False)]
    (again,) = estate.says(device, "shielded", 60, active=False)
    assert (again.kind, again.rule, again.at) == (VerdictKind.RAISE, "low", at(60))
    assert (again.suppressed, again.again) == ("", True)
    assert (again.priority, again.value, again.title_en) == (3, 0.13, "low")


def test_what_was_raised_before_stays_in_view_and_what_rises_meanwhile_is_held() -> None:
    estate = Estate(held_by())
    device = estate.put()
    assert of_low(estate, device, 0.13, 0) == [("raise", "", False)]
    estate.says(device, "shielded", 1)
    assert of_low(estate, device, 0.05, 2) == [("raise", "event:shielded", True)]


def test_what_is_over_meanwhile_does_not_come_back() -> None:
    estate = Estate(held_by())
    device = estate.put()
    estate.says(device, "shielded", 0)
    of_low(estate, device, 0.13, 10)
    assert [(kind, source) for kind, source, _ in of_low(estate, device, 0.2, 20)] == [("clear", "")]
    assert estate.says(device, "shielded", 60, active=False) == []


@pytest.mark.parametrize(("held", "holds"), [("aa", "zz"), ("zz", "aa")])
def test_what_is_over_with_what_holds_it_back_is_not_raised_after_its_end(held: str, holds: str) -> None:
    """One reading ends both, in whatever order they are judged; the held one would else stay active for good."""
    suppressed = {"rules": (holds,), "events": (), "on": "device", "reason": WORDS}
    estate = Estate(low(holds), low(held, suppressed=suppressed))
    device = estate.put()
    estate.report((device, "pressure", 0, 0.13))
    assert {turn[:2] for turn in turns(estate.report((device, "pressure", 60, 0.3)))} == {
        ("clear", held),
        ("clear", holds),
    }


@pytest.mark.parametrize(
    ("on", "ours", "theirs"),
    [
        ("zone", {"zone": "A/1/1"}, {"zone": "A/1/2"}),
        ("gateway", {"gateway": "g1"}, {"gateway": "g2"}),
        ("main", {"main": "M1"}, {"main": "M2"}),
        ("unit", {"unit": "unit"}, {"unit": "other"}),
    ],
)
def test_it_holds_where_the_two_have_something_in_common(on: str, ours: dict[str, str], theirs: dict[str, str]) -> None:
    estate = Estate(held_by(on))
    panel = estate.put(DeviceKind.PANEL, **ours)
    near, far = estate.put(**ours), estate.put(**theirs)
    estate.says(panel, "shielded", 0)
    assert of_low(estate, near, 0.13, 1) == [("raise", "event:shielded", False)]
    assert of_low(estate, far, 0.13, 1) == [("raise", "", False)]


def test_it_lasts_as_long_as_any_of_what_holds_back() -> None:
    """Two points are shielded, then one; the other holds on."""
    estate = Estate(held_by())
    device = estate.put()
    for point in ("1", "2"):
        estate.says(device, "shielded", 0, component=point)
    of_low(estate, device, 0.13, 10)
    assert estate.says(device, "shielded", 20, component="1", active=False) == []
    assert [each.rule for each in estate.says(device, "shielded", 30, component="2", active=False)] == ["low"]


def test_a_rule_or_a_combination_may_hold_back() -> None:
    """A burst main explains the low pressure of its hydrants that is found after it."""
    burst = rule("burst", "combination", {"group": "main", "all": [{"events": ["leak"], "devices": 2}]})
    estate = Estate(burst, held_by("main", rules=("burst",), events=()))
    hydrants = [estate.put(main="M1") for _ in range(3)]
    for device in hydrants[:2]:
        estate.says(device, "leak", 0)
    assert of_low(estate, hydrants[2], 0.13, 5) == [("raise", "rule:burst", False)]
    assert turns(estate.says(hydrants[0], "leak", 9, active=False)) == [("clear", "burst", 9), ("raise", "low", 9)]


def test_of_one_batch_what_was_active_before_holds_back_wherever_it_stands() -> None:
    """Readings are judged before alarms; what counts is when they were so."""
    estate = Estate(held_by())
    device = estate.put()
    batch = Batch(estate.readings((device, "pressure", 10, 0.13)), at(10), [estate.event(device, "shielded", 5)])
    assert [each.suppressed for each in estate.engine.evaluate(batch) if each.rule == "low"] == ["event:shielded"]


def test_a_rule_on_trial_holds_nothing_back() -> None:
    trial = rule("trial", "event", {"events": ["fault"]}, shadow=True)
    estate = Estate(trial, held_by(rules=("trial",), events=()))
    device = estate.put()
    estate.says(device, "fault", 0)
    assert of_low(estate, device, 0.13, 5) == [("raise", "", False)]


def test_a_fire_is_held_back_by_nothing() -> None:
    """The validator refuses such a rule; were it there all the same, its verdicts would pass."""
    suppressed = {"events": ["shielded"], "reason": WORDS}
    with pytest.raises(AssertionError, match="fire"):
        low(suppressed=suppressed, **{"class": "fire"})
    as_fire = low(suppressed=suppressed).model_copy(update={"alert_class": AlertClass.FIRE})
    estate = Estate()
    device = estate.put()
    watch = SuppressionWatch(Rulebook((as_fire,)), estate.registry)
    event = estate.engine.evaluate(Batch(estate.readings(), at(0), [estate.event(device, "shielded", 0)]))
    assert [each.suppressed for each in watch.step([*event, _raise(device, AlertClass.FIRE)])] == ["", ""]


def test_what_is_held_stands_in_the_checkpoint() -> None:
    before, after = Estate(held_by()), Estate(held_by())
    for estate in (before, after):
        device = estate.put()
    before.says(device, "shielded", 0)
    of_low(before, device, 0.13, 10)
    for portion in before.engine._suppression.save():
        after.engine._suppression.load(msgspec.msgpack.decode(msgspec.msgpack.encode(portion)))
    (again,) = after.says(device, "shielded", 60, active=False)
    assert (again.rule, again.value, again.at, again.again) == ("low", 0.13, at(60), True)


def test_open_alerts_tell_what_is_held_at_a_start() -> None:
    """One alert is held, another in view since before: only the first is raised again, in its band's words."""
    estate = Estate(held_by("unit"))
    panel, one, other = estate.put(DeviceKind.PANEL), estate.put(), estate.put()
    estate.engine.seed("event:shielded", panel, "P1", 2, at(0))
    estate.engine.seed("low", one, "pressure", 2, at(1), held=True)
    estate.engine.seed("low", other, "pressure", 3, at(-5))
    (again,) = estate.says(panel, "shielded", 60, component="P1", active=False)
    assert (again.subject, again.component, again.priority, again.suppressed) == ("unit/d2", "pressure", 2, "")


@pytest.mark.parametrize("gone", ["the rule's suppressed", "the alert that held it back", "the place"])
def test_what_is_held_when_nothing_holds_it_back_any_more_is_raised_at_the_first_tick(gone: str) -> None:
    """At a start or a reload: the rulebook is another, what held it back is over, or the device belongs to no main."""
    estate = Estate(low() if gone == "the rule's suppressed" else held_by("main" if gone == "the place" else "unit"))
    panel, device = estate.put(DeviceKind.PANEL), estate.put()
    if gone != "the alert that held it back":
        estate.engine.seed("event:shielded", panel, "", 2, at(0))
    estate.engine.seed("low", device, "pressure", 3, at(10), held=True)
    estate.engine.warm(Batch(estate.readings((device, "pressure", 10, 0.13)), at(10)))
    estate.engine.warm(Tick(at(15), None))
    (again,) = estate.tick(20)
    assert (again.rule, again.subject, again.priority, again.at) == ("low", "unit/d2", 3, at(15))
    assert (again.suppressed, again.again, again.component) == ("", True, "pressure")
    assert estate.tick(30) + estate.report((device, "pressure", 40, 0.13)) == []


def test_what_is_held_and_over_by_what_is_stored_is_not_raised_again() -> None:
    """The rulebook holds it back no more, but the pressure is back: one clear, and nothing to see."""
    estate = Estate(low())
    device = estate.put()
    estate.engine.seed("low", device, "pressure", 3, at(10), held=True)
    estate.engine.warm(Batch(estate.readings((device, "pressure", 12, 0.3)), at(12)))
    estate.engine.warm(Tick(at(15), None))
    assert turns(estate.tick(20)) == [("clear", "low", 12)]


def test_what_ends_while_stored_alarms_are_replayed_lets_go_of_what_is_held() -> None:
    """It has the priority it had when it was held, and is told all the same."""
    estate = Estate(held_by())
    device = estate.put()
    estate.engine.seed("event:shielded", device, "", 2, at(0))
    estate.engine.seed("low", device, "pressure", 3, at(10), held=True)
    over = estate.event(device, "shielded", 20, active=False)
    estate.engine.warm(Batch(estate.readings((device, "pressure", 10, 0.13)), at(20), [over]))
    assert turns(estate.tick(30)) == [("raise", "low", 20)]


def test_a_device_that_is_retired_holds_nothing_back() -> None:
    """What it held is raised at the next tick; what it says later holds nothing, nor what a checkpoint tells of it."""
    estate = Estate(held_by("unit"))
    panel, device, other = estate.put(DeviceKind.PANEL), estate.put(), estate.put()
    estate.says(panel, "shielded", 0)
    of_low(estate, device, 0.13, 10)
    kept = [msgspec.msgpack.encode(portion) for portion in estate.engine._suppression.save()]
    estate.put(DeviceKind.PANEL, number=panel, retired=True)
    assert turns(estate.tick(20)) == [("raise", "low", 20)]
    estate.says(panel, "shielded", 30, component="2")
    assert of_low(estate, other, 0.13, 40) == [("raise", "", False)]
    after = Estate(held_by("unit"))
    after.put(DeviceKind.PANEL, retired=True)
    after.put()
    after.engine = Engine(after.engine.rulebook, after.registry)  # which knows the devices from its start
    for portion in kept:
        after.engine._suppression.load(msgspec.msgpack.decode(portion))
    assert turns(after.tick(20)) == [("raise", "low", 20)]


def _raise(device: int, alert_class: AlertClass) -> Verdict:
    return Verdict(
        VerdictKind.RAISE, "low", 1, SubjectKind.DEVICE, f"unit/d{device}", "pressure", alert_class, 1, True, at(5),
        "火警", "Fire", device_number=device,
    )  # fmt: skip
