"""The validator, form by form: what each refuses, and that it says value, place and what is accepted."""

import pytest
from rule_texts import (
    ALL,
    BURST,
    CONFIRMED,
    COUNT,
    COUNTED,
    EVENT,
    FIRE,
    GAP,
    IMBALANCE,
    LOW,
    MISSING,
    NO_LIMIT,
    OUTSIDE,
    OWN,
    PATTERN,
    PREALARM,
    RATE,
    SILENT,
    TREND,
    WINDOW,
    book,
    problems,
)

from firetower.rules.book.rulebook import load_texts

CALENDAR = "spans: {night: {from: 22:00, to: 06:00}}, holidays: [2026-10-01], working_days: [2026-10-10]"


def test_one_rule_of_each_form_and_a_calendar_are_a_sound_rulebook() -> None:
    made = load_texts({"mine.yaml": book(*ALL, calendar=CALENDAR)})
    assert len(made.rules) == len(ALL)
    assert made.calendar.holidays == {"2026-10-01"}
    assert made.where["burst"].startswith("mine.yaml:")


BROKEN = [
    # the rule, what to replace, by what, the field named, parts the message must have
    (RATE, "-0.01 MPa/min", "-0.01 MPa", "bands[1].limit", ["-0.01 MPa", "accepted: MPa/min"]),
    (RATE, "per: min", "per: h", "bands[1].limit", ["MPa/min is not the unit", "accepted: MPa/h"]),
    (RATE, "over: 5min", "over: 10s", "rate.over", ["10s", "accepted: 12s to 60d"]),
    (RATE, "over: 5min", "over: 61d", "rate.over", ["61d", "accepted: 12s to 60d"]),
    (RATE, "over: 5min", "over: 5min, samples: 1", "rate.samples", ["1", "accepted: 2 to 100"]),
    (RATE, "per: min", "per: min, only: {side: above, limit: 1 m}", "only.limit", ["1 m", "accepted: MPa"]),
    (RATE, "clear: -0.005", "clear: -0.02", "bands[1].clear", ["wrong side", "above the limit -0.01 MPa/min"]),
    (RATE, "metric: pressure", "metric: presure", "metric", ["'presure' is no metric", "accepted: pressure"]),
    (WINDOW, "    metric: pressure\n", "", "metric", ["is missing", "a window needs the metric"]),
    (WINDOW, "of: spread", "of: sum", "window.of", ["'sum' of pressure", "sum of water_used"]),
    (WINDOW, "of: spread", "of: variance", "window.of", ["'variance' is refused", "stdev"]),
    (WINDOW, "over: 1h", "over: 1h, span: 2h", "window.span", ["2h", "0s to 55min"]),
    (WINDOW, "over: 1h", "over: 1h, counting: {side: above, limit: 1 MPa}", "window.counting", ["of: count only"]),
    (WINDOW, "0.2 MPa", "5 readings", "bands[1].limit", ["readings is not the unit of pressure", "accepted: MPa"]),
    (COUNT, "limit: 0.1 MPa", "limit: 0.1 kPa", "counting.limit", ["0.1 kPa", "accepted: MPa"]),
    (COUNT, "5 readings", "5 MPa", "bands[1].limit", ["MPa is not the unit of a count", "accepted: readings"]),
    (PATTERN, "learning: 7d", "learning: 12h", "pattern.learning", ["12h", "accepted: 24h to 60d"]),
    (PATTERN, "learning: 7d, ", "", "pattern.learning", ["is missing"]),
    (TREND, "7 d,", "7 V,", "bands[1].limit", ["7 V", "accepted: d"]),
    (TREND, "to: 2.8 V", "to: 2.8 MPa", "trend.to", ["2.8 MPa", "accepted: V"]),
    (TREND, "side: below", "side: above", "trend.side", ["'above' for days left", "accepted: below, at_or_below"]),
    (TREND, "7 d,", "0 d,", "bands[1].limit", ["0 d", "more than 0 d"]),
    (IMBALANCE, "[a, b]", "[a, a]", "imbalance.channels", ["a, a", "twice", "keep one"]),
    (IMBALANCE, "[a, b]", "[a]", "imbalance.channels", ["2"]),
    (IMBALANCE, "within: 5min", "within: 25h", "imbalance.within", ["25h", "accepted: 1s to 24h"]),
    (IMBALANCE, "least: 5 A", "least: 0 A", "imbalance.least", ["0 A", "more than 0 A"]),
    (IMBALANCE, "least: 5 A", "least: 5 mA", "imbalance.least", ["5 mA", "accepted: A"]),
    (IMBALANCE, "30 %", "30 A", "bands[1].limit", ["30 A", "not the unit of an imbalance", "accepted: %"]),
    (IMBALANCE, "side: above", "side: outside", "imbalance.side", ["'outside'", "above, at_or_above"]),
    (OUTSIDE, "{low: 198 V, high: 242 V}", "242 V", "bands[1].limit", ["242 V for side outside", "{low: 198 V"]),
    (OUTSIDE, "high: 242 V", "high: 190 V", "bands[1].limit", ["is not a range", "low below high"]),
    (OUTSIDE, "deadband: 4 V", "clear: 230 V", "bands[1].clear", ["two ends", "accepted: deadband"]),
    (OUTSIDE, "deadband: 4 V", "deadband: 22 V", "bands[1].deadband", ["leaves nothing", "less than 22 V"]),
    (OUTSIDE, "deadband: 4 V, ", "", "bands[1].limit", ["no way back", "deadband, or latch"]),
    (OUTSIDE, "side: outside", "side: above", "bands[1].limit", ["198 to 242 V for side above", "side: outside"]),
    (OUTSIDE, "side: outside", "side: outside, of_last: {n: 1, m: 2}", "of_last", ["side: outside", "two rules"]),
    (LOW, "side: below", "side: below, of_last: {n: 3, m: 2}", "of_last.n", ["3 of the last 2", "1 to 2"]),
    (LOW, "side: below", "side: below, of_last: {n: 1, m: 17}", "of_last.m", ["17", "16"]),
    (EVENT, "cover_open, tilt", "cover_open, tillt", "events[2]", ["'tillt' is no event", "fire, manual_call"]),
    (EVENT, "cover_open, tilt", "tilt, tilt", "events[2]", ["'tilt' stands there twice"]),
    (EVENT, "priority: 3", "priority: 3, all_of: true, missing_for: 1h", "event.all_of", ["beside missing_for"]),
    (EVENT, "[cover_open, tilt]", "[tilt], all_of: true", "event.all_of", ["of one event"]),
    (EVENT, "priority: 3", "priority: 3, component: a, components: 2", "event.components", ["names one point"]),
    (EVENT, "priority: 3", "priority: 3, within: 1h", "event.count", ["missing", "within needs it"]),
    (EVENT, "condition", "metric: flow\n    condition", "metric", ["'flow' beside event", "remove it"]),
    (EVENT, "class: hazard", "class: offline", "class", ["offline for event", "hazard"]),
    (COUNTED, ", within: 1h", "", "event.within", ["missing", "count needs it"]),
    (COUNTED, "within: 1h", "within: 1h, on_delay: 1min", "event.on_delay", ["beside count"]),
    (MISSING, "priority: 3", "priority: 3, on_delay: 1s", "event.on_delay", ["beside missing_for", "no use for it"]),
    (OWN, "priority: 2", "priority: 2, latch: true", "event.latch", ["beside own_alert"]),
    (OWN, "priority: 2", "priority: 4", "event.priority", ["4 is lower than that of 'removed'", "1 to 3"]),
    (OWN, "class: fault", "class: hazard", "class", ["hazard for the own alert of 'removed'", "accepted: fault"]),
    (OWN, "[removed]", "[reset]", "event.events", ["'reset' raises no alert of its own"]),
    (GAP, ", over: 1h", "", "quality", ["over", "missing", "samples and over"]),
    (GAP, "samples: 5", "samples: 5, clear: 1min", "quality.clear", ["no use for sequence_gap"]),
    (NO_LIMIT, "attributes: [level_low], ", "", "quality.attributes", ["missing", "no_limit needs attributes"]),
    (NO_LIMIT, "[level_low]", "[level_low, level_low]", "quality.attributes", ["twice", "keep one"]),
    (NO_LIMIT, "priority: 4", "priority: 4, samples: 2", "quality.samples", ["no use for no_limit"]),
    (GAP, "samples: 5", "samples: 5, attributes: [a]", "quality.attributes", ["no use for sequence_gap"]),
    (SILENT, "intervals: 3", "intervals: 3, at_least: 2h, at_most: 1h", "bands[1].at_most", ["1h is under", "2h"]),
    (SILENT, "kinds: [hydrant]", "kinds: [hydrant]\n    metric: flow", "metric", ["'flow' beside silence"]),
    (BURST, "rules: [falling]", "rules: [faling]", "all[1].rules[1]", ["'faling' is no rule", "burst, falling"]),
    (BURST, "rules: [falling]", "rules: [burst]", "all[1].rules[1]", ["'burst' is a combination itself"]),
    (BURST, "rules: [falling], ", "", "all[1]", ["names nothing"]),
    (BURST, "rules: [falling]", "events: [fell]", "all[1].events[1]", ["'fell' is no event"]),
    (BURST, "devices: 3, ", "", "all[1].within", ["devices: 2 or more"]),
    (BURST, "share: 30 %", "share: 0 %", "all[1].share", ["'0 %' is not a share", "30 %"]),
    (BURST, "group: main", "group: device", "all[1].share", ["of one device", "zone, building"]),
    (BURST, "group: main", "group: main, followed_within: 1h", "followed_within", ["nothing that follows"]),
    (BURST, "group: main", "group: street", "combination.group", ["'street' is refused", "gateway"]),
    (BURST, "priority: 2", "priority: 2, none: [{}]", "none[1]", ["names nothing"]),
    (CONFIRMED, "class: fire", "class: hazard", "class", ["hazard for confirmation", "accepted: fire"]),
    (CONFIRMED, "within: 10min", "within: 2s", "confirmation.within", ["2s", "10s to 24h"]),
    (LOW, "condition: {limit", "condition: {event: {events: [tilt], priority: 3, source: 'J, x'}, limit", "condition",
     ["holds limit and event", "exactly one of limit, rate"]),
    (LOW, "condition: {", "schedule: {}\n    condition: {", "schedule", ["says no time", "days, during or season"]),
    (LOW, "condition: {", "schedule: {during: noon}\n    condition: {", "during", ["'noon' is no span", "none"]),
    (LOW, "condition: {", "schedule: {during: {from: 25:00, to: 06:00}}\n    condition: {", "during.from",
     ["'25:00' is refused", "22:00"]),
    (LOW, "condition: {", "schedule: {during: {from: 06:00, to: 06:00}}\n    condition: {", "during.to", ["'06:00'"]),
    (LOW, "condition: {", "schedule: {season: {from: 11-15, to: 02-30}}\n    condition: {", "season.to",
     ["'02-30' is no day", "11-15"]),
    (LOW, "condition: {", "schedule: {days: [sunday]}\n    condition: {", "days[1]", ["'sunday' is", "holiday"]),
    (SILENT, "condition: {", "schedule: {days: [holiday]}\n    condition: {", "schedule", ["always active"]),
    (LOW, "condition: {", "suppressed: {rules: [high], reason: {zh: 因, en: x}}\n    condition: {",
     "suppressed.rules[1]", ["'high' is no rule", "accepted: falling, low"]),
    (LOW, "condition: {", "suppressed: {rules: [low], reason: {zh: 因, en: x}}\n    condition: {", "suppressed.rules",
     ["'low' would hold itself back"]),
    (LOW, "condition: {", "suppressed: {reason: {zh: 因, en: x}}\n    condition: {", "suppressed", ["names nothing"]),
    (LOW, "condition: {", "suppressed: {events: [smell], reason: {zh: 因, en: x}}\n    condition: {",
     "suppressed.events[1]", ["'smell' is no event"]),
    (FIRE, "side: at_or_above", "side: at_or_above, of_last: {n: 1, m: 2}", "of_last", ["class fire", "never held"]),
    (PREALARM, "condition: {", "loosened: {by: Wang, approved_by: 'wang ', backtest: b1, reason: x}\n    condition: {",
     "loosened.approved_by", ["asked for it, too", "a second person"]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "old", "new", "named", "parts"), BROKEN)
