"""Parts of a rule in words, as a rulebook writes them: what a person is shown of a rule, and of what changed in it."""

from collections.abc import Iterator
from typing import Any

from firetower.rules.book.conditions import Compared, OfLast, Words
from firetower.rules.book.model import Override, Rule, Season, Span
from firetower.rules.book.overrides import given
from firetower.rules.book.quantities import duration_text

_DURATIONS = frozenset(
    {
        "on_delay", "off_delay", "one_sample_over", "over", "span", "learning", "missing_for", "within", "after",
        "at_least", "at_most", "followed_within", "interval_from", "interval_below", "offline_for", "clear",
    }
)  # fmt: skip
_TOLD_APART = ("bands", "source")


def said(name: str, value: Any) -> str:
    """Return the value of a field as a rulebook writes it; ``none`` where there is none."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Compared):
        return f"{value.side} {value.limit}"
    if isinstance(value, OfLast):
        return f"{value.n} of {value.m}"
    if isinstance(value, Words):
        return f"{value.zh} / {value.en}"
    if isinstance(value, Span | Season):
        return f"{value.start} to {value.end}"
    if isinstance(value, tuple):
        return "[" + ", ".join(said(name, each) for each in value) + "]"
    if name == "share":
        return f"{value:.0%}"
    if isinstance(value, int) and name in _DURATIONS:
        return duration_text(value)
    return "(" + told(value) + ")" if hasattr(value, "model_fields_set") else str(value)


def told(part: Any) -> str:
    """Return the fields of a part of a rule that were given, but for its bands and source."""
    fields = ((name, getattr(part, name)) for name in type(part).model_fields if name not in _TOLD_APART)
    defaults = type(part).model_fields
    return ", ".join(f"{name} {said(name, value)}" for name, value in fields if value != defaults[name].default)


def lines(rule: Rule, where: str = "") -> Iterator[str]:
    """Yield a rule for people to read: its words, whom it watches, its condition, each limit with unit and source."""
    yield f"{rule.id}  version {rule.version}  class {rule.alert_class}" + (f"  ({where})" if where else "")
    yield f"  {rule.title.zh} / {rule.title.en}"
    yield f"  {rule.advice.zh} / {rule.advice.en}"
    yield f"  kinds {', '.join(rule.kinds)}" + (f"; metric {rule.metric}" if rule.metric else "")
    for name in ("schedule", "suppressed", "loosened"):
        part = getattr(rule, name)
        if part is not None:
            yield f"  {name}: {told(part)}"
    if rule.shadow:
        yield "  shadow: evaluated and counted, never shown or sent"
    for form in rule.condition.forms:
        condition = getattr(rule.condition, form)
        yield f"  {form}: {told(condition)}" + _source(condition)
        for band in getattr(condition, "bands", ()):
            yield f"    {told(band)}{_source(band)}"


def override_lines(override: Override, where: str = "") -> Iterator[str]:
    """Yield an override for people to read: its scope, what is other there and why."""
    at = f" ({where})" if where else ""
    yield f"  override in {override.scope.level} {override.scope.value}{at}: {override.reason}{_source(override)}"
    if "off" in override.model_fields_set:
        yield "    off" if override.off else "    on"
    for change in override.bands:
        fields = ", ".join(f"{name} {said(name, value)}" for name, value in given(change).items())
        yield f"    priority {change.priority}: {fields}"
    if override.loosened is not None:
        yield f"    loosened: {told(override.loosened)}"


def _source(part: Any) -> str:
    return f"  [{part.source}]" if hasattr(part, "source") else ""
