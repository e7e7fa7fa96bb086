"""The registry in the store: loaded into memory at start, and registry files imported, all of one or nothing."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import numpy as np

from firetower.core.clock import SECOND
from firetower.core.errors import StoreUnavailable
from firetower.core.logs import logger
from firetower.devices.city import City, ItemError
from firetower.devices.kinds import KIND_NUMBER
from firetower.devices.registry import DeviceRows, Registry
from firetower.storage import liveness
from firetower.storage.city import CityImport, Tally
from firetower.storage.listening import follow
from firetower.storage.pool import store_errors

CHANGED = "firetower_registry"
"""NOTIFY channel on which an import says that it has committed, so that a running service loads again."""
LOCK = 0x6669_7265_0002
"""Advisory lock of whoever writes the registry: device numbers are given without gaps."""
IMPORT_TIMEOUT_S = 600.0
_PAGE = 1000
"""Devices taken over at once: some milliseconds of the event loop."""

_log = logger("storage.registry")


@dataclass(slots=True)
class ImportReport:
    """What an import did, by part (``grids``, ``mains``, ``units``, ``buildings``, ``floors``, ``zones``, ``devices``,
    and of ``stations``, ``contacts``, ``cameras``, ``points`` and ``positions`` those that the file speaks of).

    With ``errors`` nothing was written and every count is empty.
    """

    created: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    errors: list[ItemError] = field(default_factory=list)


class _RefusedError(Exception):
    """Undoes the transaction of an import with errors."""


async def load(pool: asyncpg.Pool, registry: Registry) -> int:
    """Load every channel and device into ``registry``; return how many devices it then holds.

    May be repeated after an import: numbers stay, and what was heard since stands.
    """
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            for row in await conn.fetch("SELECT id, name FROM channel"):
                registry.add_channel(row["name"], row["id"])
            highest = await conn.fetchval("SELECT coalesce(max(id), 0) FROM device")
            registry.reserve(max(highest - registry.devices, 0))
            cursor = await conn.cursor(_DEVICES)
            while rows := await cursor.fetch(_PAGE):
                _add(registry, rows)
                await asyncio.sleep(0)  # a running service goes on with its alarms meanwhile
    return registry.devices


async def watch(pool: asyncpg.Pool, registry: Registry) -> None:
    """Load again whenever an import has committed, until cancelled; what was missed while cut off is loaded too."""
    stale = asyncio.Event()

    async def look(_conn: Any, connected: bool) -> None:
        if connected:
            stale.set()

    async def reload() -> None:
        while True:
            await stale.wait()
            stale.clear()
            try:
                _log.info("registry loaded: %d devices", await load(pool, registry))
            except StoreUnavailable:
                stale.set()
                await asyncio.sleep(1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follow(pool, CHANGED, look=look, heard=lambda _: stale.set()), name="registry changes")
        tasks.create_task(reload(), name="registry reload")


async def load_devices(conn: Any, registry: Registry, names: Iterable[tuple[str, str]]) -> None:
    """Load the devices named (unit, device) into ``registry``, those of them that are stored."""
    units, devices = zip(*names, strict=True)
    rows = await conn.fetch(
        f"{_DEVICES} WHERE (u.code, d.name) IN (SELECT * FROM unnest($1::text[], $2::text[]))", units, devices
    )
    _add(registry, rows)


_DEVICES = (
    "SELECT d.id, u.code, d.name, d.kind, d.interval_s, d.lon, d.lat, m.code,"
    " b.code || '/' || f.code || '/' || z.code, nullif(d.attributes, '{}'),"
    " (extract(epoch FROM d.registered_at) * 1000000)::int8, d.retired_at IS NOT NULL,"
    " (extract(epoch FROM d.last_seen_at) * 1000000)::int8, d.status, g.district, u.category, d.model, d.gateway"
    " FROM device d JOIN unit u ON u.id = d.unit_id LEFT JOIN grid g ON g.id = u.grid_id"
    " LEFT JOIN water_main m ON m.id = d.main_id"
    " LEFT JOIN zone z ON z.id = d.zone_id LEFT JOIN floor f ON f.id = z.floor_id"
    " LEFT JOIN building b ON b.id = f.building_id"
)


def _add(registry: Registry, rows: Sequence[asyncpg.Record]) -> None:
    if not rows:
        return
    (
        ids, units, names, kinds, intervals, lons, lats, mains, zones, attributes, registered, retired, seen, statuses,
        districts, categories, models, gateways,
    ) = zip(*rows, strict=True)  # fmt: skip
    numbers = np.array(ids, np.int64)
    new = numbers >= len(registry.kind)
    new[~new] = registry.kind[numbers[~new]] < 0
    registry.add_many(
        DeviceRows(
            number=numbers,
            units=units,
            devices=names,
            kind=np.array([KIND_NUMBER[kind] for kind in kinds], np.int16),
            interval=np.array(intervals, np.int64) * SECOND,
            registered_at=np.array(registered, np.int64),
            retired=np.array(retired, np.bool_),
            lon=np.array(lons, np.float64),  # None becomes NaN
            lat=np.array(lats, np.float64),
            mains=mains,
            zones=zones,
            attributes={row: given for row, given in enumerate(attributes) if given is not None},
            districts=districts,
            unit_categories=categories,
            models=models,
            gateways=gateways,
        )
    )
    heard = np.array([at or 0 for at in seen], np.int64)
    np.maximum.at(registry.last_seen, numbers, heard)
    liveness.remember(registry, numbers[new], [statuses[row] for row in np.flatnonzero(new).tolist()], heard[new])


async def import_city(pool: asyncpg.Pool, city: City, *, by: str = "import") -> ImportReport:
    """Write a registry file into the store: what is new is created, what differs updated, nothing removed
    but contacts and points that a list in the file has no more.

    All or nothing: with any error (a reference to what neither the file nor the store has, a code twice, a change of
    kind under an open fire alert) nothing is written and the report names each item. The same file again changes
    nothing. A device or unit that registered itself becomes registered by ``by``. A running service hears of it on the
    NOTIFY channel ``CHANGED``. Raises StoreUnavailable.
    """
    report = ImportReport()
    with store_errors():
        async with pool.acquire() as conn:
            try:
                async with conn.transaction():
                    await conn.execute("SELECT pg_advisory_xact_lock($1)", LOCK, timeout=IMPORT_TIMEOUT_S)
                    work = CityImport(conn, city, by, timeout=IMPORT_TIMEOUT_S)
                    await work.run()
                    report.errors = work.errors
                    if work.errors:
                        raise _RefusedError
                    await conn.execute("SELECT pg_notify($1, '')", CHANGED)
            except _RefusedError:
                return report
    _count(report, work.tallies)
    return report


def _count(report: ImportReport, tallies: dict[str, Tally]) -> None:
    for part, tally in tallies.items():
        report.created[part] = tally.created
        report.updated[part] = tally.updated
        report.unchanged[part] = tally.unchanged
