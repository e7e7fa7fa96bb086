"""Reads scenario files, what they include with them, and says of a mistake in which file and line it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from firetower.core.errors import InvalidInput
from firetower.core.yaml_lines import Document, parse
from firetower.core.yaml_lines import Path as Where
from firetower.simulator.script import Appear, Garble, Included, Say, Script, Step, Storm

MOST_SCENARIOS = 200
"""Scenarios of one run, those included counted."""
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A scenario as it takes part in a run: under a name no other has, ``at`` seconds after the start."""

    name: str
    script: Script
    at: float = 0.0


def shipped() -> tuple[str, ...]:
    """Return the names of the shipped scenarios."""
    folder = files(__package__) / "scenarios"
    return tuple(sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml")))


def load_script(name: str | Path) -> Script:
    """Return a shipped scenario by name, or a file by its path.

    Raises InvalidInput with every mistake, each with its file and line, and what is accepted.
    """
    file, text = _text(name)
    document = parse(text)
    problems = list(document.problems)
    script: Script | None = None
    if not problems:
        try:
            script = Script.model_validate(document.value)
        except ValidationError as err:
            problems = [(document.line(_where(document, item["loc"])), _said(item)) for item in err.errors()]
        else:
            problems = [(document.line(where), said) for where, said in _checked(script)]
    if script is None or problems:
        raise InvalidInput("\n".join(f"{file}:{line}: {said}" for line, said in sorted(set(problems))))
    return script


def load_parts(names: list[str] | tuple[str, ...]) -> tuple[Part, ...]:
    """Return the scenarios of a run: those named, and all that they include, each under a name of its own."""
    parts: list[Part] = []
    for name in names:
        _include(Included(scenario=name), 0.0, (), parts, Path())
    seen: dict[str, int] = {}
    made = []
    for part in parts:
        seen[part.name] = seen.get(part.name, 0) + 1
        number = seen[part.name]
        made.append(part if number == 1 else Part(f"{part.name}#{number}", part.script, part.at))
    return tuple(made)


def _include(wanted: Included, at: float, above: tuple[str, ...], parts: list[Part], beside: Path) -> None:
    name: str | Path = wanted.scenario
    if name not in shipped() and (beside / name).is_file():
        name = beside / name
    if str(name) in above:
        raise InvalidInput(f"scenario {name} includes itself: {' → '.join((*above, str(name)))}; take one of them out")
    if len(above) >= _DEEPEST or len(parts) >= MOST_SCENARIOS:
        raise InvalidInput(
            f"scenario {above[0]} includes more than {MOST_SCENARIOS} others, or {_DEEPEST} deep; split it in two"
        )
    script = load_script(name)
    begins = at + wanted.at
    if script.cast or script.steps or not script.include:
        parts.append(Part(script.name, script, begins))
    for each in script.include:
        _include(each, begins, (*above, str(name)), parts, Path(name).parent)


def _text(name: str | Path) -> tuple[str, str]:
    try:
        if name in shipped():
            return f"{name}.yaml", (files(__package__) / "scenarios" / f"{name}.yaml").read_text("utf-8")
        return str(name), Path(name).read_text("utf-8")
    except OSError as err:
        raise InvalidInput(
            f"scenario {str(name)!r} is neither shipped ({', '.join(shipped())}) nor a readable file: {err.strerror}"
        ) from err
    except UnicodeDecodeError as err:
        raise InvalidInput(f"scenario {str(name)!r} is not UTF-8 text: {err.reason}; save it as UTF-8") from err


def _where(document: Document, loc: tuple[int | str, ...]) -> Where:
    """The place of a mistake in the file: without the words pydantic adds for the form of a union."""
    where: Where = ()
    for step in loc:
        if (*where, step) in document.lines or isinstance(step, int):
            where = (*where, step)
    return where if where in document.lines else where[:-1]


def _said(item: object) -> str:
    assert isinstance(item, dict)
    words = [str(step) for step in item["loc"]]
    given = repr(item["input"])
    given = given if len(given) <= 60 else f"{given[:57]}..."
    said = item["msg"].removeprefix("Value error, ")
    shown = "" if item["type"] in {"missing", "value_error"} else f" (given: {given})"
    return f"{'.'.join(words) or 'the file'}: {said}{shown}"


def _checked(script: Script) -> Iterator[tuple[Where, str]]:
    """Yield what no field shows by itself: names of roles and acts that are none, and roles that do not fit."""
    yield from _cast_checked(script)
    for index, step in enumerate(script.steps):
        for where, said in _step_checked(script, step):
            yield ("steps", index, *where), f"step {step.name!r}{said}"
    names = [act.name for act in script.acts]
    for index, act in enumerate(script.acts):
        yield from _known(script, act.role, ("acts", index, "role"))
        if act.after is not None and act.after not in names[:index]:
            yield ("acts", index), f"act {act.name!r} comes after {act.after!r}, which is no act above it"
        if act.name in names[:index]:
            yield ("acts", index), f"act {act.name!r} stands twice; give it another name"
    for index, each in enumerate(script.may):
        if each.role is None:
            yield ("may", index), f"may.{index}: says no role; give one of the cast ({_names(script)})"
        yield from _known(script, each.role, ("may", index, "role"))
    for index, never in enumerate(script.never):
        yield from _known(script, never.role, ("never", index, "role"))


def _cast_checked(script: Script) -> Iterator[tuple[Where, str]]:
    order = list(script.cast)
    for name, role in script.cast.items():
        for other in role.others:
            yield from _known(script, other, ("cast", name))
            if other in order and order.index(other) >= order.index(name):
                yield ("cast", name), f"cast.{name}: looks at {other!r}, which stands below it; put that one first"


def _step_checked(script: Script, step: Step) -> Iterator[tuple[Where, str]]:
    for name in (step.role, *(truth.role for truth in step.truth)):
        for _, said in _known(script, name, ("role",)):
            yield ("role",), f": {said}"
    role = script.cast.get(step.role)
    if role is not None and role.any and not isinstance(step, Say | Garble):
        yield (), f": only say and garble can play the role {step.role!r} with any: true"
    if role is not None and role.new and not isinstance(step, Appear | Say | Storm):
        yield (), f": {step.role!r} is new, and has to appear first"
    if role is not None and not role.new and isinstance(step, Appear):
        yield (), f": {step.role!r} is there from the start; only devices that are new: true appear"
    if step.after is not None and step.after not in {act.name for act in script.acts}:
        yield ("after",), f" comes after {step.after!r}, which is no act"


def _known(script: Script, role: str | None, where: Where) -> Iterator[tuple[Where, str]]:
    if role is not None and role not in script.cast:
        yield where, f"{'.'.join(map(str, where))}: role {role!r} is not in the cast ({_names(script)})"


def _names(script: Script) -> str:
    return ", ".join(script.cast) or "nobody"
