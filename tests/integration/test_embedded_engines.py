"""The embedded engines under the service: killed, they come back by themselves and nothing acknowledged is lost."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

import asyncpg
from folders import open_folder
from service import Api, Service, free_port, now_ms, publisher, signed_in
from waiting import until

from firetower.core.child import accepts


def _running(data: Path) -> dict[str, str]:
    return dict(json.loads((data / "running.json").read_text()))


def _child(pid: int, program: str) -> int:
    """The pid of the service's child that runs ``program``; 0 while there is none."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            name = (stat.parent / "cmdline").read_bytes().split(b"\0")[0].decode()
        except OSError:
            continue
        if parent == pid and Path(name).name.startswith(program):
            return int(stat.parent.name)
    return 0


async def test_database_and_broker_killed_under_the_service_come_back_with_everything_acknowledged(
    tmp_path: Path,
) -> None:
    with open_folder("firetower-engines-") as data:
        port = free_port()
        service = Service(None, None, tmp_path, data_dir=str(data), mqtt_port=str(port))
        try:
            await service.start()
            password = json.loads((data / "credentials.json").read_text())["device"]
            device_url = f"mqtt://device:{password}@127.0.0.1:{port}"
            for round_, program in enumerate(("postgres", "nats-server", "postgres")):
                with publisher(device_url) as device:
                    for number in range(20):
                        reading = {"ts": now_ms() + number, "seq": number, "level": 2.5}
                        await asyncio.to_thread(device.send, f"firetower/v1/u/tank-{round_}/telemetry", reading)
                    fire = {"ts": now_ms(), "event": "fire", "component": str(round_)}
                    await asyncio.to_thread(device.send, "firetower/v1/u/panel/alarm", fire)
                killed = _child(service.pid, program)
                assert killed, f"{program} runs as a child of the service"
                os.kill(killed, signal.SIGKILL)
                again = await until(lambda program=program, killed=killed: _other(service.pid, program, killed), 20)
                assert again != killed
                await until(lambda: _takes_connections(_running(data)["database"]), 20)
                await until(lambda: accepts("127.0.0.1", port), 20)
            connection = await asyncpg.connect(_running(data)["database"])
            try:
                await until(lambda: connection.fetchval("select count(*) = 60 from api.readings"), 30)
                await until(lambda: connection.fetchval("select count(*) = 3 from api.alerts where class = 'fire'"), 30)
            finally:
                await connection.close()
            async with signed_in(service) as api:
                await until(lambda: _shows_fires(api, 3), 20, "the live feed has followed the database back")
        finally:
            await service.stop()


async def _takes_connections(url: str) -> bool:
    with contextlib.suppress(OSError, asyncpg.PostgresError):
        connection = await asyncpg.connect(url)
        await connection.close()
        return True
    return False


async def _shows_fires(api: Api, wanted: int) -> bool:
    return bool((await api.get("/kpis"))["open"]["1"] == wanted)


def _other(pid: int, program: str, killed: int) -> int:
    found = _child(pid, program)
    return found if found != killed else 0
