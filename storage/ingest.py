"""What ingest needs of the store, met on PostgreSQL: one transaction per unit of work."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

from firetower.core.clock import DAY, Clock, Micros, to_datetime
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.devices.events import Event
from firetower.devices.readings import Floats, Readings
from firetower.devices.registry import Registry
from firetower.ingest.ports import RETAINED, Committed, Seen, Stranger, Work
from firetower.rules.verdicts import Verdict
from firetower.storage import backlog, canary, meters, readings, rejects, shadow_alerts, strangers
from firetower.storage.alert_verdicts import Overtaken, apply_verdicts
from firetower.storage.changes import CHANNEL, announcing
from firetower.storage.checkpoints import ReplayFloor, lower
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors

SEEN_FOR: Micros = DAY
"""How long a message without a usable time is remembered by its ``seq`` and digest."""

_LIMITS = (
    "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '20s';"
    " SET LOCAL idle_in_transaction_session_timeout = '20s'"
)
"""A commit that waits longer is undone and tried again: the lane must not hang on one lock or one slow disk.

Nor may the locks of a host that is gone stand until TCP gives it up.
"""
_PLANS = (
    "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;"
    " SET LOCAL enable_mergejoin = off"
)
"""A commit looks up few rows by their keys in tables of any size: one plan, made once, through the indexes."""
_WERE_SEEN = (
    "SELECT EXISTS (SELECT FROM seen_message s WHERE (s.device, s.seq, s.digest)"
    " = (m.device, m.seq, m.digest) AND s.at > $4)"
    " FROM unnest($1::int4[], $2::int8[], $3::bytea[]) WITH ORDINALITY AS m (device, seq, digest, n) ORDER BY m.n"
)
_SLICE = 1_000
"""Messages of one statement: encoding more at once would hold the event loop for longer than 5 ms."""
_WORDS = "$1::text[], $2::text[], $3::text[], $4::bool[], $5::text[], $6::text[]"
"""Parameters of what events say: unit, device, event, active, component, text."""
_ATTEMPTS = 10

Insert = Callable[..., Awaitable[int]]

_log = logger("storage.ingest")


class IngestStore:
    """``ingest.ports.Store`` on PostgreSQL. ``retention_days``: readings older than that are not kept.

    ``lease``: checked by whatever is written; None where nobody else can write. ``floor``: from when on readings are
    replayed on top of the engine's checkpoint; None where no engine is.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        registry: Registry,
        clock: Clock,
        *,
        retention_days: int = 400,
        lease: Lease | None = None,
        floor: ReplayFloor | None = None,
    ) -> None:
        self._lease = lease
        self._floor = floor
        self._pool = pool
        self._registry = registry
        self._clock = clock
        self._retention_days = retention_days

    async def stored(self, batch: Readings) -> Floats:
        """Return, per reading, the value stored under its key (device, metric, channel, ts); NaN when none is."""
        return await readings.stored(self._pool, batch)

    async def seen(self, messages: Sequence[Seen]) -> list[bool]:
        """Return, per message, whether it was stored within the last 24 h."""
        since = to_datetime(self._clock.now() - SEEN_FOR)
        rows: list[Any] = []
        for start in range(0, len(messages), _SLICE):
            with store_errors():
                rows += await self._pool.fetch(_WERE_SEEN, *_keys(messages[start : start + _SLICE]), since)
        return [row[0] for row in rows]

    async def events_known(self, events: Sequence[Event]) -> list[bool]:
        """Return, per event, whether it is stored: by its key, or by what it says and when it arrived.

        Another node's arrival is another one, and where a clock is wrong it is part of the key; five seconds before
        ours is soon enough.
        """
        if not events:
            return []
        with store_errors():
            rows = await self._pool.fetch(
                "SELECT EXISTS (SELECT FROM device_event e WHERE (e.unit, e.device) = (k.unit, k.device)"
                " AND (e.key = k.key OR (e.event, e.active, e.component, e.text)"
                "  = (k.event, k.active, k.component, k.text) AND e.received_at > k.at - interval '5 seconds'))"
                f" FROM unnest({_WORDS}, $7::timestamptz[], $8::text[]) WITH ORDINALITY"
                " AS k (unit, device, event, active, component, text, at, key, n) ORDER BY k.n",
                *_words(events),
                [to_datetime(event.received_at) for event in events],
                [event.key for event in events],
            )
        return [row[0] for row in rows]

    async def register(self, strangers_: Sequence[Stranger], at: Micros) -> None:
        """Register devices on first sight and add them to the in-memory registry; known ones are left alone.

        Raises LeaseLost, as does ``channels``.
        """
        await strangers.register(self._pool, self._registry, strangers_, at, self._lease)

    async def channels(self, names: Sequence[str]) -> None:
        """Give each unknown channel name a number, stored, and add it to the in-memory registry."""
        await strangers.add_channels(self._pool, self._registry, names, self._lease)

    async def commit(self, work: Work) -> Committed:
        """Commit ``work`` in one transaction: readings, events, alert transitions, rejects, live change.

        Raises StoreUnavailable when the same work may be committed later, LeaseLost when it may not be. A constraint
        violation is a bug (decoding enforces them all); it is logged with the work's size and raised.
        """
        insert = readings.insert
        floor = self._floor if self._floor is not None and self._floor.lowers(work.readings) else None
        try:
            with store_errors():
                async with floor.lock if floor else contextlib.nullcontext(), self._pool.acquire() as conn:
                    for _ in range(_ATTEMPTS):
                        try:
                            return await self._once(conn, work, insert, lowers=floor is not None)
                        except readings.NotAllNew:
                            insert = readings.insert_new
                        except Overtaken:
                            continue
        except asyncpg.IntegrityConstraintViolationError:
            _log.exception(
                "the %s lane's work of %d readings, %d events, %d verdicts breaks a constraint of the store",
                work.lane,
                len(work.readings),
                len(work.events),
                len(work.verdicts),
            )
            raise
        raise StoreUnavailable(
            f"others raised one of {len(work.verdicts)} alerts first, {_ATTEMPTS} times in a row;"
            " commit the batch again"
        )

    async def _once(self, conn: Any, work: Work, insert: Insert, *, lowers: bool) -> Committed:
        """Make the transaction: as few round trips as may be, since every one of them is part of an alarm's way."""
        try:
            if self._lease is None:
                await conn.execute(f"BEGIN; {_LIMITS}; {_PLANS}")
            elif await conn.execute(f"BEGIN; {_LIMITS}; {_PLANS}; {self._lease.checked()}") != "SELECT 1":
                raise await self._lease.overtaken(conn)
            now = self._clock.now()
            new = await insert(conn, work.readings, at=now, retention_days=self._retention_days)
            if lowers and self._floor is not None:
                await lower(conn, self._floor.lowest)
            await _store_seen(conn, work.seen)
            await rejects.forget(conn, work.replayed)  # first: what is still wrong is written anew
            await rejects.store(conn, work.rejects)
            await backlog.leave(conn, work.brought_back)
            events, verdicts = await _without_kept(conn, work)
            at = self._clock.now()
            on_trial = [each for each in verdicts if each.shadow]
            if on_trial:
                verdicts = [each for each in verdicts if not each.shadow]
            applied = await apply_verdicts(conn, verdicts, at=at, events=events)
            tried = await shadow_alerts.apply(conn, on_trial) if on_trial else {}
            flown = "" if work.canary is None else canary.noting(work.canary, at, CHANNEL)
            await conn.execute(f"{flown}{announcing(applied.alert_ids, at)}COMMIT")
        except BaseException:
            await _undo(conn)
            raise
        for rule, count in tried.items():
            meters.shadow_alerts.labels(rule).inc(count)
        return Committed(stored=new, repeated=len(work.readings) - new, raised=applied.raised, at=at)


