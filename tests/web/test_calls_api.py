"""Calls about an alert over HTTP: whom to call now, what lies near, calls on record and in the sealed history."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import unit_world

from firetower.alerts.calls import RECORDING_KEPT
from firetower.core.clock import MINUTE, from_datetime

MONDAY_NOON = from_datetime(datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("Asia/Shanghai")))
CONTACTS = [
    {"role": "manager", "name": "Wang", "phone": "13800000000", "hours": [{"from": "20:00", "to": "08:00"}]},
    {"role": "control_room", "name": "Desk", "phone": "0777-1234567", "hours": [{"days": [1], "from": "08:00"}]},
    {"role": "responsible", "name": "Li", "email": "li@example.org"},
]


@pytest.fixture
async def fire(running: Any) -> Any:
    """A fire in the mall at Monday noon; the running web part, and as ``path`` where the alert is."""
    running.clock.set(MONDAY_NOON)
    await unit_world.build(running.pool, MONDAY_NOON)
    await running.pool.execute("UPDATE unit SET lon = 108.62, lat = 21.95 WHERE code = 'mall-01'")
    await running.pool.execute("UPDATE device SET lon = 108.62, lat = 21.951, place = 'gate' WHERE name = 'hyd-1'")
    running.path = f"/api/v1/alerts/{await running.raise_alert()}"
    await running.sign_in()
    await running.call("PUT", "/api/v1/units/mall-01/contacts", json={"contacts": CONTACTS})
    await running.call(
        "PUT",
        "/api/v1/stations/s-1",
        json={"lon": 108.63, "lat": 21.95, "contacts": [{"name": "Station 1", "phone": "0777-7654321"}]},
    )
    return running


async def record(fire: Any, **said: Any) -> tuple[int, Any]:
    headers = said.pop("headers", {})
    body = {"purpose": "verify", "result": "answered"} | said
    return await fire.call("POST", f"{fire.path}/calls", json=body, headers=headers)


async def test_whom_to_call_now_in_order_with_who_cannot_be_reached_and_why(fire: Any) -> None:
    items = (await fire.get(f"{fire.path}/contacts"))["items"]
    assert [(each["name"], each["reachable"], each["why"]) for each in items] == [
        ("Desk", True, None), ("Station 1", True, None), ("Wang", False, "off_hours"), ("Li", False, "no_phone"),
    ]  # fmt: skip
    assert items[1]["distance_m"] == pytest.approx(1031, abs=3)
    assert items[2]["reachable_from"] == "2026-11-23T12:00:00.000Z", "20:00 in China"
    await record(fire, contact_id=items[0]["id"], result="no_answer")
    await record(fire, contact_id=items[0]["id"], result="busy")
    again = (await fire.get(f"{fire.path}/contacts"))["items"]
    assert [each["last_call"] and each["last_call"]["result"] for each in again] == ["busy", None, None, None]


async def test_what_is_near_is_looked_for_from_the_unit_where_the_alert_has_no_place(fire: Any) -> None:
    await fire.pool.execute("UPDATE alert SET lon = NULL, lat = NULL")
    near = await fire.get(f"{fire.path}/near")
    assert (near["of"], near["lon"]) == ("unit", 108.62)
    assert [(each["device"], each["bearing"], each["distance_m"], each["place"]) for each in near["water"]] == [
        ("hyd-1", "north", 111, "gate")
    ]
    assert [(each["station"], each["bearing"]) for each in near["stations"]] == [("s-1", "east")]
    await fire.pool.execute("UPDATE alert SET lon = 108.63, lat = 21.95")
    near = await fire.get(f"{fire.path}/near", limit="1")
    assert (near["of"], near["water"][0]["bearing"], near["stations"][0]["distance_m"]) == ("alert", "west", 0)
    await fire.pool.execute("UPDATE alert SET lon = NULL, unit = NULL")
    assert await fire.get(f"{fire.path}/near") == {"lon": None, "lat": None, "of": None, "water": [], "stations": []}


async def test_a_call_is_listed_stands_in_the_history_and_is_announced(fire: Any) -> None:
    desk = (await fire.get(f"{fire.path}/contacts"))["items"][0]["id"]
    before = await fire.pool.fetchval("SELECT coalesce(max(seq), 0) FROM live_change")
    status, made = await record(fire, contact_id=desk, said="smoke on 3F", recording="rec-0071")
    assert status == 201, made
    assert (made["name"], made["number"], made["role"], made["by"]) == ("Desk", "07771234567", "control_room", "olga")
    assert made["recording_kept"] is True
    assert (await fire.get(f"{fire.path}/calls"))["items"] == [made]
    entry = (await fire.get(f"{fire.path}/history"))["items"][-1]
    assert (entry["reason"], entry["actor"], entry["old"]) == ("called", "olga", entry["new"])
    assert entry["evidence"] == {
        "call": int(made["id"]), "direction": "out", "purpose": "verify", "outcome": "answered", "person": "Desk",
        "number": "07771234567", "text": "smoke on 3F", "recording": "rec-0071",
    }  # fmt: skip
    assert await fire.pool.fetchval("SELECT alerts FROM live_change WHERE seq > $1", before)
    assert (await fire.get(fire.path))["version"] == 1, "no conflict for whoever acts meanwhile"


async def test_a_call_stays_as_it_was_when_its_contact_is_gone(fire: Any) -> None:
    desk = (await fire.get(f"{fire.path}/contacts"))["items"][0]["id"]
    await record(fire, contact_id=desk)
    await fire.call("PUT", "/api/v1/units/mall-01/contacts", json={"contacts": []})
    (call,) = (await fire.get(f"{fire.path}/calls"))["items"]
    assert (call["name"], call["number"], call["contact_id"]) == ("Desk", "07771234567", desk)


async def test_a_contact_whose_number_is_words_from_before_does_not_keep_a_call_off_the_record(fire: Any) -> None:
    number = await fire.pool.fetchval(
        """UPDATE contact SET addresses = '{"phone": "138 or ask Li"}' WHERE name = 'Desk' RETURNING id"""
    )
    status, made = await record(fire, contact_id=str(number))
    assert (status, made["number"]) == (201, "138 or ask Li")


async def test_the_same_request_again_is_one_call(fire: Any) -> None:
    key = {"Idempotency-Key": "call-1"}
    first = await record(fire, name="Zhao", number="1380", headers=key)
    fire.clock.advance(MINUTE)
    assert await record(fire, name="Zhao", number="1380", headers=key) == first
    assert (await record(fire, name="Sun", number="1380", headers=key))[0] == 409
    assert len((await fire.get(f"{fire.path}/calls"))["items"]) == 1


async def test_119_is_called_without_naming_it_and_a_caller_may_be_unknown(fire: Any) -> None:
    status, made = await record(fire, purpose="119", recording="rec-1")
    assert (status, made["name"], made["number"]) == (201, "119", "119")
    status, made = await record(fire, direction="in", name="passer-by", purpose="inform", said="flames")
    assert (status, made["number"]) == (201, None)


async def test_a_call_that_lacks_something_is_refused_in_words(fire: Any) -> None:
    for wrong, told in (
        ({}, "needs contact_id, or a name and a number"),
        ({"name": "Zhao"}, "needs a number"),
        ({"name": "Zhao", "number": "call me"}, "no telephone number"),
        ({"name": "Zhao", "number": "1380", "result": "busy", "said": "x"}, "nothing was said"),
        ({"name": "Zhao", "direction": "in", "result": "busy"}, "came in"),
        ({"contact_id": "999999"}, "no contact 999999"),
        ({"contact_id": "x"}, "contact_id"),
        ({"name": "Zhao", "number": "1380", "result": "ok"}, "no_answer"),
    ):
        status, body = await record(fire, **wrong)
        assert status == 400, wrong
        assert told in str(body["error"]), wrong
    assert (await fire.get(f"{fire.path}/calls"))["items"] == []
    assert (await fire.call("GET", "/api/v1/alerts/999/calls"))[0] == 404


async def test_a_recording_older_than_six_months_is_marked_as_no_longer_kept(fire: Any) -> None:
    await record(fire, name="Zhao", number="1380", recording="rec-1")
    await record(fire, name="Zhao", number="1380")
    for later, kept in ((0, True), (RECORDING_KEPT, True), (RECORDING_KEPT + 1, False)):
        fire.clock.set(MONDAY_NOON + later)
        await fire.pool.execute("UPDATE session SET expires_at = now() + interval '9 years'")
        calls = (await fire.get(f"{fire.path}/calls"))["items"]
        assert [each["recording_kept"] for each in calls] == [kept, None]
        assert calls[0]["recording"] == "rec-1"


async def test_a_verification_by_telephone_may_name_its_call_which_knows_with_whom(fire: Any) -> None:
    _, unanswered = await record(fire, name="Zhao", number="1380", result="busy")
    _, call = await record(fire, name="Zhao", number="1380", said="it burns")
    body = {"result": "real", "method": "phone", "call_id": unanswered["id"]}
    status, refused = await fire.call("POST", f"{fire.path}/verify", json=body)
    assert (status, "was busy" in refused["error"]["message"]) == (400, True)
    for wrong in ({"call_id": "12345"}, {"call_id": call["id"], "method": "video"}):
        assert (await fire.call("POST", f"{fire.path}/verify", json=body | wrong))[0] == 400
    status, alert = await fire.call("POST", f"{fire.path}/verify", json=body | {"call_id": call["id"]})
    assert (status, alert["verification"]) == (200, "real")
    entries = (await fire.get(f"{fire.path}/history"))["items"]
    verified = next(entry for entry in entries if entry["reason"] == "verified")
    assert (verified["evidence"]["person"], verified["evidence"]["call"]) == ("Zhao", int(call["id"]))


async def test_calls_are_the_centres_and_a_viewer_only_reads_them(fire: Any) -> None:
    await fire.sign_in("mall-room")
    for path in ("calls", "contacts", "near"):
        assert (await fire.call("GET", f"{fire.path}/{path}"))[0] == 403
    assert (await record(fire, name="Zhao", number="1380"))[0] == 403
    await fire.sign_in("vera")
    assert (await fire.get(f"{fire.path}/calls"))["items"] == []
    assert (await record(fire, name="Zhao", number="1380"))[0] == 403
