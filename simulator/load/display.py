"""A run as it goes: a table that stays in place on a terminal, and elsewhere a plain line every few seconds."""

import contextlib
import sys
from collections.abc import Callable, Iterator

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from firetower.simulator.load.fleet import MILLI
from firetower.simulator.load.tally import Tally

EVERY = 5
"""Seconds between two plain lines."""
_ERRORS = 5

Show = Callable[[float, Tally], None]
"""Given the seconds since the start and the tally, counts since the start, histograms of what is to be shown."""


def line(seconds: float, tally: Tally, rate: float) -> str:
    """Return one line of counts; ``rate``: messages a second, sent."""
    p50, p99, most = (value / MILLI for value in tally.latency.percentiles([50, 99, 100]))
    latency = f"  latency p50 {p50:,.1f} p99 {p99:,.1f} max {most:,.1f} ms" if tally.latency.count else ""
    return (
        f"{seconds:6.0f} s  published {tally.sent:,} ({rate:,.0f}/s)  acked {tally.acknowledged:,}  "
        f"in flight {tally.in_flight:,}  waiting {tally.waiting:,}  "
        f"lost {tally.cut_off + tally.refused + tally.dropped:,}  "
        f"late {tally.late:,} (longest {tally.latest / 1e6:.3f} s){latency}"
    )


class Rate:
    """What a count grows by in a second."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, int]] = {}

    def of(self, name: str, seconds: float, count: int) -> float:
        """Return the rate of ``name`` since this was last asked."""
        at, before = self._before.get(name, (0.0, 0))
        self._before[name] = (seconds, count)
        return (count - before) / max(seconds - at, 0.001)


def _plain() -> Show:
    rate, said = Rate(), -float(EVERY)

    def show(seconds: float, tally: Tally) -> None:
        nonlocal said
        if seconds >= said + EVERY - 0.5:
            said = seconds
            typer.echo(line(seconds, tally, rate.of("sent", seconds, tally.sent)), err=True)

    return show


def table(seconds: float, tally: Tally, rate: Rate, title: str) -> Table:
    """Return what is shown on a terminal ``seconds`` after the start."""
    made = Table(title=f"{title}  {seconds:,.0f} s", show_header=False, title_justify="left", min_width=64)
    made.add_column(style="bold")
    made.add_column(justify="right")
    made.add_column()
    for name in ("intended", "sent", "acknowledged"):
        count = getattr(tally, name)
        made.add_row(name, f"{rate.of(name, seconds, count):,.0f}/s", f"{count:,}")
    made.add_row("in flight", f"{tally.in_flight:,}", f"waiting {tally.waiting:,}, connections {tally.connected:,}")
    lost = tally.cut_off + tally.refused + tally.dropped
    made.add_row("lost", f"[red]{lost:,}[/]" if lost else "0", f"late {tally.late:,}")
    for name, of in (("latency", tally.latency), ("generator late", tally.lateness)):
        p50, p99, most = (value / MILLI for value in of.percentiles([50, 99, 100]))
        made.add_row(name, f"p99 {p99:,.1f} ms", f"p50 {p50:,.1f}, max {most:,.1f}")
    for kind, count in tally.errors.most_common(_ERRORS):
        made.add_row("[red]error[/]", f"{count:,}", Text(kind))
    return made


@contextlib.contextmanager
def display(title: str, *, quiet: bool) -> Iterator[Show]:
    """Give what shows a run: live on a terminal, lines where there is none or with ``quiet``; on standard error."""
    if quiet or not sys.stderr.isatty():
        yield _plain()
        return
    rate = Rate()
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        yield lambda seconds, tally: live.update(table(seconds, tally, rate, title), refresh=True)
