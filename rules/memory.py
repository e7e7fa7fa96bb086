"""How far back a rulebook remembers: what has to be replayed for a state as if it had judged all along."""

from firetower.core.clock import DAY, HOUR, Micros
from firetower.devices.metrics import catalogue
from firetower.rules.rulebook import Rulebook

SHORTEST: Micros = 2 * HOUR
"""For counts of readings, which have no time of their own, and for alarms that stand."""
LONGEST: Micros = 60 * DAY
"""A pattern has learned its 28 hours of each kind by then, rest days too."""


def memory_of(book: Rulebook) -> dict[int, Micros]:
    """Return how far back readings count, µs, by metric number: metrics that need more than SHORTEST only."""
    numbers = {name: metric.number for name, metric in catalogue().by_name.items()}
    longest: dict[int, Micros] = {}
    widened = {rule.id: 0 for rule in book.rules}
    for override in book.overrides:
        delays = [max(band.on_delay or 0, band.off_delay or 0) for band in override.bands]
        widened[override.rule] = max(widened.get(override.rule, 0), *delays, 0)
    for rule in book.rules:
        measured = rule.condition.measured
        if measured is None or rule.metric not in numbers:
            continue
        delay = max(widened[rule.id], *(max(band.on_delay, band.off_delay) for band in measured.bands))
        window: Micros = getattr(measured, "over", 0)
        if rule.condition.pattern is not None:
            window = LONGEST
        number = numbers[rule.metric]
        longest[number] = max(longest.get(number, 0), min(window + delay + SHORTEST, LONGEST))
    return {number: span for number, span in longest.items() if span > SHORTEST}


def missed_by(book: Rulebook) -> tuple[set[str], Micros]:
    """Return the events that rules may miss, and how far back the last one counts, µs."""
    found = [
        rule.condition.event
        for rule in book.rules
        if rule.condition.event is not None and rule.condition.event.missing_for is not None
    ]
    names = {name for condition in found for name in condition.events}
    return names, max((condition.missing_for or 0 for condition in found), default=0) + DAY


def events_of(book: Rulebook) -> Micros:
    """Return how far back a device's alarms count, µs; what is missing for longer is asked of the store."""
    spans = [
        max(rule.condition.event.within or 0, rule.condition.event.on_delay, rule.condition.event.off_delay)
        for rule in book.rules
        if rule.condition.event is not None
    ]
    return max([SHORTEST, *(span + SHORTEST for span in spans)])
