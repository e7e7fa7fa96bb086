"""A TCP proxy between a client and a server that cuts, stalls and heals: the wire broken on purpose."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class FaultProxy:
    """Stands before the server of ``url`` (any scheme with host and port), on a port of its own; ``url`` leads there.

    An ``async with`` block; its methods act at once on every connection there is, and on those to come.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._given = parts
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._left: int | None = None
        self._transports: set[asyncio.WriteTransport] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.accepted = 0

    @property
    def url(self) -> str:
        """The server's URL, with the proxy's address in it."""
        assert self._server is not None
        account = self._given.netloc.rpartition("@")[0]
        port = self._server.sockets[0].getsockname()[1]
        return self._given._replace(netloc=f"{account}{'@' if account else ''}127.0.0.1:{port}").geturl()

    def cut(self) -> None:
        """Break every connection, and every new one, until ``heal``."""
        self._refusing = True
        for transport in list(self._transports):
            transport.abort()

    def stall(self) -> None:
        """Pass nothing on until ``heal``, with every connection standing and new ones accepted."""
        self._flowing.clear()

    def half_frame(self, size: int) -> None:
        """Pass ``size`` more bytes on to clients, then ``cut``."""
        self._left = size

    def heal(self) -> None:
        """Pass everything on again, what was stalled too."""
        self._refusing = False
        self._left = None
        self._flowing.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._transports.add(writer.transport)
        self.accepted += 1
        try:
            # ended from outside when the proxy goes: that is the end of this connection, no error of its task
            with contextlib.suppress(asyncio.CancelledError, OSError):
                if not self._refusing:
                    await self._join(reader, writer)
        finally:
            writer.transport.abort()
            self._transports.discard(writer.transport)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        self._transports.add(far_writer.transport)
        ways = {
            asyncio.create_task(self._pass_on(reader, far_writer, to_client=False), name="to the server"),
            asyncio.create_task(self._pass_on(far_reader, writer, to_client=True), name="to the client"),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()
            self._transports.discard(far_writer.transport)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, to_client: bool) -> None:
        while data := await source.read(65_536):
            await self._flowing.wait()
            if to_client and self._left is not None:
                data = data[: self._left]
                self._left -= len(data)
            sink.write(data)
            await sink.drain()
            if self._left == 0:
                self._left = None
                await asyncio.sleep(0)
                self.cut()
                return
        await self._flowing.wait()
