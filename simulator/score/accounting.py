"""What became of every message, end to end: published, acknowledged by the broker, received, stored, rejected."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from firetower.simulator.truth import Sent

_LABEL = re.compile(r'^(\w+)(?:\{\w+="([^"]*)"\})?$')
_RECEIVED, _ACKNOWLEDGED = "firetower_messages_received_total", "firetower_messages_acknowledged_total"
_STORED, _REPEATED = "firetower_readings_stored_total", "firetower_readings_repeated_total"
_REJECTS = "firetower_rejects_total"


@dataclass(frozen=True, slots=True)
class Account:
    """Messages by lane, and readings. ``known``: whether the service told; else its own columns are empty.

    ``received``, ``acknowledged`` of the service also count what Firetower sends itself: one message a second and lane.
    ``unusable``: messages nobody can use, sent on purpose; ``strangers``: of devices in no registry. ``rejected``: by
    reason.
    """

    published: dict[str, int]
    acked: int
    lost_on_the_way: int
    readings: int
    unusable: int
    strangers: int = 0
    known: bool = False
    received: dict[str, int] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    stored: int = 0
    repeated: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    @property
    def rejected_beyond(self) -> int | None:
        """Messages rejected that are neither unusable on purpose nor of devices in no registry; None where the service
        does not say."""
        rejected = sum(self.rejected.values())
        return max(0, rejected - self.unusable - self.strangers) if self.known else None

    @property
    def readings_lost(self) -> int | None:
        """Readings acknowledged by the broker that are nowhere; None where it cannot be told: the service does not say,
        rejected more than it was sent on purpose, or the broker did not acknowledge everything."""
        answered = self.acked >= sum(self.published.values())
        certain = self.known and answered and sum(self.rejected.values()) <= self.unusable
        return max(0, self.readings - self.stored - self.repeated) if certain else None


def account(sent: Sent, before: Mapping[str, float] | None, after: Mapping[str, float] | None) -> Account:
    """Return the account of what was ``sent``; ``before``, ``after``: /metrics of the service, None where it has none.

    A service that was restarted in between counts anew: then it is as if it had told nothing.
    """
    ours = Account(dict(sent.published), sent.acked, sent.lost, sent.readings, sent.unusable, sent.strangers)
    if before is None or after is None:
        return ours
    grown = {name: round(value - before.get(name, 0.0)) for name, value in after.items() if _ours(name)}
    if any(value < 0 for value in grown.values()):
        return ours
    return replace(
        ours, known=True,
        received=_labelled(grown, _RECEIVED), acknowledged=_labelled(grown, _ACKNOWLEDGED),
        stored=grown.get(_STORED, 0), repeated=grown.get(_REPEATED, 0),
        rejected={reason: count for reason, count in _labelled(grown, _REJECTS).items() if count},
    )  # fmt: skip


def _ours(name: str) -> bool:
    return name.partition("{")[0] in {_RECEIVED, _ACKNOWLEDGED, _STORED, _REPEATED, _REJECTS}


def _labelled(grown: Mapping[str, int], metric: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, value in grown.items():
        match = _LABEL.match(name)
        if match is not None and match[1] == metric and match[2] is not None:
            found[match[2]] = value
    return found
