"""Floor plans 平面图 in the store: put, withdrawn, read; and what the plan of an alert's floor has on it."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from firetower.alerts.floor_plan import Spot, Stood, floor_of
from firetower.alerts.model import Alert
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.core.errors import Conflict, NotFound
from firetower.devices.plan_images import PlanImage
from firetower.storage.alert_rows import COLUMNS, to_alert
from firetower.storage.pool import Pool, store_errors

MOST_AROUND = 100
"""Other open alerts of a floor that are shown with one, worst first."""
_PATIENCE_S = 20.0

Became = Literal["created", "replaced", "unchanged"]


class Where(NamedTuple):
    """A floor, by its codes."""

    unit: str
    building: str
    floor: str


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor of a unit: ``id`` of the store, its codes and names; ``level`` 1 is the ground floor."""

    id: int
    unit: str
    building: str
    building_name: str
    floor: str
    floor_name: str
    level: int | None


@dataclass(frozen=True, slots=True)
class OnFloor:
    """What the plan of a floor is about: its plans, the newest first, spots by (device, component), and its alerts.

    ``alerts``: open ones of the floor, worst first, ``more`` beyond those; ``fires_elsewhere``: open fires by other
    floor of the building, most first.
    """

    floor: Floor
    plans: Sequence[Stood]
    spots: dict[tuple[str, str], Spot]
    alerts: Sequence[Alert]
    more: int
    fires_elsewhere: Sequence[tuple[Floor, int]]


_FLOOR = (
    "SELECT f.id, u.code AS unit, b.code AS building, b.name AS building_name, f.code AS floor, f.name AS floor_name,"
    " f.level FROM floor f JOIN building b ON b.id = f.building_id JOIN unit u ON u.id = b.unit_id"
)
_STOOD = (
    "SELECT p.floor_id, p.sha256, i.media, i.width, i.height, octet_length(i.image) AS size, p.put_at, p.put_by,"
    " p.ended_at FROM floor_plan p JOIN plan_image i ON i.sha256 = p.sha256"
)
_OF_FLOOR = "a.unit = $1 AND a.zone LIKE $2 AND a.state <> 'closed'"


async def put(pool: Pool, where: Where, image: PlanImage, data: bytes, *, by: str, at: Micros) -> tuple[Became, Stood]:
    """Make an image the plan of a floor, and return what that was; the one before stays as history.

    The same image again changes nothing. Raises NotFound; Conflict where a plan would be replaced while a fire on that
    floor is open: what an operator works by does not change under an alarm. Raises StoreUnavailable.
    """
    digest = (await asyncio.to_thread(hashlib.sha256, data)).digest()  # 8 MiB: not on the loop
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            found = await _locked(conn, where)
            stands = await conn.fetchrow(f"{_STOOD} WHERE p.floor_id = $1 AND p.ended_at IS NULL", found.id)
            if stands is not None and stands["sha256"] == digest:
                return "unchanged", to_stood(stands)
            if stands is not None:
                await _refuse_under_fire(conn, found)
            await conn.execute(
                "INSERT INTO plan_image (sha256, media, width, height, image) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT (sha256) DO NOTHING",
                digest,
                image.media,
                image.width,
                image.height,
                data,
                timeout=_PATIENCE_S,
            )
            await _end(conn, found.id, by, at)
            await conn.execute(
                "INSERT INTO floor_plan (floor_id, sha256, put_at, put_by) VALUES ($1, $2, $3, $4)",
                found.id,
                digest,
                to_datetime(at),
                by,
            )
    made = Stood(digest, image.media, image.width, image.height, len(data), at, by)
    return ("created" if stands is None else "replaced"), made


async def withdraw(pool: Pool, where: Where, *, by: str, at: Micros) -> None:
    """Take a floor's plan back; it stays as history. Raises NotFound, Conflict under a fire, StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction():
            found = await _locked(conn, where)
            await _refuse_under_fire(conn, found)
            if not await _end(conn, found.id, by, at):
                raise NotFound(f"floor {where.building}/{where.floor} of unit {where.unit} has no plan to withdraw")


async def which(pool: Pool, where: Where, digest: bytes | None) -> Stood:
    """Return a floor's plan, or with ``digest`` one it has or had. Raises NotFound, StoreUnavailable."""
    with store_errors():
        row = await pool.fetchrow(
            f"{_STOOD} JOIN ({_FLOOR}) f ON f.id = p.floor_id WHERE (f.unit, f.building, f.floor) = ($1, $2, $3)"
            " AND CASE WHEN $4::bytea IS NULL THEN p.ended_at IS NULL ELSE p.sha256 = $4 END"
            " ORDER BY p.id DESC LIMIT 1",
            *where,
            digest,
            timeout=_PATIENCE_S,
        )
    if row is None:
        wanted = "plan" if digest is None else f"plan {digest.hex()[:12]}"
        raise NotFound(f"floor {where.building}/{where.floor} of unit {where.unit} has no {wanted}; PUT one there")
    return to_stood(row)


async def image(pool: Pool, digest: bytes) -> bytes:
    """Return the bytes of an image that ``which`` found. Raises StoreUnavailable."""
    with store_errors():
        found: bytes = await pool.fetchval(
            "SELECT image FROM plan_image WHERE sha256 = $1", digest, timeout=_PATIENCE_S
        )
    return found


