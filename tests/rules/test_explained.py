"""Why a rule did or did not fire is said as the engine decided it, in words that name the rule's own numbers."""

from dataclasses import replace
from typing import Any

from estate import SOURCE, Estate, low, rule
from scenario import at, brief

from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Readings
from firetower.rules.book.model import Calendar, Rule
from firetower.rules.book.rulebook import Rulebook
from firetower.rules.told.explain import Speaker
from firetower.rules.told.explained import Explained, explained
from firetower.rules.told.heard import Heard
from firetower.rules.verdicts import HISTORICAL, Verdict

ZONE = Calendar().zone


def said(
    estate: Estate,
    rules: tuple[Rule, ...],
    device: int,
    seconds: float,
    verdicts: list[Verdict] | None = None,
    *,
    newest: Readings | None = None,
) -> list[Explained]:
    """What is said of a device so many seconds after START, by what was decided of any."""
    heard = Heard(at(0), device, states=estate.engine.describe(device))
    heard.last_heard = int(estate.registry.last_seen[device])
    heard.decided(verdicts or [])
    heard.take(newest or Readings.empty())
    return explained(Rulebook(rules), estate.registry, device, heard, Speaker(at(seconds), ZONE))


def clock(seconds: float) -> str:
    return Speaker(at(seconds), ZONE).time(at(seconds))


def combined(**condition: Any) -> Rule:
    return rule("both", "combination", {"group": "zone", **condition})


def silent(name: str, **condition: Any) -> Rule:
    bands = [{"priority": 3, "intervals": 3, "at_least": "100s", "source": SOURCE}]
    return rule(name, "silence", {"of": "seen", "bands": bands, **condition}, **{"class": "offline"})


def test_a_member_on_trial_is_named_and_not_counted() -> None:
    """Two clauses, one of a rule on trial: both alarms stand, the combination does not, and the sentence says why."""
    rules = (low("low"), low("trial", shadow=True), combined(all=[{"rules": ["low"]}, {"rules": ["trial"]}]))
    estate = Estate(*rules)
    device = estate.put(zone="A/1/e")
    verdicts = estate.report((device, "pressure", 0, 0.12))
    assert {each[1] for each in brief(verdicts)} == {"low", "trial"}
    both = said(estate, rules, device, 0, verdicts)[-1]
    assert not both.active
    assert both.why == (
        f"unit/A/1/e: met: 1 device with low, 1 needed: unit/d1 (low since {clock(0)}); not met: no device with trial,"
        f" 1 needed, but unit/d1 (trial since {clock(0)}) is on trial and does not count"
    )


def test_how_many_devices_a_share_comes_to_is_said() -> None:
    """80 % of five are four, more than the three asked for at least; two of one needed are said as two."""
    rules = (
        low(),
        combined(all=[{"rules": ["low"], "devices": 3, "share": "80 %"}]),
        rule("any", "combination", {"group": "zone", "all": [{"rules": ["low"]}]}),
    )
    estate = Estate(*rules)
    devices = [estate.put(zone="A/1/e") for _ in range(5)]
    verdicts = estate.report((devices[0], "pressure", 0, 0.12), (devices[1], "pressure", 0, 0.12))
    both, one = said(estate, rules, devices[4], 0, verdicts)[-2:]
    assert "not met: 2 devices with low, 4 needed (80% of the 5 there, at least 3): unit/d1" in both.why
    assert "unit/A/1/e: met: 2 devices with low, 1 needed: unit/d1" in one.why
    assert one.active


def test_alarms_that_are_not_urgent_enough_or_too_far_apart_are_said_so() -> None:
    """A clause that asks for priority 2 leaves a yellow one aside; one of five minutes says that ten are too many."""
    urgent, near = {"rules": ["low"], "priority": 2}, {"rules": ["low"], "devices": 2, "within": "5min"}
    rules = (low(), combined(all=[urgent]), rule("near", "combination", {"group": "zone", "all": [near]}))
    estate = Estate(*rules)
    first, second = estate.put(zone="A/1/e"), estate.put(zone="A/1/e")
    verdicts = estate.report((first, "pressure", 0, 0.12)) + estate.report((second, "pressure", 600, 0.12))
    both, apart = said(estate, rules, first, 600, verdicts)[-2:]
    assert "no device with low, 1 needed, but unit/d1" in both.why
    assert "is of priority 3 and does not count" in both.why
    assert "not met: 2 devices with low, 2 needed that begin within 5min, but they began further apart" in apart.why


