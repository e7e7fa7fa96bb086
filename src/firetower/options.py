"""What several commands take, and the database they work on."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from firetower.core.config import Settings

Result = TypeVar("Result")

ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file with settings; the environment wins.")]
DataDirOption = Annotated[
    Path | None, typer.Option("--data-dir", help="Where embedded engines keep their data (FIRETOWER_DATA_DIR).")
]


def with_pool(settings: Settings, act: Callable[[Any], Awaitable[Result]]) -> Result:
    """Run ``act`` with a pool on the migrated database of ``settings``."""
    from firetower.engines import database
    from firetower.storage import migrate
    from firetower.storage import pool as pools

    async def go(url: str) -> Result:
        pool = await pools.connect(url)
        try:
            return await act(pool)
        finally:
            await pool.close()

    with database(settings) as url:
        migrate.upgrade(url)
        return asyncio.run(go(url))
