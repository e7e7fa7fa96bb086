"""The rulebook's validator: what is refused, and that a refusal names file, line, field, value and the remedy."""

from pathlib import Path

import pytest

from firetower.devices.events import AlertClass
from firetower.rules.book.quantities import FromFile
from firetower.rules.book.rulebook import RulebookError, load, shipped_folder

GOOD = """\
rules:
  - id: pressure-low
    version: 1
    title: {zh: 低, en: low}
    advice: {zh: 查, en: look}
    class: hazard
    kinds: [hydrant]
    metric: pressure
    condition:
      limit:
        side: below
        bands:
          - priority: 4
            limit: 0.14 MPa
            clear: 0.16 MPa
            on_delay: 15min
            source: S1, GB 55036-2022 3.0.3
          - priority: 3
            limit: 0.10 MPa
            clear: 0.12 MPa
            source: J, x
"""
FIRE = """\
rules:
  - id: smoke-fire
    version: 1
    title: {zh: 火, en: fire}
    advice: {zh: 查, en: look}
    class: fire
    kinds: [smoke]
    metric: smoke
    condition:
      limit:
        side: at_or_above
        bands:
          - priority: 1
            limit: 0.2 dB/m
            latch: true
            on_delay: 10s
            source: J, x
"""
SILENT = """\
rules:
  - id: silent
    version: 1
    title: {zh: 离, en: silent}
    advice: {zh: 查, en: look}
    class: offline
    kinds: any
    condition:
      silence:
        of: seen
        bands:
          - priority: 4
            intervals: 3
            source: J, x
"""
WRONG_CLOCK = """\
rules:
  - id: clock
    version: 1
    title: {zh: 钟, en: clock}
    advice: {zh: 查, en: look}
    class: quality
    kinds: any
    condition:
      quality:
        of: clock_skew
        priority: 4
        over: 60s
        clear: 30s
        source: J, x
"""
IMPLAUSIBLE = """\
rules:
  - id: value
    version: 1
    title: {zh: 值, en: value}
    advice: {zh: 查, en: look}
    class: quality
    kinds: any
    condition:
      quality:
        of: implausible
        priority: 4
        samples: 2
        clear_samples: 2
        source: J, x
"""


def refused(folder: Path, text: str) -> list[str]:
    (folder / "mine.yaml").write_text(text, "utf-8")
    with pytest.raises(RulebookError) as caught:
        load(folder)
    return caught.value.problems


@pytest.mark.parametrize("text", [GOOD, FIRE, SILENT, WRONG_CLOCK, IMPLAUSIBLE])
def test_the_examples_these_tests_break_are_good(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, "utf-8")
    assert len(load(tmp_path).rules) == 1


