"""Handovers 交接班 on PostgreSQL: the draft, what is accepted of the open alarms, and the change of the watch."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from firetower.alerts import windows as announced
from firetower.alerts.acts import Assign, decide
from firetower.alerts.model import Alert
from firetower.alerts.watch import handover as decisions
from firetower.alerts.watch.handover import Handover, HandoverState, Waiting
from firetower.alerts.watch.log import LogKind
from firetower.core.clock import Micros, from_datetime, rfc3339, to_datetime
from firetower.core.errors import Conflict, InvalidInput, NotFound
from firetower.storage import watch, windows
from firetower.storage.alert_moves import in_turns, locked, read, write_decided
from firetower.storage.alert_rows import COLUMNS
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry

MOST_SHOWN = 1000
"""Open alarms that a draft shows at once: those that wait to be accepted first, highest first."""
_MOST_LOGGED = 2000
"""Accepted alarms whose names stand in the entry of the log; all of them stand under the handover."""

_FIELDS = "id, outgoing, incoming, begun_by, begun_at, notes, state, ended_at, ended_by"
_OPEN = "a.state <> 'closed'"
_IS_ACCEPTED = "EXISTS (SELECT FROM watch_accepted w WHERE w.handover_id = $1 AND w.alert_id = a.id)"
_SHOWN = f"""
SELECT {COLUMNS} FROM alert a WHERE {_OPEN}
ORDER BY {_IS_ACCEPTED}, a.priority, a.raised_at DESC, a.id DESC LIMIT {MOST_SHOWN}
"""
_FACTS = f"""
SELECT a.id, {_IS_ACCEPTED} AS accepted,
       (SELECT count(*) FROM alert_history h WHERE h.alert_id = a.id AND h.reason = 'noted') AS notes,
       (SELECT count(*) FROM call c WHERE c.alert_id = a.id) AS calls,
       (SELECT c.result FROM call c WHERE c.alert_id = a.id ORDER BY c.id DESC LIMIT 1) AS last_call,
       (SELECT count(*) FROM letter l WHERE l.alert_id = a.id AND l.state = 'waiting') AS letters_waiting,
       (SELECT count(*) FROM letter l WHERE l.alert_id = a.id AND l.state = 'failed') AS letters_failed
FROM alert a WHERE a.id = ANY($2::bigint[])
"""
_COUNTS = f"SELECT count(*) AS open, count(*) FILTER (WHERE {_IS_ACCEPTED}) AS accepted FROM alert a WHERE {_OPEN}"
_MISSING = f"""
SELECT a.id, a.title_zh || ' / ' || a.title_en AS title FROM alert a
WHERE {_OPEN} AND NOT {_IS_ACCEPTED} ORDER BY a.priority, a.raised_at DESC, a.id LIMIT {MOST_SHOWN}
"""
_TAKEN = """
SELECT a.id, a.title_zh, a.title_en, a.unit, a.state FROM watch_accepted w JOIN alert a ON a.id = w.alert_id
WHERE w.handover_id = $1 ORDER BY a.priority, a.id
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """An open alarm of a draft. ``notes``, ``calls``: how many were written on it, made about it; ``last_call``: the
    result of the newest; ``letters_waiting``, ``letters_failed``: who is yet to be told, and who could not be.
    """

    alert: Alert
    accepted: bool
    notes: int
    calls: int
    last_call: str | None
    letters_waiting: int
    letters_failed: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A handover with what passes over with it as it stands now. ``alerts``: at most MOST_SHOWN of ``open``."""

    handover: Handover
    alerts: Sequence[Passed]
    open: int
    accepted: int
    windows: Sequence[announced.Window]


async def begin(pool: Pool, outgoing: str, incoming: str | None, *, actor: str, notes: str, at: Micros) -> Handover:
    """Begin a handover. Raises Conflict where one is open or whoever leaves is not on duty, InvalidInput for ``to``."""
    with store_errors():
        async with pool.acquire() as conn:
            try:
                async with conn.transaction():
                    await watch.alone(conn)
                    duty = [each.account for each in await watch.on_duty(conn)]
                    if incoming is not None:
                        await _check_may_come(conn, incoming)
                    made = decisions.begin(outgoing, incoming, actor=actor, on_duty=duty, at=at, notes=notes)
                    number = await conn.fetchval(
                        "INSERT INTO watch_handover (outgoing, incoming, begun_by, begun_at, notes)"
                        " VALUES ($1, $2, $3, $4, $5) RETURNING id",
                        outgoing,
                        incoming,
                        actor,
                        to_datetime(at),
                        notes,
                    )
                    said = {"handover": number, "outgoing": outgoing, "incoming": incoming}
                    await log_entry(conn, at, LogKind.HANDOVER_BEGUN, actor, evidence=said)
            except asyncpg.UniqueViolationError as err:
                there = await conn.fetchrow(f"SELECT {_FIELDS} FROM watch_handover WHERE state = 'open'")
                raise Conflict(
                    "another handover is open already"
                    + ("" if there is None else f": {there['id']}, of {there['outgoing']}")
                    + "; complete or cancel that one first"
                ) from err
    return replace(made, id=number)


async def draft(pool: Pool, handover_id: int, now: Micros) -> Draft:
    """Return a handover and what passes over with it. Raises NotFound, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            found = await _get(conn, handover_id)
            alerts = await read(conn, _SHOWN, found.id)
            rows = await conn.fetch(_FACTS, found.id, [alert.id for alert in alerts])
            counts = dict(await conn.fetchrow(_COUNTS, found.id) or {})
            in_force = await windows.current(conn, now)
    facts = {row["id"]: {name: row[name] for name in Passed.__slots__ if name != "alert"} for row in rows}
    passed = [Passed(alert, **facts[alert.id]) for alert in alerts]
    return Draft(found, passed, counts["open"], counts["accepted"], in_force)


