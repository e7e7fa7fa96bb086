"""The demo: embedded engines, the service and a simulated city on this machine, in one command."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import typer
from pydantic import SecretStr

from firetower.app import Running, run
from firetower.core import logs
from firetower.core.child import Child
from firetower.core.config import Settings, default_data_dir, load_settings
from firetower.core.datadir import Account
from firetower.core.errors import ConfigError
from firetower.devices.city import City
from firetower.engines import Urls, engines
from firetower.simulator.city import build
from firetower.storage import migrate
from firetower.storage import pool as pools
from firetower.storage.registry import import_city

HEADLESS_ALARM_SECONDS = 8
"""A headless demo at least this long must have raised an alert, or it ends with status 1."""


@dataclass(frozen=True, slots=True)
class _Summary:
    readings: int
    alerts: int
    fires: int
    rejects: int


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
        settings, password = _with_password(settings)
        city = build(seed, devices)
        before = asyncio.run(_prepare(urls, city.city))
        with _simulated_city(settings, urls, seed, devices) as simulator:
            asyncio.run(_serve(settings, urls, password, seconds, simulator))
        if headless:
            _finish(asyncio.run(_summary(urls.database)), before, seconds)
    typer.echo("Stopped: the simulator, the service, the broker and the database.")


def _with_password(settings: Settings) -> tuple[Settings, str | None]:
    """Return the settings with a password for the first account; the demo keeps it so that every start can show it."""
    if settings.admin_password is not None:
        return settings, None
    file = settings.data_dir / "demo-admin-password"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(9))
    password = file.read_text("utf-8")
    return settings.model_copy(update={"admin_password": SecretStr(password)}), password


async def _prepare(urls: Urls, city: City) -> _Summary:
    await asyncio.to_thread(migrate.upgrade, urls.database)
    pool = await pools.connect(urls.database)
    try:
        report = await import_city(pool, city)
        if report.errors:
            raise ConfigError(f"the simulated city was refused: {report.errors[0].message}")
    finally:
        await pool.close()
    return await _summary(urls.database)


@contextlib.contextmanager
def _simulated_city(settings: Settings, urls: Urls, seed: int, devices: int) -> Iterator[Child]:
    """Give the simulator's process, yet to be started; it ends with the demo."""
    options = ["--seed", str(seed), "--devices", str(devices), "--scenario", "demo", "--quiet"]
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


async def _serve(settings: Settings, urls: Urls, password: str | None, seconds: float | None, simulator: Child) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def up(running: Running) -> None:
        simulator.start(lambda: True)
        typer.echo(_WELCOME.format(
            url=running.http_url, password=password or "the one in FIRETOWER_ADMIN_PASSWORD",
            mqtt=urls.device_mqtt or urls.mqtt, data=settings.data_dir,
        ))  # fmt: skip
        if seconds is not None:
            loop.call_later(seconds, stop.set)

    await run(settings, urls, on_ready=up, stop=stop)


_WELCOME = """
  Console    {url}
  Sign in    admin / {password}
  Devices    {mqtt}
             topics firetower/v1/{{unit}}/{{device}}/telemetry and /alarm, see docs/key-unit.md
  Data       {data}

  A fire is on its way. Sign in, press a key to arm the sound, J to select, A to acknowledge. Ctrl-C stops everything.
"""


async def _summary(url: str) -> _Summary:
    connection = await asyncpg.connect(url)
    try:
        return _Summary(
            await connection.fetchval("select count(*) from api.readings"),
            await connection.fetchval("select count(*) from api.alerts"),
            await connection.fetchval("select count(*) from api.alerts where class = 'fire'"),
            await connection.fetchval("select count(*) from api.rejects"),
        )
    finally:
        await connection.close()


def _finish(after: _Summary, before: _Summary, seconds: float | None) -> None:
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
