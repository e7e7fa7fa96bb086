"""The `firetower` command."""

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from firetower import __version__, cli_history, cli_plans, cli_rejects, cli_rules
from firetower.core import logs
from firetower.core.clock import SystemClock
from firetower.core.config import load_settings
from firetower.core.errors import FiretowerError, InvalidInput
from firetower.options import ConfigFile, DataDirOption, with_pool
from firetower.simulator import cli as simulator_cli
from firetower.terminal import ask_password

app = typer.Typer(
    name="firetower",
    help="Firetower (望火楼): the monitoring backend of a city's smart fire protection.",
    epilog="Example: firetower demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
devices_app = typer.Typer(
    help="Devices: import a registry file, give a floor its plan.",
    epilog="Example: firetower devices import city.json",
    no_args_is_help=True,
)
users_app = typer.Typer(
    help="Console accounts.", epilog="Example: firetower users add wang --role operator", no_args_is_help=True
)
db_app = typer.Typer(
    help="The database: migrations, and whether the alert history is intact.",
    epilog="Example: firetower db status",
    no_args_is_help=True,
)
app.add_typer(cli_rules.app, name="rules")
app.add_typer(devices_app, name="devices")
app.add_typer(cli_rejects.app, name="rejects")
app.add_typer(users_app, name="users")
app.add_typer(db_app, name="db")
devices_app.command("plan")(cli_plans.plan)
db_app.command("verify-history")(cli_history.verify_history)


class Role(StrEnum):
    """What an account may do."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    UNIT = "unit"


def main() -> NoReturn:
    """Run the command; an error a person can act on is one line on standard error and exit status 1 or 2."""
    try:
        app(standalone_mode=True)
    except FiretowerError as err:
        typer.echo(f"firetower: {err}", err=True)
        raise SystemExit(2) from None
    raise SystemExit(0)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(f"firetower {__version__}")
        raise typer.Exit


# The service ------------------------------------------------------------------------------------


@app.command()
def serve(
    config: ConfigFile = None,
    role: Annotated[str | None, typer.Option(help="Which parts run here: all, ingest or web.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the console and the API (FIRETOWER_HTTP_PORT).")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="Port of the embedded broker (FIRETOWER_MQTT_PORT).")] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Run the service until Ctrl-C; embedded engines where no URL is given.

    Example: FIRETOWER_DATABASE_URL=postgresql://ft:secret@db/ft FIRETOWER_MQTT_URL=mqtt://ft:secret@broker
    firetower serve
    """
    from firetower.app import Running, run
    from firetower.engines import engines

    settings = load_settings(config, role=role, http_port=port, mqtt_port=mqtt_port, data_dir=data_dir)
    logs.set_up(settings.log_level)

    def announce(running: Running) -> None:
        if running.http_url:
            typer.echo(f"Console and API: {running.http_url}")
        if running.admin_password:
            typer.echo(f"First account: admin, password {running.admin_password} (shown only now; change it)")

    with engines(settings) as urls:
        asyncio.run(run(settings, urls, on_ready=announce))


@app.command()
def demo(  # noqa: PLR0917 - typer's options, always given by name
    headless: Annotated[
        bool, typer.Option(help="Print a summary at the end; exit 1 when nothing was alarmed.")
    ] = False,
    seconds: Annotated[float | None, typer.Option(min=1, help="Stop by itself after so many seconds.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the console; 0: any free one.")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="Port of the broker; 0: any free one.")] = None,
    seed: Annotated[int, typer.Option(help="The city's seed: same seed, same city.")] = 1,
    devices: Annotated[int, typer.Option(min=100, max=100_000, help="How many devices the city has.")] = 300,
    data_dir: DataDirOption = None,
) -> None:
    """Run the whole system with a simulated city, and say where to look and how to sign in.

    Example: firetower demo --devices 1000 --seed 7
    """
    from firetower.demo import run_demo

    run_demo(
        headless=headless, seconds=seconds, port=port, mqtt_port=mqtt_port, seed=seed, devices=devices,
        data_dir=data_dir,
    )  # fmt: skip


app.command("simulate", epilog=simulator_cli.EPILOG)(simulator_cli.simulate)


# Commands on the database -----------------------------------------------------------------------


