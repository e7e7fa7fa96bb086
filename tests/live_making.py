"""Incidents and windows that the tests of the live feed and of the API commit and announce."""

from dataclasses import replace
from typing import Any

import asyncpg

from firetower.alerts.incidents import Incident
from firetower.core.clock import HOUR, Micros, to_datetime
from firetower.devices.events import AlertClass
from firetower.storage import incidents
from firetower.storage.changes import announce


def incident(id_: int, at: Micros, **more: Any) -> Incident:
    """An incident of unit mall-01 with one open fire."""
    made = Incident(
        id=id_,
        scene=f"zone:mall-01/A/{id_}/1",
        headline_zh="商场 三层 火警",
        headline_en="Mall, 3F: fire",
        alert_class=AlertClass.FIRE,
        priority=1,
        unit="mall-01",
        unit_name="Mall",
        place="3F corridor",
        lon=120.1,
        lat=30.2,
        members=((AlertClass.FIRE, 1, 1),),
        opened_at=at,
        last_raised_at=at,
        closed_at=None,
        version=1,
    )
    return replace(made, **more)


async def write_incident(pool: asyncpg.Pool, made: Incident, at: Micros, *members: int) -> Incident:
    """Commit an incident as it stands, with the alerts that are its members."""
    async with pool.acquire() as conn, conn.transaction():
        await incidents.write(conn, [made])
        await conn.execute("UPDATE alert SET incident_id = $1 WHERE id = ANY($2::bigint[])", made.id, list(members))
        await announce(conn, list(members), at, incidents=[made.id])
    return made


async def write_window(pool: asyncpg.Pool, at: Micros, *, lasts: Micros = HOUR, approved: bool = True) -> int:
    """Commit a test window of mall-01 that begins at ``at``; return its id."""
    async with pool.acquire() as conn, conn.transaction():
        id_: int = await conn.fetchval(
            "INSERT INTO announced_window (kind, unit, starts_at, ends_at, reason, requested_by, requested_at,"
            " approved_by, approved_at) VALUES ('test', 'mall-01', $1, $2, 'yearly test', 'li', $1, $3, $4)"
            " RETURNING id",
            to_datetime(at),
            to_datetime(at + lasts),
            "olga" if approved else None,
            to_datetime(at) if approved else None,
        )
        await announce(conn, [], at, windows=[id_])
    return id_


async def end_window(pool: asyncpg.Pool, id_: int, at: Micros) -> None:
    """Commit that somebody ended a window early."""
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "UPDATE announced_window SET ended_at = $2, ended_by = 'olga' WHERE id = $1", id_, to_datetime(at)
        )
        await announce(conn, [], at, windows=[id_])