BROKEN = [
    # what to replace, by what, line, parts the message must have
    (GOOD, "limit: 0.14 MPa", "limit: 140 kPa", 14, ["limit", "140 kPa", "accepted: MPa"]),
    (GOOD, "limit: 0.14 MPa", "limit: 0.14", 14, ["limit", "0.14", "0.14 MPa"]),
    (GOOD, "limit: 0.14 MPa", "limit: low MPa", 14, ["limit", "'low MPa'", "accepted"]),
    (GOOD, "limit: 0.14 MPa", "limit: {attribute: low}", 14, ["limit", "attribute", "accepted"]),
    (GOOD, "clear: 0.16 MPa", "clear: 0.13 MPa", 15, ["clear", "0.13 MPa", "above the limit 0.14 MPa"]),
    (GOOD, "clear: 0.16 MPa", "clear: 0.14 MPa", 15, ["clear", "0.14 MPa", "accepted"]),
    (GOOD, "            clear: 0.16 MPa\n", "", 14, ["clear or deadband"]),
    (GOOD, "on_delay: 15min", "on_delay: 15 minutes", 16, ["on_delay", "'15 minutes'", "10s, 15min"]),
    (GOOD, "on_delay: 15min", "on_delay: 900", 16, ["on_delay", "900", "10s, 15min"]),
    (GOOD, "on_delay: 15min", "on_dealy: 15min", 16, ["on_dealy", "unknown field", "15min"]),
    (
        GOOD,
        "source: S1, GB 55036-2022 3.0.3",
        "source: GB 55036-2022",
        17,
        ["source", "GB 55036-2022", "S1, S2, K, D or J"],
    ),
    (GOOD, "            source: S1, GB 55036-2022 3.0.3\n", "", 13, ["source", "missing"]),
    (GOOD, "limit: 0.10 MPa", "limit: 0.15 MPa", 19, ["limit", "0.15 MPa", "below 0.14 MPa"]),
    (GOOD, "priority: 3", "priority: 4", 18, ["priority", "4", "below 4"]),
    (GOOD, "priority: 3", "priority: 5", 18, ["priority", "5", "accepted: 1 red"]),
    (GOOD, "metric: pressure", "metric: presure", 8, ["metric", "'presure'", "accepted: pressure"]),
    (GOOD, "kinds: [hydrant]", "kinds: [hydrent]", 7, ["kinds", "'hydrent'", "hydrant"]),
    (GOOD, "class: hazard", "class: danger", 6, ["class", "'danger'", "hazard"]),
    (GOOD, "class: hazard", "class: offline", 6, ["class", "offline"]),
    (GOOD, "side: below", "side: under", 11, ["side", "'under'", "below"]),
    (GOOD, "id: pressure-low", "id: Pressure Low", 2, ["id", "'Pressure Low'", "lower-case"]),
    (GOOD, "title: {zh: 低, en: low}", "title: {zh: 低}", 4, ["title.en", "missing"]),
    (GOOD, "version: 1", "version: 0", 3, ["version", "0"]),
    (GOOD, "version: 1", "version: 1\n    version: 2", 4, ["version", "twice"]),
    (GOOD, "    condition:", "    condition: [", 11, ["YAML"]),
    (GOOD, "condition:\n      limit:", "condition:\n      never:", 10, ["never", "unknown field"]),
    (FIRE, "priority: 1", "priority: 2", 13, ["priority", "2 for class fire", "accepted: 1"]),
    (FIRE, "latch: true", "latch: false", 15, ["latch", "accepted: true"]),
    (FIRE, "on_delay: 10s", "on_delay: 11s", 16, ["on_delay", "11s", "at most 10s"]),
    (FIRE, "on_delay: 10s", "and_samples: 2", 16, ["and_samples", "2", "or_samples"]),
    (FIRE, "limit: 0.2 dB/m", "limit: {attribute: own, unit: dB/m}", 14, ["limit", "own", "accepted"]),
    (FIRE, "class: fire", "class: fire\n    shadow: true", 7, ["shadow", "True for class fire"]),
    (FIRE, "class: fire", "class: fire\n    schedule: nights", 7, ["schedule", "'nights' for class fire"]),
    (FIRE, "on_delay: 10s", "suppression: {reason: x}", 16, ["suppression", "for class fire"]),
    (SILENT, "en: silent", "en: true", 4, ["title.en", "True", "quotes"]),
    (SILENT, "intervals: 3", "intervals: 3\n            after: 1h", 14, ["after", "exactly one"]),
    (SILENT, "class: offline", "class: fault", 6, ["class", "fault", "offline"]),
    (WRONG_CLOCK, "class: quality", "class: fault", 6, ["class", "fault", "accepted: quality"]),
    (WRONG_CLOCK, "kinds: any", "kinds: any\n    metric: smoke", 8, ["metric", "'smoke'", "remove"]),
    (WRONG_CLOCK, "clear: 30s", "clear: 60s", 13, ["clear", "1min", "less than 1min"]),
    (WRONG_CLOCK, "        clear: 30s\n", "", 9, ["clear", "missing", "over and clear"]),
    (WRONG_CLOCK, "clear: 30s", "clear: 30s\n        samples: 2", 14, ["samples", "no use for clock_skew"]),
    (WRONG_CLOCK, "of: clock_skew", "of: clocks", 10, ["of", "'clocks'", "clock_skew"]),
    (IMPLAUSIBLE, "samples: 2", "over: 60s", 12, ["over", "no use for implausible"]),
    (IMPLAUSIBLE, "        samples: 2\n", "", 9, ["samples", "missing", "samples and clear_samples"]),
    (IMPLAUSIBLE, "samples: 2", "samples: 0", 12, ["samples", "0"]),
    (IMPLAUSIBLE, "kinds: any", "kinds: any\n    metric: presure", 8, ["metric", "'presure'", "accepted: pressure"]),
    (IMPLAUSIBLE, "quality:\n        of", "quality:\n        latch: true\n        of", 10, ["latch", "unknown field"]),
]


