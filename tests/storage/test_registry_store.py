"""The registry in the store: files imported all or nothing, strangers registered on sight, all of it loaded again."""

import asyncio
from typing import Any

import asyncpg
import numpy as np

from firetower.core.clock import MINUTE, SECOND, ManualClock, to_datetime
from firetower.devices.city import City, read_city
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import Registry
from firetower.ingest.ports import Stranger
from firetower.storage import liveness, registry, strangers

NOW = ManualClock().now()


def city(**changes: Any) -> City:
    raw: dict[str, Any] = {
        "format": "firetower-registry/1",
        "grids": [{"code": "g1", "name": "第一网格", "district": "东区"}],
        "mains": [{"code": "m1", "diameter_mm": 300, "grid": "g1"}],
        "units": [
            {
                "code": "mall",
                "name": "万象城",
                "category": "mall",
                "grid": "g1",
                "lon": 114.05,
                "lat": 22.54,
                "buildings": [
                    {"code": "A", "floors": [{"code": "3", "level": 3, "zones": [{"code": "e"}, {"code": "w"}]}]}
                ],
            },
            {"code": "water", "category": "water_company"},
        ],
        "devices": [
            {"unit": "mall", "device": "s-1", "kind": "smoke", "zone": "A/3/e", "interval_s": 30, "lon": 114.0},
            {"unit": "water", "device": "h-1", "kind": "hydrant", "main": "m1"},
            {"unit": "mall", "device": "t-1", "kind": "water_level", "attributes": {"level_low": 1.2}},
        ],
    }
    made, errors = read_city({**raw, **changes})
    assert errors == []
    return made


async def rows(pool: asyncpg.Pool, table: str) -> int:
    return await pool.fetchval(f"SELECT count(*) FROM {table}")


async def loaded(pool: asyncpg.Pool) -> Registry:
    made = Registry()
    await registry.load(pool, made)
    return made


async def test_a_registry_file_is_written_whole_and_the_same_file_again_changes_nothing(pool: asyncpg.Pool) -> None:
    first = await registry.import_city(pool, city())
    assert first.errors == []
    assert first.created == {
        "grids": 1, "mains": 1, "units": 2, "buildings": 1, "floors": 1, "zones": 2, "devices": 3,
    }  # fmt: skip
    again = await registry.import_city(pool, city())
    assert set(again.created.values()) == set(again.updated.values()) == {0}
    assert again.unchanged == first.created


async def test_what_differs_is_updated_and_what_is_not_named_stays(pool: asyncpg.Pool) -> None:
    await registry.import_city(pool, city())
    report = await registry.import_city(
        pool,
        city(units=[{"code": "mall", "name": "新名"}], devices=[{"unit": "mall", "device": "s-1", "kind": "heat"}]),
    )
    assert (report.updated["units"], report.updated["devices"], report.created["devices"]) == (1, 1, 0)
    assert await rows(pool, "device") == 3
    assert await rows(pool, "zone") == 2
    device = await pool.fetchrow("SELECT kind, zone_id, interval_s FROM device WHERE name = 's-1'")
    assert tuple(device) == ("heat", None, 60)


async def test_the_registry_loads_what_was_imported(pool: asyncpg.Pool) -> None:
    await registry.import_city(pool, city())
    made = await loaded(pool)
    assert made.devices == 3
    smoke, hydrant, tank = (made.number(*n) for n in (("mall", "s-1"), ("water", "h-1"), ("mall", "t-1")))
    assert smoke is not None
    assert hydrant is not None
    assert tank is not None
    assert sorted([smoke, hydrant, tank]) == [1, 2, 3]
    assert made.zone(smoke) == "A/3/e"
    assert made.main(hydrant) == "m1"
    assert made.interval[smoke] == 30 * SECOND
    assert made.attribute("level_low")[tank] == 1.2
    assert np.isnan(made.attribute("level_low")[smoke])
    assert made.lon[smoke] == 114.0
    assert np.isnan(made.lat[smoke])
    assert made.last_seen[smoke] == 0


