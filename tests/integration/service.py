"""The real service as a process, an independent MQTT client (paho in its own thread), and the API as scripts use it."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import paho.mqtt.client as paho
from waiting import until

PASSWORD = "correct horse battery"
DUTY = Path(__file__).parent / "duty.yaml"
"""Nobody sits at a seat in most tests: only those about it say so (tests/integration/test_unattended.py)."""


_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(range(20_000 + 500 * _worker, 20_500 + 500 * _worker))


def free_port() -> int:
    """A loopback port that is free now and stays so: of this worker's own, and none that a client would be given."""
    for port in itertools.islice(_ports, 500):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port of this worker is free")


class Service:
    """`firetower serve` as a process of its own, on the servers it is given; None: on embedded ones.

    ``program``: what Python runs instead of the command itself.
    """

    program: Sequence[str] = ("-m", "firetower", "serve")

    def __init__(self, database_url: str | None, mqtt_url: str | None, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "service.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRETOWER_")}
        given = {"FIRETOWER_DATABASE_URL": database_url, "FIRETOWER_MQTT_URL": mqtt_url}
        self.environment = kept | {name: url for name, url in given.items() if url is not None}
        self.environment |= {
            "FIRETOWER_HTTP_PORT": str(self.port),
            "FIRETOWER_ADMIN_PASSWORD": PASSWORD,
            "FIRETOWER_AUTO_REGISTER": "on",
            "FIRETOWER_DUTY": str(DUTY),
            "FIRETOWER_DATA_DIR": str(folder / "data"),
            **{f"FIRETOWER_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        await self.launch()
        await until(self.ready, 40, f"service ready; its log: {self._log.read_text()[-2000:]}")

    async def launch(self) -> None:
        """Start it without waiting."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self.program,
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    async def ended(self, seconds: float) -> int:
        """Wait until it has ended by itself; return its exit status."""
        assert self._process is not None
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def metrics(self) -> dict[str, float]:
        """What /metrics says, by name and labels as written there."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[:1] != "#")}

    async def checks(self) -> dict[str, Any]:
        """What /readyz says, by the name of the check."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as answer:
            return {check["name"]: check for check in (await answer.json())["checks"]}

    async def ready(self) -> bool:
        """Whether /readyz says 200."""
        process = self._process
        if process is not None and process.returncode is not None:
            raise AssertionError(f"the service ended with {process.returncode}: {self.log()[-2000:]}")
        with socket.socket() as probe:  # asked a hundred times before somebody listens: a client each would cost more
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        return False

    async def command(self, *words: str, given: bytes = b"") -> tuple[int, str]:
        """Run `firetower` with ``words`` on the service's settings, ``given`` its input; return exit status and what it
        wrote."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "firetower", *words, env=self.environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate(given)
        assert process.returncode is not None
        return process.returncode, output.decode()

    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text("utf-8", "replace")

    async def kill(self) -> None:
        """SIGKILL it."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit status."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            async with asyncio.timeout(30):
                await self._process.wait()
        assert self._process.returncode is not None
        return self._process.returncode


@contextlib.asynccontextmanager
async def running(database_url: str, mqtt_url: str, folder: Path, **settings: str) -> AsyncIterator[Service]:
    """Give a running service; stop it at the end, whatever happened."""
    service = Service(database_url, mqtt_url, folder, **settings)
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


class Api:
    """The API, signed in as admin with a bearer token."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def get(self, path: str, **query: str) -> Any:
        """GET; the decoded answer."""
        async with self.http.get(f"{self.url}/api/v1{path}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """POST; status and decoded answer."""
        async with self.http.post(f"{self.url}/api/v1{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def alert(self, **wanted: Any) -> Any:
        """The one alert with these fields, or None; more than one is a failure."""
        items = (await self.get("/alerts"))["items"]
        found = [item for item in items if all(item[name] == value for name, value in wanted.items())]
        assert len(found) <= 1, f"{len(found)} alerts where one was expected: {found}"
        return found[0] if found else None


@contextlib.asynccontextmanager
async def signed_in(service: Service, username: str = "admin", password: str = PASSWORD) -> AsyncIterator[Api]:
    """Give the API to somebody signed in."""
    async with aiohttp.ClientSession() as http:
        credentials = {"username": username, "password": password}
        async with http.post(f"{service.url}/api/v1/session", json=credentials) as answer:
            assert answer.status == 200, await answer.text()
            token = (await answer.json())["token"]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        yield Api(http, service.url)


class Publisher:
    """A device's MQTT client: paho with its own thread, which knows what the broker acknowledged."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        if parts.username:
            self._client.username_pw_set(parts.username, parts.password)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 1883
        self._connected = threading.Event()
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.max_inflight_messages_set(1000)
        self._client.max_queued_messages_set(0)
        self._client.on_publish = self._on_publish
        self.published = self._acknowledged = 0

    def open(self) -> None:
        """Connect."""
        self._client.connect(self._host, self._port)
        self._client.loop_start()
        assert self._connected.wait(10), "the broker did not accept the connection"

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def post(self, topic: str, payload: Any) -> None:
        """Publish at QoS 1 without waiting; the client sends it again until it is acknowledged."""
        self.published += 1
        self._client.publish(topic, _raw(payload), qos=1)

    @property
    def unacknowledged(self) -> int:
        """How many of those published the broker has not acknowledged yet."""
        return self.published - self._acknowledged

    def _on_publish(self, *_: Any) -> None:
        self._acknowledged += 1

    def send(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        """Publish at QoS 1 and wait for the broker's PUBACK. ``payload``: bytes as they are, anything else as JSON."""
        self.published += 1
        info = self._client.publish(topic, _raw(payload), qos=1, retain=retain)
        info.wait_for_publish(10)
        assert info.is_published(), f"no PUBACK for {topic}"


def _raw(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


@contextlib.contextmanager
def publisher(url: str) -> Iterator[Publisher]:
    """Give a connected publisher."""
    made = Publisher(url)
    made.open()
    try:
        yield made
    finally:
        made.close()


def now_ms() -> int:
    """The time as devices send it."""
    return time.time_ns() // 1_000_000
