"""What rules on trial 试运行 would have raised: counted and listed, never shown, sounded or sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from firetower.alerts.ports import Standing
from firetower.core.clock import DAY, Micros, from_datetime, to_datetime
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage.alert_rows import chunks, given
from firetower.storage.pool import Pool, store_errors

WEEK: Micros = 7 * DAY

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class ShadowAlert:
    """One alert that a rule on trial would have raised. Times in µs, of the devices; ``cleared_at`` None: it stands.

    ``occurrences``: how often it was said; ``value``, ``limit``: of the last time, in the metric's unit.
    """

    id: int
    rule_version: int
    subject_kind: SubjectKind
    subject: str
    component: str
    alert_class: AlertClass
    priority: int
    title_zh: str
    title_en: str
    value: float | None
    limit: float | None
    raised_at: Micros
    last_at: Micros
    cleared_at: Micros | None
    occurrences: int


@dataclass(frozen=True, slots=True)
class ShadowPage:
    """Some of a rule's, newest first, ``last_id`` of the last where there are more; how many there are.

    ``open``: those that stand; ``day``, ``week``: those begun in the last 24 hours, the last seven days.
    """

    items: list[ShadowAlert]
    last_id: int | None
    open: int
    day: int
    week: int


@dataclass(slots=True)
class _Said:
    """What was said of one key in a row, all of one kind; ``last`` is the newest."""

    first: Verdict
    last: Verdict
    count: int = 1


@dataclass(slots=True)
class _Turns:
    """What a batch says of a key, in time order."""

    said: list[_Said] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        if self.said and self.said[-1].last.kind is verdict.kind:
            self.said[-1].last = verdict
            self.said[-1].count += 1
        else:
            self.said.append(_Said(verdict, verdict))


_RAISED: tuple[tuple[str, str], ...] = (
    ("rule", "text"),
    ("rule_version", "int4"),
    ("subject_kind", "text"),
    ("subject", "text"),
    ("component", "text"),
    ("alert_class", "text"),
    ("priority", "int2"),
    ("title_zh", "text"),
    ("title_en", "text"),
    ("value", "float8"),
    ("limit_value", "float8"),
    ("raised_at", "timestamptz"),
    ("last_at", "timestamptz"),
    ("occurrences", "int4"),
)
_NAMES = ", ".join(name for name, _ in _RAISED)
_SENT = {"timestamptz": "int8"}
_PARAMETERS = ", ".join(f"${number}::{_SENT.get(kind, kind)}[]" for number, (_, kind) in enumerate(_RAISED, 1))
_SAID_ANEW = ("rule_version", "alert_class", "priority", "title_zh", "title_en", "value", "limit_value")

_RAISE = f"""
INSERT INTO shadow_alert ({_NAMES})
SELECT {", ".join(given(name, kind, "n") for name, kind in _RAISED)} FROM unnest({_PARAMETERS}) AS n ({_NAMES})
ON CONFLICT (rule, subject_kind, subject, component) WHERE cleared_at IS NULL DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _SAID_ANEW)},
    occurrences = shadow_alert.occurrences + excluded.occurrences,
    last_at = greatest(shadow_alert.last_at, excluded.last_at)
RETURNING rule, xmax = 0 AS is_new
"""
_CLEAR = f"""
UPDATE shadow_alert s SET cleared_at = greatest(s.last_at, {given("at", "timestamptz", "c")})
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[])
    AS c (rule, subject_kind, subject, component, at)
