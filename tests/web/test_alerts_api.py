"""Alerts over HTTP: listing, looking, acknowledging, noting, closing."""

import asyncio
from typing import Any

from firetower.core.clock import SECOND, rfc3339
from firetower.web.alert_json import AlertWithAdvice

ALERTS = "/api/v1/alerts"


async def test_an_alert_is_written_as_the_contract_says(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    body = await running.get(f"{ALERTS}/{alert}")
    assert set(body) == {field.serialization_alias or name for name, field in AlertWithAdvice.model_fields.items()}
    assert {
        "id": alert,
        "class": "fire",
        "priority": 1,
        "state": "unacknowledged",
        "hold": "none",
        "condition": "active",
        "unit": "mall-01",
        "device": "smk-1",
        "rule": "event:fire",
        "title": {"zh": "火警", "en": "Fire alarm"},
        "text": "3F corridor",
        "flags": ["unregistered"],
        "latched": True,
        "version": 1,
        "shown_at": None,
    }.items() <= body.items()
    assert body["raised_at"].endswith("Z")


async def test_one_alert_comes_with_what_its_rule_advises(running: Any) -> None:
    """In both languages, of the rulebook in force; null for a device's own alarm and for a rule that is no more."""
    alert = await running.raise_alert()
    await running.sign_in()
    assert (await running.get(f"{ALERTS}/{alert}"))["advice"] is None
    await running.pool.execute("UPDATE alert SET rule = 'main-burst'")
    advice = (await running.get(f"{ALERTS}/{alert}"))["advice"]
    assert advice == (await running.get("/api/v1/rules/main-burst"))["advice"]
    assert advice["zh"].startswith("立即通知供水单位")
    await running.pool.execute("UPDATE alert SET rule = 'gone'")
    assert (await running.get(f"{ALERTS}/{alert}"))["advice"] is None


async def test_what_a_derived_value_is_stands_beside_it_with_its_own_unit(running: Any) -> None:
    """51.5 °C of rise must not read as a temperature; a reading as measured keeps the metric's unit."""
    alert = await running.raise_alert()
    await running.sign_in()
    await running.pool.execute("UPDATE alert SET metric = 'cable_temperature', value = 51.5, limit_value = 10")
    body = await running.get(f"{ALERTS}/{alert}")
    assert (body["uom"], body["figure"]) == ("°C", None)
    for written, uom, figure in (
        ("rise 10min °C", "°C", {"of": "rise", "over": "10min"}),
        ("trend 14d d", "d", {"of": "trend", "over": "14d"}),
        ("imbalance - %", "%", {"of": "imbalance", "over": None}),
    ):
        await running.pool.execute("UPDATE alert SET figure = $1", written)
        body = await running.get(f"{ALERTS}/{alert}")
        assert (body["uom"], body["figure"]) == (uom, figure)


async def test_the_list_is_highest_first_filters_and_pages(running: Any) -> None:
    fault = await running.raise_alert("smk-1", event="fault")
    running.clock.advance(SECOND)
    fires = [await running.raise_alert(f"smk-{n}") for n in range(2, 5)]
    await running.sign_in()
    everything = await running.get(ALERTS)
    assert [item["id"] for item in everything["items"]][-1] == fault
    assert everything["next_cursor"] is None
    assert {item["id"] for item in (await running.get(ALERTS, **{"class": "fire,hazard"}))["items"]} == set(fires)
    assert [item["id"] for item in (await running.get(ALERTS, priority="2,3"))["items"]] == [fault]
    assert (await running.get(ALERTS, device="smk-3"))["items"][0]["device"] == "smk-3"
    assert (await running.get(ALERTS, since="2100-01-01T00:00:00+08:00"))["items"] == []
    first = await running.get(ALERTS, limit="3")
    second = await running.get(ALERTS, limit="3", cursor=first["next_cursor"])
    assert [item["id"] for item in first["items"] + second["items"]] == [item["id"] for item in everything["items"]]


async def test_a_conflict_shows_the_alert_as_it_stands(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    status, body = await running.call("POST", f"{ALERTS}/{alert}/acknowledge", json={"expected_version": 1})
    assert (status, body["state"], body["acknowledged_by"]) == (200, "acknowledged", "olga")
    status, body = await running.call("POST", f"{ALERTS}/{alert}/acknowledge", json={"expected_version": 1})
    assert (status, body["error"]["code"]) == (409, "conflict")
    current = body["error"]["details"]["current"]
    assert (current["id"], current["state"], current["version"]) == (alert, "acknowledged", 2)
    assert current["class"] == "fire"


async def test_the_same_idempotency_key_acts_once_even_at_the_same_moment(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    answers = await asyncio.gather(
        *(
            running.call("POST", f"{ALERTS}/{alert}/note", json={"text": "called"}, headers={"Idempotency-Key": "k-1"})
            for _ in range(4)
        )
    )
    assert [status for status, _ in answers] == [200] * 4
    history = (await running.get(f"{ALERTS}/{alert}/history"))["items"]
    assert [entry["reason"] for entry in history].count("noted") == 1
    status, body = await running.call(
        "POST", f"{ALERTS}/{alert}/note", json={"text": "x"}, headers={"Idempotency-Key": "k" * 201}
    )
    assert (status, body["error"]["code"]) == (400, "invalid")


async def test_a_fire_closes_only_with_a_verdict_and_the_history_tells_it(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    await running.call("POST", f"{ALERTS}/{alert}/acknowledge")  # an empty body is an empty object
    status, body = await running.call("POST", f"{ALERTS}/{alert}/close", json={})
    assert (status, body["error"]["code"]) == (400, "invalid")
    status, body = await running.call(
        "POST", f"{ALERTS}/{alert}/close", json={"disposition": "false_alarm", "cause": "steam"}
    )
    assert (status, body["state"], body["disposition"], body["closed_by"]) == (200, "closed", "false_alarm", "olga")
    history = (await running.get(f"{ALERTS}/{alert}/history"))["items"]
    assert [entry["seq"] for entry in history] == [1, 2, 3]
    assert [entry["new"] for entry in history] == ["unacknowledged", "acknowledged", "closed"]
    assert history[-1]["actor"] == "olga"


async def test_an_alert_that_is_not_there_is_not_found_whatever_its_name(running: Any) -> None:
    await running.sign_in()
    for name in ("1", "0", "x", "-1", "9" * 40, "%00", "1.5", "１"):
        status, body = await running.call("GET", f"{ALERTS}/{name}")
        assert (status, body["error"]["code"]) == (404, "not_found"), name


async def test_what_is_to_be_done_next_about_a_fire_and_until_when_is_told_everywhere(running: Any) -> None:
    """Of one alert, of a list, in the answer to an act and in live frames alike; what passed stays until it is done."""
    alert = await running.raise_alert()
    await running.sign_in()
    raised = running.clock.now()
    due = (await running.get(f"{ALERTS}/{alert}"))["due"]
    assert due == {"deadline": "acknowledgement_overdue", "at": rfc3339(raised + 30 * SECOND), "limit_s": 30}
    assert (await running.get(ALERTS))["items"][0]["due"] == due
    async with running.client.ws_connect(f"{running.url}/api/v1/live", headers=running.headers) as ws:
        while not (first := await ws.receive_json()).get("alerts"):  # the node may not have read the store yet
            pass
        assert first["alerts"][0]["due"] == due
        running.clock.advance(40 * SECOND)
        assert (await running.get(f"{ALERTS}/{alert}"))["due"] == due
        _, taken = await running.call("POST", f"{ALERTS}/{alert}/acknowledge", json={})
        assert taken["due"] == {
            "deadline": "verification_overdue", "at": rfc3339(raised + 220 * SECOND), "limit_s": 180,
        }  # fmt: skip
        while not (frame := await ws.receive_json()).get("alerts"):
            pass
        assert frame["alerts"][0]["due"] == taken["due"]
    said = {"result": "false", "method": "phone", "person": "Liu", "cause": "steam"}
    _, over = await running.call("POST", f"{ALERTS}/{alert}/verify", json=said)
    assert over["due"] is None
