"""The measurements of the operator's page: what is computed from what a browser said."""

from typing import Any

import pytest
from bench.page import growth
from bench.page_soak import slope, slopes
from bench.pictures import PICTURES
from bench.report import html
from bench.screen import Memory, frames, keys
from bench.targets import judge

FLAT = {"heap_mb": 8.0, "nodes": 1500.0, "listeners": 120.0, "pss_mib": 100.0}


def _round(rate: int) -> dict[str, Any]:
    times = [16.7] * 97 + [40.0, 60.0, 300.0]
    pressed = [{"handled": 5.0 + n, "painted": 20.0 + n} for n in range(10)] + [{"handled": 1.0, "painted": None}]
    painted = {"p50": 50.0, "p95": 150.0, "p99": 210.0, "max": 230.0, "n": 3}
    memory = {"heap_mb": 40.0, "nodes": 1500, "listeners": 120, "pss_mib": 150.0}
    return {
        "rate": rate, "frames": frames(times), "keys": keys(pressed), "open": 12_000, "all_shown_after_s": 0.1,
        "fires": {"painted": painted, "values_ms": [50.0, 150.0, 230.0], "missing": 1, "not_on_top": 0},
        "main_thread_ms_per_s": 400.0, "before": memory, "after": memory, "frame_values_ms": times,
        **growth(Memory(30, 1000, 100, 100), Memory(40, 1500, 110, 150)),
    }  # fmt: skip


def test_the_page_is_judged_by_its_stalls_its_growth_and_what_it_did_not_paint() -> None:
    """One frame of 300 ms, half as many nodes again and one fire that never came are named; the good is called good."""
    console = {"first": {"page_kb": 290.0}, "sound_armed": 1, "page_errors": 0}
    results = {"about": {"at": "now"}, "console": {**console, "at_200": _round(200), "at_1000": _round(1000)}}
    said = {row.what: row.verdict for row in judge(results)}
    assert said["console, 200 alerts/s: longest frame"] == "not reached"
    assert said["console, 200 alerts/s: DOM nodes after / before"] == "not reached"
    assert said["console, 200 alerts/s: listeners after / before"] == "reached"
    assert said["console, 1,000 alerts/s: fires not painted"] == "not reached"
    assert said["console, 1,000 alerts/s: key painted, p95"] == "reached"
    assert said["console: sound armed in the end"] == "reached"
    assert "12,000" in html(results)


def test_frames_and_keys_are_counted_as_they_were() -> None:
    figures = frames([10.0, 10.0, 40.0, 300.0])
    assert figures["fps"] == pytest.approx(4000 / 360)
    assert (figures["over_33"], figures["over_250"], figures["max"]) == (0.5, 0.25, 300)
    assert frames([]) == {}
    said = keys([{"handled": 4.0, "painted": None}, {"handled": None, "painted": 30.0}])
    assert (said["handled"]["n"], said["painted"]["n"], said["without_result"]) == (1, 1, 1)


def test_a_page_that_grows_is_told_from_one_that_only_warms_up_or_wavers() -> None:
    """The slope is of what comes after warming up; noise about a level is no growth beyond its own error."""
    warming = [{"at": 60.0 * n, **FLAT, "heap_mb": 8.0 - max(0, 4 - n)} for n in range(121)]
    assert slopes(warming)["heap_kb_per_hour"] == pytest.approx(0, abs=1e-6)
    leaking = [{"at": 60.0 * n, **FLAT, "heap_mb": 8.0 + 0.5 * n / 60, "nodes": 1500.0 + n} for n in range(121)]
    fitted = slopes(leaking)
    assert fitted["heap_kb_per_hour"] == pytest.approx(500)
    assert fitted["nodes_per_hour"] == pytest.approx(60)
    wavering = [{"at": 60.0 * n, **FLAT, "heap_mb": 8.0 + (0.2 if n % 2 else -0.2)} for n in range(121)]
    line = slope(wavering, "heap_mb")
    assert abs(line["per_hour"]) < 2 * line["error"]
    rows = judge({"about": {}, "console-soak": {**fitted, "samples": leaking, "page_errors": 0}})
    assert {row.what: row.verdict for row in rows}["console soak: heap growing"] == "not reached"
    assert slope(leaking[:2], "nodes", settled=0) == {}
    assert "DOM nodes" in html({"about": {"at": "now"}, "console-soak": {**fitted, "samples": leaking}})


def test_every_picture_has_a_name_of_its_own_in_both_languages() -> None:
    """The readmes show one of each language: two that write one file would leave the last of them."""
    files = [each.file for each in PICTURES]
    assert len(set(files)) == len(files)
    names = {each.name for each in PICTURES}
    assert names == {"console", "alert", "map", "device", "overview", "watch", "phone"}
    assert {f"{name}-{lang}.png" for name in names for lang in ("en", "zh")} == set(files)
