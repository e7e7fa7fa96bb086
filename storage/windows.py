"""Announced windows on PostgreSQL: reading them, and what people do with them, each act announced as it commits."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from firetower.alerts.watch.log import LogKind
from firetower.alerts.windows import Wanted, Window, WindowKind, WindowState
from firetower.core.clock import Micros, from_datetime, rfc3339, to_datetime
from firetower.core.errors import Conflict, NotFound
from firetower.storage import changes
from firetower.storage.idempotency import used_at
from firetower.storage.pool import Pool, store_errors
from firetower.storage.watch_log import log_entry
from firetower.storage.window_places import check_registered

MOST_REQUESTED = 20
"""Requests of one unit that may wait for the centre at a time."""

_LOCK = 0x6669_7265_0004
"""Advisory lock of whoever announces a window: the same one twice is then seen."""

_PLAIN = (
    "id",
    "unit",
    "zone",
    "device",
    "component",
    "main",
    "reason",
    "measure",
    "person",
    "requested_by",
    "approved_by",
    "refused_by",
    "refusal",
    "ended_by",
)
_TIMES = ("starts_at", "ends_at", "requested_at", "approved_at", "refused_at", "ended_at")

COLUMNS = ", ".join(f"w.{name}" for name in ("kind", *_PLAIN, *_TIMES))
"""What ``to_window`` reads, of a table called ``w``."""

_OPEN = "w.ended_at IS NULL AND w.refused_at IS NULL AND w.ends_at > $1"
_STATES = {  # as ``Window.state`` says it; $1: now
    WindowState.REFUSED: "w.refused_at IS NOT NULL",
    WindowState.ENDED: "w.refused_at IS NULL AND (w.ended_at IS NOT NULL OR w.ends_at <= $1)",
    WindowState.REQUESTED: f"{_OPEN} AND w.approved_at IS NULL",
    WindowState.PLANNED: f"{_OPEN} AND w.approved_at IS NOT NULL AND w.starts_at > $1",
    WindowState.ACTIVE: f"{_OPEN} AND w.approved_at IS NOT NULL AND w.starts_at <= $1",
}
ACTIVE = _STATES[WindowState.ACTIVE]
"""Whether a window, a table called ``w``, is in force at $1."""

_WHERE = ("unit", "zone", "device", "component", "main")
_WRITTEN = (
    "kind",
    *_WHERE,
    "starts_at",
    "ends_at",
    "reason",
    "measure",
    "person",
    "requested_by",
    "requested_at",
    "approved_by",
    "approved_at",
)
_DECIDED = ("approved_by", "approved_at", "refused_by", "refused_at", "refusal", "ended_by", "ended_at")


@dataclass(frozen=True, slots=True)
class WindowFilter:
    """Which windows: empty or None means any. ``before``: of a smaller id."""

    states: Sequence[WindowState] = ()
    kinds: Sequence[WindowKind] = ()
    unit: str | None = None
    before: int | None = None


def to_window(row: Any) -> Window:
    """Return the window of a row with COLUMNS."""
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    for name in _TIMES:
        values[name] = None if row[name] is None else from_datetime(row[name])
    return Window(kind=WindowKind(row["kind"]), **values)


async def by_ids(conn: Any, ids: Iterable[int]) -> list[Window]:
    """Return the windows of these ids, by id; one that is not there is left out."""
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM announced_window w WHERE w.id = ANY($1::bigint[]) ORDER BY w.id", list(ids)
    )
    return [to_window(row) for row in rows]


async def current(conn: Any, now: Micros) -> list[Window]:
    """Return the windows that are requested, planned or active at ``now``, by id."""
    rows = await conn.fetch(f"SELECT {COLUMNS} FROM announced_window w WHERE {_OPEN} ORDER BY w.id", to_datetime(now))
    return [to_window(row) for row in rows]


async def in_force(conn: Any, units: Iterable[str], at: Micros) -> list[Window]:
    """Return the windows of ``units`` that are active at ``at``, by id."""
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM announced_window w WHERE {_STATES[WindowState.ACTIVE]} AND w.unit = ANY($2::text[])"
        " ORDER BY w.id",
        to_datetime(at),
        list(units),
    )
    return [to_window(row) for row in rows]


async def list_windows(pool: Pool, which: WindowFilter, *, limit: int, now: Micros) -> list[Window]:
    """Return up to ``limit`` windows as they stand at ``now``, newest first. Raises StoreUnavailable."""
    states = " OR ".join(f"({_STATES[state]})" for state in which.states or WindowState)
    with store_errors():
        rows = await pool.fetch(
            f"SELECT {COLUMNS} FROM announced_window w WHERE ({states})"
            " AND ($2::text[] = '{}' OR w.kind = ANY($2::text[])) AND ($3::text IS NULL OR w.unit = $3)"
            " AND ($4::bigint IS NULL OR w.id < $4) ORDER BY w.id DESC LIMIT $5",
            to_datetime(now),
            list(which.kinds),
            which.unit,
            which.before,
            limit,
        )
    return [to_window(row) for row in rows]


async def get(pool: Pool, window_id: int) -> Window:
    """Return one window; NotFound."""
    with store_errors():
        return await _get(pool, window_id)


async def add(pool: Pool, window: Window, wanted: Wanted, idempotency_key: str | None = None) -> Window:
    """Store the window made of ``wanted`` at ``requested_at`` and return it with its id.

    Raises InvalidInput when what it names is not registered, Conflict when the same is announced for that time
    already, too many of the unit's requests wait, or the key was another request's. A request made before under its
    key: the window it made, as it stands.
    """
    at = window.requested_at
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            if idempotency_key is not None:
                request = json.dumps(["window", asdict(wanted)], ensure_ascii=False, sort_keys=True)
                before = await used_at(conn, idempotency_key, window.requested_by, request, at)
                if before is not None:
                    return await _made_at(conn, window.requested_by, before)
            await check_registered(conn, window)
            await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await _check_alone(conn, window)
            if window.approved_at is None:
                await _check_not_too_many(conn, window)
            number = await conn.fetchval(
                f"INSERT INTO announced_window AS w ({', '.join(_WRITTEN)})"
                f" VALUES ({', '.join(f'${n}' for n in range(1, len(_WRITTEN) + 1))}) RETURNING w.id",
                *(_sent(window, name) for name in _WRITTEN),
            )
            added = replace(window, id=number)
            await _log(conn, added, window.requested_by, "requested" if window.approved_at is None else "announced", at)
            await changes.announce(conn, [], at, windows=[number])
    return added


async def act(pool: Pool, window_id: int, decide: Callable[[Window], Window], at: Micros) -> Window:
    """Write what ``decide`` makes of a window as it stands, and return it; what it raises passes through. NotFound."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            window = await _get(conn, window_id, lock=True)
            after = decide(window)
            if after is not window:
                await conn.execute(
                    f"UPDATE announced_window SET {', '.join(f'{name} = ${n}' for n, name in enumerate(_DECIDED, 2))}"
                    " WHERE id = $1",
                    window_id,
                    *(_sent(after, name) for name in _DECIDED),
                )
                await _log(conn, after, *_decision(after), at)
                await changes.announce(conn, [], at, windows=[window_id])
    return after


