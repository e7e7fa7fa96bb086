"""The test stand: embedded engines and the service as a process, on folders and ports of their own."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from firetower.core.child import Child, accepts, free_port
from firetower.core.datadir import Account, DataDir
from firetower.embedded import EmbeddedNats, EmbeddedPostgres
from firetower.simulator.city import build
from firetower.storage import migrate

PASSWORD = "bench bench bench"
PANELS, SMOKE = 1000, 4000
"""Units with a panel each, and smoke detectors, registered beside the telemetry's devices."""
READY_WITHIN_S = 300


@dataclass(slots=True)
class Usage:
    """Processor seconds used so far and resident MiB, by process."""

    cpu: dict[str, float]
    memory: dict[str, float]

    def cost(self, before: "Usage", messages: int) -> dict[str, float]:
        """Return the processor µs a message each process used since ``before``."""
        return {name: (used - before.cpu[name]) / messages * 1e6 for name, used in self.cpu.items()}


class Stand:
    """What a measurement talks to; each process may be killed and started again, on the same port with its data."""

    def __init__(
        self, folder: Path, postgres: EmbeddedPostgres, nats: EmbeddedNats, environment: Mapping[str, str]
    ) -> None:
        self.database_url = postgres.url
        self.mqtt_url = nats.url
        port = free_port()
        self.http_url = f"http://127.0.0.1:{port}"
        self.log = folder / "service.log"
        command = [sys.executable, "-m", "firetower", "serve"]
        self.service = Child(
            "the service", command, Account(None, None, ""), cwd=folder, log_file=self.log, stop_signal=signal.SIGTERM,
            environment={
                "FIRETOWER_DATABASE_URL": self.database_url,
                "FIRETOWER_MQTT_URL": self.mqtt_url,
                "FIRETOWER_HTTP_PORT": str(port),
                "FIRETOWER_ADMIN_PASSWORD": PASSWORD,
                "FIRETOWER_DATA_DIR": str(folder / "data"),
                **environment,
            },
        )  # fmt: skip
        self.processes = {"service": self.service, "postgres": postgres.engine, "nats": nats.engine}

    def start(self) -> float:
        """Start the service; return the seconds until it was ready."""
        began = time.monotonic()
        self.service.spawn()
        while not self.ready():
            if self.service.ended is not None or time.monotonic() - began > READY_WITHIN_S:
                raise SystemExit(f"the service did not become ready within {READY_WITHIN_S} s: {self.said()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def said(self) -> str:
        """The end of the service's log."""
        return self.log.read_text("utf-8", "replace")[-2000:]

    async def revive(self, *names: str) -> float:
        """Start killed processes again, until they stay; return the seconds until the service was ready with them."""
        began = time.monotonic()
        for child in (self.processes[name] for name in names):
            child.spawn()
        while not (await self._engines_answer() and await asyncio.to_thread(self.ready)):
            await asyncio.sleep(0.1)
            for child in (self.processes[name] for name in names):
                if child.ended is not None:  # PostgreSQL refuses while processes of the killed one still end
                    child.spawn()
            if time.monotonic() - began > READY_WITHIN_S:
                raise SystemExit(f"not ready {READY_WITHIN_S} s after the kill of {', '.join(names)}: {self.said()}")
        return time.monotonic() - began

    async def _engines_answer(self) -> bool:
        try:
            async with connected(self.database_url):
                return accepts("127.0.0.1", urlsplit(self.mqtt_url).port or 0)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    async def stored_readings(self) -> int:
        """How many readings of devices are stored; Firetower's own are not counted."""
        async with connected(self.database_url) as database:
            sql = "SELECT count(*) FROM api.readings WHERE unit <> '_firetower'"
            return int(await database.fetchval(sql, timeout=1800))

    def ready(self) -> bool:
        """Whether the service says that it is."""
        try:
            with urllib.request.urlopen(f"{self.http_url}/readyz", timeout=2):
                return True
        except OSError:
            return False

    def token(self) -> str:
        """Sign in; return a bearer token."""
        body = json.dumps({"username": "admin", "password": PASSWORD}).encode()
        request = urllib.request.Request(
            f"{self.http_url}/api/v1/session", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.load(answer)["token"])

    def metrics(self) -> dict[str, float]:
        """What ``/metrics`` says now, by name with labels."""
        with urllib.request.urlopen(f"{self.http_url}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def acknowledged(self, lane: str) -> int:
        """How many messages the service has acknowledged in a lane since it started."""
        return int(self.metrics().get(f'firetower_messages_acknowledged_total{{lane="{lane}"}}', 0))

    def usage(self) -> Usage:
        """What each process has used."""
        alive = {name: child.pid for name, child in self.processes.items() if child.ended is None}
        return Usage(
            {name: cpu_seconds(pid) for name, pid in alive.items()},
            {name: resident_mib(pid) for name, pid in alive.items()},
        )


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its children, those that are over included, in seconds."""
    total = 0
    for one in (pid, *_children(pid)):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text("ascii").rsplit(")", 1)[1].split()
            total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int, *parts: str) -> float:
    """Memory of a process and its children in MiB, what they share counted once (PSS); ``parts``: of it only those."""
    names = tuple(f"{part}:" for part in parts or ("Pss",))
    total = 0
    for one in (pid, *_children(pid)):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text("ascii").splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith(names))
    return total / 1024


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    return []


@contextlib.contextmanager
def stand(*, devices: int = 1000, on_map: bool = False) -> Iterator[tuple[Stand, float]]:
    """Give a running stand with that many electrical devices registered, and the seconds its start took.

    ``on_map``: all of them have places in a city whose streets lie under the map.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="firetower-bench-")))
        folder.chmod(0o755)
        data = stack.enter_context(DataDir(folder / "engines").held())
        postgres = EmbeddedPostgres(data)
        stack.callback(postgres.stop)
        postgres.start()
        nats = EmbeddedNats(data, port=0)
        stack.callback(nats.stop)
        nats.start()
        migrate.upgrade(postgres.url)
        asyncio.run(_register(postgres.url, devices))
        environment = {"FIRETOWER_MAP_BASE": str(asyncio.run(_place(postgres.url, folder)))} if on_map else {}
        it = Stand(folder, postgres, nats, environment)
        stack.callback(it.service.stop)
        yield it, it.start()


