"""Contacts and micro fire stations over HTTP: kept by the centre, and by a unit's own account for its unit."""

from typing import Any

import pytest
import unit_world

WANG = {
    "role": "manager",
    "name": "Wang",
    "phone": "0777-123 4567 转 8",
    "email": "wang@example.org",
    "addresses": {"dingtalk": "@wang"},
    "hours": [{"days": [5, 1], "from": "22:00", "to": "06:00"}],
    "order": 2,
    "language": "en",
}
MALL = "/api/v1/units/mall-01/contacts"


@pytest.fixture
async def city(running: Any) -> Any:
    """Two units, the mall's account and an operator."""
    await unit_world.build(running.pool, running.clock.now())
    await running.pool.execute("INSERT INTO grid (code) VALUES ('g1')")
    await running.sign_in()
    return running


async def put(city: Any, path: str, *contacts: dict[str, Any]) -> tuple[int, Any]:
    return await city.call("PUT", path, json={"contacts": list(contacts)})


async def test_what_is_put_is_what_is_got_in_order_and_says_who_wrote_it(city: Any) -> None:
    room = {"role": "control_room", "name": "Desk", "phone": "119"}
    status, body = await put(city, MALL, WANG, room)
    assert status == 200, body
    assert body == await city.get(MALL)
    desk, wang = body["items"]
    assert (desk["name"], desk["hours"], desk["addresses"], desk["order"]) == ("Desk", [], {}, 1)
    assert wang["phone"] == "07771234567,8"
    assert wang["hours"] == [{"days": [1, 5], "from": "22:00", "to": "06:00"}]
    assert {key: wang[key] for key in ("email", "addresses", "order", "language")} == {
        "email": "wang@example.org", "addresses": {"dingtalk": "@wang"}, "order": 2, "language": "en",
    }  # fmt: skip
    assert (wang["scope"], wang["of"], wang["changed_by"]) == ("unit", "mall-01", "olga")
    assert (await city.get("/api/v1/units/mall-01"))["contact_phone"] == "119"


async def test_a_units_account_keeps_its_own_and_sees_no_others(city: Any) -> None:
    await put(city, "/api/v1/units/school-02/contacts", WANG)
    await city.sign_in("mall-room")
    status, body = await put(city, MALL, WANG)
    assert (status, body["items"][0]["changed_by"]) == (200, "mall-room")
    status, body = await put(city, MALL)
    assert (status, "nobody to call" in body["error"]["message"]) == (400, True)
    assert [each["name"] for each in (await city.get(MALL))["items"]] == ["Wang"]
    for method in ("GET", "PUT"):
        given = {"json": {"contacts": []}} if method == "PUT" else {}
        assert (await city.call(method, "/api/v1/units/school-02/contacts", **given))[0] == 404
    assert (await put(city, "/api/v1/centre/contacts"))[0] == 403
    await city.sign_in("vera")
    assert (await put(city, MALL))[0] == 403, "a viewer reads"
    assert len((await city.get("/api/v1/units/school-02/contacts"))["items"]) == 1


async def test_a_list_with_one_mistake_changes_nothing_and_says_which(city: Any) -> None:
    await put(city, MALL, WANG)
    for wrong, told in (
        ({"phone": "ask Li"}, "'ask Li' is no telephone number"),
        ({"hours": [{"from": "25:00"}]}, "HH:MM"),
        ({"role": "duty_lead"}, "control_room"),
        ({"name": "W\ud800"}, ""),
    ):
        status, body = await put(city, MALL, {"role": "keeper", "name": "A", "phone": "1380"} | wrong)
        assert status == 400, wrong
        assert told in str(body["error"])
    assert (await city.call("PUT", MALL, json={}))[0] == 400, "nothing given is not an empty list"
    assert [each["name"] for each in (await city.get(MALL))["items"]] == ["Wang"]
    assert (await put(city, "/api/v1/grids/nowhere/contacts"))[0] == 404


async def test_grids_and_the_centre_have_contacts_of_their_own_roles(city: Any) -> None:
    assert (await put(city, "/api/v1/grids/g1/contacts", {"name": "Li", "phone": "1380"}))[0] == 200
    assert (await city.get("/api/v1/grids/g1/contacts"))["items"][0]["role"] == "grid_worker"
    chen = {"role": "duty_lead", "name": "Chen", "email": "chen@example.org"}
    assert (await put(city, "/api/v1/centre/contacts", chen))[0] == 200
    assert (await city.get("/api/v1/centre/contacts"))["items"][0]["of"] == ""
    assert (await put(city, "/api/v1/centre/contacts", WANG))[0] == 400


async def test_stations_are_registered_changed_listed_and_removed(city: Any) -> None:
    here = {
        "name": "East gate",
        "lon": 108.62,
        "lat": 21.95,
        "grid": "g1",
        "contacts": [{"name": "desk", "phone": "9"}],
    }
    assert (await city.call("PUT", "/api/v1/stations/s-1", json=here))[0] == 400, "a number of one digit"
    here["contacts"] = [{"name": "desk", "phone": "0777-110"}]
    status, body = await city.call("PUT", "/api/v1/stations/s-1", json=here)
    assert (status, body["contacts"][0]["role"]) == (200, "station")
    moved = {"lon": 108.63, "lat": 21.95}
    status, body = await city.call("PUT", "/api/v1/stations/s-1", json=moved)
    assert (body["lon"], body["grid"], [each["name"] for each in body["contacts"]]) == (108.63, None, ["desk"])
    await city.call("PUT", "/api/v1/stations/s-2", json=here)
    page = await city.get("/api/v1/stations", limit="1")
    assert [each["station"] for each in page["items"]] == ["s-1"]
    rest = await city.get("/api/v1/stations", cursor=page["next_cursor"])
    assert [each["station"] for each in rest["items"]] == ["s-2"]
    assert (await city.call("PUT", "/api/v1/stations/s 3", json=here))[0] == 400
    assert (await city.call("PUT", "/api/v1/stations/s-3", json=here | {"grid": "gone"}))[0] == 400
    assert (await city.call("DELETE", "/api/v1/stations/s-1"))[0] == 204
    assert (await city.call("DELETE", "/api/v1/stations/s-1"))[0] == 404
    assert (await city.call("GET", "/api/v1/stations/s-1"))[0] == 404
    assert await city.pool.fetchval("SELECT count(*) FROM contact WHERE owner = 's-1'") == 0
