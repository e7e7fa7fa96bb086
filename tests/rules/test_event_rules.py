"""Rules on what devices say: active, at many points, too often, missing, and events' own alerts made more urgent."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
from estate import Estate, rule, turns
from scenario import at

from firetower.core.clock import DAY, SECOND
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.model import Calendar, Rule, Span
from firetower.rules.steps import Batch
from firetower.rules.verdicts import VerdictKind
from firetower.rules.watches.points import Point, Points

MANUAL = rule("manual", "event", {"events": ["manual_mode"], "on_delay": "10min", "off_delay": "60s"})
BOTH = rule("both", "event", {"events": ["main_power_lost", "backup_power_lost"], "all_of": True, "priority": 1})
MANY = rule("many", "event", {"events": ["shielded"], "components": 3})
OFTEN = rule("often", "event", {"events": ["fault"], "count": 3, "within": "60s"})
TESTED = rule("tested", "event", {"events": ["pump_start"], "missing_for": "8d"}, kinds=["pump_room"])
DAYS = DAY / SECOND


def test_a_state_that_stays_is_raised_when_its_delay_is_over_and_ends_after_the_other_delay() -> None:
    """Both at their own instants, whenever the tick comes."""
    estate = Estate(MANUAL)
    pump = estate.put(DeviceKind.PUMP_ROOM)
    assert estate.says(pump, "manual_mode", 0) == []
    assert estate.tick(599.999) == []
    (raised,) = estate.tick(601)
    assert (raised.kind, raised.rule, raised.at, raised.subject) == (VerdictKind.RAISE, "manual", at(600), "unit/d1")
    assert estate.says(pump, "manual_mode", 700, active=False) == []
    assert turns(estate.tick(800)) == [("clear", "manual", 760)]


def test_a_state_that_ends_before_its_delay_raises_nothing() -> None:
    estate = Estate(MANUAL)
    pump = estate.put(DeviceKind.PUMP_ROOM)
    assert estate.says(pump, "manual_mode", 0) + estate.says(pump, "manual_mode", 599, active=False) == []
    assert estate.tick(10_000) == []


def test_a_delay_that_was_over_before_the_state_ended_is_told_with_it() -> None:
    """No tick came in between: a backlog decides what a live stream would have."""
    estate = Estate(MANUAL)
    pump = estate.put(DeviceKind.PUMP_ROOM)
    estate.says(pump, "manual_mode", 0)
    assert turns(estate.says(pump, "manual_mode", 600, active=False)) == [("raise", "manual", 600)]


def test_thousands_that_are_due_at_once_are_told_in_turns_each_at_its_own_instant() -> None:
    """A district loses its power: 1,200 delays end in one tick, none is lost and none is told late in its own time."""
    estate = Estate(rule("dark", "event", {"events": ["main_power_lost"], "on_delay": "60s"}))
    panels = [estate.put(DeviceKind.PANEL) for _ in range(1200)]
    estate.engine.evaluate(
        Batch(estate.readings(), at(0), [estate.event(each, "main_power_lost", 0) for each in panels])
    )
    said = [estate.tick(seconds) for seconds in (100, 101, 102, 103)]
    assert [len(each) for each in said] == [500, 500, 200, 0]
    assert {each.at for tick in said for each in tick} == {at(60)}
    assert len({each.subject for tick in said for each in tick}) == 1200


def test_all_of_several_events_is_all_of_them_at_once() -> None:
    """Main and backup power lost is red; one of them is the event's own alert and no more."""
    estate = Estate(BOTH)
    panel = estate.put(DeviceKind.PANEL)
    assert estate.says(panel, "main_power_lost", 0) == []
    (raised,) = estate.says(panel, "backup_power_lost", 5)
    assert (raised.rule, raised.priority, raised.at) == ("both", 1, at(5))
    assert turns(estate.says(panel, "main_power_lost", 9, active=False)) == [("clear", "both", 9)]


def test_points_are_counted_once_each() -> None:
    """The third shielded point raises; a point that says so twice is one."""
    estate = Estate(MANY)
    panel = estate.put(DeviceKind.PANEL)
    for seconds, point in enumerate(["1", "2", "2"]):
        assert estate.says(panel, "shielded", seconds, component=point) == []
    (raised,) = estate.says(panel, "shielded", 5, component="3")
    assert (raised.value, raised.limit, raised.component) == (3, 3, "")
    assert turns(estate.says(panel, "shielded", 6, component="1", active=False)) == [("clear", "many", 6)]


