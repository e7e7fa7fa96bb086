"""A run and its score: play, let the service finish, ask it what it alarmed, and judge."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from firetower.core.clock import SECOND, Clock, Micros
from firetower.simulator.score.accounting import Account, account
from firetower.simulator.score.judge import BEFORE, Score, judge
from firetower.simulator.score.page import html
from firetower.simulator.score.report import Limits, Report
from firetower.simulator.score.service import Service, ServiceTrouble
from firetower.simulator.truth import Expected, Forbidden, Run, Sent, TruthLine, TruthLog

SETTLE_S = 20.0
"""Longest wait, after the last message, for what is due and not there yet."""
_LAST_LOOK_S = 1.0
"""So long after everything is there, for what is one too many."""
_LOOK_S = 0.5


class Collected:
    """Gathers the lines of a truth log as a run tells them."""

    def __init__(self) -> None:
        self._log: TruthLog | None = None

    def __call__(self, line: TruthLine) -> None:
        """Take a line in."""
        match line:
            case Run():
                self._log = TruthLog(line)
            case Expected():
                self.log.expected.append(line)
            case Forbidden():
                self.log.forbidden.append(line)
            case Sent():
                self.log.sent = line

    @property
    def log(self) -> TruthLog:
        """What was told so far; a run tells of itself first."""
        assert self._log is not None
        return self._log


async def scored(
    service: Service,
    play: Callable[[Callable[[TruthLine], None]], Awaitable[object]],
    *,
    clock: Clock,
    limits: Limits,
    grace: Micros = 0,
    settle: float = SETTLE_S,
) -> Report:
    """Return how the service did while ``play`` ran, which is given what takes its truth log in.

    ``grace``: µs the way through the service may take on top of what is promised. ``settle``: seconds waited at most
    for what is due. Raises ServiceTrouble when the service does not answer in the end.
    """
    before = await service.metrics()
    collected = Collected()
    await play(collected)
    score, counted = await _settled(service, collected.log, before, clock=clock, grace=grace, settle=settle)
    return Report(collected.log, score, counted, limits)


async def judged(service: Service, log: TruthLog, *, clock: Clock, limits: Limits, grace: Micros = 0) -> Report:
    """Return the score of an earlier run; what became of its messages cannot be told any more."""
    score = judge(log, await service.alerts(log.run.wall - BEFORE), now=clock.now(), grace=grace)
    return Report(log, score, account(_sent(log), None, None), limits)


async def _settled(
    service: Service, log: TruthLog, before: dict[str, float] | None, *, clock: Clock, grace: Micros, settle: float
) -> tuple[Score, Account]:
    """Look until everything that is due is there and accounted for, or ``settle`` is over; then once more."""
    until = clock.now() + round(settle * SECOND)
    while True:
        last = clock.now() >= until
        try:
            score = judge(log, await service.alerts(log.run.wall - BEFORE), now=clock.now(), grace=grace)
            counted = account(_sent(log), before, await service.metrics())
        except ServiceTrouble:  # its database may just come back
            if last:
                raise
        else:
            if last or (score.complete(until) and counted.readings_lost in {None, 0}):
                await asyncio.sleep(0 if last else _LAST_LOOK_S)
                alerts = await service.alerts(log.run.wall - BEFORE)
                return judge(log, alerts, now=clock.now(), grace=grace), counted
        await asyncio.sleep(_LOOK_S)


def _sent(log: TruthLog) -> Sent:
    return log.sent if log.sent is not None else Sent(log.run.start)


def write(report: Report, file: Path) -> tuple[Path, Path]:
    """Write the report as JSON and as HTML, named like ``file``, and return both; OSError when that fails."""
    pages = file.with_suffix(".json"), file.with_suffix(".html")
    pages[0].write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n", "utf-8")
    pages[1].write_text(html(report), "utf-8")
    return pages
