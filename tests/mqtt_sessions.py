"""Sessions as tests use them, and brokers of ten lines for what real ones do not do on request."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from waiting import until

from firetower.core.clock import SystemClock
from firetower.core.mqtt import Incoming, MqttSession

TOPIC = "firetower/v1/u/d/alarm"


@contextlib.asynccontextmanager
async def running(session: MqttSession, *, wait: bool = True) -> AsyncIterator[MqttSession]:
    task = asyncio.create_task(session.run(), name=session.client_id)
    try:
        if wait:
            async with asyncio.timeout(10):
                await session.wait_connected()
        yield session
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def subscriber(
    url: str, name: str, got: list[Incoming], *, topic: str = "firetower/v1/+/+/alarm", **more: Any
) -> MqttSession:
    settings: dict[str, Any] = {"clean": False, "clock": SystemClock()} | more
    return MqttSession(url, name, filters=[topic], on_messages=got.extend, **settings)


def publisher(url: str, **more: Any) -> MqttSession:
    return MqttSession(url, f"pub-{uuid.uuid4().hex[:8]}", on_messages=None, clean=True, clock=SystemClock(), **more)


async def retained(url: str, topic: str, payload: bytes) -> None:
    """Leave a retained message with the broker; return once it has handed it to somebody who came later.

    That it was acknowledged does not say so: NATS under load has acknowledged one and given it to nobody. It is said
    again until it is kept, so nobody may be subscribed yet.
    """
    handed: list[Incoming] = []

    async def kept() -> bool:
        async with running(publisher(url)) as pub:
            await pub.publish(topic, payload, retain=True)
        async with running(subscriber(url, f"asks-{uuid.uuid4().hex[:8]}", handed, topic=topic, clean=True)):
            with contextlib.suppress(AssertionError):
                await until(lambda: handed, 1)
        return bool(handed)

    await until(kept, 20, f"{topic} is handed to whoever subscribes")


@contextlib.asynccontextmanager
async def scripted(
    broker: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], options: str = ""
) -> AsyncIterator[str]:
    """Give the URL of a server that plays ``broker`` on each connection, after it has read the CONNECT."""
    playing: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await packet(reader)
            await broker(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        playing.discard(writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}{options}"
        await until(lambda: not playing)


async def packet(reader: asyncio.StreamReader) -> bytes:
    """The next packet, of up to 127 bytes."""
    head = await reader.readexactly(2)
    return head + await reader.readexactly(head[1])
