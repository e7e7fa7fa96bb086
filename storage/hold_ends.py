"""The end of shelving, and the turns of announced windows: steps of the desk.

Shelving always ends, and what was on the shelf is then judged anew. A window that takes out of service does so with
what is open when it begins; what a window held comes back when it ends, by itself or by a person. What is open when
its test ends is treated as real from then on.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from firetower.alerts import announced
from firetower.alerts.flags import IMPAIRED
from firetower.alerts.holds import NEVER_HELD, TAKES_OUT, after_shelving, enter, leave
from firetower.alerts.moves import Decided
from firetower.alerts.windows import Where, Window, WindowState
from firetower.core.clock import MINUTE, Micros, to_datetime
from firetower.storage import follower, windows
from firetower.storage.alert_moves import BATCH, Fence, fenced, in_turns, locked, write, write_decided
from firetower.storage.pool import store_errors

_OVERLAP: Micros = MINUTE
"""Windows are looked at again for so long: what a person decided is committed a little after the time it bears."""
_NOTED_EVERY: Micros = 5 * MINUTE
"""How often it is stored that nothing happened."""
_PAGE = 500

_SHELVED = (
    "SELECT a.id FROM alert a WHERE a.held_until <= $1 AND a.hold = 'shelved' AND a.state <> 'closed'"
    f" ORDER BY a.held_until, a.id LIMIT {BATCH}"
)
_TURNING = f"""
SELECT {windows.COLUMNS} FROM announced_window w
WHERE w.refused_at IS NULL AND w.ends_at > $3 AND (
    w.starts_at > $1 AND w.starts_at <= $2 OR w.approved_at > $1 AND w.approved_at <= $2
    OR w.ends_at > $1 AND w.ends_at <= $2 OR w.ended_at > $1 AND w.ended_at <= $2)
