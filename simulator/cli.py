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
from firetower.simulator.play import Expected
from firetower.simulator.run import Stats, run
from firetower.simulator.script import load_script

EPILOG = """Examples:

firetower simulate --devices 1000 --write city        (city/city.json, then: firetower devices import city/city.json)

firetower simulate --devices 1000 --broker mqtt://user:password@127.0.0.1:1883 --seconds 60

firetower simulate --scenario quiet --devices 100000 --rate 5000 --broker mqtt://127.0.0.1:1883
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
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; default: run until Ctrl-C.")] = None,
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
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the last line of counts only.")] = False,
) -> None:
    """Simulate a city's devices: the same seed gives the same city and the same signals."""
    try:
        script = load_script(scenario)
        city = build(seed, devices, pace="realistic" if realistic else "demo")
        if write is not None:
            _write(city, write)
            if not _on_command_line(context, "broker"):
                return
        if broker is None:
            raise ConfigError(
                "no broker to publish to: give --broker mqtt://host:1883, set FIRETOWER_MQTT_URL, or --write"
            )
        with contextlib.ExitStack() as stack:
            lines = None if truth is None else stack.enter_context(truth.open("w", encoding="utf-8"))

            def expect(expected: Expected) -> None:
                if lines is not None:
                    print(expected.line(), file=lines, flush=True)

            last = Stats()

            def show(stats: Stats) -> None:
                nonlocal last
                if not quiet:
                    typer.echo(_line(stats, since=last), err=True)
                last = stats

            async def play() -> None:
                task = asyncio.current_task()
                assert task is not None
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
                await run(
                    city,
                    broker_url=broker,
                    scenario=script,
                    rate=rate,
                    seconds=seconds,
                    clock=SystemClock(),
                    on_stats=show,
                    on_truth=expect,
                )

            # Ctrl-C and SIGTERM are the ordinary way to end it
            with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
                asyncio.run(play())
            typer.echo(_line(last))
    except OSError as err:
        what = f"{err.filename} cannot be written: {err.strerror}; choose another path" if err.filename else str(err)
        typer.echo(f"firetower simulate: {what}", err=True)
        raise typer.Exit(1) from err
    except FiretowerError as err:
        typer.echo(f"firetower simulate: {err}", err=True)
        raise typer.Exit(1) from err


def _on_command_line(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def _write(city: SimCity, folder: Path) -> None:
    city.write(folder)
    typer.echo(
        f"{len(city.city.devices)} devices of {len(city.city.units)} units: {folder / 'city.json'}, streets.geojson"
    )


def _line(stats: Stats, since: Stats | None = None) -> str:
    began = since or Stats()
    passed = max(stats.elapsed - began.elapsed, 1) / SECOND
    speed = (stats.published - began.published) / passed
    return (
        f"{stats.elapsed / SECOND:6.0f} s  published {stats.published:,} ({speed:,.0f}/s)  acked {stats.acked:,}  "
        f"in flight {stats.in_flight:,}  lost {stats.lost:,}  "
        f"late {stats.late:,} (longest {stats.latest / SECOND:.3f} s)"
    )