WHERE s.rule = c.rule AND s.subject_kind = c.subject_kind AND s.subject = c.subject AND s.component = c.component
AND s.cleared_at IS NULL
"""

_COLUMNS = (
    "id, rule_version, subject_kind, subject, component, alert_class, priority, title_zh, title_en, value,"
    " limit_value, raised_at, last_at, cleared_at, occurrences"
)


async def apply(conn: Any, verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    """Store what rules on trial say, on the caller's transaction; return how many alerts each would have raised.

    Late evidence is left out: nobody would have been called for it, and it says nothing of how things stand.
    """
    turns: dict[Key, _Turns] = {}
    for verdict in sorted(verdicts, key=lambda each: each.at):
        if verdict.kind is not VerdictKind.RECORD and not verdict.historical:
            turns.setdefault(verdict.key, _Turns()).add(verdict)
    begun: Counter[str] = Counter()
    ordered = [turns[key].said for key in sorted(turns)]
    for n in range(max(map(len, ordered), default=0)):
        said = [of[n] for of in ordered if len(of) > n]
        for chunk in chunks([each for each in said if each.last.kind is VerdictKind.CLEAR]):
            cleared = [each.first for each in chunk]
            await conn.execute(_CLEAR, *_keys(cleared), [each.at for each in cleared])
        for chunk in chunks([each for each in said if each.last.kind is VerdictKind.RAISE]):
            rows = await conn.fetch(_RAISE, *_columns(chunk))
            begun.update(row["rule"] for row in rows if row["is_new"])
    return begun


def _keys(verdicts: Sequence[Verdict]) -> tuple[list[str], ...]:
    return (
        [each.rule for each in verdicts],
        [each.subject_kind for each in verdicts],
        [each.subject for each in verdicts],
        [each.component for each in verdicts],
    )


def _columns(said: Sequence[_Said]) -> list[list[Any]]:
    last = [each.last for each in said]
    rule, subject_kind, subject, component = _keys(last)
    return [
        rule,
        [each.rule_version for each in last],
        subject_kind,
        subject,
        component,
        [each.alert_class for each in last],
        [each.priority for each in last],
        [each.title_zh for each in last],
        [each.title_en for each in last],
        [each.value for each in last],
        [each.limit for each in last],
        [each.first.at for each in said],
        [each.at for each in last],
        [each.count for each in said],
    ]


async def standing(pool: Pool) -> list[Standing]:
    """Return what stands, for the engine at start, so that its return is noticed. Raises StoreUnavailable."""
    with store_errors():
        rows = await pool.fetch(
            "SELECT s.rule, s.subject_kind, s.subject, s.component, s.priority, s.raised_at, ("
            "  SELECT d.id FROM unit u JOIN device d ON d.unit_id = u.id WHERE s.subject_kind IN ('device', 'gateway')"
            "  AND u.code = split_part(s.subject, '/', 1) AND d.name = split_part(s.subject, '/', 2)) AS device_id"
            " FROM shadow_alert s WHERE s.cleared_at IS NULL ORDER BY s.id"
        )
    return [
        Standing(
            rule=row["rule"],
            subject_kind=row["subject_kind"],
            subject=row["subject"],
            component=row["component"],
            device_number=row["device_id"],
            priority=row["priority"],
            condition_at=from_datetime(row["raised_at"]),
        )
        for row in rows
    ]


async def end_others(conn: Any, on_trial: Sequence[str], now: Micros) -> None:
    """End what stands of rules that are not ``on_trial`` any more, on the caller's transaction."""
    await conn.execute(
        "UPDATE shadow_alert SET cleared_at = greatest(last_at, $2) WHERE cleared_at IS NULL AND rule <> ALL($1)",
        list(on_trial),
        to_datetime(now),
    )


async def page(
    pool: Pool, rule: str, *, now: Micros, since: Micros | None = None, before: int | None = None, limit: int = 100
) -> ShadowPage:
    """Return a page of a rule's, newest first: begun at or after ``since``, of ids below ``before``.

    Raises StoreUnavailable.
    """
    with store_errors():
        rows = await pool.fetch(
            f"SELECT {_COLUMNS} FROM shadow_alert WHERE rule = $1 AND ($2::timestamptz IS NULL OR raised_at >= $2)"
            " AND ($3::bigint IS NULL OR id < $3) ORDER BY id DESC LIMIT $4",
            rule,
            None if since is None else to_datetime(since),
            before,
            limit + 1,
        )
        (counts,) = await pool.fetch(
            "SELECT (SELECT count(*) FROM shadow_alert WHERE rule = $1 AND cleared_at IS NULL) AS open,"
            " count(*) FILTER (WHERE raised_at > $2) AS day, count(*) AS week"
            " FROM shadow_alert WHERE rule = $1 AND raised_at > $3",
            rule,
            to_datetime(now - DAY),
            to_datetime(now - WEEK),
        )
    items = [_shadow(row) for row in rows[:limit]]
    more = items[-1].id if len(rows) > limit else None
    return ShadowPage(items, more, counts["open"], counts["day"], counts["week"])


async def prune(pool: Pool, now: Micros, retention_days: int) -> int:
    """Forget what is over since longer than readings are kept; return how many. Raises StoreUnavailable."""
    with store_errors():
        done = await pool.execute(
            "DELETE FROM shadow_alert WHERE cleared_at < $1", to_datetime(now - retention_days * DAY)
        )
    return int(done.rsplit(" ", 1)[1])


def _shadow(row: Any) -> ShadowAlert:
    cleared_at = row["cleared_at"]
    return ShadowAlert(
        id=row["id"],
        rule_version=row["rule_version"],
        subject_kind=SubjectKind(row["subject_kind"]),
        subject=row["subject"],
        component=row["component"],
        alert_class=AlertClass(row["alert_class"]),
        priority=row["priority"],
        title_zh=row["title_zh"],
        title_en=row["title_en"],
        value=row["value"],
        limit=row["limit_value"],
        raised_at=from_datetime(row["raised_at"]),
        last_at=from_datetime(row["last_at"]),
        cleared_at=None if cleared_at is None else from_datetime(cleared_at),
        occurrences=row["occurrences"],
    )
