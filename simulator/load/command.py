"""``firetower simulate --load`` and ``--find-limit``: from the options of a command to its report and exit status."""

import asyncio
import json
from pathlib import Path

import typer

from firetower.core.errors import ConfigError
from firetower.simulator.load.display import display
from firetower.simulator.load.fleet import Outcome, Second
from firetower.simulator.load.limits import Limits
from firetower.simulator.load.measure import Asked, find_limit, load
from firetower.simulator.load.order import Order
from firetower.simulator.load.report import Report

_TABLE = ".hgrm"


def measure(what: Order, asked: Asked, limits: Limits, *, search: bool, quiet: bool, report: Path | None) -> int:
    """Run a load, print its report and write it to ``report``; return the exit status, 1 beyond limits.

    Raises FiretowerError when there is no load to report on, OSError when ``report`` cannot be written: the former
    before the load begins.
    """
    if report is not None:
        if report.suffix == _TABLE:
            raise ConfigError(
                f"--report {report} is the JSON file, and the table beside it ends in {_TABLE}: name it .json"
            )
        with report.open("a"):  # what cannot be written is known before the load, not after it
            pass
    with display("find the limit" if search else f"{asked.shape} load", quiet=quiet) as show:

        def watch(second: Second, _: Outcome) -> None:
            show(second.number, second.tally)

        def tried(text: str) -> None:
            typer.echo(text, err=True)

        if search:
            done = asyncio.run(find_limit(what, asked, limits, watch, tried))
        else:
            done = asyncio.run(load(what, asked, limits, watch))
    typer.echo(done.text())
    if report is not None:
        _write(done, report)
    return 1 if done.problems else 0


def _write(done: Report, file: Path) -> None:
    file.write_text(json.dumps(done.json(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    if done.outcome is not None and done.figure:
        file.with_suffix(_TABLE).write_text(done.outcome.tally.latency.table(), "utf-8")
