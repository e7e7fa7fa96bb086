"""What another alert explains: hidden while the cause stands, shown again after it. A step of the desk.

A silent gateway hides the silence of its points, a unit's dead link that of its devices and gateways, lost power hides
its panel's faults (``alerts/holds.py``). What is
raised while its cause stands is hidden as it is raised; this hides what came before it, and brings everything back.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg

from firetower.alerts.holds import GRACE, POWER_RULES, Move, explains, suppress, under_cause
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, to_datetime
from firetower.storage.alert_moves import BATCH, Fence, fenced, in_turns, locked, read, write
from firetower.storage.alert_rows import COLUMNS
from firetower.storage.pool import store_errors

_POWER = ", ".join(f"'{rule}'" for rule in POWER_RULES)
_STANDS = "c.state <> 'closed' AND c.condition = 'active'"


def _is_cause(c: str) -> str:
    """Return the condition that the row ``c`` stands and may explain others."""
    silent = f"{c}.alert_class = 'offline' AND {c}.subject_kind IN ('gateway', 'unit')"
    return f"({silent} OR {c}.rule IN ({_POWER})) AND {c}.state <> 'closed' AND {c}.condition = 'active'"


# What ``holds.explains`` says, so that a page holds nothing but what is to be moved; that decides, on locked rows.
_EXPLAINS = f"""a.unit = c.unit AND (
    c.alert_class = 'offline' AND a.alert_class = 'offline' AND (
        c.subject_kind = 'gateway' AND a.subject_kind = 'device' AND a.gateway = c.device
        OR c.subject_kind = 'unit' AND a.subject_kind IN ('device', 'gateway'))
    OR c.rule IN ({_POWER}) AND a.rule NOT IN ({_POWER}) AND a.alert_class = 'fault' AND a.device = c.device)"""
_IN_VIEW = (
    "a.hold = 'none' AND a.state IN ('unacknowledged', 'acknowledged') AND a.condition = 'active'"
    " AND a.alert_class IN ('fault', 'offline')"
)
_FOUND = 10 * BATCH
"""Most alerts that are looked for at once: finding them costs more than moving a batch."""
_LOOKED_AT = 200
"""Most changed alerts that are looked at in one call."""
_ORDER = f"ORDER BY a.raised_at, a.id LIMIT {_FOUND}"

# ``$1``: the alerts that changed; NULL: all.
_TO_HIDE = f"""
SELECT a.id FROM alert c JOIN alert a ON {_EXPLAINS}
WHERE {_is_cause("c")} AND {_IN_VIEW} AND ($1::bigint[] IS NULL OR c.id = ANY($1))
{_ORDER}
"""
_CAME_INTO_VIEW = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[]) AND {_IN_VIEW} {_ORDER}"
_CAUSE_TURNED = f"""
SELECT a.id FROM alert a LEFT JOIN alert c ON c.id = a.cause_id
WHERE a.cause_id IS NOT NULL AND a.hold = 'suppressed' AND a.state <> 'closed'
AND ($1::bigint[] IS NULL OR a.cause_id = ANY($1) OR a.id = ANY($1))
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
    "SELECT a.id FROM alert a WHERE (a.held_until <= $1"
    f" OR a.held_until > $1 + interval '{GRACE} microseconds') AND a.hold = 'suppressed' AND a.cause_id IS NOT NULL"
    f" AND a.state <> 'closed' ORDER BY a.held_until, a.id LIMIT {BATCH}"
)
"""A grace with longer to go than one lasts was noted before the clock was set back."""
_BY_ID = f"SELECT {COLUMNS} FROM alert a WHERE a.id = ANY($1::bigint[])"
# by the key of an index of its own: in a flood, a unit's open alerts are too many to look among; what is of the unit
# itself has no device, and such alerts are few
_STANDING_AT = f"""
SELECT a.* FROM (SELECT DISTINCT unit, device FROM unnest($1::text[], $2::text[]) AS k (unit, device)) k
CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM alert a WHERE a.unit = k.unit AND a.device = k.device AND {_is_cause("a")} OFFSET 0
) a
UNION ALL
SELECT a.* FROM (SELECT DISTINCT unit FROM unnest($1::text[]) AS k (unit)) k
CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM alert a WHERE a.unit = k.unit AND a.device IS NULL AND {_is_cause("a")} OFFSET 0
) a
"""


