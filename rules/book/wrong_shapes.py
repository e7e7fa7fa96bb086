"""What is said of a field that has not the shape it must have: the value, and what is accepted there."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from firetower.core.yaml_lines import Path
from firetower.devices.events import EVENTS, AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.rules.book.conditions import Words
from firetower.rules.book.model import RuleFile

_ACCEPTED: Mapping[str, str] = {
    "kinds": "any, or a list of " + ", ".join(DeviceKind),
    "class": ", ".join(AlertClass),
    "id": "lower-case letters, digits and -, beginning with a letter, for example hydrant-pressure-low",
    "version": "a whole number from 1 on, one more with every change",
    "source": "the basis, then where it is written, for example: S1, GB 55036-2022 3.0.3 (basis: S1, S2, K, D or J)",
    "priority": "1 red, 2 orange, 3 yellow, 4 blue",
    "events": "one to eight of " + ", ".join(EVENTS),
    "device": "unit/device, for example water/hydrant-17",
    "city": "all",
    "days": "a list of working_day, rest_day, holiday",
    "during": "the name of a span of the calendar, or {from: 22:00, to: 06:00}",
    "holidays": "a list of dates, for example 2026-10-01",
    "working_days": "a list of dates, for example 2026-10-10",
}
_OF_TYPE: Mapping[str, str] = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "tuple_type": "a list, each beginning with -",
    "dict_type": "names, each with what it stands for",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("ge", "{} or more"),
    "less_than_equal": ("le", "{} or less"),
    "too_short": ("min_length", "a list of {} or more"),
    "too_long": ("max_length", "a list of {} or fewer"),
    "string_too_short": ("min_length", "text of {} letters or more"),
    "string_too_long": ("max_length", "text of {} letters or fewer"),
}
_FILE = "rules:, overrides: and calendar:, one of them at least, each at the beginning of a line"


def said_of(item: ErrorDetails) -> str:
    """Say what is wrong with a field: the value and what is accepted."""
    words = [step for step in item["loc"] if isinstance(step, str)]
    name = words[-1] if words else ""
    if not words and item["type"] == "model_type":
        return f"is empty; accepted: {_FILE}" if item["input"] is None else f"holds no fields; accepted: {_FILE}"
    given = shown(item["input"])
    if item["type"] == "extra_forbidden":
        return f"unknown field (given: {given}); {_instead(item['loc'])}"
    if item["type"] == "missing":
        return "is missing" + (f"; accepted: {_ACCEPTED[name]}" if name in _ACCEPTED else "")
    if item["type"] == "value_error":
        return f"{given} {item['msg'].removeprefix('Value error, ')}"
    if item["type"] == "string_type" and isinstance(item["input"], bool):
        return f"{given} is refused: YAML reads on, off, yes and no as true and false; write the word in quotes"
    return f"{given if item['input'] is not None else 'nothing'} is refused; accepted: {_accepted(item, words, name)}"


def _accepted(item: ErrorDetails, words: list[str], name: str) -> str:
    kind = item["type"]
    if name in {"from", "to"} and kind in {"string_pattern_mismatch", "string_type"}:
        return "month-day, for example 11-15" if "season" in words else "a time of day, for example 22:00"
    if kind == "tuple_type" and item["loc"] in {("rules",), ("overrides",)}:
        return "a list, each beginning with - and its fields under one another; or remove the line"
    of = "during" if name in {"str", "Span"} else name
    if of in _ACCEPTED:
        return _ACCEPTED[of]
    if kind == "string_pattern_mismatch" and of == "rules":
        return _ACCEPTED["id"]
    if kind == "literal_error":
        return str(item["ctx"]["expected"]).replace(" or ", ", ").replace("'", "")
    if kind in {"model_type", "model_attributes_type"}:
        fields = _fields((*item["loc"], ""))
        if fields == list(Words.model_fields):
            return "the words in both languages, for example {zh: 消火栓水压偏低, en: Hydrant pressure low}"
        return f"fields of its own: {', '.join(fields)}"
    if kind in _BOUNDS:
        bound, text = _BOUNDS[kind]
        return text.format(item["ctx"][bound])
    return _OF_TYPE.get(kind, item["msg"])


def _instead(loc: Path) -> str:
    """Say which fields a place has: the one that was meant, where a name is near it."""
    fields = _fields(loc)
    near = get_close_matches(str(loc[-1]), fields, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else f"accepted: {', '.join(fields)}"


def _fields(loc: Path) -> list[str]:
    """Return the fields of the place in which the last step of a pydantic location stands."""
    part: type[BaseModel] = RuleFile
    for step in loc[:-1]:
        inner = next((field for name, field in part.model_fields.items() if step == (field.alias or name)), None)
        if inner is not None:
            part = next(_parts(inner.annotation), part)
    return [field.alias or name for name, field in part.model_fields.items()]


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _parts(each)


def shown(value: Any) -> str:
    """Write a value as Python does, its beginning where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
