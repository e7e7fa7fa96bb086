"""One file of the rulebook, read: its rules, overrides and calendar, the line of each, and what is wrong with them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from firetower.core.yaml_lines import Document, Path, parse
from firetower.devices.events import AlertClass
from firetower.rules.book.checks import check
from firetower.rules.book.checks_fire import NEVER_FOR_FIRE
from firetower.rules.book.model import Calendar, Override, Rule, RuleFile
from firetower.rules.book.wrong_shapes import said_of, shown


@dataclass(slots=True)
class ReadFile:
    """A file as read. ``sound``: it has the shape of a rulebook's file; only then are there rules in it."""

    name: str
    document: Document
    given: RuleFile = field(default_factory=RuleFile)
    sound: bool = False
    problems: list[tuple[int, str]] = field(default_factory=list)

    def place(self, path: Path) -> str:
        """Return ``file:line`` of what stands at ``path``."""
        return f"{self.name}:{self.document.line(path)}"

    def note(self, path: Path, message: str) -> None:
        """Note what is wrong at ``path``."""
        self.problems.append((self.document.line(path), f"{dotted(path)}: {message}"))

    def told(self) -> list[str]:
        """Return what is wrong, in the order of lines."""
        return [f"{self.name}:{line}: {message}" for line, message in sorted(self.problems)]


Item = TypeVar("Item", Rule, Override, Calendar)


@dataclass(frozen=True, slots=True)
class Placed(Generic[Item]):
    """A part of the rulebook, the file it stands in, its path there, and the part as written, of JSON's types."""

    item: Item
    file: ReadFile
    path: Path

    @property
    def place(self) -> str:
        """``file:line``, of a rule that of its id."""
        return self.file.place((*self.path, "id"))

    @property
    def written(self) -> Any:
        """The part as it stands in the file."""
        return self.file.document.at(self.path)

    def note(self, path: Path, message: str) -> None:
        """Note what is wrong at ``path`` of the part."""
        self.file.note((*self.path, *path), message)


def read(name: str, text: str) -> ReadFile:
    """Return the file of that name; whatever is wrong with it is in its ``problems``."""
    document = parse(text)
    file = ReadFile(name, document, problems=list(document.problems))
    held = list(_held_back_fires(document))
    for path, message in held:
        file.note(path, message)
    if document.problems:
        return file
    try:
        file.given = RuleFile.model_validate(document.value)
    except ValidationError as err:
        _note_errors(file, err, {path for path, _ in held})
        return file
    file.sound = True
    if file.given == RuleFile():
        file.note((), "holds no rules, no overrides and no calendar; give one of them, or remove the file")
    for index, rule in enumerate(file.given.rules):
        for path, message in check(rule):
            if (full := ("rules", index, *path)) not in {path for path, _ in held}:
                file.note(full, message)
    return file


def rules_of(file: ReadFile) -> Iterator[Placed[Rule]]:
    """Yield the rules of a file in their order."""
    for index, rule in enumerate(file.given.rules):
        yield Placed(rule, file, ("rules", index))


def overrides_of(file: ReadFile) -> Iterator[Placed[Override]]:
    """Yield the overrides of a file in their order."""
    for index, override in enumerate(file.given.overrides):
        yield Placed(override, file, ("overrides", index))


def dotted(path: Path) -> str:
    """Write a path as people do: ``rules[2].condition.limit``."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the file"


def _held_back_fires(document: Document) -> Iterator[tuple[Path, str]]:
    """Yield the fields by which a fire rule would be kept from people, at any depth."""
    rules = document.at(("rules",))
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        if not isinstance(rule, dict) or rule.get("class") != AlertClass.FIRE:
            continue
        for path in document.lines:
            if path[:2] == ("rules", index) and path[-1] in NEVER_FOR_FIRE:
                given = shown(document.at(path))
                yield path, f"{given} for class fire; accepted: no {path[-1]} at all, a fire is never held back"


def _note_errors(file: ReadFile, err: ValidationError, told: set[Path]) -> None:
    errors = [item for item in err.errors(include_url=False) if not _other_member(item)]
    for item in errors:
        path = _real_path(item, file.document)
        hollow = item["type"] == "too_short" and any(
            other["loc"][: len(item["loc"])] == item["loc"] for other in errors if other is not item
        )  # pydantic counts only the items that were well formed
        if path not in told and not hollow:
            file.note(path, said_of(item))


def _other_member(item: ErrorDetails) -> bool:
    """Whether this only says that a span of its own is not the name of one."""
    return item["type"] == "string_type" and item["loc"][-2:] == ("during", "str") and isinstance(item["input"], dict)


def _real_path(item: ErrorDetails, document: Document) -> Path:
    """Return where pydantic's location lies in the file, without the names of union members it adds."""
    path: Path = ()
    for step in item["loc"]:
        if (*path, step) in document.lines or (step == item["loc"][-1] and item["type"] == "missing"):
            path = (*path, step)
    return path
