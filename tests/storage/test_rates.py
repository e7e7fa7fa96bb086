"""The rates as the store counts them, and the days as the desk freezes them, on a real PostgreSQL."""

import asyncio
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from alert_making import hazard
from desk_city import City, fault, silent
from waiting import until

from firetower.core.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros, to_datetime
from firetower.devices.city import read_city
from firetower.devices.rates import Figures
from firetower.storage import rates, registry
from firetower.storage.lease import Lease
from firetower.storage.rate_days import EVERY, SETTLED, RateDays, frozen
from firetower.storage.rates import CITY

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 23)
BEGIN: Micros = 1_795_363_200 * SECOND  # 2026-11-23T00:00+08:00
NOON: Micros = BEGIN + 12 * HOUR

FILE: dict[str, Any] = {
    "format": "firetower-registry/1",
    "grids": [{"code": "g1", "name": "网格一"}, {"code": "g2"}],
    "units": [
        {"code": "u1", "category": "mall", "grid": "g1", "buildings": [
            {"code": "a", "floors": [{"code": "3", "zones": [{"code": "e"}, {"code": "w"}]}]}
        ]},
        {"code": "dead", "category": "hospital", "grid": "g1"},
        {"code": "shop", "category": "jiuxiao", "grid": "g2", "must_connect": True},
        {"code": "spared", "category": "mall", "must_connect": False},
        {"code": "water", "category": "water_company"},
    ],
    "devices": [
        *({"unit": "u1", "device": f"s{n}", "kind": "smoke", "zone": "a/3/e" if n < 3 else "a/3/w"} for n in range(6)),
        {"unit": "u1", "device": "gone", "kind": "smoke", "retired": True},
        {"unit": "dead", "device": "d1", "kind": "smoke"},
        {"unit": "shop", "device": "slow", "kind": "smoke", "interval_s": 20 * 86400},
        *({"unit": "water", "device": f"h{n}", "kind": "hydrant"} for n in range(3)),
        {"unit": "water", "device": "c1", "kind": "water_crane"},
    ],
}  # fmt: skip


@pytest.fixture
async def ids(pool: asyncpg.Pool) -> dict[str, int]:
    """The file above: everything online a moment ago but s5 (never heard), d1 (away for 26 h), slow (30 days ago)."""
    read, errors = read_city(FILE)
    assert not errors
    assert not (await registry.import_city(pool, read)).errors
    await pool.execute("UPDATE device SET status = 'online', last_seen_at = $1 WHERE name <> 's5'", to_datetime(NOON))
    await _heard(pool, "d1", NOON - 26 * HOUR, "offline")
    await _heard(pool, "slow", NOON - 30 * DAY, "online")
    return {row["name"]: row["id"] for row in await pool.fetch("SELECT name, id FROM device")}


async def _heard(pool: asyncpg.Pool, device: str, at: Micros, status: str) -> None:
    await pool.execute(
        "UPDATE device SET status = $2, last_seen_at = $3 WHERE name = $1", device, status, to_datetime(at)
    )


async def _trouble(city: City, ids: dict[str, int], device: str, verdict: Any, **columns: Any) -> None:
    kind = await city.pool.fetchval("SELECT kind FROM device WHERE id = $1", ids[device])
    await city.raised(verdict, device_id=ids[device], device_kind=kind, **columns)


async def test_each_device_and_unit_is_counted_as_it_is_said(
    city: City, ids: dict[str, int], pool: asyncpg.Pool
) -> None:
    await _trouble(city, ids, "s0", fault("s0"))
    await _trouble(city, ids, "s1", fault("s1", component="x"), condition="normal")  # it has returned
    await _trouble(city, ids, "s1", fault("s1", component="y"), flags=["in_test"])
    await _trouble(city, ids, "s2", hazard("s2"))  # a limit broken: the detector works
    await _trouble(city, ids, "h0", hazard("h0"), state="closed")  # no pressure, and somebody knows
    await city.window("maintenance", NOON - HOUR, NOON + HOUR, device="s3")
    await city.window("impairment", NOON - HOUR, NOON + HOUR, zone="a/3/w", measure="patrol")  # s3, s4, s5
    await city.window("maintenance", NOON - HOUR, NOON + HOUR, device="s2", component="loop-1")  # one point only
    await city.window("maintenance", NOON - 3 * HOUR, NOON - HOUR, unit="water")  # over
    found = await rates.count(pool, NOON)

    # s0 s1 s2 s4 h0 h1 h2 c1 slow d1 are watched, s3 is in maintenance, s5 never reported; d1 is offline
    assert found.parts[CITY] == Figures(3, 2, devices=10, online=9, intact=6, never_reported=1, in_maintenance=1)
    assert found.parts["grid", "g1"] == Figures(2, 1, devices=5, online=4, intact=2, never_reported=1, in_maintenance=1)
    assert found.parts["grid", "g2"] == Figures(1, 1, devices=1, online=1, intact=1)
    assert found.parts["grid", ""] == Figures(0, 0, devices=4, online=4, intact=3)
    assert found.parts["kind", "hydrant"] == Figures(devices=3, online=3, intact=2)
    assert found.parts["kind", "water_crane"] == Figures(devices=1, online=1, intact=1)  # one, not seven hydrants
    assert found.names["g1"] == "网格一"

    one = await rates.of_unit(pool, "u1", NOON)
    assert one is not None
    assert one.figures == Figures(devices=4, online=4, intact=2, never_reported=1, in_maintenance=1)
    assert (one.given, one.category, one.connected) == (None, "mall", True)
    gone = await rates.of_unit(pool, "dead", NOON)
    assert gone is not None
    assert (gone.connected, gone.connected_since) == (False, None)
    assert await rates.of_unit(pool, "nobody", NOON) is None


