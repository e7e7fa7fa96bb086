"""The wire codec: payloads of the contract (``docs/key-unit.md``) into columns, events and refusals.

Nothing a device can send raises out of ``Decoder.decode``, and every message leaves a trace: a reading, an event, a
status or a refusal. The good parts of a message are taken whatever stands beside them: other objects of an array, other
devices of a gateway, other values of an object. In the alarm lane doubt makes an event, never silence.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from firetower.core.clock import DAY, Micros
from firetower.devices.events import EVENTS, Event
from firetower.devices.metrics import Catalogue
from firetower.devices.readings import Mark, Quality
from firetower.devices.registry import Registry
from firetower.devices.topics import GATEWAY, NAME, OWN_UNIT, Topic, parse_topic
from firetower.devices.wire_alarm import ALARM_FIELDS, UNREADABLE, Alarm, alarm_key, read_alarm
from firetower.devices.wire_batch import NO_TIME, Decoded, Once, Refusal, Refusals
from firetower.devices.wire_fields import TELEMETRY_FIELDS, Fields, number
from firetower.devices.wire_json import DOUBLED, MOST_BYTES, Unusable, clean, parse, shown, words
from firetower.devices.wire_ordinary import Arrived, Ordinary
from firetower.devices.wire_time import CLOCK_WRONG, InSeconds, event_time, sequence

_QUALITY = int(Mark.QUALITY)
_NOT_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_STEP = 100
_LANES = frozenset({"telemetry", "alarm", "status"})
_STATUS = {"online": True, "offline": False}


Doubt = tuple[str, str]
"""Reason and detail of an alarm that could not be decoded."""


class _When:
    """Time, flags, ``seq`` and the time as ``sent`` of an object; ``usable``: its time is its own and believed."""

    __slots__ = ("at", "flags", "sent", "seq", "usable")

    def __init__(self, at: Micros, flags: int, seq: int | None, sent: Micros) -> None:
        self.at = at
        self.flags = flags
        self.seq = seq
        self.sent = sent
        self.usable = not flags & Mark.ARRIVAL_TIME


class _Message:
    """The message in hand: where it came from, when, and what is wrong with it so far."""

    __slots__ = ("alarm", "objects", "payload", "received", "topic", "wrong")

    def __init__(self, topic: Topic, payload: bytes, received: Micros) -> None:
        self.topic = topic
        self.payload = payload
        self.received = received
        self.alarm = topic.leaf == "alarm"
        self.wrong = Refusals()
        self.objects = 0


class Decoder:
    """Decodes messages of devices in ``registry``, whatever their lane.

    ``retention_days``: as long as readings are kept; older times are wrong clocks.
    """

    def __init__(self, catalogue: Catalogue, registry: Registry, *, retention_days: int = 400) -> None:
        self._registry = registry
        self._retention = retention_days * DAY
        self._fields = Fields(catalogue, registry)
        self._ordinary = Ordinary(registry, self._fields, self._retention)

    def take(self, messages: Sequence[Arrived], into: Decoded) -> int:
        """Add ordinary telemetry to ``into`` as ``decode`` would, ten times as fast, and return how many were taken.

        It stops at the first message that is not ordinary: ``steps`` or ``decode`` takes that one, whatever it is.
        """
        return self._ordinary.take(messages, into)

    def decode(self, topic: str, payload: bytes, received: Micros, into: Decoded) -> None:
        """Add everything that ``payload`` on ``topic``, which arrived at ``received``, says to ``into``.

        Where ``into.welcome`` is false the telemetry of strangers is refused as ``unknown_device``.
        """
        for _ in self.steps(topic, payload, received, into):
            pass

    def steps(self, topic: str, payload: bytes, received: Micros, into: Decoded) -> Iterator[None]:
        """Do what ``decode`` does, with a pause after each hundred objects: a large message holds nobody up."""
        try:
            parsed = parse_topic(topic)
            if parsed.leaf not in _LANES:
                raise ValueError(f"topic ends in {parsed.leaf!r}; devices send telemetry, alarm and status")
            if parsed.unit == OWN_UNIT:
                raise ValueError(f"unit {OWN_UNIT} in the topic is reserved for Firetower's own probes")
        except ValueError as err:
            self.refuse(topic, payload, received, into, reason="bad_topic", detail=str(err))
            return
        message = _Message(parsed, payload, received)
        try:
            if parsed.leaf == "status":
                self._status(message, into)
            else:
                yield from self._content(message, into)
        except Unusable as err:
            message.wrong.add(err.reason, err.detail)
            if message.alarm:
                into.events.append(self._unreadable(message, parsed.device, err.reason, err.detail))
        if message.wrong:
            into.refusals.extend(message.wrong.written(topic, payload[:MOST_BYTES], received))

    def refuse(self, topic: str, payload: bytes, received: Micros, into: Decoded, *, reason: str, detail: str) -> None:
        """Put a whole message into the ledger; one of the alarm lane also becomes an unreadable event."""
        into.refusals.append(Refusal(clean(topic), payload[:MOST_BYTES], received, reason, detail))
        if topic.endswith("/alarm"):
            parts = [*topic.split("/"), "", "", "", ""]
            names = [_NOT_NAME.sub("_", part)[:64] or "unknown" for part in parts[2:4]]
            message = _Message(Topic(names[0], names[1], "alarm"), payload, received)
            into.events.append(self._unreadable(message, names[1], reason, detail))

    # shapes of a message -------------------------------------------------------------------------

    def _content(self, message: _Message, into: Decoded) -> Iterator[None]:
        document, trouble = parse(message.payload)
        if trouble is not None:
            message.wrong.add(trouble.reason, trouble.detail)
        device = message.topic.device
        own = message.alarm and (
            isinstance(document, list) or (isinstance(document, dict) and isinstance(document.get("event"), str))
        )
        if device != GATEWAY or own:  # a gateway's alarm about itself is taken too
            yield from self._objects(message, device, document, into)
            return
        gateway = self._registry.number(message.topic.unit, GATEWAY)
        if gateway is not None:
            into.hear(gateway, message.received)
        if document == {}:
            raise Unusable("no_values", "the gateway sent an empty object; send one entry for each device")
        if not isinstance(document, dict):
            raise Unusable(
                "not_an_object",
                f'the gateway sent {shown(document)}; send {{"<device>": [{{…}}, …]}}, one entry for each device',
            )
        for name, content in document.items():
            if NAME.fullmatch(name):
                yield from self._objects(message, name, content, into)
                continue
            detail = f"device {shown(name)} in the gateway's message is not 1 to 64 of A-Z a-z 0-9 _ -"
            message.wrong.add("bad_topic", detail)
            if message.alarm:
                into.events.append(
                    self._unreadable(message, _NOT_NAME.sub("_", name)[:64] or "unknown", "bad_topic", detail)
                )

    def _objects(self, message: _Message, device: str, content: Any, into: Decoded) -> Iterator[None]:
        """Take one device's object or array of objects."""
        device_number = self._registry.number(message.topic.unit, device) or 0
        doubtful: Doubt | None = None
        if content == []:
            doubtful = ("no_values", f"{shown(device)} sent an empty array; send at least one object")
            message.wrong.add(*doubtful)
        for item in content if isinstance(content, list) else (content,):
            message.objects += 1
            if message.objects % _STEP == 0:
                yield
            if isinstance(item, dict):
                doubt = self._object(message, device, device_number, item, into)
            elif item is DOUBLED:
                doubt = ("bad_json", f"device {shown(device)} stands twice in one message; send it once, with an array")
                message.wrong.add(*doubt)
            else:
                doubt = ("not_an_object", f"{shown(device)} sent {shown(item)}; send a JSON object or an array of them")
                message.wrong.add(*doubt)
            doubtful = doubtful or doubt
        if message.alarm and doubtful is not None:
            into.events.append(self._unreadable(message, device, *doubtful))

    # one object ------------------------------------------------------------------------------------

    def _object(
        self, message: _Message, device: str, device_number: int, item: dict[str, Any], into: Decoded
    ) -> Doubt | None:
        """Take one object; returns what is in doubt when an alarm object said nothing that could be decoded."""
        when = self._when(message, item)
        if when is None:
            return None
        if device_number:
            into.hear(device_number, message.received, when.seq, when.sent)
        said_event = message.alarm and "event" in item
        doubt = None
        if said_event:
            alarm = read_alarm(item, message.wrong)
            if alarm is None:
                doubt = ("bad_event", f"event is {shown(item['event'])}")
            else:
                key = alarm_key(alarm, item.get("ts"), when.seq, when.at, message.received, usable=when.usable)
                into.events.append(self._made_event(message, device, device_number, alarm, when=when, key=key))
                if not device_number and into.welcome:
                    into.stranger(message.topic, device, message.payload, message.received)
        reserved = ALARM_FIELDS if message.alarm else TELEMETRY_FIELDS
        taken = into if device_number or into.welcome else Decoded()  # the unregistered name no new channels
        values = list(self._values(message, item, reserved, said_event, taken))
        if not values:
            if said_event:
                return doubt
            if all(value is None or name in reserved for name, value in item.items()):
                message.wrong.add(
                    "no_values", f"{shown(device)} sent an object without a value; send at least one metric"
                )
            return ("no_values", "an object of the alarm lane has neither an event nor a usable value")
        if not device_number:
            if not into.welcome:
                message.wrong.add(
                    "unknown_device",
                    f"device {message.topic.unit}/{device} is not registered; import it (firetower devices import)",
                )
                unheard = ("unknown_device", "readings in the alarm lane from a device nobody registered")
                return doubt if said_event else unheard
            device_number = into.stranger(message.topic, device, message.payload, message.received)
            into.strangers[message.topic.unit, device].metrics.update(name.partition(".")[0] for name in item)
            into.hear(device_number, message.received, when.seq, when.sent)
        self._store(message, device_number, values, when, into)
        return doubt

    def _when(self, message: _Message, item: dict[str, Any]) -> _When | None:
        """Return the object's time and ``seq``; None (told) where telemetry has a time nobody can read."""
        try:
            seq = sequence(item.get("seq"))
        except Unusable as err:
            seq = None
            message.wrong.add(err.reason, err.detail)
        try:
            at, flags, sent = event_time(item.get("ts"), message.received, self._retention)
        except Unusable as err:
            message.wrong.add(err.reason, err.detail)
            if not message.alarm and not isinstance(err, InSeconds):
                return None
            at, flags, sent = message.received, CLOCK_WRONG, NO_TIME
        return _When(at, flags, seq, sent)

    @staticmethod
    def _made_event(
        message: _Message, device: str, device_number: int, alarm: Alarm, *, when: _When, key: str | None
    ) -> Event:
        flags: tuple[str, ...] = ()
        if when.flags & CLOCK_WRONG == CLOCK_WRONG:
            flags = ("clock",)
        elif when.flags & Mark.ZONE_ASSUMED:
            flags = ("zone_assumed",)
        return Event(
            message.topic.unit, device, device_number or None, alarm.event, alarm.active, alarm.component,
            alarm.text, when.at, message.received, key, flags,
            None if alarm.event in EVENTS else message.payload[:MOST_BYTES],
        )  # fmt: skip

    @staticmethod
    def _store(
        message: _Message, device_number: int, values: list[tuple[int, int, float, int]], when: _When, into: Decoded
    ) -> None:
        at, once = when.at, -1
        if not when.usable:
            at = message.received + message.objects - 1  # objects of one message without a time stay apart
            if when.seq is not None:
                once = len(into.onces)
                digest = hashlib.sha256(message.payload).digest() + message.objects.to_bytes(4, "big")
                into.onces.append(Once(device_number, when.seq, digest, message.received))
        believed, marks = when.flags & _QUALITY, when.flags & ~_QUALITY
        for metric, channel, value, quality in values:
            into.device.append(device_number)
            into.metric.append(metric)
            into.channel.append(channel)
            into.ts.append(at)
            into.received.append(message.received)
            into.value.append(value)
            into.flags.append(marks | max(believed, quality))
            into.once.append(once)
            into.place.append(len(into.numbers))

    def _values(
        self, message: _Message, item: dict[str, Any], reserved: frozenset[str], said_event: bool, into: Decoded
    ) -> Iterator[tuple[int, int, float, int]]:
        """Yield (metric, channel, value, quality) of an object's usable values; tell the message of the others."""
        for name, value in item.items():
            if value is None or name in reserved:
                continue
            found = self._fields.get(name, into)
            if found is None:
                if not said_event:  # beside an event anything may stand
                    message.wrong.add("unknown_metric", self._fields.why_unknown(name, value))
                continue
            measured = number(name, value, message.wrong)
            if measured is None:
                continue
            quality = int(Quality.GOOD)
            if measured < found.lowest:
                quality = found.below
            elif measured > found.highest:
                quality = found.above
            yield found.metric, found.channel, measured, quality

    def _unreadable(self, message: _Message, device: str, reason: str, detail: str) -> Event:
        """Return the event of an alarm nobody could decode, with what can be made out of its words.

        Its component is the reason: repeats are one alert.
        """
        unit = message.topic.unit
        text = f"{words(message.payload)} ({detail})"[:500]
        return Event(
            unit, device, self._registry.number(unit, device), UNREADABLE, True, reason, text,
            message.received, message.received, None, (), message.payload[:MOST_BYTES],
        )  # fmt: skip

    # status --------------------------------------------------------------------------------------------

    def _status(self, message: _Message, into: Decoded) -> None:
        word = message.payload.strip().strip(b'"').lower().decode("ascii", "replace")
        online = _STATUS.get(word)
        if online is None:
            said = message.payload[:60].decode("utf-8", "replace")
            raise Unusable("bad_status", f"status is {shown(said)}; send online or offline")
        unit, device = message.topic.unit, message.topic.device
        device_number = self._registry.number(unit, device)
        if device_number is None:
            # Its first reading registers it where strangers are welcome: a status does not say what it is.
            raise Unusable("unknown_device", f"device {unit}/{device} is not registered; import it")
        into.status.append((device_number, online, message.received))