async def test_every_dangling_reference_is_an_error_of_its_own_and_nothing_is_written(pool: asyncpg.Pool) -> None:
    broken = city(
        mains=[{"code": "m1", "grid": "nowhere"}],
        units=[{"code": "mall", "grid": "g1"}, {"code": "water", "grid": "gone"}],
        devices=[
            {"unit": "mall", "device": "ok", "kind": "smoke"},
            {"unit": "unknown", "device": "d1", "kind": "smoke"},
            {"unit": "mall", "device": "d2", "kind": "smoke", "zone": "A/3/e"},
            {"unit": "water", "device": "d3", "kind": "hydrant", "main": "m9"},
        ],
    )
    report = await registry.import_city(pool, broken)
    assert [error.where for error in report.errors] == [
        "/mains/0", "/units/1", "/devices/1", "/devices/2", "/devices/3",
    ]  # fmt: skip
    assert [error.item for error in report.errors] == ["m1", "water", "unknown/d1", "mall/d2", "water/d3"]
    for named, error in zip(("nowhere", "gone", "unknown", "A/3/e", "m9"), report.errors, strict=True):
        assert named in error.message
        assert "add it" in error.message
    assert report.created == report.updated == report.unchanged == {}
    for table in ("grid", "water_main", "unit", "building", "device"):
        assert await rows(pool, table) == 0


async def test_a_reference_may_be_to_what_the_store_already_holds(pool: asyncpg.Pool) -> None:
    await registry.import_city(pool, city())
    later = city(
        grids=[],
        mains=[],
        units=[],
        devices=[
            {"unit": "mall", "device": "s-2", "kind": "smoke", "zone": "A/3/w"},
            {"unit": "water", "device": "h-2", "kind": "hydrant", "main": "m1"},
        ],
    )
    report = await registry.import_city(pool, later)
    assert report.errors == []
    assert report.created["devices"] == 2


async def test_a_zone_of_another_unit_is_not_this_units_zone(pool: asyncpg.Pool) -> None:
    report = await registry.import_city(
        pool, city(devices=[{"unit": "water", "device": "d", "kind": "smoke", "zone": "A/3/e"}])
    )
    assert [error.where for error in report.errors] == ["/devices/0"]


async def test_a_code_twice_under_one_parent_is_named(pool: asyncpg.Pool) -> None:
    report = await registry.import_city(
        pool, city(units=[{"code": "mall", "buildings": [{"code": "B"}, {"code": "B"}]}, {"code": "water"}], devices=[])
    )
    assert [error.item for error in report.errors] == ["B"]
    assert await rows(pool, "unit") == 0


async def test_a_device_under_an_open_fire_alert_keeps_its_kind_until_the_alert_is_closed(pool: asyncpg.Pool) -> None:
    await registry.import_city(pool, city())
    await pool.execute(
        "INSERT INTO alert (rule, rule_version, subject_kind, subject, component, alert_class, priority, latched,"
        " state, condition, unit, device, title_zh, title_en, device_at, received_at, raised_at, condition_at,"
        " last_event_at)"
        " VALUES ('event:fire', 1, 'device', 'mall/s-1', '', 'fire', 1, true, 'acknowledged', 'active', 'mall', 's-1',"
        " '火警', 'Fire', now(), now(), now(), now(), now())"
    )
    changed = city(devices=[{"unit": "mall", "device": "s-1", "kind": "gas"}])
    report = await registry.import_city(pool, changed)
    assert [(error.where, error.item) for error in report.errors] == [("/devices/0", "mall/s-1")]
    assert (await registry.import_city(pool, city())).errors == []
    await pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm', condition = 'normal'")
    assert (await registry.import_city(pool, changed)).updated["devices"] == 1


async def test_device_numbers_stay_dense_over_repeated_and_refused_imports(pool: asyncpg.Pool) -> None:
    for _ in range(3):
        await registry.import_city(pool, city())
        await registry.import_city(pool, city(devices=[{"unit": "mall", "device": "x", "kind": "smoke", "main": "no"}]))
        await strangers.register(pool, Registry(), [Stranger("mall", "s-1", DeviceKind.SMOKE)], NOW)
    await strangers.register(pool, Registry(), [Stranger("mall", "new", DeviceKind.SMOKE)], NOW)
    assert (await loaded(pool)).number("mall", "new") == 4


async def test_an_import_tells_the_running_service(database_url: str, pool: asyncpg.Pool) -> None:
    heard = asyncio.Event()
    listener = await asyncpg.connect(database_url)
    await listener.add_listener(registry.CHANGED, lambda *_: heard.set())
    await registry.import_city(pool, city())
    await asyncio.wait_for(heard.wait(), 10)
    await listener.close()


async def test_strangers_are_registered_once_with_their_unit_and_known_to_memory(pool: asyncpg.Pool) -> None:
    made = Registry()
    found = [Stranger("shop", "s-9", DeviceKind.SMOKE), Stranger("shop", "h-9", DeviceKind.HYDRANT)]
    await strangers.register(pool, made, [*found, found[0]], NOW)
    await strangers.register(pool, Registry(), found, NOW + MINUTE)
    assert made.devices == 2
    assert await rows(pool, "device") == 2
    row = await pool.fetchrow(
        "SELECT u.name, u.registered_by, d.registered_by, d.registered_at, d.kind FROM device d JOIN unit u"
        " ON u.id = d.unit_id WHERE d.name = 's-9'"
    )
    assert tuple(row) == ("shop", "auto", "auto", to_datetime(NOW), "smoke")
    assert made.registered_at[made.number("shop", "s-9") or 0] == NOW


