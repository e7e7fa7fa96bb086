"""Bring a database to the present shape: Alembic's migrations, then what is data: metrics, channel "", partitions."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import asyncpg

from firetower.core.clock import SystemClock
from firetower.core.errors import ConfigError
from firetower.devices.metrics import catalogue
from firetower.storage import partitions
from firetower.storage.pool import store_errors

# Alembic and SQLAlchemy are a third of what a start costs, and most starts find the newest shape: imported when used
if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

OLDEST_SERVER = 15
"""The oldest PostgreSQL that is tested."""

_LOCK = 0x6669_7265_0000


def upgrade(url: str) -> None:
    """Bring the database at ``url`` to the newest shape; nothing happens when it is there already.

    Two instances may start at once: the second waits for the first. May be called with or without a
    running event loop (it blocks; inside a loop use ``asyncio.to_thread``). Raises StoreUnavailable when the
    database cannot be reached, ConfigError when it is too old or from a newer Firetower.
    """
    _in_own_loop(lambda: _upgrade(url))


def status(url: str) -> tuple[str | None, str]:
    """Return (revision of the database, None when it is empty; newest revision known here)."""
    current: str | None = _in_own_loop(lambda: _status(url))
    return current, _head()


def _in_own_loop(work: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        with store_errors():
            return await work()

    with ThreadPoolExecutor(1, thread_name_prefix="firetower-migrate") as executor:
        return executor.submit(lambda: asyncio.run(run())).result()


async def _status(url: str) -> str | None:
    # first without SQLAlchemy, which would wrap the reason why the database cannot be reached
    await (await asyncpg.connect(url)).close()
    found: str | None = await _on_connection(url, _current)
    return found


async def _upgrade(url: str) -> None:
    conn = await asyncpg.connect(url, server_settings={"timezone": "UTC", "application_name": "firetower-migrate"})
    try:
        version = conn.get_server_version().major
        if version < OLDEST_SERVER:
            raise ConfigError(f"PostgreSQL {version} is too old; Firetower needs {OLDEST_SERVER} or newer")
        await conn.execute("SELECT pg_advisory_lock($1)", _LOCK)
        if await _revision(conn) != _newest():
            await _on_connection(url, _migrate)
        await _fill(conn)
    finally:
        await conn.close()


async def _revision(conn: Any) -> str | None:
    if await conn.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revisions = await conn.fetch("SELECT version_num FROM alembic_version")
    return revisions[0][0] if len(revisions) == 1 else None


def _newest() -> str:
    """Return the newest revision by the names of the migrations' files, which begin with theirs."""
    folder = files("firetower.storage") / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in folder.iterdir() if file.name[:1].isdigit())


async def _on_connection(url: str, act: Callable[["Connection"], Any]) -> Any:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(act)
    finally:
        await engine.dispose()


def _config(folder: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    return config


def _head() -> str:
    from alembic.script import ScriptDirectory

    with as_file(files("firetower.storage") / "migrations") as folder:
        head = ScriptDirectory.from_config(_config(str(folder))).get_current_head()
    assert head is not None
    return head


def _current(connection: "Connection") -> str | None:
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _migrate(connection: "Connection") -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    current = _current(connection)
    connection.rollback()
    with as_file(files("firetower.storage") / "migrations") as folder:
        config = _config(str(folder))
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in known:
            raise ConfigError(
                f"the database is at revision {current}, which this Firetower does not know (it knows up to"
                f" {max(known)}): it was upgraded by a newer one; install that one, or restore a backup"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


async def _fill(conn: Any) -> None:
    """Write what is data and may grow with every release: the metric catalogue and the channel of no suffix."""
    metrics = catalogue().by_number.values()
    await conn.execute(
        "INSERT INTO metric (id, name, unit) SELECT * FROM unnest($1::int2[], $2::text[], $3::text[])"
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, unit = excluded.unit"
        " WHERE (metric.name, metric.unit) IS DISTINCT FROM (excluded.name, excluded.unit)",
        [metric.number for metric in metrics],
        [metric.name for metric in metrics],
        [metric.unit for metric in metrics],
    )
    await conn.execute("INSERT INTO channel (id, name) VALUES (0, '') ON CONFLICT (id) DO NOTHING")
    await partitions.prepare(conn, SystemClock().now())
