"""Overrides of the rulebook: what each makes of its rule, and what is refused at its line."""

import pytest
from rule_texts import BURST, CONFIRMED, FIRE, LOW, PREALARM, RATE, SILENT, book, problems

from firetower.core.clock import HOUR, MINUTE
from firetower.rules.book.model import Rule
from firetower.rules.book.overrides import resolved
from firetower.rules.book.quantities import Quantity
from firetower.rules.book.rulebook import Rulebook, load_texts, rebuild


def override(rule: str, scope: str, change: str) -> str:
    """An override in one line of YAML."""
    return f"{{rule: {rule}, scope: {{{scope}}}, reason: why, source: 'K, here', {change}}}"


def made(*overrides: str) -> Rulebook:
    """A rulebook of LOW, SILENT and PREALARM with those overrides."""
    return load_texts({"mine.yaml": book(LOW, SILENT, PREALARM, overrides=", ".join(overrides))})


def in_force(rulebook: Rulebook, rule: str) -> Rule | None:
    """The rule where all the overrides of it fit, in the order given."""
    found = rulebook.rule(rule)
    assert found is not None
    return resolved(found, [each for each in rulebook.overrides if each.rule == rule])


def test_the_narrower_scope_wins_field_by_field_and_what_it_does_not_say_it_inherits() -> None:
    rule = in_force(
        made(
            override("low", "district: east", "bands: [{priority: 4, limit: 0.12 MPa, on_delay: 30min}]"),
            override("low", "unit: water", "bands: [{priority: 4, on_delay: 1h}]"),
        ),
        "low",
    )
    assert rule is not None
    assert rule.measured is not None
    mild, bad = rule.measured.bands
    assert (mild.limit, mild.clear, mild.on_delay) == (Quantity(0.12, "MPa"), Quantity(0.16, "MPa"), HOUR)
    assert (mild.source, bad.source) == ("K, here", "J, x")


def test_a_deadband_takes_the_place_of_an_inherited_clear_and_or_samples_that_of_and_samples() -> None:
    rule = in_force(
        made(override("low", "city: all", "bands: [{priority: 3, deadband: 0.01 MPa, or_samples: 3}]")), "low"
    )
    assert rule is not None
    assert rule.measured is not None
    band = rule.measured.bands[1]
    assert (band.clear, band.deadband, band.and_samples, band.or_samples) == (None, Quantity(0.01, "MPa"), None, 3)


def test_a_silence_is_given_another_time_and_no_intervals_then() -> None:
    rule = in_force(made(override("silent", "model: nb-1", "bands: [{priority: 4, after: 50h}]")), "silent")
    assert rule is not None
    assert rule.condition.silence is not None
    assert (rule.condition.silence.bands[0].after, rule.condition.silence.bands[0].intervals) == (50 * HOUR, None)


def test_a_rule_that_is_off_in_a_district_is_on_again_in_a_unit_of_it_that_says_so() -> None:
    off = override("low", "district: east", "off: true")
    assert in_force(made(off), "low") is None
    again = made(off, override("low", "unit: water", "off: false, bands: [{priority: 4, on_delay: 5min}]"))
    rule = in_force(again, "low")
    assert rule is not None
    assert rule.measured is not None
    assert rule.measured.bands[0].on_delay == 5 * MINUTE
    assert in_force(made(off, override("low", "unit: water", "bands: [{priority: 4, on_delay: 5min}]")), "low") is None


