"""What ingest meets for the first time: devices registered on sight, channel names given their numbers."""

from collections.abc import Sequence

import asyncpg

from firetower.core.clock import Micros, to_datetime
from firetower.core.logs import logger
from firetower.devices.registry import Registry
from firetower.ingest.ports import Stranger
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors
from firetower.storage.registry import LOCK, load_devices

MOST_CHANNELS = 30_000
"""Channel names in all; their numbers are 16 bits wide, and a sender that invents names must not use them up."""

_CHANNEL_LOCK = 0x6669_7265_0003
"""Advisory lock of whoever numbers channels; not the registry's, which a large import holds for minutes."""

_log = logger("storage.strangers")


async def register(
    pool: asyncpg.Pool, registry: Registry, strangers: Sequence[Stranger], at: Micros, lease: Lease | None = None
) -> None:
    """Register devices on first sight (``registered_by`` ``auto``), their units too, named by their codes.

    Known ones are left alone. Afterwards all of them are in the in-memory registry. Raises StoreUnavailable, LeaseLost.
    """
    new = {(s.unit, s.device): s for s in strangers if registry.number(s.unit, s.device) is None}
    if not new:
        return
    units = [s.unit for s in new.values()]
    devices = [s.device for s in new.values()]
    with store_errors():
        async with pool.acquire() as conn:
            async with conn.transaction():
                await conn.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
                if lease is not None:
                    await lease.hold(conn)
                await conn.execute(
                    "INSERT INTO unit (code, name, registered_by, registered_at)"
                    " SELECT DISTINCT code, code, 'auto', $2::timestamptz FROM unnest($1::text[]) AS s (code)"
                    " WHERE NOT EXISTS (SELECT FROM unit WHERE unit.code = s.code)",
                    units,
                    to_datetime(at),
                )
                await conn.execute(
                    "INSERT INTO device (unit_id, name, kind, registered_by, registered_at)"
                    " SELECT u.id, s.device, s.kind, 'auto', $4"
                    " FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS s (unit, device, kind, n)"
                    " JOIN unit u ON u.code = s.unit"
                    " WHERE NOT EXISTS (SELECT FROM device d WHERE d.unit_id = u.id AND d.name = s.device)"
                    " ORDER BY s.n",
                    units,
                    devices,
                    [s.kind.value for s in new.values()],
                    to_datetime(at),
                )
            await load_devices(conn, registry, new)


async def add_channels(
    pool: asyncpg.Pool, registry: Registry, names: Sequence[str], lease: Lease | None = None
) -> None:
    """Give each unknown channel name a stored number and add it to the in-memory registry.

    Past ``MOST_CHANNELS`` a new name stays unknown, and this is logged. Raises StoreUnavailable, LeaseLost.
    """
    new = list(dict.fromkeys(name for name in names if registry.channel(name) is None))
    if not new:
        return
    with store_errors():
        async with pool.acquire() as conn:
            async with conn.transaction():
                await conn.execute("SELECT pg_advisory_xact_lock($1)", _CHANNEL_LOCK)
                if lease is not None:
                    await lease.hold(conn)
                await conn.execute(
                    "INSERT INTO channel (id, name)"
                    " SELECT id, name FROM (SELECT m.id + row_number() OVER (ORDER BY s.n) AS id, s.name"
                    "  FROM unnest($1::text[]) WITH ORDINALITY AS s (name, n), (SELECT max(id) AS id FROM channel) m"
                    "  WHERE NOT EXISTS (SELECT FROM channel c WHERE c.name = s.name)) numbered WHERE id <= $2",
                    new,
                    MOST_CHANNELS,
                )
            rows = await conn.fetch("SELECT id, name FROM channel WHERE name = ANY($1)", new)
    for row in rows:
        registry.add_channel(row["name"], row["id"])
    if len(rows) < len(new):
        _log.error(
            "no number for %d channel names such as %r: there are %d already; find the sender that invents them",
            len(new) - len(rows),
            new[-1],
            MOST_CHANNELS,
        )
