"""Shift reports and bad actors, counted by the database: a flood of 10^5 alerts is a few rows here."""

from datetime import date, datetime
from typing import Any

import asyncpg

from firetower.alerts.chatter import FLEETING, STALE
from firetower.alerts.deadlines import ESCALATED
from firetower.alerts.flags import CHATTERING, IN_TEST
from firetower.alerts.floods import LOWEST_PRIORITY
from firetower.alerts.performance import (
    INTERVAL,
    WORST,
    Answers,
    BadActor,
    Counts,
    Delay,
    Report,
    Roster,
    Sealed,
    Shift,
    rate,
    share,
)
from firetower.core.clock import SECOND, Micros, from_datetime, to_datetime
from firetower.rules.verdicts import HISTORICAL
from firetower.storage.pool import store_errors

_IN_SHIFT = f"a.raised_at >= $1 AND a.raised_at < $2 AND NOT '{HISTORICAL}' = ANY(a.flags)"

_RAISED = f"SELECT a.alert_class, a.priority, count(*) AS n FROM alert a WHERE {_IN_SHIFT} GROUP BY 1, 2"

# What asked nobody to act is no load: words of advice, tests, and what was held from the first moment.
_SPANS = f"""
SELECT floor(extract(epoch FROM a.raised_at - $1) * {SECOND} / {INTERVAL})::int AS span, count(*) AS n
FROM alert a JOIN alert_history h ON h.alert_id = a.id AND h.seq = 1
WHERE {_IN_SHIFT} AND a.priority <= {LOWEST_PRIORITY} AND NOT '{IN_TEST}' = ANY(a.flags) AND NOT h.evidence ? 'hold'
GROUP BY 1
"""

# An alert asks for somebody from when it became unacknowledged. How long its verification took is told of whoever had
# taken it on, who may be another than who wrote the outcome down.
_ANSWERS = """
WITH acts AS (
    SELECT h.alert_id, h.seq, h.at, h.old, h.new, h.actor, h.reason, a.alert_class = 'fire' AS fire,
           h.old IN ('unacknowledged', 'returned') AND h.new IN ('acknowledged', 'closed') AS answers
    FROM alert_history h JOIN account u ON u.username = h.actor JOIN alert a ON a.id = h.alert_id
    WHERE h.at >= $1 AND h.at < $2
),
timed AS (
    SELECT acts.*, extract(epoch FROM acts.at - asked.at)::float8 AS took FROM acts LEFT JOIN LATERAL (
        SELECT p.at FROM alert_history p WHERE p.alert_id = acts.alert_id AND p.seq < acts.seq
        AND p.new = 'unacknowledged' AND p.old IS DISTINCT FROM 'unacknowledged' ORDER BY p.seq DESC LIMIT 1
    ) asked ON true
),
done AS (
    SELECT actor AS who, 'acknowledged' AS act, fire, took FROM timed WHERE answers
    UNION ALL SELECT actor, 'verified', fire, NULL FROM timed WHERE reason = 'verified'
    UNION ALL SELECT actor, 'closed', fire, NULL FROM timed WHERE new = 'closed' AND old IS DISTINCT FROM 'closed'
    UNION ALL SELECT actor, 'noted', fire, NULL FROM timed WHERE reason = 'noted'
    UNION ALL SELECT coalesce(took_on.actor, timed.actor), 'outcome', fire, took FROM timed LEFT JOIN LATERAL (
        SELECT p.actor FROM alert_history p WHERE p.alert_id = timed.alert_id AND p.seq <= timed.seq
        AND p.old IN ('unacknowledged', 'returned') AND p.new = 'acknowledged' ORDER BY p.seq DESC LIMIT 1
    ) took_on ON true WHERE reason = 'verified'
)
SELECT who, grouping(who) = 1 AS everyone,
       count(*) FILTER (WHERE act = 'acknowledged') AS acknowledged,
       count(*) FILTER (WHERE act = 'verified') AS verified,
       count(*) FILTER (WHERE act = 'closed') AS closed,
       count(*) FILTER (WHERE act = 'noted') AS noted,
       count(*) FILTER (WHERE act = 'acknowledged' AND fire) AS acknowledged_fire,
       count(*) FILTER (WHERE act = 'outcome') AS outcomes,
       count(*) FILTER (WHERE act = 'outcome' AND fire) AS outcomes_fire,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took) FILTER (WHERE act = 'acknowledged') AS ack,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took)
           FILTER (WHERE act = 'acknowledged' AND fire) AS ack_fire,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took) FILTER (WHERE act = 'outcome') AS verify,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took)
           FILTER (WHERE act = 'outcome' AND fire) AS verify_fire
FROM done GROUP BY GROUPING SETS ((who), ()) ORDER BY who
"""