async def _without_kept(conn: Any, work: Work) -> tuple[Sequence[Event], Sequence[Verdict]]:
    """Return events and verdicts without the alarms that the broker had kept and that were heard before.

    A broker says them to every new session. One with a time of its own was heard when the same was said of that time;
    one without, when it is the last that was heard of its point: after a return, for one, it may be a new alarm.
    """
    kept = [event for event in work.events if RETAINED in event.flags]
    if not kept:
        return work.events, work.verdicts
    rows = await conn.fetch(
        # id + 0: through the index of the sender's events, not back through everybody's
        "SELECT CASE WHEN k.at IS NOT NULL THEN EXISTS (SELECT FROM device_event e"
        "  WHERE (e.unit, e.device, e.event, e.active, e.component, e.text, e.at)"
        "   = (k.unit, k.device, k.event, k.active, k.component, k.text, k.at))"
        " ELSE coalesce((SELECT (e.active, e.text) = (k.active, k.text) FROM device_event e"
        "  WHERE (e.unit, e.device, e.event, e.component) = (k.unit, k.device, k.event, k.component)"
        "  AND (k.component <> '' OR e.text = k.text)"  # without a component the text is the point
        "  ORDER BY e.id + 0 DESC LIMIT 1), false) END"
        f" FROM unnest({_WORDS}, $7::timestamptz[])"
        " WITH ORDINALITY AS k (unit, device, event, active, component, text, at, n) ORDER BY k.n",
        *_words(kept),
        [None if event.at == event.received_at else to_datetime(event.at) for event in kept],
    )
    known = {id(event) for event, row in zip(kept, rows, strict=True) if row[0]}
    return (
        [event for event in work.events if id(event) not in known],
        [verdict for verdict in work.verdicts if verdict.event is None or id(verdict.event) not in known],
    )


def _words(events: Sequence[Event]) -> tuple[list[str] | list[bool], ...]:
    """Return what events say, as the columns of ``_WORDS``."""
    return (
        [event.unit for event in events],
        [event.device for event in events],
        [event.event for event in events],
        [event.active for event in events],
        [event.component for event in events],
        [event.text for event in events],
    )


async def _undo(conn: Any) -> None:
    try:
        await conn.execute("ROLLBACK")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
        # why is told by the error that led here; a connection that was lost meanwhile is not ours any more
        with contextlib.suppress(asyncpg.InterfaceError):
            conn.terminate()


async def _store_seen(conn: Any, messages: Sequence[Seen]) -> None:
    for start in range(0, len(messages), _SLICE):
        part = messages[start : start + _SLICE]
        await conn.execute(
            "INSERT INTO seen_message (device, seq, digest, at)"
            " SELECT DISTINCT ON (device, seq, digest) device, seq, digest,"
            "  'epoch'::timestamptz + us * interval '1 microsecond'"
            " FROM unnest($1::int4[], $2::int8[], $3::bytea[], $4::int8[]) AS m (device, seq, digest, us)"
            " ORDER BY device, seq, digest, us DESC"
            " ON CONFLICT (device, seq, digest) DO UPDATE SET at = excluded.at",
            *_keys(part),
            [message.at for message in part],
        )


def _keys(messages: Sequence[Seen]) -> tuple[list[int], list[int], list[bytes]]:
    return (
        [message.device for message in messages],
        [message.seq for message in messages],
        [message.digest for message in messages],
    )


async def prune_seen(pool: asyncpg.Pool, now: Micros) -> int:
    """Forget messages seen more than 24 h ago; return how many."""
    with store_errors():
        done = await pool.execute("DELETE FROM seen_message WHERE at < $1", to_datetime(now - SEEN_FOR))
    return int(done.rsplit(" ", 1)[1])
