"""What is stored, read again to replay it: alarms of devices, what people did with alerts, how far back it reaches."""

from collections.abc import Collection, Sequence
from typing import Any

import asyncpg

from firetower.alerts.comparison import Outcome
from firetower.alerts.rehearsal import Answered
from firetower.core.clock import DAY, MINUTE, Micros, from_datetime, rfc3339, to_datetime
from firetower.core.errors import InvalidInput
from firetower.devices.events import AlertClass, Event
from firetower.devices.registry import Registry
from firetower.devices.topics import OWN_UNIT
from firetower.storage.pool import store_errors

_EVENT = "unit, device, event, active, component, text, at, received_at, key, flags, payload"
_CONFIRMED = "coalesce(disposition = 'real_fire', verification = 'real', false)"
"""A real fire: what it was closed as, else what it was verified as."""
LONGEST: Micros = 92 * DAY
"""The longest range that is replayed at once."""
QUIET: Micros = 4 * DAY
"""Longer than any silence rule shipped waits for a device."""
AHEAD: Micros = 10 * MINUTE
"""An event is dated at most 5 min after it came, what is further ahead takes its arrival; some room beside that."""


async def events(
    pool: asyncpg.Pool,
    registry: Registry,
    since: Micros,
    until: Micros,
    *,
    devices: Sequence[tuple[str, str]] | None = None,
) -> list[Event]:
    """Return the stored alarms of devices with ``since <= at < until``, in the order of their event times.

    ``devices``: only of these, by unit and name. Firetower's own are left out. Raises StoreUnavailable.
    """
    only = "" if devices is None else " AND (unit, device) IN (SELECT * FROM unnest($5::text[], $6::text[]))"
    more = () if devices is None else ([unit for unit, _ in devices], [name for _, name in devices])
    with store_errors():
        rows = await pool.fetch(
            f"SELECT {_EVENT}"
            f" FROM device_event WHERE received_at >= $1 AND at >= $2 AND at < $3 AND unit <> $4{only} ORDER BY at, id",
            to_datetime(since - AHEAD),
            to_datetime(since),
            to_datetime(until),
            OWN_UNIT,
            *more,
        )
    return [_event(row, registry) for row in rows]


async def received(pool: asyncpg.Pool, registry: Registry, since: Micros) -> list[Event]:
    """Return the stored alarms of devices that arrived since, whatever their clocks say, in the order of their times.

    Firetower's own are left out. Raises StoreUnavailable.
    """
    with store_errors():
        rows = await pool.fetch(
            f"SELECT {_EVENT} FROM device_event WHERE received_at >= $1 AND unit <> $2 ORDER BY at, id",
            to_datetime(since),
            OWN_UNIT,
        )
    return [_event(row, registry) for row in rows]


async def last_words(
    pool: asyncpg.Pool, registry: Registry, names: Collection[str], since: Micros, before: Micros
) -> list[Event]:
    """Return the newest word of each device on each of these events and each point, in the order of their times.

    Of those with ``since <= at < before``. Raises StoreUnavailable.
    """
    with store_errors():
        rows = await pool.fetch(
            "SELECT * FROM (SELECT DISTINCT ON (unit, device, event, component, text)"
            f" {_EVENT}, id FROM device_event WHERE received_at >= $1 AND at >= $2 AND at < $3 AND unit <> $4"
            " AND event = ANY($5) ORDER BY unit, device, event, component, text, at DESC, id DESC) w ORDER BY at, id",
            to_datetime(since - AHEAD),
            to_datetime(since),
            to_datetime(before),
            OWN_UNIT,
            list(names),
        )
    return [_event(row, registry) for row in rows]


def _event(row: Any, registry: Registry) -> Event:
    return Event(
        unit=row["unit"],
        device=row["device"],
        device_number=registry.number(row["unit"], row["device"]),
        event=row["event"],
        active=row["active"],
        component=row["component"],
        text=row["text"],
        at=from_datetime(row["at"]),
        received_at=from_datetime(row["received_at"]),
        key=row["key"],
        flags=tuple(row["flags"]),
        payload=row["payload"],
    )


