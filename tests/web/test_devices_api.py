"""Devices, units, readings and the reject ledger over HTTP."""

from typing import Any

import numpy as np
import pytest
from waiting import until

from firetower.core.clock import MINUTE, SECOND, rfc3339
from firetower.devices.city import read_city
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Mark, Quality, Readings
from firetower.ingest.ports import Reject, Work
from firetower.storage import liveness, registry
from firetower.storage.ingest import IngestStore

CITY = {
    "format": "firetower-registry/1",
    "grids": [{"code": "g1", "name": "网格一"}],
    "mains": [{"code": "m1", "grid": "g1"}],
    "units": [
        {
            "code": "mall-01",
            "name": "万象城",
            "category": "mall",
            "grid": "g1",
            "contact_name": "王",
            "contact_phone": "138",
            "buildings": [
                {"code": "a", "name": "A座", "floors": [{"code": "3f", "level": 3, "zones": [{"code": "e"}]}]}
            ],
        },
        {"code": "water-co", "name": "水务集团", "category": "water_company"},
    ],
    "devices": [
        {"unit": "mall-01", "device": "smk-1", "kind": "smoke", "zone": "a/3f/e", "place": "A座 / 3层"},
        {"unit": "mall-01", "device": "elec-1", "kind": "electrical", "place": "配电室_1"},
        *({"unit": "water-co", "device": f"hyd-{n}", "kind": "hydrant", "main": "m1"} for n in range(1, 6)),
        {"unit": "water-co", "device": "tank-1", "kind": "water_level", "attributes": {"level_low": 1.5}},
    ],
}


@pytest.fixture
async def city(running: Any) -> Any:
    read, errors = read_city(CITY)
    assert not errors
    report = await registry.import_city(running.pool, read)
    assert not report.errors
    await registry.load(running.pool, running.registry)
    await running.sign_in()
    return running


async def _store(city: Any, device: str, metric: str, rows: list[tuple[int, float]], channel: str = "") -> None:
    store = IngestStore(city.pool, city.registry, city.clock)
    if channel:
        await store.channels([channel])
    unit = "water-co" if device.startswith(("hyd", "tank")) else "mall-01"
    number = city.registry.number(unit, device)
    metric_number = catalogue().by_name[metric].number
    channel_number = city.registry.channel(channel)
    n = len(rows)
    await store.commit(
        Work(
            "telemetry",
            readings=Readings.of(
                [city.registry.series(number, metric_number, channel_number)] * n,
                [number] * n,
                [metric_number] * n,
                [channel_number] * n,
                [at for at, _ in rows],
                [city.clock.now()] * n,
                [value for _, value in rows],
                [int(Quality.UNCERTAIN | Mark.LATE)] * n,
            ),
        )
    )


