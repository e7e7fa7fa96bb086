"""What decoding fills: columns of readings, events, refusals; strangers and new channels until they have numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.devices.readings import Readings
from firetower.devices.registry import Registry


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
class Decoded:
    """Everything decoded for one transaction, growing message by message.

    Columns of one entry a reading: ``device``, ``metric``, ``channel``, ``ts`` and ``received`` (µs), ``value``,
    ``flags``, and ``once``, the index of its message in ``onces`` or -1. A negative device or channel is provisional:
    -1 - index into ``strangers`` or ``new_channels``; ``resolve`` replaces it. ``heard``: devices that said anything,
    with arrival times. ``status``: (device, online, at).
    """

    device: list[int] = field(default_factory=list)
    metric: list[int] = field(default_factory=list)
    channel: list[int] = field(default_factory=list)
    ts: list[Micros] = field(default_factory=list)
    received: list[Micros] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    once: list[int] = field(default_factory=list)
    onces: list[Once] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    strangers: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    new_channels: dict[str, int] = field(default_factory=dict)
    heard: list[int] = field(default_factory=list)
    heard_at: list[Micros] = field(default_factory=list)
    status: list[tuple[int, bool, Micros]] = field(default_factory=list)
    _stranger_numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def stranger(self, unit: str, device: str) -> int:
        """Return the provisional number of a device nobody registered."""
        known = self._stranger_numbers.get((unit, device))
        if known is None:
            known = self._stranger_numbers[unit, device] = -1 - len(self.strangers)
            self.strangers[unit, device] = set()
        return known

    def new_channel(self, name: str) -> int:
        """Return the provisional number of a channel nobody used before."""
        return self.new_channels.setdefault(name, -1 - len(self.new_channels))

    def resolve(self, registry: Registry) -> None:
        """Replace provisional numbers; every stranger and new channel must be in ``registry`` by now."""
        if self.strangers:
            numbers = [_known(registry.number(*name), name) for name in self.strangers]
            self.device[:] = [n if n >= 0 else numbers[-1 - n] for n in self.device]
            self.heard[:] = [n if n >= 0 else numbers[-1 - n] for n in self.heard]
            self.onces[:] = [o if o.device >= 0 else replace(o, device=numbers[-1 - o.device]) for o in self.onces]
            self.events[:] = [
                event
                if event.device_number is not None or (event.unit, event.device) not in self.strangers
                else replace(event, device_number=registry.number(event.unit, event.device))
                for event in self.events
            ]
            self.strangers.clear()
            self._stranger_numbers.clear()
        if self.new_channels:
            channels = [_known(registry.channel(name), name) for name in self.new_channels]
            self.channel[:] = [n if n >= 0 else channels[-1 - n] for n in self.channel]
            self.new_channels.clear()

    def readings(self, registry: Registry) -> Readings:
        """Return the columns as arrays, each reading with the number of its series; ``resolve`` comes first."""
        return Readings.of(
            list(map(registry.series, self.device, self.metric, self.channel)),
            self.device,
            self.metric,
            self.channel,
            self.ts,
            self.received,
            self.value,
            self.flags,
        )

    def note_heard(self, registry: Registry) -> None:
        """Tell the registry which devices were heard of, and when."""
        if self.heard:
            registry.heard(np.asarray(self.heard, np.int32), np.asarray(self.heard_at, np.int64))


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


def _known(number: int | None, name: object) -> int:
    if number is None:
        raise LookupError(f"{name!r} has no number although it was registered")
    return number
