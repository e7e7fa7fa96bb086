"""Fixtures of the whole suite: a real PostgreSQL shared by all workers, a real broker per test, a manual clock."""

import asyncio
import contextlib
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest
from filelock import FileLock

sys.path.insert(0, str(Path(__file__).parent))  # tests/waiting.py and the like, under importlib mode

from folders import in_memory, open_folder

from firetower.core.clock import ManualClock
from firetower.core.datadir import DataDir
from firetower.embedded import EmbeddedNats, EmbeddedPostgres
from firetower.storage import migrate
from firetower.storage import pool as pools

# Every worker reads every test, and many tests start Firetower anew: what was compiled is kept, also where an
# environment says otherwise, or each of these processes compiles all of it again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No test is judged by the time it takes: this machine is shared and noisy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def _at(base: str, database: str) -> str:
    return f"{base.rsplit('/', 1)[0]}/{database}"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The URL of a PostgreSQL for this run (FIRETOWER_TEST_DATABASE_URL, or embedded and shared by the workers).

    It holds a migrated database `template_firetower` that tests copy. The worker that started it stops it
    when the others are done.
    """
    root = tmp_path_factory.getbasetemp()
    shared = root if worker_id == "master" else root.parent
    state, lock = shared / "postgres.json", FileLock(shared / "postgres.lock")
    started: tuple[EmbeddedPostgres, contextlib.ExitStack] | None = None
    with lock:
        if state.exists():
            known = json.loads(state.read_text())
        else:
            given = os.environ.get("FIRETOWER_TEST_DATABASE_URL")
            if given is None:
                stack = contextlib.ExitStack()
                data = stack.enter_context(
                    DataDir(stack.enter_context(open_folder("firetower-test-", in_memory()))).held()
                )
                server = EmbeddedPostgres(data, extra={"fsync": "off", "max_connections": "300"})
                server.start()
                started = (server, stack)
                given = server.url
            known = {"url": given, "users": 0}
            template = _prepare_template(given)
            migrate.upgrade(template)
        known["users"] += 1
        state.write_text(json.dumps(known))
    yield known["url"]
    with lock:
        if state.exists():
            left = json.loads(state.read_text())
            left["users"] -= 1
            state.write_text(json.dumps(left))
    if started is not None:
        _retire_when_unused(state, lock)
        started[0].stop()
        started[1].close()


def _retire_when_unused(state: Path, lock: FileLock) -> None:
    """Wait for the other workers; one that comes later finds no state and starts a server of its own."""
    deadline = time.monotonic() + 300
    while True:
        with lock:
            if json.loads(state.read_text())["users"] <= 0 or time.monotonic() > deadline:
                state.unlink()
                return
        time.sleep(0.1)


def _prepare_template(url: str) -> str:
    async def make() -> None:
        connection = await asyncpg.connect(_at(url, "postgres"))
        try:
            await connection.execute("drop database if exists template_firetower")
            await connection.execute("create database template_firetower")
        finally:
            await connection.close()

    asyncio.run(make())
    return _at(url, "template_firetower")


@pytest.fixture
async def database_url(postgres: str) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database of this test's own."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    admin = await asyncpg.connect(_at(postgres, "postgres"))
    try:
        # without fsync, files are copied in an eighth of the time that writing every page to the log takes
        await admin.execute(f"create database {name} template template_firetower strategy file_copy")
        yield _at(postgres, name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool on this test's database."""
    made = await pools.connect(database_url)
    try:
        yield made
    finally:
        made.terminate()


class Broker:
    """A NATS broker of this test's own, that can be killed and started again with what it held."""

    def __init__(self, data: DataDir) -> None:
        self._server = EmbeddedNats(data, port=0)

    @property
    def url(self) -> str:
        """Where the service connects."""
        return self._server.url

    @property
    def device_url(self) -> str:
        """Where devices connect."""
        return self._server.device_url

    @property
    def port(self) -> int:
        """Its MQTT port, the same after a restart."""
        return self._server.port

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._server.engine.pid

    def start(self) -> None:
        """Start it (again)."""
        self._server.start()

    def stop(self) -> None:
        """Stop it in order."""
        self._server.stop()

    def kill(self) -> None:
        """SIGKILL it."""
        self._server.engine.kill()


@pytest.fixture
def nats() -> Iterator[Broker]:
    """A fresh embedded broker."""
    with open_folder("firetower-nats-") as folder, DataDir(folder).held() as data:
        broker = Broker(data)
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that is moved by hand."""
    return ManualClock()


_LONGEST_FIRST = (
    "integration", "web/console", "core", "ingest", "cli", "bench", "rules", "simulator", "web", "storage", "deploy",
    "app", "alerts",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left with it while the others have nothing to do any more."""
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(tests).parent.as_posix()
        return _LONGEST_FIRST.index(folder) if folder in _LONGEST_FIRST else len(_LONGEST_FIRST)

    items.sort(key=rank)
