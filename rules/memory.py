"""How far back a rulebook remembers: what has to be replayed for a state as if it had judged all along."""

from collections.abc import Iterable

from firetower.core.clock import DAY, HOUR, Micros
from firetower.devices.events import EVENTS
from firetower.devices.kinds import KIND_NUMBER, DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.registry import Registry
from firetower.rules.book.conditions import Bands, LimitCondition
from firetower.rules.book.model import Rule
from firetower.rules.book.rulebook import Rulebook

SHORTEST: Micros = 2 * HOUR
"""For alarms that stand, and for doubts about a series."""
WORDS_BACK: Micros = 60 * DAY
"""A device's word on an event may be so old and still stand: what is active, and when a pump last ran."""
LONGEST: Micros = 60 * DAY
"""A pattern has learned its 28 hours of each kind by then, rest days too."""


def memory_of(book: Rulebook, registry: Registry, rules: Iterable[Rule] | None = None) -> dict[int, Micros]:
    """Return how far back readings count, µs, by metric number: metrics that need more than SHORTEST only.

    ``registry``: where a rule counts readings, those of the device that reports least often reach back the furthest.
    ``rules``: only these of the book.
    """
    slowest = _slowest(registry)
    numbers = {name: metric.number for name, metric in catalogue().by_name.items()}
    longest: dict[int, Micros] = {}
    widened = {rule.id: 0 for rule in book.rules}
    for override in book.overrides:
        delays = [max(band.on_delay or 0, band.off_delay or 0) for band in override.bands]
        widened[override.rule] = max(widened.get(override.rule, 0), *delays, 0)
    for rule in book.rules if rules is None else rules:
        measured = rule.condition.measured
        if measured is None or rule.metric not in numbers:
            continue
        delay = max(widened[rule.id], *(max(band.on_delay, band.off_delay) for band in measured.bands))
        window: Micros = getattr(measured, "over", 0)
        if rule.condition.imbalance is not None:
            window = rule.condition.imbalance.within
        if rule.condition.pattern is not None:
            window = LONGEST
        counted = max(_counted(measured), 1) * max(slowest[kind] for kind in rule.kinds)
        window = max(window, counted)
        number = numbers[rule.metric]
        longest[number] = max(longest.get(number, 0), min(window + delay + SHORTEST, LONGEST))
    return {number: span for number, span in longest.items() if span > SHORTEST}


def _slowest(registry: Registry) -> dict[DeviceKind, Micros]:
    """Return the longest reporting interval of the devices of each kind, µs."""
    numbers = registry.numbers()
    kinds, intervals = registry.kind[numbers], registry.interval[numbers]
    return {kind: int(intervals[kinds == KIND_NUMBER[kind]].max(initial=0)) for kind in DeviceKind}


def _counted(measured: Bands) -> int:
    """Return how many readings in a row, or of the last ones, a condition counts, with the one before them."""
    of_last = measured.of_last if isinstance(measured, LimitCondition) else None
    in_a_row = [band.and_samples or band.or_samples or 0 for band in measured.bands]
    return max(0 if of_last is None else of_last.m, *in_a_row) + 1


def events_watched(rulebook: Rulebook) -> set[str]:
    """Return the events that rules look at: what was said of them long ago may matter still."""
    names: set[str] = set()
    for rule in rulebook.rules:
        condition = rule.condition
        names.update(condition.event.events if condition.event is not None else ())
        names.update(rule.suppressed.events if rule.suppressed is not None else ())
        if condition.combination is not None:
            for clause in (*condition.combination.all, *condition.combination.none):
                names.update(clause.events)
                names.update(name for name, known in EVENTS.items() if known.alert_class in clause.classes)
    return names


def events_of(book: Rulebook) -> Micros:
    """Return how far back a device's alarms count, µs; what is missing for longer is asked of the store."""
    spans = [
        max(rule.condition.event.within or 0, rule.condition.event.on_delay, rule.condition.event.off_delay)
        for rule in book.rules
        if rule.condition.event is not None
    ]
    return max([SHORTEST, *(span + SHORTEST for span in spans)])
