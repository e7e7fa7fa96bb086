"""Incidents by the API: lists, one, its alerts."""

from typing import Any

import pytest
from accounts_making import hash_cheaply
from live_making import incident, write_incident

from firetower.storage import accounts

HASH = hash_cheaply("a long enough one")  # the password every account of these tests has


@pytest.fixture
async def three(running: Any) -> Any:
    """An incident with two alerts, one without any of another unit, one that is closed."""
    await running.sign_in("vera")
    now = running.clock.now()
    running.alerts = [int(await running.raise_alert(f"smk-{n}")) for n in range(3)]
    await write_incident(running.pool, incident(1, now), now, *running.alerts[:2])
    await write_incident(running.pool, incident(2, now, unit="school-02"), now)
    await write_incident(running.pool, incident(3, now, closed_at=now), now)
    return running


async def ids(running: Any, **params: str) -> list[str]:
    return [each["id"] for each in (await running.get("/api/v1/incidents", **params))["items"]]


async def test_incidents_are_listed_newest_first_by_state_and_unit(three: Any) -> None:
    assert await ids(three) == ["3", "2", "1"]
    assert await ids(three, state="open") == ["2", "1"]
    assert await ids(three, state="closed") == ["3"]
    assert await ids(three, state="open", unit="school-02") == ["2"]
    page = await three.get("/api/v1/incidents", limit="2")
    assert await ids(three, limit="2", cursor=page["next_cursor"]) == ["1"]
    for params in ({"state": "shut"}, {"cursor": "nonsense"}, {"limit": "0"}):
        status, body = await three.call("GET", "/api/v1/incidents", params=params)
        assert (status, body["error"]["code"]) == (400, "invalid")


async def test_an_incident_has_a_headline_and_lists_every_alert_of_it(three: Any) -> None:
    found = await three.get("/api/v1/incidents/1")
    assert found["headline"] == {"zh": "商场 三层 火警", "en": "Mall, 3F: fire"}
    assert found["members"] == [{"class": "fire", "count": 1, "open": 1}]
    members = {str(id_) for id_ in three.alerts[:2]}
    for path, params in (("/api/v1/incidents/1/alerts", {}), ("/api/v1/alerts", {"incident": "1"})):
        items = (await three.get(path, **params))["items"]
        assert {each["id"] for each in items} == members
        assert {each["incident_id"] for each in items} == {"1"}
    page = await three.get("/api/v1/incidents/1/alerts", limit="1")
    rest = await three.get("/api/v1/incidents/1/alerts", limit="1", cursor=page["next_cursor"])
    assert {page["items"][0]["id"], rest["items"][0]["id"]} == members
    assert (await three.get("/api/v1/incidents/2/alerts"))["items"] == []


async def test_a_units_account_sees_the_incidents_of_its_unit_and_no_other(three: Any) -> None:
    """What belongs to somebody else is as if it were not there."""
    await three.pool.execute("INSERT INTO unit (code, name) VALUES ('school-02', 'School')")
    await accounts.add(three.pool, "ulla", HASH, "unit", three.clock.now(), unit="school-02")
    await three.sign_in("ulla")
    assert await ids(three) == ["2"]
    assert (await three.get("/api/v1/incidents/2"))["unit"] == "school-02"
    for path in ("incidents/1", "incidents/1/alerts"):
        assert (await three.call("GET", f"/api/v1/{path}"))[0] == 404
    assert (await three.call("GET", "/api/v1/incidents", params={"unit": "mall-01"}))[0] == 403


@pytest.mark.parametrize("path", ["incidents/99", "incidents/x", "incidents/99/alerts", "incidents/-1"])
async def test_an_incident_that_is_not_there_is_not_found(three: Any, path: str) -> None:
    status, body = await three.call("GET", f"/api/v1/{path}")
    assert (status, body["error"]["code"]) == (404, "not_found")
