"""The registry file's points, gateways and retired devices; and what no import may change while a fire is open."""

import asyncio
from typing import Any

import asyncpg
import pytest
from alert_making import commit, fire
from waiting import until

from firetower.devices.city import City, read_city
from firetower.devices.registry import Registry
from firetower.rules.verdicts import SubjectKind
from firetower.storage import registry

POINTS = [
    {"component": "2-3-017", "zone": "A/3/e", "place": "3F corridor, by the lift"},
    {"component": "2-3-018", "place": "3F store"},
]
PANEL: dict[str, Any] = {"unit": "u1", "device": "fap-1", "kind": "panel", "gateway": "gateway", "points": POINTS}
GATEWAY: dict[str, Any] = {"unit": "u1", "device": "gateway", "kind": "gateway"}
FLOORS = [{"code": "3", "level": 3, "zones": [{"code": "e"}]}]


def city(*devices: dict[str, Any]) -> City:
    made, errors = read_city(
        {
            "format": "firetower-registry/1",
            "units": [{"code": "u1", "name": "Ward", "buildings": [{"code": "A", "floors": FLOORS}]}],
            "devices": [*devices],
        }
    )
    assert errors == []
    return made


async def points(pool: asyncpg.Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch("SELECT component, place FROM point ORDER BY component")
    return [(row["component"], row["place"]) for row in rows]


async def burn(pool: asyncpg.Pool, device: str = "fap-1") -> int:
    await commit(pool, [fire(device, subject_kind=SubjectKind.DEVICE)])
    return await pool.fetchval("SELECT max(id) FROM alert")


async def test_a_panels_points_are_written_updated_and_forgotten_with_its_row_and_the_same_file_changes_nothing(
    pool: asyncpg.Pool,
) -> None:
    assert (await registry.import_city(pool, city(GATEWAY, PANEL))).errors == []
    assert await points(pool) == [("2-3-017", "3F corridor, by the lift"), ("2-3-018", "3F store")]
    again = await registry.import_city(pool, city(GATEWAY, PANEL))
    assert (again.unchanged["points"], again.updated["points"], again.unchanged["devices"]) == (2, 0, 2)
    await registry.import_city(pool, city(GATEWAY, PANEL | {"points": [POINTS[0] | {"place": "moved"}]}))
    assert await points(pool) == [("2-3-017", "moved")]


async def test_a_point_or_a_device_that_names_what_is_not_there_is_an_error_that_says_so(pool: asyncpg.Pool) -> None:
    report = await registry.import_city(
        pool,
        city(
            PANEL | {"points": [{"component": "1", "zone": "A/9/e"}]},
            {"unit": "u1", "device": "smk-1", "kind": "smoke", "gateway": "fap-1"},
        ),
    )
    assert [(error.where, error.item) for error in report.errors] == [
        ("/devices/0", "u1/fap-1"),
        ("/devices/0", "u1/fap-1"),
        ("/devices/1", "u1/smk-1"),
    ]
    assert "'A/9/e'" in report.errors[0].message
    assert "gateway 'gateway'" in report.errors[1].message
    assert "'fap-1' is no device of kind gateway" in report.errors[2].message
    assert await pool.fetchval("SELECT count(*) FROM device") == 0


def test_a_component_that_stands_twice_among_a_panels_points_is_named() -> None:
    _, errors = read_city({"format": "firetower-registry/1", "devices": [PANEL | {"points": [POINTS[0], POINTS[0]]}]})
    assert "2-3-017" in errors[0].message
    assert "twice" in errors[0].message


async def test_a_device_is_retired_and_taken_back_by_its_row_and_keeps_the_day_it_was_retired(
    pool: asyncpg.Pool,
) -> None:
    retired = city(GATEWAY | {"retired": True})
    await registry.import_city(pool, retired)
    since = await pool.fetchval("SELECT retired_at FROM device")
    assert since is not None
    assert (await registry.import_city(pool, retired)).unchanged["devices"] == 1
    assert await pool.fetchval("SELECT retired_at FROM device") == since
    known = Registry()
    await registry.load(pool, known)
    assert known.retired[1]
    await registry.import_city(pool, city(GATEWAY))
    assert await pool.fetchval("SELECT retired_at FROM device") is None


@pytest.mark.parametrize(
    "change",
    [
        {"retired": True},
        {"kind": "smoke", "points": []},
        {"zone": "A/3/e"},
        {"place": "elsewhere"},
        {"points": POINTS[:1]},
        {"gateway": None},
        {"lon": 114.0},
    ],
    ids=str,
)
async def test_while_a_fire_of_a_device_is_open_its_row_may_not_change(
    pool: asyncpg.Pool, change: dict[str, Any]
) -> None:
    await registry.import_city(pool, city(GATEWAY, PANEL))
    alert = await burn(pool)
    report = await registry.import_city(pool, city(GATEWAY, PANEL | change))
    assert [error.item for error in report.errors] == ["u1/fap-1"]
    assert f"fire alert {alert}" in report.errors[0].message
    assert next(iter(change)) in report.errors[0].message
    assert (await registry.import_city(pool, city(GATEWAY, PANEL))).errors == [], "the same row is no change"
    assert (await registry.import_city(pool, city(GATEWAY | {"place": "roof"}))).errors == [], "nor is another device"


async def test_once_the_fire_has_its_verdict_the_device_may_be_retired(pool: asyncpg.Pool) -> None:
    await registry.import_city(pool, city(GATEWAY, PANEL))
    alert = await burn(pool)
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm' WHERE id = $1", alert)
    assert (await registry.import_city(pool, city(GATEWAY, PANEL | {"retired": True}))).errors == []


async def test_an_unregistered_sender_that_burns_may_be_registered(pool: asyncpg.Pool) -> None:
    await burn(pool, "new-1")
    report = await registry.import_city(pool, city({"unit": "u1", "device": "new-1", "kind": "smoke"}))
    assert report.errors == []


@pytest.mark.parametrize("change", [{"retired": True}, {"points": POINTS[:1]}], ids=str)
async def test_a_fire_that_comes_while_the_file_is_read_in_undoes_it(
    pool: asyncpg.Pool, change: dict[str, Any]
) -> None:
    await registry.import_city(pool, city(GATEWAY, PANEL))
    async with pool.acquire() as other, pool.acquire() as watch:
        held = other.transaction()
        await held.start()
        await other.execute("SELECT FROM device FOR UPDATE")  # for the time that a hundred thousand devices take
        await other.execute("SELECT FROM point FOR UPDATE")
        importing = asyncio.create_task(registry.import_city(pool, city(GATEWAY, PANEL | change)))
        await until(
            lambda: watch.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"), 10, "the import waits"
        )
        await burn(pool)
        await held.rollback()
        report = await importing
    assert [error.item for error in report.errors] == ["u1/fap-1"]
    assert "raised while the file was read in" in report.errors[0].message
    assert await pool.fetchval("SELECT retired_at FROM device WHERE name = 'fap-1'") is None
    assert len(await points(pool)) == 2
