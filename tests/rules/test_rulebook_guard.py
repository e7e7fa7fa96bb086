"""What a rulebook may never do to fire, and the two persons without whom no fire or prealarm limit is loosened."""

from pathlib import Path

import pytest
from rule_texts import FIRE, LOW, PREALARM, book, problems, rule

from firetower.rules.book.rulebook import Rulebook, RulebookError, guard, load, load_texts, shipped, shipped_folder

FLOW = rule(
    "water-and-pump",
    "combination: {group: building, all: [{events: [waterflow], devices: 2, within: 5min}], priority: 1, latch: true,"
    " on_delay: 10s, source: 'J, x'}",
    alert_class="fire",
)
CALLED = rule(
    "two-calls", "event: {events: [manual_call], components: 2, priority: 1, latch: true, source: 'J, x'}",
    alert_class="fire", kinds="[panel]",
)  # fmt: skip
RISE = rule(
    "heat-rising",
    "rate: {side: at_or_above, over: 5min, per: min, only: {side: above, limit: 40 °C}, bands: [{priority: 2,"
    " limit: 8 °C/min, clear: 4 °C/min, on_delay: 2min, source: 'J, x'}]}",
    alert_class="prealarm", kinds="[heat]", more="metric: temperature",
)  # fmt: skip
AGREED = "loosened: {by: Wang, approved_by: Li, backtest: b-17, reason: kitchen}"


def test_a_combination_and_an_event_may_add_a_fire() -> None:
    assert problems(book(FLOW, CALLED)) == []


