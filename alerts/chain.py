"""The hash chain over the alert history: each entry's hash is of the entry and of the hash before it.

Written down so that anybody can do it again: the SHA-256 of the 32 bytes before it (of the first entry, 32 zero bytes)
and of the entry as JSON in UTF-8, its keys sorted, without spaces. An alert's first entry holds what was frozen into
the alert when it was raised, too. Times are µs since the epoch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from firetower.core.clock import Micros

GENESIS = bytes(32)
"""What stands before the first entry."""

FROZEN = (
    "rule",
    "subject_kind",
    "subject",
    "component",
    "unit",
    "device",
    "place",
    "text",
    "device_at",
    "received_at",
)
"""Fields of an alert that its first entry holds: they never change."""


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """An entry of an alert's history as it is sealed. ``at``: µs, None for a time no clock gives.

    ``frozen``: the alert's FROZEN fields, of its first entry; else None.
    """

    alert_id: int
    seq: int
    at: Micros | None
    old: str | None
    new: str
    actor: str
    reason: str
    evidence: Any
    frozen: Mapping[str, Any] | None

    def canonical(self) -> str:
        """Return the entry as the JSON text that is hashed."""
        said = {name: getattr(self, name) for name in self.__slots__ if name != "frozen"}
        if self.frozen is not None:
            said["alert"] = dict(self.frozen)
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def link(before: bytes, entry: ChainEntry) -> bytes:
    """Return the hash of ``entry``, ``before`` being the hash before it."""
    return sha256(before + entry.canonical().encode()).digest()