def _decision(after: Window) -> tuple[str, str]:
    """Return who decided on a window last, and what."""
    if after.ended_by is not None:
        return after.ended_by, "ended"
    if after.refused_by is not None:
        return after.refused_by, "refused"
    return after.approved_by or after.requested_by, "approved"


async def _log(conn: Any, window: Window, actor: str, act: str, at: Micros) -> None:
    said = {"window": str(window.id), "kind": window.kind.value, "unit": window.unit, "act": act}
    await log_entry(conn, at, LogKind.WINDOW, actor, evidence=said)


async def _made_at(conn: Any, account: str, at: Micros) -> Window:
    row = await conn.fetchrow(
        f"SELECT {COLUMNS} FROM announced_window w WHERE w.requested_by = $1 AND w.requested_at = $2"
        " ORDER BY w.id LIMIT 1",
        account,
        to_datetime(at),
    )
    return to_window(row)


async def _get(conn: Any, window_id: int, *, lock: bool = False) -> Window:
    row = None
    if 0 < window_id < 2**63:
        row = await conn.fetchrow(
            f"SELECT {COLUMNS} FROM announced_window w WHERE w.id = $1{' FOR NO KEY UPDATE' if lock else ''}", window_id
        )
    if row is None:
        raise NotFound(missing(window_id))
    return to_window(row)


def missing(window_id: int) -> str:
    """Return the words for a window that is not there, or is none of the asker's business."""
    return f"there is no window {window_id}; list windows to find the one you mean"


async def _check_alone(conn: Any, window: Window) -> None:
    same = " AND ".join(f"w.{name} IS NOT DISTINCT FROM ${n}" for n, name in enumerate(_WHERE, 5))
    row = await conn.fetchrow(
        f"SELECT {COLUMNS} FROM announced_window w WHERE {_OPEN} AND w.kind = $2 AND w.starts_at < $3"
        f" AND w.ends_at > $4 AND {same} ORDER BY w.id LIMIT 1",
        to_datetime(window.requested_at),
        window.kind,
        to_datetime(window.ends_at),
        to_datetime(window.starts_at),
        *(getattr(window, name) for name in _WHERE),
    )
    if row is None:
        return
    there = to_window(row)
    state = there.state(window.requested_at)
    raise Conflict(
        f"the same {there.kind} is {state} already: window {there.id}, until {rfc3339(there.ends_at)};"
        " approve, refuse or end that one, or let this one begin after it",
        current=there,
    )


async def _check_not_too_many(conn: Any, window: Window) -> None:
    waiting = await conn.fetchval(
        f"SELECT count(*) FROM announced_window w WHERE {_STATES[WindowState.REQUESTED]} AND w.unit = $2",
        to_datetime(window.requested_at),
        window.unit,
    )
    if waiting >= MOST_REQUESTED:
        raise Conflict(
            f"unit {window.unit} has {waiting} requests waiting, at most {MOST_REQUESTED} may;"
            " call the centre about them, or withdraw some"
        )


def _sent(window: Window, name: str) -> Any:
    value = getattr(window, name)
    return to_datetime(value) if name in _TIMES and value is not None else value
