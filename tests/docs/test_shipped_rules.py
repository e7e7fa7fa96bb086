"""The table of the shipped rules in docs/rulebook.md names every rule with its limits, delays and priorities."""

from pathlib import Path

import pytest

from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import Between, FromFile, Quantity
from firetower.rules.book.rulebook import load

TEXT = (Path(__file__).parents[2] / "docs" / "rulebook.md").read_text("utf-8").partition("\n## The shipped rules\n")[2]
ROWS = {line.split("`")[1]: line for line in TEXT.splitlines() if line.startswith("| `")}
RULES = load().rules


def test_the_table_has_a_row_for_every_rule_and_no_other() -> None:
    assert set(ROWS) == {rule.id for rule in RULES}


def figure(limit: Quantity | FromFile | Between) -> list[str]:
    """Return what a row must say of a limit."""
    if isinstance(limit, FromFile):
        return [f"`{limit.attribute}`"]
    if isinstance(limit, Between):
        return [f"{limit.low:g} to {limit.high:g} {limit.unit}"]
    value = abs(limit.value)  # a level that falls by 0.10 m/h
    return [f"{value:.2f} {limit.unit}" if limit.unit in {"MPa", "dB/m", "m/h"} else f"{value:g} {limit.unit}"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_row_says_the_limits_the_class_and_the_priorities(rule: Rule) -> None:
    row, condition = ROWS[rule.id], rule.condition
    if condition.confirmation is not None:
        return
    bands = (rule.measured or condition.silence or None) and (rule.measured or condition.silence).bands
    one = condition.event or condition.quality or condition.combination
    priorities = [band.priority for band in bands] if bands else [one.priority]
    assert f"{rule.alert_class} {' / '.join(map(str, priorities))} |" in row
    if rule.measured is not None and not rule.id.endswith("-stuck"):
        for band in rule.measured.bands:
            for text in figure(band.limit):
                assert text.replace(" V", "") in row
