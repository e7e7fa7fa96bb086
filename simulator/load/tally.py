"""What became of every message of a load, and how long it took: counts that add up, from any number of processes."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from firetower.core.clock import SECOND, Micros
from firetower.simulator.load.histogram import Histogram

_COUNTS = (
    "intended", "sent", "acknowledged", "refused", "cut_off", "dropped", "waiting", "in_flight", "connected", "late",
    "latest",
)  # fmt: skip
LATE_AFTER: Micros = SECOND // 4
"""A message sent more than this after its intended instant, for whatever reason, is counted as late."""


@dataclass(slots=True)
class Tally:
    """Counts since the start. Every message ``intended`` is ``sent``, ``waiting`` to be, or ``dropped`` unsent because
    too many waited; at QoS 1 every one sent is ``acknowledged``, ``refused`` (MQTT 5), ``cut_off`` (its connection
    ended before its PUBACK: it may or may not have arrived) or ``in_flight``.

    ``latency``: from the intended instant to the PUBACK (at QoS 0: until the network took it); of messages that wait in
    vain, until the end. ``lateness``: the generator's own, from the intended instant until it turned to the message.
    ``late``: sent more than 250 ms after their instant, whoever they waited for; ``latest``: the longest such wait, µs.
    ``errors``: by kind. ``connected``: connections that stand.
    """

    intended: int = 0
    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    cut_off: int = 0
    dropped: int = 0
    waiting: int = 0
    in_flight: int = 0
    connected: int = 0
    late: int = 0
    latest: Micros = 0
    latency: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def unacknowledged(self) -> int:
        """Messages sent whose PUBACK did not come."""
        return self.refused + self.cut_off + self.in_flight

    @property
    def unsent(self) -> int:
        """Messages lost at the generator: intended, and never handed to a connection."""
        return self.dropped + self.waiting

    def add(self, other: "Tally") -> None:
        """Add the counts of another process."""
        for name in _COUNTS:
            if name != "latest":
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.latest = max(self.latest, other.latest)
        self.latency.add(other.latency)
        self.lateness.add(other.lateness)
        self.errors.update(other.errors)

    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in _COUNTS}

    def line(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            **self.counts(),
            "latency": self.latency.sparse(),
            "lateness": self.lateness.sparse(),
            "errors": dict(self.errors),
        }

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Tally":
        """Return the tally that ``line`` wrote."""
        return cls(
            **{name: said[name] for name in _COUNTS},
            latency=Histogram.of(said["latency"]),
            lateness=Histogram.of(said["lateness"]),
            errors=Counter(said["errors"]),
        )
