"""The map's endpoints: every device at its place in 10 bytes, and the base map as it is configured."""

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firetower.core.clock import MINUTE
from firetower.core.errors import ConfigError
from firetower.devices.kinds import DeviceKind
from firetower.devices.registry import DeviceEntry, Registry
from firetower.web.base_map import BaseMap, base_map
from firetower.web.map_routes import NO_DEVICE, NOWHERE, columns

T0 = 1_763_800_000_000_000


def read(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    assert body[:4] == b"FTD1"
    (length,) = struct.unpack("<I", body[4:8])
    head = json.loads(body[8 : 8 + length])
    at, count, found = 8 + length, head["count"], {}
    assert at % 4 == 0
    for name, kind in (("lon", "<i4"), ("lat", "<i4"), ("kind", "u1"), ("status", "u1")):
        found[name] = np.frombuffer(body, kind, count, at)
        at += found[name].nbytes
    assert at == len(body)
    return head, found


def test_each_device_stands_in_the_slot_of_its_number_with_place_kind_and_status() -> None:
    registry = Registry()
    registry.add(DeviceEntry(1, "mall", "s-1", DeviceKind.SMOKE, lon=108.6212345, lat=-21.95))
    registry.add(DeviceEntry(2, "mall", "gone", DeviceKind.SMOKE, lon=1.0, lat=1.0, retired=True))
    registry.add(DeviceEntry(5, "water", "h-1", DeviceKind.HYDRANT, lon=None, lat=None))
    registry.last_seen[1] = T0 - MINUTE
    head, found = read(columns(registry, T0))
    kinds = [None if kind == NO_DEVICE else head["kinds"][kind] for kind in found["kind"].tolist()]
    assert [kinds[number] for number in (0, 1, 2, 3, 5)] == [None, "smoke", None, None, "hydrant"]
    assert (found["lon"][1], found["lat"][1]) == (1_086_212_345, -219_500_000)
    assert (found["lon"][5], found["lat"][5]) == (NOWHERE, NOWHERE)
    assert head["statuses"][found["status"][1]] == "online"
    assert head["statuses"][found["status"][5]] == "never_seen"


def test_ten_bytes_a_device() -> None:
    registry = Registry()
    for number in range(1, 1001):
        registry.add(DeviceEntry(number, "city", f"d-{number}", DeviceKind.SMOKE, lon=1.0, lat=1.0))
    assert len(columns(registry, T0)) < 10 * len(registry.kind) + 500


async def test_the_snapshot_is_fetched_and_a_click_finds_the_device_by_its_number(running: Any) -> None:
    await running.sign_in("vera")
    await running.pool.execute("INSERT INTO unit (code) VALUES ('mall')")
    number = await running.pool.fetchval(
        "INSERT INTO device (unit_id, name, kind) SELECT id, 'e-1', 'electrical' FROM unit RETURNING id"
    )
    running.registry.add(DeviceEntry(number, "mall", "e-1", DeviceKind.ELECTRICAL, lon=108.6, lat=21.9))
    url = f"{running.url}/api/v1/devices/snapshot"
    async with running.client.get(url, headers=running.headers) as answer:
        assert (answer.status, answer.content_type) == (200, "application/octet-stream")
        _, found = read(await answer.read())
    assert found["lon"][number] == 1_086_000_000
    page = await running.get("/api/v1/devices", number=str(number))
    assert [(item["unit"], item["device"]) for item in page["items"]] == [("mall", "e-1")]


async def test_without_a_base_map_the_page_is_told_so_and_there_is_no_file(running: Any) -> None:
    await running.sign_in("vera")
    assert (await running.get("/api/v1/map"))["kind"] == "none"
    status, body = await running.call("GET", "/api/v1/map/base")
    assert (status, "FIRETOWER_MAP_BASE" in body["error"]["message"]) == (404, True)


@pytest.mark.parametrize(
    ("given", "attribution", "told"),
    [
        ("https://tiles.example/all.png", "Example", r"no \{z\}"),
        ("https://tiles.example/{z}/{x}/{y}.png", None, "map_attribution"),
        ("/nowhere/city.geojson", None, "there is no file /nowhere/city.geojson"),
        ("city.shp", None, "neither"),
    ],
)
def test_a_base_map_that_cannot_be_used_says_why(given: str, attribution: str | None, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        base_map(given, attribution, None, "wgs84")


def test_a_file_of_ours_needs_no_attribution_one_of_others_does(tmp_path: Path) -> None:
    own = tmp_path / "streets.geojson"
    own.write_text("{}", "utf-8")
    assert base_map(str(own), None, None, "gcj02") == BaseMap(
        "geojson", "/api/v1/map/base", own, None, None, "gcj02", ""
    )
    other = tmp_path / "city.pmtiles"
    other.write_bytes(b"PMTiles")
    with pytest.raises(ConfigError, match="map_attribution"):
        base_map(str(other), None, None, "wgs84")
    assert replace(base_map(str(other), "© somebody", "GS(2026)1", "wgs84"), file=None).review_number == "GS(2026)1"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("tiles.example:8443", "https://tiles.example:8443"),
        ("{a-c}.tiles.example", "https://*.tiles.example"),
        ("t{0-7}.tiles.example", "https://*.tiles.example"),
    ],
)
def test_the_page_may_ask_the_hosts_of_the_tiles_and_no_other(host: str, origin: str) -> None:
    assert base_map(f"https://{host}/{{z}}/{{x}}/{{y}}.png", "Example", None, "wgs84").origin == origin


def test_tiles_behind_a_password_or_a_host_that_is_none_are_refused() -> None:
    for host in ("me:secret@tiles.example", "{s}.tiles.example"):
        with pytest.raises(ConfigError, match="no host that a page can be allowed to ask"):
            base_map(f"https://{host}/{{z}}/{{x}}/{{y}}.png", "Example", None, "wgs84")


async def test_units_and_stations_stand_on_the_map_in_columns_and_who_has_no_place_is_counted(running: Any) -> None:
    await running.sign_in("vera")
    await running.pool.execute(
        "INSERT INTO grid (code, name) VALUES ('g-1', 'First');"
        " INSERT INTO unit (code, name, category, grid_id, lon, lat)"
        " SELECT 'mall', 'Mall', 'mall', id, 108.6, 21.9 FROM grid;"
        " INSERT INTO unit (code, name, lon) VALUES ('half', 'Half', 1.0);"
        " INSERT INTO station (code, name, lon, lat) VALUES ('ws-1', 'West', 108.61, 21.91)"
    )
    found = await running.get("/api/v1/map/places")
    assert found == {
        "units": {
            "unit": ["mall"], "name": ["Mall"], "category": ["mall"], "grid": ["g-1"], "lon": [108.6], "lat": [21.9]
        },
        "stations": {
            "station": ["ws-1"], "name": ["West"], "grid": [None], "unit": [None], "lon": [108.61], "lat": [21.91]
        },
        "units_placeless": 1,
    }  # fmt: skip
