"""The report a tester reads: one HTML page complete in itself; figures beside targets, then plots and tables."""

from collections.abc import Callable
from html import escape
from typing import Any

from bench.plots import bars, lines, spread
from bench.targets import judge, show

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 74rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #8886; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.reached { color: #2f9e63; font-weight: 600; } .not { color: #d1442f; font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.grid { stroke: #8884; } .limit { stroke: #d1442f; stroke-dasharray: 5 4; }
"""


def html(results: dict[str, Any]) -> str:
    """Write the page of ``results``, the dict that is also written as JSON."""
    about = results["about"]
    rough = "<p><strong>Quick run: rough figures from short rounds.</strong></p>" if about.get("quick") else ""
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Firetower, {escape(about["at"])}</title>',
        f"<style>{_STYLE}</style><h1>Firetower, measured {escape(about['at'])}</h1>{rough}",
        _table(["", ""], [[escape(name), escape(str(value))] for name, value in about.items()]),
        "<h2>Targets</h2>",
        _table(
            ["", "measured", "target", "unit", "measured / target", ""],
            [
                [
                    escape(row.what), show(row.measured), escape(row.target), row.unit,
                    "" if row.ratio is None else f"{row.ratio:.2f}",
                    f'<span class="{"reached" if row.reached else "not"}">{row.verdict}</span>',
                ]
                for row in judge(results)
            ],
        ),
    ]  # fmt: skip
    for name, write in SECTIONS.items():
        if name in results:
            parts.append(f"<h2>{name}</h2>{write(results[name])}")
    return "\n".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    cells = "".join(f"<th>{one}</th>" for one in head)
    body = "".join("<tr>" + "".join(f"<td>{one}</td>" for one in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def _plots(*plots: str) -> str:
    return f'<div class="plots">{"".join(plots)}</div>'


def _ingest(of: dict[str, Any]) -> str:
    runs = {"Firetower": "service", "bare loop": "bare", "bare broker": "broker", "aiomqtt + asyncpg": "plain"}
    taken = {label: of[name] for label, name in runs.items()}
    rates = {label: {"messages/s": one["messages_per_second"]} for label, one in taken.items()}
    costs = {label: one["cpu_us_per_message"] for label, one in taken.items()}
    merged = {label: {_role(name): cost for name, cost in one.items()} for label, one in costs.items()}
    rows = [
        [label, show(one["messages_per_second"]), show(one["readings_per_second"]),
         ", ".join(f"{name} {cost:.1f}" for name, cost in one["cpu_us_per_message"].items())]
        for label, one in taken.items()
    ]  # fmt: skip
    memory = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in of["resident_mib"].items())
    return (
        _table(["", "messages/s", "readings/s", "processor µs a message"], rows)
        + f"<p>{of['share_of_bare']:.0%} of the bare loop; {of['times_plain']:.1f} times the plain ingestor;"
        f" {of['lost']} readings lost. Memory: {memory}.</p>"
        + _plots(
            bars("Messages a second, acknowledged after commit", rates, y="messages/s", limit=50_000),
            bars("Processor time of a message, by process", merged, y="µs"),
        )
    )


def _role(process: str) -> str:
    return process if process in {"postgres", "nats", "generator"} else "ingest"


def _latency(of: dict[str, Any]) -> str:
    loads = [name for name in ("idle", "half", "saturated") if name in of]
    rows, plots = [], []
    for lane in ("alarm", "telemetry"):
        for load in loads:
            stages = of[load][lane]
            total = stages["total"]
            rows.append(
                [f"{lane}, {load}", show(of[load]["offered_messages_per_second"])]
                + [f"{total[name]:.1f}" if total else "" for name in ("p50", "p95", "p99", "max")]
                + [f"{stages[name].get('p50', 0):.1f}" for name in ("received", "committed", "shown")]
                + [show(stages["missing"]["n"])]
            )
        plots.append(
            lines(
                f"{lane} lane: publish to console, ms by percentile",
                {load: spread(of[load][f"{lane}_values_ms"]) for load in loads},
                x="% of probes at most", y="ms (log)", log=True, limit=150 if lane == "alarm" else None,
            )
        )  # fmt: skip
    head = ["ms from the intended instant", "telemetry/s", "p50", "p95", "p99", "max",
            "p50 to arrival", "p50 to commit", "p50 to frame", "missing"]  # fmt: skip
    return _table(head, rows) + _plots(*plots)


def _alarms(of: dict[str, Any]) -> str:
    bad = of["bad_sender"]
    others = bad["others_ms"]
    rows = [
        ["fires of distinct points", show(of["alarms"])],
        ["committed, /s", show(of["raises_per_second"])],
        ["shown, /s", show(of["shown_per_second"])],
        ["doubled / lost", f"{of['duplicates']} / {of['lost']}"],
        ["one bad sender: its fires", f"{bad['flood']:,} in {bad['flood_seconds']:.1f} s"],
        ["another unit's fire meanwhile: p50, ms", show(others.get("p50", 0))],
        ["the same: p99, ms", show(others.get("p99", 0))],
        ["the same: max, ms", show(others.get("max", 0))],
        ["the same: not shown", show(bad["others_missing"])],
    ]
    plot = lines("Another unit's fire beside the flood", {"fires": spread(bad["others_values_ms"])},
                 x="% of fires at most", y="ms (log)", log=True)  # fmt: skip
    return _table(["", ""], rows) + _plots(plot)


def _growth(of: dict[str, Any]) -> str:
    names = ("devices", "start_s", "restart_s", "registered_mib", "resident_mib", "service_cpu_us_per_message")
    head = ["devices", "start, s", "start after all reported, s", "MiB registered", "MiB all heard", "µs a message"]
    sizes = {f"{row['devices']:,}": row for row in of["sizes"]}
    costs = {size: {"µs": row["service_cpu_us_per_message"]} for size, row in sizes.items()}
    memory = {size: {"MiB": row["resident_mib"]} for size, row in sizes.items()}
    return _table(head, [[show(row[name]) for name in names] for row in of["sizes"]]) + _plots(
        bars("Processor time of a message", costs, y="µs"), bars("Memory of the service", memory, y="MiB")
    )


def _burst(of: dict[str, Any]) -> str:
    samples, alarms = of["samples"], [one for one in of["alarm_each_second"] if "max" in one]
    rows = [
        ["offered, messages/s for s", f"{of['offered_per_second']:,} for {of['seconds']}"],
        ["taken by the broker, messages/s", show(of["published_per_second"])],
        ["stored, messages/s until drained", show(of["taken_per_second"])],
        ["drained after, s", show(of["drained_s"])],
        ["readings lost", show(of["lost"])],
        ["memory of the service at first, MiB", show(of["memory_first_mib"])],
        ["memory of the service at most, MiB", show(of["memory_most_mib"])],
    ]
    memory = {name: [(one["at"], one["memory"][name]) for one in samples] for name in samples[0]["memory"]}
    flow = {name: [(one["at"], one[name]) for one in samples] for name in ("published", "taken")}
    return _table(["", ""], rows) + _plots(
        lines("Messages published and stored", flow, x="s", y="messages"),
        lines("Lag of the telemetry lane", {"lag": [(one["at"], one["lag_s"]) for one in samples]}, x="s", y="s"),
        lines("Memory", memory, x="s", y="MiB"),
        lines("Device alarm to console", {name: [(one["at"], one[name]) for one in alarms] for name in ("p50", "max")},
              x="s", y="ms (log)", log=True, limit=150),
    )  # fmt: skip


def _console(of: dict[str, Any]) -> str:
    rounds = {f"{one['rate']}/s": one for one in of.values() if isinstance(one, dict) and "frames" in one}
    rows = [
        [name, show(one["open"]), show(one["frames"]["fps"]), show(one["frames"]["p95"]), show(one["frames"]["max"])]
        + [show(one["keys"][what].get(each, 0)) for what in ("handled", "painted") for each in ("p95", "max")]
        + [show(one["fires"]["painted"].get(each, 0)) for each in ("p50", "p95", "p99")]
        + [show(one["main_thread_ms_per_s"]), show(one["after"]["heap_mb"]), show(one["after"]["nodes"])]
        for name, one in rounds.items()
    ]
    head = ["alerts", "open", "fps", "frame p95, ms", "max", "key handled p95", "max", "painted p95", "max",
            "fire painted p50", "p95", "p99", "main thread, ms/s", "heap, MB", "DOM nodes"]  # fmt: skip
    fires = {name: spread(one["fires"]["values_ms"]) for name, one in rounds.items() if one["fires"]["values_ms"]}
    return _figures(of["first"]) + _table(head, rows) + _plots(
        lines("Frame times by percentile", {name: spread(one["frame_values_ms"]) for name, one in rounds.items()},
              x="% of frames at most", y="ms (log)", log=True, limit=250),
        lines("Fire: sensor's publish to painted", fires, x="% of fires at most", y="ms (log)", log=True, limit=200),
    )  # fmt: skip


def _console_soak(of: dict[str, Any]) -> str:
    samples = of["samples"]
    named = {"heap_mb": "Heap after garbage collection, MB", "nodes": "DOM nodes", "listeners": "Listeners",
             "pss_mib": "Memory of the renderer, MiB"}  # fmt: skip
    plots = [
        lines(title, {name: [(one["at"] / 3600, one[name]) for one in samples]}, x="h", y="")
        for name, title in named.items()
    ]
    return _figures(of) + _plots(*plots)


def _figures(of: dict[str, Any]) -> str:
    rows = [[escape(name), show(value)] for name, value in of.items() if isinstance(value, int | float)]
    return _table(["", ""], rows)


def _listed(of: Any) -> str:
    rows = next((value for value in of.values() if isinstance(value, list)), []) if isinstance(of, dict) else of
    if not rows:
        return _figures(of)
    names = list(rows[0])
    return _table(names, [[show(row[name]) if isinstance(row[name], int | float) else escape(str(row[name]))
                           for name in names] for row in rows])  # fmt: skip


SECTIONS: dict[str, Callable[[Any], str]] = {
    "ingest": _ingest, "latency": _latency, "alarms": _alarms, "growth": _growth, "burst": _burst,
    "console": _console, "console-soak": _console_soak,
    "recovery": _figures, "soak": _figures, "rules": _listed, "decode": _listed, "load": _listed,
}  # fmt: skip
