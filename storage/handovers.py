"""Messages to 119 as their sender takes and records them: each transaction fenced by the desk's lease."""

from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from firetower.alerts.duty.command_centre import CommandCentre
from firetower.alerts.handover.model import Kind, Message, MessageState, Signed
from firetower.alerts.handover.pacing import Next
from firetower.alerts.handover.payload import compose
from firetower.alerts.model import Alert, State, Transition
from firetower.alerts.verification import Channel, Receipt, receipt
from firetower.core.clock import Micros, from_datetime, rfc3339, to_datetime
from firetower.storage import changes, handover_facts
from firetower.storage.alert_acts import get
from firetower.storage.alert_moves import Fence, fenced
from firetower.storage.alert_rows import KEY_ORDER, append_history, update
from firetower.storage.pool import store_errors

ACTOR = "119"
"""Who takes what is handed over."""
_TIMER = "timer"
_MOST_MISSED = 100
"""Missed receipts recorded in one transaction."""

# A clock that was set back leaves times that are too far ahead: those count as come. Of a fire that nobody took none is
# more than half a minute ahead; anything else may have been asked to wait for a quarter of an hour.
_DUE = """
SELECT h.id, h.key, h.alert_id, h.kind, h.created_at, h.body, h.tries, h.refused, a.alert_class = 'fire' AS is_fire,
    a.state <> 'closed' AND (a.receipted_at IS NULL OR a.handover_id <> coalesce(h.report_id, h.id)) AS is_awaited,
    (SELECT max(m.created_at) FROM handover m
     WHERE m.id = coalesce(h.report_id, h.id) OR m.report_id = coalesce(h.report_id, h.id)) AS newest_at
FROM handover h JOIN alert a ON a.id = h.alert_id
WHERE (h.next_try_at <= $1 OR h.next_try_at > $1 + interval '20 minutes'
       OR (a.alert_class = 'fire' AND h.next_try_at > $1 + interval '1 minute' AND a.state <> 'closed'
           AND (a.receipted_at IS NULL OR a.handover_id <> coalesce(h.report_id, h.id))))
    AND h.id <> ALL($2::bigint[])
    AND NOT EXISTS (
        SELECT FROM handover p WHERE p.id < h.id AND p.next_try_at IS NOT NULL
            AND (p.id = h.report_id OR p.report_id = h.report_id))
ORDER BY is_fire DESC, h.kind = 'report' DESC, h.id
LIMIT $3
"""

_CONFIGURE = """
INSERT INTO command_centre (id, sender, receipt_within_ms, since) VALUES (1, $1, $2, $3)
ON CONFLICT (id) DO UPDATE SET sender = excluded.sender, receipt_within_ms = excluded.receipt_within_ms
"""
_GIVE_UP = """
UPDATE handover SET state = 'failed', next_try_at = NULL, trouble = $1
WHERE next_try_at IS NOT NULL RETURNING alert_id
"""
_NOBODY = "the duty plan names no command centre any more; call 119"

# an instance without the plan may have kept the desk for a while: no open alert stays without its report for that
_TAKE_UP = """
UPDATE handover h SET state = 'waiting', next_try_at = $2, trouble = NULL
FROM alert a
WHERE h.trouble = $1 AND h.received_at IS NULL AND h.next_try_at IS NULL AND a.id = h.alert_id
    AND a.state <> 'closed' AND a.receipted_at IS NULL AND a.handover_id = coalesce(h.report_id, h.id)
RETURNING h.alert_id
"""

_SENT = """
UPDATE handover SET tries = tries + 1, first_sent_at = coalesce(first_sent_at, $2), last_sent_at = $2, state = $3,
    refused = $4, trouble = $5, next_try_at = $6
WHERE id = $1 AND received_at IS NULL
"""
_LEFT = """
UPDATE handover SET state = 'failed', next_try_at = NULL, trouble = $2
WHERE report_id = $1 AND received_at IS NULL AND next_try_at IS NOT NULL
"""
_RECEIVED = """
UPDATE handover SET tries = tries + 1, first_sent_at = coalesce(first_sent_at, $2), last_sent_at = $2,
    state = 'received', received_at = $2, receipt_number = $3, receipt_person = $4, receipt_at = $5,
    trouble = NULL, next_try_at = NULL
WHERE id = $1 AND received_at IS NULL
"""

_MISSED = """
SELECT h.alert_id, h.id FROM handover h JOIN alert a ON a.id = h.alert_id
WHERE h.received_at IS NULL AND h.missed_at IS NULL AND h.due_at <= $1
    AND (h.kind <> 'report' OR a.receipted_at IS NULL OR a.handover_id <> h.id)
ORDER BY h.due_at LIMIT $2
"""
_MISS = """
UPDATE handover SET missed_at = $2 WHERE id = ANY($1::bigint[]) AND received_at IS NULL AND missed_at IS NULL
RETURNING alert_id, kind, key, due_at, tries, trouble
"""


