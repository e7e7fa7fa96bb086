"""What a rulebook may never do to fire (promise 6), and the two persons whom a loosened limit needs."""

from collections.abc import Iterator

from firetower.core.clock import Micros
from firetower.devices.events import AlertClass
from firetower.rules.book.conditions import Band
from firetower.rules.book.finding import Finding, under
from firetower.rules.book.model import LONGEST_FIRE_DELAY, Loosened, Rule
from firetower.rules.book.quantities import FromFile, duration_text

NEVER_FOR_FIRE = (
    "shadow",
    "schedule",
    "suppress",
    "suppression",
    "suppressed",
    "disabled",
    "enabled",
    "of_last",
    "n_of_m",
    "none",
    "shelve",
)
"""Fields that would keep a fire from people; refused by name, whatever their value."""


def check_fire(rule: Rule) -> Iterator[Finding]:
    """Yield what is weaker than a fire may be; what it may not have at all is refused by name (``rule_files``)."""
    if rule.alert_class is not AlertClass.FIRE:
        return
    condition = rule.condition
    if condition.measured is not None:
        (form,) = condition.forms
        for index, band in enumerate(condition.measured.bands):
            where = ("condition", form, "bands", index)
            yield from under(where, _check_weight(band.priority, band.on_delay, latch=band.latch))
            yield from under(where, _check_band(band))
    if condition.event is not None:
        event = condition.event
        if event.own_alert:
            yield ("condition", "event", "own_alert"), "for class fire, whose own alert nothing changes; remove it"
        else:
            weight = _check_weight(event.priority, event.on_delay, latch=event.latch)
            yield from under(("condition", "event"), weight)
        if event.missing_for is not None:
            yield ("condition", "event", "missing_for"), "for class fire; accepted: class fault, nothing burns by that"
    if condition.combination is not None:
        both = condition.combination
        weight = _check_weight(both.priority, both.on_delay, latch=both.latch)
        yield from under(("condition", "combination"), weight)


def _check_weight(priority: int, on_delay: Micros, *, latch: bool) -> Iterator[Finding]:
    if priority != 1:
        yield ("priority",), f"{priority} for class fire; accepted: 1"
    if not latch:
        yield ("latch",), "false for class fire; accepted: true (a fire is a fire until a person says otherwise)"
    if on_delay > LONGEST_FIRE_DELAY:
        yield (
            ("on_delay",),
            f"{duration_text(on_delay)} for class fire; accepted: at most {duration_text(LONGEST_FIRE_DELAY)}",
        )


def _check_band(band: Band) -> Iterator[Finding]:
    if band.and_samples is not None:
        yield ("and_samples",), f"{band.and_samples} for class fire can hold a fire back; accepted: or_samples"
    if isinstance(band.limit, FromFile):
        yield (
            ("limit",),
            f"{band.limit}: for class fire a device without it would be blind; accepted: a number with its unit",
        )


def check_loosened(loosened: Loosened | None) -> Iterator[Finding]:
    """Yield a loosening that one person approved to themselves."""
    if loosened is not None and loosened.by.strip().casefold() == loosened.approved_by.strip().casefold():
        yield ("loosened", "approved_by"), f"{loosened.approved_by!r} asked for it, too; accepted: a second person"
