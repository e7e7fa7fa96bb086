"""The durable sequence of what changed, announced inside the change's own transaction, followed by every console.

Numbers are drawn under a lock that PostgreSQL releases only after the commit is visible, so they are in commit order
and without gaps: who has seen ``n`` will never later find a smaller one that was not there. NOTIFY carries the number
only; the rows say what changed. On the same channel a canary's commit is told as ``canary <sent> <committed>``,
both in µs (``storage/canary.py``): latest wins, no number.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.core.clock import HOUR, Micros, to_datetime
from firetower.storage import canary
from firetower.storage.listening import ANSWER_S, follow
from firetower.storage.pool import store_errors

CHANNEL = "firetower_live"
KEPT_FOR: Micros = HOUR
"""How long a console may have been away and still resume without a new snapshot."""

_LOCK = 0x4669_7265_4C69_7665
"""The advisory lock under which numbers are drawn; taken by nothing else."""

_LATEST = "SELECT coalesce(max(seq), 0) FROM live_change"
# The lock is a statement of its own: the next one's snapshot is then taken after the commit of whoever held it.
_WAIT = f"SELECT pg_advisory_xact_lock({_LOCK})"
_DRAW = (
    "WITH drawn AS (INSERT INTO live_change (seq, at, alerts, incidents, windows)"
    "  SELECT coalesce(max(seq), 0) + 1, {at}, {alerts}::bigint[], {incidents}::bigint[], {windows}::bigint[]"
    "  FROM live_change RETURNING seq)"
    f" SELECT seq FROM drawn, pg_notify('{CHANNEL}', drawn.seq::text)"
)
_DRAW_GIVEN = _DRAW.format(at="$1", alerts="$2", incidents="$3", windows="$4")


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed up to the number ``seq``: ids, each once, in order."""

    seq: int
    alerts: list[int]
    incidents: list[int]
    windows: list[int]


async def announce(
    conn: Any, alert_ids: Sequence[int], at: Micros, *, incidents: Sequence[int] = (), windows: Sequence[int] = ()
) -> int | None:
    """Draw the next number for a change of ``alert_ids``, ``incidents`` and ``windows``; None when there are none.

    To be the last statement of a READ COMMITTED transaction: from here to its COMMIT no other change can be announced.
    """
    if not (alert_ids or incidents or windows):
        return None
    await conn.execute(_WAIT)
    changed = (sorted(set(ids)) for ids in (alert_ids, incidents, windows))
    seq = await conn.fetchval(_DRAW_GIVEN, to_datetime(at), *changed)
    return int(seq)


def announcing(alert_ids: Sequence[int], at: Micros) -> str:
    """Return ``announce`` as a script of numbers only, to be sent together with the COMMIT; "" when there are none.

    Nobody then waits for a number while its holder's COMMIT is on the way.
    """
    if not alert_ids:
        return ""
    numbers = ",".join(str(int(alert_id)) for alert_id in sorted(set(alert_ids)))
    return (
        f"{_WAIT};"
        + _DRAW.format(at=f"'{to_datetime(at)}'", alerts=f"'{{{numbers}}}'", incidents="'{}'", windows="'{}'")
        + ";"
    )


async def latest(conn: Any) -> int:
    """Return the newest number, 0 before the first change."""
    return int(await conn.fetchval(_LATEST))


async def since(conn: Any, after: int) -> Changed | None:
    """Return the newest number and what changed after ``after``; None when some of it may be forgotten.

    ``conn`` must be in a transaction with one snapshot (REPEATABLE READ) for number and alerts to agree.
    """
    row = await conn.fetchrow(
        "SELECT coalesce(min(seq), 1) AS oldest, coalesce(max(seq), 0) AS newest FROM live_change"
    )
    if not row["oldest"] - 1 <= after <= row["newest"]:
        return None
    rows = await conn.fetch("SELECT alerts, incidents, windows FROM live_change WHERE seq > $1", after)
    alerts, incidents, windows = (
        sorted({each for changed in rows for each in changed[of]}) for of in ("alerts", "incidents", "windows")
    )
    return Changed(row["newest"], alerts, incidents, windows)


async def prune(pool: asyncpg.Pool, now: Micros) -> int:
    """Forget changes older than an hour and return how many; the newest always stays, as the numbers go on from it."""
    with store_errors():
        done = await pool.execute(
            "DELETE FROM live_change WHERE at < $1 AND seq < (SELECT max(seq) FROM live_change)",
            to_datetime(now - KEPT_FOR),
        )
    return int(done.rsplit(" ", 1)[1])


async def listen(
    source: asyncpg.Pool | str,
    on_seq: Callable[[int], None],
    *,
    on_canary: Callable[[Micros, Micros], None] = lambda _sent, _committed: None,
) -> None:
    """Call ``on_seq`` with each number as it is committed, until cancelled.

    ``on_canary`` is called with (sent, committed), µs, as a canary is committed, and with the newest one whenever
    ``on_seq`` is called with the newest number; it may be told the same one again.

    On every connection, the first and each after a loss, it is called with the newest number, so that nothing announced
    in between is missed. Numbers may be skipped or said again (the newest one counts), never taken back.
    ``source``: a database URL, or a pool of which one connection is kept.
    """

    async def look(conn: Any, _connected: bool) -> None:
        on_seq(int(await conn.fetchval(_LATEST, timeout=ANSWER_S)))
        flown = await canary.latest_on(conn, timeout=ANSWER_S)
        if flown is not None:
            on_canary(*flown)

    def heard(payload: str) -> None:
        flown = canary.heard(payload)
        if flown is not None:
            on_canary(*flown)
        else:
            on_seq(int(payload))

    await follow(source, CHANNEL, look=look, heard=heard)