async def test_devices_are_filtered_and_paged_in_order(city: Any) -> None:
    everything = await city.get("/api/v1/devices")
    names = [(item["unit"], item["device"]) for item in everything["items"]]
    assert names == sorted(names)
    assert len(names) == 8
    paged: list[tuple[str, str]] = []
    params = {"limit": "3"}
    while True:
        page = await city.get("/api/v1/devices", **params)
        paged += [(item["unit"], item["device"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert paged == names

    async def found(**params: str) -> list[str]:
        return [item["device"] for item in (await city.get("/api/v1/devices", **params))["items"]]

    assert await found(unit="mall-01") == ["elec-1", "smk-1"]
    assert await found(kind="smoke,water_level") == ["smk-1", "tank-1"]
    assert await found(status="online,offline") == []
    assert await found(q="水务") == [f"hyd-{n}" for n in range(1, 6)] + ["tank-1"]
    assert await found(q="室_1") == ["elec-1"]  # an underscore is an underscore, not any letter
    assert await found(q="%") == []
    await city.pool.execute("update device set retired_at = now() where name = 'hyd-1'")
    assert "hyd-1" not in await found()
    assert "hyd-1" in await found(retired="true")


async def test_a_device_comes_with_its_file(city: Any) -> None:
    smoke = await city.get("/api/v1/devices/mall-01/smk-1")
    assert {"kind": "smoke", "zone": "a/3f/e", "unit_name": "万象城", "status": "never_seen"}.items() <= smoke.items()
    assert smoke["last_seen_at"] is None
    assert smoke["quality"] == {"seq_missed": 0, "seq_repeated": 0, "clock_skew_s": None}
    assert (await city.get("/api/v1/devices/water-co/hyd-1"))["main"] == "m1"
    assert (await city.get("/api/v1/devices/water-co/tank-1"))["attributes"] == {"level_low": 1.5}


async def test_a_device_comes_with_what_is_known_of_its_seq_and_its_clock(city: Any) -> None:
    """Counts as they are, the clock in seconds; in the list of devices too."""
    await city.pool.execute(
        "update device set seq_missed = 7, seq_repeated = 2, clock_skew_ms = -28800250 where name = 'smk-1'"
    )
    expected = {"seq_missed": 7, "seq_repeated": 2, "clock_skew_s": -28800.25}
    assert (await city.get("/api/v1/devices/mall-01/smk-1"))["quality"] == expected
    listed = (await city.get("/api/v1/devices", unit="mall-01", kind="smoke"))["items"]
    assert [device["quality"] for device in listed] == [expected]


async def test_readings_come_plain_in_pages_and_as_buckets(city: Any) -> None:
    start = city.clock.now() - 60 * MINUTE
    await _store(city, "hyd-1", "pressure", [(start + n * MINUTE, 0.1 + n / 1000) for n in range(60)])
    path = "/api/v1/devices/water-co/hyd-1/readings"
    window = {"from": rfc3339(start), "to": rfc3339(start + 60 * MINUTE)}
    plain = await city.get(path, metric="pressure", **window)
    assert len(plain["items"]) == 60
    assert plain["items"][0] == {
        "ts": rfc3339(start),
        "metric": "pressure",
        "value": 0.1,
        "uom": "MPa",
        "quality": "uncertain",
        "marks": ["late"],
        "received_at": rfc3339(city.clock.now()),
    }
    first = await city.get(path, metric="pressure", limit="50", **window)
    rest = await city.get(path, metric="pressure", limit="50", cursor=first["next_cursor"], **window)
    assert first["items"] + rest["items"] == plain["items"]
    assert rest["next_cursor"] is None
    buckets = await city.get(path, metric="pressure", points="6", **window)
    assert buckets["width_s"] == 600
    assert [bucket["count"] for bucket in buckets["items"]] == [10] * 6
    second = buckets["items"][1]
    assert second["ts"] == rfc3339(start + 10 * MINUTE)
    assert (second["min"], second["max"], second["last"]) == pytest.approx((0.11, 0.119, 0.119))
    assert second["mean"] == pytest.approx(0.1145)


async def test_channels_are_told_apart_and_pages_never_lose_one(city: Any) -> None:
    at = city.clock.now() - 10 * SECOND
    for channel in ("1", "2", "3"):
        await _store(city, "elec-1", "cable_temperature", [(at, 20.0 + int(channel))], channel)
    path = "/api/v1/devices/mall-01/elec-1/readings"
    one = await city.get(path, metric="cable_temperature.2")
    assert [(item["metric"], item["value"]) for item in one["items"]] == [("cable_temperature.2", 22.0)]
    paged: list[str] = []
    params = {"metric": "cable_temperature", "limit": "1"}
    while True:
        page = await city.get(path, **params)
        paged += [item["metric"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert paged == [f"cable_temperature.{channel}" for channel in "123"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"metric": "humidity"},
        {"metric": "pressure", "points": "5001"},
        {"metric": "pressure", "points": "0"},
        {"metric": "pressure", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"metric": "pressure", "from": "1970-01-01T00:00:00Z", "to": "2199-01-01T00:00:00Z"},
        {"metric": "pressure", "cursor": "WyJ4IiwieSJd"},
    ],
)
async def test_readings_refuse_what_cannot_be(city: Any, params: dict[str, str]) -> None:
    status, body = await city.call("GET", "/api/v1/devices/water-co/hyd-1/readings", params=params)
    assert (status, body["error"]["code"]) == (400, "invalid")


async def test_latest_is_what_the_device_last_said(city: Any) -> None:
    now = city.clock.now()
    assert (await city.get("/api/v1/devices/water-co/hyd-1/latest"))["items"] == []
    await _store(city, "hyd-1", "pressure", [(now - 2 * MINUTE, 0.2), (now - MINUTE, 0.3)])
    await _store(city, "hyd-1", "battery", [(now - 2 * MINUTE, 3.6)])
    city.registry.heard(np.array([city.registry.number("water-co", "hyd-1")], np.int32), np.array([now]))
    await liveness.flush(city.pool, city.registry, now)
    latest = (await city.get("/api/v1/devices/water-co/hyd-1/latest"))["items"]
    assert {(item["metric"], item["value"]) for item in latest} == {("pressure", 0.3), ("battery", 3.6)}
    assert (await city.get("/api/v1/devices", status="online"))["items"][0]["device"] == "hyd-1"


async def test_units_tell_their_devices_by_status_and_their_buildings(city: Any) -> None:
    units = (await city.get("/api/v1/units"))["items"]
    assert [unit["unit"] for unit in units] == ["mall-01", "water-co"]
    assert units[1]["devices"] == {"online": 0, "offline": 0, "never_seen": 6}
    first = await city.get("/api/v1/units", limit="1")
    assert [u["unit"] for u in (await city.get("/api/v1/units", cursor=first["next_cursor"]))["items"]] == ["water-co"]
    assert [u["unit"] for u in (await city.get("/api/v1/units", q="万象"))["items"]] == ["mall-01"]
    file = await city.get("/api/v1/units/mall-01")
    assert (file["contact_phone"], file["grid"]) == ("138", "g1")
    assert file["buildings"][0]["floors"][0] == {
        "code": "3f",
        "name": "",
        "level": 3,
        "zones": [{"code": "e", "name": ""}],
    }


async def test_the_reject_ledger_shows_reason_sender_and_bytes(running: Any) -> None:
    now = running.clock.now()
    rejects = [
        Reject(now, "telemetry", "firetower/v1/u1/d1/telemetry", "bad_json", "not JSON at byte 0", b"{oops"),
        Reject(now, "alarm", "firetower/v1/u2/d1/alarm", "not_utf8", "byte 0", b"\xff\x00"),
    ]
    await IngestStore(running.pool, running.registry, running.clock).commit(Work("alarm", rejects=rejects))
    await running.sign_in()
    items = (await running.get("/api/v1/rejects"))["items"]
    assert [(item["reason"], item["payload_text"]) for item in items] == [("not_utf8", None), ("bad_json", "{oops")]
    assert items[0]["payload_base64"] == "/wA="
    assert len((await running.get("/api/v1/rejects", unit="u1"))["items"]) == 1


async def test_rejects_are_found_and_counted_by_reason_device_and_topic(running: Any) -> None:
    """A gateway's message counts for the device it names; a filter that matches nothing shows nothing."""
    now, topic = running.clock.now(), "firetower/v1/u1/{}/telemetry"
    rejects = [
        Reject(now - MINUTE, "telemetry", topic.format("d1"), "bad_json", "not JSON", b"{"),
        Reject(now, "telemetry", topic.format("d1"), "bad_ts", "2020", b"{}"),
        Reject(now, "telemetry", topic.format("gateway"), "unknown_device", "device u1/d9 is not registered", b"{}"),
        Reject(now, "alarm", "firetower/v1/u2/d1/alarm", "bad_json", "not JSON", b"{"),
    ]
    await IngestStore(running.pool, running.registry, running.clock).commit(Work("alarm", rejects=rejects))
    await running.sign_in()

    async def found(**params: str) -> list[str]:
        return [item["reason"] for item in (await running.get("/api/v1/rejects", **params))["items"]]

    assert await found(unit="u1", device="d1") == ["bad_ts", "bad_json"]
    assert await found(unit="u1", device="d9") == ["unknown_device"]
    assert await found(reason="bad_json", topic="/alarm") == ["bad_json"]
    assert await found(topic="%") == []
    counts = await running.get("/api/v1/rejects/counts", since=rfc3339(now - MINUTE))
    assert [(each["reason"], each["count"]) for each in counts["items"]] == [
        ("bad_json", 2),
        ("bad_ts", 1),
        ("unknown_device", 1),
    ]
    assert counts["waiting"] == 0
    status, _ = await running.call("POST", "/api/v1/rejects/replay", json={"unit": "u1"})
    assert (status, (await running.get("/api/v1/rejects/counts", unit="u2"))["waiting"]) == (202, 1)


async def test_a_device_says_how_it_reports_and_which_limits_are_in_force_for_it(city: Any) -> None:
    """Late and doubtful readings are counted; a limit of its own file is there only where the file has it."""
    now = city.clock.now()
    await _store(city, "elec-1", "cable_temperature", [(now - n * MINUTE, 40.0) for n in range(3)], "1")
    told = await city.get("/api/v1/devices/mall-01/elec-1/reporting")
    assert (told["readings"], told["late"], told["uncertain"], told["bad"]) == (3, 3, 3, 0)
    assert (await city.get("/api/v1/devices/water-co/tank-1/reporting"))["readings"] == 0
    limits = (await city.get("/api/v1/devices/mall-01/elec-1/limits"))["items"]
    hot = [(each["priority"], each["value"], each["clear"], each["uom"]) for each in limits
           if each["rule"] == "cable-temperature-high"]  # fmt: skip
    assert hot == [(3, 70.0, 65.0, "°C"), (2, 90.0, 80.0, "°C")]
    tank = (await city.get("/api/v1/devices/water-co/tank-1/limits"))["items"]
    assert 1.5 in {each["value"] for each in tank}, tank
    assert "level_90" not in str(tank)  # its file has none: no line is drawn
    assert not {each["metric"] for each in tank} & {"smoke", "pressure", "cable_temperature"}, tank
    assert (await city.call("GET", "/api/v1/devices/water-co/nothing/limits"))[0] == 404


async def test_rules_come_with_their_limits_and_where_they_stand(running: Any) -> None:
    await running.sign_in()
    rules = (await running.get("/api/v1/rules"))["items"]
    low = next(rule for rule in rules if rule["where"].startswith("hydrant.yaml:") and rule["metric"] == "pressure")
    assert low["condition"]["limit"]["bands"][0]["source"]
    assert low["class"] == "hazard"
    alone = await running.get(f"/api/v1/rules/{low['id']}")
    assert alone | low == alone
    assert "id: " + low["id"] in alone["text"]
    assert alone["raised"]["last_7_d"] == 0


async def test_kpis_count_devices_and_alerts(city: Any) -> None:
    await city.raise_alert("smk-1")

    async def counted() -> Any:
        kpis = await city.get("/api/v1/kpis")
        return kpis if kpis["open"]["1"] == 1 and kpis["devices"]["total"] == 8 else None

    kpis = await until(counted)
    assert kpis["devices"] == {"online": 0, "offline": 0, "never_seen": 8, "total": 8}
    assert kpis["messages_per_second"] == 12.3
    assert (kpis["store"], kpis["broker"]) == ("ok", "ok")
