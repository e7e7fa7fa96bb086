"""What the validator finds wrong, and the checks that several forms of condition share."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise

from firetower.core.clock import Micros
from firetower.core.yaml_lines import Path
from firetower.devices.events import EVENTS, AlertClass
from firetower.rules.book.conditions import Band, SilenceBand
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import duration_text

Finding = tuple[Path, str]
"""Where in the rule, and what is wrong, with the value and what is accepted."""
SHIPPED_ATTRIBUTES = ("level_90", "level_low", "level_overflow")
"""The numbers of a device's own file that the shipped rules ask for."""
_FEW = 5
"""Names that are told at once."""


def under(where: Path, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings of a part as those of the whole in which it stands at ``where``."""
    yield from ((where + path, text) for path, text in findings)


def which_rule(rule_id: str, rules: Iterable[str]) -> str:
    """Say of a name that is no rule's which are: all of them, where they are few, or those that are near it."""
    known = sorted(rules)
    if len(known) <= _FEW:
        return f"accepted: {', '.join(known)}"
    near = ", ".join(get_close_matches(rule_id, known, n=_FEW))
    meant = f"did you mean {near}? " if near else ""
    return f"{meant}accepted: one of its {len(known)} rules (firetower rules show prints them)"


def near_attribute(name: str) -> str | None:
    """Return the shipped attribute that ``name`` is a slip of; None: it is one of them, or a name of its own.

    ``level_80`` is a name of its own: a number is no slip.
    """
    if name in SHIPPED_ATTRIBUTES:
        return None
    plain = name.casefold().replace("-", "_")
    near = get_close_matches(plain, SHIPPED_ATTRIBUTES, n=1, cutoff=0.85)
    return near[0] if near and _digits(near[0]) == _digits(plain) else None


def _digits(name: str) -> str:
    return "".join(letter for letter in name if letter.isdigit())


def check_events(events: Iterable[str], *, alerts: bool = False) -> Iterator[Finding]:
    """Yield names of events that no device says (its alarm would never match), and names given twice.

    ``alerts``: what counts is the alert of the event, so one that is only recorded never matches either.
    """
    seen: set[str] = set()
    for index, name in enumerate(events):
        if name not in EVENTS:
            yield ("events", index), f"{name!r} is no event; accepted: {', '.join(EVENTS)}"
        elif name in seen:
            yield ("events", index), f"{name!r} stands there twice; keep one"
        elif alerts and EVENTS[name].alert_class is None:
            instead = "an event that does, or, among the rules, an event rule over it"
            yield ("events", index), f"{name!r} is recorded and raises no alert; accepted: {instead}"
        seen.add(name)


def check_no_metric(rule: Rule, form: str) -> Iterator[Finding]:
    """Yield a metric beside a form that has no use for one."""
    if rule.metric is not None:
        yield ("metric",), f"{rule.metric!r} beside {form}, which compares no measured value; remove it"


def check_class(rule: Rule, form: str, refused: tuple[AlertClass, ...]) -> Iterator[Finding]:
    """Yield a class that a rule of that form cannot have."""
    if rule.alert_class in refused:
        accepted = ", ".join(each for each in AlertClass if each not in refused)
        yield ("class",), f"{rule.alert_class} for {form}; accepted: {accepted}"


def check_duration(where: Path, given: Micros, shortest: Micros, longest: Micros) -> Iterator[Finding]:
    """Yield a duration out of its bounds, both accepted."""
    if not shortest <= given <= longest:
        bounds = f"{duration_text(shortest)} to {duration_text(longest)}"
        yield where, f"{duration_text(given)}; accepted: {bounds}"


def check_priorities(bands: Sequence[Band] | Sequence[SilenceBand]) -> Iterator[Finding]:
    """Yield bands that do not go from the mildest to the worst."""
    for index, (milder, worse) in enumerate(pairwise([band.priority for band in bands]), 1):
        if worse >= milder:
            yield (index, "priority"), f"{worse} after {milder}; accepted: below {milder} (mildest band first)"
