"""Several devices of a zone, a building, a unit, a main or behind a gateway together are one alert about that."""

import msgspec
import pytest
from estate import SOURCE, Estate, low, others, rule, turns
from scenario import at

from firetower.devices.kinds import DeviceKind
from firetower.rules.book.model import Rule
from firetower.rules.verdicts import SubjectKind, VerdictKind


def together(group: str, *clauses: dict[str, object], name: str = "together", **fields: object) -> Rule:
    """A combination; fields that belong to the condition go there."""
    own = {key: fields.pop(key) for key in list(fields) if key in {"none", "on_delay", "off_delay", "followed_within"}}
    return rule(name, "combination", {"group": group, "all": list(clauses), **own}, **fields)


THREE_LOW = {"rules": ["low"], "devices": 3}
ON_A_MAIN = together("main", THREE_LOW)


def on_main(estate: Estate, count: int, main: str = "M1") -> list[int]:
    return [estate.put(main=main) for _ in range(count)]


def test_as_many_as_asked_for_on_one_main_are_one_alert_about_the_main() -> None:
    """It is dated by the last of them, names them, and is over with the first that is well again."""
    estate = Estate(low(), ON_A_MAIN)
    first, second, third = on_main(estate, 3)
    elsewhere = estate.put(main="M2")
    for seconds, device in enumerate([first, elsewhere, second]):
        assert estate.measures(device, 0.13, seconds) == []
    (raised,) = estate.measures(third, 0.13, 9)
    assert raised.key == ("together", SubjectKind.MAIN, "M1", "")
    assert (raised.at, raised.device_number, raised.value, raised.limit) == (at(9), None, 3, 3)
    assert raised.text == "unit/d1, unit/d2, unit/d3"
    (over,) = estate.measures(second, 0.2, 20)
    assert (over.kind, over.key, over.at) == (VerdictKind.CLEAR, raised.key, at(20))


def test_devices_that_join_later_are_told_of_too() -> None:
    """Once for a batch, with how many and which there are by now; one that is well again is no news while it holds."""
    estate = Estate(low(), ON_A_MAIN)
    devices = on_main(estate, 7)
    for device in devices[:3]:
        said = estate.measures(device, 0.13, 0)
    assert [each.again for each in said] == [False]
    (more,) = others(estate.report(*((device, "pressure", 5, 0.13) for device in devices[3:6])))[-1:]
    assert (more.kind, more.again, more.at, more.value, more.limit) == (VerdictKind.RAISE, True, at(5), 6, 3)
    assert more.text == "unit/d1, unit/d2, unit/d3, unit/d4, unit/d5 +1"
    assert estate.measures(devices[0], 0.13, 8) == []
    assert estate.measures(devices[0], 0.2, 9) == []
    (again,) = estate.measures(devices[6], 0.13, 10)
    assert (again.again, again.value) == (True, 6)


@pytest.mark.parametrize(
    ("group", "labels", "subject", "kind"),
    [
        ("zone", {"zone": "A/3F/east"}, "unit/A/3F/east", SubjectKind.ZONE),
        ("building", {"zone": "A/3F/east"}, "unit/A", SubjectKind.ZONE),
        ("unit", {}, "unit", SubjectKind.UNIT),
        ("gateway", {"gateway": "gw"}, "unit/gw", SubjectKind.GATEWAY),
        ("main", {"main": "M"}, "M", SubjectKind.MAIN),
    ],
)
def test_the_alert_is_about_the_group(group: str, labels: dict[str, str], subject: str, kind: SubjectKind) -> None:
    estate = Estate(together(group, {"events": ["fault"], "devices": 2}))
    one, other = estate.put(**labels), estate.put(**labels)
    estate.says(one, "fault", 0)
    (raised,) = estate.says(other, "fault", 1)
    assert (raised.subject_kind, raised.subject, raised.device_number) == (kind, subject, None)


def test_a_device_without_the_group_belongs_to_none() -> None:
    estate = Estate(low(), together("main", {"rules": ["low"], "devices": 1}))
    assert estate.measures(estate.put(), 0.13, 0) == []


def test_two_conditions_of_one_device_are_an_alert_about_the_device() -> None:
    estate = Estate(low(), together("device", {"rules": ["low"]}, {"events": ["leak"]}))
    device = estate.put()
    estate.measures(device, 0.13, 0)
    (raised,) = estate.says(device, "leak", 5)
    assert (raised.subject_kind, raised.subject, raised.device_number) == (SubjectKind.DEVICE, "unit/d1", device)


