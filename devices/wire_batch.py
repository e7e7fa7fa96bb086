"""What decoding fills: columns of readings, events, refusals; strangers and new channels until they have numbers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.devices.readings import Int64s, Readings
from firetower.devices.registry import Registry
from firetower.devices.topics import Topic
from firetower.devices.wire_shapes import Shapes

NO_TIME: Micros = -(2**63)
"""Stands in ``heard_sent`` where a device gave no time that can be read as one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that could not be used, or only in part: one for each reason in it, with all of its bytes."""

    topic: str
    payload: bytes
    at: Micros
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Once:
    """A message object without a usable time but with a ``seq``: stored once in 24 h. ``device`` may be provisional."""

    device: int
    seq: int
    digest: bytes
    at: Micros


@dataclass(slots=True)
class Newcomer:
    """A device nobody registered: the metrics it named, and the first message it did so in."""

    number: int
    first: Refusal
    metrics: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Decoded:
    """Everything decoded for one transaction, growing message by message.

    ``welcome``: strangers are to be registered. Columns of one entry a reading: ``device``, ``metric``, ``channel``,
    ``ts`` and ``received`` (µs), ``value``, ``flags``, and ``once``, the index of its message in ``onces`` or -1. A
    negative device or channel is provisional, of one in ``strangers`` or ``new_channels``; ``resolve`` replaces it.
    One entry an object, and one for a gateway that forwarded: ``heard``, the device that said anything (0 for none),
    ``heard_at``, arrival, ``heard_seq``, its ``seq`` or -1, ``heard_sent``, its own time as it said it, believed or not
    (µs), or NO_TIME. ``status``: (device, online, at).

    Readings of ordinary objects (``wire_ordinary.py``) are not in the columns yet: ``heard_shape`` is the number of the
    object's shape in ``shapes`` (ODD: no ordinary one; it may be shorter than ``heard``), ``numbers`` all that stands
    in them, ``ts`` and ``seq`` too, and ``place``, a column, how many of these came before a reading. ``readings``
    joins both in order of arrival.
    """

    welcome: bool = False
    device: list[int] = field(default_factory=list)
    metric: list[int] = field(default_factory=list)
    channel: list[int] = field(default_factory=list)
    ts: list[Micros] = field(default_factory=list)
    received: list[Micros] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    once: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    onces: list[Once] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    strangers: dict[tuple[str, str], Newcomer] = field(default_factory=dict)
    new_channels: dict[str, int] = field(default_factory=dict)
    heard: list[int] = field(default_factory=list)
    heard_at: list[Micros] = field(default_factory=list)
    heard_seq: list[int] = field(default_factory=list)
    heard_sent: list[Micros] = field(default_factory=list)
    heard_shape: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    shapes: Shapes | None = None
    status: list[tuple[int, bool, Micros]] = field(default_factory=list)

    def hear(self, device: int, at: Micros, seq: int | None = None, sent: Micros = NO_TIME) -> None:
        """Note that ``device`` was heard of at ``at``, with the ``seq`` and the time it gave."""
        self.heard.append(device)
        self.heard_at.append(at)
        self.heard_seq.append(-1 if seq is None else seq)
        self.heard_sent.append(sent)

    def stranger(self, topic: Topic, device: str, payload: bytes, at: Micros) -> int:
        """Return the provisional number of a device nobody registered, met in ``payload``."""
        known = self.strangers.get((topic.unit, device))
        if known is None:
            detail = f"device {topic.unit}/{device} could not be registered on sight; import it"
            first = Refusal(str(topic), payload, at, "unknown_device", detail)
            known = self.strangers[topic.unit, device] = Newcomer(-1 - len(self.strangers), first)
        return known.number

    def new_channel(self, name: str) -> int:
        """Return the provisional number of a channel nobody used before."""
        return self.new_channels.setdefault(name, -1 - len(self.new_channels))

    def resolve(self, registry: Registry) -> None:
        """Replace provisional numbers by those ``registry`` has by now; refuse what is still unknown there."""
        if self.strangers:
            numbers = {one.number: registry.number(*name) for name, one in self.strangers.items()}
            for one in self.strangers.values():
                if numbers[one.number] is None:
                    self.refusals.append(one.first)
            self.device[:] = _replaced(self.device, numbers)
            self.heard[:] = [max(number, 0) for number in _replaced(self.heard, numbers)]  # 0 is no device
            self.onces[:] = [
                replace(once, device=device)
                for once, device in zip(self.onces, _replaced([o.device for o in self.onces], numbers), strict=True)
            ]
            self.events[:] = [
                replace(event, device_number=registry.number(event.unit, event.device))
                if event.device_number is None
                else event
                for event in self.events
            ]
            self.strangers.clear()
        if self.new_channels:
            self.channel[:] = _replaced(
                self.channel, {number: registry.channel(name) for name, number in self.new_channels.items()}
            )
            self.new_channels.clear()

    def readings(self, registry: Registry, repeats: Collection[int] = ()) -> Readings:
        """Return the columns as arrays, each reading with the number of its series; ``resolve`` comes first.

        Left out are readings of ``repeats`` (indices into ``onces``) and of a device or channel that has no number even
        now: those were refused.
        """
        made = Readings.of(
            [0] * len(self.value),
            self.device,
            self.metric,
            self.channel,
            self.ts,
            self.received,
            self.value,
            self.flags,
        )
        place = np.asarray(self.place, np.int64)
        keep = (made.device >= 0) & (made.channel >= 0)
        if repeats:
            keep &= ~np.isin(np.asarray(self.once, np.int64), list(repeats))
        if not keep.all():
            made, place = made.take(keep), place[keep]
        if self.shapes is not None and self.numbers:
            ordinary, index = self._ordinary(self.shapes)
            order = np.argsort(np.concatenate((place, index)), kind="stable")
            made = ordinary if not len(made) else _joined(made, ordinary).take(order)
        return replace(made, series=registry.series_many(made.device, made.metric, made.channel))

    def looked_at(self, registry: Registry) -> tuple[Readings, list[str]]:
        """Return the columns as they are, without series, and each reading's channel by name: nothing is resolved."""
        new = {number: name for name, number in self.new_channels.items()}
        columns = (self.device, self.metric, [max(0, number) for number in self.channel], self.ts, self.received)
        readings = Readings.of([0] * len(self.value), *columns, self.value, self.flags)
        return readings, [new.get(number) or registry.channel_name(number) for number in self.channel]

    @property
    def count(self) -> int:
        """How many readings there are, with those that ``readings`` may leave out."""
        ordinary = 0 if self.shapes is None else self.shapes.count(np.asarray(self.heard_shape, np.int64))
        return len(self.value) + ordinary

    def _ordinary(self, shapes: Shapes) -> tuple[Readings, Int64s]:
        """Return the readings of the ordinary objects, without series, and the place of each in ``numbers``."""
        found = shapes.columns(np.asarray(self.heard_shape, np.int64), np.asarray(self.numbers))
        at = found.of_object
        return Readings.of(
            np.zeros(len(at), np.int32),
            np.asarray(self.heard, np.int32)[at],
            found.metric,
            found.channel,
            np.asarray(self.heard_sent, np.int64)[at],
            np.asarray(self.heard_at, np.int64)[at],
            found.value,
            found.quality,
        ), found.index

    def sizes(self) -> tuple[int, ...]:
        """Return how much there is of everything, for ``undo``."""
        return tuple(len(column) for column in self._columns())

    def undo(self, sizes: tuple[int, ...]) -> None:
        """Take back what was added since ``sizes``: of a message whose decoding broke off."""
        for column, size in zip(self._columns(), sizes, strict=True):
            del column[size:]

    def forget(self, objects: int, numbers: int) -> None:
        """Take back all ordinary objects but the first ``objects`` heard of, with their ``numbers``."""
        for column in (self.heard, self.heard_at, self.heard_seq, self.heard_sent, self.heard_shape):
            del column[objects:]
        del self.numbers[numbers:]

    def note_heard(self, registry: Registry) -> None:
        """Tell the registry which devices were heard of, and when; ``resolve`` comes first."""
        if self.heard:
            registry.heard(np.asarray(self.heard, np.int32), np.asarray(self.heard_at, np.int64))

    def _columns(self) -> tuple[list[Any], ...]:
        return (
            self.device, self.metric, self.channel, self.ts, self.received, self.value, self.flags, self.once,
            self.place, self.onces, self.events, self.refusals, self.heard, self.heard_at, self.heard_seq,
            self.heard_sent, self.heard_shape, self.numbers, self.status,
        )  # fmt: skip