@devices_app.command("import")
def devices_import(
    file: Annotated[Path, typer.Argument(help="Registry file (JSON); docs/administrator.md describes it.")],
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Bring a registry file in: again and again with the same result, and nothing of it while any item is wrong.

    Example: firetower devices import city.json
    """
    from firetower.devices.city import read_city
    from firetower.storage.registry import import_city

    logs.set_up("WARNING")
    try:
        raw = json.loads(file.read_bytes())
    except OSError as err:
        raise InvalidInput(f"file {file} cannot be read: {err.strerror}; give the path of a registry file") from None
    except ValueError as err:
        raise InvalidInput(f"file {file} is not valid JSON in UTF-8: {err}; correct it there") from None
    city, errors = read_city(raw)
    if not errors:
        settings = load_settings(config, data_dir=data_dir)
        report = with_pool(settings, lambda pool: import_city(pool, city))
        errors = report.errors
        if not errors:
            for part, created in report.created.items():
                typer.echo(
                    f"{part:<9} {created:>7} created {report.updated[part]:>7} updated"
                    f" {report.unchanged[part]:>7} unchanged"
                )
            return
    for item in errors:
        typer.echo(f"{file}{item.where}{f' {item.item}' if item.item else ''}: {item.message}", err=True)
    wrong = "1 item is wrong" if len(errors) == 1 else f"{len(errors)} items are wrong"
    typer.echo(f"{wrong}; nothing was written.", err=True)
    raise typer.Exit(1)


@users_app.command("add")
def users_add(
    username: str,
    role: Annotated[
        Role, typer.Option(help="What the account may do; a viewer only looks, a unit asks for tests of its own.")
    ] = Role.OPERATOR,
    unit: Annotated[str | None, typer.Option(help="The unit's code, with --role unit.")] = None,
    config: ConfigFile = None,
    data_dir: DataDirOption = None,
) -> None:
    """Add a console account; the password is asked for, or read from standard input when that is no terminal.

    Example: firetower users add wang --role operator
    """
    from firetower.storage import accounts
    from firetower.web import passwords

    logs.set_up("WARNING")
    accounts.check_username(username)
    if role is Role.UNIT and unit is None:
        raise InvalidInput(f"--role unit says of no unit: give --unit CODE, the unit {username!r} is an account of")
    if role is not Role.UNIT and unit is not None:
        raise InvalidInput(
            f"--unit {unit} is for --role unit only, and the role is {role.value}; leave one of them out"
        )
    hashed = passwords.hash_password(ask_password())
    settings = load_settings(config, data_dir=data_dir)
    with_pool(settings, lambda pool: accounts.add(pool, username, hashed, role.value, SystemClock().now(), unit=unit))
    typer.echo(f"account {username} ({role.value}{f' of {unit}' if unit else ''}) added")


@users_app.command("passwd")
def users_passwd(username: str, config: ConfigFile = None, data_dir: DataDirOption = None) -> None:
    """Set a new password and end the account's sessions.

    Example: firetower users passwd admin
    """
    from firetower.storage import accounts
    from firetower.web import passwords

    logs.set_up("WARNING")
    hashed = passwords.hash_password(ask_password())
    settings = load_settings(config, data_dir=data_dir)
    with_pool(settings, lambda pool: accounts.set_password(pool, username, hashed))
    typer.echo(f"password of {username} set; its sessions are ended")


@users_app.command("list")
def users_list(config: ConfigFile = None, data_dir: DataDirOption = None) -> None:
    """Print the console accounts.

    Example: firetower users list
    """
    from firetower.storage import accounts

    logs.set_up("WARNING")
    settings = load_settings(config, data_dir=data_dir)
    for row in with_pool(settings, accounts.list_accounts):
        state = "" if row.disabled_at is None else "disabled"
        typer.echo(f"{row.username:<24} {row.role:<9} {row.unit or '':<16} {state}".rstrip())


@db_app.command("upgrade")
def db_upgrade(config: ConfigFile = None, data_dir: DataDirOption = None) -> None:
    """Bring the database's tables to this version; running it again changes nothing.

    Example: firetower db upgrade
    """
    from firetower.engines import database
    from firetower.storage import migrate

    logs.set_up("WARNING")
    with database(load_settings(config, data_dir=data_dir)) as url:
        migrate.upgrade(url)
        typer.echo(f"database is at {migrate.status(url)[0]}")


@db_app.command("status")
def db_status(config: ConfigFile = None, data_dir: DataDirOption = None) -> None:
    """Print the migration the database is at and the newest one; exit status 1 when they differ.

    Example: firetower db status
    """
    from firetower.engines import database
    from firetower.storage import migrate

    logs.set_up("WARNING")
    with database(load_settings(config, data_dir=data_dir)) as url:
        current, head = migrate.status(url)
    typer.echo(f"database at {current or 'nothing yet'}, newest is {head}")
    raise typer.Exit(0 if current == head else 1)