async def test_a_city_without_devices_has_figures_of_nothing(pool: asyncpg.Pool) -> None:
    assert (await rates.count(pool, NOON)).parts == {CITY: Figures()}


async def test_the_time_form_counts_overlapping_alerts_once_and_only_their_part_of_the_day(
    city: City, ids: dict[str, int], pool: asyncpg.Pool
) -> None:
    async def stood(device: str, verdict: Any, since: Micros, until: Micros | None) -> None:
        ended = {} if until is None else {"condition": "normal", "condition_at": to_datetime(until)}
        began = {"device_at": to_datetime(since), "raised_at": to_datetime(since)}
        await _trouble(city, ids, device, verdict, **began, **ended)

    await stood("h0", fault("h0"), BEGIN - DAY, BEGIN + 6 * HOUR)  # six hours of the day
    await stood("h0", hazard("h0"), BEGIN + 3 * HOUR, BEGIN + 9 * HOUR)  # three more
    await stood("h1", silent("h1"), BEGIN + 23 * HOUR, None)  # the last one
    await stood("c1", fault("c1"), BEGIN - DAY, BEGIN - HOUR)  # the day before
    found = await rates.intact_time(pool, BEGIN, BEGIN + DAY)
    assert found["kind", "hydrant"] == pytest.approx(1 - 10 / (3 * 24))
    assert found["kind", "water_crane"] == 1.0
    assert found["grid", ""] == pytest.approx(1 - 10 / (4 * 24))


async def test_a_day_is_frozen_at_its_end_and_nothing_changes_it_afterwards(
    ids: dict[str, int], pool: asyncpg.Pool, lease: Lease
) -> None:
    clock = ManualClock(NOON)
    days = RateDays(pool, lease, SHANGHAI, clock)
    await days.look(NOON)
    assert await pool.fetchval("SELECT count(*) FROM rate_day") == 0  # who is silent may only not have been heard yet
    await days.look(NOON + SETTLED)
    assert await frozen(pool, CITY, MONDAY, MONDAY) == []
    since = await pool.fetchval("SELECT connected_since FROM unit WHERE code = 'u1'")
    assert since == to_datetime(NOON + SETTLED)

    await _heard(pool, "h0", NOON, "offline")
    await days.look(BEGIN + DAY - SECOND)
    await _heard(pool, "h1", NOON, "offline")
    midnight = BEGIN + DAY + 3 * SECOND
    await days.look(midnight)
    (day,) = await frozen(pool, CITY, MONDAY, MONDAY)
    assert day.figures is not None
    assert (day.figures.devices, day.figures.online, day.as_of, day.late) == (11, 8, midnight, False)

    await pool.execute("UPDATE device SET retired_at = now(), status = 'offline'")
    for later in (midnight + EVERY, midnight + HOUR, NOON):  # the last: a clock that was set back
        await days.look(later)
        await RateDays(pool, lease, SHANGHAI, clock).look(later)
    assert await frozen(pool, CITY, MONDAY, MONDAY) == [day]
    (hydrants,) = await frozen(pool, ("kind", "hydrant"), MONDAY, MONDAY)
    assert hydrants.figures == Figures(devices=3, online=1, intact=1)
    assert await pool.fetchval("SELECT online_rate FROM api.rates WHERE code = 'hydrant'") == pytest.approx(1 / 3)


