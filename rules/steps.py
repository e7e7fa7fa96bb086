"""What the engine takes in: a batch of what arrived, or a tick, the passing of time."""

from collections.abc import Sequence
from dataclasses import dataclass

from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.devices.readings import Readings


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings and alarms that arrived, in any order, several of a series or device allowed.

    ``now``: when they are evaluated, µs. What is measured is decided by event times, so that a replay decides the same.
    """

    readings: Readings
    now: Micros
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """The passing of time until ``now``, µs.

    ``listening_since``: since when every message would have reached us, µs; None: it would not, so silence says
    nothing. ``lag``: how far telemetry is behind, µs; it says nothing of devices that report more often.
    """

    now: Micros
    listening_since: Micros | None
    lag: Micros = 0


Step = Batch | Tick