async def recent(pool: Pool, limit: int) -> list[Handover]:
    """Return the latest handovers, newest first. Raises StoreUnavailable."""
    with store_errors():
        rows = await pool.fetch(f"SELECT {_FIELDS} FROM watch_handover ORDER BY id DESC LIMIT $1", limit)
    return [_handover(row) for row in rows]


async def accept(pool: Pool, handover_id: int, alert_ids: Sequence[int], *, actor: str, at: Micros) -> Handover:
    """Take open alarms on by name; again changes nothing. Raises NotFound, InvalidInput (no such alarm), Conflict."""

    async def do(conn: Any, found: Handover) -> Handover:
        await _check_may_come(conn, actor)
        after = decisions.accept(found, actor)
        rows = await conn.fetch("SELECT id FROM alert WHERE id = ANY($1::bigint[])", list(alert_ids))
        unknown = sorted(set(alert_ids) - {row["id"] for row in rows})
        if unknown:
            raise InvalidInput(f"there is no alert {unknown[0]}; reload the handover", {"field": "alerts"})
        await conn.execute(
            "INSERT INTO watch_accepted (handover_id, alert_id, at) SELECT $1, unnest($2::bigint[]), $3"
            " ON CONFLICT DO NOTHING",
            found.id,
            list(alert_ids),
            to_datetime(at),
        )
        return after

    return await _act(pool, handover_id, do)


async def write_notes(pool: Pool, handover_id: int, notes: str, *, actor: str) -> Handover:
    """Replace the free notes that go with a handover. Raises NotFound, Conflict."""

    async def do(conn: Any, found: Handover) -> Handover:  # noqa: ARG001  # reason: every act is handed it
        return decisions.noted(found, actor, notes)

    return await _act(pool, handover_id, do)


async def cancel(pool: Pool, handover_id: int, *, actor: str, admin: bool, at: Micros) -> Handover:
    """Give a handover up: whoever was on duty stays so. Raises NotFound, Conflict."""

    async def do(conn: Any, found: Handover) -> Handover:
        after = decisions.cancel(found, actor, at, admin=admin)
        await log_entry(conn, at, LogKind.HANDOVER_CANCELLED, actor, evidence={"handover": found.id})
        return after

    return await _act(pool, handover_id, do)