async def test_after_an_outage_a_day_keeps_what_was_known_and_days_nobody_counted_are_gaps(
    ids: dict[str, int], pool: asyncpg.Pool, lease: Lease
) -> None:
    clock = ManualClock(NOON)
    before = RateDays(pool, lease, SHANGHAI, clock)
    await before.look(NOON)
    await before.look(NOON + SETTLED)
    await pool.execute("UPDATE device SET status = 'offline'")  # nobody was heard meanwhile
    again = BEGIN + 3 * DAY + 7 * HOUR
    await RateDays(pool, lease, SHANGHAI, clock).look(again)
    first, *gaps = await frozen(pool, CITY, MONDAY, MONDAY + timedelta(days=9))
    assert first.figures is not None
    assert (first.figures.online, first.as_of, first.frozen_at, first.late) == (10, NOON + SETTLED, again, True)
    assert first.intact_time == 1.0  # of the hours that were watched
    assert [(gap.day.day, gap.figures, gap.intact_time, gap.as_of, gap.late) for gap in gaps] == [
        (24, None, None, None, True), (25, None, None, None, True),
    ]  # fmt: skip
    assert [day.figures for day in await frozen(pool, ("kind", "hydrant"), MONDAY, MONDAY + timedelta(days=2))][1:] == [
        None,
        None,
    ]


async def test_while_devices_are_not_heard_nothing_is_counted(
    ids: dict[str, int], pool: asyncpg.Pool, lease: Lease
) -> None:
    heard = [True]
    days = RateDays(pool, lease, SHANGHAI, ManualClock(NOON), lambda: heard[0])
    await days.look(NOON)
    await days.look(NOON + SETTLED)
    heard[0] = False  # the broker is away, and soon everything counts as silent
    await pool.execute("UPDATE device SET status = 'offline'")
    await days.look(NOON + HOUR)
    heard[0] = True
    await days.look(BEGIN + DAY - MINUTE)
    await days.look(BEGIN + DAY + SECOND)
    (day,) = await frozen(pool, CITY, MONDAY, MONDAY)
    assert day.figures is not None
    assert (day.figures.online, day.as_of, day.late) == (10, NOON + SETTLED, False)


async def test_a_unit_that_is_away_for_a_day_loses_its_connection_and_begins_anew(
    ids: dict[str, int], pool: asyncpg.Pool, lease: Lease
) -> None:
    days = RateDays(pool, lease, SHANGHAI, ManualClock(NOON))

    async def since() -> Any:
        return await pool.fetchval("SELECT connected_since FROM unit WHERE code = 'u1'")

    for at in (NOON, NOON + SETTLED, NOON + 24 * HOUR):
        await days.look(at)
    assert await since() == to_datetime(NOON + SETTLED)
    await days.look(NOON + 26 * HOUR)
    assert await since() is None
    await _heard(pool, "s0", NOON + 26 * HOUR, "online")
    await days.look(NOON + 27 * HOUR)
    assert await since() == to_datetime(NOON + 27 * HOUR)


async def test_every_unit_of_a_large_city_is_connected_since_the_same_count(
    ids: dict[str, int], pool: asyncpg.Pool, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thousand a count would have told the last of a hundred thousand units four hours late."""
    monkeypatch.setattr("firetower.storage.rate_days._UNITS_AT_ONCE", 1)
    days = RateDays(pool, lease, SHANGHAI, ManualClock(NOON))
    for at in (NOON, NOON + SETTLED):
        await days.look(at)
    since = await pool.fetch("SELECT code, connected_since FROM unit WHERE connected_since IS NOT NULL ORDER BY code")
    assert [tuple(row) for row in since] == [(code, to_datetime(NOON + SETTLED)) for code in ("shop", "u1", "water")]


async def test_a_count_that_fails_on_us_ends_neither_the_counting_nor_the_desk(
    ids: dict[str, int], pool: asyncpg.Pool, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends beside the steps ends the desk, which hands fires over; who takes it up hears anew."""
    monkeypatch.setattr("firetower.storage.rate_days.LOOK_S", 0.01)
    clock = ManualClock(NOON)
    days = RateDays(pool, lease, SHANGHAI, clock)
    for at in (NOON, NOON + SETTLED):
        await days.look(at)
    clock.set(NOON + HOUR)
    await pool.execute("ALTER TABLE grid RENAME TO gone")
    running = asyncio.create_task(days.run())
    try:
        await asyncio.sleep(0.05)
        clock.set(NOON + 2 * HOUR)
        await asyncio.sleep(0.2)
        assert not running.done()
        await pool.execute("ALTER TABLE gone RENAME TO grid")
        await until(lambda: _counted(pool, NOON + 2 * HOUR))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _counted(pool: asyncpg.Pool, at: Micros) -> bool:
    return bool(await pool.fetchval("SELECT max(as_of) = $1 FROM rate_day", to_datetime(at)))
