"""Floor plans over HTTP: what is taken and what is refused and why, who sees whose, and the plan of an alert."""

import io
from typing import Any

import pytest
import unit_world
from plan_making import drawn, noisy

from firetower.devices.plan_images import MOST_BYTES
from firetower.storage.registry import load

MALL = "/api/v1/units/mall-01/plans"
HERE = f"{MALL}/A/1"
PNG = {"Content-Type": "image/png"}


@pytest.fixture
async def city(running: Any) -> Any:
    """Two units, the mall's account and an operator."""
    await unit_world.build(running.pool, running.clock.now())
    await load(running.pool, running.registry)
    await running.sign_in()
    return running


async def put(city: Any, data: bytes, media: str = "image/png", path: str = HERE) -> tuple[int, Any]:
    return await city.call("PUT", path, data=io.BytesIO(data), headers={"Content-Type": media})


async def test_an_image_is_put_and_given_back_as_it_came_and_can_run_nothing(city: Any) -> None:
    data = noisy()
    assert len(data) > 1024 * 1024
    status, body = await put(city, data)
    assert (status, body["became"]) == (200, "created"), body
    plan = body["plan"]
    assert (plan["width"], plan["height"], plan["size"], plan["put_by"]) == (700, 600, len(data), "olga")
    assert (await put(city, data))[1] == {"became": "unchanged", "plan": plan}
    async with city.client.get(f"{city.url}{plan['url']}", headers=city.headers) as answer:
        assert (answer.status, await answer.read()) == (200, data)
        given = answer.headers
    assert given["Content-Type"] == "image/png"
    assert "immutable" in given["Cache-Control"]
    assert given["Cache-Control"].startswith("private")
    assert given["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in given["Content-Security-Policy"]
    newest = {"If-None-Match": given["ETag"]} | city.headers
    async with city.client.get(f"{city.url}{HERE}", headers=newest) as answer:
        assert answer.status == 304
        assert answer.headers["Cache-Control"] == "private, no-cache"
    assert (await put(city, drawn("JPEG"), "image/jpeg"))[1]["became"] == "replaced"
    async with city.client.get(f"{city.url}{plan['url']}", headers=city.headers) as answer:
        assert await answer.read() == data, "what stood before can still be looked at"
    assert (await city.call("DELETE", HERE))[0] == 204
    assert (await city.call("GET", HERE))[0] == 404
    floor = (await city.get(MALL))["items"][0]
    assert (floor["floor"], floor["plan"], floor["earlier"]) == ("1", None, 2)


async def test_what_is_refused_says_why_and_changes_nothing(city: Any) -> None:
    for data, media, status, told in (
        (b"", "image/png", 422, "empty"),
        (drawn()[:60], "image/png", 422, "ends too early"),
        (b"<svg onload='x()'/>", "image/png", 415, "SVG"),
        (b"<svg/>", "image/svg+xml", 415, "SVG can carry script"),
        (drawn("JPEG"), "image/png", 415, "the content is image/jpeg"),
        (b"{}", "application/json", 415, "Content-Type is application/json"),
        (bytes(MOST_BYTES + 1), "image/png", 413, "8 MiB"),
    ):
        got, body = await put(city, data, media)
        assert (got, told in body["error"]["message"]) == (status, True), body

    async def endless() -> Any:
        for _ in range(9):
            yield bytes(1024 * 1024)

    assert (await city.call("PUT", HERE, data=endless(), headers=PNG))[0] == 413, "a length nobody said"
    assert (await put(city, drawn(), path=f"{MALL}/A/9"))[0] == 404
    assert (await city.call("GET", f"{HERE}?v=..%2f"))[0] == 400
    assert (await city.get(MALL))["items"][0]["plan"] is None


async def test_places_are_taken_each_for_itself_and_listed_with_their_floor(city: Any) -> None:
    def at(device: str, component: str = "", x: float | None = 0.5, y: float | None = 0.25) -> dict[str, Any]:
        return {"device": device, "component": component, "x": x, "y": y}

    positions = [at("smk-1"), at("panel-1", "2-1", 1, 0), at("panel-1", "9-9"), at("hyd-1")]
    status, body = await city.call("PUT", f"{MALL}/positions", json={"positions": positions})
    assert (status, body["placed"]) == (200, 2)
    assert [error["where"] for error in body["errors"]] == ["/positions/2", "/positions/3"]
    for wrong in (at("smk-1", x=1.1), at("smk-1", y=None)):
        assert (await city.call("PUT", f"{MALL}/positions", json={"positions": [wrong]}))[0] == 400
    first = (await city.get(MALL, building="A", floor="1"))["items"]
    assert [
        (each["device"], each["component"], each["at"] and (each["at"]["x"], each["at"]["y"]))
        for each in first[0]["points"]
    ] == [("panel-1", "2-1", (1, 0)), ("panel-1", "2-2", None), ("smk-1", "", (0.5, 0.25))]
    assert len(first) == 1


async def test_an_alert_has_the_plan_of_its_floor_its_point_or_why_not(city: Any) -> None:
    alert = await city.raise_alert()
    path = f"/api/v1/alerts/{alert}/plan"
    assert (await city.get(path))["why"] == "no_zone"
    number = await city.pool.fetchval("SELECT id FROM device WHERE name = 'smk-1' AND zone_id IS NOT NULL")
    await city.pool.execute("UPDATE alert SET zone = 'A/1/e', device_kind = 'smoke', device_id = $1", number)
    found = await city.get(path)
    assert (found["why"], found["floor"]["floor"], found["plan"]) == ("no_plan", "1", None)
    await put(city, drawn())
    assert (await city.get(path))["why"] == "no_position"
    place = {"device": "smk-1", "x": 0.5, "y": 0.25}
    await city.call("PUT", f"{MALL}/positions", json={"positions": [place]})
    found = await city.get(path)
    assert (found["why"], found["at"]["x"], found["at"]["doubtful"]) == (None, 0.5, False)
    assert [each["device"] for each in found["devices"]] == ["smk-1"]
    status, body = await put(city, drawn(shade=9))
    assert (status, f"fire alert {alert}" in body["error"]["message"]) == (409, True)
    await city.pool.execute("UPDATE alert SET zone = 'A/7/e'")
    assert (await city.get(path))["why"] == "no_floor"


async def test_a_units_account_sees_its_own_plans_only_and_a_viewer_changes_none(city: Any) -> None:
    await put(city, drawn())
    await city.sign_in("mall-room")
    assert (await city.get(MALL))["items"][0]["plan"] is not None
    assert (await city.call("HEAD", HERE))[0] == 200
    assert (await city.call("GET", "/api/v1/units/school-02/plans"))[0] == 404
    assert (await put(city, drawn()))[0] == 403
    await city.sign_in("school-room")
    for path in (MALL, HERE):
        assert (await city.call("GET", path))[0] == 404
    await city.sign_in("vera")
    for method, path, given in (
        ("PUT", HERE, {"data": drawn(), "headers": PNG}),
        ("DELETE", HERE, {}),
        ("PUT", f"{MALL}/positions", {"json": {"positions": [{"device": "smk-1", "x": 0, "y": 0}]}}),
    ):
        assert (await city.call(method, path, **given))[0] == 403