async def complete(pool: Pool, handover_id: int, *, actor: str, seated: bool, at: Micros) -> Handover:
    """Change the watch: whoever comes is on duty, whoever leaves is not, and what was theirs is the other's.

    ``seated``: whether ``actor`` asks from a live seat whose sound works. Raises NotFound; Conflict where they do not,
    or open alarms are not accepted.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            found = await _get(conn, handover_id, lock=True)
            await watch.alone(conn)
            await _check_may_come(conn, actor)
            missing = [Waiting(row["id"], row["title"]) for row in await conn.fetch(_MISSING, found.id)]
            after = decisions.complete(found, actor, missing, at, at_seat=seated)
            await watch.take_off(conn, found.outgoing)
            await watch.put_on(conn, actor, at)
            await log_entry(conn, at, LogKind.HANDOVER, actor, text=found.notes, evidence=await _told(conn, after, at))
            await _store(conn, after)
            await _reassign(conn, found.outgoing, actor, at)
    return after


async def _reassign(conn: Any, outgoing: str, incoming: str, at: Micros) -> None:
    """Give what is assigned to ``outgoing`` to ``incoming``, and announce it as the transaction's last statement."""
    ids = await conn.fetch("SELECT id FROM alert WHERE state <> 'closed' AND assignee = $1", outgoing)
    if ids:
        held = await locked(conn, [row["id"] for row in ids])
        mine = (alert for alert in held if alert.assignee == outgoing and alert.closed_at is None)
        done = [decide(alert, Assign(incoming), actor=incoming, at=at) async for alert in in_turns(mine)]
        await write_decided(conn, done, at)


async def _told(conn: Any, done: Handover, at: Micros) -> dict[str, Any]:
    taken = await conn.fetch(_TAKEN, done.id)
    in_force = await windows.current(conn, at)
    return {
        "handover": done.id,
        "outgoing": done.outgoing,
        "incoming": done.incoming,
        "begun_at": rfc3339(done.begun_at),
        "accepted": len(taken),
        "alerts": [
            {
                "id": str(row["id"]),
                "title_zh": row["title_zh"],
                "title_en": row["title_en"],
                "unit": row["unit"],
                "state": row["state"],
            }
            for row in taken[:_MOST_LOGGED]
        ],
        "windows": [{"id": str(each.id), "kind": each.kind.value, "unit": each.unit} for each in in_force],
    }


async def _act(pool: Pool, handover_id: int, do: Callable[[Any, Handover], Awaitable[Handover]]) -> Handover:
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            found = await _get(conn, handover_id, lock=True)
            after = await do(conn, found)
            if after is not found:
                await _store(conn, after)
    return after


async def _store(conn: Any, after: Handover) -> None:
    await conn.execute(
        "UPDATE watch_handover SET incoming = $2, notes = $3, state = $4, ended_at = $5, ended_by = $6 WHERE id = $1",
        after.id,
        after.incoming,
        after.notes,
        after.state.value,
        None if after.ended_at is None else to_datetime(after.ended_at),
        after.ended_by,
    )


async def _get(conn: Any, handover_id: int, *, lock: bool = False) -> Handover:
    row = await conn.fetchrow(
        f"SELECT {_FIELDS} FROM watch_handover WHERE id = $1{' FOR UPDATE' if lock else ''}", handover_id
    )
    if row is None:
        raise NotFound(f"there is no handover {handover_id}; GET /api/v1/watch/handovers lists them")
    return _handover(row)


def _handover(row: Any) -> Handover:
    return Handover(
        **dict(row)
        | {
            "state": HandoverState(row["state"]),
            "begun_at": from_datetime(row["begun_at"]),
            "ended_at": None if row["ended_at"] is None else from_datetime(row["ended_at"]),
        }
    )


async def _check_may_come(conn: Any, account: str) -> None:
    row = await conn.fetchrow("SELECT role, disabled_at FROM account WHERE username = $1", account)
    if row is None or row["disabled_at"] is not None or row["role"] not in {"admin", "operator"}:
        raise InvalidInput(
            f"{account!r} cannot take the watch over: name an operator or admin whose account is enabled",
            {"field": "to"},
        )