def test_a_reading_that_only_passes_over_is_in_order_and_the_reason_is_said() -> None:
    """A rise counts above 55 °C only: at 40 °C the reason is that, and never a figure nobody measured."""
    bands = [{"priority": 2, "limit": "10 °C", "clear": "5 °C", "source": SOURCE}]
    window = {"of": "rise", "over": "10min", "only": {"side": "above", "limit": "55 °C"}}
    rules = (rule("rising", "window", {**window, "side": "at_or_above", "bands": bands}, metric="cable_temperature"),)
    estate = Estate(*rules)
    device = estate.put(DeviceKind.ELECTRICAL)
    estate.report((device, "cable_temperature", 0, 20), (device, "cable_temperature", 60, 40))
    (rising,) = said(estate, rules, device, 60, newest=estate.readings((device, "cable_temperature", 60, 40)))
    assert (rising.why, rising.value) == ("40 °C is not above 55 °C, so it counts as in order", None)
    estate.report((device, "cable_temperature", 120, 60))
    (rising,) = said(estate, rules, device, 120)
    assert rising.why.startswith("rise over 10min: 40 °C is at or above 10 °C since")


def test_the_delay_of_a_backlog_ends_in_its_own_time() -> None:
    """The fifth of six minutes, come an hour late: it fires at the sixth, told an hour after that if nothing comes."""
    bands = [{"priority": 3, "limit": "0.14 MPa", "deadband": "0.02 MPa", "on_delay": "6min", "source": SOURCE}]
    rules = (rule("slow", "limit", {"side": "below", "bands": bands}, metric="pressure"),)
    estate = Estate(*rules)
    device = estate.put()
    estate.report(*[(device, "pressure", minute * 60.0, 0.12) for minute in range(6)], delay=3600)
    (slow,) = said(estate, rules, device, 300 + 3600)
    assert slow.bands[0].fires_at == at(360)
    assert slow.why == (
        f"0.12 MPa is below 0.14 MPa since {clock(0)}: 5min of 6min: it fires at {clock(360)} if it stays (the newest"
        f" reading is of {clock(300)}, but arrived at {clock(3900)}: without another one it is told at {clock(3960)})"
    )
    verdicts = estate.tick(3960)
    (slow,) = said(estate, rules, device, 3960, verdicts)
    assert (slow.active, slow.since) == (True, at(360))


def test_what_late_readings_say_is_told_as_of_the_past() -> None:
    """An alarm of the past does not stand; that there was one is said beside what is now."""
    rules = (low(),)
    estate = Estate(*rules)
    device = estate.put()
    (raised,) = estate.report((device, "pressure", 0, 0.12))
    estate.report((device, "pressure", 60, 0.3))
    (told,) = said(estate, rules, device, 60, [replace(raised, flags=(HISTORICAL,))])
    assert not told.active
    assert told.why == (
        f"0.3 MPa is in order, not below 0.14 MPa, since {clock(60)}; by readings that arrived late it fired at"
        f" {clock(0)}, as an alert of the past"
    )


def test_outside_its_schedule_a_rule_says_so_and_not_that_the_value_is_in_order() -> None:
    """0.12 MPa at half past four in the afternoon, under a rule of the night."""
    night = {"during": {"from": "22:00", "to": "06:00"}}
    rules = (low(schedule=night),)
    estate = Estate(*rules)
    device = estate.put()
    estate.report((device, "pressure", 0, 0.12))
    (told,) = said(estate, rules, device, 0)
    assert told.why == f"at {clock(0)} the rule's schedule was not active, so it counts as in order"
    assert told.schedule_active is False


def test_the_bounds_of_a_silence_rule_and_what_it_allows_are_its_own_numbers() -> None:
    """One for devices that sleep names its 12 to 25 hours; the other says both times in the same units."""
    rules = (silent("asleep", interval_from="12h", interval_below="25h"), silent("awake"))
    estate = Estate(*rules)
    device = estate.put()
    estate.heard(device, 0)
    asleep, awake = said(estate, rules, device, 12)
    assert asleep.why == "it is about devices that report every 12h to 25h, this one does every 1min"
    assert awake.why == f"last heard {clock(0)}, silent for 12s; allowed: 3min (priority 3)"
