"""What ingest needs of the store, met on PostgreSQL: one transaction per unit of work."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from firetower.core.clock import DAY, Clock, Micros, to_datetime
from firetower.core.logs import logger
from firetower.devices.events import Event
from firetower.devices.readings import Floats, Readings
from firetower.devices.registry import Registry
from firetower.ingest.ports import Committed, Seen, Stranger, Work
from firetower.rules.verdicts import Verdict
from firetower.storage import readings, rejects, strangers
from firetower.storage.alerts import apply_verdicts
from firetower.storage.changes import announce
from firetower.storage.pool import store_errors

SEEN_FOR: Micros = DAY
"""How long a message without a usable time is remembered by its ``seq`` and digest."""

_LIMITS = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '20s'"
"""A commit that waits longer is undone and tried again: the lane must not hang on one lock or one slow disk."""

_log = logger("storage.ingest")


class IngestStore:
    """``ingest.ports.Store`` on PostgreSQL. ``retention_days``: readings older than that are not kept."""

    def __init__(self, pool: asyncpg.Pool, registry: Registry, clock: Clock, *, retention_days: int = 400) -> None:
        self._pool = pool
        self._registry = registry
        self._clock = clock
        self._retention_days = retention_days

    async def stored(self, batch: Readings) -> Floats:
        """Return, per reading, the value stored under its key (device, metric, channel, ts); NaN when none is."""
        return await readings.stored(self._pool, batch)

    async def seen(self, messages: Sequence[Seen]) -> list[bool]:
        """Return, per message, whether it was stored within the last 24 h."""
        if not messages:
            return []
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT EXISTS (SELECT FROM seen_message s WHERE (s.device, s.seq, s.digest)"
                " = (m.device, m.seq, m.digest) AND s.at > $4)"
                " FROM unnest($1::int4[], $2::int8[], $3::bytea[]) WITH ORDINALITY AS m (device, seq, digest, n)"
                " ORDER BY m.n",
                [message.device for message in messages],
                [message.seq for message in messages],
                [message.digest for message in messages],
                to_datetime(self._clock.now() - SEEN_FOR),
            )
        return [row[0] for row in rows]

    async def register(self, strangers_: Sequence[Stranger], at: Micros) -> None:
        """Register devices on first sight and add them to the in-memory registry; known ones are left alone."""
        await strangers.register(self._pool, self._registry, strangers_, at)

    async def channels(self, names: Sequence[str]) -> None:
        """Give each unknown channel name a number, stored, and add it to the in-memory registry."""
        await strangers.add_channels(self._pool, self._registry, names)

    async def commit(self, work: Work) -> Committed:
        """Commit ``work`` in one transaction: readings, events, alert transitions, rejects, live change.

        Raises StoreUnavailable when the same work may be committed later. A constraint violation is a bug (decoding
        enforces them all); it is logged with the work's size and raised.
        """
        try:
            with store_errors():
                async with self._pool.acquire() as conn, conn.transaction():
                    return await self._write(conn, work)
        except asyncpg.IntegrityConstraintViolationError:
            _log.exception(
                "the %s lane's work of %d readings, %d events, %d verdicts breaks a constraint of the store",
                work.lane,
                len(work.readings),
                len(work.events),
                len(work.verdicts),
            )
            raise

    async def _write(self, conn: Any, work: Work) -> Committed:
        await conn.execute(_LIMITS)
        now = self._clock.now()
        new = await readings.insert(conn, work.readings, at=now, retention_days=self._retention_days)
        verdicts = await _store_events(conn, work.events, work.verdicts)
        await _store_seen(conn, work.seen)
        await rejects.store(conn, work.rejects)
        at = self._clock.now()
        raised: dict[str, int] = {}
        if verdicts:
            applied = await apply_verdicts(conn, verdicts, at=at)
            raised = applied.raised
            if applied.alert_ids:
                await announce(conn, applied.alert_ids, at)
        return Committed(stored=new, repeated=len(work.readings) - new, raised=raised, at=at)


async def _store_events(conn: Any, events: Sequence[Event], verdicts: list[Verdict]) -> list[Verdict]:
    """Store the events that are new; return the verdicts without those that repeated events caused.

    Of one key only the first event counts, in the store and within the batch. Only an event known to be a repeat
    drops its verdicts: in doubt the alarm stands.
    """
    if not events:
        return verdicts
    rows = await conn.fetch(
        "INSERT INTO device_event (unit, device, event, active, component, text, at, received_at, key, flags, payload)"
        " SELECT unit, device, event, active, component, text, at, received_at, key,"
        "  string_to_array(flags, ' '), payload"
        " FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::text[], $6::text[], $7::timestamptz[],"
        "  $8::timestamptz[], $9::text[], $10::text[], $11::bytea[])"
        "  AS e (unit, device, event, active, component, text, at, received_at, key, flags, payload)"
        " ON CONFLICT (unit, device, key) DO NOTHING RETURNING unit, device, key",
        [event.unit for event in events],
        [event.device for event in events],
        [event.event for event in events],
        [event.active for event in events],
        [event.component for event in events],
        [event.text for event in events],
        [to_datetime(event.at) for event in events],
        [to_datetime(event.received_at) for event in events],
        [event.key for event in events],
        [" ".join(event.flags) for event in events],
        [event.payload for event in events],
    )
    fresh = {tuple(row) for row in rows}
    repeats: set[int] = set()
    for event in events:
        if event.key is None:
            continue
        key = (event.unit, event.device, event.key)
        if key in fresh:
            fresh.remove(key)
        else:
            repeats.add(id(event))
    return [verdict for verdict in verdicts if verdict.event is None or id(verdict.event) not in repeats]


async def _store_seen(conn: Any, messages: Sequence[Seen]) -> None:
    if messages:
        await conn.execute(
            "INSERT INTO seen_message (device, seq, digest, at)"
            " SELECT DISTINCT ON (device, seq, digest) *"
            " FROM unnest($1::int4[], $2::int8[], $3::bytea[], $4::timestamptz[]) AS m (device, seq, digest, at)"
            " ORDER BY device, seq, digest, at DESC"
            " ON CONFLICT (device, seq, digest) DO UPDATE SET at = excluded.at",
            [message.device for message in messages],
            [message.seq for message in messages],
            [message.digest for message in messages],
            [to_datetime(message.at) for message in messages],
        )


async def prune_seen(pool: asyncpg.Pool, now: Micros) -> int:
    """Forget messages seen more than 24 h ago; return how many."""
    with store_errors():
        done = await pool.execute("DELETE FROM seen_message WHERE at < $1", to_datetime(now - SEEN_FOR))
    return int(done.rsplit(" ", 1)[1])