_OPEN_AT = """
SELECT count(*) AS n, count(*) FILTER (WHERE raised_at < $2) AS stale FROM (
    SELECT raised_at FROM alert WHERE state <> 'closed' AND raised_at < $1
    UNION ALL SELECT raised_at FROM alert WHERE state = 'closed' AND closed_at >= $1 AND raised_at < $1
) open
"""

_TOLD = f"""
told AS (
    SELECT alert_id, bool_or(reason = '{CHATTERING}') AS chattered, min(at) FILTER (WHERE reason = 'returned') AS back
    FROM alert_history WHERE at >= $1 AND at < $2::timestamptz + interval '{FLEETING // SECOND} s'
    AND reason IN ('{CHATTERING}', 'returned') GROUP BY alert_id
)
"""
_CHATTERED = f"(coalesce(t.chattered, false) OR '{CHATTERING}' = ANY(a.flags))"
_FLED = f"coalesce(t.back - a.raised_at <= interval '{FLEETING // SECOND} s', false)"

_NUISANCES = f"""
WITH {_TOLD}
SELECT count(*) FILTER (WHERE {_CHATTERED}) AS chattering, count(*) FILTER (WHERE {_FLED}) AS fleeting
FROM alert a LEFT JOIN told t ON t.alert_id = a.id WHERE {_IN_SHIFT}
"""

_SHARE = f"""
SELECT coalesce(sum(n) FILTER (WHERE place <= {WORST}), 0)::int8 AS worst, coalesce(sum(n), 0)::int8 AS everything
FROM (SELECT sum(a.occurrences) AS n, row_number() OVER (ORDER BY sum(a.occurrences) DESC) AS place
      FROM alert a WHERE {_IN_SHIFT} GROUP BY a.rule, a.subject_kind, a.subject, a.component) actors
"""

# What was a test, or could not be told, says nothing of how often an alarm is false.
_CHECKED = """
SELECT count(*) AS checked, count(*) FILTER (WHERE disposition = 'false_alarm') AS false_alarms FROM alert
WHERE closed_at >= $1 AND closed_at < $2 AND state = 'closed'
AND disposition IN ('real_fire', 'false_alarm', 'hazard_fixed')
"""

_HANDLED = f"""
SELECT count(*) AS due, count(*) FILTER (WHERE NOT missed) AS in_time FROM (
    SELECT a.state, EXISTS (
        SELECT FROM alert_history h WHERE h.alert_id = a.id AND h.reason = '{ESCALATED}'
    ) AS missed
    FROM alert a WHERE {_IN_SHIFT} AND a.alert_class = 'fire' AND NOT '{IN_TEST}' = ANY(a.flags)
) fires WHERE state = 'closed' OR missed
"""

_ESCALATIONS = f"SELECT count(*) FROM alert_history WHERE at >= $1 AND at < $2 AND reason = '{ESCALATED}'"

_FLOODS = (
    "SELECT started_at, ended_at FROM flood WHERE started_at < $2 AND (ended_at IS NULL OR ended_at > $1) ORDER BY 1"
)

# What has been open for more than a day stands here, too, though it was raised before the days asked for.
_WORST = f"""
WITH {_TOLD},
looked AS (
    SELECT a.*, true AS lately FROM alert a WHERE {_IN_SHIFT}
    UNION ALL
    SELECT a.*, false FROM alert a WHERE a.state <> 'closed' AND a.condition = 'active' AND a.raised_at < $1
)
SELECT a.rule, a.subject_kind, a.subject, a.component, min(a.unit) AS unit, min(a.device) AS device,
       (array_agg(a.alert_class ORDER BY a.raised_at DESC))[1] AS alert_class,
       (array_agg(a.title_zh ORDER BY a.raised_at DESC))[1] AS title_zh,
       (array_agg(a.title_en ORDER BY a.raised_at DESC))[1] AS title_en,
       (array_agg(a.place ORDER BY a.raised_at DESC))[1] AS place,
       count(*) FILTER (WHERE lately) AS raised,
       coalesce(sum(a.occurrences) FILTER (WHERE lately), 0)::int8 AS occurrences,
       count(*) FILTER (WHERE {_CHATTERED}) AS chattering,
       count(*) FILTER (WHERE {_FLED}) AS fleeting,
       bool_or(a.state <> 'closed' AND a.condition = 'active' AND a.raised_at < $3) AS stale,
       max(a.raised_at) AS last_raised_at
FROM looked a LEFT JOIN told t ON t.alert_id = a.id
GROUP BY a.rule, a.subject_kind, a.subject, a.component
ORDER BY occurrences DESC, raised DESC, stale DESC, last_raised_at DESC LIMIT $4
"""


