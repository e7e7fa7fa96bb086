"""The desk's step ``snapshots``: pictures wanted of alarms, written as rows that the photographer takes up."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from firetower.alerts.cameras.sight import Camera, Place, Seen, cameras_of
from firetower.alerts.cameras.taking import (
    ROUND_APART,
    SHARED,
    TOO_OLD,
    Asked,
    Rounds,
    Wish,
    is_pictured,
    shared,
    wishes,
)
from firetower.alerts.deadlines import TIMER
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.devices.events import AlertClass
from firetower.storage.alert_moves import BATCH, PIECE, Fence, fenced
from firetower.storage.alert_rows import COLUMNS, to_alert
from firetower.storage.cameras import around, place_of
from firetower.storage.pool import store_errors

_ANY_CAMERA = "SELECT EXISTS (SELECT FROM camera WHERE snapshot IS NOT NULL AND retired_at IS NULL)"
_WHICH = "a.alert_class = ANY($1::text[]) AND a.state <> 'closed' AND a.hold = 'none' AND a.alarmed_at >= $2"
_THESE = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($3::bigint[]) AND {_WHICH}"
_OPEN = f"SELECT a.id FROM alert a WHERE {_WHICH} ORDER BY a.priority, a.id"
_ROUNDS = """
SELECT alert_id, count(DISTINCT since) AS count, max(since) AS newest FROM alert_snapshot
WHERE alert_id = ANY($1::bigint[]) AND moment = 'raised' GROUP BY alert_id
"""
_ASKED = "SELECT id, camera_id, due_at FROM snapshot WHERE camera_id = ANY($1::int4[]) AND due_at > $2 ORDER BY id"
_ASK = """
INSERT INTO snapshot (camera_id, due_at, next_try_at) SELECT n.camera_id, n.due, n.due
FROM unnest($1::int4[], $2::timestamptz[]) WITH ORDINALITY AS n (camera_id, due, n) ORDER BY n.n
RETURNING id, camera_id, due_at
"""
_LINK = """
INSERT INTO alert_snapshot (alert_id, snapshot_id, moment, since, by)
SELECT * FROM unnest($1::int8[], $2::int8[], $3::text[], $4::timestamptz[], $5::text[]) ON CONFLICT DO NOTHING
"""

_AT_ONCE = 5 * BATCH
"""Alerts looked at in one call; more wait for the next."""


class SnapshotStep:
    """Step ``snapshots``. ``classes``: of which alerts."""

    name = "snapshots"

    def __init__(self, pool: asyncpg.Pool, lease: Fence, classes: Iterable[AlertClass]) -> None:
        self._pool = pool
        self._lease = lease
        self._classes = frozenset(classes)
        self._left: list[int] = []

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Ask for the pictures of alarms that have none, fires first. Raises LeaseLost, StoreUnavailable."""
        with store_errors():
            if not self._classes or not (changed is None or changed or self._left):
                return
            if not await self._pool.fetchval(_ANY_CAMERA):
                self._left = []
                return
            if changed is None:
                self._left = [row["id"] for row in await self._pool.fetch(_OPEN, *self._which(now))]
                changed = []
        ids = list(dict.fromkeys([*changed, *self._left]))
        for start in range(0, min(len(ids), _AT_ONCE), PIECE):
            await self._ask(ids[start : start + PIECE], now)
        self._left = ids[_AT_ONCE:]

    async def _ask(self, ids: Sequence[int], now: Micros) -> None:
        with store_errors():
            rows = await self._pool.fetch(_THESE, *self._which(now), list(ids))
            alerts = [to_alert(row) for row in rows]
            if not alerts:
                return
            known = {row["alert_id"]: row for row in await self._pool.fetch(_ROUNDS, [each.id for each in alerts])}
            pictured = [each for each in alerts if is_pictured(each, self._classes, _rounds(known.get(each.id)), now)]
            if not pictured:
                return
            cameras = await around(self._pool, [place_of(each) for each in pictured])
        wanted = await _wishes(pictured, cameras, now)
        if wanted:
            async with fenced(self._pool, self._lease) as conn:
                await ask(conn, wanted, now)

    def _which(self, now: Micros) -> tuple[Any, ...]:
        return sorted(self._classes), to_datetime(now - max(TOO_OLD, ROUND_APART))


async def _wishes(alerts: Sequence[Alert], cameras: Sequence[Camera], now: Micros) -> list[Wish]:
    """Return the pictures wanted of ``alerts`` from ``cameras`` around them, fires first."""
    by_place: dict[Place, Sequence[Seen]] = {}
    wanted: list[Wish] = []
    for alert in sorted(alerts, key=lambda each: (not each.is_fire, each.priority, each.id)):
        place = place_of(alert)
        if place not in by_place:
            await asyncio.sleep(0)  # of a unit with hundreds of cameras a millisecond or two
            by_place[place] = cameras_of(place, cameras)
        wanted += wishes(alert, by_place[place], now)
    return wanted


def _rounds(row: Any) -> Rounds | None:
    return None if row is None else Rounds(row["count"], from_datetime(row["newest"]))


async def ask(conn: Any, wanted: Sequence[Wish], now: Micros, *, by: str = TIMER) -> dict[Wish, int]:
    """Write pictures that are wanted, inside the caller's transaction, and return each wish's picture by its id."""
    cameras = sorted({wish.camera_id for wish in wanted})
    rows = await conn.fetch(_ASKED, cameras, to_datetime(now - SHARED))
    found = shared(wanted, [Asked(row["id"], row["camera_id"], from_datetime(row["due_at"])) for row in rows])
    new = sorted({(picture.camera_id, picture.due) for _, picture in found if picture.id is None})
    ids: dict[tuple[int, Micros], int] = {}
    if new:
        written = await conn.fetch(_ASK, [camera for camera, _ in new], [to_datetime(due) for _, due in new])
        ids = {(row["camera_id"], from_datetime(row["due_at"])): row["id"] for row in written}
    of_wish = {
        wish: ids[picture.camera_id, picture.due] if picture.id is None else picture.id for wish, picture in found
    }
    await conn.execute(
        _LINK,
        [wish.alert_id for wish in of_wish],
        list(of_wish.values()),
        [wish.moment for wish in of_wish],
        [to_datetime(wish.since) for wish in of_wish],
        [by] * len(of_wish),
    )
    return of_wish