def test_a_rule_on_one_point_hears_no_other() -> None:
    estate = Estate(rule("door", "event", {"events": ["fault"], "component": "door"}))
    panel = estate.put(DeviceKind.PANEL)
    assert estate.says(panel, "fault", 0, component="lamp") == []
    (raised,) = estate.says(panel, "fault", 1, component="door")
    assert (raised.rule, raised.component) == ("door", "door")


@pytest.mark.parametrize(("last", "raised"), [(60, True), (60.001, False)])
def test_often_is_as_many_beginnings_within_the_time_its_ends_included(last: float, raised: bool) -> None:
    estate = Estate(OFTEN)
    panel = estate.put(DeviceKind.PANEL)
    said = []
    for seconds in (0, 30, last):
        said += estate.says(panel, "fault", seconds)
        said += estate.says(panel, "fault", seconds + 0.0005, active=False)
    over = [("raise", "often", last), ("clear", "often", last)]  # said with the next word, a moment later
    assert turns(said) == (over if raised else [])


def test_often_is_over_once_the_first_of_them_is_too_long_ago() -> None:
    estate = Estate(OFTEN)
    panel = estate.put(DeviceKind.PANEL)
    for seconds in (0, 20, 40):
        estate.says(panel, "fault", seconds)
        estate.says(panel, "fault", seconds + 1, active=False)
    assert estate.tick(60) == []
    assert turns(estate.tick(61)) == [("clear", "often", 60)]


def test_a_fault_that_stays_and_is_said_again_began_once() -> None:
    estate = Estate(OFTEN)
    panel = estate.put(DeviceKind.PANEL)
    assert [estate.says(panel, "fault", seconds) for seconds in range(10)] == [[]] * 10


def test_what_does_not_come_is_missing_from_the_registration_on_and_ends_with_the_next() -> None:
    """No automatic start in eight days."""
    estate = Estate(TESTED)
    pump, _ = estate.put(DeviceKind.PUMP_ROOM), estate.put(DeviceKind.PANEL)
    assert estate.tick(8 * DAYS - 1) == []
    (raised,) = estate.tick(8 * DAYS + 5)
    assert (raised.subject, raised.at) == ("unit/d1", at(8 * DAYS))
    assert estate.tick(9 * DAYS) == []
    assert turns(estate.says(pump, "pump_start", 9 * DAYS)) == [("clear", "tested", 9 * DAYS)]
    assert estate.says(pump, "pump_start", 9 * DAYS + 60, active=False) == []
    assert turns(estate.tick(18 * DAYS)) == [("raise", "tested", 17 * DAYS)]


def test_a_retired_device_misses_nothing() -> None:
    estate = Estate(TESTED)
    estate.put(DeviceKind.PUMP_ROOM)
    estate.tick(9 * DAYS)
    estate.put(DeviceKind.PUMP_ROOM, number=1, retired=True)
    assert turns(estate.tick(10 * DAYS)) == [("clear", "tested", 10 * DAYS)]
    assert estate.tick(30 * DAYS) == []


def test_what_the_store_knows_of_the_last_event_counts_at_a_start() -> None:
    estate = Estate(TESTED)
    pump = estate.put(DeviceKind.PUMP_ROOM)
    assert estate.engine.awaited == {"pump_start"}
    estate.engine.seed_last(pump, "pump_start", at(5 * DAYS))
    assert estate.tick(13 * DAYS - 1) == []
    assert turns(estate.tick(13 * DAYS)) == [("raise", "tested", 13 * DAYS)]


def test_an_open_alert_of_the_event_is_the_event_though_it_is_told_again() -> None:
    """The pump's last start is an alert nobody has dealt with yet: it was not missing since."""
    estate = Estate(TESTED)
    pump = estate.put(DeviceKind.PUMP_ROOM)
    estate.engine.seed("event:pump_start", pump, "P1", 2, at(5 * DAYS))
    estate.engine.warm(
        Batch(estate.readings(), at(9 * DAYS), [estate.event(pump, "pump_start", 5 * DAYS, component="P1")])
    )
    assert estate.tick(9 * DAYS) == []
    assert turns(estate.tick(14 * DAYS)) == [("raise", "tested", 13 * DAYS)]


