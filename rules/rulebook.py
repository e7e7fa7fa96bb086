"""The rulebook: a folder of YAML files by kind of device, read, validated with file and line, and held ready."""

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from firetower.core.errors import InvalidInput
from firetower.devices.events import AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.checks import NEVER_FOR_FIRE, check
from firetower.rules.model import Calendar, Override, Rule, RuleFile
from firetower.rules.yaml_lines import Document, parse
from firetower.rules.yaml_lines import Path as YamlPath


class RulebookError(InvalidInput):
    """A rulebook is refused; ``problems`` holds one ``file:line: field: …`` for each thing wrong."""

    def __init__(self, folder: str, problems: list[str]) -> None:
        super().__init__(f"rulebook {folder} is refused:\n" + "\n".join(f"  {line}" for line in problems), problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Validated rules in the order of files and lines.

    By rule id, ``where``: ``file:line``; ``written``: the rule as it stands in the file, of JSON's types.
    """

    rules: tuple[Rule, ...]
    where: dict[str, str] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule of that id; None when the rulebook has none."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def shipped_folder() -> Path:
    """Return the folder of the rulebook that is shipped."""
    return Path(str(files("firetower.rules") / "rulebook"))


def load(folder: Path | None = None) -> Rulebook:
    """Return the rulebook in ``folder`` (None: the shipped one).

    Raises RulebookError naming file, line, field, value and what is accepted, for every problem at once.
    """
    folder = shipped_folder() if folder is None else folder
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not paths:
        raise RulebookError(str(folder), [f"{folder}: holds no *.yaml file; a city without rules is not watched"])
    problems: list[str] = []
    rules: list[Rule] = []
    where: dict[str, str] = {}
    written: dict[str, Any] = {}
    for path in paths:
        try:
            text = path.read_text("utf-8")
        except OSError as err:
            problems.append(f"{path.name}:1: cannot be read: {err.strerror}")
            continue
        except UnicodeDecodeError as err:
            problems.append(f"{path.name}:1: is not UTF-8 text (byte {err.start}); save it as UTF-8")
            continue
        found, lines, raw, wrong = _read(path.name, text)
        problems += wrong
        for rule, line, given in zip(found, lines, raw, strict=True):
            if rule.id in where:
                problems.append(
                    f"{path.name}:{line}: id: {rule.id!r} stands at {where[rule.id]} already; ids are unique"
                )
                continue
            where[rule.id] = f"{path.name}:{line}"
            written[rule.id] = given
            rules.append(rule)
    if problems:
        raise RulebookError(str(folder), problems)
    return Rulebook(tuple(rules), where, written)


def _read(name: str, text: str) -> tuple[list[Rule], list[int], list[Any], list[str]]:
    """Return the rules of one file, their lines, the rules as written, and what is wrong with it."""
    document = parse(text)
    problems = [(line, message) for line, message in document.problems]
    held = _held_back_fires(document)
    problems += [(document.line(path), f"{_dotted(path)}: {message}") for path, message in held]
    rules: list[Rule] = []
    if not document.problems:
        try:
            rules = list(RuleFile.model_validate(document.value).rules)
        except ValidationError as err:
            told = {path for path, _ in held}
            errors = err.errors(include_url=False)
            for item in errors:
                path = _real_path(item["loc"], document)
                hollow = item["type"] == "too_short" and any(
                    other["loc"][: len(item["loc"])] == item["loc"] for other in errors if other is not item
                )  # pydantic counts only the items that were well formed
                if path not in told and not hollow:
                    problems.append((document.line(path), f"{_dotted(path)}: {_message(item)}"))
    for index, rule in enumerate(rules):
        for path, message in check(rule):
            full = ("rules", index, *path)
            problems.append((document.line(full), f"{_dotted(full)}: {message}"))
    lines = [document.line(("rules", index, "id")) for index in range(len(rules))]
    raw = document.value["rules"] if rules else []
    return rules, lines, raw, [f"{name}:{line}: {message}" for line, message in sorted(problems)]


def _held_back_fires(document: Document) -> list[tuple[YamlPath, str]]:
    """Return the fields by which a fire rule would be kept from people, at any depth."""
    held: list[tuple[YamlPath, str]] = []
    rules = document.at(("rules",))
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        if not isinstance(rule, dict) or rule.get("class") != AlertClass.FIRE:
            continue
        held += [
            (path, f"{document.at(path)!r} for class fire; accepted: no {path[-1]} at all, a fire is never held back")
            for path in document.lines
            if path[:2] == ("rules", index) and path[-1] in NEVER_FOR_FIRE
        ]
    return held


def _real_path(loc: tuple[int | str, ...], document: Document) -> YamlPath:
    """Return where pydantic's location lies in the file, without the names of union members it adds."""
    path: YamlPath = ()
    for step in loc:
        if (*path, step) in document.lines or step == loc[-1]:
            path = (*path, step)
    return path


def _dotted(path: YamlPath) -> str:
    """Write a path as people do: ``rules[2].condition.limit``."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the file"


_ACCEPTED = {
    "kinds": "any, or a list of " + ", ".join(DeviceKind),
    "class": ", ".join(AlertClass),
    "id": "lower-case letters, digits and -, beginning with a letter, for example hydrant-pressure-low",
    "source": "the basis, then where it is written, for example: S1, GB 55036-2022 3.0.3 (basis: S1, S2, K, D or J)",
    "priority": "1 red, 2 orange, 3 yellow, 4 blue",
}


def _message(item: ErrorDetails) -> str:
    """Say what is wrong with a field: the value and what is accepted."""
    field_name = next((step for step in reversed(item["loc"]) if isinstance(step, str)), "")
    shown = repr(item["input"])
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if item["type"] == "extra_forbidden":
        return f"unknown field (given: {shown}); accepted are the fields in docs/rulebook.md; check the spelling"
    if item["type"] == "missing":
        return "is missing" + (f"; accepted: {_ACCEPTED[field_name]}" if field_name in _ACCEPTED else "")
    if item["type"] == "value_error":
        return f"{shown} {item['msg'].removeprefix('Value error, ')}"
    if item["type"] == "string_type" and isinstance(item["input"], bool):
        return f"{shown} is refused: YAML reads on, off, yes and no as true and false; write the word in quotes"
    accepted = _ACCEPTED.get(field_name)
    return f"{shown} is refused; accepted: {accepted}" if accepted else f"{shown} is refused: {item['msg']}"
