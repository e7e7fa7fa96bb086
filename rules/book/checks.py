"""What a rule may not be though each of its fields is well formed, as far as it can be told from the rule alone."""

from collections.abc import Iterator
from datetime import date

from firetower.rules.book.checks_devices import check_quality, check_silence
from firetower.rules.book.checks_events import check_combination, check_confirmation, check_event
from firetower.rules.book.checks_fire import check_fire, check_loosened
from firetower.rules.book.checks_measured import check_measured
from firetower.rules.book.conditions import Condition
from firetower.rules.book.finding import Finding, check_events, under
from firetower.rules.book.model import Rule, Schedule, Span, Suppression

FORMS = tuple(Condition.model_fields)
_SCHEDULED = ("limit", "rate", "window", "pattern", "trend", "imbalance", "event", "combination")
"""Forms that can be active at times only; silence and quality are always."""


def check(rule: Rule) -> Iterator[Finding]:
    """Yield what is wrong with a well-formed rule."""
    forms = rule.condition.forms
    if len(forms) != 1:
        yield ("condition",), f"holds {' and '.join(forms) or 'nothing'}; accepted: exactly one of {', '.join(FORMS)}"
        return
    if len(set(rule.kinds)) != len(rule.kinds):
        yield ("kinds",), "names a kind twice; keep one"
    yield from _check_condition(rule, forms[0])
    yield from check_fire(rule)
    yield from check_loosened(rule.loosened)
    if rule.schedule is not None:
        if forms[0] not in _SCHEDULED:
            yield ("schedule",), f"for {forms[0]}, which is always active; accepted with {', '.join(_SCHEDULED)}"
        yield from under(("schedule",), _check_schedule(rule.schedule))
    if rule.suppressed is not None:
        yield from under(("suppressed",), _check_suppression(rule, rule.suppressed))


def _check_condition(rule: Rule, form: str) -> Iterator[Finding]:
    condition = rule.condition
    if condition.measured is not None:
        yield from check_measured(rule, form, condition.measured)
    if condition.silence is not None:
        yield from check_silence(rule, condition.silence)
    if condition.quality is not None:
        yield from check_quality(rule, condition.quality)
    if condition.event is not None:
        yield from check_event(rule, condition.event)
    if condition.combination is not None:
        yield from check_combination(rule, condition.combination)
    if condition.confirmation is not None:
        yield from check_confirmation(rule, condition.confirmation)


def check_span(span: Span) -> Iterator[Finding]:
    """Yield a time of day that never is."""
    if span.start == span.end:
        yield ("to",), f"{span.end!r} is where it begins; accepted: another time of day"


def _check_schedule(schedule: Schedule) -> Iterator[Finding]:
    if schedule.days is None and schedule.during is None and schedule.season is None:
        yield (), "says no time; give days, during or season, or leave the schedule out"
    if schedule.days is not None and len(set(schedule.days)) != len(schedule.days):
        yield ("days",), "names a kind of day twice; keep one"
    if isinstance(schedule.during, Span):
        yield from under(("during",), check_span(schedule.during))
    if schedule.season is not None:
        for name, given in (("from", schedule.season.start), ("to", schedule.season.end)):
            if not is_date(f"2024-{given}"):
                yield ("season", name), f"{given!r} is no day of the year; accepted: month-day, for example 11-15"


def is_date(given: str) -> bool:
    """Whether there is such a day."""
    try:
        date.fromisoformat(given)
    except ValueError:
        return False
    return True


def _check_suppression(rule: Rule, suppression: Suppression) -> Iterator[Finding]:
    if not suppression.rules and not suppression.events:
        yield (), "names nothing that holds it back; give rules or events, at least one"
    if rule.id in suppression.rules:
        yield ("rules",), f"{rule.id!r} would hold itself back; remove it"
    yield from check_events(suppression.events, alerts=True)
