"""Verdicts into alerts, inside the transaction of the batch they belong to, decided on locked rows only."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg

from firetower.alerts.announced import ANNOUNCED, over
from firetower.alerts.circumstances import FOLLOWING, Follows
from firetower.alerts.holds import where_of
from firetower.alerts.judge import judge, record, sender_of
from firetower.alerts.model import Alert, State, Transition
from firetower.core.clock import Micros
from firetower.devices.events import Event
from firetower.rules.verdicts import Verdict, VerdictKind
from firetower.storage import circumstances, windows
from firetower.storage.alert_locks import Key, take
from firetower.storage.alert_rows import CHUNK, TYPES, append_history, column, given, history_columns, update

Sender = tuple[str | None, str | None]

_TURN = 50
"""Verdicts decided before the event loop gets its turn."""


class Overtaken(Exception):
    """Another transaction raised one of the keys first; what stands now is to be decided on anew."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What verdicts did: new alerts by class, and the ids of all alerts that changed, to be announced."""

    raised: dict[str, int]
    alert_ids: list[int]


@dataclass(slots=True)
class _Case:
    """One key during a batch: the alert last seen under it, what the batch does to it, and those before it.

    ``finished``: stored ones that the batch ended; ``earlier``: new ones that began closed. ``over``: words of the
    stored one that name a test or drill which is over.
    """

    alert: Alert | None = None
    is_new: bool = False
    changed: bool = False
    entries: list[Transition] = field(default_factory=list)
    device_number: int | None = None
    over: frozenset[str] = frozenset()
    finished: list[tuple[Alert, list[Transition]]] = field(default_factory=list)
    earlier: list["_Case"] = field(default_factory=list)

    def take(self, verdict: Verdict, at: Micros) -> None:
        outcome = judge(self.alert, verdict, at, self.over)
        if outcome.began:
            if outcome.ended is not None and outcome.ended_transition is not None:
                self.finished.append((outcome.ended, [*self.entries, outcome.ended_transition]))
            elif self.is_new:
                self.earlier.append(
                    _Case(self.alert, is_new=True, entries=self.entries, device_number=self.device_number)
                )
            elif self.alert is not None and self.changed:
                self.finished.append((self.alert, self.entries))
            self.is_new, self.entries, self.device_number = True, [], verdict.device_number
            self.over = frozenset()
        self.changed = self.changed or outcome.alert is not self.alert or outcome.transition is not None
        self.alert = outcome.alert
        if outcome.transition is not None:
            self.entries.append(outcome.transition)

    def note(self, verdict: Verdict, at: Micros) -> None:
        if self.alert is not None and self.alert.state is not State.CLOSED:
            self.entries.append(record(self.alert, verdict, at))
            self.changed = True


async def apply_verdicts(
    conn: Any, verdicts: Sequence[Verdict], *, at: Micros, events: Sequence[Event] = ()
) -> Applied:
    """Store ``events``; raise, repeat, return and succeed alerts as ``verdicts`` say, in time order, at ``at``.

    Verdicts of events that were stored before do nothing. ``conn`` must be in a READ COMMITTED transaction, which the
    caller ends with ``changes.announce``. Rows are locked in key order. Raises Overtaken when another transaction
    raises one of the keys meanwhile: the caller's transaction is then undone as a whole and begun again.
    """
    if not verdicts and not events:
        return Applied({}, [])
    fresh, held = await take(conn, verdicts, events)
    fresh.sort(key=lambda verdict: verdict.at)
    cases = await _decide(fresh, held, await _over(conn, held, at), at)
    new = [each for case in cases for each in (*case.earlier, case) if each.is_new]
    changed = await _write(conn, cases, new, at)
    raised = Counter(case.alert.alert_class.value for case in new if case.alert is not None)
    return Applied(dict(raised), changed)


async def _over(conn: Any, held: Sequence[Alert], at: Micros) -> dict[int, frozenset[str]]:
    """Return which words of alerts name a test or drill that is over, ended by the desk or not yet."""
    marked = [each for each in held if each.state is not State.CLOSED and not ANNOUNCED.keys().isdisjoint(each.flags)]
    if not marked:
        return {}
    in_force = await windows.in_force(conn, {alert.unit for alert in marked if alert.unit is not None}, at)
    return {alert.id: over(alert.flags, where_of(alert), in_force, at) for alert in marked}


