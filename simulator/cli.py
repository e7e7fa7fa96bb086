"""The command ``firetower simulate``."""

import math
from pathlib import Path
from typing import Annotated

import typer

from firetower.core.errors import ConfigError, FiretowerError
from firetower.simulator.city import SimCity, build
from firetower.simulator.load import connections as wiring
from firetower.simulator.load import credentials as credentials_file
from firetower.simulator.load import options
from firetower.simulator.load.command import measure
from firetower.simulator.load.limits import Limits
from firetower.simulator.load.measure import LIMIT_P99_MS, Asked, order
from firetower.simulator.score import command
from firetower.simulator.score import options as played
from firetower.simulator.score.conductor import hooks_of
from firetower.simulator.score.report import Limits as ScoreLimits
from firetower.simulator.score.scored import SETTLE_S
from firetower.simulator.script_file import load_parts

EPILOG = """Examples:

firetower simulate --devices 1000 --write city        (city/city.json, then: firetower devices import city/city.json)

firetower simulate --devices 1000 --broker mqtt://user:password@127.0.0.1:1883 --seconds 60

firetower simulate --scenario quiet --devices 100000 --rate 5000 --broker mqtt://127.0.0.1:1883

firetower simulate --scenario mall-fire --scenario alarm-storm --broker mqtt://127.0.0.1:1883 --score http://127.0.0.1:8080

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
        float | None,
        typer.Option(help="Stop after so long; default: Ctrl-C, or the own length of a load or of scenarios."),
    ] = None,
    scenario: played.ScenarioOption = ["demo"],  # noqa: B006 - typer copies it
    write: Annotated[
        Path | None,
        typer.Option(help="Write city.json and streets.geojson to this folder and stop, unless --broker is given."),
    ] = None,
    truth: played.TruthOption = None,
    speed: played.SpeedOption = 1.0,
    cameras: played.CamerasOption = None,
    hook: played.HookOption = None,
    score: played.ScoreOption = None,
    user: played.UserOption = None,
    judge: played.JudgeOption = None,
    allow_missed: played.AllowMissedOption = 0,
    allow_false: played.AllowFalseOption = 0,
    allow_duplicate: played.AllowDuplicateOption = 0,
    allow_late: played.AllowLateOption = 0,
    grace: played.GraceOption = 0.0,
    settle: played.SettleOption = SETTLE_S,
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
        _finite(context)
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
                context, ("scenario", "truth", "write", "score", "judge", "speed", "cameras"),
                "plays a scenario, and a load is none: run it beside the load",
            )  # fmt: skip
            asked_for = order(
                _broker(broker), seed=seed, devices=devices, pace="realistic" if realistic else "demo",
                arrival=arrival or "device", wiring=how, workers=1 if workers is None else workers,
            )  # fmt: skip
            asked = Asked(load or "steady", rate, to, seconds, steps)
            raise typer.Exit(measure(asked_for, asked, limits, search=find_limit, quiet=quiet, report=report))
        _refuse(context, ("to", "steps", "arrival", "workers"), "belongs to a load: add --load or --find-limit")
        if report is not None and score is None:
            raise ConfigError("--report is of a load or of a score: add --load, --find-limit or --score URL")
        asked_score = command.Asked(
            score, user, hooks_of(hook or ()), ScoreLimits(allow_missed, allow_false, allow_duplicate, allow_late,
            allow_lost or 0), grace, settle, report,
        )  # fmt: skip
        if judge is not None:
            raise typer.Exit(command.judge_file(judge, asked_score))
        parts = load_parts(scenario)
        city = build(seed, devices, pace="realistic" if realistic else "demo", cameras=cameras)
        if write is not None:
            _write(city, write)
            if not _on_command_line(context, "broker"):
                return
        scene = command.Scene(city, parts, _broker(broker), how, rate, seconds, speed, cameras)
        asked_of_load = not (allow_lost is None and allow_p99 is None and allow_lateness is None)
        measured = limits if asked_of_load else None
        raise typer.Exit(command.play(scene, asked_score, truth=truth, quiet=quiet, measured=measured))
    except OSError as err:
        what = f"{err.filename} cannot be read or written: {err.strerror}; check the path" if err.filename else str(err)
        typer.echo(f"firetower simulate: {what}", err=True)
        raise typer.Exit(1) from err
    except FiretowerError as err:
        typer.echo(f"firetower simulate: {err}", err=True)
        raise typer.Exit(1) from err


def _broker(given: str | None) -> str:
    if given is None:
        raise ConfigError("no broker to publish to: give --broker mqtt://host:1883, set FIRETOWER_MQTT_URL, or --write")
    return given


def _finite(context: typer.Context) -> None:
    """Raise ConfigError for a number that is none: every comparison with it would hold, or none."""
    for name, value in context.params.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"--{name.replace('_', '-')} {value} is not possible: give a finite number")


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
