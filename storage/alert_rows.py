"""Alerts between their table and their dataclass: reading rows, writing many changes and history entries at once."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from firetower.alerts.model import (
    Alert,
    Condition,
    Deadline,
    Disposition,
    Hold,
    Method,
    State,
    Transition,
    Verification,
)
from firetower.alerts.ports import Entry
from firetower.core.clock import from_datetime
from firetower.devices.events import AlertClass
from firetower.storage import handover_rows

Item = TypeVar("Item")

CHUNK = 100
"""Rows of one statement: encoding more at once would hold the event loop for longer than 5 ms."""

_PLAIN = [
    "id",
    "rule",
    "rule_version",
    "subject_kind",
    "subject",
    "component",
    "priority",
    "latched",
    "cause",
    "unit",
    "unit_name",
    "device",
    "device_kind",
    "metric",
    "figure",
    "value",
    "limit_value",
    "title_zh",
    "title_en",
    "text",
    "place",
    "lon",
    "lat",
    "occurrences",
    "repeats",
    "version",
    "assignee",
    "acknowledged_by",
    "closed_by",
    "zone",
    "main",
    "gateway",
    "scene",
    "incident_id",
    "hold_reason",
    "held_by",
    "window_id",
    "cause_id",
    "verified_by",
    "escalation",
]
_TIMES = ["device_at", "received_at", "raised_at", "condition_at", "last_event_at", "alarmed_at"]
_LATER = ["shown_at", "acknowledged_at", "verified_at", "forwarded_at", "receipted_at", "closed_at", "held_until"]
_WORDS = ["alert_class", "state", "hold", "condition", "disposition", "verification", "verify_method"]
_LISTS = ["flags", "missed"]

TYPES = {"timestamptz": "int8", "text[]": "text"}
"""What a column's values are sent as (``column``) where that is not its own type: encoding instants is slow."""


def given(name: str, kind: str, table: str) -> str:
    """Return the expression of a column of type ``kind`` from what ``column`` gave for it in ``table``."""
    value = f"{table}.{name}"
    if kind == "timestamptz":
        return f"'epoch'::timestamptz + {value} * interval '1 microsecond'"
    return f"string_to_array({value}, ' ')" if kind == "text[]" else value


_NAMED = (*_PLAIN, *_TIMES, *_LATER, *_WORDS, *_LISTS)
COLUMNS = ", ".join((*(f"a.{name}" for name in _NAMED), handover_rows.SUMMARY))
"""What ``to_alert`` reads, of a table called ``a``."""

KEY_ORDER = ", ".join(f'a.{part} COLLATE "C"' for part in ("rule", "subject_kind", "subject", "component"))
"""The one order in which alert rows are locked, by everybody: that of Python's ``sorted`` too."""


def to_alert(row: Any) -> Alert:
    """Return the alert of a row with COLUMNS."""
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    for name in _TIMES:
        values[name] = from_datetime(row[name])
    for name in _LATER:
        at = row[name]
        values[name] = None if at is None else from_datetime(at)
    disposition, verification, method = row["disposition"], row["verification"], row["verify_method"]
    return Alert(
        alert_class=AlertClass(row["alert_class"]),
        state=State(row["state"]),
        hold=Hold(row["hold"]),
        condition=Condition(row["condition"]),
        disposition=None if disposition is None else Disposition(disposition),
        verification=None if verification is None else Verification(verification),
        verify_method=None if method is None else Method(method),
        flags=tuple(row["flags"]),
        handover=handover_rows.to_summary(row["handover"]),
        missed=tuple(map(Deadline, row["missed"])),
        **values,
    )


