"""A broker that only acknowledges stands among the measurements, which are no part of the package."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from firetower.simulator.cli import EPILOG, simulate

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[2])]  # load_making, and bench

from bench.sink import Sink


@dataclass
class Listening:
    """A sink and where it listens."""

    sink: Sink
    server: asyncio.Server

    @property
    def port(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"


@pytest.fixture
async def broker() -> AsyncIterator[Listening]:
    """A broker in this process that only acknowledges, unless it is told not to."""
    sink = Sink(keep=True)
    server = await sink.listen(0)
    yield Listening(sink, server)
    server.close()
    for connection in list(sink.connections):
        connection.transport.abort()
    await asyncio.sleep(0)
    await server.wait_closed()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call ``firetower simulate`` with words; returns typer's result."""
    monkeypatch.delenv("FIRETOWER_MQTT_URL", raising=False)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # another test's may write to a stream that is closed
    app = typer.Typer()
    app.command(epilog=EPILOG)(simulate)

    def call(*words: str) -> Any:
        return CliRunner().invoke(app, list(words))

    return call
