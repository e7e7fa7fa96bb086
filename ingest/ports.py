"""What ingest needs of the store, and the unit of work it hands over: one transaction, all or nothing."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from firetower.core.clock import Micros
from firetower.core.mqtt import Incoming
from firetower.devices.events import Event
from firetower.devices.kinds import DeviceKind
from firetower.devices.readings import Bools, Floats, Int64s, Readings
from firetower.rules.steps import Step
from firetower.rules.verdicts import Verdict

REPLAYED, BACKLOG = -1, -2
"""Epochs of messages that come from the store: of the reject ledger, of the alarm backlog. ``mid`` is their number."""

RETAINED = "retained"
"""Flag of an event that the broker had kept for new sessions: what it says may have been heard before."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A message, or a part of one, that could not be used, kept with its bytes and the reason.

    ``reason`` is a stable word (``bad_json``, ``unknown_device``, …); ``detail`` tells a key unit's engineer
    what was wrong, with the value, the limit and the remedy.
    """

    at: Micros
    lane: str
    topic: str
    reason: str
    detail: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered for 24 h so that it is stored once, since its stored key is its arrival.

    A message without a usable time but with a ``seq``; or a reading of a standing clock, then ``seq`` is -1.
    """

    device: int
    seq: int
    digest: bytes
    at: Micros


@dataclass(frozen=True, slots=True)
class Liveness:
    """A device's word about itself on its status topic."""

    device: int
    online: bool
    at: Micros


@dataclass(slots=True)
class Work:
    """Everything one transaction holds. Retried unchanged when the store cannot commit.

    ``replayed``: numbers of rejects tried a second time, which leave the ledger with this commit. ``canary``: when the
    newest canary in the batch was sent, µs. ``brought_back``: numbers of alarms in the backlog, which leave it with
    this commit.
    """

    lane: str
    readings: Readings = field(default_factory=Readings.empty)
    events: list[Event] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    liveness: list[Liveness] = field(default_factory=list)
    replayed: list[int] = field(default_factory=list)
    canary: Micros | None = None
    brought_back: list[int] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Say whether there is nothing to commit."""
        return self.canary is None and not (
            len(self.readings)
            or self.events
            or self.verdicts
            or self.rejects
            or self.seen
            or self.liveness
            or self.replayed
            or self.brought_back
        )


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did: readings new and repeated, alerts raised by class, its instant."""

    stored: int
    repeated: int
    raised: dict[str, int]
    at: Micros


@dataclass(frozen=True, slots=True)
class Stranger:
    """A device to register on first sight."""

    unit: str
    device: str
    kind: DeviceKind


class Store(Protocol):
    """The store as ingest sees it. Every method raises StoreUnavailable when the database cannot answer.

    ``register``, ``channels`` and ``commit`` raise LeaseLost when another instance has taken over.
    """

    async def stored(self, readings: Readings) -> Floats:
        """Return, per reading, the value stored under its key (device, metric, channel, ts); NaN when none is."""
        ...

    async def seen(self, messages: Sequence[Seen]) -> list[bool]:
        """Return, per message, whether it was stored within the last 24 h."""
        ...

    async def register(self, strangers: Sequence[Stranger], at: Micros) -> None:
        """Register devices on first sight and add them to the in-memory registry; known ones are left alone."""
        ...

    async def channels(self, names: Sequence[str]) -> None:
        """Give each unknown channel name a number, stored, and add it to the in-memory registry."""
        ...

    async def commit(self, work: Work) -> Committed:
        """Commit ``work`` in one transaction: readings, events, alert transitions, rejects, live change."""
        ...


class Backlog(Protocol):
    """Where alarms without room in the lane wait, as they came. Every method raises StoreUnavailable and LeaseLost."""

    async def senders(self) -> Sequence[tuple[str, int, Micros]]:
        """Return whose alarms are there, how many, and when the first came; whoever has waited longest first."""
        ...

    async def put(self, rows: Sequence[tuple[str, Incoming]]) -> None:
        """Keep (sender, message), in one transaction."""
        ...

    async def take(self, wanted: Sequence[tuple[str, int]]) -> Sequence[tuple[str, Incoming]]:
        """Return (sender, message): the oldest of each of ``wanted``, (sender, how many), all where there are fewer.

        Of epoch BACKLOG, numbers as ``mid``, the oldest first; they stay until a commit.
        """
        ...


class Rules(Protocol):
    """The engine as ingest sees it."""

    def newest(self, readings: Readings) -> Int64s:
        """Return, shape (n,), the event time of the newest reading taken in of each one's series, µs; min: none."""
        ...

    def unsure(self, readings: Readings) -> Bools:
        """Return, shape (n,), True where a reading cannot be taken as new without a look at what is stored."""
        ...

    def evaluate(self, step: Step) -> list[Verdict]:
        """Take in a batch of readings and alarms, or the passing of time; return what that decides."""
        ...

    def glance(self, readings: Readings, channels: Sequence[str]) -> list[Verdict]:
        """Return what single values would raise, without taking them in; ``channels``: by name, one a reading."""
        ...


class Provisional(Protocol):
    """Whoever shows alarms that the store cannot take yet (未落库)."""

    def waiting(self, token: Hashable, verdicts: Sequence[Verdict]) -> None:
        """Show what ``verdicts`` raise until ``token`` is settled; said again for a token, nothing changes."""
        ...

    def settled(self, token: Hashable) -> None:
        """Take back what waits under ``token``, if anything does: it is committed, or will come again."""
        ...


@dataclass(frozen=True, slots=True)
class OwnWord:
    """What Firetower said to itself; ``canary``: when it was sent, µs, if it is a canary, which is to be committed."""

    canary: Micros | None = None


class OwnUnit(Protocol):
    """Whoever sends and hears Firetower's own probes and canary, under the reserved unit."""

    def heard(self, lane: str, message: Incoming) -> OwnWord | None:
        """Take a message of the reserved unit; None when Firetower did not send it, so that it is refused as any other.

        The same message may be heard again.
        """
        ...

    def lag(self, lane: str, now: Micros) -> Micros:
        """Return how far ``lane`` is behind what was published, by its probe, in µs."""
        ...


class Quality(Protocol):
    """Whoever keeps count of each device's clock and sequence."""

    def note(
        self, devices: Sequence[int], at: Sequence[Micros], seq: Sequence[int], sent: Sequence[Micros], *, lag: Micros
    ) -> None:
        """Take one entry an object in order of arrival; columns as in ``Decoded``. ``lag``: of the lane, µs."""
        ...
