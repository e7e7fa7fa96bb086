"""The measurements of the operator's page: what is computed from what a browser said."""

import json
from typing import Any

import numpy as np
import pytest
from bench.bare import OWN_IDS, Relay, own
from bench.generator import _values
from bench.page import growth as grown
from bench.page_soak import compiled, measure, settled
from bench.pictures import PICTURES
from bench.report import html
from bench.screen import Memory, frames, kept_mb, keys
from bench.shift import ROUND, Shift
from bench.targets import judge
from bench.trend import OBJECTS, fit, growth

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
        **grown(Memory(30, 1000, 100, 100), Memory(40, 1500, 110, 150)),
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


def test_of_a_heap_what_was_compiled_and_what_is_the_browsers_own_is_not_counted() -> None:
    fields, kinds = ["name", "type", "self_size"], ["hidden", "object", "code", "native"]
    nodes = [[0, 0, 1_000], [0, 1, 20_000], [0, 2, 300_000], [0, 3, 4_000_000], [0, 1, 80_000]]
    meta = {"node_fields": fields, "node_types": [kinds, "string", "number"]}
    snapshot = {"snapshot": {"meta": meta}, "nodes": [each for node in nodes for each in node]}
    assert kept_mb(json.dumps(snapshot)) == pytest.approx(0.101)


