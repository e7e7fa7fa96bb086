"""The rulebook: a folder of YAML files by kind of device, read, validated with file and line, and held ready."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from firetower.core.errors import InvalidInput
from firetower.rules.book import checks_book
from firetower.rules.book.guard import Loosening, disabled, loosenings, missing
from firetower.rules.book.model import Calendar, Override, Rule
from firetower.rules.book.rule_files import Placed, ReadFile, overrides_of, read, rules_of


class RulebookError(InvalidInput):
    """A rulebook is refused; ``problems`` holds one ``file:line: field: …`` for each thing wrong."""

    def __init__(self, folder: str, problems: list[str]) -> None:
        super().__init__(f"rulebook {folder} is refused:\n" + "\n".join(f"  {line}" for line in problems), problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Validated rules in the order of files and lines, their overrides, and the calendar.

    ``where``: ``file:line`` by rule id, and of the n-th override, from 1, by ``overrides[n]``. ``written``: by rule id
    the rule as it stands in the file, of JSON's types; so are ``written_overrides`` and ``written_calendar`` (None:
    no file has one).
    """

    rules: tuple[Rule, ...]
    where: dict[str, str] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    written_overrides: list[Any] = field(default_factory=list)
    written_calendar: Any = None

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule of that id; None when the rulebook has none."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of what the rules, overrides and calendar say; not of how they are written."""
        calendar = self.calendar.model_dump(mode="json")
        said = {
            "rules": [rule.model_dump(mode="json") for rule in self.rules],
            "overrides": [override.model_dump(mode="json") for override in self.overrides],
            "calendar": calendar | {name: sorted(calendar[name]) for name in ("holidays", "working_days")},
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def loosened(self) -> list[Loosening]:
        """What fire and prealarm rules have looser than shipped; a rulebook loaded ``guarded`` says by whom."""
        return list(_against_shipped(self, shipped()))


def shipped_folder() -> Path:
    """Return the folder of the rulebook that is shipped."""
    return Path(str(files("firetower.rules") / "rulebook"))


@cache
def shipped() -> Rulebook:
    """Return the rulebook that is shipped; read once."""
    return load()


def load(folder: Path | None = None, *, guarded: bool = False) -> Rulebook:
    """Return the rulebook in ``folder`` (None: the shipped one).

    ``guarded``: a folder of one's own is held against the shipped rulebook, too (``guard``).
    Raises RulebookError naming file, line, field, value and what is accepted, for every problem at once.
    """
    own = folder is not None and folder.resolve() != shipped_folder().resolve()
    folder = shipped_folder() if folder is None else folder
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not paths:
        raise RulebookError(str(folder), [f"{folder}: holds no *.yaml file; a city without rules is not watched"])
    texts: dict[str, str] = {}
    unread: list[str] = []
    for path in paths:
        try:
            texts[path.name] = path.read_text("utf-8")
        except OSError as err:
            unread.append(f"{path.name}:1: cannot be read: {err.strerror}; correct its permissions")
        except UnicodeDecodeError as err:
            unread.append(f"{path.name}:1: is not UTF-8 text (byte {err.start}); save it as UTF-8")
    return _assembled(str(folder), texts, unread, guarded=guarded and own)


def load_texts(texts: Mapping[str, str], *, guarded: bool = False, name: str = "as given") -> Rulebook:
    """Return the rulebook whose files have these texts, by file name; held and refused as with ``load``."""
    if not texts:
        raise RulebookError(name, [f"{name}: holds no file; a city without rules is not watched"])
    return _assembled(name, texts, [], guarded=guarded)


def rebuild(
    written: Mapping[str, Any],
    overrides: Sequence[Any] = (),
    calendar: Any = None,
    where: Mapping[str, str] | None = None,
) -> Rulebook:
    """Return the rulebook of which these are ``written``, ``written_overrides``, ``written_calendar`` and ``where``.

    It was valid where it was loaded and is not checked again. Raises pydantic's ValidationError where it has not the
    shape of a rulebook of this version.
    """
    return Rulebook(
        tuple(Rule.model_validate(each) for each in written.values()),
        dict(where or {}),
        dict(written),
        tuple(Override.model_validate(each) for each in overrides),
        Calendar() if calendar is None else Calendar.model_validate(calendar),
        list(overrides),
        calendar,
    )


def guard(book: Rulebook, against: Rulebook) -> list[str]:
    """Return what ``book`` does to the fire and prealarm rules of ``against`` that nobody, or no two persons, may do.

    Each of those rules is there; where one is looser, or a rule that their combinations stand on, by itself or by an
    override, ``loosened`` says who did it.
    """
    rules = {rule.id: rule for rule in against.rules}
    problems = [
        f"{book.where.get(rule_id) or f'shipped {against.where.get(rule_id, rule_id)}'}: {message}"
        for rule_id, message in disabled(book.rules, rules)
    ]
    for each in _against_shipped(book, against):
        if each.loosened is not None:
            continue
        key = each.rule.id if each.override is None else f"overrides[{each.override + 1}]"
        there = "" if each.scope is None else f" in {each.scope.level} {each.scope.value}"
        problems.append(
            f"{book.where.get(key, key)}: {each.rule.id}: loosens {each.guarded}{there}:"
            f" {'; '.join(each.what)}; accepted: as shipped or tighter, or with loosened: {{by, approved_by, backtest,"
            " reason}, two persons and a back-test that misses no fire"
        )
    return problems


def restored(book: Rulebook, rules: AbstractSet[str], overrides: AbstractSet[int]) -> Rulebook:
    """Return ``book`` with these rules as they are shipped, and without the overrides at these places, from 0."""
    back = shipped()
    put = {rule.id: rule for rule in back.rules if rule.id in rules}
    kept_rules = [put.get(rule.id, rule) for rule in book.rules if rule.id in put or rule.id not in rules]
    there = {rule.id for rule in kept_rules}
    kept = [place for place in range(len(book.overrides)) if place not in overrides]
    names = {f"overrides[{place + 1}]" for place in range(len(book.overrides))}
    return replace(
        book,
        rules=(*kept_rules, *(rule for rule in put.values() if rule.id not in there)),
        where={name: at for name, at in book.where.items() if name not in rules and name not in names}
        | {f"overrides[{n}]": book.where[f"overrides[{place + 1}]"] for n, place in enumerate(kept, 1)},
        written=book.written | {rule_id: back.written[rule_id] for rule_id in put},
        overrides=tuple(book.overrides[place] for place in kept),
        written_overrides=[book.written_overrides[place] for place in kept],
    )


def taken_away(book: Rulebook) -> dict[str, str]:
    """Return the shipped rules that ``book`` takes away from fire and prealarm, by id, each with what to do."""
    return dict(disabled(book.rules, {rule.id: rule for rule in shipped().rules}))


def _against_shipped(book: Rulebook, against: Rulebook) -> Iterable[Loosening]:
    rules = {rule.id: rule for rule in against.rules}
    return loosenings(book.rules, book.overrides, rules, against.overrides)


def _assembled(folder: str, texts: Mapping[str, str], unread: list[str], *, guarded: bool) -> Rulebook:
    """Return the rulebook of files; RulebookError with what is wrong with any of them, or with them together."""
    read_files = [read(name, text) for name, text in sorted(texts.items())]
    rules = _unique([placed for file in read_files for placed in rules_of(file)])
    overrides = [placed for file in read_files for placed in overrides_of(file)]
    calendar = _calendar(read_files)
    if all(file.sound for file in read_files) and not unread:
        _check_together(rules, overrides, calendar)
    problems = unread + [problem for file in read_files for problem in file.told()]
    if problems and guarded and not unread and all(file.sound for file in read_files):
        problems = [*_missing(placed.item.id for placed in rules), *problems]
    if not problems and not rules:
        problems = [f"{folder}: holds no rule; a city without rules is not watched"]
    if problems:
        raise RulebookError(folder, problems)
    book = Rulebook(
        tuple(placed.item for placed in rules),
        {placed.item.id: placed.place for placed in rules}
        | {f"overrides[{number}]": placed.place for number, placed in enumerate(overrides, 1)},
        {placed.item.id: placed.written for placed in rules},
        tuple(placed.item for placed in overrides),
        Calendar() if calendar is None else calendar.item,
        [placed.written for placed in overrides],
        None if calendar is None else calendar.written,
    )
    if guarded and (problems := guard(book, shipped())):
        raise RulebookError(folder, problems)
    return book


def _missing(given: Iterable[str]) -> Iterator[str]:
    """Yield the shipped fire and prealarm rules that are not given, to be told before what follows from it."""
    back = shipped()
    for rule_id, message in missing(given, {rule.id: rule for rule in back.rules}):
        yield f"shipped {back.where[rule_id]}: {message}"


def _unique(rules: Sequence[Placed[Rule]]) -> list[Placed[Rule]]:
    first: dict[str, Placed[Rule]] = {}
    for placed in rules:
        other = first.setdefault(placed.item.id, placed)
        if other is not placed:
            placed.note(("id",), f"{placed.item.id!r} stands at {other.place} already; ids are unique")
    return list(first.values())


def _calendar(read_files: Sequence[ReadFile]) -> Placed[Calendar] | None:
    first: Placed[Calendar] | None = None
    for file in read_files:
        if file.given.calendar is None:
            continue
        placed = Placed(file.given.calendar, file, ("calendar",))
        for path, message in checks_book.check_calendar(placed.item):
            placed.note(path, message)
        if first is None:
            first = placed
        else:
            placed.note((), f"stands at {first.place} already; a rulebook has one calendar, keep one of the two")
    return first


def _check_together(
    rules: Sequence[Placed[Rule]], overrides: Sequence[Placed[Override]], calendar: Placed[Calendar] | None
) -> None:
    by_id = {placed.item.id: placed.item for placed in rules}
    days = Calendar() if calendar is None else calendar.item
    for rule in rules:
        for path, message in checks_book.check_names(rule.item, by_id, days):
            rule.note(path, message)
    for index, (path, message) in checks_book.check_once([placed.item for placed in rules]):
        rules[index].note(path, message)
    for override in overrides:
        for path, message in checks_book.check_override(override.item, by_id):
            override.note(path, message)
    together = checks_book.check_overrides([placed.item for placed in overrides], by_id)
    for narrow, wide, (path, message) in together:
        overrides[narrow].note(path, f"{message}; with the override at {overrides[wide].place}")
