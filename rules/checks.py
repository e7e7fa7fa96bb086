"""What a rule may not be though each of its fields is well formed: units, sides, order, and the protection of fire."""

from collections.abc import Iterator
from itertools import pairwise

from firetower.devices.events import AlertClass
from firetower.devices.metrics import catalogue
from firetower.rules.conditions import Band, Bands, QualityCondition, SilenceBand, SilenceCondition
from firetower.rules.model import LONGEST_FIRE_DELAY, Rule
from firetower.rules.quantities import FromFile, Quantity, duration_text
from firetower.rules.yaml_lines import Path

Finding = tuple[Path, str]
"""Where in the rule, and what is wrong, with the value and what is accepted."""

NEVER_FOR_FIRE = (
    "shadow",
    "schedule",
    "suppress",
    "suppression",
    "suppressed",
    "disabled",
    "enabled",
    "n_of_m",
    "shelve",
)
"""Fields that would keep a fire from people; refused by name, whatever their value (promise 6)."""


def check(rule: Rule) -> Iterator[Finding]:
    """Yield what is wrong with a well-formed rule."""
    condition = rule.condition
    given = [name for name in ("limit", "silence", "quality") if getattr(condition, name) is not None]
    if len(given) != 1:
        yield (
            ("condition",),
            f"holds {' and '.join(given) or 'nothing'}; accepted: exactly one of limit, silence, quality",
        )
        return
    if len(set(rule.kinds)) != len(rule.kinds):
        yield ("kinds",), "names a kind twice; keep one"
    if condition.limit is not None:
        yield from _check_limit(rule, condition.limit)
    if condition.silence is not None:
        yield from _check_silence(rule, condition.silence)
    if condition.quality is not None:
        yield from _check_quality(rule, condition.quality)


def _check_limit(rule: Rule, condition: Bands) -> Iterator[Finding]:
    if rule.metric is None:
        yield ("metric",), "is missing; a limit needs the metric it is for"
        return
    metric = catalogue().by_name.get(rule.metric)
    if metric is None:
        yield ("metric",), f"{rule.metric!r} is no metric; accepted: {', '.join(catalogue().by_name)}"
        return
    if rule.alert_class is AlertClass.OFFLINE:
        yield ("class",), "offline is for silence; accepted for a limit: any other class"
    above = condition.side.endswith("above")
    for index, band in enumerate(condition.bands):
        where: Path = ("condition", "limit", "bands", index)
        for name in ("limit", "clear", "deadband"):
            quantity = getattr(band, name)
            if quantity is not None and quantity.unit != metric.unit:
                yield (
                    (*where, name),
                    f"{quantity}: {quantity.unit} is not the unit of {metric.name}; accepted: {metric.unit}",
                )
        yield from ((where + path, text) for path, text in _check_return(band, above=above))
        if band.and_samples is not None and band.or_samples is not None:
            yield (*where, "or_samples"), "stands beside and_samples; accepted: one of the two"
        if rule.alert_class is AlertClass.FIRE:
            yield from ((where + path, text) for path, text in _check_fire(band))
    for index, (milder, worse) in enumerate(pairwise(condition.bands), 1):
        where = ("condition", "limit", "bands", index)
        if worse.priority >= milder.priority:
            yield (
                (*where, "priority"),
                f"{worse.priority} after {milder.priority}; accepted: below {milder.priority} (mildest band first)",
            )
        yield from _check_order(where, milder, worse, above=above)


def _check_return(band: Band, *, above: bool) -> Iterator[Finding]:
    if band.clear is not None and band.deadband is not None:
        yield ("deadband",), "stands beside clear; accepted: one of the two"
    if band.clear is None and band.deadband is None and not band.latch:
        yield ("limit",), "has no way back; give clear or deadband, or latch: true"
    if band.deadband is not None and band.deadband.value <= 0:
        yield ("deadband",), f"{band.deadband}; accepted: more than 0"
    if band.clear is None or band.clear.unit != band.limit.unit:
        return
    if isinstance(band.limit, FromFile):
        yield ("clear",), f"{band.clear} beside a limit of the device's own file; accepted: deadband"
    elif (band.clear.value >= band.limit.value) if above else (band.clear.value <= band.limit.value):
        side = "below" if above else "above"
        yield ("clear",), f"{band.clear} is on the wrong side; accepted: {side} the limit {band.limit}"


