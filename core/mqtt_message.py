"""What comes from a broker: messages, its answers, and the news that there are none."""

from dataclasses import dataclass, field

import msgspec

from firetower.core.clock import Micros
from firetower.core.errors import FiretowerError


class BrokerUnavailable(FiretowerError):
    """The broker cannot be reached, refused us, or the connection ended; the same act may succeed later."""

    code = "broker_unavailable"


class BrokerRefused(BrokerUnavailable):
    """The broker answered and said no; somebody must change an account, a permission or a name."""


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One message as it arrived; ``epoch``: the number of the connection it came on, ``mid``: its packet id there.

    A topic that is not UTF-8 has U+FFFD where it is not. ``received_at`` is when its socket buffer was read, one
    microsecond later for each message before it there: no two of a connection bear the same.
    """

    topic: str
    payload: bytes
    mid: int
    qos: int
    dup: bool
    retain: bool
    received_at: Micros
    epoch: int


@dataclass(slots=True)
class Connack:
    """The answer to CONNECT; ``refusal`` says why not, None when the session is open.

    ``keep_alive``: seconds the broker demands instead of ours; ``window``: most QoS 1 messages it takes unacknowledged.
    """

    code: int
    refusal: str | None
    session_present: bool
    keep_alive: int | None
    window: int


@dataclass(slots=True)
class Taken:
    """What a broker said: its messages in order, the packet ids of ours it acknowledged, and what else.

    ``refused``: by packet id, why it did not take a message of ours. ``granted``: the answer to SUBSCRIBE, for
    each filter None or why not. ``goodbye``: why it ends the connection. ``error``: how it broke the protocol.
    ``repeats``: a message among them has its DUP flag. ``more``: whole packets may be left, take again.
    """

    messages: list[Incoming] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    granted: list[str | None] | None = None
    connack: Connack | None = None
    goodbye: str | None = None
    error: str | None = None
    repeats: bool = False
    more: bool = False
