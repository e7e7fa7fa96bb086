"""What comes from a broker: messages, and the news that there are none."""

from dataclasses import dataclass

from firetower.core.clock import Micros
from firetower.core.errors import FiretowerError


class BrokerUnavailable(FiretowerError):
    """The broker cannot be reached, refused us, or the connection ended; the same act may succeed later."""

    code = "broker_unavailable"


class BrokerRefused(BrokerUnavailable):
    """The broker answered and said no; somebody must change an account, a permission or a name."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it arrived; ``epoch``: the number of the connection it came on, ``mid``: its packet id there."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    dup: bool
    retain: bool
    received_at: Micros
    epoch: int
