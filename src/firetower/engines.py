"""Which servers a command uses: those named by URL, those of the running instance, or embedded ones of its own."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from firetower.core.child import Child
from firetower.core.config import Settings
from firetower.core.datadir import DataDir
from firetower.core.errors import ConfigError
from firetower.embedded import EmbeddedNats, EmbeddedPostgres

_RUNNING = "running.json"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the database and the broker are.

    ``device_mqtt``: what devices are told, when the broker is ours. ``children``: the engines that are ours to keep
    running.
    """

    database: str
    mqtt: str
    device_mqtt: str | None
    children: tuple[Child, ...] = ()


@contextlib.contextmanager
def engines(settings: Settings) -> Iterator[Urls]:
    """Start what is not named by URL, hold the data directory meanwhile, and stop it all at the end."""
    with contextlib.ExitStack() as stack:
        if settings.database_url and settings.mqtt_url:
            yield Urls(settings.database_url, settings.mqtt_url, None)
            return
        data = stack.enter_context(DataDir(settings.data_dir).held())
        database, mqtt, device = settings.database_url, settings.mqtt_url, None
        children: list[Child] = []
        if database is None:
            postgres = EmbeddedPostgres(data)
            stack.callback(postgres.stop)
            postgres.start()
            database = postgres.url
            children.append(postgres.engine)
        if mqtt is None:
            nats = EmbeddedNats(data, port=settings.mqtt_port)
            stack.callback(nats.stop)
            nats.start()
            mqtt, device = nats.url, nats.device_url
            children.append(nats.engine)
        running = data.path / _RUNNING
        with os.fdopen(os.open(running, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump({"database": database, "mqtt": mqtt}, out)
        stack.callback(running.unlink, missing_ok=True)
        yield Urls(database, mqtt, device, tuple(children))


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Give a command its database: the named one, the running instance's, or the embedded one, started for it."""
    if settings.database_url:
        yield settings.database_url
        return
    data = DataDir(settings.data_dir)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(data.held())
        except ConfigError:
            running = data.path / _RUNNING
            if not running.exists():  # held, but not (yet) by a service that says where its database is
                raise
            yield str(json.loads(running.read_text("utf-8"))["database"])
            return
        postgres = EmbeddedPostgres(data)
        stack.callback(postgres.stop)
        postgres.start()
        yield postgres.url