# What may change after an alert was raised; everything else in it is frozen.
_CHANGING: tuple[tuple[str, str], ...] = (
    ("alert_class", "text"),
    ("priority", "int2"),
    ("latched", "bool"),
    ("flags", "text[]"),
    ("state", "text"),
    ("hold", "text"),
    ("condition", "text"),
    ("disposition", "text"),
    ("cause", "text"),
    ("value", "float8"),
    ("limit_value", "float8"),
    ("figure", "text"),
    ("rule_version", "int4"),
    ("title_zh", "text"),
    ("title_en", "text"),
    ("text", "text"),
    ("occurrences", "int4"),
    ("repeats", "int4"),
    ("version", "int4"),
    ("condition_at", "timestamptz"),
    ("last_event_at", "timestamptz"),
    ("acknowledged_at", "timestamptz"),
    ("acknowledged_by", "text"),
    ("closed_at", "timestamptz"),
    ("closed_by", "text"),
    ("assignee", "text"),
    ("incident_id", "int8"),
    ("hold_reason", "text"),
    ("held_until", "timestamptz"),
    ("held_by", "text"),
    ("window_id", "int8"),
    ("cause_id", "int8"),
    ("verification", "text"),
    ("verified_at", "timestamptz"),
    ("verified_by", "text"),
    ("verify_method", "text"),
    ("forwarded_at", "timestamptz"),
    ("receipted_at", "timestamptz"),
    ("escalation", "int2"),
    ("alarmed_at", "timestamptz"),
    ("missed", "text[]"),
)

_UPDATE = (
    "UPDATE alert AS a SET "
    + ", ".join(f"{name} = {given(name, kind, 'c')}" for name, kind in _CHANGING)
    + " FROM unnest($1::bigint[], "
    + ", ".join(f"${number}::{TYPES.get(kind, kind)}[]" for number, (_, kind) in enumerate(_CHANGING, 2))
    + ") AS c (id, "
    + ", ".join(name for name, _ in _CHANGING)
    + ") WHERE a.id = c.id AND a.id = ANY($1::bigint[])"  # the latter, so that no plan reads the whole table
)

_APPEND = f"""
INSERT INTO alert_history (alert_id, seq, at, old, new, actor, reason, evidence)
SELECT h.alert_id,
       (SELECT coalesce(max(seq), 0) FROM alert_history p WHERE p.alert_id = h.alert_id)
         + row_number() OVER (PARTITION BY h.alert_id ORDER BY h.n),
       {given("at", "timestamptz", "h")}, h.old, h.new, h.actor, h.reason, h.evidence::jsonb
FROM unnest($1::bigint[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
     WITH ORDINALITY AS h (alert_id, at, old, new, actor, reason, evidence, n)
"""


def column(alerts: Sequence[Alert], name: str) -> list[Any]:
    """Return one field of many alerts as the database takes it (``TYPES``)."""
    values = list(map(attrgetter(name), alerts))
    return list(map(" ".join, values)) if name in _LISTS else values


def history_columns(moves: Sequence[Transition]) -> tuple[list[Any], ...]:
    """Return at, old, new, actor, reason and evidence of many transitions as the database takes them."""
    return (
        [move.at for move in moves],
        [move.old for move in moves],
        [move.new for move in moves],
        [move.actor for move in moves],
        [move.reason for move in moves],
        [msgspec.json.encode(dict(move.evidence)).decode() for move in moves],
    )


async def update(conn: Any, alerts: Sequence[Alert]) -> None:
    """Write what may have changed of alerts whose rows this transaction has locked."""
    for chunk in chunks(alerts):
        await conn.execute(
            _UPDATE,
            column(chunk, "id"),
            *(column(chunk, name) for name, _ in _CHANGING),
        )


async def append_history(conn: Any, entries: Sequence[tuple[int, Transition]]) -> None:
    """Append transitions to the histories of alerts whose rows this transaction has locked, in the order given.

    What 119 is told of them is written with them: whoever forwards an alert comes through here.
    """
    for chunk in chunks(entries):
        await conn.execute(_APPEND, [alert_id for alert_id, _ in chunk], *history_columns([move for _, move in chunk]))
    await handover_rows.write(conn, entries)


async def read_history(conn: Any, alert_id: int) -> list[Entry]:
    """Return an alert's history, oldest first."""
    rows = await conn.fetch(
        "SELECT seq, at, old, new, actor, reason, evidence::text AS evidence"
        " FROM alert_history WHERE alert_id = $1 ORDER BY seq",
        alert_id,
    )
    return [
        Entry(
            row["seq"],
            Transition(
                old=None if row["old"] is None else State(row["old"]),
                new=State(row["new"]),
                at=from_datetime(row["at"]),
                actor=row["actor"],
                reason=row["reason"],
                evidence=msgspec.json.decode(row["evidence"]),
            ),
        )
        for row in rows
    ]


def chunks(rows: Sequence[Item]) -> Iterable[Sequence[Item]]:
    """Yield ``rows`` in pieces of at most CHUNK."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
