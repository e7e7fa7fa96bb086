"""The targets of the design beside what was measured: reached or not, and the ratio."""

from dataclasses import dataclass
from typing import Any

from bench.shift import OPEN_AT_MOST

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """``path`` names a figure in the results, dots between names; ``least``: more is better, else at most ``limit``."""

    what: str
    path: str
    limit: float
    unit: str
    least: bool = False


TARGETS = (
    Target(
        "messages a second, acknowledged after commit", "ingest.service.messages_per_second", 50_000, "/s", least=True
    ),
    Target("the same, the next step", "ingest.service.messages_per_second", 60_000, "/s", least=True),
    Target("readings a second", "ingest.service.readings_per_second", 150_000, "/s", least=True),
    Target("share of the bare loop", "ingest.share_of_bare", 0.7, "", least=True),
    Target("readings lost in ingest", "ingest.lost", 0, ""),
    Target("device alarm to console, idle, p99", "latency.idle.alarm.total.p99", 25, "ms"),
    Target("device alarm to console, telemetry saturated, p99", "latency.saturated.alarm.total.p99", 150, "ms"),
    Target("alarms that did not reach the console", "latency.saturated.alarm.missing.n", 0, ""),
    Target("alert raises, durable from the wire", "alarms.raises_per_second", 5_000, "/s", least=True),
    Target("fires doubled", "alarms.duplicates", 0, ""),
    Target("fires lost", "alarms.lost", 0, ""),
    Target("another unit's fire beside a bad sender: not shown", "alarms.bad_sender.others_missing", 0, ""),
    Target("rule evaluation, per reading and rule", "rules.rules.-1.us_per_reading_and_rule", 0.2, "us"),
    Target("back-test of 10,000 devices", "backtest.times_real_time", 100, "times", least=True),
    Target("back-test: stored readings not replayed", "backtest.lost", 0, ""),
    Target("start with a million devices", "growth.largest_start_s", 20, "s"),
    Target("memory of a registered device", "growth.bytes_per_device", 1024, "bytes"),
    Target("cost of a message, a million devices beside 10,000", "growth.cost_ratio", 1.2, "times"),
    Target("ready after kill -9 with 100,000 devices", "recovery.ready_s", 5, "s"),
    Target("readings lost by kill -9", "recovery.lost", 0, ""),
    Target("readings doubled by kill -9", "recovery.duplicates", 0, ""),
    Target("burst: messages offered and taken by the broker", "burst.published_per_second", 49_500, "/s", least=True),
    Target("burst: readings lost", "burst.lost", 0, ""),
    Target("burst: alarms not shown", "burst.alarms_missing", 0, ""),
    Target("burst: device alarm to console, p99", "burst.alarm_ms.p99", 150, "ms"),
    Target("load generator: messages from one core", "load.sent_per_second", 100_000, "/s", least=True),
    Target("console: first load, without the list of devices", "console.first.page_kb", 300, "kB"),
    Target("console, 200 alerts/s: frames", "console.at_200.frames.fps", 45, "/s", least=True),
    Target("console, 200 alerts/s: longest frame", "console.at_200.frames.max", 250, "ms"),
    Target("console, 200 alerts/s: fire painted, p95", "console.at_200.fires.painted.p95", 200, "ms"),
    Target("console, 200 alerts/s: heap afterwards", "console.at_200.after.heap_mb", 60, "MB"),
    Target("console, 200 alerts/s: DOM nodes after / before", "console.at_200.nodes_times", 1.2, "times"),
    Target("console, 200 alerts/s: listeners after / before", "console.at_200.listeners_times", 1.2, "times"),
    Target("console, 1,000 alerts/s: key handled, max", "console.at_1000.keys.handled.max", 100, "ms"),
    Target("console, 1,000 alerts/s: key painted, p95", "console.at_1000.keys.painted.p95", 100, "ms"),
    Target("console, 1,000 alerts/s: fire painted, p99", "console.at_1000.fires.painted.p99", 1000, "ms"),
    Target("console, 1,000 alerts/s: fires not painted", "console.at_1000.fires.missing", 0, ""),
    Target("console, 1,000 alerts/s: fires not on top", "console.at_1000.fires.not_on_top", 0, ""),
    Target("console: sound armed in the end", "console.sound_armed", 1, "", least=True),
    Target("console: errors thrown", "console.page_errors", 0, ""),
    Target("console soak: heap more in 24 h, at 95 %", "console-soak.heap_mb_in_24h_at_most", 10, "MB"),
    Target("console soak: heap but for code more in 24 h, at 95 %", "console-soak.objects_mb_in_24h_at_most", 5, "MB"),
    Target("console soak: renderer more in 24 h, at 95 %", "console-soak.pss_mib_in_24h_at_most", 50, "MiB"),
    Target("console soak: DOM nodes more in 24 h, at 95 %", "console-soak.nodes_percent_in_24h_at_most", 5, "%"),
    Target("console soak: listeners more in 24 h, at 95 %", "console-soak.listeners_percent_in_24h_at_most", 5, "%"),
    Target("console soak: open at most, the desk beside keeps up", "console-soak.open_most", 2 * OPEN_AT_MOST, ""),
    Target("console soak: errors thrown", "console-soak.page_errors", 0, ""),
    Target("random kills: lost", "soak.lost", 0, ""),
    Target("random kills: doubled", "soak.doubled", 0, ""),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One target with its figure; ``ratio`` is measured by target, None where the target is zero."""

    what: str
    measured: float
    target: str
    unit: str
    ratio: float | None
    reached: bool

    @property
    def verdict(self) -> str:
        """In words."""
        return "reached" if self.reached else "not reached"


def judge(results: dict[str, Any]) -> list[Row]:
    """Return a row for each target whose figure was measured."""
    rows = []
    for one in TARGETS:
        measured = figure(results, one.path)
        if measured is None:
            continue
        what = one.what
        if one.path.startswith("growth.") and results["growth"]["largest"] < MILLION:
            what += f" (measured with {results['growth']['largest']:,} only)"
        reached = measured >= one.limit if one.least else measured <= one.limit
        limit = f"{'≥' if one.least else '≤'} {show(one.limit)}" if one.limit else "0"
        rows.append(Row(what, measured, limit, one.unit, measured / one.limit if one.limit else None, reached))
    return rows


def figure(results: dict[str, Any], path: str) -> float | None:
    """Return the figure at ``path``, None where it was not measured."""
    at: Any = results
    for name in path.split("."):
        if isinstance(at, dict):
            at = at.get(name)
        elif isinstance(at, list) and at:
            at = at[int(name)]
        else:
            return None
    return None if at is None else float(at)


def show(value: float) -> str:
    """A number as a person reads it."""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'':56}{'measured':>12}{'target':>12} {'unit':6}{'ratio':>7}"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"{row.what:56.56}{show(row.measured):>12}{row.target:>12} {row.unit:6}{ratio:>7}  {row.verdict}")
    return "\n".join(lines)
