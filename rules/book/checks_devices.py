"""What a rule on a device as a whole may not be: its silence, and how it reports."""

from collections.abc import Iterator
from itertools import pairwise

from firetower.core.yaml_lines import Path
from firetower.devices.events import AlertClass
from firetower.devices.metrics import catalogue
from firetower.rules.book.conditions import QualityCondition, SilenceBand, SilenceCondition
from firetower.rules.book.finding import Finding, check_no_metric, check_priorities, near_attribute, under
from firetower.rules.book.model import Rule
from firetower.rules.book.quantities import duration_text

_NEEDED: dict[str, tuple[str, ...]] = {
    "clock_skew": ("over", "clear"),
    "clock_stuck": ("samples", "clear_samples"),
    "implausible": ("samples", "clear_samples"),
    "sequence_gap": ("samples", "over"),
    "no_limit": ("attributes",),
}
"""The fields each use of ``quality`` needs; it has no use for the others."""


def check_silence(rule: Rule, condition: SilenceCondition) -> Iterator[Finding]:
    """Yield what is wrong with a silence rule."""
    if rule.alert_class is not AlertClass.OFFLINE:
        yield ("class",), f"{rule.alert_class} for silence; accepted: offline"
    yield from check_no_metric(rule, "silence")
    where: Path = ("condition", "silence")
    if condition.interval_below is not None and condition.interval_below <= condition.interval_from:
        yield (
            (*where, "interval_below"),
            f"{duration_text(condition.interval_below)}; accepted: over {duration_text(condition.interval_from)}",
        )
    if condition.of == "never_seen" and condition.offline_for is not None:
        yield (*where, "offline_for"), "for a device that never spoke; remove it"
    for index, band in enumerate(condition.bands):
        yield from under((*where, "bands", index), _check_wait(band))
    yield from under((*where, "bands"), check_priorities(condition.bands))
    for index, (milder, worse) in enumerate(pairwise(condition.bands), 1):
        if worse.after is not None and milder.after is not None and worse.after < milder.after:
            yield (
                (*where, "bands", index, "after"),
                f"{duration_text(worse.after)}; accepted: at least {duration_text(milder.after)} (mildest first)",
            )
        if worse.intervals is not None and milder.intervals is not None and worse.intervals < milder.intervals:
            yield (
                (*where, "bands", index, "intervals"),
                f"{worse.intervals}; accepted: at least {milder.intervals} (mildest first)",
            )


def _check_wait(band: SilenceBand) -> Iterator[Finding]:
    if (band.after is None) == (band.intervals is None):
        yield ("after",), "accepted: exactly one of after (25h) and intervals (3)"
    if band.after is not None and (band.at_least is not None or band.at_most is not None):
        yield ("after",), "has no use for at_least and at_most; they bound intervals"
    if band.at_least is not None and band.at_most is not None and band.at_most < band.at_least:
        yield ("at_most",), f"{duration_text(band.at_most)} is under at_least {duration_text(band.at_least)}"


def check_quality(rule: Rule, condition: QualityCondition) -> Iterator[Finding]:
    """Yield what is wrong with a quality rule."""
    where: Path = ("condition", "quality")
    if rule.alert_class is not AlertClass.QUALITY:
        yield ("class",), f"{rule.alert_class} for quality; accepted: quality"
    if rule.metric is not None and condition.of != "implausible":
        yield ("metric",), f"{rule.metric!r} beside {condition.of}, which is of the whole device; remove it"
    elif rule.metric is not None and rule.metric not in catalogue().by_name:
        yield ("metric",), f"{rule.metric!r} is no metric; accepted: {', '.join(catalogue().by_name)}"
    needed = _NEEDED[condition.of]
    for name in ("over", "clear", "samples", "clear_samples", "attributes"):
        given = getattr(condition, name)
        if given is None and name in needed:
            yield (*where, name), f"is missing; {condition.of} needs {' and '.join(needed)}"
        if given is not None and name not in needed:
            yield (*where, name), f"has no use for {condition.of}; remove it"
    if condition.attributes is not None and len(set(condition.attributes)) != len(condition.attributes):
        yield (*where, "attributes"), f"{', '.join(condition.attributes)} names one twice; keep one"
    for index, name in enumerate(condition.attributes or ()):
        if meant := near_attribute(name):
            text = f"{name!r} is no attribute of the shipped rules; did you mean {meant}?"
            yield (*where, "attributes", index), text
    if condition.over == 0:
        yield (*where, "over"), "0s; accepted: more than 0s"
    if condition.over is not None and condition.clear is not None and condition.clear >= condition.over:
        yield (
            (*where, "clear"),
            f"{duration_text(condition.clear)}; accepted: less than {duration_text(condition.over)}",
        )