class Handovers:
    """``alerts.handover.ports.Messages`` on PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool, lease: Fence, centre: CommandCentre | None, zone: ZoneInfo) -> None:
        self._pool = pool
        self._lease = lease
        self._centre = centre
        self._zone = zone

    async def configure(self, now: Micros) -> None:
        """Have messages written from now on, or no more where no centre is configured: those that wait are given up.

        What was given up so of an open alert that nobody at 119 took is taken up again.
        """
        centre = self._centre
        async with fenced(self._pool, self._lease) as conn:
            if centre is not None:
                await conn.execute(_CONFIGURE, centre.sender, centre.receipt_within // 1000, to_datetime(now))
                changed = await conn.fetch(_TAKE_UP, _NOBODY, to_datetime(now))
            else:
                await conn.execute("DELETE FROM command_centre")
                changed = await conn.fetch(_GIVE_UP, _NOBODY)
            await changes.announce(conn, [row["alert_id"] for row in changed], now)

    async def due(self, now: Micros, in_hand: Collection[int], limit: int) -> Sequence[Message]:
        """Return what is to be sent now: the first of each hand-over that is without a receipt; fires first."""
        with store_errors():
            rows = await self._pool.fetch(_DUE, to_datetime(now), list(in_hand), limit)
        return [
            Message(
                id=row["id"],
                key=row["key"],
                alert_id=row["alert_id"],
                kind=Kind(row["kind"]),
                created_at=from_datetime(row["created_at"]),
                body=row["body"],
                tries=row["tries"],
                refused=row["refused"],
                newest_at=from_datetime(row["newest_at"]),
                is_fire=row["is_fire"],
                is_awaited=row["is_awaited"],
            )
            for row in rows
        ]

    async def claim(self, message: Message, now: Micros) -> bytes:
        """Return the message's body, the same at every try; to be asked before each."""
        body = message.body
        if body is None:
            system = "WGS-84" if self._centre is None else self._centre.coordinate_system
            body = compose(await handover_facts.told(self._pool, message.id, now, self._zone), system)
        async with fenced(self._pool, self._lease) as conn:
            kept = await conn.fetchval(
                "UPDATE handover SET body = $2 WHERE id = $1 AND body IS NULL RETURNING body", message.id, body
            )
        return body if kept is None else bytes(kept)

    async def received(self, message: Message, signed: Signed, now: Micros) -> None:
        """Record its receipt, once: on the alert too, where the message is its newest report and it is open."""
        async with fenced(self._pool, self._lease) as conn:
            alert = await get(conn, message.alert_id, lock=True)
            done = await conn.execute(
                _RECEIVED, message.id, to_datetime(now), signed.number, signed.person, to_datetime(signed.at)
            )
            if done != "UPDATE 1":
                return
            if _is_of(alert, message):
                act = Receipt(signed.person, Channel.INTERFACE, signed.number)
                after, entries = receipt(alert, act, ACTOR, now)
                await update(conn, [after])
            else:
                said = {"kind": message.kind.value, "person": signed.person, "reference": signed.number}
                entries = (Transition(alert.state, alert.state, now, ACTOR, "receipted", said),)
            await append_history(conn, [(alert.id, entry) for entry in entries])
            await changes.announce(conn, [alert.id], now)

    async def unreceived(self, message: Message, after: Next, trouble: str, now: Micros) -> None:
        """Record a try without a receipt; a report that is given up takes what follows it along."""
        next_try_at = None if after.next_try_at is None else to_datetime(after.next_try_at)
        async with fenced(self._pool, self._lease) as conn:
            await conn.execute(
                _SENT, message.id, to_datetime(now), after.state, after.refused, trouble[:300], next_try_at
            )
            if message.kind is Kind.REPORT and after.state is MessageState.FAILED and next_try_at is None:
                await conn.execute(_LEFT, message.id, "its report has no receipt; call 119")
            await changes.announce(conn, [message.alert_id], now)

    async def miss(self, now: Micros) -> None:
        """Record in the history, once each, the messages whose receipt has not come in time."""
        with store_errors():
            rows = await self._pool.fetch(_MISSED, to_datetime(now), _MOST_MISSED)
        if not rows:
            return
        async with fenced(self._pool, self._lease) as conn:
            states = await _locked_states(conn, [row["alert_id"] for row in rows])
            missed = await conn.fetch(_MISS, [row["id"] for row in rows], to_datetime(now))
            await append_history(
                conn, [(row["alert_id"], _missing(row, states[row["alert_id"]], now)) for row in missed]
            )
            await changes.announce(conn, [row["alert_id"] for row in missed], now)


def _is_of(alert: Alert, message: Message) -> bool:
    """Say whether a message is what the alert, open and forwarded, waits to be received."""
    current = alert.handover is not None and alert.handover.key == message.key
    return current and alert.state is not State.CLOSED and alert.forwarded_at is not None


async def _locked_states(conn: Any, alert_ids: Sequence[int]) -> dict[int, State]:
    rows = await conn.fetch(
        f"SELECT a.id, a.state FROM alert a WHERE a.id = ANY($1::bigint[]) ORDER BY {KEY_ORDER} FOR NO KEY UPDATE",
        list(alert_ids),
    )
    return {row["id"]: State(row["state"]) for row in rows}


def _missing(row: Any, state: State, now: Micros) -> Transition:
    said = {
        "kind": row["kind"],
        "due_at": rfc3339(from_datetime(row["due_at"])),
        "tries": row["tries"],
        "trouble": row["trouble"],
    }
    evidence = {name: value for name, value in said.items() if value is not None}
    return Transition(state, state, now, _TIMER, "receipt_missing", evidence)
