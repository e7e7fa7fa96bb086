"""The tree keeps its promises: parts where their names say, short files, one place that reads a clock."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "firetower"
PARTS = ("alerts", "core", "devices", "ingest", "rules", "simulator", "storage", "web")
LONGEST = 350

FORBIDDEN_WORDS = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
VAGUE = re.compile(r"(Manager|Helper|Util)s?$")
WALL_CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def modules() -> list[Path]:
    """Every Python file of the package, below the folders the links point at."""
    own = sorted(PACKAGE.glob("*.py"))
    return own + [file for part in PARTS for file in sorted((ROOT / part).rglob("*.py"))]


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


every_module = pytest.mark.parametrize("part", [PACKAGE.name, *PARTS])


def modules_of(part: str) -> list[Path]:
    """Those of one part; of the package itself what lies in no part."""
    folder = PACKAGE if part == PACKAGE.name else ROOT / part
    found = [file for file in modules() if file.is_relative_to(folder)]
    assert found, f"{folder} holds no module"
    return found


def test_each_link_of_the_package_points_at_the_folder_of_its_name() -> None:
    links = {link.name: link for link in PACKAGE.iterdir() if link.is_symlink()}
    assert set(links) == set(PARTS)
    for part, link in links.items():
        assert link.readlink() == Path("..") / ".." / part, f"{link} must be a relative link"
        assert (ROOT / part / "__init__.py").is_file()


def test_each_part_has_its_tests_in_a_folder_of_its_name() -> None:
    for part in PARTS:
        assert list((ROOT / "tests" / part).rglob("test_*.py")), f"tests/{part} holds no test"


@every_module
def test_a_module_says_in_its_first_line_what_it_is_for(part: str) -> None:
    for file in modules_of(part):
        docstring = ast.get_docstring(ast.parse(file.read_text("utf-8")))
        assert docstring, f"{name(file)} has no docstring"
        first = docstring.splitlines()[0].rstrip()
        assert first.endswith((".", ":", ";")), f"{name(file)}: {first}"


@every_module
def test_a_file_is_read_at_a_sitting_or_says_why_not(part: str) -> None:
    for file in modules_of(part):
        text = file.read_text("utf-8")
        docstring = ast.get_docstring(ast.parse(text)) or ""
        lines = len(text.splitlines())
        assert lines <= LONGEST or re.search(r"\blong because\b", docstring, re.IGNORECASE), (
            f"{name(file)} has {lines} lines, at most {LONGEST} without a reason; "
            "split it, or say `Long because ...` in its docstring"
        )


def test_most_files_are_short() -> None:
    assert statistics.median(len(file.read_text("utf-8").splitlines()) for file in modules()) < 150


@every_module
def test_a_name_says_what_a_thing_does(part: str) -> None:
    for file in modules_of(part):
        words = {word for step in file.relative_to(ROOT).with_suffix("").parts for word in step.lower().split("_")}
        assert not words & FORBIDDEN_WORDS, f"{name(file)}: name it after what it does"
        nodes = ast.walk(ast.parse(file.read_text("utf-8")))
        vague = {node.name for node in nodes if isinstance(node, ast.ClassDef) and VAGUE.search(node.name)}
        assert not vague, f"{name(file)}: {vague}"


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ".".join(ast.unparse(node).split(".")[-2:])
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{alias.name}" for alias in node.names)


@every_module
def test_nobody_but_the_clock_reads_a_clock(part: str) -> None:
    for file in modules_of(part):
        read = WALL_CLOCKS & set(_called(ast.parse(file.read_text("utf-8"))))
        assert not read or name(file) == "core/clock.py", (
            f"{name(file)} reads {read}; take the time as an argument (firetower.core.clock)"
        )
