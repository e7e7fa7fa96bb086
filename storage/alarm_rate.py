"""How many new alarms there are for how many operators: what a flood is told by, the same whoever asks."""

from dataclasses import dataclass
from typing import Any

from firetower.alerts.flags import IN_TEST
from firetower.alerts.floods import LOWEST_PRIORITY, WITHIN
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.rules.verdicts import HISTORICAL
from firetower.storage import seats
from firetower.storage.pool import store_errors

COUNTED = 20_000
"""New alarms are counted up to this many: far past any flood's limit, and still read in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class AlarmRate:
    """``alarms``: new within the ten minutes before ``now``; ``operators``: people at live, sound-armed seats.

    ``flood_since``: when the flood on record that has not ended began, µs; None without one.
    """

    alarms: int
    operators: int
    flood_since: Micros | None


async def alarm_rate(conn: Any, now: Micros) -> AlarmRate:
    """Count alerts of priority 1 to 3 raised lately that asked somebody to act: none held, in test or historical.

    ``conn``: a connection or a pool. Raises StoreUnavailable.
    """
    with store_errors():
        alarms = await conn.fetchval(
            "SELECT count(*) FROM (SELECT FROM alert WHERE raised_at > $1 AND raised_at <= $2"
            f" AND priority <= {LOWEST_PRIORITY} AND hold = 'none' AND NOT flags && $3::text[] LIMIT {COUNTED}) AS new",
            to_datetime(now - WITHIN),
            to_datetime(now),
            [HISTORICAL, IN_TEST],
        )
        since = await conn.fetchval("SELECT max(started_at) FROM flood WHERE ended_at IS NULL")
    operators = await seats.operators(conn, now)
    return AlarmRate(alarms, operators, None if since is None else from_datetime(since))
