"""Acting over HTTP: verifying, forwarding, shelving, assigning, reopening, and reporting by telephone."""

import asyncio
from typing import Any

from prometheus_client import REGISTRY

from firetower.core.clock import HOUR, rfc3339

ALERTS = "/api/v1/alerts"


async def test_a_fire_goes_from_verification_to_receipt_to_its_end(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()

    async def post(act: str, **body: Any) -> tuple[int, Any]:
        return await running.call("POST", f"{ALERTS}/{alert}/{act}", json=body)

    status, body = await post("verify", result="real", method="phone", person="caretaker Liu", expected_version=1)
    assert (status, body["state"], body["acknowledged_by"]) == (200, "acknowledged", "olga")
    assert (body["verification"], body["verify_method"], body["verified_by"]) == ("real", "phone", "olga")
    assert body["forwarded_at"] == body["verified_at"]
    assert body["disposition"] is None
    status, body = await post("close", disposition="real_fire")
    assert (status, body["error"]["code"], body["error"]["details"]) == (400, "invalid", {"field": "disposition"})
    status, body = await post("receipt", person="desk 4, Zhang", channel="voice", reference="rec-71")
    assert status == 200
    assert body["receipted_at"] is not None
    status, body = await post("close", disposition="real_fire")
    assert (status, body["state"]) == (200, "closed")
    status, body = await post("reopen", reason="it was next door")
    assert (status, body["state"], body["disposition"], body["verification"]) == (200, "unacknowledged", None, None)
    history = (await running.get(f"{ALERTS}/{alert}/history"))["items"]
    assert [entry["reason"] for entry in history] == [
        "raised",
        "verified",
        "forwarded",
        "receipted",
        "closed",
        "reopened",
    ]
    assert history[3]["evidence"] == {"person": "desk 4, Zhang", "channel": "voice", "reference": "rec-71"}


async def test_forwarding_unverified_is_said_and_done_once(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    status, body = await running.call("POST", f"{ALERTS}/{alert}/forward", json={})
    assert (status, body["error"]["details"]) == (400, {"field": "unverified"})
    status, body = await running.call("POST", f"{ALERTS}/{alert}/forward", json={"unverified": True})
    assert (status, body["state"]) == (200, "acknowledged")
    status, body = await running.call("POST", f"{ALERTS}/{alert}/forward", json={"unverified": True})
    assert (status, body["error"]["details"]["current"]["id"]) == (409, alert)


async def test_shelving_until_an_instant_and_back_and_never_a_fire(running: Any) -> None:
    fault = await running.raise_alert("smk-1", event="fault")
    fire = await running.raise_alert("smk-2")
    await running.sign_in()
    until = rfc3339(running.clock.now() + HOUR)
    status, body = await running.call("POST", f"{ALERTS}/{fault}/shelve", json={"until": until, "reason": "spare part"})
    assert (status, body["hold"], body["held_until"], body["held_by"]) == (200, "shelved", until, "olga")
    status, body = await running.call("POST", f"{ALERTS}/{fault}/unshelve")
    assert (status, body["hold"], body["held_until"]) == (200, "none", None)
    status, body = await running.call("POST", f"{ALERTS}/{fire}/shelve", json={"until": until, "reason": "x"})
    assert (status, body["error"]["details"]["current"]["hold"]) == (409, "none")
    assert "never shelved" in body["error"]["message"]
    status, body = await running.call(
        "POST", f"{ALERTS}/{fault}/shelve", json={"until": "2100-01-01T00:00:00Z", "reason": "x"}
    )
    assert (status, body["error"]["details"]) == (400, {"field": "until"})


async def test_an_alert_is_assigned_to_an_account_that_may_act(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    status, body = await running.call("POST", f"{ALERTS}/{alert}/assign", json={"to": "ada"})
    assert (status, body["assignee"], body["version"], body["state"]) == (200, "ada", 2, "unacknowledged")
    status, body = await running.call("POST", f"{ALERTS}/{alert}/assign", json={"to": "vera"})
    assert (status, body["error"]["details"]) == (400, {"field": "to"})


async def test_a_test_is_closed_with_the_call_back_that_confirmed_it(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    await running.call("POST", f"{ALERTS}/{alert}/acknowledge")
    status, body = await running.call("POST", f"{ALERTS}/{alert}/close", json={"disposition": "test", "note": "yes"})
    assert (status, body["error"]["details"]) == (400, {"field": "call_back"})
    close = {"disposition": "test", "call_back": {"person": "Liu", "number": "138 0000 0000"}}
    status, body = await running.call("POST", f"{ALERTS}/{alert}/close", json=close)
    assert (status, body["disposition"]) == (200, "test")


async def test_a_telephone_report_is_an_alert_of_its_own_counted_once(running: Any) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("firetower_alerts_raised_total", {"class": "fire"}) or 0

    await running.sign_in()
    before = counted()
    report = {"class": "fire", "text": "smoke over the roof", "place": "pier 4", "caller": "Chen", "phone": "138"}
    answers = await asyncio.gather(
        *(running.call("POST", ALERTS, json=report, headers={"Idempotency-Key": "r-1"}) for _ in range(3))
    )
    assert {status for status, _ in answers} == {201}
    (alert,) = {body["id"] for _, body in answers}
    assert counted() == before + 1
    body = await running.get(f"{ALERTS}/{alert}")
    assert {
        "class": "fire",
        "state": "unacknowledged",
        "rule": "manual:report",
        "flags": ["manual"],
        "subject_kind": "place",
        "subject": "pier 4",
        "place": "pier 4",
        "text": "smoke over the roof",
        "latched": True,
    }.items() <= body.items()
    status, body = await running.call("POST", ALERTS, json={"class": "fire", "text": "smoke", "unit": "nowhere"})
    assert (status, body["error"]["details"]) == (400, {"field": "unit"})


async def test_whoever_only_looks_does_none_of_it(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in("vera")
    asked = {
        "": {"class": "fire", "text": "smoke", "place": "pier 4"},
        f"/{alert}/verify": {"result": "real", "method": "video"},
        f"/{alert}/forward": {"unverified": True},
        f"/{alert}/receipt": {"person": "Zhang", "channel": "voice"},
        f"/{alert}/assign": {"to": "ada"},
        f"/{alert}/shelve": {"until": "2030-01-01T00:00:00Z", "reason": "x"},
        f"/{alert}/unshelve": {},
        f"/{alert}/reopen": {"reason": "x"},
    }
    for path, body in asked.items():
        status, answer = await running.call("POST", ALERTS + path, json=body)
        assert (status, answer["error"]["code"]) == (403, "forbidden"), path
    assert [item["id"] for item in (await running.get(ALERTS))["items"]] == [alert]
    assert len((await running.get(f"{ALERTS}/{alert}/history"))["items"]) == 1