ORDER BY w.id
"""
_HELD = (
    "a.state <> 'closed' AND (a.hold = 'out_of_service'"
    " OR a.hold = 'suppressed' AND a.cause_id IS NULL AND coalesce(a.hold_reason, '') !~ '^(rule|event):')"
)
# By how things stand, whenever it came about: each half through an index of its own.
_HELD_TOO_LONG = f"""
SELECT a.id, a.window_id FROM (
    SELECT a.id, a.window_id, a.raised_at FROM alert a JOIN announced_window w ON w.id = a.window_id
    WHERE a.held_until <= $1 AND w.ends_at <= $1 AND {_HELD}
    UNION ALL
    SELECT a.id, a.window_id, a.raised_at FROM announced_window w JOIN alert a ON a.window_id = w.id
    WHERE w.ends_at > $1 AND w.ended_at IS NOT NULL AND {_HELD}
) a ORDER BY a.raised_at, a.id LIMIT {BATCH}
"""
_MAY_ENTER = (
    "SELECT a.id, a.unit, a.zone, a.device, a.component, a.main, a.gateway FROM alert a"
    f" WHERE a.state <> 'closed' AND a.hold <> 'out_of_service'"
    f" AND NOT (a.alert_class = ANY($1::text[]) AND '{IMPAIRED}' = ANY(a.flags))"
)
_OF_WINDOW = (
    f"{_MAY_ENTER} AND ($2::text IS NULL OR a.unit = $2) AND ($3::text IS NULL OR a.main = $3) AND a.id > $4"
    f" ORDER BY a.id LIMIT {_PAGE}"
)
_JUST_RAISED = f"{_MAY_ENTER} AND a.id = ANY($2::bigint[]) AND a.version = 1 AND a.hold = 'none' ORDER BY a.id"

_IS_ANNOUNCED = f"a.state <> 'closed' AND a.flags && '{{{','.join(announced.IN_FORCE)}}}'::text[]"
_ANNOUNCED = (
    "SELECT a.id, a.flags, a.unit, a.zone, a.device, a.component, a.main, a.gateway FROM alert a"
    f" WHERE {_IS_ANNOUNCED} AND a.unit = ANY($1::text[]) AND a.id > $2 ORDER BY a.id LIMIT {_PAGE}"
)
_UNITS_ANNOUNCED = f"SELECT DISTINCT a.unit FROM alert a WHERE {_IS_ANNOUNCED} AND a.unit IS NOT NULL"


class ShelvingEnds:
    """Ends what was shelved until now."""

    name = "shelving"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:  # noqa: ARG002  # reason: ends by time only
        """Re-evaluate what was shelved until now, the longest overdue first. Raises LeaseLost, StoreUnavailable."""
        with store_errors():
            due = [row["id"] for row in await self._pool.fetch(_SHELVED, to_datetime(now))]
        if due:
            async with fenced(self._pool, self._lease) as conn:
                moves = [after_shelving(alert, now) async for alert in in_turns(await locked(conn, due))]
                await write(conn, [move for move in moves if move is not None], now)


class WindowTurns:
    """Does what the beginning and the end of an announced window do to alerts, and announces those that come by time.

    What a window covers is taken out of service as that begins, once; how far it has looked is stored (``follower``),
    so that what began while nobody looked is not missed. What a window held comes back whenever that is over.
    """

    name = "windows"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease
        self._looked: Micros | None = None
        self._all = True
        self._entered: set[int] = set()

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Take out of service and reinstate, the oldest first. Raises LeaseLost, StoreUnavailable."""
        with store_errors():
            stored = await follower.position(self._pool, self.name)
            noted = stored if stored is None else min(stored, now)
            is_set_back = max(stored or 0, self._looked or 0) > now
            self._all = self._all or changed is None or is_set_back
            since = (noted or 0) if self._all else max(noted or 0, self._looked or 0)
            turning = await self._turning(since, now)
            ended, leaving = await self._leaving(now)
            begun = {each.id: each for each in turning if _takes_out(each, now) and _began(each, since)}
            looked_at = () if self._all else self._entered
            entering = await self._entering(
                [each for each in begun.values() if each.id not in looked_at], BATCH - len(leaving)
            )
            units = await self._units_of_tests(turning, now)
            current = await windows.current(self._pool, now) if leaving or changed or units else []
            entering |= await self._just_raised([each for each in current if _takes_out(each, now)], changed or ())
            left = await self._left(units, current, now, BATCH - len(leaving) - len(entering)) if units else set()
        is_done = len(leaving) + len(entering) + len(left) < BATCH
        told = [] if noted is None or not is_done else [each.id for each in turning if _turned(each, noted, now)]
        moving = bool(leaving or entering or left)
        notes = is_done and (moving or bool(told) or stored is None or not 0 <= now - stored < _NOTED_EVERY)
        if moving or notes:
            async with fenced(self._pool, self._lease) as conn:
                done: list[Decided] = []
                async for alert in in_turns(await locked(conn, {*leaving, *entering, *left})):
                    window = entering.get(alert.id)
                    move = leave(alert, ended, current, now) if window is None else enter(alert, window, now)
                    after, entry = (alert, None) if move is None else move
                    entries = () if entry is None else (entry,)
                    test = announced.ended(after, current, now) if alert.id in left else None
                    if test is not None:
                        after, entries = test[0], (*entries, *test[1])
                    if after is not alert:
                        done.append((after, entries))
                if notes:
                    await follower.store_position(conn, self.name, now)
                await write_decided(conn, done, now, windows=told)
        if is_done:
            self._looked, self._all, self._entered = now, False, set(begun)

    async def _turning(self, since: Micros, now: Micros) -> list[Window]:
        """Return the windows that may have begun or ended after ``since``; 0: those that are not over yet."""
        first = max(since - _OVERLAP, 0)
        bounds = (to_datetime(each) for each in (first, now, first if since else now))
        return [windows.to_window(row) async for row in in_turns(await self._pool.fetch(_TURNING, *bounds))]

    async def _leaving(self, now: Micros) -> tuple[dict[int, Window], list[int]]:
        """Return the windows that are over though they still hold something, by id, and which alerts they hold."""
        rows = await self._pool.fetch(_HELD_TOO_LONG, to_datetime(now))
        over = await windows.by_ids(self._pool, {row["window_id"] for row in rows}) if rows else []
        return {each.id: each for each in over}, [row["id"] for row in rows]

    async def _units_of_tests(self, turning: Iterable[Window], now: Micros) -> set[str]:
        """Return the units in which a test or drill has ended; all that may be, where everything is looked at."""
        ended = (each for each in turning if each.kind in announced.KINDS and each.state(now) is WindowState.ENDED)
        units = {each.unit for each in ended if each.unit is not None}
        if self._all:
            units |= {row["unit"] for row in await self._pool.fetch(_UNITS_ANNOUNCED)}
        return units

    async def _left(self, units: Iterable[str], current: Sequence[Window], now: Micros, most: int) -> set[int]:
        """Return which open alerts of ``units``, about ``most``, are said to be in a test or drill that is over."""
        found: set[int] = set()
        after = 0
        while len(found) < most:
            rows = await self._pool.fetch(_ANNOUNCED, list(units), after)
            for row in rows:
                said = [word for word in row["flags"] if word in announced.IN_FORCE]
                if len(found) < most and announced.over(said, _where(row), current, now):
                    found.add(row["id"])
            if len(rows) < _PAGE:
                break
            after = rows[-1]["id"]
        return found

    async def _entering(self, begun: Sequence[Window], most: int) -> dict[int, Window]:
        """Return which open alerts, at most ``most``, the windows cover and do not yet hold or mark."""
        found: dict[int, Window] = {}
        for window in begun:
            after = 0
            while len(found) < most:
                rows = await self._pool.fetch(_OF_WINDOW, list(NEVER_HELD), window.unit, window.main, after)
                for row in rows:
                    if window.covers(_where(row)) and len(found) < most:
                        found.setdefault(row["id"], window)
                if len(rows) < _PAGE:
                    break
                after = rows[-1]["id"]
        return found

    async def _just_raised(self, taking: Sequence[Window], changed: Sequence[int]) -> dict[int, Window]:
        """Return which of the alerts ``changed`` were raised while their window was being approved, and missed it."""
        if not taking or not changed:
            return {}
        found: dict[int, Window] = {}
        for row in await self._pool.fetch(_JUST_RAISED, list(NEVER_HELD), list(changed)):
            window = next((window for window in taking if window.covers(_where(row))), None)
            if window is not None:
                found[row["id"]] = window
        return found


def _takes_out(window: Window, now: Micros) -> bool:
    return window.kind in TAKES_OUT and window.state(now) is WindowState.ACTIVE


def _began(window: Window, since: Micros) -> bool:
    """Say whether an approved window came into force after ``since``, or may have been found so only after it."""
    return window.starts_at > since or (window.approved_at or 0) > since - _OVERLAP


def _turned(window: Window, since: Micros, now: Micros) -> bool:
    """Say whether time alone made a window active, or ended it, after ``since``."""
    if since < window.ends_at <= now:
        return window.ended_at is None
    return since < window.starts_at <= now and window.state(now) is WindowState.ACTIVE


def _where(row: Any) -> Where:
    return Where(row["unit"], row["zone"], row["device"], row["component"], row["main"], row["gateway"])