async def _register(database_url: str, devices: int) -> None:
    """Write the registry with SQL: an import of a million devices is not what is measured here.

    A device that reports once a day is never silent within a measurement, and its one reading of smoke is a fire.
    """
    async with connected(database_url) as database:
        await database.execute(
            "INSERT INTO unit (code, name) SELECT 'u' || lpad(n::text, 4, '0'), 'bench' FROM generate_series(0, $1) n"
            " UNION ALL SELECT 'p' || lpad(n::text, 4, '0'), 'bench' FROM generate_series(0, $2) n"
            " UNION ALL SELECT 'smoke', 'bench'",
            (devices - 1) // 1000, PANELS - 1,
        )  # fmt: skip
        await database.execute(
            "INSERT INTO device (unit_id, name, kind, interval_s)"
            " SELECT u.id, 'e' || lpad(n::text, 7, '0'), 'electrical', 86400 FROM generate_series(0, $1) n"
            " JOIN unit u ON u.code = 'u' || lpad((n / 1000)::text, 4, '0')"
            " UNION ALL SELECT id, 'panel', 'panel', 86400 FROM unit WHERE code LIKE 'p____'"
            " UNION ALL SELECT u.id, 's' || lpad(n::text, 4, '0'), 'smoke', 86400 FROM generate_series(0, $2) n"
            " JOIN unit u ON u.code = 'smoke'",
            devices - 1, SMOKE - 1, timeout=300,
        )  # fmt: skip
        await database.execute("ANALYZE unit, device")


async def _place(database_url: str, folder: Path) -> Path:
    """Strew everything registered over a simulated city, the same at every run; return the file of its streets."""
    city = build(seed=1, devices=1000)
    places = [(one.lon, one.lat) for one in city.city.devices if one.lon is not None and one.lat is not None]
    (west, south), (east, north) = [[choose(each) for each in zip(*places, strict=True)] for choose in (min, max)]
    async with connected(database_url) as database, database.transaction():
        await database.execute("SELECT setseed(0.5)")
        for what in ("unit", "device"):
            await database.execute(
                f"UPDATE {what} SET lon = $1 + random() * $2, lat = $3 + random() * $4",
                west, east - west, south, north - south, timeout=300,
            )  # fmt: skip
    streets = folder / "streets.geojson"
    streets.write_text(city.streets_geojson(), "utf-8")
    return streets


@contextlib.asynccontextmanager
async def connected(database_url: str) -> Any:
    """Give a connection to the database."""
    database = await asyncpg.connect(database_url)
    try:
        yield database
    finally:
        await database.close()