class Causes:
    """Hides what an alert explains, and brings it back when that is over.

    What is left to look at, and to move, is kept between calls; the first call of each run looks at everything.
    """

    name = "causes"

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self._pool = pool
        self._lease = lease
        self._look: dict[int, None] | None = None
        self._to_move: dict[int, None] = {}

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Act on causes that came or went, the oldest they explain first. Raises LeaseLost, StoreUnavailable."""
        if changed is None:
            self._look = None
        elif self._look is not None:
            self._look.update(dict.fromkeys(changed))
        with store_errors():
            if not self._to_move:
                await self._find()
            over = await self._ids(_GRACE_OVER, to_datetime(now))
        ids = list(dict.fromkeys([*over, *self._to_move]))[:BATCH]
        if ids:
            async with fenced(self._pool, self._lease) as conn:
                alerts = await locked(conn, ids)
                causes = await _causes_of(conn, alerts)
                moves = [causes.decide(alert, now) async for alert in in_turns(alerts)]
                await write(conn, [move for move in moves if move is not None], now)
        for each in ids:
            self._to_move.pop(each, None)

    async def _find(self) -> None:
        """Note what may have to move because of what is to be looked at, which is then done with unless there is more.

        What is noted is decided on again when it is locked.
        """
        look = None if self._look is None else list(self._look)[:_LOOKED_AT]
        if look is not None and not look:
            return
        found = [await self._ids(each, look) for each in (_CAUSE_TURNED, _CAUSE_ANEW, _TO_HIDE)]
        if look is not None:
            found.append(await self._explained(look))
        self._to_move.update(dict.fromkeys(each for some in found for each in some))
        if all(len(some) < _FOUND for some in found):
            self._look = self._look or {}
            for each in look or ():
                del self._look[each]

    async def _explained(self, changed: Sequence[int]) -> list[int]:
        """Return which of the alerts that changed are in view though another one explains them."""
        async with self._pool.acquire() as conn, conn.transaction(readonly=True):
            alerts = await read(conn, _CAME_INTO_VIEW, changed)
            causes = await _causes_of(conn, alerts)
        return [alert.id for alert in alerts if causes.explain(alert)]

    async def _ids(self, query: str, argument: Any) -> list[int]:
        return [row["id"] for row in await self._pool.fetch(query, argument)]


class _Known:
    """What stands and may explain some alerts, by where it stands, and the causes that they have, by id."""

    def __init__(self, standing: Sequence[Alert], own: Sequence[Alert]) -> None:
        self._own = {cause.id: cause for cause in own}
        self._at: dict[tuple[str | None, str | None], list[Alert]] = defaultdict(list)
        for cause in standing:
            self._at[cause.unit, cause.device].append(cause)

    def explain(self, alert: Alert) -> bool:
        """Say whether anything explains ``alert``."""
        return any(explains(cause, alert) for cause in self._near(alert))

    def decide(self, alert: Alert, now: Micros) -> Move | None:
        """Hide, keep or bring back ``alert`` as its causes stand; None when that changes nothing."""
        near = self._near(alert)
        if alert.cause_id is None:
            return suppress(alert, near, now)
        own = self._own.get(alert.cause_id)
        return under_cause(alert, {cause.id: cause for cause in ([] if own is None else [own]) + near}, now)

    def _near(self, alert: Alert) -> list[Alert]:
        places = dict.fromkeys((alert.unit, of) for of in (alert.gateway, alert.device, None))
        return [cause for place in places for cause in self._at.get(place, ())]


async def _causes_of(conn: Any, alerts: Sequence[Alert]) -> _Known:
    """Return the causes that alerts have, and what stands of their gateways, of their units, of the devices."""
    places = {(alert.unit, of) for alert in alerts for of in (alert.gateway, alert.device) if of is not None}
    standing = await read(conn, _STANDING_AT, [unit for unit, _ in places], [of for _, of in places])
    own = {alert.cause_id for alert in alerts if alert.cause_id is not None}
    return _Known(standing, await read(conn, _BY_ID, list(own)) if own else [])
