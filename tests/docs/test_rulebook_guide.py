"""docs/rulebook.md tells of every form of condition and every field, and its examples have the shape of a rulebook."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from firetower.core.yaml_lines import parse
from firetower.devices.events import EVENTS, AlertClass
from firetower.rules.book import conditions, model
from firetower.rules.book.checks_fire import NEVER_FOR_FIRE
from firetower.rules.book.conditions import Condition, Part
from firetower.rules.book.model import Loosened, RuleFile, Schedule, Suppression

GUIDE = (Path(__file__).parents[2] / "docs" / "rulebook.md").read_text("utf-8").partition("\n## The shipped rules\n")[0]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
CODE = "\n".join([*EXAMPLES, *re.findall(r"`([^`\n]+)`", GUIDE)])
PARTS = {
    each.__name__: each
    for module in (conditions, model)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, Part) and each is not Part
}
FIELDS = sorted(
    {(part.alias or name, kind.__name__) for kind in PARTS.values() for name, part in kind.model_fields.items()}
)
CHOICES = [
    *get_args(conditions.Side), *get_args(conditions.Group), *get_args(conditions.Aggregate), *get_args(model.Day),
    *model.LEVELS, *get_args(conditions.QualityCondition.model_fields["of"].annotation), *AlertClass,
]  # fmt: skip


@pytest.mark.parametrize(("field", "part"), FIELDS)
def test_every_field_is_told_where_it_is_code(field: str, part: str) -> None:
    assert re.search(rf"\b{field}\b", CODE), f"{field} of {part} stands nowhere in docs/rulebook.md"


def test_every_form_has_an_example() -> None:
    shown = {form for example in EXAMPLES for form in re.findall(r"^condition:\n  (\w+):", example)}
    assert shown == set(Condition.model_fields)


@pytest.mark.parametrize("choice", sorted(set(CHOICES)))
def test_every_word_that_a_field_takes_is_told(choice: str) -> None:
    assert re.search(rf"\b{choice}\b", CODE)


SHAPES: dict[str, type[BaseModel]] = {
    "condition": Condition, "schedule": Schedule, "suppressed": Suppression, "loosened": Loosened
}  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_the_shape_of_what_it_shows(example: str) -> None:
    document = parse(example)
    assert document.problems == []
    for name, given in document.value.items():
        if name in SHAPES:
            made = SHAPES[name].model_validate(given)
            assert not isinstance(made, Condition) or len(made.forms) == 1
        else:
            RuleFile.model_validate({name: given})


def test_the_examples_name_events_that_devices_say() -> None:
    lists = [found for example in EXAMPLES for found in re.findall(r"events: \[(.*?)\]", example)]
    named = {name for found in lists for name in found.split(", ")}
    assert named
    assert named <= set(EVENTS)


def test_what_is_refused_for_fire_by_name_is_told() -> None:
    fields = {name for kind in PARTS.values() for name in kind.model_fields}
    section = GUIDE.partition("## What a rulebook may not do to fire")[2].partition("\n## ")[0]
    assert [name for name in NEVER_FOR_FIRE if name in fields and f"`{name}`" not in section] == []