def test_one_device_with_many_points_is_one_device() -> None:
    estate = Estate(together("unit", {"events": ["fault"], "devices": 2}))
    panel = estate.put(DeviceKind.PANEL)
    assert [estate.says(panel, "fault", 0, component=str(point)) for point in range(5)] == [[]] * 5


@pytest.mark.parametrize(("count", "raised"), [(10, True), (11, False)])
def test_a_share_is_of_the_devices_that_the_rules_watch(count: int, raised: bool) -> None:
    """3 of 10 hydrants are 30 %; others on the main, and those retired, do not count."""
    estate = Estate(low(kinds=["hydrant"]), together("main", {"rules": ["low"], "devices": 2, "share": "30 %"}))
    hydrants = on_main(estate, count)
    estate.put(DeviceKind.WATER_LEVEL, main="M1")
    estate.put(main="M1", retired=True)
    said = [each for device in hydrants[:3] for each in estate.measures(device, 0.1, 0)]
    assert turns(said) == [("raise", "together", 0)] * raised


@pytest.mark.parametrize(("last", "raised"), [(300, True), (300.001, False)])
def test_within_a_time_is_from_the_first_that_counts_to_the_last(last: float, raised: bool) -> None:
    """One that began long before does not count, and is none of the three."""
    estate = Estate(low(), together("main", THREE_LOW | {"within": "5min"}))
    devices = on_main(estate, 4)
    said = [
        each
        for device, seconds in zip(devices, (-1000, 0, 100, last), strict=True)
        for each in estate.measures(device, 0.13, seconds)
    ]
    assert turns(said) == ([("raise", "together", last)] if raised else [])


def test_a_clause_of_a_priority_counts_what_is_at_least_as_urgent_now() -> None:
    """Low is not very low; a band that rises joins, one that is closed again leaves."""
    estate = Estate(low(), together("main", {"rules": ["low"], "devices": 2, "priority": 2}))
    one, other = on_main(estate, 2)
    estate.measures(one, 0.05, 0)
    assert estate.measures(other, 0.13, 1) == []
    assert turns(estate.measures(other, 0.05, 2)) == [("raise", "together", 2)]
    assert turns(estate.measures(other, 0.2, 3)) == [("clear", "together", 3)]


def test_what_must_not_be_holds_it_back_and_ends_it() -> None:
    """A tank that falls while no pump runs is a leak; with the pump it is use."""
    falls = together("unit", {"rules": ["low"]}, none=[{"events": ["pump_start"]}])
    estate = Estate(low(kinds=["water_crane"]), falls)
    tank, pump = estate.put(DeviceKind.WATER_CRANE), estate.put(DeviceKind.PUMP_ROOM)
    estate.says(pump, "pump_start", 0)
    assert estate.measures(tank, 0.13, 1) == []
    assert turns(estate.says(pump, "pump_start", 2, active=False)) == [("raise", "together", 2)]
    assert turns(estate.says(pump, "pump_start", 3)) == [("clear", "together", 3)]


def test_delays_run_from_when_it_holds() -> None:
    estate = Estate(low(), together("main", THREE_LOW, on_delay="60s", off_delay="15min"))
    devices = on_main(estate, 3)
    for seconds, device in enumerate(devices):
        estate.measures(device, 0.13, seconds)
    assert estate.tick(61.999) == []
    assert turns(estate.tick(62)) == [("raise", "together", 62)]
    assert estate.measures(devices[0], 0.2, 70) == []
    assert turns(estate.tick(2000)) == [("clear", "together", 970)]


def test_a_delay_ends_only_if_nothing_ends_it_in_the_same_tick() -> None:
    """What a tick finds of the members comes before what it makes of the combination."""
    ends = rule("brief", "event", {"events": ["fault"], "off_delay": "10s"})
    estate = Estate(ends, together("unit", {"rules": ["brief"]}, on_delay="30s"))
    panel = estate.put(DeviceKind.PANEL)
    estate.says(panel, "fault", 0)
    estate.says(panel, "fault", 15, active=False)
    assert turns(estate.tick(100)) == [("clear", "brief", 25)]


def test_only_devices_of_the_rules_kinds_count() -> None:
    estate = Estate(together("unit", {"events": ["fault"], "devices": 2}, kinds=["panel"]))
    panels = [estate.put(DeviceKind.PANEL) for _ in range(2)]
    estate.says(estate.put(DeviceKind.SMOKE), "fault", 0)
    assert estate.says(panels[0], "fault", 1) == []
    assert turns(estate.says(panels[1], "fault", 2)) == [("raise", "together", 2)]


