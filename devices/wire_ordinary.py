"""The short way of ordinary telemetry: a registered device's flat object of numbers with a time that is believed.

It does what the careful way (``wire.py``) would do with the same message, to the letter, or leaves the message to it.
Nothing is made of a value here but an entry in a list; ``Decoded.readings`` does the rest for the whole batch in numpy.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from firetower.core.clock import Micros
from firetower.devices.registry import Registry
from firetower.devices.topics import GATEWAY, OWN_UNIT, parse_topic
from firetower.devices.wire_batch import Decoded
from firetower.devices.wire_fields import TELEMETRY_FIELDS, Fields
from firetower.devices.wire_shapes import ODD, Field, Shapes
from firetower.devices.wire_time import AHEAD, SECONDS, SEQ_MAX

_MOST_BYTES = 16_384
"""A longer payload is for the careful way, which pauses."""
_PARTS_MASK = 127
MOST_SENDERS_OF_PART = 1 << 13
"""A million topics are remembered, in 128 parts: one table would hold the loop up whenever it grows or is emptied."""
_LEAF = "telemetry"


class Arrived(Protocol):
    """A message as it came from the broker."""

    @property
    def topic(self) -> str:
        """The topic it was published on."""
        ...

    @property
    def payload(self) -> bytes:
        """Its bytes."""
        ...

    @property
    def received_at(self) -> Micros:
        """When it arrived."""
        ...


class Ordinary:
    """Takes ordinary messages; ``retention``: µs, older times are not believed."""

    def __init__(self, registry: Registry, fields: Fields, retention: Micros) -> None:
        self._registry = registry
        self._fields = fields
        self._retention = retention
        # Numbers only, so that text, null, true, nesting and all that is no JSON are refused while decoding.
        self._parse = msgspec.json.Decoder(dict[str, float] | list[dict[str, float]]).decode
        self._senders: list[dict[str, int]] = [{} for _ in range(_PARTS_MASK + 1)]
        self._shapes = Shapes()

    def take(self, messages: Sequence[Arrived], into: Decoded) -> int:
        """Add messages to ``into`` up to the first that is not ordinary, and return how many were taken."""
        if into.shapes is None:
            if self._shapes.full:
                self._shapes = Shapes()
            into.shapes = self._shapes
        into.heard_shape.extend([ODD] * (len(into.heard) - len(into.heard_shape)))
        senders, parse, known = self._senders, self._parse, into.shapes.known
        oldest, in_seconds = -self._retention, SECONDS.stop
        heard, heard_at, heard_seq = into.heard, into.heard_at.append, into.heard_seq.append
        heard_sent, heard_shape, numbers = into.heard_sent.append, into.heard_shape.append, into.numbers
        for taken, message in enumerate(messages):
            topic, payload, received = message.topic, message.payload, message.received_at
            try:
                sender = senders[hash(topic) & _PARTS_MASK].get(topic) or self._sender(topic)
                if not sender or len(payload) > _MOST_BYTES:
                    return taken
                document = parse(payload)
            except ValueError:
                return taken
            objects_before, numbers_before, names = len(heard), len(numbers), 0
            for item in (document,) if type(document) is dict else document:
                shape = known.get(tuple(item)) or self._shape(tuple(item), into.shapes)
                if not shape:
                    break
                sent, seq = item["ts"], item.get("seq")
                at = int(sent)
                count = -1 if seq is None else int(seq)
                if at != sent or at < in_seconds or not oldest <= at * 1000 - received <= AHEAD:
                    break
                if seq is not None and (count != seq or not 0 <= count <= SEQ_MAX):
                    break
                names += len(item)
                heard.append(sender)
                heard_at(received)
                heard_seq(count)
                heard_sent(at * 1000)
                heard_shape(shape)
                numbers.extend(item.values())
            else:
                # Each name has a colon of its own, and there is no other: none was swallowed by its double.
                if names and payload.count(b":") == names:
                    continue
            into.forget(objects_before, numbers_before)
            return taken
        return len(messages)

    def _sender(self, topic: str) -> int:
        """Return the number of the device that sends telemetry on ``topic``; 0 where that is not so plain."""
        parsed = parse_topic(topic)
        if parsed.leaf != _LEAF or parsed.device == GATEWAY or parsed.unit == OWN_UNIT:
            return 0
        number = self._registry.number(parsed.unit, parsed.device)
        if number is None:
            return 0
        part = self._senders[hash(topic) & _PARTS_MASK]
        if len(part) >= MOST_SENDERS_OF_PART:
            part.clear()
        part[topic] = number
        return number

    def _shape(self, names: tuple[str, ...], shapes: Shapes) -> int:
        """Return the number of a shape met for the first time; ODD where it is none of an ordinary object."""
        if shapes.full or "ts" not in names:
            return ODD
        fields: list[Field | None] = []
        for name in names:
            found = None
            if name not in TELEMETRY_FIELDS:
                found = self._fields.settled(name)
                if found is None:
                    return ODD
            fields.append(found)
        return shapes.add(names, fields) if any(fields) else ODD
