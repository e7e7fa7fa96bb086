"""How far somebody who follows the live changes has read, and what comes after that."""

from dataclasses import dataclass
from typing import Any

_READ = """
SELECT bounds.newest, coalesce($1::int8 BETWEEN bounds.oldest - 1 AND bounds.newest, false) AS known, l.seq, l.alerts,
    $3 AND EXISTS (SELECT FROM unnest(l.alerts) AS of (id), LATERAL (
        SELECT alert_class FROM alert WHERE id = of.id OFFSET 0) a WHERE a.alert_class = 'fire') AS has_fire
FROM (SELECT coalesce(min(seq), 1) AS oldest, coalesce(max(seq), 0) AS newest FROM live_change) bounds
LEFT JOIN LATERAL (SELECT seq, alerts FROM live_change WHERE seq > $1::int8 ORDER BY seq LIMIT $2) l ON true
ORDER BY l.seq
"""


@dataclass(frozen=True, slots=True)
class News:
    """What came after a position. ``seq``: the position after it; ``alerts``: ids, each once, in commit order.

    ``behind``: more came after that. ``lost``: some of it was forgotten, or there was no position; ``seq`` is then the
    newest number, ``alerts`` empty. ``has_fire``: one of the alerts is a fire, where that was asked for.
    """

    seq: int
    alerts: list[int]
    lost: bool = False
    behind: bool = False
    has_fire: bool = False

    def and_then(self, more: "News") -> "News":
        """Return both, ``more`` being what came after this."""
        if self.lost or more.lost:
            return News(more.seq, [], lost=True)
        alerts = list(dict.fromkeys(self.alerts + more.alerts))
        return News(more.seq, alerts, behind=more.behind, has_fire=self.has_fire or more.has_fire)


async def read(conn: Any, after: int | None, most: int, *, fires: bool = False) -> News:
    """Return what was announced after the number ``after`` (None: nothing is known), of at most ``most`` numbers.

    ``fires``: also whether there is a fire among it.
    """
    rows = await conn.fetch(_READ, after, most, fires)
    newest = rows[0]["newest"]
    if not rows[0]["known"]:
        return News(newest, [], lost=True)
    numbered = [row for row in rows if row["seq"] is not None]
    if not numbered:
        return News(newest, [])
    alerts = list(dict.fromkeys(each for row in numbered for each in row["alerts"]))
    last = numbered[-1]["seq"]
    return News(last, alerts, behind=last < newest, has_fire=any(row["has_fire"] for row in numbered))


async def position(conn: Any, name: str) -> int | None:
    """Return the number up to which ``name`` has read; None when it never did."""
    seq = await conn.fetchval("SELECT seq FROM follower WHERE name = $1", name)
    return None if seq is None else int(seq)


async def store_position(conn: Any, name: str, seq: int, *, held: str | None = None) -> bool:
    """Note that ``name`` has read up to the number ``seq``; ``held``: only where this statement finds one row.

    Return whether it was noted.
    """
    done = await conn.execute(
        ("" if held is None else f"WITH held AS ({held}) ")
        + f"INSERT INTO follower (name, seq) SELECT $1::text, $2::int8{'' if held is None else ' FROM held'}"
        " ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
        name,
        seq,
    )
    return bool(done == "INSERT 0 1")
