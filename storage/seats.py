"""Seats 席位: which sessions have a console connected now, on which node, and whether its sound is proven to work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.core.clock import HOUR, MINUTE, SECOND, Micros, to_datetime
from firetower.storage.pool import store_errors

COUNTS_FOR: Micros = 15 * SECOND
"""A seat that no node has seen for so long is empty."""
_FORGOTTEN_AFTER: Micros = 10 * MINUTE
"""What a node that died left behind is taken away then; until then its clock may be wrong."""
SHOWS_FOR: Micros = 12 * HOUR
"""A session at a live seat of somebody on duty, or of a viewer, shows for so long from now on, whenever now is."""

_LIVE = "s.seen_at > $1 AND s.seen_at <= $2"


@dataclass(frozen=True, slots=True)
class Seat:
    """One session's consoles on one node. ``digest``: of the session's token; ``armed``: one of them can sound."""

    digest: bytes
    account: str
    armed: bool


async def write(pool: asyncpg.Pool, node: str, seats: Sequence[Seat], now: Micros) -> None:
    """Make ``seats``, each digest once, what ``node`` has, seen at ``now``. Raises StoreUnavailable.

    The sessions among them of people on duty, who must go on being shown and hearing, and of viewers, who can do
    nothing but look and may be a display on a wall, are prolonged by SHOWS_FOR.
    """
    digests = [seat.digest for seat in seats]
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute(
                "DELETE FROM seat WHERE node = $1 AND token_digest <> ALL($2::bytea[]) OR seen_at < $3",
                node,
                digests,
                to_datetime(now - _FORGOTTEN_AFTER),
            )
            await conn.execute(
                "INSERT INTO seat (token_digest, node, account, armed, seen_at)"
                " SELECT token_digest, $1, account, armed, $5"
                " FROM unnest($2::bytea[], $3::text[], $4::bool[]) AS given (token_digest, account, armed)"
                " ON CONFLICT (token_digest, node) DO UPDATE"
                " SET account = excluded.account, armed = excluded.armed, seen_at = excluded.seen_at",
                node,
                digests,
                [seat.account for seat in seats],
                [seat.armed for seat in seats],
                to_datetime(now),
            )
            if digests:
                await conn.execute(
                    "UPDATE session s SET shows_until = $2 FROM account a"
                    " LEFT JOIN watch_duty d ON d.account = a.username"
                    " WHERE s.token_digest = ANY($1::bytea[]) AND a.id = s.account_id"
                    " AND (d.account IS NOT NULL OR a.role = 'viewer')"
                    " AND (s.shows_until IS NULL OR s.shows_until < $3)",
                    digests,
                    to_datetime(now + SHOWS_FOR),
                    to_datetime(now + SHOWS_FOR - MINUTE),
                )


async def live(conn: Any, now: Micros) -> list[Seat]:
    """Return the seats that are live at ``now`` on any node, each session once. Raises StoreUnavailable."""
    with store_errors():
        rows = await conn.fetch(
            "SELECT s.token_digest, min(s.account) AS account, bool_or(s.armed) AS armed FROM seat s"
            f" WHERE {_LIVE} GROUP BY s.token_digest ORDER BY s.token_digest",
            *_between(now),
        )
    return [Seat(row["token_digest"], row["account"], row["armed"]) for row in rows]


async def sounding(conn: Any, now: Micros) -> list[tuple[bytes, str]]:
    """Return (digest, account) of the live, sound-armed seats of people who may act, whose session stands, at ``now``.

    A seat whose session was just ended is none, though its node has not noticed yet.
    """
    with store_errors():
        rows = await conn.fetch(
            "SELECT DISTINCT s.token_digest, s.account FROM seat s"
            " JOIN session n ON n.token_digest = s.token_digest JOIN account a ON a.id = n.account_id"
            " WHERE s.armed AND a.role IN ('admin', 'operator') AND a.disabled_at IS NULL"
            f" AND {_LIVE} ORDER BY s.account, s.token_digest",
            *_between(now),
        )
    return [(row["token_digest"], row["account"]) for row in rows]


async def operators(conn: Any, now: Micros) -> int:
    """Return how many people who may act sit at live, sound-armed seats at ``now``, however many seats each has."""
    with store_errors():
        return int(
            await conn.fetchval(
                "SELECT count(DISTINCT s.account) FROM seat s JOIN account a ON a.username = s.account"
                f" WHERE s.armed AND a.role IN ('admin', 'operator') AND a.disabled_at IS NULL AND {_LIVE}",
                *_between(now),
            )
        )


def _between(now: Micros) -> tuple[object, object]:
    # a node whose clock is ahead by less than this is believed
    return to_datetime(now - COUNTS_FOR), to_datetime(now + COUNTS_FOR)