def _check_order(where: Path, milder: Band, worse: Band, *, above: bool) -> Iterator[Finding]:
    more = "above" if above else "below"
    for name in ("limit", "clear"):
        mild, bad = getattr(milder, name), getattr(worse, name)
        if not (isinstance(mild, Quantity) and isinstance(bad, Quantity) and mild.unit == bad.unit):
            continue
        if (bad.value <= mild.value) if above else (bad.value >= mild.value):
            yield (*where, name), f"{bad} after {mild}; bands go from the mildest to the worst: accepted: {more} {mild}"


def _check_fire(band: Band) -> Iterator[Finding]:
    if band.priority != 1:
        yield ("priority",), f"{band.priority} for class fire; accepted: 1"
    if not band.latch:
        yield ("latch",), "false for class fire; accepted: true (a fire is a fire until a person says otherwise)"
    if band.on_delay > LONGEST_FIRE_DELAY:
        yield (
            ("on_delay",),
            f"{duration_text(band.on_delay)} for class fire; accepted: at most {duration_text(LONGEST_FIRE_DELAY)}",
        )
    if band.and_samples is not None:
        yield ("and_samples",), f"{band.and_samples} for class fire can hold a fire back; accepted: or_samples"
    if isinstance(band.limit, FromFile):
        yield (
            ("limit",),
            f"{band.limit}: for class fire a device without it would be blind; accepted: a number with its unit",
        )


def _check_silence(rule: Rule, condition: SilenceCondition) -> Iterator[Finding]:
    if rule.alert_class is not AlertClass.OFFLINE:
        yield ("class",), f"{rule.alert_class} for silence; accepted: offline"
    if rule.metric is not None:
        yield ("metric",), f"{rule.metric!r} beside silence, which is of the whole device; remove it"
    where: Path = ("condition", "silence")
    if condition.interval_below is not None and condition.interval_below <= condition.interval_from:
        yield (
            (*where, "interval_below"),
            f"{duration_text(condition.interval_below)}; accepted: over {duration_text(condition.interval_from)}",
        )
    if condition.of == "never_seen" and condition.offline_for is not None:
        yield (*where, "offline_for"), "for a device that never spoke; remove it"
    for index, band in enumerate(condition.bands):
        yield from (((*where, "bands", index, *path), text) for path, text in _check_wait(band))
    for index, (milder, worse) in enumerate(pairwise(condition.bands), 1):
        if worse.priority >= milder.priority:
            yield (
                (*where, "bands", index, "priority"),
                f"{worse.priority} after {milder.priority}; accepted: below {milder.priority} (mildest first)",
            )
        if worse.after is not None and milder.after is not None and worse.after <= milder.after:
            yield (
                (*where, "bands", index, "after"),
                f"{duration_text(worse.after)}; accepted: more than {duration_text(milder.after)} (mildest first)",
            )


def _check_wait(band: SilenceBand) -> Iterator[Finding]:
    if (band.after is None) == (band.intervals is None):
        yield ("after",), "accepted: exactly one of after (25h) and intervals (3)"
    if band.after is not None and (band.at_least is not None or band.at_most is not None):
        yield ("after",), "has no use for at_least and at_most; they bound intervals"
    if band.at_least is not None and band.at_most is not None and band.at_most < band.at_least:
        yield ("at_most",), f"{duration_text(band.at_most)} is under at_least {duration_text(band.at_least)}"


def _check_quality(rule: Rule, condition: QualityCondition) -> Iterator[Finding]:
    where: Path = ("condition", "quality")
    if rule.alert_class is not AlertClass.QUALITY:
        yield ("class",), f"{rule.alert_class} for quality; accepted: quality"
    if rule.metric is not None and condition.of != "implausible":
        yield ("metric",), f"{rule.metric!r} beside {condition.of}, which is of the whole device; remove it"
    elif rule.metric is not None and rule.metric not in catalogue().by_name:
        yield ("metric",), f"{rule.metric!r} is no metric; accepted: {', '.join(catalogue().by_name)}"
    times, samples = ("over", "clear"), ("samples", "clear_samples")
    needed, useless = (times, samples) if condition.of == "clock_skew" else (samples, times)
    for name in needed:
        if getattr(condition, name) is None:
            yield (*where, name), f"is missing; {condition.of} needs {' and '.join(needed)}"
    for name in useless:
        if getattr(condition, name) is not None:
            yield (*where, name), f"has no use for {condition.of}; remove it"
    if condition.over is not None and condition.clear is not None and condition.clear >= condition.over:
        yield (
            (*where, "clear"),
            f"{duration_text(condition.clear)}; accepted: less than {duration_text(condition.over)}",
        )
