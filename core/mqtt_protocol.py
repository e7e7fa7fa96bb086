"""MQTT 3.1.1 and 5 as bytes, without I/O: packets for a broker, and a broker's bytes as what it said.

A ``Parser`` is fed bytes as they come, cut anywhere, and tells what whole packets among them say. It speaks for a
client that subscribes and publishes at QoS 0 and 1, announces no topic aliases and no extended authentication: whatever
a broker may not send to such a client, and whatever is malformed, is a protocol error, told as text and final. Memory
is bounded: it keeps at most one unfinished packet (``LONGEST``) and what was fed but not taken yet.

Packets for the broker carry no properties in MQTT 5, except those of CONNECT.
"""

import struct
from collections.abc import Sequence

from firetower.core.clock import Micros
from firetower.core.errors import InvalidInput
from firetower.core.mqtt_message import Connack, Incoming, Taken
from firetower.core.mqtt_reasons import reason_text

LONGEST = 4 << 20
"""Bytes of the longest packet taken; four times the 1 MiB that NATS and EMQX pass on unless told otherwise."""
MOST = 1000
"""Packets told in one ``take``: at 2 µs each, a caller that takes once a turn of its loop never holds it for long."""
_LONGEST_SENT = 268_435_455
_TOPICS, _LONGEST_TOPIC = 65_536, 160
"""Topics remembered as text, and the bytes of the longest worth it: at most 30 MiB, 10 for ordinary topics."""
_NEVER = 0xFFFFFFFF
"""A session expiry that never comes."""

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

