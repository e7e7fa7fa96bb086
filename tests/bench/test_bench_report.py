"""The report of `script/bench`: what a tester reads from it."""

import re
from typing import Any
from xml.etree import ElementTree as ET

from bench.report import html
from bench.targets import judge, table


def _round(rate: float) -> dict[str, Any]:
    costs = {"service": 9.5, "postgres": 5.0, "nats": 20.0, "generator": 2.0}
    return {"messages_per_second": rate, "readings_per_second": 3 * rate, "cpu_us_per_message": costs}


def _probes(p99: float) -> dict[str, Any]:
    figures = {"p50": 5.0, "p95": 11.0, "p99": p99, "max": p99, "n": 3}
    return dict.fromkeys(("total", "received", "committed", "shown"), figures) | {"missing": {"n": 0}}


def _load(p99: float) -> dict[str, Any]:
    values = [5.0, 11.0, p99]
    return {
        "offered_messages_per_second": 0, "alarm": _probes(p99), "telemetry": _probes(p99),
        "alarm_values_ms": values, "telemetry_values_ms": values,
    }  # fmt: skip


RESULTS: dict[str, Any] = {
    "about": {"at": "2026-11-23 04:00:00", "quick": True, "commit": "abc1234", "machine": "2 cores <test>"},
    "ingest": {
        "service": _round(51_234), "bare": _round(80_000), "broker": _round(90_000), "plain": _round(7_000),
        "share_of_bare": 51_234 / 80_000, "times_plain": 7.3, "lost": 0, "resident_mib": {"service": 140.0},
    },
    "latency": {"idle": _load(19.5), "half": _load(30.0), "saturated": _load(640.0)},
    "growth": {
        "largest": 100_000, "largest_start_s": 3.0, "bytes_per_device": 900.0, "cost_ratio": 1.1,
        "sizes": [{"devices": 100_000, "start_s": 3.0, "restart_s": 4.0, "registered_mib": 90.0, "resident_mib": 120.0,
                   "service_cpu_us_per_message": 12.0}],
    },
    "recovery": {"devices": 100_000, "ready_s": 4.1, "drained_s": 6.0, "lost": 2, "duplicates": 0},
}  # fmt: skip


def test_each_figure_stands_beside_its_target_and_says_whether_it_was_reached() -> None:
    """More is better for a rate, less for a latency, and a single lost reading is a target not reached."""
    said = {row.what: (row.verdict, row.ratio) for row in judge(RESULTS)}
    assert said["messages a second, acknowledged after commit"] == ("reached", 51_234 / 50_000)
    assert said["share of the bare loop"][0] == "not reached"
    assert said["device alarm to console, idle, p99"] == ("reached", 19.5 / 25)
    assert said["device alarm to console, telemetry saturated, p99"][0] == "not reached"
    assert said["readings lost by kill -9"] == ("not reached", None)
    assert said["ready after kill -9 with 100,000 devices"][0] == "reached"


def test_what_was_not_measured_is_not_judged_and_a_smaller_city_is_named() -> None:
    """A run of one measurement claims nothing about the others, and 100,000 devices are not passed off as a million."""
    rows = [row.what for row in judge(RESULTS)]
    assert not [what for what in rows if what.startswith(("burst", "random kills"))]
    assert "start with a million devices (measured with 100,000 only)" in rows
    assert judge({"about": RESULTS["about"]}) == []


def test_the_page_shows_figures_targets_plots_machine_and_commit_without_loading_anything() -> None:
    """One file that can be sent on: every plot is in it, and it names where the figures come from."""
    page = html(RESULTS)
    for shown in ("51,234", "≥ 50,000", "not reached", "2 cores &lt;test&gt;", "abc1234", "Quick run", "bare loop"):
        assert shown in page, shown
    plots = re.findall(r"<svg.*?</svg>", page)
    assert len(plots) == 6
    for plot in plots:
        ET.fromstring(plot)
    assert not re.search(r"(src|href)=|@import|url\(", page)


def test_the_table_in_the_terminal_gives_the_ratio() -> None:
    """Measured, target, ratio and verdict stand in one line."""
    line = next(line for line in table(judge(RESULTS)).splitlines() if line.startswith("messages a second"))
    assert line.split()[-4:] == ["50,000", "/s", "1.02", "reached"]