async def bad_actors(pool: asyncpg.Pool, since: Micros, now: Micros, limit: int) -> list[BadActor]:
    """Return what raised most from ``since`` on, worst first, and what has been open for too long.

    Raises StoreUnavailable.
    """
    with store_errors():
        rows = await pool.fetch(_WORST, to_datetime(since), to_datetime(now + 1), to_datetime(now - STALE), limit)
    return [BadActor(**dict(row) | {"last_raised_at": from_datetime(row["last_raised_at"])}) for row in rows]


async def report(pool: asyncpg.Pool, roster: Roster, shift: Shift, now: Micros) -> Report:
    """Return the report of a shift as far as it has come, of one instant of the store. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            return await _report(conn, roster, shift, now)


async def _report(conn: Any, roster: Roster, shift: Shift, now: Micros) -> Report:
    during = (to_datetime(shift.begin), to_datetime(shift.end))
    answers = [_answers(row) for row in await conn.fetch(_ANSWERS, *during)]
    operators = [each for each in answers if each.operator is not None]
    spans = {row["span"]: row["n"] for row in await conn.fetch(_SPANS, *during)}
    floods = [_period(row) for row in await conn.fetch(_FLOODS, *during)]
    return Report(
        shift=shift,
        is_over=now >= shift.end,
        counts=await _counts(conn, during, min(shift.end, now)),
        rate=rate(shift, now, spans, len(operators), floods),
        everyone=next(each for each in answers if each.operator is None),
        operators=operators,
        sealed=await _sealed(conn, to_datetime(shift.end - 1).astimezone(roster.zone).date()),
    )


async def _counts(conn: Any, during: tuple[datetime, datetime], end: Micros) -> Counts:
    raised = await conn.fetch(_RAISED, *during)
    standing = await conn.fetchrow(_OPEN_AT, to_datetime(end), to_datetime(end - STALE))
    nuisances = await conn.fetchrow(_NUISANCES, *during)
    worst = await conn.fetchrow(_SHARE, *during)
    checked = await conn.fetchrow(_CHECKED, *during)
    handled = await conn.fetchrow(_HANDLED, *during)
    return Counts(
        raised={(row["alert_class"], row["priority"]): row["n"] for row in raised},
        open_at_end=standing["n"],
        stale=standing["stale"],
        chattering=nuisances["chattering"],
        fleeting=nuisances["fleeting"],
        escalations=await conn.fetchval(_ESCALATIONS, *during),
        worst_share=share(worst["worst"], worst["everything"]),
        **dict(checked),
        **dict(handled),
    )


def _answers(row: Any) -> Answers:
    return Answers(
        operator=None if row["everyone"] else row["who"],
        acknowledged=row["acknowledged"],
        verified=row["verified"],
        closed=row["closed"],
        noted=row["noted"],
        acknowledge=_delay(row["acknowledged"], row["ack"]),
        acknowledge_fire=_delay(row["acknowledged_fire"], row["ack_fire"]),
        verify=_delay(row["outcomes"], row["verify"]),
        verify_fire=_delay(row["outcomes_fire"], row["verify_fire"]),
    )


def _delay(count: int, took: list[float] | None) -> Delay:
    median, p95 = took or (None, None)
    return Delay(count, median, p95)


def _period(row: Any) -> tuple[Micros, Micros | None]:
    ended = row["ended_at"]
    return from_datetime(row["started_at"]), None if ended is None else from_datetime(ended)


async def _sealed(conn: Any, day: date) -> Sealed | None:
    ended = await conn.fetchrow("SELECT last_n AS n, hash FROM history_day WHERE day = $1", day)
    newest = ended or await conn.fetchrow("SELECT n, hash FROM history_seal ORDER BY n DESC LIMIT 1")
    if newest is None:
        return None
    return Sealed(day, ended is not None, newest["n"], bytes(newest["hash"]).hex())
