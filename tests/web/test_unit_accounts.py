"""Accounts of units: what they see is their own unit's, what they may do is ask; everything else is refused."""

from dataclasses import replace
from typing import Any

import pytest
import unit_world

from firetower.core.clock import HOUR, rfc3339
from firetower.ingest.ports import Reject, Work
from firetower.storage import rejects
from firetower.storage.ingest import IngestStore
from firetower.web.api import Access
from firetower.web.server import routes

OWN = {
    "GET /api/v1/session",
    "DELETE /api/v1/session",
    "PUT /api/v1/session/password",
    "GET /api/v1/alerts",
    "GET /api/v1/alerts/{id}",
    "GET /api/v1/alerts/{id}/history",
    "GET /api/v1/alerts/{id}/record",
    "GET /api/v1/alerts/{id}/cameras",
    "GET /api/v1/alerts/{id}/snapshots",
    "GET /api/v1/alerts/{id}/plan",
    "GET /api/v1/snapshots/{id}",
    "GET /api/v1/incidents",
    "GET /api/v1/incidents/{id}",
    "GET /api/v1/incidents/{id}/alerts",
    "GET /api/v1/devices",
    "GET /api/v1/devices/{unit}/{device}",
    "GET /api/v1/devices/{unit}/{device}/latest",
    "GET /api/v1/devices/{unit}/{device}/readings",
    "GET /api/v1/devices/{unit}/{device}/reporting",
    "GET /api/v1/devices/{unit}/{device}/limits",
    "GET /api/v1/units/{unit}",
    "GET /api/v1/units/{unit}/cameras",
    "GET /api/v1/units/{unit}/plans",
    "GET /api/v1/units/{unit}/plans/{building}/{floor}",
    "GET /api/v1/units/{unit}/contacts",
    "PUT /api/v1/units/{unit}/contacts",
    "GET /api/v1/rejects",
    "GET /api/v1/rejects/counts",
    "GET /api/v1/risk",
    "GET /api/v1/risk/history",
    "GET /api/v1/windows",
    "POST /api/v1/windows",
    "GET /api/v1/windows/{id}",
    "POST /api/v1/windows/{id}/end",
}
"""All that a unit's account may use, of every route there is; a new route is not among them by itself."""


@pytest.fixture
async def city(running: Any) -> Any:
    """Two units, each with an alert, a window and a reject; the mall's account is signed in."""
    now = running.clock.now()
    await unit_world.build(running.pool, now)
    store = IngestStore(running.pool, running.registry, running.clock)
    for unit in ("mall-01", "school-02"):
        said = running.verdict("smk-1")
        verdict = replace(said, subject=f"{unit}/smk-1", event=replace(said.event, unit=unit))
        await store.commit(Work("alarm", verdicts=[verdict]))
        await running.pool.execute(
            "insert into incident (scene, headline_zh, headline_en, alert_class, priority, unit, opened_at,"
            " last_raised_at) values ($1, $1, $1, 'fire', 1, $1, now(), now())",
            unit,
        )
        async with running.pool.acquire() as conn, conn.transaction():
            await rejects.store(
                conn, [Reject(now, "telemetry", f"firetower/v1/{unit}/d/telemetry", "bad_json", "", b"")]
            )
    await running.sign_in("school-room")
    status, _ = await running.call(
        "POST",
        "/api/v1/windows",
        json={"kind": "maintenance", "reason": "school-02 works", "ends_at": rfc3339(now + HOUR)},
    )
    assert status == 201
    await running.sign_in("mall-room")
    return running


async def school_ids(city: Any) -> dict[str, str]:
    """Path parts of what is the school's, by the last fixed part of the path before them."""
    alert = await city.pool.fetchval("select id from alert where unit = 'school-02'")
    window = await city.pool.fetchval("select id from announced_window")
    incident = await city.pool.fetchval("select id from incident where unit = 'school-02'")
    return {"alerts": str(alert), "windows": str(window), "incidents": str(incident)}


async def test_over_all_routes_a_unit_gets_its_own_and_nothing_of_another_unit(city: Any) -> None:
    """Every route there is, tried: what is not allowed by name is refused, and no answer tells of the school."""
    ids = await school_ids(city)
    tried, wrong = 0, []
    for route in routes():
        name = f"{route.method} {route.path}"
        if route.access is Access.OPEN or name == "DELETE /api/v1/session":
            continue
        tried += 1
        thing = route.path.removeprefix("/api/v1/").split("/")[0]
        path = route.path.format_map(
            {
                "id": ids.get(thing, "1"),
                "unit": "school-02",
                "device": "smk-1",
                "rule": "x",
                "grid": "g",
                "station": "s",
                "kind": "clocks",
                "account": "olga",
                "building": "A",
                "floor": "1",
            }
        )
        params = {"metric": "smoke"} if path.endswith("/readings") else {}
        body = {"json": {"contacts": []} if route.method == "PUT" else {}} if route.body is not None else {}
        status, answer = await city.call(route.method, path, params=params, **body)
        if name not in OWN:
            good = status == 403 and answer["error"]["code"] == "forbidden"
        elif "{" in route.path:
            good = status == 404
        elif route.method == "GET":
            good = status == 200 and "school" not in str(answer)
        else:
            good = status == 400  # an empty request for a window
        if not good:
            wrong.append((name, status, answer))
    assert wrong == []
    assert tried > len(OWN)


async def test_a_unit_sees_its_own(city: Any) -> None:
    """Its alerts with their history, its devices, its file, its rejects."""
    alerts = (await city.get("/api/v1/alerts"))["items"]
    assert [alert["unit"] for alert in alerts] == ["mall-01"]
    assert (await city.get(f"/api/v1/alerts/{alerts[0]['id']}"))["id"] == alerts[0]["id"]
    assert (await city.get(f"/api/v1/alerts/{alerts[0]['id']}/history"))["items"]
    assert {item["unit"] for item in (await city.get("/api/v1/devices"))["items"]} == {"mall-01"}
    assert (await city.get("/api/v1/units/mall-01"))["buildings"]
    assert [item["topic"].split("/")[2] for item in (await city.get("/api/v1/rejects"))["items"]] == ["mall-01"]
    who = await city.get("/api/v1/session")
    assert (who["role"], who["unit"]) == ("unit", "mall-01")
    assert (await city.call("DELETE", "/api/v1/session"))[0] == 204


async def test_asking_for_another_unit_by_name_is_refused_in_words(city: Any) -> None:
    """Not answered with one's own instead, which would be mistaken for the other's."""
    for path in ("alerts", "devices", "incidents", "rejects", "windows"):
        status, body = await city.call("GET", f"/api/v1/{path}", params={"unit": "school-02"})
        assert (status, body["error"]["code"]) == (403, "forbidden")
        assert "account of unit mall-01" in body["error"]["message"]


async def test_an_act_on_its_own_alert_is_the_centres(city: Any) -> None:
    """A unit cannot acknowledge, shelve or close; it is told to call."""
    alert = (await city.get("/api/v1/alerts"))["items"][0]["id"]
    acts = [route.path for route in routes() if route.path.startswith("/api/v1/alerts/{id}/") and route.unsafe]
    assert len(acts) > 2
    for path in acts:
        status, body = await city.call("POST", path.format(id=alert), json={})
        assert (status, body["error"]["code"]) == (403, "forbidden"), path
        assert "the centre" in body["error"]["message"]
    assert await city.pool.fetchval("select count(*) from alert where state <> 'unacknowledged'") == 0