_RECEIVE_MAXIMUM, _SERVER_KEEP_ALIVE, _REASON_STRING, _SESSION_EXPIRY, _MAXIMUM_PACKET = 0x21, 0x13, 0x1F, 0x11, 0x27
_FIXED_PROPERTIES = {
    0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1, 0x25: 1,
    0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_TEXT_PROPERTIES = {0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F}
_PAIR, _SUBSCRIPTION_ID = 0x26, 0x0B
_NAMES = (
    "packet type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
    "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
)  # fmt: skip


class _Malformed(Exception):
    """The broker broke the protocol; the text says how."""


class Parser:
    """Reads one connection's stream. ``version``: 4 for MQTT 3.1.1, 5 for MQTT 5; ``epoch``: what its messages bear."""

    def __init__(self, version: int, epoch: int) -> None:
        self._v5 = version == 5
        self._epoch = epoch
        self._buffer = bytearray()
        self._missing = 0
        self._topics: dict[bytes, str] = {}
        self._error: str | None = None

    @property
    def unfinished(self) -> bool:
        """Whether bytes were fed that ``take`` has not told of yet."""
        return bool(self._buffer)

    def feed(self, data: bytes | memoryview) -> None:
        """Add bytes that arrived; ``take`` tells what they say."""
        self._buffer += data
        self._missing -= len(data)

    def take(self, received_at: Micros, most: int = MOST) -> Taken:
        """Return what the next ``most`` packets say; a protocol error comes after all that came before it.

        The first message bears ``received_at``, each further one a microsecond more: about what it takes to read it,
        and no two bear the same.
        """
        taken = Taken(error=self._error)
        if self._error is None and self._missing <= 0:
            try:
                done = self._packets(bytes(self._buffer), taken, received_at, most)
            except _Malformed as err:
                taken.error = self._error = str(err)
                done = len(self._buffer)
            del self._buffer[:done]
        return taken

    def _packets(  # noqa: C901, PLR0912  # reason: every message runs through here, and a call costs a tenth of it
        self, data: bytes, taken: Taken, received_at: Micros, most: int
    ) -> int:
        """Tell whole packets from the start of ``data`` on; return where the first one not told begins."""
        end = len(data)
        messages, topics, epoch, v5 = taken.messages, self._topics, self._epoch, self._v5
        at = 0
        for _ in range(most):
            if end - at < 2:
                return at
            first = data[at]
            size = data[at + 1]
            body = at + 2
            if size > 127:
                size, body = _length(data, at + 1, end)
                if not body:
                    return at
                if size > LONGEST:
                    raise _Malformed(
                        f"a {_NAMES[first >> 4]} of {size} bytes, at most {LONGEST} are taken; "
                        "set a lower packet size limit at the broker (max_packet_size, max_payload)"
                    )
            stop = body + size
            if stop > end:
                self._missing = stop - end
                return at
            if first & 0xF0 != 0x30:
                if first == 0x40 and size == 2:
                    taken.acknowledged.append(data[body] << 8 | data[body + 1])
                else:
                    self._other(first, data[body:stop], taken)
                at = stop
                continue
            qos = first >> 1 & 3
            if qos > 1:
                raise _Malformed(f"a PUBLISH at QoS {qos}, though at most QoS 1 was subscribed")
            if size < 3:
                raise _Malformed(f"a PUBLISH of {size} bytes has no room for a topic")
            tail = body + 2 + (data[body] << 8 | data[body + 1])
            mid = 0
            name = data[body + 2 : tail]
            if qos:
                if tail + 2 > stop:
                    raise _Malformed("a PUBLISH ends inside its topic or packet id")
                mid = data[tail] << 8 | data[tail + 1]
                tail += 2
                if not mid:
                    raise _Malformed("a PUBLISH at QoS 1 has packet id 0")
            elif tail > stop:
                raise _Malformed("a PUBLISH ends inside its topic")
            if v5:
                tail = tail + 1 if tail < stop and not data[tail] else _after_properties(data, tail, stop)
            topic = topics.get(name) or self._topic(name)
            if first & 8:
                taken.repeats = True
            messages.append(
                Incoming(topic, data[tail:stop], mid, qos, first & 8 != 0, first & 1 != 0, received_at, epoch)
            )
            received_at += 1
            at = stop
        taken.more = at < end
        return at

    def _topic(self, name: bytes) -> str:
        if not name:
            raise _Malformed("a PUBLISH has an empty topic" + (" (no alias was offered)" if self._v5 else ""))
        # Not an error when it is not UTF-8: the broker would send the same message again and again.
        topic = name.decode("utf-8", "replace")
        if len(name) <= _LONGEST_TOPIC:
            if len(self._topics) >= _TOPICS:
                self._topics.clear()
            self._topics[name] = topic
        return topic

    def _other(self, first: int, body: bytes, taken: Taken) -> None:
        kind = first >> 4
        name = _NAMES[kind]
        if kind not in {2, 4, 9, 13, 14}:
            raise _Malformed(f"a {name}, which a broker does not send to this client")
        if first & 15:
            raise _Malformed(f"a {name} with flags {first & 15}, not 0")
        if kind == 2:
            taken.connack = self._connack(body)
        elif kind == 4:
            self._puback(body, taken)
        elif kind == 9:
            self._suback(body, taken)
        elif kind == 13:
            if body:
                raise _Malformed(f"a PINGRESP of {len(body)} bytes, not 0")
        elif body and not self._v5:
            raise _Malformed(f"a DISCONNECT of {len(body)} bytes, not 0")
        else:
            taken.goodbye = reason_text(body[0] if body else 0, self._reason(name, body, 1))

    def _connack(self, body: bytes) -> Connack:
        if len(body) < 2:
            raise _Malformed(f"a CONNACK of {len(body)} bytes, at least 2 are needed")
        properties = self._properties("CONNACK", body, 2)
        code = body[1]
        said = properties.get(_REASON_STRING, b"").decode("utf-8", "replace")
        keep_alive = properties.get(_SERVER_KEEP_ALIVE)
        return Connack(
            code,
            reason_text(code, said) if code else None,
            session_present=bool(body[0] & 1),
            keep_alive=None if keep_alive is None else int.from_bytes(keep_alive, "big"),
            window=int.from_bytes(properties.get(_RECEIVE_MAXIMUM, b"\xff\xff"), "big"),
        )

    def _puback(self, body: bytes, taken: Taken) -> None:
        if len(body) < 2 or (len(body) > 2 and not self._v5):
            raise _Malformed(f"a PUBACK of {len(body)} bytes")
        mid = int.from_bytes(body[:2], "big")
        said = self._reason("PUBACK", body, 3)
        if len(body) > 2 and body[2] >= 0x80:
            taken.refused[mid] = reason_text(body[2], said)
        else:
            taken.acknowledged.append(mid)

    def _suback(self, body: bytes, taken: Taken) -> None:
        at = 2
        if self._v5 and len(body) > 2:
            at = _after_properties(body, 2, len(body))
        if len(body) <= at:
            raise _Malformed(f"a SUBACK of {len(body)} bytes has no answer in it")
        taken.granted = [reason_text(code, "") if code >= 0x80 else None for code in body[at:]]

    def _reason(self, name: str, body: bytes, at: int) -> str:
        return self._properties(name, body, at).get(_REASON_STRING, b"").decode("utf-8", "replace")

    def _properties(self, name: str, body: bytes, at: int) -> dict[int, bytes]:
        """Return the properties of MQTT 5 at ``at``, to the end of ``body``; none where the body ends before them."""
        found: dict[int, bytes] = {}
        if not self._v5 or len(body) <= at:
            return found
        size, at = _length(body, at, len(body))
        if not at or at + size != len(body):
            raise _Malformed(f"a {name} whose properties do not end where it ends")
        while at < len(body):
            key = body[at]
            at += 1
            if key in _FIXED_PROPERTIES:
                stop = at + _FIXED_PROPERTIES[key]
            elif key in _TEXT_PROPERTIES or key == _PAIR:
                stop = at + 2 + int.from_bytes(body[at : at + 2], "big")
                if key == _PAIR:
                    stop += 2 + int.from_bytes(body[stop : stop + 2], "big")
                at += 2
            elif key == _SUBSCRIPTION_ID:
                stop = _length(body, at, len(body))[1] or len(body) + 1
            else:
                raise _Malformed(f"a {name} with the unknown property {key:#04x}")
            if stop > len(body):
                raise _Malformed(f"a {name} ends inside its property {key:#04x}")
            found[key] = body[at:stop]
            at = stop
        return found


def _length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return a variable length and where its packet goes on; (0, 0) while its bytes have not all come."""
    size = 0
    for shift in (0, 7, 14, 21):
        if at >= end:
            return 0, 0
        digit = data[at]
        at += 1
        size |= (digit & 127) << shift
        if digit < 128:
            return size, at
    raise _Malformed("a length of more than four bytes")


def _after_properties(data: bytes, at: int, stop: int) -> int:
    size, at = _length(data, at, stop)
    if not at or at + size > stop:
        raise _Malformed("a packet ends inside its properties")
    return at + size


# packets for the broker ---------------------------------------------------------------------------------


def connect(
    client_id: str,
    *,
    version: int,
    keep_alive: int,
    clean: bool,
    user: str | None = None,
    password: str | None = None,
    will: tuple[str, bytes] | None = None,
) -> bytes:
    """Return a CONNECT; ``will``: (topic, payload), at QoS 1 and retained. Not clean: the session stays for good."""
    flags = 0x02 * clean | 0x2C * (will is not None) | 0x80 * (user is not None) | 0x40 * (password is not None)
    body = _string("MQTT") + bytes((version, flags)) + keep_alive.to_bytes(2, "big")
    if version == 5:
        properties = struct.pack("!BIBI", _SESSION_EXPIRY, 0 if clean else _NEVER, _MAXIMUM_PACKET, LONGEST)
        body += bytes((len(properties),)) + properties
    body += _string(client_id)
    if will is not None:
        body += (b"\0" if version == 5 else b"") + _string(will[0]) + _counted(will[1], "last will")
    for text in (user, password):
        body += b"" if text is None else _string(text)
    return _packet(0x10, body)


def subscribe(mid: int, filters: Sequence[str], *, version: int) -> bytes:
    """Return a SUBSCRIBE of ``filters`` at QoS 1."""
    body = mid.to_bytes(2, "big") + (b"\0" if version == 5 else b"")
    return _packet(0x82, body + b"".join(_string(topic) + b"\1" for topic in filters))


def publish(topic: str, payload: bytes, *, mid: int, retain: bool, version: int) -> bytes:
    """Return a PUBLISH, at QoS 0 when ``mid`` is 0, else at QoS 1; InvalidInput for a topic nobody may publish to."""
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        raise InvalidInput(f"topic {topic[:200]!r} cannot be published to: empty, or with one of + # NUL in it")
    name = _string(topic)
    tail = (mid.to_bytes(2, "big") if mid else b"") + (b"\0" if version == 5 else b"")
    return _packet((0x32 if mid else 0x30) | retain, name + tail + payload)


def pubacks(mids: Sequence[int]) -> bytes:
    """Return a PUBACK for each packet id."""
    return struct.pack(f"!{len(mids)}I", *[0x40020000 | mid for mid in mids])


def _packet(first: int, body: bytes) -> bytes:
    size = len(body)
    if size > _LONGEST_SENT:
        raise InvalidInput(f"a packet of {size} bytes is longer than MQTT allows, {_LONGEST_SENT}; send less at a time")
    head = [first]
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body


def _string(text: str) -> bytes:
    return _counted(text.encode(), text[:40])


def _counted(data: bytes, name: str) -> bytes:
    if len(data) > 65_535:
        raise InvalidInput(f"{name!r}… has {len(data)} bytes, MQTT takes at most 65535 there")
    return len(data).to_bytes(2, "big") + data