async def _decide(
    verdicts: Sequence[Verdict], held: Iterable[Alert], past: Mapping[int, frozenset[str]], at: Micros
) -> list[_Case]:
    cases: dict[Key, _Case] = {}
    of_sender: dict[Sender, dict[Key, _Case]] = {}
    for alert in held:
        key = (alert.rule, alert.subject_kind, alert.subject, alert.component)
        cases[key] = of_sender.setdefault((alert.unit, alert.device), {})[key] = _Case(
            alert, over=past.get(alert.id, frozenset())
        )
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


async def _write(conn: Any, cases: Sequence[_Case], new: Sequence[_Case], at: Micros) -> list[int]:
    """Write what was decided, ``new`` being its new alerts, and return the ids of changed alerts. Raises Overtaken."""
    stored = [pair for case in cases for pair in case.finished]
    stored += [(case.alert, case.entries) for case in cases if case.alert is not None and not case.is_new]
    await update(conn, [alert for alert, _ in stored])
    await append_history(conn, [(alert.id, entry) for alert, moves in stored for entry in moves])
    alerts = [case.alert for case in new if case.alert is not None]
    follows = await circumstances.following(conn, alerts, [case.device_number for case in new], at)
    for start in range(0, len(new), CHUNK):
        part = slice(start, start + CHUNK)
        await _raise(conn, new[part], alerts[part], follows[part])
    return [alert.id for alert, _ in stored] + [fields["id"] for fields, _ in follows]


# The columns of a new alert: as it was begun, and as its circumstances have it; the others begin empty.
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
    ("condition", "text"),
    ("metric", "text"),
    ("figure", "text"),
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
    ("closed_at", "timestamptz"),
    ("closed_by", "text"),
)
_OTHER_TYPES = {
    "id": "int8",
    "lon": "float8",
    "lat": "float8",
    "flags": "text[]",
    "held_until": "timestamptz",
    "window_id": "int8",
    "cause_id": "int8",
}
_COLUMNS = (*_BROUGHT, *((name, _OTHER_TYPES.get(name, "text")) for name in FOLLOWING))
_NAMES = ", ".join(name for name, _ in _COLUMNS)

_PARAMETERS = ", ".join(f"${number}::{TYPES.get(kind, kind)}[]" for number, (_, kind) in enumerate(_COLUMNS, 2))
_AFTER = 2 + len(_COLUMNS)

_RAISE = f"""
WITH raised AS (
    INSERT INTO alert (device_id, alarmed_at, {_NAMES})
    SELECT n.device_id, {given("raised_at", "timestamptz", "n")},
        {", ".join(given(name, kind, "n") for name, kind in _COLUMNS)}
    FROM unnest($1::int4[], {_PARAMETERS}) AS n (device_id, {_NAMES})
)
INSERT INTO alert_history (alert_id, seq, at, old, new, actor, reason, evidence)
SELECT h.alert_id, h.seq, {given("at", "timestamptz", "h")}, h.old, h.new, h.actor, h.reason, h.evidence::jsonb
FROM unnest(${_AFTER}::int8[], ${_AFTER + 1}::int4[], ${_AFTER + 2}::int8[], ${_AFTER + 3}::text[],
    ${_AFTER + 4}::text[], ${_AFTER + 5}::text[], ${_AFTER + 6}::text[], ${_AFTER + 7}::text[])
    AS h (alert_id, seq, at, old, new, actor, reason, evidence)
"""


async def _raise(conn: Any, cases: Sequence[_Case], alerts: Sequence[Alert], follows: Sequence[Follows]) -> None:
    """Insert the cases' new alerts with their histories, in one statement. Raises Overtaken."""
    entries: list[tuple[int, int, Transition]] = []
    for case, (fields, evidence) in zip(cases, follows, strict=True):
        if evidence:
            first = case.entries[0]
            case.entries[0] = replace(first, evidence={**first.evidence, **evidence})
        entries += ((fields["id"], seq, entry) for seq, entry in enumerate(case.entries, 1))
    given_fields = {name: [fields[name] for fields, _ in follows] for name in FOLLOWING}
    given_fields["flags"] = list(map(" ".join, given_fields["flags"]))
    try:
        await conn.execute(
            _RAISE,
            [case.device_number for case in cases],
            *(column(alerts, name) for name, _ in _BROUGHT),
            *given_fields.values(),
            [alert_id for alert_id, _, _ in entries],
            [seq for _, seq, _ in entries],
            *history_columns([entry for _, _, entry in entries]),
        )
    except asyncpg.UniqueViolationError as err:
        if err.constraint_name == "alert_one_open_per_key":
            raise Overtaken from err
        raise
