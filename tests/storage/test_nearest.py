"""The nearest water and stations: by distance over ground, in service, with what is wrong, through an index."""

import json
import math
import random
from typing import Any

import asyncpg
from alert_making import commit, hazard

from firetower.devices.earth import distance_m
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind
from firetower.storage import nearest

HERE = (108.62, 21.95)


async def registered(pool: asyncpg.Pool, **places: tuple[float, float]) -> None:
    """Register hydrants of unit u1 on main m1, by name and metres to the east and north of HERE."""
    await pool.execute("INSERT INTO unit (code) VALUES ('u1')")
    await pool.execute("INSERT INTO water_main (code) VALUES ('m1')")
    await pool.executemany(
        "INSERT INTO device (unit_id, name, kind, lon, lat, main_id) SELECT u.id, $1, 'hydrant', $2, $3, m.id"
        " FROM unit u, water_main m",
        [(name, *there(*metres)) for name, metres in places.items()],
    )


def there(east: float, north: float) -> tuple[float, float]:
    per_degree = 111_195.08
    return HERE[0] + east / (per_degree * math.cos(math.radians(HERE[1]))), HERE[1] + north / per_degree


async def test_the_nearest_come_first_with_distance_and_direction(pool: asyncpg.Pool) -> None:
    """Degrees of longitude are shorter than those of latitude: what is nearer in degrees may be farther to run."""
    await registered(pool, **{"e-120": (120, 0), "n-115": (0, 115), "sw-2000": (-1414, -1414), "far": (0, 21_000)})
    found = await nearest.water(pool, *HERE, limit=5)
    assert [(each.device, each.bearing, round(each.distance_m)) for each in found] == [
        ("n-115", "north", 115), ("e-120", "east", 120), ("sw-2000", "south_west", 2000),
    ]  # fmt: skip
    assert [each.device for each in await nearest.water(pool, *HERE, limit=1)] == ["n-115"]
    assert [each.device for each in await nearest.water(pool, *HERE, within_m=117)] == ["n-115"]


async def test_a_corner_of_the_box_is_not_nearer_than_what_lies_just_beyond_its_edge(pool: asyncpg.Pool) -> None:
    await registered(pool, corner=(290, 290), beyond=(310, 0))
    assert [each.device for each in await nearest.water(pool, *HERE, limit=1)] == ["beyond"]


async def test_retired_and_other_devices_are_no_water(pool: asyncpg.Pool) -> None:
    await registered(pool, old=(10, 0), smoke=(20, 0), tower=(30, 0))
    await pool.execute("UPDATE device SET retired_at = now() WHERE name = 'old'")
    await pool.execute("UPDATE device SET kind = 'smoke' WHERE name = 'smoke'")
    await pool.execute("UPDATE device SET kind = 'water_crane', lat = lat WHERE name = 'tower'")
    assert [(each.device, each.kind) for each in await nearest.water(pool, *HERE)] == [("tower", "water_crane")]


async def test_what_is_known_to_be_wrong_with_it_is_told(pool: asyncpg.Pool) -> None:
    """Its own low pressure, the burst of its main, its silence; what is over, or only its battery, is not."""
    await registered(pool, good=(10, 0), low=(20, 0), mute=(30, 0))
    await pool.execute("UPDATE device SET main_id = NULL WHERE name <> 'low'")
    await pool.execute("UPDATE device SET status = 'offline' WHERE name = 'mute'")
    over = hazard("good")
    battery = hazard("good", rule="battery", alert_class=AlertClass.FAULT, priority=4)
    burst = hazard(rule="burst", subject_kind=SubjectKind.MAIN, subject="m1", title_en="Burst")
    await commit(pool, [over, battery, hazard("low"), burst])
    await pool.execute("UPDATE alert SET condition = 'normal' WHERE subject = 'u1/good' AND alert_class = 'hazard'")
    good, low, mute = await nearest.water(pool, *HERE)
    assert (good.faulty, low.faulty, mute.faulty) == (False, True, True)
    assert {told.title_en for told in low.trouble} == {"Low pressure", "Burst"}
    assert mute.trouble == ()


async def test_stations_with_and_without_contacts(pool: asyncpg.Pool) -> None:
    await pool.executemany(
        "INSERT INTO station (code, lon, lat) VALUES ($1, $2, $3)",
        [("a", *there(100, 0)), ("b", *there(0, 900)), ("c", *there(0, 30_000))],
    )
    assert [each.code for each in await nearest.stations(pool, *HERE)] == ["a", "b"]
    assert await nearest.stations(pool, *HERE, with_contact=True) == []


async def test_among_many_devices_an_index_finds_them_and_they_are_those_a_look_at_all_finds(
    pool: asyncpg.Pool,
) -> None:
    """A million devices are not read for one alarm."""
    await registered(pool)
    await pool.execute(
        "INSERT INTO device (unit_id, name, kind, lon, lat) SELECT u.id, 'd' || n,"
        " CASE WHEN n % 10 = 0 THEN 'hydrant' ELSE 'smoke' END, 108.5 + random() * 0.3, 21.8 + random() * 0.3"
        " FROM unit u, generate_series(1, 20000) n"
    )
    await pool.execute("ANALYZE device")
    rows = await pool.fetch("SELECT name, lon, lat FROM device WHERE kind = 'hydrant'")
    chance = random.Random(7)
    for _ in range(5):
        place = 108.5 + chance.random() * 0.3, 21.8 + chance.random() * 0.3
        all_of_them = sorted((distance_m(*place, row["lon"], row["lat"]), row["name"]) for row in rows)
        found = await nearest.water(pool, *place, limit=4)
        assert [(each.distance_m, each.device) for each in found] == all_of_them[:4]
    scans = [node for node in await explained(pool) if node.get("Relation Name") == "device"]
    assert scans
    assert all(node["Node Type"] != "Seq Scan" for node in scans)


async def explained(pool: asyncpg.Pool) -> list[dict[str, Any]]:
    """The nodes of PostgreSQL's plan for the very query."""
    asked: list[tuple[str, Any]] = []

    class Listening:
        async def fetch(self, query: str, *given: Any) -> list[Any]:
            asked.append((query, given))
            return []

    await nearest.water(Listening(), *HERE, within_m=300)
    (query, given) = asked[0]
    nodes = [json.loads(await pool.fetchval(f"EXPLAIN (FORMAT JSON) {query}", *given))[0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", [])
    return nodes


async def test_no_place_on_earth_is_an_error(pool: asyncpg.Pool) -> None:
    for lat in (-90.0, -89.9, 0.0, 60.0, 90.0):
        for lon in (-180.0, 179.99):
            assert await nearest.water(pool, lon, lat) == []
