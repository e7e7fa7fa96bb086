"""Verdicts into alerts, inside the transaction of the batch they belong to, decided on locked rows only."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from firetower.alerts.judge import judge, record, sender_of
from firetower.alerts.lifecycle import holds_key
from firetower.alerts.model import Alert, State, Transition
from firetower.core.clock import Micros
from firetower.core.errors import StoreUnavailable
from firetower.rules.verdicts import Verdict, VerdictKind
from firetower.storage.alert_rows import COLUMNS, KEY_ORDER, append_history, chunks, column, to_alert, update

Key = tuple[str, str, str, str]
Sender = tuple[str | None, str | None]

_ATTEMPTS = 10
_TURN = 100
"""Verdicts decided before the event loop gets its turn."""


_HELD = (
    f"SELECT {COLUMNS} FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])"
    " AS k (rule, subject_kind, subject, component) JOIN alert a"
    "  ON (a.rule, a.subject_kind, a.subject, a.component) = (k.rule, k.subject_kind, k.subject, k.component)"
    "  AND (a.state <> 'closed' OR a.condition = 'active')"
    f" ORDER BY {KEY_ORDER} FOR NO KEY UPDATE OF a"
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What verdicts did: new alerts by class, and the ids of all alerts that changed, to be announced."""

    raised: dict[str, int]
    alert_ids: list[int]


@dataclass(slots=True)
class _Case:
    """One key during a batch: the alert last seen under it, what the batch does to it, and the one it succeeded."""

    alert: Alert | None = None
    is_new: bool = False
    changed: bool = False
    entries: list[Transition] = field(default_factory=list)
    device_number: int | None = None
    finished: list[tuple[Alert, list[Transition]]] = field(default_factory=list)

    def take(self, verdict: Verdict, at: Micros) -> None:
        outcome = judge(self.alert, verdict, at)
        if outcome.began:
            if outcome.ended is not None and outcome.ended_transition is not None:
                self.finished.append((outcome.ended, [*self.entries, outcome.ended_transition]))
            elif self.alert is not None and self.changed:
                self.finished.append((self.alert, self.entries))
            self.is_new, self.entries, self.device_number = True, [], verdict.device_number
        self.changed = self.changed or outcome.alert is not self.alert
        self.alert = outcome.alert
        if outcome.transition is not None:
            self.entries.append(outcome.transition)

    def note(self, verdict: Verdict, at: Micros) -> None:
        if self.alert is not None and self.alert.state is not State.CLOSED:
            self.entries.append(record(self.alert, verdict, at))
            self.changed = True


async def apply_verdicts(conn: Any, verdicts: Sequence[Verdict], *, at: Micros) -> Applied:
    """Raise, repeat, return and succeed alerts as ``verdicts`` say, in time order, committed at ``at``.

    ``conn`` must be in a READ COMMITTED transaction, which the caller ends with ``changes.announce``.
    Rows are locked in key order. When another transaction raises one of the keys meanwhile, everything is undone to
    before the locks and decided again on what is stored by then; StoreUnavailable after ten such losses in a row.
    """
    if not verdicts:
        return Applied({}, [])
    ordered = sorted(verdicts, key=lambda verdict: verdict.at)
    for _ in range(_ATTEMPTS):
        savepoint = conn.transaction()
        await savepoint.start()
        try:
            cases = await _decide(ordered, await _lock(conn, ordered), at)
            changed = await _write(conn, cases)
        except BaseException:
            await savepoint.rollback()
            raise
        if changed is not None:
            await savepoint.commit()
            raised = Counter(case.alert.alert_class.value for case in cases if case.is_new and case.alert is not None)
            return Applied(dict(raised), changed)
        await savepoint.rollback()
    raise StoreUnavailable(
        f"others raised one of {len(verdicts)} alerts first, {_ATTEMPTS} times in a row; commit the batch again"
    )


async def _lock(conn: Any, verdicts: Sequence[Verdict]) -> list[Alert]:
    """Lock, in key order, the alerts under the verdicts' keys, and the open ones of senders that said a RECORD."""
    keys: set[Key] = {verdict.key for verdict in verdicts if verdict.kind is not VerdictKind.RECORD}
    senders = {sender_of(verdict) for verdict in verdicts if verdict.kind is VerdictKind.RECORD}
    if senders:
        rows = await conn.fetch(
            "SELECT a.rule, a.subject_kind, a.subject, a.component"
            " FROM unnest($1::text[], $2::text[]) AS s (unit, device)"
            " JOIN alert a ON a.unit = s.unit AND a.device = s.device AND a.state <> 'closed'",
            [unit for unit, _ in senders],
            [device for _, device in senders],
        )
        keys.update(tuple(row) for row in rows)
    held: list[Alert] = []
    for chunk in chunks(sorted(keys)):
        rows = await conn.fetch(_HELD, *([key[part] for key in chunk] for part in range(4)))
        # A row that was waited for may have been closed meanwhile; it then holds its key no more.
        held += [alert for alert in map(to_alert, rows) if holds_key(alert)]
    return held