def test_a_rule_makes_the_events_own_alert_more_urgent_under_its_own_key() -> None:
    """A fault of a pump room is orange; that of a panel stays as it is, and no rule makes an alert less urgent."""
    sharper = rule(
        "pump-fault", "event", {"events": ["fault"], "own_alert": True, "priority": 2}, kinds=["pump_room"],
        **{"class": "fault"},
    )  # fmt: skip
    estate = Estate(sharper)
    pump, panel = estate.put(DeviceKind.PUMP_ROOM), estate.put(DeviceKind.PANEL)
    events = [estate.event(device, "fault", 0, component="P1") for device in (pump, panel)]
    ours, theirs = estate.engine.evaluate(Batch(estate.readings(), at(0), events))
    assert (ours.key, ours.priority, ours.title_en) == (("event:fault", "device", "unit/d1", "P1"), 2, "pump-fault")
    assert (theirs.key, theirs.priority, theirs.title_en) == (("event:fault", "device", "unit/d2", "P1"), 3, "Fault")


def test_a_rule_on_trial_leaves_the_events_own_alert_alone() -> None:
    trial = rule(
        "t1", "event", {"events": ["fault"], "own_alert": True, "priority": 2}, shadow=True, **{"class": "fault"}
    )
    estate = Estate(trial)
    panel = estate.put(DeviceKind.PANEL)
    (own,) = estate.engine.evaluate(Batch(estate.readings(), at(0), [estate.event(panel, "fault", 0)]))
    assert (own.priority, own.shadow, own.title_en) == (3, False, "Fault")


@pytest.mark.parametrize("again", [3.0, 2.0])
def test_what_is_late_or_said_twice_changes_no_state(again: float) -> None:
    """The end of a state stands, whatever of before comes after it; its own verdict is judged as always."""
    estate = Estate(rule("any", "event", {"events": ["fault"]}))
    panel = estate.put(DeviceKind.PANEL)
    estate.says(panel, "fault", 3)
    estate.says(panel, "fault", 3, active=False)
    late = estate.engine.evaluate(Batch(estate.readings(), at(9), [estate.event(panel, "fault", again)]))
    assert [each.rule for each in late] == ["event:fault"]
    assert turns(estate.says(panel, "fault", 4)) == [("raise", "any", 4)]


def test_senders_nobody_registered_get_the_verdict_of_their_event_alone() -> None:
    estate = Estate(rule("any", "event", {"events": ["fault"]}))
    stranger = Event("unit", "nobody", None, "fault", True, "", "", at(0), at(0), None)
    said = estate.engine.evaluate(Batch(estate.readings(), at(0), [stranger]))
    assert [each.rule for each in said] == ["event:fault"]


def test_a_schedule_begins_and_ends_what_is_active_at_its_own_instants() -> None:
    """START is 16:26:40 in Shanghai; the rule is active from 16:30 to 17:00."""
    watched = rule("night", "event", {"events": ["fault"]}, schedule={"during": "night"})
    calendar = Calendar(spans={"night": Span.model_validate({"from": "16:30", "to": "17:00"})})
    estate = Estate(watched, calendar=calendar)
    panel = estate.put(DeviceKind.PANEL)
    assert estate.says(panel, "fault", 10) == []
    assert turns(estate.tick(300)) == [("raise", "night", 200)]
    assert turns(estate.tick(3000)) == [("clear", "night", 2000)]


def test_a_delay_is_measured_from_the_arrival_where_the_devices_clock_is_wrong() -> None:
    """A panel 10 min behind, or ahead: 60 s after its alarm came the delay is over, dated as the panel dates it."""
    for behind in (600, 0, -300):
        estate = Estate(rule("dark", "event", {"events": ["fault"], "on_delay": "60s"}))
        alarm = estate.event(estate.put(DeviceKind.PANEL), "fault", -behind)
        alarm = replace(alarm, received_at=at(0))
        assert [each.rule for each in estate.engine.evaluate(Batch(estate.readings(), at(0), [alarm]))] == [
            "event:fault"
        ]
        assert estate.tick(1) + estate.tick(59) == []
        assert turns(estate.tick(60)) == [("raise", "dark", 60 - behind)]