REFUSED = [
    # the overrides, the field named, parts the message must have
    (override("lo", "city: all", "off: true"), "overrides[1].rule", ["'lo' is no rule", "did you mean low?"]),
    (override("low", "city: all, unit: a", "off: true"), "overrides[1].scope", ["holds city and unit", "exactly one"]),
    (override("low", "", "off: true"), "overrides[1].scope", ["holds nothing", "exactly one of city, district"]),
    (override("low", "street: a", "off: true"), "overrides[1].scope.street", ["unknown field"]),
    (override("low", "city: Beijing", "off: true"), "overrides[1].scope.city", ["'Beijing' is refused", "all"]),
    (override("low", "unit_category: hmoes", "off: true"), "scope.unit_category", ["'hmoes' is no", "homes"]),
    (override("low", "device: h-1", "off: true"), "overrides[1].scope.device", ["'h-1' is refused", "unit/device"]),
    (override("low", "city: all", "bands: []"), "overrides[1].bands", ["changes nothing"]),
    (override("low", "city: all", "bands: [{priority: 4}]"), "bands[1]", ["changes nothing"]),
    (override("low", "city: all", "off: true, bands: [{priority: 4, on_delay: 1s}]"), "bands", ["beside off: true"]),
    (override("low", "city: all", "bands: [{priority: 2, on_delay: 1s}]"), "bands[1].priority", ["2 is no band", "4"]),
    (
        override("low", "city: all", "bands: [{priority: 4, on_delay: 1s}, {priority: 4, off_delay: 1s}]"),
        "bands[2].priority", ["4 stands there twice"],
    ),
    (override("low", "city: all", "bands: [{priority: 4, after: 1h}]"), "bands[1].after", ["not of a limit", "clear"]),
    (
        override("silent", "city: all", "bands: [{priority: 4, limit: 1 MPa}]"),
        "bands[1].limit", ["not of a silence", "after, intervals, at_least, at_most"],
    ),
    (override("burst", "city: all", "bands: [{priority: 2, on_delay: 1s}]"), "overrides[1].bands", ["combination"]),
    (
        override("low", "city: all", "bands: [{priority: 4, limit: 0.17 MPa}]"),
        "bands[1].clear", ["0.16 MPa is on the wrong side", "above the limit 0.17 MPa", "in force there"],
    ),
    (override("low", "city: all", "bands: [{priority: 4, limit: 140 kPa}]"), "bands[1].limit", ["accepted: MPa"]),
    (
        override("low", "city: all", "bands: [{priority: 4, limit: 0.09 MPa}]"),
        "overrides[1].bands", ["0.1 MPa after 0.09 MPa", "below 0.09 MPa"],
    ),
    (
        override("low", "city: all", "bands: [{priority: 4, clear: 0.2 MPa, deadband: 0.1 MPa}]"),
        "bands[1].deadband", ["beside clear"],
    ),
    (
        override("low", "unit: a", "off: true") + ", " + override("low", "unit: a", "off: true"),
        "overrides[2].scope", ["of low stands there twice", "mine.yaml:"],
    ),
    (
        override("low", "district: a", "bands: [{priority: 4, limit: 0.15 MPa}]")
        + ", " + override("low", "unit: b", "bands: [{priority: 4, clear: 0.145 MPa}]"),
        "overrides[2].bands[1].clear", ["0.145 MPa is on the wrong side", "with the override at mine.yaml:"],
    ),
    (override("burning", "unit: a", "off: true"), "overrides[1].off", ["true for class fire", "off nowhere"]),
    (override("confirmed", "unit: a", "off: true"), "overrides[1].off", ["true for class fire"]),
    (
        override("burning", "unit: a", "bands: [{priority: 1, on_delay: 11s}]"),
        "bands[1].on_delay", ["11s for class fire", "at most 10s"],
    ),
    (
        override("burning", "unit: a", "bands: [{priority: 1, and_samples: 2}]"),
        "bands[1].and_samples", ["2 for class fire"],
    ),
    (
        override("burning", "unit: a", "bands: [{priority: 1, limit: {attribute: own, unit: dB/m}}]"),
        "bands[1].limit", ["own of the device's own file", "would be blind"],
    ),
    (
        override("low", "unit: a", "off: true, loosened: {by: Li, approved_by: Li, backtest: b, reason: x}"),
        "loosened.approved_by", ["'Li' asked for it, too"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("overrides", "named", "parts"), REFUSED)
def test_an_override_that_cannot_be_is_refused_at_its_line(overrides: str, named: str, parts: list[str]) -> None:
    text = book(LOW, SILENT, PREALARM, RATE, BURST, CONFIRMED, FIRE, overrides=overrides)
    found = problems(text)
    line = text.count("\n")
    assert any(
        problem.startswith(f"mine.yaml:{line}: overrides")
        and named in problem
        and all(part in problem for part in parts)
        for problem in found
    ), found
    assert len(found) == 1, found


def test_the_problems_of_rules_and_overrides_are_told_together() -> None:
    text = book(LOW.replace("0.16 MPa", "0.13 MPa"), overrides=override("lo", "city: all", "off: true"))
    assert [problem.split(":")[1] for problem in problems(text)] == ["8", "10"]


def test_a_rulebook_is_the_same_again_after_it_was_written_down() -> None:
    """What is stored of the rulebook in force makes it again, for a process that does not read the folder."""
    text = book(LOW, overrides=override("low", "city: all", "off: true"), calendar="holidays: [2026-10-01, 2026-10-02]")
    first = load_texts({"mine.yaml": text})
    again = rebuild(first.written, first.written_overrides, first.written_calendar, first.where)
    assert again == first
    assert again.digest == first.digest
    assert first.where == {"low": "mine.yaml:2", "overrides[1]": "mine.yaml:10"}


def test_the_digest_tells_what_is_said_and_not_how_it_is_written() -> None:
    said = load_texts({"mine.yaml": book(LOW)}).digest
    assert load_texts({"other.yaml": "# ours\n" + book(LOW.replace("0.14 MPa", "0.140 MPa"))}).digest == said
    assert load_texts({"mine.yaml": book(LOW.replace("0.14 MPa", "0.13 MPa"))}).digest != said
    assert load_texts({"mine.yaml": book(LOW, calendar="holidays: [2026-10-01]")}).digest != said
    off = override("low", "city: all", "off: true")
    assert load_texts({"mine.yaml": book(LOW, overrides=off)}).digest != said