def test_a_form_refuses_what_it_cannot_be_and_names_the_field(
    rule: str, old: str, new: str, named: str, parts: list[str]
) -> None:
    assert old in rule
    text = book(RATE, rule.replace(old, new, 1)) if rule is not RATE else book(rule.replace(old, new, 1))
    found = problems(text)
    first = text.index(new or "condition", text.rindex("  - id"))
    around = text.count("\n", 0, first) + 1
    assert any(
        named in problem.split(": ")[1] + problem.split(": ")[2] and all(part in problem for part in parts)
        for problem in found
    ), found
    assert {int(problem.split(":")[1]) for problem in found} <= set(range(around - 7, around + 3)), found


def test_a_rule_that_needs_its_window_is_not_beside_a_range_with_only() -> None:
    text = WINDOW.replace("side: above", "side: outside, only: {side: above, limit: 1 MPa}").replace(
        "limit: 0.2 MPa, clear: 0.1 MPa", "limit: {low: 0 MPa, high: 1 MPa}, deadband: 0.1 MPa"
    )
    (problem,) = problems(book(text))
    assert "window.only: beside side: outside; accepted: two rules" in problem


def test_a_combination_does_not_name_a_rule_that_has_no_alert_of_its_own() -> None:
    (problem,) = problems(book(OWN, BURST.replace("falling", "removed-here")))
    assert "'removed-here' only changes the alert of an event; accepted: that event, under events" in problem


