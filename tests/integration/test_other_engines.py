"""The service on engines that are not the embedded ones: Debian's Mosquitto, Debian's PostgreSQL 15, TimescaleDB."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from folders import open_folder
from service import Service, free_port, now_ms, publisher, running, signed_in
from waiting import until

from firetower.core.child import Child, accepts
from firetower.core.datadir import Account, DataDir
from firetower.embedded import EmbeddedPostgres
from firetower.storage import migrate

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


class Mosquitto:
    """Debian's Mosquitto with a persistent store, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        program = _mosquitto()
        assert program is not None
        self._child = Child(
            "mosquitto", [program, "-c", str(config)], Account(None, None, "own"), cwd=folder,
            log_file=folder / "mosquitto.log", stop_signal=signal.SIGTERM,
        )  # fmt: skip

    def start(self) -> None:
        """Start it (again)."""
        self._child.start(lambda: accepts("127.0.0.1", self.port))

    def stop(self) -> None:
        """Stop it in order: it writes its queues out."""
        self._child.stop()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running Mosquitto of this test's own."""
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.mark.system
@pytest.mark.skipif(
    _mosquitto() is None, reason="mosquitto is not installed (script/test installs it as root on Debian)"
)
async def test_on_mosquitto_a_fire_and_readings_arrive_once_across_a_broker_restart(
    database_url: str, mosquitto: Mosquitto, tmp_path: Path, pool: asyncpg.Pool
) -> None:
    async with running(database_url, mosquitto.url, tmp_path) as service, signed_in(service) as api:
        start = now_ms()
        with publisher(mosquitto.url) as device:
            for number in range(200):
                reading = {"ts": start + number, "level": 2.5}
                await asyncio.to_thread(device.send, "firetower/v1/u/tank/telemetry", reading)
        await asyncio.to_thread(mosquitto.stop)
        mosquitto.start()
        with publisher(mosquitto.url) as device:
            await asyncio.to_thread(device.send, "firetower/v1/u/panel/alarm", {"ts": start, "event": "fire"})
        await until(lambda: api.alert(**{"class": "fire"}), 40)
        await until(lambda: _count(pool, 200), 20)
    assert await pool.fetchval("select count(*) from api.alerts where class = 'fire'") == 1


async def _count(pool: asyncpg.Pool, wanted: int) -> bool:
    return bool(await pool.fetchval("select count(*) from api.readings") == wanted)


@contextlib.contextmanager
def _postgres_15() -> Iterator[str]:
    with open_folder("firetower-pg15-") as folder, DataDir(folder).held() as data:
        server = EmbeddedPostgres(data, programs=POSTGRES_15, extra={"fsync": "off"})
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


@pytest.mark.system
@pytest.mark.skipif(not POSTGRES_15.exists(), reason="Debian's postgresql-15 is not installed")
async def test_on_debians_postgresql_15_the_whole_way_works(nats: Any, tmp_path: Path) -> None:
    with _postgres_15() as url:
        async with running(url, nats.url, tmp_path) as service, signed_in(service) as api:
            with publisher(nats.device_url) as device:
                topic = "firetower/v1/u/smk/telemetry"
                readings = [{"ts": now_ms() - 20_000 + 5_000 * n, "smoke": 0.30} for n in range(4)]
                await asyncio.to_thread(device.send, topic, readings)
            alert = await until(lambda: api.alert(**{"class": "fire"}), 15)
            assert (alert["metric"], alert["limit"]) == ("smoke", 0.2)
        assert await asyncio.to_thread(migrate.status, url) == (await asyncio.to_thread(_head, url),) * 2


def _head(url: str) -> str:
    return migrate.status(url)[1]


async def test_a_service_without_its_database_says_so_and_comes_back(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    """The database refuses connections for a while: /readyz says so, nothing is acknowledged, all is stored later."""
    name = database_url.rsplit("/", 1)[1]
    admin = await asyncpg.connect(f"{database_url.rsplit('/', 1)[0]}/postgres")
    service = Service(database_url, nats.url, tmp_path)
    try:
        await service.start()
        await admin.execute(f"alter database {name} with allow_connections false")
        await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        with publisher(nats.device_url) as device:
            fire = {"ts": now_ms(), "event": "fire"}
            await asyncio.to_thread(device.send, "firetower/v1/u/panel/alarm", fire)
            await asyncio.to_thread(device.send, "firetower/v1/u/tank/telemetry", {"ts": now_ms(), "level": 2.0})

        async def not_ready() -> bool:
            return not await service.ready()

        await until(not_ready, 20)
        await admin.execute(f"alter database {name} with allow_connections true")
        await until(service.ready, 30)
        connection = await asyncpg.connect(database_url)
        try:
            for view in ("alerts", "readings"):
                await until(lambda view=view: connection.fetchval(f"select count(*) = 1 from api.{view}"), 30)
        finally:
            await connection.close()
    finally:
        await admin.execute(f"alter database {name} with allow_connections true")
        await service.stop()
        await admin.close()
