"""How far somebody who follows the live changes has read, and what comes after that."""

from dataclasses import dataclass
from typing import Any

_READ = """
SELECT bounds.newest, coalesce($1::int8 BETWEEN bounds.oldest - 1 AND bounds.newest, false) AS known, l.seq, l.alerts
FROM (SELECT coalesce(min(seq), 1) AS oldest, coalesce(max(seq), 0) AS newest FROM live_change) bounds
LEFT JOIN LATERAL (SELECT seq, alerts FROM live_change WHERE seq > $1::int8 ORDER BY seq LIMIT $2) l ON true
ORDER BY l.seq
"""


@dataclass(frozen=True, slots=True)
class News:
    """What came after a position. ``seq``: the position after it; ``alerts``: ids, each once, in commit order.

    ``behind``: more came after that. ``lost``: some of it was forgotten, or there was no position; ``seq`` is then the
    newest number, ``alerts`` empty.
    """

    seq: int
    alerts: list[int]
    lost: bool = False
    behind: bool = False


async def read(conn: Any, after: int | None, most: int) -> News:
    """Return what was announced after the number ``after`` (None: nothing is known), of at most ``most`` numbers."""
    rows = await conn.fetch(_READ, after, most)
    newest = rows[0]["newest"]
    if not rows[0]["known"]:
        return News(newest, [], lost=True)
    numbered = [row for row in rows if row["seq"] is not None]
    if not numbered:
        return News(newest, [])
    alerts = list(dict.fromkeys(each for row in numbered for each in row["alerts"]))
    return News(numbered[-1]["seq"], alerts, behind=numbered[-1]["seq"] < newest)


async def position(conn: Any, name: str) -> int | None:
    """Return the number up to which ``name`` has read; None when it never did."""
    seq = await conn.fetchval("SELECT seq FROM follower WHERE name = $1", name)
    return None if seq is None else int(seq)


async def store_position(conn: Any, name: str, seq: int) -> None:
    """Note that ``name`` has read up to the number ``seq``."""
    await conn.execute(
        "INSERT INTO follower (name, seq) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
        name,
        seq,
    )