SAID = [
    # what to replace, by what, and the whole of what is said of it, after the field
    ("title: {zh: 低, en: low}", "title: low", "'low' is refused; accepted: the words in both languages,"),
    ("version: 1", "version: v2", "'v2' is refused; accepted: a whole number from 1 on, one more with every change"),
    ("version: 1", "version: 0", "0 is refused; accepted: a whole number from 1 on"),
    ("on_delay: 15min", "ondelay: 15min", "unknown field (given: '15min'); did you mean on_delay?"),
    ("title: {zh: 低, en: low}", "title: {zh: 低, en: low, fr: bas}", "(given: 'bas'); accepted: zh, en"),
    ("condition:\n      limit:", "condition:\n      never:", "accepted: limit, rate, window, pattern, trend"),
    ("side: below", "side: under", "'under' is refused; accepted: above, at_or_above, below, at_or_below, outside"),
    ("limit: 0.14 MPa", "limit: 14 MPa", "limit: 14 MPa is no value of pressure to believe; accepted: 0 to 5 MPa"),
    ("clear: 0.16 MPa", "clear: 16 MPa", "clear: 16 MPa is no value of pressure to believe"),
    ("clear: 0.16 MPa", "deadband: 16 MPa", "deadband: 16 MPa: the way back, 16.14 MPa is no value of pressure"),
    ("limit: 0.14 MPa\n            clear: 0.16", "limit: {attribute: level_lo, unit: MPa}\n            deadband: 0.02",
     "'level_lo' is no attribute of the shipped rules; did you mean level_low?"),
    ("kinds: [hydrant]", "kinds: [smoke, gateway]", "metric: 'pressure' is reported by no smoke or gateway; accepted"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), SAID)
