"""The test stand: embedded engines and the service as a process, on folders and ports of their own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firetower.core.child import free_port
from firetower.core.datadir import DataDir
from firetower.embedded import EmbeddedNats, EmbeddedPostgres

PASSWORD = "bench bench bench"


@dataclass(frozen=True, slots=True)
class Stand:
    """What a measurement talks to; the pids are those whose processor time and memory it reads."""

    database_url: str
    mqtt_url: str
    http_url: str
    service_pid: int
    broker_pid: int

    def token(self) -> str:
        """Sign in; return a bearer token."""
        body = json.dumps({"username": "admin", "password": PASSWORD}).encode()
        request = urllib.request.Request(
            f"{self.http_url}/api/v1/session", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["token"])


def cpu_seconds(pid: int) -> float:
    """Processor time a process has used, user and system, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of a process in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def stand() -> Iterator[Stand]:
    """Give a running stand with an empty database; stop all of it at the end."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="firetower-bench-")))
        folder.chmod(0o755)
        data = stack.enter_context(DataDir(folder).held())
        postgres = EmbeddedPostgres(data)
        stack.callback(postgres.stop)
        postgres.start()
        nats = EmbeddedNats(data, port=0)
        stack.callback(nats.stop)
        nats.start()
        port = free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRETOWER_")}
        log = stack.enter_context((folder / "service.log").open("wb"))
        service = subprocess.Popen(
            [sys.executable, "-m", "firetower", "serve"],
            env=kept
            | {
                "FIRETOWER_DATABASE_URL": postgres.url,
                "FIRETOWER_MQTT_URL": nats.url,
                "FIRETOWER_HTTP_PORT": str(port),
                "FIRETOWER_ADMIN_PASSWORD": PASSWORD,
                "FIRETOWER_AUTO_REGISTER": "on",
            },
            stdout=log,
            stderr=log,
        )
        stack.callback(_stop, service)
        url = f"http://127.0.0.1:{port}"
        _wait_ready(url, service, folder / "service.log")
        yield Stand(postgres.url, nats.device_url, url, service.pid, nats.engine.pid)


def _stop(service: subprocess.Popen[bytes]) -> None:
    service.send_signal(signal.SIGTERM)
    try:
        service.wait(30)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


def _wait_ready(url: str, service: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if service.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/readyz", timeout=2):
            return
        time.sleep(0.05)
    raise SystemExit(f"the service did not become ready: {log.read_text('utf-8', 'replace')[-2000:]}")
