"""``firetower simulate`` with scenarios: from its options to what it prints, writes, and its exit status."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import typer

from firetower.core.clock import SECOND, SystemClock
from firetower.core.errors import ConfigError, InvalidInput
from firetower.simulator.cameras import Theatre, serving
from firetower.simulator.city import SimCity
from firetower.simulator.hastened import length, start_of
from firetower.simulator.load import limits as load_limits
from firetower.simulator.load.connections import Wiring
from firetower.simulator.load.display import display, line
from firetower.simulator.play import Play
from firetower.simulator.run import Stats, run
from firetower.simulator.score.conductor import Conductor, Hook, check
from firetower.simulator.score.report import Limits, Report
from firetower.simulator.score.scored import judged, scored, write
from firetower.simulator.score.service import Service, signed_in
from firetower.simulator.script_file import Part
from firetower.simulator.truth import TruthLine, read_truth


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the score is asked for. ``url``: of the service, None for no score. ``grace``, ``settle`` in seconds."""

    url: str | None
    user: str | None
    hooks: Mapping[str, Hook]
    limits: Limits
    grace: float
    settle: float
    report: Path | None

    def account(self) -> tuple[str, str, str]:
        """Return address, account and password; ConfigError when one is missing."""
        password = os.environ.get("FIRETOWER_PASSWORD")
        if self.url is None:
            raise ConfigError("there is no service to judge: give its address with --score URL")
        if self.user is None or password is None:
            raise ConfigError(
                "--score needs an account of the service that may see all units: set FIRETOWER_USER (or --user) and "
                "FIRETOWER_PASSWORD"
            )
        return self.url, self.user, password


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played: scenarios on a city, for ``seconds`` of its devices, who live ``speed`` times as fast as time.

    ``cameras``: the port on which pictures are served; None: on none.
    """

    city: SimCity
    parts: tuple[Part, ...]
    broker: str
    wiring: Wiring
    rate: float | None
    seconds: float | None
    speed: float
    cameras: int | None = None


def play(scene: Scene, asked: Asked, *, truth: Path | None, quiet: bool, measured: load_limits.Limits | None) -> int:
    """Play; print counts and score; write the truth and the report; return the exit status, 1 beyond limits.

    ``measured``: limits of the load, where any was asked for. Raises FiretowerError when it cannot begin.
    """
    check(scene.parts, asked.hooks, service=asked.url is not None)
    start_of(scene.parts, now=SystemClock().now(), speed=scene.speed, seconds=scene.seconds)  # refused before it begins
    if asked.url is not None and length(scene.parts, scene.seconds) is None:
        raise InvalidInput(
            f"{', '.join(part.name for part in scene.parts if part.script.lasts is None)} has no end, and what is "
            "scored needs one: give --seconds"
        )
    last = Stats()
    with contextlib.ExitStack() as stack:
        show = stack.enter_context(display(f"{len(scene.city.city.devices):,} devices", quiet=quiet))
        lines = None if truth is None else stack.enter_context(truth.open("w", encoding="utf-8"))

        def count(stats: Stats) -> None:
            nonlocal last
            show(stats.elapsed / SECOND, stats.tally)
            last = stats

        def tell(said: TruthLine) -> None:
            if lines is not None:
                print(said.line(), file=lines, flush=True)

        report = _until_it_ends(_played(scene, asked, count, tell))
    typer.echo(line(last.elapsed / SECOND, last.tally, last.published / max(last.elapsed / SECOND, 0.001)))
    problems = [] if measured is None else list(_beyond(last, measured))
    for problem in problems:
        typer.echo(f"BEYOND LIMITS: {problem}")
    if report is None and asked.url is not None:
        typer.echo("NO SCORE: stopped before the run was over and judged", err=True)
        return 1
    return max(1 if problems else 0, 0 if report is None else tell_score(report, asked.report))


def judge_file(file: Path, asked: Asked) -> int:
    """Score the run whose truth log is ``file``; return the exit status. FiretowerError when that cannot be done."""
    try:
        log = read_truth(file.read_text("utf-8"), str(file))
    except UnicodeDecodeError as err:
        raise InvalidInput(f"{file} is not UTF-8 text: {err.reason}; give the file that --truth wrote") from err
    clock = SystemClock()

    async def ask() -> Report:
        async with signed_in(*asked.account()) as service:
            return await judged(service, log, clock=clock, limits=asked.limits, grace=round(asked.grace * SECOND))

    return tell_score(asyncio.run(ask()), asked.report)


def tell_score(report: Report, file: Path | None) -> int:
    """Print the report and write it beside ``file``; return the exit status."""
    for said in report.text():
        typer.echo(said)
    if file is not None:
        typer.echo(f"written: {', '.join(str(each) for each in write(report, file))}")
    return 0 if report.passed else 1


async def _played(
    scene: Scene, asked: Asked, count: Callable[[Stats], None], tell: Callable[[TruthLine], None]
) -> Report | None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        service: Service | None = None
        if asked.url is not None:
            service = await stack.enter_async_context(signed_in(*asked.account()))
        theatre: Theatre | None = None
        if scene.cameras is not None:
            theatre = Theatre(scene.city.city, clock, scene.city.seed, scene.cameras)
            await stack.enter_async_context(serving(theatre, scene.cameras))

        def begun(play: Play) -> None:
            if theatre is not None:
                theatre.sample = play.sample

        async def playing(collect: Callable[[TruthLine], None]) -> None:
            def both(said: TruthLine) -> None:
                tell(said)
                collect(said)

            await run(
                scene.city, broker_url=scene.broker, scenario=scene.parts, rate=scene.rate, seconds=scene.seconds,
                clock=clock, on_stats=count, on_truth=both, wiring=scene.wiring, speed=scene.speed,
                conduct=Conductor(service, asked.hooks, clock), on_play=begun,
            )  # fmt: skip

        if service is None:
            await playing(lambda _: None)
            return None
        grace = round(asked.grace * SECOND)
        return await scored(service, playing, clock=clock, limits=asked.limits, grace=grace, settle=asked.settle)


def _until_it_ends(playing: Coroutine[None, None, Report | None]) -> Report | None:
    # Ctrl-C and SIGTERM are the ordinary way to end it
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        return asyncio.run(playing)
    return None


def _beyond(stats: Stats, measured: load_limits.Limits) -> Iterator[str]:
    refused = load_limits.refused(stats.tally, measured)
    yield from () if refused is None else (refused,)
    yield from load_limits.broken(stats.tally, measured)