ADDED = [
    (FLOW, "priority: 1", "priority: 2", ["combination.priority: 2 for class fire; accepted: 1"]),
    (FLOW, "latch: true", "latch: false", ["combination.latch: false for class fire; accepted: true"]),
    (FLOW, "on_delay: 10s", "on_delay: 11s", ["combination.on_delay: 11s for class fire; accepted: at most 10s"]),
    (FLOW, "priority: 1", "priority: 1, none: [{events: [test]}]", ["none: ", "for class fire; accepted: no none"]),
    (FLOW, "condition: {", "schedule: {days: [holiday]}\n    condition: {", ["schedule: ", "no schedule at all"]),
    (FLOW, "condition: {", "shadow: false\n    condition: {", ["shadow: False for class fire"]),
    (CALLED, "priority: 1", "priority: 3", ["event.priority: 3 for class fire; accepted: 1"]),
    (CALLED, "latch: true, ", "", ["event.latch: false for class fire"]),
    (CALLED, "latch: true", "latch: true, on_delay: 1min", ["event.on_delay: 1min for class fire"]),
    (CALLED, "components: 2, priority: 1, latch: true", "own_alert: true, priority: 1", ["event.own_alert: for class"]),
    (CALLED, "components: 2", "missing_for: 8d", ["event.missing_for: for class fire"]),
    (
        CALLED, "condition: {", "suppressed: {events: [test], reason: {zh: 因, en: x}}\n    condition: {",
        ["suppressed: ", "for class fire; accepted: no suppressed at all"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fire", "old", "new", "parts"), ADDED)
def test_a_rule_that_adds_a_fire_is_as_strict_as_any_fire(fire: str, old: str, new: str, parts: list[str]) -> None:
    assert old in fire
    found = problems(book(fire.replace(old, new, 1)))
    assert any(all(part in problem for part in parts) for problem in found), found


SHIPPED = load_texts({"shipped.yaml": book(FIRE, PREALARM, RISE, LOW)})
"""A rulebook that stands for the one that is shipped."""


def held(old: str = "", new: str = "", overrides: str = "") -> list[str]:
    """What is held against the shipped rulebook when this of it is changed, by what the fire guard says."""
    text = book(FIRE, PREALARM, RISE, LOW, overrides=overrides)
    assert old in text
    return guard(load_texts({"mine.yaml": text.replace(old, new, 1)}), SHIPPED)


LOOSER = [
    # what of the shipped rules is replaced, by what, and what is loosened from what to what
    ("limit: 0.2 dB/m", "limit: 0.25 dB/m", "loosens a fire rule: priority 1 limit from 0.2 dB/m to 0.25 dB/m"),
    ("limit: 0.1 dB/m", "limit: 0.12 dB/m", "priority 2 limit from 0.1 dB/m to 0.12 dB/m"),
    ("limit: 0.1 dB/m, clear: 0.07 dB/m", "limit: {attribute: own, unit: dB/m}, deadband: 0.03 dB/m",
     "priority 2 limit from 0.1 dB/m to own of the device's own file"),
    ("limit: 0.2 dB/m", "limit: 0.2 dB/m, on_delay: 5s", "priority 1 on_delay from 0s to 5s"),
    ("on_delay: 60s, or_samples: 2", "on_delay: 61s, or_samples: 2", "priority 2 on_delay from 1min to 61s"),
    ("or_samples: 2", "or_samples: 3", "priority 2 or_samples from 2 to 3"),
    ("or_samples: 2", "and_samples: 2", "priority 2 and_samples from 1 to 2; priority 2 or_samples from 2 to none"),
    ("or_samples: 2", "or_samples: 2, one_sample_over: 1h", "priority 2 one_sample_over from 1min to 1h"),
    ("side: at_or_above, bands: [{priority: 2", "side: at_or_above, of_last: {n: 2, m: 3}, bands: [{priority: 2",
     "of_last from every reading to 2 of the last 3"),
    ("side: at_or_above, bands: [{priority: 2", "side: above, bands: [{priority: 2", "side from at_or_above to above"),
    ("{priority: 2, limit: 0.1 dB/m", "{priority: 3, limit: 0.1 dB/m", "priority 2 from 0.1 dB/m to none"),
    ("class: prealarm\n    kinds: [smoke]", "class: hazard\n    kinds: [smoke]", "class from prealarm to hazard"),
    ("class: prealarm\n    kinds: [smoke]", "class: prealarm\n    shadow: true\n    kinds: [smoke]", "shadow from"),
    ("class: prealarm\n    kinds: [smoke]", "class: prealarm\n    schedule: {days: [holiday]}\n    kinds: [smoke]",
     "schedule from always to at times"),
    ("class: prealarm\n    kinds: [smoke]", "class: prealarm\n    kinds: [panel]", "kinds from smoke to panel"),
    ("limit: 40 °C", "limit: 45 °C", "only from above 40 °C to above 45 °C"),
    ("over: 5min", "over: 10min", "over from 5min to 10min"),
    ("over: 5min", "over: 5min, samples: 4", "samples from 3 to 4"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), LOOSER)
def test_a_looser_fire_or_prealarm_rule_needs_two_persons_and_says_what_is_looser(
    old: str, new: str, says: str
) -> None:
    (problem,) = held(old, new)
    assert problem.startswith("mine.yaml:")
    assert says in problem
    assert "two persons and a back-test" in problem


TIGHTER = [
    ("limit: 0.2 dB/m", "limit: 0.15 dB/m"),
    ("on_delay: 60s, or_samples: 2", "on_delay: 0s"),
    ("or_samples: 2", "or_samples: 1"),
    ("{priority: 2, limit: 0.1 dB/m", "{priority: 1, limit: 0.1 dB/m"),
    ("clear: 0.07 dB/m", "clear: 0.05 dB/m"),
    (", only: {side: above, limit: 40 °C}", ""),
    ("class: prealarm\n    kinds: [smoke]", "class: prealarm\n    kinds: [smoke, gas]"),
    ("limit: 0.14 MPa", "limit: 0.13 MPa"),  # a hazard, anybody's own business
]


@pytest.mark.parametrize(("old", "new"), TIGHTER)
def test_what_is_tighter_or_about_another_class_needs_nobody(old: str, new: str) -> None:
    assert held(old, new) == []


def given(change: str, rule: str = "burning", more: str = "") -> str:
    """An override of a unit, in one line of YAML."""
    return f"{{rule: {rule}, scope: {{unit: mall}}, reason: why, source: 'J, x', {change}{more}}}"


def test_an_override_that_loosens_a_fire_limit_is_held_at_its_line_with_its_scope() -> None:
    (problem,) = held(overrides=given("bands: [{priority: 1, limit: 0.3 dB/m}]"))
    assert problem.startswith("mine.yaml:34: burning: loosens a fire rule in unit mall: priority 1 limit from 0.2 dB/m")
    assert held(overrides=given("bands: [{priority: 1, limit: 0.3 dB/m}]", more=", " + AGREED)) == []
    assert held(overrides=given("bands: [{priority: 1, limit: 0.1 dB/m}]")) == []


def test_to_turn_a_prealarm_off_somewhere_is_loosening_it() -> None:
    (problem,) = held(overrides=given("off: true", "smoke-rising"))
    assert "loosens a prealarm rule in unit mall: the rule from on to off" in problem
    assert held(overrides=given("off: true", "smoke-rising", ", " + AGREED)) == []


def test_an_override_back_to_the_shipped_limit_loosens_nothing() -> None:
    assert held("limit: 0.2 dB/m", "limit: 0.1 dB/m", given("bands: [{priority: 1, limit: 0.2 dB/m}]")) == []


def test_the_measure_of_an_override_of_a_rule_of_one_s_own_is_that_rule() -> None:
    own = FIRE.replace("id: burning", "id: ours")
    text = book(FIRE, PREALARM, RISE, LOW, own, overrides=given("bands: [{priority: 1, limit: 0.3 dB/m}]", "ours"))
    (problem,) = guard(load_texts({"mine.yaml": text}), SHIPPED)
    assert "ours: loosens a fire rule in unit mall: priority 1 limit from 0.2 dB/m to 0.3 dB/m" in problem


def test_what_two_persons_loosened_is_known_with_its_scope_and_who_it_was() -> None:
    """The not-protected board names it."""
    texts = _shipped_texts()
    texts["smoke.yaml"] += (
        "overrides:\n  - rule: smoke-fire\n    scope: {unit: mall}\n    reason: kitchen\n    source: J, tried\n"
        f"    bands: [{{priority: 1, limit: 0.3 dB/m}}]\n    {AGREED}\n"
    )
    (found,) = load_texts(texts, guarded=True).loosened
    assert found.scope is not None
    assert (found.rule.id, found.scope.level, found.scope.value) == ("smoke-fire", "unit", "mall")
    assert found.what == ("priority 1 limit from 0.2 dB/m to 0.3 dB/m",)
    assert found.loosened is not None
    assert (found.loosened.by, found.loosened.approved_by) == ("Wang", "Li")


def _shipped_texts() -> dict[str, str]:
    return {file.name: file.read_text("utf-8") for file in shipped_folder().glob("*.yaml")}


def test_a_shipped_fire_rule_cannot_be_left_out_nor_made_something_else() -> None:
    for removed, says in (
        (FIRE, "rule 'burning', class fire, is shipped and missing here; put it back"),
        (PREALARM, "off: true and loosened"),
    ):
        rules = [each for each in (FIRE, PREALARM, RISE, LOW) if each is not removed]
        (problem,) = guard(load_texts({"mine.yaml": book(*rules)}), SHIPPED)
        assert problem.startswith("shipped shipped.yaml:")
        assert says in problem
    found = held("class: fire", f"{AGREED}\n    class: hazard")
    assert found == ["mine.yaml:2: class: hazard for 'burning', which is shipped as fire; accepted: fire"]
    found = held("class: fire\n    kinds: [smoke]", f"{AGREED}\n    class: fire\n    kinds: [panel]")
    assert found == ["mine.yaml:2: kinds: 'burning' is shipped for smoke, too; accepted: with them, or more"]


def changed(file: str, old: str, new: str) -> list[str]:
    """What is held against the shipped rulebook with this change in one of its files."""
    texts = _shipped_texts()
    assert old in texts[file]
    try:
        load_texts(texts | {file: texts[file].replace(old, new, 1)}, guarded=True)
    except RulebookError as err:
        return err.problems
    return []


def off(rule: str, scope: str, more: str = "") -> tuple[str, str, str]:
    """A change of the shipped overrides: one more, that turns a rule off there."""
    line = f"  - {{rule: {rule}, scope: {{{scope}}}, off: true, reason: r, source: 'J, x'{more}}}\n"
    return "overrides.yaml", "overrides:\n", "overrides:\n" + line


SILENCE_FIRST = rule(
    "slower", "silence: {of: seen, bands: [{priority: 4, after: 50h, source: 'J, x'}]}",
    alert_class="offline", kinds="[panel, hydrant]",
)  # fmt: skip
RISING = ("electrical.yaml", "id: cable-temperature-rising\n")
STOOD_ON = [
    # the file changed, what is replaced, by what, and what the refusal says
    ("electrical.yaml", "limit: 10 °C\n            clear: 5 °C", "limit: 90 °C\n            clear: 5 °C",
     "loosens a rule that fire-smoke-and-hot-cable stands on: priority 2 limit from 10 °C to 90 °C"),
    (*RISING, "id: cable-temperature-rising\n    schedule: {during: night}\n", "schedule from always to at times"),
    ("device.yaml", "intervals: 3\n            source: J, three reports",
     "intervals: 100\n            source: J, three reports",
     "a rule that zone-silent-after-warning stands on: priority 4 intervals from 3 to 100"),
    ("device.yaml", "at_most: 2h\n", "at_most: 9h\n", "priority 2 at_most from 2h to 9h"),
    ("device.yaml", "at_least: 100s\n", "at_least: 1h\n", "priority 2 at_least from 100s to 1h"),
    ("device.yaml", "            at_most: 2h\n", "", "priority 2 at_most from 2h to none"),
    ("device.yaml", "offline_for: 120s ", "offline_for: 20min ", "offline_for from 2min to 20min"),
    ("device.yaml", "interval_from: 12h ", "interval_from: 0s ",
     "smoke from point-silent to sleeping-smoke-silent, which stands before it"),
    ("device.yaml", "rules:\n", "rules:\n" + SILENCE_FIRST,
     "hydrant from point-silent to slower, which stands before it; panel from panel-silent to slower"),
    (*off("cable-temperature-rising", "city: all"), "in city all: the rule from on to off"),
    (*off("panel-silent", "unit: mall"), "a rule that link-silent-after-warning stands on in unit mall: the rule from"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "says"), STOOD_ON)
def test_what_a_fire_combination_stands_on_is_guarded_as_a_fire_is(file: str, old: str, new: str, says: str) -> None:
    """Without smoke's hot cable, and without the silence after an alarm, these fires are never raised."""
    (problem,) = changed(file, old, new)
    assert says in problem
    assert "two persons and a back-test" in problem


def test_two_persons_may_loosen_what_a_fire_combination_stands_on_and_it_is_known() -> None:
    file, old, new = off("panel-silent", "unit: mall", ", " + AGREED)
    texts = _shipped_texts()
    book = load_texts(texts | {file: texts[file].replace(old, new, 1)}, guarded=True)
    assert [(each.rule.id, each.what) for each in book.loosened] == [("panel-silent", ("the rule from on to off",))]


def test_what_is_tighter_or_stands_under_no_fire_needs_nobody_there_either() -> None:
    assert (
        changed("electrical.yaml", "limit: 10 °C\n            clear: 5 °C", "limit: 8 °C\n            clear: 5 °C")
        == []
    )
    assert (
        changed(
            "device.yaml",
            "intervals: 3\n            source: J, three reports",
            "intervals: 2\n            source: J, two",
        )
        == []
    )
    assert changed(*off("battery-low", "city: all")) == []


def test_what_a_shipped_fire_combination_stands_on_is_not_put_on_trial_by_anybody() -> None:
    """A rule on trial counts for nothing in a fire; a copy of it may be tried."""
    for more in ("", f"    {AGREED}\n"):
        (problem,) = changed(*RISING, f"id: cable-temperature-rising\n    shadow: true\n{more}")
        assert "shadow: true for 'cable-temperature-rising', on which fire-smoke-and-hot-cable stands" in problem
        assert "accepted: no shadow, or a copy on trial" in problem


def test_a_missing_fire_rule_is_told_before_what_follows_from_it() -> None:
    first, *others = changed("smoke.yaml", "id: smoke-fire\n", "id: smoke-fire-ours\n")
    assert "rule 'smoke-fire', class fire, is shipped and missing here; put it back" in first
    assert all("'smoke-fire' is no rule of this rulebook; did you mean smoke-fire-ours" in each for each in others)
    assert others


def test_the_shipped_rulebook_itself_loosens_nothing() -> None:
    assert load(guarded=True).loosened == []


def test_a_folder_of_one_s_own_is_refused_where_it_is_guarded_and_read_where_it_is_not(tmp_path: Path) -> None:
    for name, text in _shipped_texts().items():
        (tmp_path / name).write_text(text, "utf-8")
    assert guard(_read(tmp_path), shipped()) == []
    heat = (tmp_path / "heat.yaml").read_text("utf-8")
    (tmp_path / "heat.yaml").write_text(heat.replace("limit: 60 °C", "limit: 70 °C", 1), "utf-8")
    with pytest.raises(RulebookError, match=r"heat\.yaml:\d+: heat-fire: loosens .* from 60 °C to 70 °C") as caught:
        _read(tmp_path)
    assert len(caught.value.problems) == 1
    assert load(tmp_path).rule("heat-fire") is not None


def _read(folder: Path) -> Rulebook:
    return load(folder, guarded=True)
