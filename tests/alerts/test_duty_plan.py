"""The duty plan: what stands in the file is in force, and a mistake is told with its place."""

from pathlib import Path

import pytest

from firetower.alerts.duty.plan import DutyPlan, load, shipped
from firetower.core.errors import ConfigError


def test_the_shipped_plan_is_the_defaults() -> None:
    assert shipped() == DutyPlan()


def test_an_unknown_section_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "our.yaml"
    file.write_text("# ours\ndeadlines: {}\nchanels: []\n", "utf-8")
    with pytest.raises(ConfigError, match=r"our\.yaml:3: chanels: there is no such field"):
        load(file)


def test_a_secret_that_is_not_set_is_named_and_one_that_is_set_is_never_told(tmp_path: Path) -> None:
    file = tmp_path / "our.yaml"
    file.write_text("deadlines: ${HOW_LONG}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"our\.yaml:1: deadlines: \$\{HOW_LONG\} is not in the environment"):
        load(file, {})
    with pytest.raises(ConfigError) as told:
        load(file, {"HOW_LONG": "hush-hush"})
    assert "our.yaml:1: deadlines" in str(told.value)
    assert "hush" not in str(told.value)


def test_a_file_that_is_not_there_or_no_yaml_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="FIRETOWER_DUTY"):
        load(tmp_path / "none.yaml")
    file = tmp_path / "our.yaml"
    file.write_text("deadlines: [\n", "utf-8")
    with pytest.raises(ConfigError, match=r"our\.yaml:\d: is not valid YAML"):
        load(file)
