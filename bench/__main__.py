"""`script/bench`: run the measurements, print their tables, write them to bench/results/."""

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

from bench import ingest, latency, rules

RESULTS = Path(__file__).parent / "results"
MEASUREMENTS = {"rules": rules.measure_all, "ingest": ingest.measure, "latency": latency.measure}


def main() -> None:
    """Run the named measurements, or all of them."""
    parser = argparse.ArgumentParser(prog="script/bench", description="Measure Firetower on this machine.")
    parser.add_argument("what", nargs="*", help=f"of {', '.join(MEASUREMENTS)}; none: all")
    parser.add_argument("--quick", action="store_true", help="two minutes at most, rougher figures")
    asked = parser.parse_args()
    unknown = set(asked.what) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"unknown measurement {', '.join(sorted(unknown))}; accepted: {', '.join(MEASUREMENTS)}")
    results: dict[str, Any] = {"machine": platform.platform(), "python": platform.python_version()}
    for name in asked.what or MEASUREMENTS:
        print(f"\n== {name}")
        results[name] = MEASUREMENTS[name](quick=asked.quick)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    file.write_text(json.dumps(results, indent=2), "utf-8")
    print(f"\nwritten to {file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file}")


main()