def test_rules_that_hold_one_another_back_are_refused_however_long_the_way() -> None:
    """Each would hide the other, and nothing would be seen. A combination over a rule may hold it back."""

    def held(name: str, by: str) -> str:
        more = f"suppressed: {{rules: [{by}], reason: {{zh: 因, en: x}}}}\n    condition: {{"
        return LOW.replace("id: low", f"id: {name}").replace("condition: {", more)

    two = problems(book(held("a1", "b1"), held("b1", "a1")))
    assert ["'b1' is held back by 'a1': all of them would be hidden" in each for each in two] == [True, False]
    three = problems(book(held("a1", "b1"), held("b1", "c1"), held("c1", "a1")))
    assert len(three) == 3
    assert "suppressed.rules[1]: 'b1' is held back by 'c1' by 'a1': all of them would be hidden" in three[0]
    assert problems(book(held("a1", "b1"), held("b1", "low"), LOW)) == []
    assert problems(book(BURST.replace("falling", "a1"), held("a1", "burst"))) == []


def test_worse_ranges_lie_around_milder_ones() -> None:
    two = OUTSIDE.replace(
        "bands: [", "bands: [{priority: 4, limit: {low: 190 V, high: 250 V}, deadband: 4 V, source: 'J, x'}, "
    )
    (problem,) = problems(book(two))
    assert "bands[2].limit: 198 to 242 V after 190 to 250 V" in problem
    assert "accepted: a range around 190 to 250 V" in problem