def _shift(grows: float, *, hours: float, hurried: float, wavers: float = 0.0) -> list[dict[str, float]]:
    """Samples each minute of a page whose heap takes ``grows`` MB an alarm and nothing else."""
    day = Shift().day
    samples = []
    for n in range(int(hours * 60) + 1):
        share = n / 60 / 24 * hurried
        alarms = day["alarms"] * share
        heap = 8.0 + grows * alarms + wavers * (-1) ** (n // 3)
        samples.append(
            {"at": 60.0 * n, "hours": n / 60, "alarms": alarms, "rounds": day["rounds"] * share / 2, **FLAT}
            | {"heap_mb": heap, "nodes": 1500.0 + n}
        )
    return samples


def test_a_page_that_grows_is_told_from_one_that_wavers_and_what_a_day_makes_of_it_is_judged() -> None:
    """100 bytes an alarm are 5 MB in a day of 51,840; rounds were half as often as in a shift: they count double."""
    leak = 1e-4
    slow = growth(_shift(leak, hours=2, hurried=1), [], Shift().day)
    assert slow["heap_mb_in_24h"] == pytest.approx(5.184)
    assert slow["nodes_percent_in_24h_at_most"] == pytest.approx(24 * 60 / 15)
    fast = growth(_shift(leak, hours=1, hurried=24), _shift(0, hours=0.5, hurried=0), Shift().day)
    assert fast["heap_mb_in_24h"] == pytest.approx(2 * 5.184)
    assert fast["fitted"]["heap_mb"]["over"]["alarms"]["slope"] == pytest.approx(leak)
    assert "alarms" not in fast["fitted"]["heap_mb"]["at_rest"]
    rest = _shift(leak, hours=0.5, hurried=1)  # what the clock alone brings is 24 times that of an hour, whatever else
    assert growth(_shift(0, hours=1, hurried=24), rest, Shift().day)["heap_mb_in_24h"] == pytest.approx(5.184)
    said = {row.what: row.verdict for row in judge({"about": {}, "console-soak": {**fast, "page_errors": 0}})}
    assert said["console soak: heap more in 24 h, at 95 %"] == "not reached"
    assert said["console soak: listeners more in 24 h, at 95 %"] == "reached"
    wavering = growth(_shift(0, hours=24, hurried=1, wavers=0.2), [], Shift().day)
    assert wavering["heap_mb_in_24h_at_most"] < 0.5
    assert "heap_mb_in_24h_at_most" not in growth(_shift(0, hours=0.1, hurried=1), [], Shift().day)
    assert "DOM nodes" in html(
        {"about": {"at": "now"}, "console-soak": {**slow, "samples": _shift(0, hours=1, hurried=1)}}
    )


def test_what_is_looked_at_seldom_is_judged_by_the_samples_that_have_it() -> None:
    at_work = [
        {**one, **({OBJECTS: one["heap_mb"]} if n % 5 == 0 else {})}
        for n, one in enumerate(_shift(1e-4, hours=1, hurried=24))
    ]
    at_rest = [{**one, **({OBJECTS: 3.0} if n % 5 == 0 else {})} for n, one in enumerate(_shift(0, hours=1, hurried=0))]
    said = growth(at_work, at_rest, Shift().day, (OBJECTS,))
    assert said["objects_mb_in_24h"] == pytest.approx(2e-4 * Shift().day["alarms"])  # all of it laid to the rounds
    assert said["objects_mb_in_24h_at_most"] == pytest.approx(said["objects_mb_in_24h"])
    assert "heap_mb_in_24h" not in said


def test_samples_that_waver_together_are_worth_fewer() -> None:
    """A heap that breathes over many samples says less of a trend than one that jumps from each to the next."""
    jumping = [{"hours": n / 60, "heap_mb": 8 + 0.2 * (-1) ** n} for n in range(120)]
    breathing = [{"hours": n / 60, "heap_mb": 8 + 0.2 * (-1) ** (n // 10)} for n in range(120)]
    assert fit(breathing, "heap_mb", "hours")["error"] > 2 * fit(jumping, "heap_mb", "hours")["error"]
    assert fit(jumping[:2], "heap_mb", "hours") == {}
    assert fit([{"hours": 1.0, "heap_mb": 8.0}] * 9, "heap_mb", "hours") == {}


def test_the_first_samples_do_not_count_and_a_shift_is_hurried_in_all_that_happens() -> None:
    samples = [{"at": 60.0 * n} for n in range(181)]
    assert settled(samples, 3 * 3600)[0]["at"] == 900
    assert settled(samples, 600)[0]["at"] == 180
    storming = [{**one, "alarms": 5.0 * one["at"]} for one in samples]  # 20,000 are remembered after 4,000 s
    assert settled(storming, 3 * 3600)[0]["at"] == 4020
    assert settled(storming[:100], 3600 * 99 / 60)[0]["at"] == 900  # too few came for that
    assert compiled(samples[:61], 3600)[0]["at"] == 1800
    plain, fast = Shift().loads("mqtt://nowhere", 3600), Shift(24).loads("mqtt://nowhere", 3600)
    assert [each.rate for each in fast] == pytest.approx([24 * each.rate for each in plain])
    assert sum(each.count for each in fast[1:]) == pytest.approx(Shift().day["alarms"], rel=0.001)
    first, again = (_values(fast[0], np.arange(n, n + ROUND)) for n in (0, ROUND))
    assert len(set(first["device"].tolist())) == ROUND
    assert all((first[name] == again[name]).all() for name in ("device", "a", "b", "c", "d"))  # nothing rises faster
    assert set((again["seq"] - first["seq"]).tolist()) == {1}  # and nothing is missing of any device
    with pytest.raises(SystemExit, match="at least 1"):
        measure(quick=True, times=0.5)


def test_every_picture_has_a_name_of_its_own_in_both_languages() -> None:
    """The readmes show one of each language: two that write one file would leave the last of them."""
    files = [each.file for each in PICTURES]
    assert len(set(files)) == len(files)
    names = {each.name for each in PICTURES}
    assert names == {"console", "alert", "map", "device", "overview", "watch", "phone"}
    assert {f"{name}-{lang}.png" for name in names for lang in ("en", "zh")} == set(files)


async def test_a_browser_that_was_told_to_forget_is_never_asked_to_look_at_the_network_again() -> None:
    """A page's session opened later must not begin it anew; what only speaks of it is passed on untouched."""
    relay = Relay()
    ask = json.dumps({"id": 7, "method": "Network.enable", "params": {}, "sessionId": "s"})
    speaks = json.dumps({"id": 8, "method": "Runtime.evaluate", "params": {"expression": '"Network.enable"'}})
    assert relay.passed(ask) == ask  # a page is loaded as Playwright would have it
    await relay.forget()
    assert json.loads(relay.passed(ask)) == {"id": 7, "method": "Network.disable", "params": {}, "sessionId": "s"}
    assert relay.passed(speaks) == speaks
    assert own(f'{{"id":{OWN_IDS},"result":{{}}}}')  # Playwright fails at an answer it did not ask for
    assert not own('{"id":7,"result":{}}')
    assert not own('{"method":"Page.loadEventFired","params":{}}')
