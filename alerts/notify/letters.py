"""Letters 通知: one message to one person over one channel, from the outbox to its end, as facts kept apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from firetower.core.clock import Micros


class LetterState(StrEnum):
    """How far a letter has come. Sent, delivered, read and acted on are instants of their own beside it."""

    WAITING = "waiting"  # 待发
    SENT = "sent"  # 已发出: the channel has taken it
    FAILED = "failed"  # 发送失败: for good
    CANCELLED = "cancelled"  # 已取消: what it told of was handled first


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A letter to be written into the outbox. ``key``: the same one is written once, whoever writes it again.

    ``alert_id``: what it tells of; it is sent only while that still asks for it (``reason``). ``channel``: name of a
    channel of the duty plan; ``address``: on it; ``role``, ``name``: who that is; ``language``: ``zh`` or ``en``.
    ``reason``: which template, and why: ``raised``, ``unacknowledged``, ``unverified``, ``unreceipted``,
    ``unattended`` …; ``level``: of the policy; ``due_at``: not before.
    """

    key: str
    alert_id: int
    policy: str
    level: int
    reason: str
    channel: str
    address: str
    name: str
    role: str
    language: str
    due_at: Micros
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of the outbox. ``tries``: how often it was handed to its channel; ``trouble``: why the last failed."""

    id: int
    new: NewLetter
    state: LetterState
    created_at: Micros
    next_try_at: Micros
    tries: int = 0
    trouble: str | None = None
    sent_at: Micros | None = None
    delivered_at: Micros | None = None
    read_at: Micros | None = None
    acted_at: Micros | None = None
    reference: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
