"""The command ``firetower simulate``."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Annotated

import typer

from firetower.core.clock import SECOND, SystemClock
from firetower.core.errors import ConfigError, FiretowerError
from firetower.simulator.city import SimCity, build
from firetower.simulator.load import connections as wiring
from firetower.simulator.load import credentials as credentials_file
from firetower.simulator.load import options
from firetower.simulator.load.command import measure
from firetower.simulator.load.display import display, line
from firetower.simulator.load.limits import Limits, broken, refused
from firetower.simulator.load.measure import LIMIT_P99_MS, Asked, order
from firetower.simulator.play import Expected
from firetower.simulator.run import Stats, run
from firetower.simulator.script import load_script

EPILOG = """Examples:

firetower simulate --devices 1000 --write city        (city/city.json, then: firetower devices import city/city.json)

firetower simulate --devices 1000 --broker mqtt://user:password@127.0.0.1:1883 --seconds 60

firetower simulate --scenario quiet --devices 100000 --rate 5000 --broker mqtt://127.0.0.1:1883

firetower simulate --load spike --rate 2000 --to 20000 --broker mqtt://127.0.0.1:1883 --report spike.json

firetower simulate --find-limit --allow-p99 100 --workers 2 --devices 10000 --broker mqtt://127.0.0.1:1883
"""


def simulate(  # noqa: PLR0917 - typer hands options over by name
    context: typer.Context,
    broker: Annotated[
        str | None,
        typer.Option(
            envvar="FIRETOWER_MQTT_URL", help="Broker to publish to, mqtt://user:password@host:port or mqtts://."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed and number of devices, same city and signals.")] = 1,
    devices: Annotated[int, typer.Option(help="Devices of the city, 100 to 1,000,000.")] = 300,
    rate: Annotated[
        float | None, typer.Option(help="Messages a second of all devices together; default: their own intervals.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so long; default: Ctrl-C, or a load's own length.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="demo, quiet, or the path of a scenario file.")] = "demo",
    write: Annotated[
        Path | None,
        typer.Option(help="Write city.json and streets.geojson to this folder and stop, unless --broker is given."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Write what should be alarmed to this file, one JSON object a line.")
    ] = None,
    realistic: Annotated[
        bool, typer.Option("--realistic", help="Intervals of the field, minutes to a day, instead of 10 to 30 s.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="A plain line every five seconds, as where there is no terminal.")
    ] = False,
    connections: options.ConnectionsOption = None,
    qos: options.QosOption = 1,
    ca: options.CaOption = None,
    credentials: options.CredentialsOption = None,
    load: options.LoadOption = None,
    find_limit: options.FindLimitOption = False,
    to: options.ToOption = None,
    steps: options.StepsOption = None,
    arrival: options.ArrivalOption = None,
    workers: options.WorkersOption = None,
    report: options.ReportOption = None,
    allow_lost: options.AllowLostOption = None,
    allow_p99: options.AllowP99Option = None,
    allow_lateness: options.AllowLatenessOption = None,
) -> None:
    """Simulate a city's devices: the same seed gives the same city and the same signals."""
    try:
        how = wiring.Wiring(
            connections=None if connections is None else wiring.connections(connections),
            accounts=None if credentials is None else credentials_file.read(credentials),
            qos=qos,
            ca=ca,
        )
        limits = Limits(
            lateness_ms=Limits().lateness_ms if allow_lateness is None else allow_lateness,
            lost=allow_lost or 0,
            p99_ms=LIMIT_P99_MS if find_limit and allow_p99 is None else allow_p99,
        )
        if load is not None or find_limit:
            _refuse(
                context, ("scenario", "truth", "write"), "plays a scenario, and a load is none: run it beside the load"
            )
            asked_for = order(
                _broker(broker), seed=seed, devices=devices, pace="realistic" if realistic else "demo",
                arrival=arrival or "device", wiring=how, workers=1 if workers is None else workers,
            )  # fmt: skip
            asked = Asked(load or "steady", rate, to, seconds, steps)
            raise typer.Exit(measure(asked_for, asked, limits, search=find_limit, quiet=quiet, report=report))
        _refuse(
            context, ("to", "steps", "arrival", "workers", "report"), "belongs to a load: add --load or --find-limit"
        )
        script = load_script(scenario)
        city = build(seed, devices, pace="realistic" if realistic else "demo")
        if write is not None:
            _write(city, write)
            if not _on_command_line(context, "broker"):
                return
        url = _broker(broker)
        with contextlib.ExitStack() as stack:
            show = stack.enter_context(display(f"{len(city.city.devices):,} devices", quiet=quiet))
            lines = None if truth is None else stack.enter_context(truth.open("w", encoding="utf-8"))

            def expect(expected: Expected) -> None:
                if lines is not None:
                    print(expected.line(), file=lines, flush=True)

            last = Stats()

            def count(stats: Stats) -> None:
                nonlocal last
                show(stats.elapsed / SECOND, stats.tally)
                last = stats

            async def play() -> None:
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
                await run(
                    city,
                    broker_url=url,
                    scenario=script,
                    rate=rate,
                    seconds=seconds,
                    clock=SystemClock(),
                    on_stats=count,
                    on_truth=expect,
                    wiring=how,
                )

            # Ctrl-C and SIGTERM are the ordinary way to end it
            with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
                asyncio.run(play())
        typer.echo(line(last.elapsed / SECOND, last.tally, last.published / max(last.elapsed / SECOND, 0.001)))
        if not (allow_lost is None and allow_p99 is None and allow_lateness is None):
            problems = [*filter(None, [refused(last.tally, limits)]), *broken(last.tally, limits)]
            for problem in problems:
                typer.echo(f"BEYOND LIMITS: {problem}")
            raise typer.Exit(1 if problems else 0)
    except OSError as err:
        what = f"{err.filename} cannot be written: {err.strerror}; choose another path" if err.filename else str(err)
        typer.echo(f"firetower simulate: {what}", err=True)
        raise typer.Exit(1) from err
    except FiretowerError as err:
        typer.echo(f"firetower simulate: {err}", err=True)
        raise typer.Exit(1) from err


def _broker(given: str | None) -> str:
    if given is None:
        raise ConfigError("no broker to publish to: give --broker mqtt://host:1883, set FIRETOWER_MQTT_URL, or --write")
    return given


def _refuse(context: typer.Context, names: tuple[str, ...], why: str) -> None:
    """Raise ConfigError for the first option of ``names`` that was given."""
    for name in names:
        if _on_command_line(context, name):
            raise ConfigError(f"--{name} {why}")


def _on_command_line(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def _write(city: SimCity, folder: Path) -> None:
    city.write(folder)
    typer.echo(
        f"{len(city.city.devices)} devices of {len(city.city.units)} units: {folder / 'city.json'}, streets.geojson"
    )