def test_a_second_confirmation_is_refused_at_its_line() -> None:
    (problem,) = problems(book(FIRE, CONFIRMED, CONFIRMED.replace("id: confirmed", "id: again")))
    assert problem.startswith("mine.yaml:23: rules[3].condition: is a second confirmation beside 'confirmed'")


CALENDARS = [
    ("zone: Asia/Shangai", "zone: 'Asia/Shangai' is no time zone; accepted: an IANA name"),
    ("zone: ../Shanghai", "zone: '../Shanghai' is no time zone"),
    ("holidays: [2026-02-30]", "holidays: '2026-02-30' is no day"),
    ("holidays: [Monday]", "holidays[1]: 'Monday' is refused"),
    ("holidays: [2026-10-01], working_days: [2026-10-01]", "working_days: '2026-10-01' is among the holidays, too"),
    ("spans: {night: {from: 22:00, to: 22:00}}", "spans.night.to: '22:00' is where it begins"),
    ("spans: {night: {from: 22, to: 06:00}}", "spans.night.from: 22 is refused; accepted: a time of day"),
]


@pytest.mark.parametrize(("calendar", "says"), CALENDARS)
def test_a_calendar_names_days_and_times_that_are(calendar: str, says: str) -> None:
    (problem,) = problems(book(LOW, calendar=calendar))
    assert problem.startswith("mine.yaml:10: calendar.")
    assert says in problem


def test_a_rulebook_has_one_calendar_and_a_second_one_names_the_first() -> None:
    (problem,) = problems(book(LOW, calendar=CALENDAR), days=f"calendar: {{{CALENDAR}}}")
    assert problem.startswith("mine.yaml:10: calendar: stands at days.yaml:1 already")


def test_a_calendar_may_stand_in_a_file_of_its_own_and_rules_name_its_spans() -> None:
    night = LOW.replace("condition: {", "schedule: {during: night}\n    condition: {", 1)
    assert problems(book(night), days=f"calendar: {{{CALENDAR}}}") == []


def test_a_rulebook_without_a_rule_watches_nothing() -> None:
    assert problems(f"calendar: {{{CALENDAR}}}") == ["as given: holds no rule; a city without rules is not watched"]
