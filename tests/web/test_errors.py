"""Every failure has one shape, and says what to do."""

from typing import Any

import pytest

ALERTS = "/api/v1/alerts"
JSON = {"Content-Type": "application/json"}


def _shaped(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and body.keys() == {"error"}
        and body["error"].keys() == {"code", "message", "details"}
        and bool(body["error"]["message"])
    )


@pytest.mark.parametrize(
    ("method", "path", "given", "expected", "code"),
    [
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("GET", "/api/v1/incident", {}, 404, "not_found"),
        ("POST", f"{ALERTS}/1/shelf", {"json": {}}, 404, "not_found"),
        ("DELETE", ALERTS, {}, 405, "method_not_allowed"),
        ("GET", f"{ALERTS}?colour=red", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?priority=5", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?state=open", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?limit=0", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?limit=1&limit=2", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?cursor=zzz", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?since=yesterday", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?since=2026-01-01T00:00:00", {}, 400, "invalid"),
        ("GET", f"{ALERTS}?q=%00", {}, 400, "invalid"),
        ("GET", "/api/v1/devices?cursor=W10", {}, 400, "invalid"),
        ("GET", "/api/v1/devices/no/such", {}, 404, "not_found"),
        ("GET", "/api/v1/units/none", {}, 404, "not_found"),
        ("GET", "/api/v1/rules/none", {}, 404, "not_found"),
        ("GET", "/api/v1/rejects?cursor=x", {}, 400, "invalid"),
        ("GET", "/api/v1/live", {}, 400, "bad_request"),
        ("GET", "/console/000000000000/app/main.js", {}, 404, "not_found"),
        ("POST", f"{ALERTS}/1/note", {"data": "{", "headers": JSON}, 400, "bad_json"),
        ("POST", f"{ALERTS}/1/note", {"data": b"\xff", "headers": JSON}, 400, "bad_json"),
        ("POST", f"{ALERTS}/1/note", {"json": []}, 400, "bad_json"),
        ("POST", f"{ALERTS}/1/note", {"data": "[" * 60_000, "headers": JSON}, 400, "bad_json"),
        ("POST", f"{ALERTS}/1/note", {"json": {"text": "x", "colour": 1}}, 400, "invalid"),
        ("POST", f"{ALERTS}/1/note", {"json": {"text": "a\0b"}}, 400, "invalid"),
        ("POST", f"{ALERTS}/1/note", {"data": '{"text":"\\ud800"}', "headers": JSON}, 400, None),
        ("POST", f"{ALERTS}/1/note", {"json": {"text": 7}}, 400, "invalid"),
        ("POST", f"{ALERTS}/1/note", {"json": {"text": "x", "expected_version": 2**40}}, 400, "invalid"),
        ("POST", f"{ALERTS}/1/note", {"json": {"text": "x" * 70_000}}, 413, "too_large"),
        ("POST", f"{ALERTS}/1/note", {"json": {"text": "x"}}, 404, "not_found"),
    ],
)  # fmt: skip
async def test_every_refusal_has_the_shape(
    running: Any, method: str, path: str, given: dict[str, Any], expected: int, code: str | None
) -> None:
    await running.sign_in()
    status, body = await running.call(method, path, **given)
    assert status == expected, body
    assert _shaped(body), body
    assert code is None or body["error"]["code"] == code


async def test_an_unknown_name_is_answered_with_the_names_there_are(running: Any) -> None:
    await running.sign_in()
    _, body = await running.call("GET", f"{ALERTS}?colour=red")
    assert "'colour'" in body["error"]["message"]
    assert "class" in body["error"]["message"]
    assert "alert_class" not in body["error"]["message"]
    assert body["error"]["details"][0]["where"] == "colour"
    _, body = await running.call("POST", f"{ALERTS}/1/close", json={"reason": "x"})
    assert "accepted: expected_version, disposition, cause, note, call_back" in body["error"]["message"]


async def test_405_names_what_is_allowed(running: Any) -> None:
    async with running.client.put(f"{running.url}/api/v1/session") as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(",")) >= {"GET", "POST", "DELETE"}


async def test_a_bug_of_ours_is_a_500_in_the_shape_without_its_inside(
    running: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await running.sign_in()

    def fail() -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(running.site.hub._deps.health, "ready", fail)
    status, body = await running.call("GET", "/readyz")
    assert status == 500
    assert _shaped(body)
    assert "secret" not in str(body)
    assert "secret inside" in caplog.text


async def test_a_database_that_is_away_is_a_503_and_seats_stay_signed_in(running: Any) -> None:
    await running.sign_in()
    await running.get("/api/v1/session")
    running.pool.terminate()
    running.clock.advance(60_000_000)
    status, body = await running.call("GET", ALERTS)
    assert (status, body["error"]["code"]) == (503, "store_unavailable")
    assert (await running.call("GET", "/api/v1/session"))[0] == 200
    status, body = await running.call("GET", "/api/v1/session", headers={"Authorization": "Bearer unknown"})
    assert (status, body["error"]["code"]) == (503, "store_unavailable")


@pytest.mark.parametrize("query", ["q=%00", "since=yesterday"])
async def test_a_refused_parameter_is_named_in_plain_words(running: Any, query: str) -> None:
    await running.sign_in()
    _, body = await running.call("GET", f"{ALERTS}?{query}")
    assert "Value error" not in body["error"]["message"]
    assert "''" not in body["error"]["message"]
    assert query.partition("=")[0] in body["error"]["message"]
