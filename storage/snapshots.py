"""Pictures of cameras on PostgreSQL: what is due, what came, what is kept with an alert, and for how long."""

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from firetower.alerts.cameras.ports import Picture, Wanted
from firetower.alerts.cameras.sight import Camera
from firetower.alerts.cameras.taking import Moment, Wish
from firetower.alerts.cameras.trouble import Trouble, Why
from firetower.alerts.model import Alert
from firetower.core.clock import DAY, Micros, from_datetime, to_datetime
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.idempotency import used_at
from firetower.storage.pool import Pool, store_errors
from firetower.storage.snapshot_step import ask

PRUNED_AT_ONCE = 200
"""Pictures forgotten in one statement: at most 800 MiB."""
MOST_LISTED = 500

OF_A_HOST = 8
"""Pictures of one host that are looked at at once: hundreds that wait for one that hangs hide no other host's."""

_DUE = """
SELECT id, due_at, tries, secret, address FROM (
    SELECT w.*, row_number() OVER (
        PARTITION BY split_part(w.address, '/', 3) ORDER BY w.by_hand DESC, w.next_try_at, w.id
    ) AS nth
    FROM (
        SELECT s.id, s.due_at, s.next_try_at, s.tries, c.secret,
            CASE WHEN c.retired_at IS NULL THEN c.snapshot END AS address,
            EXISTS (SELECT FROM alert_snapshot l WHERE l.snapshot_id = s.id AND l.moment = 'by_hand') AS by_hand
        FROM snapshot s JOIN camera c ON c.id = s.camera_id
        WHERE s.next_try_at <= $1 AND NOT s.id = ANY($2::int8[])
    ) w
) d WHERE nth <= $4 OR address IS NULL ORDER BY by_hand DESC, next_try_at, id LIMIT $3
"""
_KEEP = """
UPDATE snapshot SET state = 'taken', next_try_at = NULL, tries = tries + 1, asked_at = $2, taken_at = $3, media = $4,
    sha256 = $5, bytes = $6, picture = $7, trouble = NULL, trouble_status = NULL
WHERE id = $1 AND state = 'waiting'
"""
_FAILED = """
UPDATE snapshot SET state = CASE WHEN $5::timestamptz IS NULL THEN 'failed' ELSE 'waiting' END, next_try_at = $5,
    tries = tries + CASE WHEN $2::timestamptz IS NULL THEN 0 ELSE 1 END, asked_at = coalesce($2, asked_at),
    trouble = $3, trouble_status = $4
WHERE id = $1 AND state = 'waiting'
"""
_PLAIN = """
s.id, s.state, s.due_at, s.asked_at, s.taken_at, s.next_try_at, s.tries, s.trouble, s.trouble_status, s.media, s.bytes,
    s.sha256, c.code AS camera, c.name AS camera_name, u.code AS unit
"""
_OF_ALERT = f"""
SELECT {_PLAIN}, l.moment, l.since, l.by
FROM alert_snapshot l JOIN snapshot s ON s.id = l.snapshot_id JOIN camera c ON c.id = s.camera_id
LEFT JOIN unit u ON u.id = c.unit_id
WHERE l.alert_id = $1 ORDER BY s.due_at DESC, s.id DESC, l.moment LIMIT $2
"""
_PICTURE = """
SELECT s.media, s.sha256, s.picture, u.code AS unit,
    array(SELECT DISTINCT a.unit FROM alert_snapshot l JOIN alert a ON a.id = l.alert_id WHERE l.snapshot_id = s.id)
    AS units
FROM snapshot s JOIN camera c ON c.id = s.camera_id LEFT JOIN unit u ON u.id = c.unit_id
WHERE s.id = $1 AND s.state = 'taken'
"""
# those of a real fire, and of what is still open, are kept
_PRUNE = """
DELETE FROM snapshot WHERE id IN (
    SELECT s.id FROM snapshot s
    WHERE s.due_at < $1 AND NOT EXISTS (
        SELECT FROM alert_snapshot l JOIN alert a ON a.id = l.alert_id
        WHERE l.snapshot_id = s.id AND (a.disposition = 'real_fire' OR a.verification = 'real' OR a.state <> 'closed')
    )
    ORDER BY s.due_at LIMIT $2
)
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A picture asked for because of an alert, without the picture. Times are µs, None for what has not happened.

    ``moment``: why; ``since``: of which alarm; ``by``: who, ``timer`` by itself. ``unit``: the camera's.
    """

    id: int
    camera: str
    camera_name: str
    unit: str | None
    moment: Moment
    since: Micros
    by: str
    state: Literal["waiting", "taken", "failed"]
    due_at: Micros
    asked_at: Micros | None
    taken_at: Micros | None
    next_try_at: Micros | None
    tries: int
    trouble: Trouble | None
    media: str | None
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture. ``unit``: of its camera; ``units``: of the alerts it belongs to."""

    media: str
    sha256: str
    body: bytes
    unit: str | None
    units: frozenset[str | None]


class Snapshots:
    """The store of ``alerts/cameras/ports.py``."""

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease

    async def due(self, now: Micros, in_hand: Collection[int], most: int) -> Sequence[Wanted]:
        """Return what is to be asked for, by hand first, then by its time, some of each host. StoreUnavailable."""
        with store_errors():
            rows = await self._pool.fetch(_DUE, to_datetime(now), list(in_hand), most, OF_A_HOST)
        return [
            Wanted(row["id"], row["address"], row["secret"], from_datetime(row["due_at"]), row["tries"]) for row in rows
        ]

    async def keep(self, wanted: Wanted, picture: Picture, asked: Micros, now: Micros) -> None:
        """Store a picture that came. Raises LeaseLost, StoreUnavailable."""
        digest = (await asyncio.to_thread(hashlib.sha256, picture.body)).digest()  # 4 MiB: not on the loop
        async with fenced(self._pool, self._lease) as conn:
            await conn.execute(
                _KEEP, wanted.id, to_datetime(asked), to_datetime(now), picture.media, digest, len(picture.body),
                picture.body,
            )  # fmt: skip

    async def failed(self, wanted: Wanted, trouble: Trouble, asked: Micros | None, again: Micros | None) -> None:
        """Store that there is none so far, or at all. Raises LeaseLost, StoreUnavailable."""
        asked_at, next_try = (None if at is None else to_datetime(at) for at in (asked, again))
        async with fenced(self._pool, self._lease) as conn:
            await conn.execute(_FAILED, wanted.id, asked_at, trouble.why, trouble.status, next_try)


async def of_alert(pool: Pool, alert_id: int) -> list[Snapshot]:
    """Return the pictures asked for because of an alert, newest first, at most MOST_LISTED. Raises StoreUnavailable."""
    with store_errors():
        return [_snapshot(row) for row in await pool.fetch(_OF_ALERT, alert_id, MOST_LISTED)]


async def picture(pool: Pool, snapshot_id: int) -> Kept | None:
    """Return a picture; None where there is none by that id. Raises StoreUnavailable."""
    with store_errors():
        row = await pool.fetchrow(_PICTURE, snapshot_id)
    if row is None:
        return None
    return Kept(row["media"], bytes(row["sha256"]).hex(), row["picture"], row["unit"], frozenset(row["units"]))


async def ask_by_hand(
    pool: Pool, alert: Alert, camera: Camera, *, actor: str, at: Micros, idempotency_key: str | None = None
) -> Snapshot:
    """Ask for a picture because somebody wants one; whoever keeps the desk takes it within half a second.

    Raises StoreUnavailable; InvalidInput for no key, Conflict for a key used for another request. The same request
    under its key again, and one within five seconds of another: the same picture.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            if idempotency_key is not None:
                request = json.dumps(["snapshot", alert.id, camera.code])
                at = await used_at(conn, idempotency_key, actor, request, at) or at
            wish = Wish(alert.id, camera.id, Moment.BY_HAND, at, at)
            ids = await ask(conn, [wish], at, by=actor)
            rows = await conn.fetch(_OF_ALERT, alert.id, MOST_LISTED)
    return next(_snapshot(row) for row in rows if row["id"] == ids[wish] and row["moment"] == Moment.BY_HAND)


