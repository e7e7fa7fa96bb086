"""Rules as text, one of each form of condition, that tests of the validator break."""

from firetower.rules.book.rulebook import RulebookError, load_texts


def rule(name: str, condition: str, *, alert_class: str = "hazard", kinds: str = "[hydrant]", more: str = "") -> str:
    """A rule of that id; ``condition`` and ``more`` are YAML in one line each."""
    return (
        f"  - id: {name}\n    version: 1\n    title: {{zh: 题, en: title}}\n    advice: {{zh: 查, en: look}}\n"
        f"    class: {alert_class}\n    kinds: {kinds}\n    condition: {{{condition}}}\n"
        + "".join(f"    {line}\n" for line in more.split("; ") if line)
    )


def bands(limit: str, way_back: str, more: str = "") -> str:
    """One band."""
    return f"bands: [{{priority: 3, limit: {limit}, {way_back}, source: 'J, x'{more}}}]"


RATE = rule(
    "falling", f"rate: {{side: below, over: 5min, per: min, {bands('-0.01 MPa/min', 'clear: -0.005 MPa/min')}}}",
    more="metric: pressure",
)  # fmt: skip
WINDOW = rule(
    "unsteady", f"window: {{side: above, of: spread, over: 1h, {bands('0.2 MPa', 'clear: 0.1 MPa')}}}",
    more="metric: pressure",
)  # fmt: skip
COUNT = rule(
    "often-low",
    "window: {side: above, of: count, over: 1h, counting: {side: below, limit: 0.1 MPa},"
    f" {bands('5 readings', 'clear: 3 readings')}}}",
    more="metric: pressure",
)
PATTERN = rule(
    "unusual", f"pattern: {{side: above, learning: 7d, {bands('0.2 MPa', 'clear: 0.1 MPa')}}}", more="metric: pressure"
)
TREND = rule(
    "days-left", f"trend: {{side: below, to: 2.8 V, over: 30d, {bands('7 d', 'clear: 10 d')}}}", more="metric: battery"
)
IMBALANCE = rule(
    "unbalanced",
    f"imbalance: {{side: above, channels: [a, b], within: 5min, least: 5 A, {bands('30 %', 'clear: 25 %')}}}",
    more="metric: current",
)
OUTSIDE = rule(
    "voltage",
    f"limit: {{side: outside, {bands('{low: 198 V, high: 242 V}', 'deadband: 4 V')}}}",
    more="metric: voltage",
)
EVENT = rule("opened", "event: {events: [cover_open, tilt], priority: 3, source: 'J, x'}")
OWN = rule(
    "removed-here", "event: {events: [removed], own_alert: true, priority: 2, source: 'J, x'}", alert_class="fault"
)
MISSING = rule("no-start", "event: {events: [pump_start], missing_for: 8d, priority: 3, source: 'J, x'}")
COUNTED = rule("hit-often", "event: {events: [collision], count: 3, within: 1h, priority: 3, source: 'J, x'}")
GAP = rule(
    "gap", "quality: {of: sequence_gap, samples: 5, over: 1h, priority: 4, source: 'J, x'}", alert_class="quality"
)
NO_LIMIT = rule(
    "no-limit", "quality: {of: no_limit, attributes: [level_low], priority: 4, source: 'J, x'}",
    alert_class="quality",
)  # fmt: skip
SILENT = rule(
    "silent", "silence: {of: seen, bands: [{priority: 4, intervals: 3, source: 'J, x'}]}", alert_class="offline"
)
BURST = rule(
    "burst",
    "combination: {group: main, all: [{rules: [falling], devices: 3, share: 30 %, within: 5min}], priority: 2,"
    " source: 'J, x'}",
)
CONFIRMED = rule(
    "confirmed", "confirmation: {within: 10min, source: 'J, x'}", alert_class="fire", kinds="[smoke, heat]"
)
FIRE = rule(
    "burning", "limit: {side: at_or_above, bands: [{priority: 1, limit: 0.2 dB/m, latch: true, source: 'J, x'}]}",
    alert_class="fire", kinds="[smoke]", more="metric: smoke",
)  # fmt: skip
PREALARM = rule(
    "smoke-rising",
    "limit: {side: at_or_above, bands: [{priority: 2, limit: 0.1 dB/m, clear: 0.07 dB/m, on_delay: 60s, or_samples: 2,"
    " source: 'J, x'}]}",
    alert_class="prealarm", kinds="[smoke]", more="metric: smoke",
)  # fmt: skip
LOW = rule(
    "low",
    "limit: {side: below, bands: [{priority: 4, limit: 0.14 MPa, clear: 0.16 MPa, source: 'J, x'},"
    " {priority: 3, limit: 0.10 MPa, clear: 0.12 MPa, and_samples: 2, source: 'J, x'}]}",
    more="metric: pressure",
)
ALL = (
    RATE, WINDOW, COUNT, PATTERN, TREND, IMBALANCE, OUTSIDE, EVENT, OWN, MISSING, COUNTED, GAP, NO_LIMIT,
    SILENT, BURST, CONFIRMED, FIRE, PREALARM, LOW,
)  # fmt: skip


def book(*rules: str, overrides: str = "", calendar: str = "") -> str:
    """A file of those rules; ``overrides`` and ``calendar`` are YAML in one line each."""
    parts = ["rules:\n", *rules]
    parts += [f"overrides: [{overrides}]\n"] if overrides else []
    parts += [f"calendar: {{{calendar}}}\n"] if calendar else []
    return "".join(parts)


def problems(text: str, **others: str) -> list[str]:
    """What is wrong with the rulebook of that file ``mine.yaml``, and others; nothing: an empty list."""
    try:
        load_texts({"mine.yaml": text} | {f"{name}.yaml": other for name, other in others.items()})
    except RulebookError as err:
        return err.problems
    return []