class Refusals:
    """What is wrong with one message: one refusal a reason, naming at most ten cases each and counting the rest."""

    _NAMED = 10

    def __init__(self) -> None:
        self._details: dict[str, list[str]] = {}
        self._more: dict[str, int] = {}

    def add(self, reason: str, detail: str) -> None:
        """Note one case."""
        named = self._details.setdefault(reason, [])
        if len(named) < self._NAMED:
            if detail not in named:
                named.append(detail)
        else:
            self._more[reason] = self._more.get(reason, 0) + 1

    def __bool__(self) -> bool:
        return bool(self._details)

    def written(self, topic: str, payload: bytes, at: Micros) -> Iterable[Refusal]:
        """Yield the refusals of the message."""
        for reason, named in self._details.items():
            more = self._more.get(reason)
            yield Refusal(topic, payload, at, reason, "; ".join(named) + (f"; and {more} more" if more else ""))


def _replaced(column: list[int], numbers: Mapping[int, int | None]) -> list[int]:
    """Return ``column`` with provisional numbers replaced; -1 where there is none even now."""
    return [number if number >= 0 else _or_unknown(numbers.get(number)) for number in column]


def _or_unknown(number: int | None) -> int:
    return -1 if number is None else number


def _joined(first: Readings, second: Readings) -> Readings:
    return Readings(*(np.concatenate((getattr(first, name), getattr(second, name))) for name in Readings.__slots__))
