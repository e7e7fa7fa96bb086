"""History entries as the hash chain takes them, from their rows."""

import json
from typing import Any

from firetower.alerts.chain import FROZEN, ChainEntry

_INSTANTS = {"device_at", "received_at"}


def _micros(column: str) -> str:
    # somebody who writes past Firetower may write an infinity; it must be found, not end the search
    return f"CASE WHEN isfinite({column}) THEN (extract(epoch FROM {column}) * 1000000)::int8 END"


COLUMNS = (
    f"h.alert_id, h.seq, {_micros('h.at')} AS at, h.old, h.new, h.actor, h.reason, h.evidence::text AS evidence, "
    + ", ".join(
        f"CASE WHEN h.seq = 1 THEN {_micros(f'a.{name}') if name in _INSTANTS else f'a.{name}'} END AS frozen_{name}"
        for name in FROZEN
    )
)
"""What ``to_entry`` reads, of ``alert_history h`` and its ``alert a``."""


def to_entry(row: Any) -> ChainEntry:
    """Return the entry of a row with COLUMNS."""
    return ChainEntry(
        alert_id=row["alert_id"],
        seq=row["seq"],
        at=row["at"],
        old=row["old"],
        new=row["new"],
        actor=row["actor"],
        reason=row["reason"],
        evidence=_evidence(row["evidence"]),
        frozen={name: row[f"frozen_{name}"] for name in FROZEN} if row["seq"] == 1 else None,
    )


def _evidence(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # a number of thousands of digits, which only somebody who writes past Firetower stores
        return text