async def floors(pool: Pool, unit: str) -> list[tuple[Floor, list[Stood]]]:
    """Return the floors of a unit by building and level, each with its plans, newest first.

    Raises NotFound for no such unit, StoreUnavailable.
    """
    with store_errors():
        async with pool.acquire() as conn:
            if not await conn.fetchval("SELECT EXISTS (SELECT FROM unit WHERE code = $1)", unit):
                raise NotFound(f"there is no unit {unit!r}")
            rows = await conn.fetch(f"{_FLOOR} WHERE u.code = $1 ORDER BY b.code, f.level, f.code", unit)
            plans = await _plans(conn, [row["id"] for row in rows])
    return [(Floor(*row), plans.get(row["id"], [])) for row in rows]


async def around(pool: Pool, alert: Alert) -> OnFloor | None:
    """Return what the plan of an alert's floor has on it, None where its floor is not known. StoreUnavailable."""
    place = floor_of(alert.zone)
    if place is None or alert.unit is None:
        return None
    building, floor = place
    zones = f"{_plain(building)}/{_plain(floor)}/%"
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            stories = [
                Floor(*row)
                for row in await conn.fetch(f"{_FLOOR} WHERE u.code = $1 AND b.code = $2", alert.unit, building)
            ]
            here = next((each for each in stories if each.floor == floor), None)
            if here is None:
                return None
            plans = (await _plans(conn, [here.id])).get(here.id, [])
            spots = await conn.fetch(
                "SELECT d.name, q.component, q.x, q.y, q.placed_at, q.placed_by"
                " FROM plan_position q JOIN device d ON d.id = q.device_id WHERE q.floor_id = $1",
                here.id,
            )
            open_ = await conn.fetch(
                f"SELECT {COLUMNS} FROM alert a WHERE {_OF_FLOOR} AND a.id <> $3"
                f" ORDER BY a.priority, a.raised_at DESC, a.id DESC LIMIT {MOST_AROUND + 1}",
                alert.unit,
                zones,
                alert.id,
                timeout=_PATIENCE_S,
            )
            others = await conn.fetchval(
                f"SELECT count(*) FROM alert a WHERE {_OF_FLOOR} AND a.id <> $3", alert.unit, zones, alert.id
            )
            fires = await conn.fetch(
                f"SELECT split_part(a.zone, '/', 2) AS floor, count(*) AS n FROM alert a WHERE {_OF_FLOOR}"
                " AND a.alert_class = 'fire' AND split_part(a.zone, '/', 2) <> $3 GROUP BY 1 ORDER BY 2 DESC, 1",
                alert.unit,
                f"{_plain(building)}/%",
                floor,
            )
    by_code = {each.floor: each for each in stories}
    return OnFloor(
        here,
        plans,
        {(row["name"], row["component"]): to_spot(row) for row in spots},
        [to_alert(row) for row in open_[:MOST_AROUND]],
        max(others - MOST_AROUND, 0),
        [(by_code[row["floor"]], row["n"]) for row in fires if row["floor"] in by_code],
    )


async def _locked(conn: Any, where: Where) -> Floor:
    row = await conn.fetchrow(f"{_FLOOR} WHERE u.code = $1 AND b.code = $2 AND f.code = $3 FOR UPDATE OF f", *where)
    if row is None:
        raise NotFound(
            f"unit {where.unit!r} has no floor {where.building}/{where.floor}; GET /api/v1/units/{where.unit}/plans"
            " lists its floors, a registry file adds one"
        )
    return Floor(*row)


async def _refuse_under_fire(conn: Any, floor: Floor) -> None:
    burning = await conn.fetchval(
        f"SELECT a.id FROM alert a WHERE {_OF_FLOOR} AND a.alert_class = 'fire' ORDER BY a.id LIMIT 1",
        floor.unit,
        f"{_plain(floor.building)}/{_plain(floor.floor)}/%",
    )
    if burning is not None:
        raise Conflict(
            f"the plan of floor {floor.building}/{floor.floor} may not change while fire alert {burning} there is open;"
            " close the alert first, then send it again"
        )


async def _end(conn: Any, floor_id: int, by: str, at: Micros) -> bool:
    done: str = await conn.execute(
        "UPDATE floor_plan SET ended_at = greatest($2, put_at), ended_by = $3 WHERE floor_id = $1 AND ended_at IS NULL",
        floor_id,
        to_datetime(at),
        by,
    )
    return not done.endswith(" 0")


async def _plans(conn: Any, floor_ids: Sequence[int]) -> dict[int, list[Stood]]:
    found: dict[int, list[Stood]] = {}
    for row in await conn.fetch(f"{_STOOD} WHERE p.floor_id = ANY($1::int4[]) ORDER BY p.id DESC", floor_ids):
        found.setdefault(row["floor_id"], []).append(to_stood(row))
    return found


def _plain(code: str) -> str:
    return code.replace("_", "\\_")  # a code has no other sign that LIKE reads


def to_stood(row: Any) -> Stood:
    """Return the plan of a row."""
    return Stood(
        sha256=row["sha256"],
        media=row["media"],
        width=row["width"],
        height=row["height"],
        size=row["size"],
        put_at=from_datetime(row["put_at"]),
        put_by=row["put_by"],
        ended_at=None if row["ended_at"] is None else from_datetime(row["ended_at"]),
    )


def to_spot(row: Any) -> Spot:
    """Return the place of a row."""
    return Spot(row["x"], row["y"], from_datetime(row["placed_at"]), row["placed_by"])