@pytest.mark.parametrize(("silent", "raised"), [(0, True), (600, True), (600.001, False), (-1, False)])
def test_what_follows_comes_after_and_soon(silent: float, raised: bool) -> None:
    """A fire, then within ten minutes the loss of its zone: a burnt line is not a recovery."""
    lost = together("zone", {"events": ["fire"]}, {"events": ["fault"]}, followed_within="10min")
    estate = Estate(lost)
    smoke, other = (estate.put(DeviceKind.SMOKE, zone="A/1/1") for _ in range(2))
    first, last = sorted([(0.0, smoke, "fire"), (silent, other, "fault")], key=lambda row: row[0])
    said = [each for seconds, device, event in (first, last) for each in estate.says(device, event, seconds)]
    assert turns(said) == ([("raise", "together", silent)] if raised else [])


def test_a_fire_that_came_later_is_followed_though_an_older_one_was_not() -> None:
    lost = together("zone", {"events": ["fire"]}, {"events": ["fault"]}, followed_within="10min")
    estate = Estate(lost)
    smokes = [estate.put(DeviceKind.SMOKE, zone="A/1/1") for _ in range(3)]
    estate.says(smokes[0], "fire", 0)
    estate.says(smokes[1], "fire", 1000)
    assert turns(estate.says(smokes[2], "fault", 1100)) == [("raise", "together", 1100)]


def test_a_device_that_is_retired_or_moves_leaves_its_group() -> None:
    estate = Estate(low(), together("main", {"rules": ["low"], "devices": 2}))
    one, other, third = on_main(estate, 3)
    estate.measures(one, 0.13, 0)
    estate.measures(other, 0.13, 1)
    estate.put(main="M2", number=other)
    assert turns(estate.tick(50)) == [("clear", "together", 50)]
    assert turns(estate.measures(third, 0.13, 60)) == [("raise", "together", 60)]
    estate.put(main="M1", number=third, retired=True)
    assert turns(estate.tick(70)) == [("clear", "together", 70)]


def test_a_rule_on_trial_counts_for_combinations_on_trial_only() -> None:
    live, trial = (
        together("unit", {"rules": ["low"]}, name=name, shadow=name == "trial") for name in ("live", "trial")
    )
    estate = Estate(low(shadow=True), live, trial)
    (raised,) = estate.measures(estate.put(), 0.13, 0)
    assert (raised.rule, raised.shadow) == ("trial", True)


def test_an_event_that_comes_late_does_not_count() -> None:
    """The point has said since that it is over."""
    estate = Estate(together("unit", {"events": ["fault"]}))
    panel = estate.put(DeviceKind.PANEL)
    assert estate.says(panel, "fault", 10, active=False) == []
    assert estate.says(panel, "fault", 5) == []
    assert turns(estate.says(panel, "fault", 11)) == [("raise", "together", 11)]


def test_what_is_only_recorded_counts_by_a_rule_over_it() -> None:
    """A pump's manual mode raises no alert, so a clause that names it would never be met: it is refused."""
    manual = rule("manual", "event", {"events": ["manual_mode"]})
    estate = Estate(manual, together("unit", {"rules": ["manual"]}))
    said = estate.says(estate.put(DeviceKind.PUMP_ROOM), "manual_mode", 5)
    assert turns(said) == [("raise", "manual", 5), ("raise", "together", 5)]
    with pytest.raises(AssertionError, match="'manual_mode' is recorded and raises no alert"):
        together("unit", {"events": ["manual_mode"]})


def test_a_units_silent_points_are_one_alert_about_its_link() -> None:
    """In the tick that finds them silent; it is over when most of them speak again."""
    silent = rule(
        "silent", "silence",
        {"of": "seen", "bands": [{"priority": 4, "after": "5min", "source": SOURCE}]}, **{"class": "offline"},
    )  # fmt: skip
    link = together("unit", {"rules": ["silent"], "devices": 3, "share": "80 %"}, name="link", **{"class": "offline"})
    estate = Estate(silent, link)
    devices = [estate.put(DeviceKind.SMOKE) for _ in range(5)]
    for device in devices:
        estate.heard(device, 0)
    estate.heard(devices[4], 299)
    said = estate.tick(301, 0)
    assert [each.rule for each in said] == ["silent"] * 4 + ["link"]
    assert (said[-1].subject_kind, said[-1].subject, said[-1].value, said[-1].limit) == (SubjectKind.UNIT, "unit", 4, 4)
    estate.heard(devices[0], 310)
    assert turns(estate.tick(311, 0)) == [("clear", "silent", 310), ("clear", "link", 310)]


