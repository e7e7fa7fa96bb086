"""Makes tests/integration/service.py importable under importlib mode; a PostgreSQL that a test may kill."""

import contextlib
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from folders import open_folder

from firetower.core.datadir import DataDir
from firetower.core.errors import ConfigError
from firetower.embedded import EmbeddedNats, EmbeddedPostgres, _postmaster_is_ready

sys.path.insert(0, str(Path(__file__).parent))


class Postgres:
    """A PostgreSQL of a test's own, that can be killed or stopped, and started again at the same address."""

    def __init__(self, data: DataDir) -> None:
        self._server = EmbeddedPostgres(data, extra={"fsync": "off", "shared_buffers": "32MB"})
        self._pid_file = data.path / "postgres" / "cluster" / "postmaster.pid"
        self._server.start()

    @property
    def url(self) -> str:
        """Where to connect."""
        return self._server.url

    def start(self) -> None:
        """Start it again; one whose killed predecessor's processes are still ending is tried again."""
        for _ in range(5):
            with contextlib.suppress(ConfigError):
                self._server.engine.start(lambda: _postmaster_is_ready(self._pid_file, self._server.engine.pid))
                return
        raise AssertionError("PostgreSQL does not start again")

    def kill(self) -> None:
        """SIGKILL it."""
        self._server.engine.kill()

    def stop(self) -> None:
        """Stop it in order."""
        self._server.stop()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test's own."""
    with open_folder("firetower-pg-") as folder, DataDir(folder).held() as data:
        server = Postgres(data)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def other_nats() -> Iterator[list[EmbeddedNats]]:
    """Three more brokers, for a test that runs several services at once."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(3):
            data = stack.enter_context(DataDir(stack.enter_context(open_folder("firetower-nats-"))).held())
            server = EmbeddedNats(data, port=0)
            server.start()
            stack.callback(server.stop)
            made.append(server)
        yield made


@pytest.fixture
async def databases(postgres: str) -> AsyncIterator[list[str]]:
    """The URLs of three fresh, migrated databases, for a test that runs several services at once."""
    base = postgres.rsplit("/", 1)[0]
    names = [f"t_{uuid.uuid4().hex[:16]}" for _ in range(3)]
    admin = await asyncpg.connect(f"{base}/postgres")
    try:
        for name in names:
            await admin.execute(f"create database {name} template template_firetower strategy file_copy")
        yield [f"{base}/{name}" for name in names]
        for name in names:
            await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()
