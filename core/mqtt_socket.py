"""The socket under an MQTT connection: opened without blocking the loop, read and written in whole buffers.

paho reads a packet byte by byte and writes each packet by itself. Between it and the kernel this socket keeps a buffer
each way, so that one system call carries many packets, and the session decides when the kernel is read at all.
"""

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from firetower.core.errors import ConfigError

_READ = 65_536
_UNSENT = 1 << 20
"""Bytes kept for a kernel that takes no more; beyond it paho holds the packets."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is and how to sign in; ``ca``: a PEM file of the authority to trust instead of the system's."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    ca: str | None

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_url(url: str) -> Address:
    """Return the parts of ``mqtt://user:password@host:port`` (``mqtts://…?ca=/path/ca.pem`` for TLS).

    Raises ConfigError that names what is wrong, without the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as err:
        raise ConfigError(f"broker address is not a URL: {err}; write mqtt://user:password@host:1883") from err
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(
            f"broker address {parts.scheme}://{parts.hostname or ''} is not understood; "
            "write mqtt://user:password@host:1883 (mqtts:// for TLS)"
        )
    ca = parse_qs(parts.query).get("ca", [None])[0]
    return Address(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        ca=ca,
    )


class BufferedSocket:
    """A connected socket as paho wants it (recv, send, close, fileno, setblocking); it never blocks.

    ``ended`` is the reason once the peer or the network ended it, else None.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._inbox = b""
        self._at = 0
        self._outbox = bytearray()
        self.ended: str | None = None

    def readable(self) -> bool:
        """Say whether ``recv`` has something to give: bytes, or the end."""
        return self._at < len(self._inbox) or self.ended is not None

    def fill(self) -> bool:
        """Take what the kernel holds, at most 64 KiB; True when the TLS layer holds more that no selector sees."""
        try:
            data = self._sock.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as err:
            self.ended = self.ended or _reason(err)
            return False
        if not data:
            self.ended = self.ended or "the broker closed the connection"
            return False
        self._inbox = data if self._at >= len(self._inbox) else self._inbox[self._at :] + data
        self._at = 0
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def recv(self, size: int) -> bytes:
        """Return up to ``size`` bytes of the buffer; b"" at the end; BlockingIOError when there is nothing yet."""
        start = self._at
        if start >= len(self._inbox):
            if self.ended is not None:
                return b""
            raise BlockingIOError
        data = self._inbox[start : start + size]
        self._at = start + len(data)
        return data

    def send(self, data: bytes | bytearray) -> int:
        """Keep ``data`` for ``flush``, all of it or (BlockingIOError, buffer full) nothing."""
        if len(self._outbox) >= _UNSENT:
            raise BlockingIOError
        self._outbox += data
        return len(data)

    def flush(self) -> bool:
        """Hand the kernel what it takes; True when nothing is left to send."""
        if not self._outbox:
            return True
        try:
            sent = self._sock.send(self._outbox)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as err:
            self.ended = self.ended or _reason(err)
            self._outbox.clear()
            return True
        del self._outbox[:sent]
        return not self._outbox

    def close(self) -> None:
        """Send what the kernel still takes and close."""
        if self.ended is None:
            self.flush()
        self._sock.close()

    def fileno(self) -> int:
        """Return the descriptor, for the loop's selector."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """Accept only ``False``: the socket never blocks."""
        assert not flag


async def open_socket(address: Address) -> BufferedSocket:
    """Connect to ``address``, TLS handshake included; OSError (ssl.SSLError among them) says why not."""
    loop = asyncio.get_running_loop()
    context = await loop.run_in_executor(None, _context, address.ca) if address.tls else None
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    failure: OSError = OSError(f"{address.host} has no address")
    for family, kind, protocol, _, where in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, where)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                sock = context.wrap_socket(sock, server_hostname=address.host, do_handshake_on_connect=False)
                await _handshake(sock)
        except OSError as err:
            sock.close()
            failure = err
        except BaseException:
            sock.close()
            raise
        else:
            return BufferedSocket(sock)
    raise failure


def _context(ca: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


async def _handshake(sock: ssl.SSLSocket) -> None:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, write=False)
        except ssl.SSLWantWriteError:
            await _ready(sock, write=True)
        else:
            return


async def _ready(sock: socket.socket, *, write: bool) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        with contextlib.suppress(asyncio.InvalidStateError):
            ready.set_result(None)

    (loop.add_writer if write else loop.add_reader)(sock.fileno(), settle)
    try:
        await ready
    finally:
        (loop.remove_writer if write else loop.remove_reader)(sock.fileno())


def _reason(err: OSError) -> str:
    return f"the connection broke: {err.strerror or err}"
