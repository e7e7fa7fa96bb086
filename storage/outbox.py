"""The outbox on PostgreSQL: letters as rows, written in the transaction of whatever decides them, sent by one owner.

Whatever the owner writes is fenced by the desk's lease (``alert_moves.fenced``); what receivers tell is not.
"""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import asyncpg

from firetower.alerts.notify.dead_channels import RULE
from firetower.alerts.notify.letters import Letter, LetterState, NewLetter
from firetower.alerts.notify.ports import ChannelFigures, Claimed, Fact, Outcome
from firetower.alerts.notify.wanted import Candidate, sort_out
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import NotFound
from firetower.storage.alert_moves import PIECE, Fence, fenced
from firetower.storage.alert_rows import COLUMNS, chunks, to_alert
from firetower.storage.pool import store_errors

_LOOKED_AT = 200
"""Due letters looked at in one transaction."""
_TROUBLE = 500
"""Characters of a trouble that are kept."""

_PUT = """
INSERT INTO letter (key, reference, alert_id, policy, level, reason, channel, address, name, role, language, contact_id,
    created_at, due_at, next_try_at)
SELECT n.key, n.reference, n.alert_id, n.policy, n.level, n.reason, n.channel, n.address, n.name, n.role, n.language,
    n.contact_id, $14, n.due_at, n.due_at
FROM unnest($1::text[], $2::text[], $3::int8[], $4::text[], $5::int2[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::int4[], $13::timestamptz[])
    AS n (key, reference, alert_id, policy, level, reason, channel, address, name, role, language, contact_id, due_at)
ON CONFLICT (key) DO NOTHING
"""
_FIELDS = (
    "id", "key", "reference", "alert_id", "policy", "level", "reason", "channel", "address", "name", "role", "language",
    "contact_id", "state", "created_at", "due_at", "next_try_at", "tries", "trouble", "sent_at", "delivered_at",
    "read_at", "acted_at", "facts",
)  # fmt: skip
_LETTER = ", ".join(f"l.{name} AS letter_{name}" for name in _FIELDS)

_IS_DUE = (
    "l.state = 'waiting' AND NOT l.id = ANY($3::int8[]) AND (l.next_try_at <= $2 OR l.claimed_at IS NOT NULL"
    " OR coalesce(l.tried_at, l.created_at) > $2)"
)
# What the step `letters` or a receipt changes this moment is taken at the next look: to wait for it, each in an order
# of its own, would be a deadlock.
_DUE = f"""
SELECT {_LETTER}, {COLUMNS}
FROM letter l JOIN alert a ON a.id = l.alert_id
WHERE l.channel = $1 AND {_IS_DUE}
ORDER BY (a.alert_class = 'fire') DESC, a.priority, l.next_try_at, l.id LIMIT {_LOOKED_AT}
FOR NO KEY UPDATE OF l SKIP LOCKED
"""
_ANY_DUE = f"SELECT EXISTS (SELECT FROM letter l WHERE l.channel = $1 AND {_IS_DUE})"
_CLAIM = """
UPDATE letter SET claimed_at = $2, tried_at = $2, tries = tries + 1 WHERE id = ANY($1::int8[])
"""
_CANCEL = """
UPDATE letter l SET state = 'cancelled', claimed_at = NULL, trouble = c.why
FROM unnest($1::int8[], $2::text[]) AS c (id, why) WHERE l.id = c.id
"""
_RECORD = """
UPDATE letter SET claimed_at = NULL, facts = facts || $5,
    state = CASE WHEN state = 'waiting' THEN $2 ELSE state END,
    trouble = CASE WHEN state = 'waiting' THEN $3 ELSE trouble END,
    next_try_at = coalesce($4, next_try_at),
    sent_at = CASE WHEN $2 = 'sent' THEN coalesce(sent_at, $6) ELSE sent_at END
WHERE id = $1
"""
_NOTED = {Fact.DELIVERED: "delivered_at", Fact.READ: "read_at", Fact.ACTED: "acted_at"}


