"""A broker that only acknowledges: what a load generator can do when nobody slows it, and one that stalls on demand.

Run with a port, it is a process of its own that prints ``ready`` and takes QoS 1 messages until it is ended.
"""

import asyncio
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.frames import acks, split

_CONNACK = b"\x20\x02\x00"


@dataclass(slots=True)
class Sink:
    """What came. ``users``: of each CONNECT, in order. ``keep``: whether messages are kept, as (topic, payload).

    ``refusal``: the code that CONNECT is answered with. While ``stalled``, nothing is acknowledged.
    """

    keep: bool = False
    refusal: int = 0
    stalled: bool = False
    count: int = 0
    users: list[str] = field(default_factory=list)
    messages: list[tuple[bytes, bytes]] = field(default_factory=list)
    connections: "list[_Connection]" = field(default_factory=list)

    async def listen(self, port: int, context: ssl.SSLContext | None = None) -> asyncio.Server:
        """Listen on ``port`` of this machine, 0: any."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, ssl=context)

    def resume(self) -> None:
        """Acknowledge what waited, and what comes."""
        self.stalled = False
        for connection in self.connections:
            connection.answer()


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = bytearray()
        self._waiting: list[bytes] = []
        self._take: Callable[[], None] = self._sign_in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._sink.connections.append(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._sink.connections.remove(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._take()

    def _sign_in(self) -> None:
        if len(self._buffer) < 2 or len(self._buffer) < 2 + self._buffer[1]:  # a CONNECT of ours is a short one
            return
        body = bytes(self._buffer[2 : 2 + self._buffer[1]])
        del self._buffer[: 2 + self._buffer[1]]
        name = 12 + int.from_bytes(body[10:12], "big")
        user = body[name + 2 : name + 2 + int.from_bytes(body[name : name + 2], "big")] if body[7] & 0x80 else b""
        self._sink.users.append(user.decode())
        self.transport.write(_CONNACK + bytes((self._sink.refusal,)))
        self._take = self._take_messages
        if self._sink.refusal:
            self.transport.close()
        elif self._buffer:
            self._take()

    def _take_messages(self) -> None:
        taken = split(self._buffer)
        self._sink.count += len(taken)
        if self._sink.keep:
            self._sink.messages += [(topic, payload) for topic, _, payload in taken]
        self._waiting += [packet for _, packet, _ in taken]
        if not self._sink.stalled:
            self.answer()

    def answer(self) -> None:
        """Acknowledge all that waits."""
        if self._waiting:
            self.transport.write(acks(self._waiting))
            self._waiting.clear()


async def main(port: int) -> None:
    """Take messages until ended."""
    server = await Sink().listen(port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