def test_an_alert_names_a_few_devices_and_counts_the_others() -> None:
    estate = Estate(together("unit", {"events": ["fault"], "devices": 8}))
    devices = [estate.put() for _ in range(8)]
    said = [each for seconds, device in enumerate(devices) for each in estate.says(device, "fault", seconds)]
    assert said[0].text == "unit/d1, unit/d2, unit/d3, unit/d4, unit/d5 +3"


def test_members_and_delays_stand_in_the_checkpoint() -> None:
    """What is told again at the start is known; the third member makes it true, the delay runs on."""
    rules = (low(), together("main", THREE_LOW, on_delay="60s"))
    before, after = Estate(*rules), Estate(*rules)
    for estate in (before, after):
        devices = on_main(estate, 3)
    for seconds, device in enumerate(devices):
        before.measures(device, 0.13, seconds)
    for portion in before.engine._combinations.save():
        after.engine._combinations.load(msgspec.msgpack.decode(msgspec.msgpack.encode(portion)))
    assert after.measures(devices[0], 0.13, 3) == []
    assert turns(after.tick(62)) == [("raise", "together", 62)]


@pytest.mark.parametrize("change", [{"main": "M2"}, {"main": "M1", "retired": True}], ids=["moved", "retired"])
def test_a_device_that_left_its_main_after_the_checkpoint_counts_there_no_more(change: dict[str, object]) -> None:
    """Of three low hydrants one is of another main by now, or retired: two that are low are one too few, and stay so
    whatever the third says; what was raised is over at the first tick."""
    rules = (low(), ON_A_MAIN)
    before, after = Estate(*rules), Estate(*rules)
    for estate in (before, after):
        devices = on_main(estate, 4)
    for seconds, device in enumerate(devices[:3]):
        before.measures(device, 0.13, seconds)
    after.put(number=devices[0], **change)
    for portion in before.engine._combinations.save():
        after.engine._combinations.load(msgspec.msgpack.decode(msgspec.msgpack.encode(portion)))
    if "retired" not in change:  # of the other no alert is open any more
        after.registry.series(devices[0], 1, 0)
        after.engine.seed("low", devices[0], "pressure", 3, at(0))
    assert turns(after.tick(10)) == [("clear", "together", 10)]
    assert turns(after.measures(devices[3], 0.13, 20)) == [("raise", "together", 20)]
    assert turns(after.measures(devices[3], 0.2, 30)) == [("clear", "together", 30)]
    assert after.measures(devices[0], 0.2, 40) + after.measures(devices[0], 0.13, 50) == []


def test_open_alerts_are_the_members_at_a_start() -> None:
    """One main is as it was; of another a member recovered meanwhile; of a third the delay is half over."""
    estate = Estate(low(), together("main", {"rules": ["low"], "devices": 2}, on_delay="60s"))
    engine = estate.engine
    one, other = (on_main(estate, 2, main) for main in ("M1", "M3"))
    lonely = on_main(estate, 1, "M2")
    for device in (*one, *other, *lonely):
        estate.registry.series(device, 1, 0)
        engine.seed("low", device, "pressure", 3, at(-100 if device in one else -30))
    for main in ("M1", "M2"):
        assert engine.seed("together", None, "", 3, at(-40), subject=main)
    said = estate.tick(0.5)
    assert [(each.kind.value, each.subject) for each in said] == [("clear", "M2")]
    assert [(each.kind.value, each.subject, each.at) for each in estate.tick(31)] == [("raise", "M3", at(30))]


def test_what_forbids_it_at_the_same_instant_leaves_nothing_to_say() -> None:
    """An event that completes a combination, and a rule over the same event that forbids it: neither comes first."""
    both = rule("both", "event", {"events": ["power_lost", "tamper"], "all_of": True, "priority": 3})
    alone = together("device", {"events": ["tamper"]}, none=[{"rules": ["both"]}])
    estate = Estate(both, alone)
    device, other = estate.put(), estate.put()
    estate.says(device, "power_lost", 0)
    assert [said.rule for said in estate.says(device, "tamper", 5)] == ["both"]
    assert [said.rule for said in estate.says(other, "tamper", 6)] == ["together"]
