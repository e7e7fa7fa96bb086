"""Messages to the command centre 119, and what an alert shows of its hand-over 转警.

A *report* 转警 is written with the forwarding it belongs to. *Follow-ups* 续报 and the *cancellation* 撤警 belong to a
report and are sent after it, in order. Each has a key of its own, the same at every try.
"""

from dataclasses import dataclass
from enum import StrEnum

from firetower.core.clock import Micros


class Kind(StrEnum):
    """What a message says."""

    REPORT = "report"  # 转警
    FOLLOW_UP = "follow_up"  # 续报
    CANCEL = "cancel"  # 撤警


class MessageState(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"  # 待签收: not sent yet, or without a receipt so far
    RECEIVED = "received"  # 已签收
    FAILED = "failed"  # 未送达: refused, or tried too long; one of an open fire is tried all the same


WRITTEN_FOR = {"forwarded": Kind.REPORT, "followed_up": Kind.FOLLOW_UP, "cancelled": Kind.CANCEL}
"""Which message a history entry of that reason is told by."""


@dataclass(frozen=True, slots=True)
class Signed:
    """签收: who took a message at 119, under which number, and when by their clock, µs."""

    number: str
    person: str
    at: Micros


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What an alert shows of its newest report. ``key``: of the report; ``since``: when it was written, µs.

    ``due_at``: until when its receipt is expected; ``missed``: that passed without one, and stands in the history.
    ``tries``: how often it was sent; ``trouble``: why the last try gave no receipt. ``cancel``: how far its
    cancellation has come, None without one. ``unreceived``: messages without a receipt, the report among them;
    ``follow_ups_failed``: those of them that were given up.
    """

    key: str
    since: Micros
    due_at: Micros
    state: MessageState
    tries: int
    missed: bool
    trouble: str | None = None
    receipt: Signed | None = None
    cancel: MessageState | None = None
    unreceived: int = 0
    follow_ups_failed: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is to be sent now. ``body``: as it was first sent, None before.

    ``tries``: so far. ``refused``: addresses that refused it for good, one bit each. ``newest_at``: when the last
    message of its hand-over was written, µs. ``is_fire``; ``is_awaited``: of an open alert that nobody at 119 took.
    """

    id: int
    key: str
    alert_id: int
    kind: Kind
    created_at: Micros
    body: bytes | None
    tries: int
    refused: int
    newest_at: Micros
    is_fire: bool
    is_awaited: bool

    @property
    def lasts(self) -> bool:
        """Whether it is tried until somebody takes it."""
        return self.is_fire and self.is_awaited


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A message with all that is known of it; times are µs, None for what has not happened."""

    key: str
    report_key: str
    kind: Kind
    text: str
    actor: str
    state: MessageState
    tries: int
    trouble: str | None
    created_at: Micros
    due_at: Micros
    missed_at: Micros | None
    first_sent_at: Micros | None
    last_sent_at: Micros | None
    next_try_at: Micros | None
    received_at: Micros | None
    receipt: Signed | None