async def _decide(verdicts: Sequence[Verdict], held: Iterable[Alert], at: Micros) -> list[_Case]:
    cases: dict[Key, _Case] = {}
    of_sender: dict[Sender, dict[Key, _Case]] = {}
    for alert in held:
        key = (alert.rule, alert.subject_kind, alert.subject, alert.component)
        cases[key] = of_sender.setdefault((alert.unit, alert.device), {})[key] = _Case(alert)
    for number, verdict in enumerate(verdicts, 1):
        if number % _TURN == 0:
            await asyncio.sleep(0)
        if verdict.kind is VerdictKind.RECORD:
            for case in of_sender.get(sender_of(verdict), {}).values():
                case.note(verdict, at)
            continue
        case = cases.setdefault(verdict.key, _Case())
        case.take(verdict, at)
        if case.alert is not None:
            of_sender.setdefault((case.alert.unit, case.alert.device), {})[verdict.key] = case
    return [case for _, case in sorted(cases.items()) if case.changed]


async def _write(conn: Any, cases: Sequence[_Case]) -> list[int] | None:
    """Write what was decided and return the ids of changed alerts; None when somebody else holds one of the keys."""
    stored = [pair for case in cases for pair in case.finished]
    stored += [(case.alert, case.entries) for case in cases if case.alert is not None and not case.is_new]
    await update(conn, [alert for alert, _ in stored])
    entries = [(alert.id, entry) for alert, moves in stored for entry in moves]
    ids = [alert.id for alert, _ in stored]
    new = [case for case in cases if case.is_new]
    for chunk in chunks(new):
        given = await _insert(conn, chunk)
        if len(given) < len(chunk):
            return None
        for case in chunk:
            assert case.alert is not None
            alert_id = given[case.alert.rule, case.alert.subject_kind, case.alert.subject, case.alert.component]
            ids.append(alert_id)
            entries += [(alert_id, entry) for entry in case.entries]
    await append_history(conn, entries)
    return ids


# The columns a new alert brings along; unit name, kind and place are frozen from the registry below.
_BROUGHT: tuple[tuple[str, str], ...] = (
    ("rule", "text"),
    ("rule_version", "int4"),
    ("subject_kind", "text"),
    ("subject", "text"),
    ("component", "text"),
    ("alert_class", "text"),
    ("priority", "int2"),
    ("latched", "bool"),
    ("state", "text"),
    ("hold", "text"),
    ("condition", "text"),
    ("metric", "text"),
    ("value", "float8"),
    ("limit_value", "float8"),
    ("title_zh", "text"),
    ("title_en", "text"),
    ("text", "text"),
    ("occurrences", "int4"),
    ("repeats", "int4"),
    ("version", "int4"),
    ("device_at", "timestamptz"),
    ("received_at", "timestamptz"),
    ("raised_at", "timestamptz"),
    ("condition_at", "timestamptz"),
    ("last_event_at", "timestamptz"),
)
_NAMES = ", ".join(name for name, _ in _BROUGHT)

_INSERT = f"""
INSERT INTO alert ({_NAMES}, flags, unit, unit_name, device, device_kind, device_id, place, lon, lat)
SELECT {", ".join(f"n.{name}" for name, _ in _BROUGHT)}, string_to_array(n.flags, ' '),
       coalesce(n.unit, u.code), nullif(u.name, ''), coalesce(n.device, d.name), d.kind, n.device_id,
       coalesce(
         nullif(concat_ws(' / ', nullif(coalesce(nullif(b.name, ''), b.code), ''),
                                 nullif(coalesce(nullif(f.name, ''), f.code), ''),
                                 nullif(coalesce(nullif(z.name, ''), z.code), ''), nullif(d.place, '')), ''),
         nullif(m.name, ''), nullif(u.address, '')),
       coalesce(d.lon, u.lon), coalesce(d.lat, u.lat)
FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], {
    ", ".join(f"${number}::{kind}[]" for number, (_, kind) in enumerate(_BROUGHT, 5))
}) WITH ORDINALITY AS n (device_id, unit, device, flags, {_NAMES}, n)
LEFT JOIN device d ON d.id = n.device_id
LEFT JOIN unit u ON u.id = coalesce(d.unit_id, (SELECT o.id FROM unit o WHERE o.code = n.unit))
LEFT JOIN zone z ON z.id = d.zone_id
LEFT JOIN floor f ON f.id = z.floor_id
LEFT JOIN building b ON b.id = f.building_id
LEFT JOIN water_main m ON n.subject_kind = 'main' AND m.code = n.subject
ORDER BY n.n
ON CONFLICT (rule, subject_kind, subject, component) WHERE state <> 'closed' OR condition = 'active' DO NOTHING
RETURNING id, rule, subject_kind, subject, component
"""


async def _insert(conn: Any, cases: Sequence[_Case]) -> dict[Key, int]:
    """Insert the cases' new alerts and return their ids; a key that another transaction took is missing."""
    alerts = [case.alert for case in cases if case.alert is not None]
    rows = await conn.fetch(
        _INSERT,
        [case.device_number for case in cases],
        column(alerts, "unit"),
        column(alerts, "device"),
        column(alerts, "flags"),
        *(column(alerts, name) for name, _ in _BROUGHT),
    )
    return {(row["rule"], row["subject_kind"], row["subject"], row["component"]): row["id"] for row in rows}
