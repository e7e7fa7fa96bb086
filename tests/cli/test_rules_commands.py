"""`firetower rules check` and `show`: what an administrator reads of a rulebook."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firetower.cli import app
from firetower.core.errors import InvalidInput
from firetower.rules.book.rulebook import load, shipped_folder

OVERRIDES = """\
overrides:
  - rule: heat-fire
    scope: {unit: mall-01}
    reason: kitchen
    source: K, tried
    bands: [{priority: 1, limit: 70 °C}]
    loosened: {by: Wang, approved_by: Li, backtest: b-1, reason: tried}
  - rule: hydrant-pressure-low
    scope: {district: east}
    reason: old mains
    source: K, water company
    bands: [{priority: 4, limit: 0.12 MPa}]
  - rule: hydrant-pressure-low
    scope: {device: water/h-1}
    reason: a dry one
    source: K, known
    off: true
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of one's own: what is shipped, and overrides."""
    for file in shipped_folder().glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    (tmp_path / "mine.yaml").write_text(OVERRIDES, "utf-8")
    return tmp_path


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["rules", *words])
    if isinstance(done.exception, InvalidInput):
        raise done.exception
    return done.exit_code, done.output


def test_a_sound_rulebook_is_said_to_be_and_what_two_persons_loosened_is_listed(mine: Path) -> None:
    status, out = command("check", str(mine))
    assert status == 0
    assert f"{len(load().overrides) + 3} overrides." in out
    assert "Looser than shipped: heat-fire in unit mall-01: priority 1 limit from 60 °C to 70 °C, by Wang and Li" in out


def test_a_fire_limit_loosened_by_nobody_ends_the_check_with_file_line_and_remedy(mine: Path) -> None:
    (mine / "mine.yaml").write_text(OVERRIDES.replace("    loosened: {by", "    # {by"), "utf-8")
    status, out = command("check", str(mine))
    assert status == 1
    assert "mine.yaml:2: heat-fire: loosens a fire rule in unit mall-01" in out
    assert "two persons and a back-test" in out


def test_a_rule_is_shown_with_its_limits_their_sources_and_its_overrides(mine: Path) -> None:
    status, out = command("show", "hydrant-pressure-low", "--rulebook", str(mine))
    assert status == 0
    assert "消火栓水压偏低 / Hydrant pressure low" in out
    assert "priority 4, limit 0.14 MPa, clear 0.16 MPa, on_delay 15min" in out
    assert "[S1, GB 55036-2022 3.0.3" in out
    assert "override in district east (mine.yaml:8): old mains  [K, water company]" in out
    assert "smoke-fire" not in out


def test_what_is_in_force_in_a_scope_is_shown_with_the_source_of_its_limit(mine: Path) -> None:
    _, out = command("show", "hydrant-pressure-low", "--rulebook", str(mine), "--scope", "district=east")
    assert "priority 4, limit 0.12 MPa, clear 0.16 MPa" in out
    assert "water/h-1" not in out
    _, out = command("show", "hydrant-pressure-low", "--rulebook", str(mine), "--scope", "device=water/h-1")
    assert "hydrant-pressure-low  off there" in out
    _, out = command("show", "hydrant-pressure-low", "--rulebook", str(mine), "--scope", "district=west", "--json")
    assert json.loads(out)[0]["condition"]["limit"]["bands"][0]["limit"]["value"] == 0.14


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "no-such-rule"), "there is no rule 'no-such-rule'"),
        (("show", "--scope", "street=main"), "--scope street=main is no scope; give one of city, district"),
        (("show", "--scope", "unit=a", "--scope", "unit=b"), "unit is given twice"),
    ],
)
def test_what_is_not_there_to_show_is_told(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        command(*words)