def test_what_is_said_of_a_slip_is_what_is_accepted_there(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Never the words of the library that reads the file."""
    assert old in GOOD
    assert any(says in problem for problem in refused(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize("attribute", ["level_low", "level_80", "own_limit", "level_low_low"])
def test_an_attribute_of_one_s_own_is_no_slip(tmp_path: Path, attribute: str) -> None:
    mine = GOOD.replace("limit: 0.14 MPa", f"limit: {{attribute: {attribute}, unit: MPa}}").replace(
        "clear: 0.16", "deadband: 0.02"
    )
    (tmp_path / "mine.yaml").write_text(mine, "utf-8")
    assert len(load(tmp_path).rules) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "the file: is empty; accepted: rules:"), ("- 1", "the file: holds no fields; accepted: rules:"),
     ("rules:", "rules: nothing is refused; accepted: a list, each beginning with -")],
)  # fmt: skip
def test_a_file_without_rules_is_told_how_one_begins(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, text)[0]


@pytest.mark.parametrize(("text", "old", "new", "line", "parts"), BROKEN)
def test_an_error_names_file_line_field_value_and_what_is_accepted(
    tmp_path: Path, text: str, old: str, new: str, line: int, parts: list[str]
) -> None:
    assert old in text
    problems = refused(tmp_path, text.replace(old, new, 1))
    assert any(
        problem.startswith(f"mine.yaml:{line}:") and all(part in problem for part in parts) for problem in problems
    ), problems


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    problems = refused(
        tmp_path, GOOD.replace("0.14 MPa", "0.14 kPa").replace("metric: pressure", "metric: pressure\n    colour: red")
    )
    assert [problem.split(":")[1] for problem in problems] == ["9"]
    problems = refused(
        tmp_path, GOOD.replace("limit: 0.14 MPa", "limit: 140 kPa").replace("priority: 3", "priority: 4")
    )
    assert [problem.split(":")[1] for problem in problems] == ["14", "18"]


def test_two_rules_of_one_id_are_refused_across_files(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(GOOD, "utf-8")
    (problem,) = refused(tmp_path, GOOD)
    assert problem.startswith("mine.yaml:2: rules[1].id: 'pressure-low' stands at first.yaml:2 already")


def test_aliases_of_aliases_that_stand_for_more_than_any_memory_holds_are_refused(tmp_path: Path) -> None:
    """A page of them, sent for a back-test, must not end the service."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    (told,) = refused(tmp_path, "\n".join(lines))
    assert "mine.yaml:1: cannot be read as YAML: it comes to more than 100,000 values" in told


@pytest.mark.parametrize(
    "text", ["", "rules: []", "rules:", "- 1", "rules: 7", "rules: [7]", "just words", "a: &a [*a]", "\x00"]
)
def test_a_file_that_holds_no_rules_is_refused(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text)[0].startswith("mine.yaml:1: ")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(GOOD.encode("gb18030"))
    with pytest.raises(RulebookError, match=r"mine\.yaml:1: is not UTF-8"):
        load(tmp_path)


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(RulebookError, match="holds no"):
            load(folder)


def test_every_shipped_limit_carries_its_unit_and_its_source() -> None:
    seen = 0
    for rule in load().rules:
        condition = getattr(rule.condition, *rule.condition.forms)
        for band in getattr(condition, "bands", (condition,)):
            assert band.source.split(",")[0].split("/")[0] in {"S1", "S2", "K", "D", "J"}
            assert len(band.source) > 12
            seen += 1
            if rule.measured is not None:
                assert band.limit.unit
    assert seen > 60


def test_where_a_rule_stands_is_known_and_the_pressure_of_a_hydrant_stands_in_its_file() -> None:
    book = load()
    file, line = book.where["hydrant-pressure-low"].split(":")
    assert file == "hydrant.yaml"
    assert (shipped_folder() / file).read_text("utf-8").splitlines()[
        int(line) - 1
    ].strip() == "- id: hydrant-pressure-low"
    assert book.rule("hydrant-pressure-low").condition.limit.bands[0].limit.value == 0.14
    assert book.rule("no-such-rule") is None


def test_the_words_of_every_shipped_rule_are_in_both_languages() -> None:
    for rule in load().rules:
        for words in (rule.title, rule.advice):
            assert any("一" <= letter <= "鿿" for letter in words.zh)
            assert words.en.isascii() or "°" in words.en


def test_shipped_limits_of_tanks_come_from_each_tank_s_own_file() -> None:
    bands = load().rule("water-level-low").condition.limit.bands
    assert [band.limit for band in bands] == [FromFile("level_90", "m"), FromFile("level_low", "m")]


def test_every_rule_of_class_fire_is_red_latched_and_at_most_ten_seconds_late() -> None:
    fires = [rule for rule in load().rules if rule.alert_class is AlertClass.FIRE]
    measured = [rule for rule in fires if rule.measured is not None]
    assert {rule.id for rule in measured} == {"smoke-fire", "heat-fire"}
    together = [rule.condition.combination for rule in fires if rule.condition.combination is not None]
    assert len(together) == 4
    for band in [*together, *(band for rule in measured for band in rule.measured.bands)]:
        assert (band.priority, band.latch) == (1, True)
        assert band.on_delay <= 10_000_000