def test_beginnings_before_a_start_count_though_the_event_is_active_by_an_open_alert() -> None:
    """Three within a minute: two are stored, of which the second is open; the third comes after the start."""
    live, again = Estate(OFTEN), Estate(OFTEN)
    for estate in (live, again):
        panel = estate.put(DeviceKind.PANEL)
    words = [(0, True), (10, False), (20, True), (30, False), (40, True)]
    stored = [live.event(panel, "fault", seconds, active=active) for seconds, active in words[:3]]
    live.engine.evaluate(Batch(live.readings(), at(20), stored))
    again.engine.seed("event:fault", panel, "", 3, at(20))
    for _ in range(2):  # some of what is stored is given twice
        again.engine.warm(Batch(again.readings(), at(20), stored))
    for estate in (live, again):
        assert estate.tick(25) + estate.says(panel, "fault", 30, active=False) == []
        assert turns(estate.says(panel, "fault", 40)) == [("raise", "often", 40)]


def test_beginnings_of_a_checkpoint_that_are_stored_too_count_once() -> None:
    """The checkpoint knows of the first; it is replayed with the second, which is open: two are no three."""
    before = Estate(OFTEN)
    pump = before.put(DeviceKind.PUMP_ROOM)
    words = [
        before.event(pump, "fault", seconds, active=active) for seconds, active in [(0, True), (10, False), (20, True)]
    ]
    before.engine.evaluate(Batch(before.readings(), at(10), words[:2]))
    after = _restarted(before, OFTEN)
    after.engine.seed("event:fault", pump, "", 3, at(20))
    after.engine.warm(Batch(after.readings(), at(20), words))
    assert after.tick(25) + after.says(pump, "fault", 30, active=False) == []
    assert turns(after.says(pump, "fault", 40)) == [("raise", "often", 40)]


def _restarted(before: Estate, *rules: Rule) -> Estate:
    """An estate with the same devices that takes over the watches' state as a checkpoint holds it."""
    after = Estate(*rules)
    for _ in range(before.count):
        after.put(DeviceKind.PUMP_ROOM)
    for portion in before.engine._events.save():
        after.engine._events.load(msgspec.msgpack.decode(msgspec.msgpack.encode(portion)))
    return after


def test_a_delay_half_over_stays_half_over_with_the_checkpoint() -> None:
    rules = (MANUAL, OFTEN, TESTED)
    before = Estate(*rules)
    pump = before.put(DeviceKind.PUMP_ROOM)
    before.says(pump, "manual_mode", 0)
    before.says(pump, "fault", 0)
    before.says(pump, "fault", 1, active=False)
    before.says(pump, "fault", 2)
    before.says(pump, "pump_start", 100)
    after = _restarted(before, *rules)
    assert after.says(pump, "manual_mode", 0) == []  # told again
    assert turns(after.tick(601)) == [("raise", "manual", 600)]
    assert after.says(pump, "fault", 602, active=False) == []
    assert turns(after.tick(9 * DAYS)) == [("raise", "tested", 8 * DAYS + 100)]


def test_a_delay_half_over_stays_half_over_with_the_open_alerts_alone() -> None:
    """The event's own alert is open, the rule's is not yet; of another pump both are."""
    slow = rule("slow", "event", {"events": ["fault"], "on_delay": "10min"})
    estate = Estate(slow)
    pump, other = estate.put(DeviceKind.PUMP_ROOM), estate.put(DeviceKind.PUMP_ROOM)
    for device in (pump, other):
        assert estate.engine.seed("event:fault", device, "P1", 3, at(0))
    assert estate.engine.seed("slow", other, "", 3, at(-100))
    assert estate.tick(300) == []
    assert turns(estate.tick(700)) == [("raise", "slow", 600)]
    assert turns(estate.says(other, "fault", 710, component="P1", active=False)) == [("clear", "slow", 710)]


def test_of_many_points_that_are_active_each_word_is_judged_without_a_look_at_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A panel may shield its thousands of points at once: what a word costs must not grow with them."""
    estate = Estate(rule("many", "event", {"events": ["shielded"], "components": 3}))
    panel = estate.put(DeviceKind.PANEL)
    looked = 0
    active = Points.active

    def counted(points: Points, device: int) -> Iterator[tuple[Point, int]]:
        nonlocal looked
        for each in active(points, device):
            looked += 1
            yield each

    monkeypatch.setattr(Points, "active", counted)
    said = [turns(estate.says(panel, "shielded", n, component=str(n))) for n in range(500)]
    said += [turns(estate.says(panel, "shielded", 500 + n, component=str(n), active=False)) for n in range(498)]
    assert [each for each in said if each] == [[("raise", "many", 2)], [("clear", "many", 997)]]
    assert looked < 5 * len(said)
