"""What another alert explains: hidden while the cause stands, shown again after it. A step of the desk.

A silent gateway hides the silence of its points, lost power hides its panel's faults (``alerts/holds.py``). What is
raised while its cause stands is hidden as it is raised; this hides what came before it, and brings everything back.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

from firetower.alerts.holds import POWER_RULES, Move, suppress, under_cause
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, to_datetime
from firetower.storage.alert_moves import BATCH, Fence, fenced, locked, write
from firetower.storage.alert_rows import COLUMNS, to_alert
from firetower.storage.pool import store_errors

_POWER = ", ".join(f"'{rule}'" for rule in POWER_RULES)
_STANDS = "c.state <> 'closed' AND c.condition = 'active'"


def _is_cause(c: str) -> str:
    """Return the condition that the row ``c`` stands and may explain others."""
    silent = f"{c}.alert_class = 'offline' AND {c}.subject_kind = 'gateway'"
    return f"({silent} OR {c}.rule IN ({_POWER})) AND {c}.state <> 'closed' AND {c}.condition = 'active'"


# What ``holds.explains`` says, so that a page holds nothing but what is to be moved; that decides, on locked rows.
_EXPLAINS = f"""a.unit = c.unit AND (
    c.alert_class = 'offline' AND a.alert_class = 'offline' AND a.subject_kind = 'device' AND a.gateway = c.device
    OR c.rule IN ({_POWER}) AND a.rule NOT IN ({_POWER}) AND a.alert_class = 'fault' AND a.device = c.device)"""
_IN_VIEW = (
    "a.hold = 'none' AND a.state IN ('unacknowledged', 'acknowledged') AND a.condition = 'active'"
    " AND a.alert_class IN ('fault', 'offline')"
)
_ORDER = f"ORDER BY a.raised_at, a.id LIMIT {BATCH}"

# ``$1``: the alerts to look at, as causes and as what they explain; NULL: all.
_TO_HIDE = f"""
SELECT a.id, a.raised_at FROM alert c JOIN alert a ON {_EXPLAINS}
WHERE {_is_cause("c")} AND {_IN_VIEW} AND ($1::bigint[] IS NULL OR c.id = ANY($1))
UNION SELECT a.id, a.raised_at FROM alert a JOIN alert c ON {_EXPLAINS}
WHERE a.id = ANY($1) AND {_IN_VIEW} AND {_is_cause("c")}
ORDER BY raised_at, id LIMIT {BATCH}
"""
_CAUSE_TURNED = f"""
SELECT a.id FROM alert a LEFT JOIN alert c ON c.id = a.cause_id
WHERE a.cause_id IS NOT NULL AND a.hold = 'suppressed' AND a.state <> 'closed'
AND ($1::bigint[] IS NULL OR a.cause_id = ANY($1))
AND CASE WHEN {_STANDS} THEN a.held_until IS NOT NULL
         WHEN c.condition = 'active' THEN true ELSE a.held_until IS NULL END
{_ORDER}
"""
_CAUSE_ANEW = f"""
SELECT a.id FROM alert c JOIN alert a ON {_EXPLAINS}
WHERE {_is_cause("c")} AND ($1::bigint[] IS NULL OR c.id = ANY($1)) AND a.cause_id IS NOT NULL AND a.cause_id <> c.id
AND a.held_until IS NOT NULL AND a.hold = 'suppressed' AND a.state <> 'closed'
{_ORDER}
"""
_GRACE_OVER = (
    "SELECT a.id FROM alert a WHERE a.held_until <= $1 AND a.hold = 'suppressed' AND a.cause_id IS NOT NULL"
    f" AND a.state <> 'closed' ORDER BY a.held_until, a.id LIMIT {BATCH}"
)
_CAUSES_OF = (
    f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[])"
    f" UNION SELECT {COLUMNS} FROM alert a WHERE a.unit = ANY($2::text[]) AND {_is_cause('a')}"
)


class Causes:
    """Hides what an alert explains, and brings it back when that is over.

    What is left to look at is kept between calls; the first call of each run looks at everything.
    """

    name = "causes"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease
        self._look: dict[int, None] | None = None

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Act on causes that came or went, the oldest they explain first. Raises LeaseLost, StoreUnavailable."""
        if changed is None:
            self._look = None
        elif self._look is not None:
            self._look.update(dict.fromkeys(changed))
        look = None if self._look is None else list(self._look)
        with store_errors():
            found = [await self._ids(_GRACE_OVER, to_datetime(now))]
            if look is None or look:
                found += [await self._ids(each, look) for each in (_CAUSE_TURNED, _CAUSE_ANEW, _TO_HIDE)]
        ids = list(dict.fromkeys(each for some in found for each in some))[:BATCH]
        if ids:
            async with fenced(self._pool, self._lease) as conn:
                alerts = await locked(conn, ids)
                causes = await _causes_of(conn, alerts)
                moves = [_decide(alert, causes, now) for alert in alerts]
                await write(conn, [move for move in moves if move is not None], now)
        if all(len(some) < BATCH for some in found) and sum(map(len, found)) <= BATCH:
            self._look = {}

    async def _ids(self, query: str, argument: Any) -> list[int]:
        return [row["id"] for row in await self._pool.fetch(query, argument)]


async def _causes_of(conn: Any, alerts: Sequence[Alert]) -> dict[int, Alert]:
    """Return, by id, the causes that alerts have, and those of their units that stand."""
    rows = await conn.fetch(
        _CAUSES_OF,
        [alert.cause_id for alert in alerts if alert.cause_id is not None],
        list({alert.unit for alert in alerts if alert.unit is not None}),
    )
    return {row["id"]: to_alert(row) for row in rows}


def _decide(alert: Alert, causes: dict[int, Alert], now: Micros) -> Move | None:
    if alert.cause_id is not None:
        return under_cause(alert, causes, now)
    return suppress(alert, causes.values(), now)
