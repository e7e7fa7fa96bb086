"""MQTT 3.1.1 frames as bare bytes: CONNECT, SUBSCRIBE, PUBLISH at QoS 1 by the block, and what comes back."""

import re
import socket
import struct
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import numpy as np

_FIELD = re.compile(rb"<(\w+):(\d+)>")


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


def subscribe_frame(topic: str) -> bytes:
    """A SUBSCRIBE at QoS 1."""
    body = b"\0\1" + _string(topic.encode()) + b"\1"
    return b"\x82" + _length(len(body)) + body


def publish_frame(topic: str, packet_id: int, payload: bytes) -> bytes:
    """A PUBLISH at QoS 1."""
    body = _string(topic.encode()) + struct.pack("!H", packet_id) + payload
    return b"\x32" + _length(len(body)) + body


class Template:
    """A PUBLISH of fixed length with decimal fields ``<name:digits>`` in topic and payload, written by the block.

    ``size``: its bytes, ``packet_at``: where among them its packet id stands.
    """

    def __init__(self, topic: str, payload: str) -> None:
        text = publish_frame(self._dummy(topic.encode()).decode(), 0, self._dummy(payload.encode()))
        raw = _string(topic.encode())[2:] + b"\0\0" + payload.encode()
        head = len(text) - len(self._dummy(raw))
        self._frame = np.frombuffer(text, np.uint8)
        self.size, self.packet_at = len(text), head + len(self._dummy(topic.encode()))
        self._fields: list[tuple[str, int, int]] = []
        shift = head
        for found in _FIELD.finditer(raw):
            digits = int(found[2])
            self._fields.append((found[1].decode(), found.start() + shift, digits))
            shift += digits - len(found[0])

    @staticmethod
    def _dummy(text: bytes) -> bytes:
        return _FIELD.sub(lambda found: b"0" * int(found[2]), text)

    def block(self, count: int, values: Mapping[str, np.ndarray]) -> bytes:
        """Return ``count`` frames with the values of their fields; their packet ids are still to be written."""
        frames = np.tile(self._frame, (count, 1))
        for name, at, digits in self._fields:
            powers = 10 ** np.arange(digits - 1, -1, -1, dtype=np.int64)
            frames[:, at : at + digits] = values[name][:, None] // powers % 10 + 48
        return frames.tobytes()


def dial(url: str, name: str, *, subscribe: str | None = None) -> socket.socket:
    """Connect and sign in, subscribe where asked; a broker that refuses ends the measurement with its code."""
    parts = urlsplit(url)
    wire = socket.create_connection((parts.hostname, parts.port or 1883), timeout=10)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.sendall(connect_frame(f"{name}-{time.time_ns()}", parts.username or "", parts.password or ""))
    answer = _exactly(wire, 4)
    if answer[3] != 0:
        raise SystemExit(f"the broker refused {name}: code {answer[3]}; check the account at {parts.hostname}")
    if subscribe is not None:
        wire.sendall(subscribe_frame(subscribe))
        if _exactly(wire, 5)[4] > 1:
            raise SystemExit(f"the broker refused {name} the subscription {subscribe}")
    return wire


def _exactly(wire: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = wire.recv(size - len(data))
        if not more:
            raise SystemExit("the broker closed the connection")
        data += more
    return data


def split(buffer: bytearray) -> list[tuple[bytes, bytes, bytes]]:
    """Take every whole QoS 1 PUBLISH out of ``buffer``: (topic, packet id, payload); other packets are left out."""
    found = []
    at, end = 0, len(buffer)
    view = bytes(buffer)
    while at + 2 <= end:
        size, body = view[at + 1], at + 2
        if size & 0x80:
            shift, size = 7, size & 0x7F
            while True:
                if body >= end:
                    del buffer[:at]
                    return found
                digit = view[body]
                body += 1
                size |= (digit & 0x7F) << shift
                shift += 7
                if not digit & 0x80:
                    break
        after = body + size
        if after > end:
            break
        if view[at] & 0xF6 == 0x32:
            name = body + 2 + (view[body] << 8) + view[body + 1]
            found.append((view[body + 2 : name], view[name : name + 2], view[name + 2 : after]))
        at = after
    del buffer[:at]
    return found


def acks(packets: list[bytes]) -> bytes:
    """PUBACKs of packet ids, in one piece."""
    return b"\x40\x02" + b"\x40\x02".join(packets)