async def prune(pool: Pool, now: Micros, days: int) -> int:
    """Forget pictures older than ``days``, some at once, but those of real fires; return how many.

    Raises StoreUnavailable.
    """
    with store_errors():
        done = await pool.execute(_PRUNE, to_datetime(now - days * DAY), PRUNED_AT_ONCE)
    return int(done.rsplit(" ", 1)[1])


def newest_by_camera(snapshots: Sequence[Snapshot]) -> Mapping[str, Snapshot]:
    """Return the newest picture that was taken of each camera, by its code."""
    found: dict[str, Snapshot] = {}
    for each in snapshots:
        known = found.get(each.camera)
        if each.taken_at is not None and (known is None or each.taken_at > (known.taken_at or 0)):
            found[each.camera] = each
    return found


def _snapshot(row: Any) -> Snapshot:
    values: dict[str, Any] = {name: row[name] for name in ("id", "camera", "camera_name", "unit", "by", "state")}
    for name in ("due_at", "since", "asked_at", "taken_at", "next_try_at"):
        values[name] = None if row[name] is None else from_datetime(row[name])
    return Snapshot(
        **values,
        tries=row["tries"],
        media=row["media"],
        moment=Moment(row["moment"]),
        trouble=None if row["trouble"] is None else Trouble(Why(row["trouble"]), row["trouble_status"]),
        size=row["bytes"],
        sha256=None if row["sha256"] is None else bytes(row["sha256"]).hex(),
    )
