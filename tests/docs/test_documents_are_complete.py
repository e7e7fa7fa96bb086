"""What the code knows stands in the documents: settings, commands, topics, metrics, events, reasons, kinds, meters."""

import ast
import json
import re
from pathlib import Path

import pytest
import typer

from firetower.core.config import Settings
from firetower.devices.city import UnitCategory, read_city
from firetower.devices.events import EVENTS
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.topics import LEAVES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
ADMINISTRATOR = (DOCS / "administrator.md").read_text("utf-8")
KEY_UNIT = {name: (DOCS / name).read_text("utf-8") for name in ("key-unit.md", "key-unit.zh-CN.md")}
PARTS = ("alerts", "core", "devices", "ingest", "rules", "storage", "web", "src/firetower")

both_languages = pytest.mark.parametrize("page", KEY_UNIT)


def rows(text: str) -> dict[str, list[str]]:
    """Table rows by their first cell, where that is a word in code quotes."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = cells[1:]
    return found


def _sources() -> list[Path]:
    return [file for part in PARTS for file in sorted((ROOT / part).rglob("*.py"))]


# The administrator ------------------------------------------------------------------------------


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_explained(field: str) -> None:
    assert f"FIRETOWER_{field.upper()}" in rows(ADMINISTRATOR)


def test_no_setting_is_explained_that_does_not_exist() -> None:
    told = set(re.findall(r"FIRETOWER_[A-Z_]+", ADMINISTRATOR))
    assert told <= {f"FIRETOWER_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize(
    "field", [name for name, item in Settings.model_fields.items() if isinstance(item.default, int | str)]
)
def test_the_defaults_told_are_the_defaults(field: str) -> None:
    default = Settings.model_fields[field].default
    shown = {True: "on", False: "off"}[default] if isinstance(default, bool) else str(default)
    assert rows(ADMINISTRATOR)[f"FIRETOWER_{field.upper()}"][0] == f"`{shown}`"


def commands() -> set[str]:
    from firetower.cli import app

    found: set[str] = set()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found |= {f"firetower {name} {sub}" for sub in below} if below else {f"firetower {name}"}
    return found


def test_the_commands_told_are_the_commands() -> None:
    told = {row for row in rows(ADMINISTRATOR) if row.startswith("firetower ")}
    assert told == commands()


def test_every_command_of_the_documents_exists() -> None:
    known = commands()
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for call in re.findall(r"\bfiretower ((?:[a-z][a-z-]* ?){1,2})", _code_of(page.read_text("utf-8"))):
            words = call.split()
            one, two = f"firetower {words[0]}", f"firetower {' '.join(words[:2])}"
            assert {one, two} & known or any(item.startswith(f"{one} ") for item in known - {one} if len(words) == 1), (
                f"{page.relative_to(ROOT)} tells of `firetower {call.strip()}`"
            )


def _code_of(text: str) -> str:
    """What stands in code: lines of shell blocks and spans in backquotes that begin with the command."""
    blocks = re.findall(r"```(?:sh|shell|bash|console)\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if re.match(r"\s*(\$ )?(\S*/)?firetower ", line)]
    spans = [span for span in re.findall(r"`([^`\n]+)`", text) if span.startswith("firetower ")]
    return "\n".join(lines + spans)


def meters() -> set[str]:
    """Every Prometheus name the code makes, as it is exposed."""
    found: set[str] = set()
    for file in _sources():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            kind, name = ast.unparse(node.func).rpartition(".")[2], node.args[0].value
            if kind in {"Counter", "Gauge", "Histogram", "Summary"} and isinstance(name, str):
                found.add(f"{name}_total" if kind == "Counter" and not name.endswith("_total") else name)
    return found


def test_every_prometheus_name_is_explained_and_no_other() -> None:
    assert meters(), "no meter found in the code"
    told = {row.partition("{")[0] for row in rows(ADMINISTRATOR) if row.startswith("firetower_")}
    assert told == meters()


def test_the_registry_file_of_the_guide_is_a_registry_file() -> None:
    example = re.search(r"```json\n(.*?)```", ADMINISTRATOR, re.DOTALL)
    assert example
    city, errors = read_city(json.loads(example.group(1)))
    assert not errors
    assert len(city.devices) == 3


def test_every_category_of_unit_is_named() -> None:
    for category in UnitCategory.__args__:  # type: ignore[attr-defined]
        assert f"`{category}`" in ADMINISTRATOR


# The key unit -----------------------------------------------------------------------------------


@both_languages
def test_every_topic_is_told(page: str) -> None:
    for leaf in LEAVES:
        assert f"firetower/v1/{{unit}}/{{device}}/{leaf}" in rows(KEY_UNIT[page])
    for leaf in ("telemetry", "alarm"):
        assert f"firetower/v1/{{unit}}/gateway/{leaf}" in rows(KEY_UNIT[page])


@both_languages
@pytest.mark.parametrize("metric", catalogue().by_name)
def test_every_metric_is_told_with_its_unit_and_range(page: str, metric: str) -> None:
    known = catalogue().by_name[metric]
    unit, believable = rows(KEY_UNIT[page])[metric][:2]
    lowest, highest = (f"{bound:.0f}" for bound in known.plausible)
    assert unit == known.unit
    assert re.split(r" (?:to|～) ", believable) == [lowest, highest]


@both_languages
@pytest.mark.parametrize("event", EVENTS)
def test_every_alarm_event_is_told_with_its_class_and_priority(page: str, event: str) -> None:
    meaning = EVENTS[event]
    told = [cells for line, cells in _event_rows(KEY_UNIT[page]) if line == event]
    assert len(told) == 1
    class_, priority, closes = told[0]
    if meaning.alert_class is None:
        assert priority == "-"
        return
    zh = {"fire": "火警", "prealarm": "疑似火警", "supervisory": "监管", "hazard": "隐患", "fault": "故障"}
    assert zh[meaning.alert_class] in class_
    assert priority.startswith(f"{meaning.priority} ")
    assert ("verdict" in closes or "核实" in closes) == meaning.latch


def _event_rows(text: str) -> list[tuple[str, list[str]]]:
    """The rows of the table of events only: `gas` and `smoke` name metrics and kinds too."""
    start = re.search(r"^\| (event|事件) \|", text, re.MULTILINE)
    assert start
    table = text[start.start() :].split("\n\n", 1)[0]
    return list(rows(table).items())


@both_languages
def test_every_kind_of_device_is_told(page: str) -> None:
    for kind in DeviceKind:
        assert f"| `{kind}` |" in KEY_UNIT[page]


@both_languages
def test_the_json_of_the_guide_is_json(page: str) -> None:
    blocks = re.findall(r"```json\n(.*?)```", KEY_UNIT[page], re.DOTALL)
    blocks += re.findall(r"-m '(.*?)'", KEY_UNIT[page])
    assert len(blocks) >= 6
    for block in blocks:
        json.loads(block)


# The decisions ----------------------------------------------------------------------------------


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {re.split(r"[\[>=<~]", item)[0] for item in project["dependencies"]}
    decision = (DOCS / "decisions" / "0004-dependencies.md").read_text("utf-8")
    assert set(rows(decision)) == named
    for item in project["optional-dependencies"]["dev"]:
        assert f"`{re.split(r'[>=<]', item)[0]}`" in decision


def test_every_decision_is_listed() -> None:
    listed = (DOCS / "decisions" / "README.md").read_text("utf-8")
    for file in (DOCS / "decisions").glob("0*.md"):
        assert f"]({file.name})" in listed