async def outcomes(pool: asyncpg.Pool, since: Micros, until: Micros, *, confirmed_only: bool = False) -> list[Outcome]:
    """Return the stored alerts that began in the range by event time, with what people did. Raises StoreUnavailable."""
    only = f" AND {_CONFIRMED}" if confirmed_only else ""
    with store_errors():
        rows = await pool.fetch(
            "SELECT id, rule, subject_kind, subject, component, alert_class, unit, zone, device_at, raised_at,"
            " acknowledged_at, closed_at, disposition,"
            f" {_CONFIRMED} AS confirmed, title_zh, title_en FROM alert"
            f" WHERE raised_at >= $1 AND device_at >= $2 AND device_at < $3{only}"
            " AND subject_kind <> 'system' AND unit IS DISTINCT FROM $4 ORDER BY device_at, id",
            to_datetime(since - AHEAD),
            to_datetime(since),
            to_datetime(until),
            OWN_UNIT,
        )
    return [
        Outcome(
            id=row["id"],
            key=(row["rule"], row["subject_kind"], row["subject"], row["component"]),
            alert_class=AlertClass(row["alert_class"]),
            unit=row["unit"],
            zone=row["zone"],
            device_at=from_datetime(row["device_at"]),
            answered=Answered(
                raised_at=from_datetime(row["raised_at"]),
                acknowledged_at=None if row["acknowledged_at"] is None else from_datetime(row["acknowledged_at"]),
                closed_at=None if row["closed_at"] is None else from_datetime(row["closed_at"]),
            ),
            confirmed=row["confirmed"],
            false=row["disposition"] == "false_alarm",
            title_zh=row["title_zh"],
            title_en=row["title_en"],
        )
        for row in rows
    ]


async def confirmed_fires(pool: asyncpg.Pool, since: Micros, until: Micros) -> int:
    """Return how many confirmed fires began in the range that a rule could have found. Raises StoreUnavailable."""
    found = await outcomes(pool, since, until, confirmed_only=True)
    return sum(not each.by_word_of_mouth for each in found)


async def check_range(pool: asyncpg.Pool, since: Micros, until: Micros, now: Micros) -> Micros:
    """Return from when on something is stored; raises InvalidInput for a range that cannot be replayed.

    A range may begin a day before what is stored, since retention goes by days. Raises StoreUnavailable.
    """
    if not since < until <= now:
        raise InvalidInput(
            f"the range {rfc3339(since)} to {rfc3339(until)} is none of the past; give a beginning before its end, and"
            f" an end that is not after now, {rfc3339(now)}"
        )
    if until - since > LONGEST:
        raise InvalidInput(
            f"the range is {(until - since) / DAY:.0f} days long; at most {LONGEST // DAY} are replayed at once: take a"
            " shorter one"
        )
    first = await oldest(pool)
    if first is None:
        raise InvalidInput("nothing is stored yet, so there is nothing to replay; let devices report first")
    if since < first - DAY or until <= first:
        raise InvalidInput(
            f"the oldest reading or alarm stored is of {rfc3339(first)}, and the range is {rfc3339(since)} to"
            f" {rfc3339(until)}; begin with what is stored"
        )
    return first


async def oldest(pool: asyncpg.Pool) -> Micros | None:
    """Return the time of the oldest stored reading or alarm; None when there is none. Raises StoreUnavailable."""
    with store_errors():
        found = await pool.fetchval(
            "SELECT least((SELECT min(ts) FROM reading), (SELECT min(received_at) FROM device_event))"
        )
    return None if found is None else from_datetime(found)


async def last_heard(pool: asyncpg.Pool, numbers: Sequence[int], before: Micros) -> dict[int, Micros]:
    """Return when devices were last heard before an instant, µs, by their readings of the days before it.

    A device without any in QUIET before is left out. Raises StoreUnavailable.
    """
    with store_errors():
        rows = await pool.fetch(
            "SELECT device, max(received_at) AS heard FROM reading WHERE ts >= $1 AND ts < $2 AND device = ANY($3)"
            " GROUP BY device",
            to_datetime(before - QUIET),
            to_datetime(before),
            list(numbers),
        )
    return {row["device"]: from_datetime(row["heard"]) for row in rows}