async def put_letters(conn: Any, letters: Sequence[NewLetter], now: Micros) -> int:
    """Write letters inside the caller's transaction and return how many are new: a key is written once, for ever."""
    written = 0
    for chunk in chunks(letters):
        done = await conn.execute(
            _PUT,
            [each.key for each in chunk],
            [secrets.token_urlsafe(16) for _ in chunk],
            [each.alert_id for each in chunk],
            [each.policy for each in chunk],
            [each.level for each in chunk],
            [each.reason for each in chunk],
            [each.channel for each in chunk],
            [each.address for each in chunk],
            [each.name for each in chunk],
            [each.role for each in chunk],
            [each.language for each in chunk],
            [each.contact_id for each in chunk],
            [to_datetime(each.due_at) for each in chunk],
            to_datetime(now),
        )
        written += int(done.rsplit(" ", 1)[1])
    return written


class Outbox:
    """The store of ``alerts/notify/ports.py``. ``lease``: the desk's; without one, only what is not fenced works."""

    def __init__(self, pool: asyncpg.Pool, lease: Fence | None = None) -> None:
        self._pool = pool
        self._lease = lease

    async def put(self, letters: Sequence[NewLetter], now: Micros) -> int:
        """Write letters in a transaction of their own. Raises StoreUnavailable."""
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                return await put_letters(conn, letters, now)

    async def begin(self, channels: Sequence[str]) -> Sequence[str]:
        """Fail what waits for channels the plan has no more, and return those whose alert stands all the same."""
        async with fenced(self._pool, self._held) as conn:
            await conn.execute(
                "UPDATE letter SET state = 'failed', claimed_at = NULL, trouble = 'the duty plan has no channel '"
                " || channel || ' any more' WHERE state = 'waiting' AND NOT channel = ANY($1::text[])",
                list(channels),
            )
            return [name for name in await _dead(conn) if name not in channels]

    async def dead(self) -> list[str]:
        """Return the channels that are said to be dead: their own alert stands. Raises StoreUnavailable."""
        with store_errors():
            return await _dead(self._pool)

    async def claim(self, channel: str, most: int, in_hand: Collection[int], now: Micros) -> Claimed:
        """Take due letters into hand, on rows locked for it. Raises LeaseLost, StoreUnavailable."""
        asked = (channel, to_datetime(now), list(in_hand))
        with store_errors():
            if not await self._pool.fetchval(_ANY_DUE, *asked):
                return Claimed(())
        async with fenced(self._pool, self._held) as conn:
            candidates = [
                Candidate(_letter(row), to_alert(row)) async for row in conn.cursor(_DUE, *asked, prefetch=PIECE)
            ]
            done = sort_out(candidates, most)
            if done.cancel:
                await conn.execute(_CANCEL, [each.id for each, _ in done.cancel], [why for _, why in done.cancel])
            if done.send:
                await conn.execute(_CLAIM, [each.letter.id for each in done.send], asked[1])
        send = tuple(each.in_hand() for each in done.send)
        return Claimed(send, Counter(why for _, why in done.cancel))

    async def record(self, letter: Letter, outcome: Outcome, now: Micros) -> None:
        """Store what became of a letter in hand. Raises LeaseLost, StoreUnavailable."""
        next_try = None if outcome.next_try_at is None else to_datetime(outcome.next_try_at)
        trouble = None if outcome.trouble is None else outcome.trouble.replace("\0", "")[:_TROUBLE]
        async with fenced(self._pool, self._held) as conn:
            await conn.execute(
                _RECORD, letter.id, outcome.state, trouble, next_try, dict(outcome.facts), to_datetime(now)
            )

    async def note(self, reference: str, fact: Fact | None, at: Micros, facts: Mapping[str, Any]) -> bool:
        """Note what a receiver told, the first time it does; what is told of was sent. Raises NotFound."""
        column = None if fact is None else _NOTED[fact]
        with store_errors():
            async with self._pool.acquire() as conn, conn.transaction():
                row = await conn.fetchrow(
                    "SELECT id, delivered_at, read_at, acted_at, facts FROM letter WHERE reference = $1"
                    " FOR NO KEY UPDATE",
                    reference,
                )
                if row is None:
                    raise NotFound("there is no letter by that reference; use the key that came with it")
                known = facts.items() <= row["facts"].items() if column is None else row[column] is not None
                if not known:
                    await conn.execute(
                        "UPDATE letter SET facts = $3::jsonb || facts, sent_at = coalesce(sent_at, $2),"
                        " state = CASE state WHEN 'waiting' THEN 'sent' ELSE state END"
                        f"{'' if column is None else f', {column} = $2'} WHERE id = $1",
                        row["id"], to_datetime(at), dict(facts),
                    )  # fmt: skip
        return not known

    async def asked_about(self, channel: str, since: Micros, most: int) -> list[Letter]:
        """Return letters of which more may be told. Raises StoreUnavailable."""
        return await self._letters(
            "l.channel = $1 AND l.created_at >= $2::timestamptz - interval '1 day' AND l.sent_at >= $2"
            " AND l.acted_at IS NULL AND NOT l.facts ? 'undelivered' ORDER BY l.id LIMIT $3",
            channel, to_datetime(since), most,
        )  # fmt: skip

    async def of_alert(self, alert_id: int) -> list[Letter]:
        """Return the letters about an alert, oldest first. Raises StoreUnavailable."""
        return await self._letters("l.alert_id = $1 ORDER BY l.id", alert_id)

    async def of_reference(self, reference: str) -> Letter:
        """Return one letter. Raises NotFound, StoreUnavailable."""
        found = await self._letters("l.reference = $1", reference)
        if not found:
            raise NotFound("there is no letter by that reference; use the key that came with it")
        return found[0]

    async def figures(self, since: Micros) -> dict[str, ChannelFigures]:
        """Return the figures of every channel. Raises StoreUnavailable."""
        with store_errors():
            counts = await self._pool.fetch(
                "SELECT channel, state, count(*) AS n FROM letter WHERE created_at >= $1 GROUP BY 1, 2",
                to_datetime(since),
            )
            troubles = await self._pool.fetch(
                "SELECT DISTINCT ON (channel) channel, trouble, tried_at FROM letter WHERE created_at >= $1"
                " AND trouble IS NOT NULL AND state <> 'cancelled' AND tried_at IS NOT NULL"
                " ORDER BY channel, tried_at DESC",
                to_datetime(since),
            )
        newest = {row["channel"]: (row["trouble"], from_datetime(row["tried_at"])) for row in troubles}
        by_channel: dict[str, dict[LetterState, int]] = {}
        for row in counts:
            by_channel.setdefault(row["channel"], {})[LetterState(row["state"])] = row["n"]
        return {
            name: ChannelFigures(by_state, *newest.get(name, (None, None))) for name, by_state in by_channel.items()
        }

    @property
    def _held(self) -> Fence:
        if self._lease is None:
            raise RuntimeError("an outbox without a lease sends nothing")
        return self._lease

    async def _letters(self, where: str, *arguments: Any) -> list[Letter]:
        with store_errors():
            rows = await self._pool.fetch(f"SELECT {_LETTER} FROM letter l WHERE {where}", *arguments)
        return [_letter(row) for row in rows]


async def _dead(conn: Any) -> list[str]:
    rows = await conn.fetch(
        "SELECT a.component FROM alert a WHERE a.rule = $1 AND a.condition = 'active' AND a.state <> 'closed'"
        " ORDER BY 1",
        RULE,
    )
    return [row["component"] for row in rows]


def _letter(row: Any) -> Letter:
    def at(name: str) -> Micros | None:
        value = row[f"letter_{name}"]
        return None if value is None else from_datetime(value)

    plain = (
        "key", "alert_id", "policy", "level", "reason", "channel", "address", "name", "role", "language", "contact_id",
    )  # fmt: skip
    return Letter(
        id=row["letter_id"],
        new=NewLetter(due_at=at("due_at") or 0, **{name: row[f"letter_{name}"] for name in plain}),
        state=LetterState(row["letter_state"]),
        created_at=at("created_at") or 0,
        next_try_at=at("next_try_at") or 0,
        tries=row["letter_tries"],
        trouble=row["letter_trouble"],
        sent_at=at("sent_at"),
        delivered_at=at("delivered_at"),
        read_at=at("read_at"),
        acted_at=at("acted_at"),
        reference=row["letter_reference"],
        facts=row["letter_facts"],
    )
