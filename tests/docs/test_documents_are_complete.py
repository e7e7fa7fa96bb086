"""What the code knows stands in the documents: settings, commands, topics, metrics, events, reasons, kinds, meters."""

import ast
import json
import re
from pathlib import Path

import pytest
import typer

from firetower.core.clock import SECOND
from firetower.core.config import Settings
from firetower.devices.city import UnitCategory, read_city
from firetower.devices.events import EVENTS
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.devices.topics import LEAVES
from firetower.devices.wire import Decoder
from firetower.devices.wire_batch import Decoded

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


def table(text: str, *headings: str) -> dict[str, list[str]]:
    """The rows of the one table whose first heading is one of ``headings``: a name may stand in several tables."""
    start = re.search(rf"^\| ({'|'.join(headings)}) \|", text, re.MULTILINE)
    assert start, f"no table begins with {headings}"
    return rows(text[start.start() :].split("\n\n", 1)[0])


def _sources() -> list[Path]:
    return [file for part in PARTS for file in sorted((ROOT / part).rglob("*.py"))]


# The administrator ------------------------------------------------------------------------------


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_explained(field: str) -> None:
    assert f"FIRETOWER_{field.upper()}" in rows(ADMINISTRATOR)


def test_every_sql_view_is_named_where_analysts_are_told_what_to_read() -> None:
    """What stands in schema ``api`` is stable, and nobody can rely on what is not named."""
    migrations = (ROOT / "storage" / "migrations" / "versions").glob("*.py")
    views = {view for file in migrations for view in re.findall(r"CREATE VIEW (api\.\w+)", file.read_text("utf-8"))}
    assert "api.incidents" in views
    assert [view for view in sorted(views) if f"`{view}`" not in ADMINISTRATOR] == []


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
    assert len(city.devices) == 5


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
    unit, believable = table(KEY_UNIT[page], "metric", "指标")[metric][:2]
    lowest, highest = (f"{bound:.0f}" for bound in known.plausible)
    assert unit == known.unit
    assert re.split(r" (?:to|～) ", believable) == [lowest, highest]


@both_languages
@pytest.mark.parametrize("event", EVENTS)
def test_every_alarm_event_is_told_with_its_class_and_priority(page: str, event: str) -> None:
    meaning = EVENTS[event]
    class_, priority, closes = table(KEY_UNIT[page], "event", "事件")[event]
    if meaning.alert_class is None:
        assert priority == "-"
        return
    zh = {"fire": "火警", "prealarm": "疑似火警", "supervisory": "监管", "hazard": "隐患", "fault": "故障"}
    assert zh[meaning.alert_class] in class_
    assert priority.startswith(f"{meaning.priority} ")
    assert ("verdict" in closes or "核实" in closes) == meaning.latch


@both_languages
def test_every_kind_of_device_is_told(page: str) -> None:
    for kind in DeviceKind:
        assert f"| `{kind}` |" in KEY_UNIT[page]


@both_languages
def test_every_reject_reason_is_told_and_no_other(page: str) -> None:
    told = set(table(KEY_UNIT[page], "reason", "原因"))
    assert told == reasons()


def reasons() -> set[str]:
    """The words of refusals in the decoder and in ingest: `bad_json`, `unknown_device`, ..."""
    sources = [*(ROOT / "devices").glob("wire*.py"), *(ROOT / "ingest").glob("*.py")]
    word = r'"((?:bad|not|too|no|unknown|nested)_[a-z0-9_]+)"'
    found = {reason for file in sources for reason in re.findall(word, file.read_text("utf-8"))}
    assert "bad_json" in found
    return found


def _examples(text: str) -> list[tuple[str, str]]:
    """Every payload of the guide with the topic it is for: of shell commands, and of blocks by their section."""
    found = re.findall(r"-t (\S+) .*?-m '(.*?)'", text, re.DOTALL)
    leaf = "telemetry"
    for heading, block in re.findall(r"^## ([^\n]+)$|```json\n(.*?)```", text, re.MULTILINE | re.DOTALL):
        if heading:
            device = "gateway" if heading in {"Gateways", "网关"} else "smk-0301"
            continue
        leaf = "alarm" if '"event"' in block else "telemetry"
        found.append((f"firetower/v1/mall-01/{device}/{leaf}", block))
    return found


@both_languages
def test_the_examples_are_taken_by_the_decoder_without_a_word(page: str) -> None:
    examples = _examples(KEY_UNIT[page])
    assert len(examples) == 6
    for topic, payload in examples:
        registry, decoded = Registry(), Decoded(welcome=True)
        Decoder(catalogue(), registry).decode(topic, payload.encode(), 1_763_800_070 * SECOND, decoded)
        assert decoded.refusals == [], payload
        assert decoded.value or decoded.events, payload
        assert all(event.event in EVENTS for event in decoded.events)


@both_languages
def test_the_python_example_compiles_and_sends_what_the_decoder_takes(page: str) -> None:
    code = re.search(r"```python\n(.*?)```", KEY_UNIT[page], re.DOTALL)
    assert code
    tree = ast.parse(code.group(1))
    names = {item.value for item in ast.walk(tree) if isinstance(item, ast.Constant) and isinstance(item.value, str)}
    assert {"ts", "seq", "smoke", "online", "offline", "firetower/v1/mall-01/smk-0301"} <= names


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


def test_every_scenario_effect_fault_and_option_of_a_score_is_in_the_guide_for_testers() -> None:
    from firetower.cli import app
    from firetower.simulator.scenario_faults import FAULTS
    from firetower.simulator.script_file import shipped

    guide = (DOCS / "tester.md").read_text("utf-8")
    command = typer.main.get_command(app).commands["simulate"]  # type: ignore[attr-defined]
    options = {option for each in command.params for option in each.opts if option != "--help"}
    names = {*shipped(), *FAULTS, "happen", "ramp", "fault", "say", "storm", "backlog", "silence", "appear", "garble"}
    assert [name for name in sorted(names) if f"`{name}`" not in guide] == []
    assert [option for option in sorted(options) if option not in guide] == []
