"""The duty plan: one YAML file, each section a model of its own; errors are told with file and line."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from firetower.alerts.duty import agreement
from firetower.alerts.duty.cameras import CameraSecrets
from firetower.alerts.duty.channels import Channel, no_name_twice
from firetower.alerts.duty.command_centre import CommandCentre
from firetower.alerts.duty.deadlines import Deadlines
from firetower.alerts.duty.policies import Policy
from firetower.alerts.duty.section import Section
from firetower.alerts.duty.self_tests import SelfTests
from firetower.alerts.duty.watch import Watch
from firetower.core.errors import ConfigError
from firetower.core.yaml_lines import Document, parse

_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class DutyPlan(Section):
    """The whole plan. A section that is left out keeps its defaults; ``command_centre`` None: 119 is called."""

    deadlines: Deadlines = Deadlines()
    channels: Annotated[tuple[Channel, ...], AfterValidator(no_name_twice)] = ()
    policies: tuple[Policy, ...] = ()
    command_centre: CommandCentre | None = None
    watch: Watch = Watch()
    self_tests: SelfTests = SelfTests()
    camera_secrets: CameraSecrets = Field(default_factory=dict)


def shipped() -> DutyPlan:
    """Return the plan in force where none is given."""
    return _read("duty.yaml", (files("firetower.alerts.duty") / "duty.yaml").read_text("utf-8"), {})


def load(path: Path, environment: Mapping[str, str] | None = None) -> DutyPlan:
    """Return the plan in the file at ``path``, ``${NAME}`` in its texts replaced from the environment.

    Raises ConfigError naming file, line, field, value and what is accepted, every problem at once.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        why = err.strerror if isinstance(err, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"duty plan {path} cannot be read: {why}; check FIRETOWER_DUTY") from err
    return _read(path.name, text, os.environ if environment is None else environment)


def _read(name: str, text: str, environment: Mapping[str, str]) -> DutyPlan:
    document = parse(text)
    problems = list(document.problems)
    value = _filled({} if document.value is None else document.value, (), document, environment, problems)
    if not problems:
        try:
            plan = DutyPlan.model_validate(value)
            problems = [_at(path, said, document) for path, said in agreement.problems(plan.channels, plan.policies)]
        except ValidationError as err:
            errors = err.errors(include_url=False)
            problems = [_told(item, document) for item in errors if not _follows(item, errors)]
        else:
            if not problems:
                return plan
    lines = "\n".join(f"  {name}:{line}: {message}" for line, message in sorted(problems))
    raise ConfigError(f"the duty plan is not usable:\n{lines}")


def _filled(
    value: Any,
    path: tuple[str | int, ...],
    document: Document,
    environment: Mapping[str, str],
    problems: list[tuple[int, str]],
) -> Any:
    """Return ``value`` with the names of the environment replaced; secrets so never stand in the file."""
    if isinstance(value, dict):
        return {key: _filled(each, (*path, key), document, environment, problems) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, (*path, n), document, environment, problems) for n, each in enumerate(value)]
    if not isinstance(value, str):
        return value
    missing = sorted({name for name in _SECRET.findall(value) if name not in environment})
    problems += [
        (document.line(path), f"{dotted(path)}: ${{{name}}} is not in the environment; set it") for name in missing
    ]
    return _SECRET.sub(lambda found: environment.get(found[1], ""), value)


def _follows(item: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """Say whether an error only follows from another: a list whose entries are refused is called too short."""
    loc = item["loc"]
    return item["type"] == "too_short" and any(each["loc"][: len(loc)] == loc != each["loc"] for each in errors)


def _told(item: ErrorDetails, document: Document) -> tuple[int, str]:
    path = tuple(_real(item["loc"], document))
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        return document.line(path), f"{dotted(path)}: there is no such field; remove it or mend its name"
    if item["type"] == "missing":
        return document.line(path), f"{dotted(path)}: {message}"
    return _at(path, message, document)


def _at(path: tuple[str | int, ...], message: str, document: Document) -> tuple[int, str]:
    given = document.at(path)  # as written: a secret that was filled in is never told
    return document.line(path), f"{dotted(path)}: {message} (given: {given!r:.80})"


def _real(loc: tuple[str | int, ...], document: Document) -> Iterator[str | int]:
    """Yield the steps of pydantic's location that are the file's, without the names of union members it adds."""
    path: tuple[str | int, ...] = ()
    for number, step in enumerate(loc):
        if (*path, step) in document.lines or number == len(loc) - 1:
            path = (*path, step)
            yield step


def dotted(path: tuple[str | int, ...]) -> str:
    """Write a path as people do: ``channels[2].url``."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the file"
