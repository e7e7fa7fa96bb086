"""The first half of a batch's verdicts, one statement a slice: its events stored, the alerts they are about locked."""

from collections.abc import Sequence
from typing import Any

from firetower.alerts.judge import sender_of
from firetower.alerts.lifecycle import holds_key
from firetower.alerts.model import Alert
from firetower.devices.events import Event
from firetower.rules.verdicts import Verdict, VerdictKind
from firetower.storage.alert_rows import CHUNK, COLUMNS, TYPES, given, to_alert

Key = tuple[str, str, str, str]

_EVENT: tuple[tuple[str, str], ...] = (
    ("unit", "text"),
    ("device", "text"),
    ("event", "text"),
    ("active", "bool"),
    ("component", "text"),
    ("text", "text"),
    ("at", "timestamptz"),
    ("received_at", "timestamptz"),
    ("key", "text"),
    ("flags", "text[]"),
    ("payload", "bytea"),
)
_NAMES = ", ".join(name for name, _ in _EVENT)
_PARAMETERS = ", ".join(f"${number}::{TYPES.get(kind, kind)}[]" for number, (_, kind) in enumerate(_EVENT, 5))

# ``told`` stands before the first lock, as each look-up asks it. A look-up for each key, not a join, so that no plan
# made while the table was small can turn into a scan of it, and so that the keys' order is that of the locks.
_TAKE = f"""
WITH stored AS (
    INSERT INTO device_event ({_NAMES}) SELECT {", ".join(given(name, kind, "e") for name, kind in _EVENT)}
    FROM unnest({_PARAMETERS}) AS e ({_NAMES})
    ON CONFLICT (unit, device, key) DO NOTHING RETURNING unit, device, key
),
told AS MATERIALIZED (
    SELECT count(*) < cardinality($5::text[]) AS some_repeat,
           array_agg(unit) AS units, array_agg(device) AS devices, array_agg(key) AS keys FROM stored
),
held AS MATERIALIZED (
    SELECT a.* FROM told, unnest($1::text[], $2::text[], $3::text[], $4::text[])
        AS k (rule, subject_kind, subject, component)
    CROSS JOIN LATERAL (
        SELECT {COLUMNS} FROM alert a
        WHERE told.some_repeat IS NOT NULL
        AND a.rule = k.rule AND a.subject_kind = k.subject_kind AND a.subject = k.subject AND a.component = k.component
        AND (a.state <> 'closed' OR a.condition = 'active') LIMIT 1 FOR NO KEY UPDATE
    ) a
)
SELECT fresh.*, held.* FROM held
FULL JOIN (SELECT units, devices, keys, some_repeat FROM told WHERE some_repeat) fresh ON false
"""

_OF_SENDERS = (
    "SELECT a.rule, a.subject_kind, a.subject, a.component FROM unnest($1::text[], $2::text[]) AS s (unit, device)"
    " CROSS JOIN LATERAL (SELECT rule, subject_kind, subject, component FROM alert"
    "  WHERE unit = s.unit AND device = s.device AND state <> 'closed' OFFSET 0) a"
)


async def take(conn: Any, verdicts: Sequence[Verdict], events: Sequence[Event]) -> tuple[list[Verdict], list[Alert]]:
    """Store the events that are new, and lock, in key order, the alerts under the verdicts' keys.

    Locked are also the open ones of senders that said a RECORD. Returns the verdicts without those that repeated
    events caused, and the alerts. Of one key only the first event counts, in the store and within the batch. Only an
    event known to be a repeat drops its verdicts: in doubt the alarm stands.
    """
    keys = await _keys(conn, verdicts)
    repeats: set[int] = set()
    held: list[Alert] = []
    for start in range(0, max(len(keys), len(events)), CHUNK):
        said, of = events[start : start + CHUNK], keys[start : start + CHUNK]
        rows = await conn.fetch(_TAKE, *([key[part] for key in of] for part in range(4)), *_columns(said))
        for row in rows:
            if row["some_repeat"]:
                _note_repeats(
                    said, set(zip(row["units"] or (), row["devices"] or (), row["keys"] or (), strict=True)), repeats
                )
            elif row["id"] is not None:
                alert = to_alert(row)
                # A row that was waited for may have been closed meanwhile; it then holds its key no more.
                if holds_key(alert):
                    held.append(alert)
    if repeats:
        verdicts = [verdict for verdict in verdicts if verdict.event is None or id(verdict.event) not in repeats]
    return list(verdicts), held


async def _keys(conn: Any, verdicts: Sequence[Verdict]) -> list[Key]:
    keys: set[Key] = {verdict.key for verdict in verdicts if verdict.kind is not VerdictKind.RECORD}
    senders = {sender_of(verdict) for verdict in verdicts if verdict.kind is VerdictKind.RECORD}
    if senders:
        rows = await conn.fetch(
            _OF_SENDERS,
            [unit for unit, _ in senders],
            [device for _, device in senders],
        )
        keys.update(tuple(row) for row in rows)
    return sorted(keys)


def _columns(events: Sequence[Event]) -> tuple[list[Any], ...]:
    return tuple(
        [" ".join(event.flags) for event in events] if name == "flags" else [getattr(event, name) for event in events]
        for name, _ in _EVENT
    )


def _note_repeats(events: Sequence[Event], fresh: set[tuple[str, str, str]], repeats: set[int]) -> None:
    for event in events:
        if event.key is None:
            continue
        key = (event.unit, event.device, event.key)
        if key in fresh:
            fresh.remove(key)
        else:
            repeats.add(id(event))
