"""Rates over HTTP: now, of days that are over, and of one unit."""

from typing import Any

import asyncpg
import pytest

from firetower.core.clock import MINUTE, SECOND, to_datetime
from firetower.devices.city import read_city
from firetower.storage import registry

CITY = {
    "format": "firetower-registry/1",
    "grids": [{"code": "g1", "name": "网格一"}],
    "units": [
        {"code": "mall-01", "category": "mall", "grid": "g1"},
        {"code": "far", "category": "school"},
        {"code": "shop", "category": "jiuxiao", "must_connect": False},
    ],
    "devices": [
        *({"unit": "mall-01", "device": f"s{n}", "kind": "smoke"} for n in range(4)),
        {"unit": "far", "device": "h1", "kind": "hydrant"},
    ],
}


@pytest.fixture
async def city(running: Any) -> Any:
    read, errors = read_city(CITY)
    assert not errors
    assert not (await registry.import_city(running.pool, read)).errors
    await running.pool.execute(
        "UPDATE device SET status = 'online', last_seen_at = $1 WHERE name LIKE 's%'", to_datetime(running.clock.now())
    )
    await running.pool.execute("UPDATE device SET status = 'offline' WHERE name = 's0'")
    await running.sign_in("vera")
    return running


async def test_the_rates_stand_against_their_targets_by_grid_and_kind(city: Any) -> None:
    found = await city.get("/api/v1/rates")
    assert found["city"]["connection"] == {"rate": 0.5, "count": 1, "of": 2, "target": 0.9, "reached": False}
    assert found["city"]["online"] == {"rate": 0.75, "count": 3, "of": 4, "target": 0.95, "reached": False}
    assert (found["city"]["never_reported"], found["hearing"]) == (1, True)
    assert [(each["grid"], each["name"], each["connection"]["count"]) for each in found["grids"]] == [
        ("g1", "网格一", 1), (None, "", 0),
    ]  # fmt: skip
    hydrants = next(each for each in found["kinds"] if each["kind"] == "hydrant")
    assert hydrants["intact"] == {"rate": None, "count": 0, "of": 0, "target": 0.9, "reached": None}

    await city.pool.execute("UPDATE device SET status = 'online'")
    assert (await city.get("/api/v1/rates", by=""))["as_of"] == found["as_of"]  # counted once for all who look
    city.clock.advance(16 * SECOND)
    city.health.checks[1] = ("broker", False, "away")
    later = await city.get("/api/v1/rates", by="kind")
    assert (later["city"]["online"]["rate"], later["grids"], later["hearing"]) == (1.0, [], False)


async def test_a_units_file_has_its_connection_and_its_rates(city: Any) -> None:
    mall = await city.get("/api/v1/units/mall-01")
    assert mall["connection"] == {"must_connect": True, "given": None, "connected": True, "since": None}
    assert (mall["rates"]["online"]["count"], mall["rates"]["online"]["of"]) == (3, 4)
    shop = await city.get("/api/v1/units/shop")
    assert (shop["connection"]["must_connect"], shop["connection"]["given"]) == (False, False)
    assert shop["rates"]["intact"]["rate"] is None


async def test_days_that_are_over_are_listed_with_their_gaps(city: Any, pool: asyncpg.Pool) -> None:
    at = to_datetime(city.clock.now() - MINUTE)
    await pool.execute(
        "INSERT INTO rate_day (day, scope, code, units_due, units_connected, devices, online, intact, never_reported,"
        " in_maintenance, intact_time, as_of, frozen_at) VALUES"
        " ('2025-11-20', 'city', '', 2, 1, 4, 4, 3, 0, 0, 0.97, $1, $1),"
        " ('2025-11-20', 'kind', 'smoke', 0, 0, 4, 4, 3, 0, 0, 0.96, $1, $1),"
        " ('2025-11-22', 'city', '', 2, 1, 4, 4, 3, 0, 0, null, $1, null)",
        at,
    )
    await pool.execute("INSERT INTO rate_day (day, scope, frozen_at, late) VALUES ('2025-11-21', 'city', $1, true)", at)
    days = (await city.get("/api/v1/rates/days"))["items"]
    assert [(day["day"], day["intact"] and day["intact"]["rate"], day["intact_time"], day["late"]) for day in days] == [
        ("2025-11-20", 0.75, 0.97, False), ("2025-11-21", None, None, True),
    ]  # fmt: skip
    of_kind = (await city.get("/api/v1/rates/days", kind="smoke", **{"from": "2025-11-20", "to": "2025-11-20"}))[
        "items"
    ]
    assert (of_kind[0]["connection"], of_kind[0]["intact_time"]) == (None, 0.96)
    for query, told in (
        ({"from": "2025-11-21", "to": "2025-11-20"}, "must not lie before"),
        ({"grid": "g1", "kind": "smoke"}, "one or the other"),
        ({"from": "yesterday"}, "from"),
        ({"to": "0001-01-01"}, "1970"),
        ({"from": "9999-01-01", "to": "9999-12-31"}, "2200"),
    ):
        status, body = await city.call("GET", "/api/v1/rates/days", params=query)
        assert (status, told in str(body["error"])) == (400, True), body
