"""The demo: embedded engines, the service and a simulated city on this machine, in one command."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import SecretStr

from firetower.app import Running, run
from firetower.core import logs
from firetower.core.child import Child, free_port
from firetower.core.config import Settings, default_data_dir, load_settings
from firetower.core.datadir import Account
from firetower.core.errors import ConfigError
from firetower.demo_plans import put_plans
from firetower.devices.city import City
from firetower.engines import Urls, engines
from firetower.simulator.city import SimCity, build
from firetower.storage import accounts, migrate
from firetower.storage import pool as pools
from firetower.storage.counts import Counts, counts
from firetower.storage.registry import import_city
from firetower.web import passwords

MADE_FILE = "demo-admin-password"
"""Where the password that was made for the first account is kept, in the data directory."""
HEADLESS_ALARM_SECONDS = 8
"""A headless demo at least this long must have raised an alert, or it ends with status 1."""


def run_demo(
    *,
    headless: bool,
    seconds: float | None,
    port: int | None,
    mqtt_port: int | None,
    seed: int,
    devices: int,
    data_dir: Path | None,
) -> None:
    """Run the demo until Ctrl-C or for ``seconds``; SystemExit(1) when a headless one saw no reading or no alert."""
    os.environ.setdefault("FIRETOWER_AUTO_REGISTER", "on")
    if data_dir is None and "FIRETOWER_DATA_DIR" not in os.environ:
        data_dir = default_data_dir() / "demo"
    settings = load_settings(http_port=port, mqtt_port=mqtt_port, data_dir=data_dir, log_level="WARNING")
    logs.set_up(settings.log_level)
    typer.echo("Firetower demo: starting the database, the broker and the service ...")
    with engines(settings) as urls:
        given = settings.admin_password
        cameras = free_port()
        city = build(seed, devices, cameras=cameras)
        settings = _with_streets(_with_password(settings), city)
        before, sign_in = asyncio.run(_prepare(settings, urls, city.city, given=given is not None))
        with _simulated_city(settings, urls, seed, devices, cameras) as simulator:
            asyncio.run(_serve(settings, urls, sign_in, seconds, simulator))
        if headless:
            _finish(asyncio.run(_brought(urls.database)), before, seconds)
    typer.echo("Stopped: the simulator, the service, the broker and the database.")


def _with_password(settings: Settings) -> Settings:
    """Return the settings with a password for the first account; a made one is kept so that every start can show it."""
    if settings.admin_password is not None:
        return settings
    file = settings.data_dir / MADE_FILE
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(9))
    return settings.model_copy(update={"admin_password": SecretStr(file.read_text("utf-8"))})


def _with_streets(settings: Settings, city: SimCity) -> Settings:
    """Return the settings with the city's own streets and districts under the map, where no other base map is given."""
    if settings.map_base is not None:
        return settings
    file = settings.data_dir / "streets.geojson"
    file.write_text(city.streets_geojson(), "utf-8")
    return settings.model_copy(update={"map_base": str(file)})


async def _prepare(settings: Settings, urls: Urls, city: City, *, given: bool) -> tuple[Counts, str]:
    """Bring the city in; return what the store holds before the run, and how to sign in."""
    await asyncio.to_thread(migrate.upgrade, urls.database)
    pool = await pools.connect(urls.database)
    try:
        report = await import_city(pool, city)
        if report.errors:
            raise ConfigError(f"the simulated city was refused: {report.errors[0].message}")
        await put_plans(pool, city)
        return await counts(pool), await _sign_in(pool, settings, given=given)
    finally:
        await pool.close()


async def _sign_in(pool: pools.Pool, settings: Settings, *, given: bool) -> str:
    """Return account and password as they work now: one set at an earlier start, or since, stays the account's."""
    assert settings.admin_password is not None
    password = settings.admin_password.get_secret_value()
    account = await accounts.find(pool, "admin")
    if account is None or await asyncio.to_thread(passwords.fits, account.password_hash, password):
        return "admin / the password in FIRETOWER_ADMIN_PASSWORD" if given else f"admin / {password}"
    return (
        "admin / the password it was given before; set a new one with:\n"
        f"             firetower users passwd admin --data-dir {settings.data_dir}"
    )


async def _brought(url: str) -> Counts:
    pool = await pools.connect(url)
    try:
        return await counts(pool)
    finally:
        await pool.close()


@contextlib.contextmanager
def _simulated_city(settings: Settings, urls: Urls, seed: int, devices: int, cameras: int) -> Iterator[Child]:
    """Give the simulator's process, yet to be started; it ends with the demo."""
    options = ["--seed", str(seed), "--devices", str(devices), "--scenario", "demo", "--quiet"]
    options += ["--cameras", str(cameras)]
    child = Child(
        "the simulated city",
        [sys.executable, "-m", "firetower", "simulate", *options],
        Account(None, None, "own"),
        cwd=settings.data_dir,
        log_file=settings.data_dir / "simulator.log",
        stop_signal=signal.SIGTERM,
        # by the environment and not as an argument, which every account of the machine could read
        environment={"FIRETOWER_MQTT_URL": urls.device_mqtt or urls.mqtt},
    )
    try:
        yield child
    finally:
        child.stop()


async def _serve(settings: Settings, urls: Urls, sign_in: str, seconds: float | None, simulator: Child) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def up(running: Running) -> None:
        simulator.start(lambda: True)
        typer.echo(_WELCOME.format(
            url=running.http_url, sign_in=sign_in,
            mqtt=urls.device_mqtt or urls.mqtt, data=settings.data_dir,
        ))  # fmt: skip
        if seconds is not None:
            loop.call_later(seconds, stop.set)

    await run(settings, urls, on_ready=up, stop=stop)


_WELCOME = """
  Console    {url}
  Sign in    {sign_in}
  Devices    {mqtt}
             topics firetower/v1/{{unit}}/{{device}}/telemetry and /alarm, see docs/key-unit.md
  Data       {data}

  A fire is on its way. Sign in, press a key to arm the sound, J to select, A to acknowledge. Ctrl-C stops everything.
"""


def _finish(after: Counts, before: Counts, seconds: float | None) -> None:
    """Print what the run brought, and end with status 1 when the way of a reading is broken somewhere."""
    readings, alerts = after.readings - before.readings, after.alerts - before.alerts
    brought = {"readings": readings, "alerts": alerts, "fires": after.fires - before.fires,
               "rejects": after.rejects - before.rejects}  # fmt: skip
    typer.echo(json.dumps(brought))
    long_enough = seconds is None or seconds >= HEADLESS_ALARM_SECONDS
    if readings <= 0 or (long_enough and after.alerts == 0):
        typer.echo(
            "firetower: the demo stored no reading or raised no alert; see the logs in the data directory", err=True
        )
        raise SystemExit(1)