async def test_two_processes_meeting_the_same_strangers_agree_on_their_numbers(pool: asyncpg.Pool) -> None:
    registries = [Registry() for _ in range(6)]
    found = [Stranger(f"u{n % 3}", f"d{n}", DeviceKind.SMOKE) for n in range(20)]
    await asyncio.gather(*(strangers.register(pool, made, found, NOW) for made in registries))
    assert {tuple(made.number(s.unit, s.device) for s in found) for made in registries}.__len__() == 1
    assert await rows(pool, "device") == 20


async def test_an_import_takes_over_devices_that_registered_themselves(pool: asyncpg.Pool) -> None:
    await strangers.register(pool, Registry(), [Stranger("mall", "s-1", DeviceKind.PANEL)], NOW)
    report = await registry.import_city(pool, city(), by="王工")
    assert report.updated["devices"] == 1
    assert {row[0] for row in await pool.fetch("SELECT registered_by FROM device")} == {"王工"}
    assert {row[0] for row in await pool.fetch("SELECT registered_by FROM unit")} == {"王工"}


async def test_channel_names_get_one_number_each_whoever_meets_them(pool: asyncpg.Pool) -> None:
    registries = [Registry() for _ in range(5)]
    await asyncio.gather(*(strangers.add_channels(pool, made, ["2", "b", "2", ""]) for made in registries))
    assert {(made.channel(""), made.channel("2"), made.channel("b")) for made in registries} == {(0, 1, 2)}
    assert (await loaded(pool)).channel_name(2) == "b"


async def test_a_new_channel_does_not_wait_for_an_import_that_runs(pool: asyncpg.Pool) -> None:
    known = Registry()
    async with pool.acquire() as importing, importing.transaction():
        await importing.execute("SELECT pg_advisory_xact_lock($1)", registry.LOCK)
        async with asyncio.timeout(10):
            await strangers.add_channels(pool, known, ["2"])
    assert known.channel("2") is not None


async def test_a_sender_that_invents_channels_does_not_use_up_their_numbers(
    pool: asyncpg.Pool, monkeypatch: Any
) -> None:
    monkeypatch.setattr(strangers, "MOST_CHANNELS", 3)
    made = Registry()
    await strangers.add_channels(pool, made, ["a", "b", "c", "d", "e"])
    assert [made.channel(name) for name in "abcde"] == [1, 2, 3, None, None]


async def test_what_was_heard_is_written_back_and_loaded_at_the_next_start(pool: asyncpg.Pool) -> None:
    await registry.import_city(pool, city())
    made = await loaded(pool)
    number = made.number("mall", "s-1")
    assert number is not None
    made.heard(np.array([number], np.int32), np.array([NOW], np.int64))
    await liveness.flush(pool, made, NOW + SECOND)
    row = await pool.fetchrow("SELECT status, last_seen_at FROM api.devices WHERE device = 's-1'")
    assert tuple(row) == ("online", to_datetime(NOW))
    made.heard(np.array([number], np.int32), np.array([NOW + SECOND], np.int64))
    assert await liveness.flush(pool, made, NOW + 2 * SECOND) == 0
    made.heard(np.array([number], np.int32), np.array([NOW + MINUTE], np.int64))
    assert await liveness.flush(pool, made, NOW + MINUTE) == 1
    assert (await loaded(pool)).last_seen[number] == NOW + MINUTE
    made.offline[number] = True
    await liveness.flush(pool, made, NOW + MINUTE + SECOND)
    assert await pool.fetchval("SELECT status FROM device WHERE name = 's-1'") == "offline"
    assert await pool.fetchval("SELECT status FROM device WHERE name = 'h-1'") == "never_seen"


async def test_loading_again_keeps_what_was_heard_since(pool: asyncpg.Pool) -> None:
    await registry.import_city(pool, city())
    made = await loaded(pool)
    made.heard(np.array([1], np.int32), np.array([NOW], np.int64))
    await registry.load(pool, made)
    assert made.last_seen[1] == NOW
    assert made.devices == 3


def test_a_nul_in_a_registry_file_is_an_error_of_its_item_and_never_reaches_the_store() -> None:
    made, errors = read_city(
        {"format": "firetower-registry/1", "units": [{"code": "a", "name": "x\x00"}, {"code": "b"}]}
    )
    assert [error.where for error in errors] == ["/units/0"]
    assert [unit.code for unit in made.units] == ["b"]
