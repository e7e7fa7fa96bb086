"""A load generator on bare sockets: MQTT PUBLISH frames prepared ahead, PUBACKs counted, a window in flight."""

import asyncio
import struct
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

PUBACK_BYTES = 4


def _string(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(out)


def connect_frame(client_id: str, user: str, password: str) -> bytes:
    """A CONNECT with a clean session."""
    body = _string(b"MQTT") + bytes((4, 0xC2)) + struct.pack("!H", 0) + _string(client_id.encode())
    body += _string(user.encode()) + _string(password.encode())
    return b"\x10" + _length(len(body)) + body


def publish_frame(topic: str, packet_id: int, payload: bytes) -> bytes:
    """A PUBLISH at QoS 1."""
    body = _string(topic.encode()) + struct.pack("!H", packet_id) + payload
    return b"\x32" + _length(len(body)) + body


@dataclass(slots=True)
class Sent:
    """How a load went: messages acknowledged by the broker and the seconds from the first to the last."""

    acknowledged: int
    seconds: float


async def send(url: str, messages: list[tuple[str, bytes]], *, window: int = 4000) -> Sent:
    """Publish all ``messages`` (topic, payload) at QoS 1 as fast as the broker acknowledges, ``window`` in flight."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(connect_frame(f"bench-{time.time_ns()}", parts.username or "", parts.password or ""))
    answer = await reader.readexactly(PUBACK_BYTES)
    if answer[3] != 0:
        raise SystemExit(f"the broker refused the load generator: code {answer[3]}")
    frames = [publish_frame(topic, 1 + n % 65_000, payload) for n, (topic, payload) in enumerate(messages)]
    began = time.perf_counter()
    acknowledged = sent = 0
    while acknowledged < len(frames):
        room = min(window - (sent - acknowledged), len(frames) - sent, 500)
        if room > 0:
            writer.write(b"".join(frames[sent : sent + room]))
            sent += room
            await writer.drain()
        if sent == len(frames) or sent - acknowledged >= window:
            data = await reader.read(65_536)
            if not data:
                raise SystemExit("the broker closed the load generator's connection")
            rest = len(data) % PUBACK_BYTES
            if rest:
                data += await reader.readexactly(PUBACK_BYTES - rest)
            acknowledged += len(data) // PUBACK_BYTES
    seconds = time.perf_counter() - began
    writer.close()
    await writer.wait_closed()
    return Sent(acknowledged, seconds)
