"""Signing in and out, who may do what, and requests that come from elsewhere."""

import asyncio
from typing import Any

import pytest

from firetower.core.clock import HOUR, SECOND
from firetower.storage import accounts
from firetower.web.passwords import hash_password

PASSWORD = "a long enough one"
SESSION = "/api/v1/session"


async def test_signing_in_gives_a_token_and_a_strict_cookie_and_signing_out_ends_both(running: Any) -> None:
    async with running.client.post(
        f"{running.url}{SESSION}", json={"username": "olga", "password": PASSWORD}
    ) as response:
        body = await response.json()
        cookie = response.headers["Set-Cookie"]
    assert {"username": "olga", "role": "operator"}.items() <= body.items()
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie  # plain http on loopback: the browser would throw a Secure one away
    running.headers = {"Cookie": cookie.split(";")[0]}
    assert (await running.get(SESSION))["username"] == "olga"
    status, _ = await running.call("DELETE", SESSION, headers={"Origin": running.url})
    assert status == 204
    assert (await running.call("GET", SESSION))[0] == 401
    running.headers = {"Authorization": f"Bearer {body['token']}"}
    assert (await running.call("GET", SESSION))[0] == 401


async def test_the_token_itself_is_not_in_the_database(running: Any) -> None:
    token = (await running.sign_in())["Authorization"].split()[1]
    rows = await running.pool.fetch("select token_digest, client from session")
    assert len(rows) == 1
    assert len(rows[0]["token_digest"]) == 32
    assert token.encode() not in rows[0]["token_digest"]


async def test_the_cookie_is_secure_when_the_browser_came_by_https(running: Any) -> None:
    host = running.url.removeprefix("http://")
    async with running.client.post(
        f"{running.url}{SESSION}",
        json={"username": "olga", "password": PASSWORD},
        headers={"Origin": f"https://{host}"},
    ) as response:
        assert "Secure" in response.headers["Set-Cookie"]


async def test_wrong_password_and_unknown_name_look_the_same_and_are_throttled(running: Any) -> None:
    answers = [
        await running.call("POST", SESSION, json={"username": name, "password": "wrong wrong"})
        for name in ("olga", "nobody-by-that-name")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    for _ in range(4):
        await running.call("POST", SESSION, json={"username": "olga", "password": "wrong wrong"})
    async with running.client.post(
        f"{running.url}{SESSION}", json={"username": "olga", "password": PASSWORD}
    ) as response:
        assert response.status == 429  # even with the right one
        assert int(response.headers["Retry-After"]) >= 1
        assert (await response.json())["error"]["code"] == "too_many_attempts"
    running.clock.advance(2 * SECOND)
    await running.sign_in()


async def test_guesses_sent_at_once_are_counted_before_they_are_checked(running: Any) -> None:
    await accounts.set_password(running.pool, "olga", hash_password(PASSWORD))  # each check takes its real time
    tries = [running.call("POST", SESSION, json={"username": "olga", "password": f"guess {n}"}) for n in range(8)]
    statuses = [status for status, _ in await asyncio.gather(*tries)]
    assert sorted(statuses) == [401] * 5 + [429] * 3


async def test_a_session_ends_after_twelve_hours_and_when_its_account_is_disabled(running: Any) -> None:
    await running.sign_in()
    running.clock.advance(12 * HOUR - SECOND)
    await running.get(SESSION)
    running.clock.advance(2 * SECOND)
    assert (await running.call("GET", SESSION))[0] == 401
    await running.sign_in()
    await running.pool.execute("update account set disabled_at = now() where username = 'olga'")
    running.clock.advance(11 * SECOND)
    assert (await running.call("GET", SESSION))[0] == 401
    status, _ = await running.call("POST", SESSION, json={"username": "olga", "password": PASSWORD})
    assert status == 401


async def test_without_a_session_nothing_under_the_api_answers(running: Any) -> None:
    for path in ("alerts", "alerts/1", "devices", "units", "rejects", "rules", "kpis", "live", "session"):
        status, body = await running.call("GET", f"/api/v1/{path}")
        assert (status, body["error"]["code"]) == (401, "unauthenticated"), path
    assert (await running.call("POST", "/api/v1/alerts/1/acknowledge", json={}))[0] == 401


async def test_a_viewer_looks_and_does_not_act(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in("vera")
    assert (await running.get(f"/api/v1/alerts/{alert}"))["state"] == "unacknowledged"
    status, body = await running.call("POST", f"/api/v1/alerts/{alert}/acknowledge", json={})
    assert (status, body["error"]["code"]) == (403, "forbidden")
    assert (await running.get(f"/api/v1/alerts/{alert}"))["state"] == "unacknowledged"


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "own", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "own"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
    ],
)
async def test_a_cookie_acts_only_from_the_console_itself(running: Any, headers: dict[str, str], good: bool) -> None:
    alert = await running.raise_alert()
    token = (await running.sign_in())["Authorization"].split()[1]
    running.headers = {"Cookie": f"firetower_session={token}"}
    given = {name: running.url if value == "own" else value for name, value in headers.items()}
    status, body = await running.call("POST", f"/api/v1/alerts/{alert}/acknowledge", json={}, headers=given)
    if good:
        assert status == 200
    else:
        assert (status, body["error"]["code"]) == (403, "cross_origin")
        assert (await running.get(f"/api/v1/alerts/{alert}"))["state"] == "unacknowledged"


async def test_a_body_that_is_not_json_by_its_type_is_refused(running: Any) -> None:
    alert = await running.raise_alert()
    await running.sign_in()
    status, body = await running.call(
        "POST", f"/api/v1/alerts/{alert}/note", data='{"text":"x"}', headers={"Content-Type": "text/plain"}
    )
    assert (status, body["error"]["code"]) == (415, "unsupported_media_type")
    token = running.headers.pop("Authorization").split()[1]
    status, body = await running.call(  # a form of the console's own could send this without a script
        "POST",
        f"/api/v1/alerts/{alert}/acknowledge",
        headers={"Cookie": f"firetower_session={token}", "Origin": running.url},
    )
    assert (status, body["error"]["code"]) == (415, "unsupported_media_type")


async def test_sign_in_from_another_site_is_refused(running: Any) -> None:
    status, body = await running.call(
        "POST",
        SESSION,
        json={"username": "olga", "password": PASSWORD},
        headers={"Origin": "http://evil.example"},
    )
    assert (status, body["error"]["code"]) == (403, "cross_origin")
