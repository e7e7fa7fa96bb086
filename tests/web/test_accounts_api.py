"""Accounts over the API: an admin adds, disables and changes them, and nobody ends the watch by it."""

import asyncio
from typing import Any

import pytest
from aiohttp import WSMsgType
from watch_making import at_seat

PASSWORD = "a long enough one"
WANG = {"username": "wang", "password": "another long one"}


async def as_admin(running: Any, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Ask as ada; return (status, body)."""
    if not running.headers:
        await running.sign_in("ada")
    return await running.call(method, f"/api/v1/accounts{path}", json=body, headers=headers)


async def sign_in(running: Any, username: str, password: str) -> int:
    url = f"{running.url}/api/v1/session"
    async with running.client.post(url, json={"username": username, "password": password}) as answer:
        return int(answer.status)


async def told(running: Any) -> list[tuple[str, str]]:
    rows = await running.pool.fetch("SELECT actor, evidence FROM shift_log WHERE kind = 'account' ORDER BY id")
    assert all(row["actor"] == "ada" for row in rows)
    return [(row["evidence"]["account"], row["evidence"]["act"]) for row in rows]


async def test_an_admin_adds_an_account_once_which_signs_in_and_the_log_says_so(running: Any) -> None:
    for _ in range(2):  # the first answer was lost
        status, made = await as_admin(running, "POST", "", WANG, **{"Idempotency-Key": "k1"})
        assert (status, made["username"], made["role"], made["disabled"]) == (201, "wang", "operator", False)
    assert await sign_in(running, "wang", WANG["password"]) == 200
    assert await told(running) == [("wang", "added")]
    status, body = await as_admin(running, "POST", "", WANG)
    assert (status, "exists already" in body["error"]["message"]) == (409, True)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (WANG | {"password": "short"}, "8"),
        (WANG | {"username": "wang li"}, "without spaces"),
        (WANG | {"role": "unit"}, "name the unit"),
        (WANG | {"unit": "mall-01"}, "leave the unit out"),
        (WANG | {"role": "unit", "unit": "nowhere"}, "nowhere"),
    ],
)
async def test_what_no_account_may_be_is_refused_in_words(running: Any, said: Any, why: str) -> None:
    status, body = await as_admin(running, "POST", "", said)
    assert (status, why in str(body["error"])) == (400, True), body
    assert await sign_in(running, said["username"], said["password"]) in {400, 401}


async def test_only_an_admin_changes_accounts_and_everybody_of_the_centre_sees_them(running: Any) -> None:
    await running.sign_in("olga")
    for method, path, body in (
        ("POST", "", WANG),
        ("PUT", "/vera/role", {"role": "admin"}),
        ("PUT", "/ada/password", {"password": "mine from now on"}),
        ("POST", "/ada/disable", {}),
        ("POST", "/ada/enable", {}),
        ("DELETE", "/ada/sessions", None),
    ):
        assert (await as_admin(running, method, path, body))[0] == 403, path
    listed = (await running.get("/api/v1/accounts"))["items"]
    assert [(each["username"], each["role"]) for each in listed] == [
        ("ada", "admin"),
        ("olga", "operator"),
        ("vera", "viewer"),
    ]
    assert (await running.get("/api/v1/accounts", role="unit"))["items"] == []


async def test_a_disabled_account_is_out_at_once_and_back_when_it_is_enabled(running: Any) -> None:
    async with at_seat(running, "olga") as olga:
        await running.sign_in("ada")
        assert (await as_admin(running, "POST", "/olga/disable", {}))[1]["disabled"] is True
        assert (await as_admin(running, "POST", "/olga/disable", {}))[0] == 200
        async with asyncio.timeout(10):
            while (await olga.socket.receive()).type is WSMsgType.TEXT:
                pass
        assert olga.socket.close_code == 4401
        assert (await olga.call("GET", "/session"))[0] == 401
        assert await sign_in(running, "olga", PASSWORD) == 401
        assert (await as_admin(running, "POST", "/olga/enable", {}))[1]["disabled"] is False
        assert (await olga.call("GET", "/session"))[0] == 401, "what was ended stays so"
        assert await sign_in(running, "olga", PASSWORD) == 200
    assert await told(running) == [("olga", "disabled"), ("olga", "enabled")]


async def test_a_new_password_ends_what_the_old_one_began(running: Any) -> None:
    olga = await running.sign_in("olga")
    await running.sign_in("ada")
    assert (await as_admin(running, "PUT", "/olga/password", {"password": "quite another"}))[0] == 200
    assert (await running.call("GET", "/api/v1/session", headers=olga))[0] == 401
    assert [await sign_in(running, "olga", each) for each in (PASSWORD, "quite another")] == [401, 200]
    assert (await as_admin(running, "PUT", "/nobody/password", {"password": "quite another"}))[0] == 404


async def test_nobody_on_duty_is_disabled_or_made_a_viewer_nor_the_last_admin(running: Any) -> None:
    async with at_seat(running, "olga") as olga:
        await olga.done("POST", "/watch/on")
        await running.sign_in("ada")
        for method, path, body in (("POST", "/olga/disable", {}), ("PUT", "/olga/role", {"role": "viewer"})):
            status, answer = await as_admin(running, method, path, body)
            assert (status, "olga is on duty" in answer["error"]["message"]) == (409, True)
        assert (await as_admin(running, "PUT", "/olga/role", {"role": "admin"}))[0] == 200
        assert (await olga.call("PUT", "/accounts/ada/role", json={"role": "operator"}))[0] == 200
        assert (await as_admin(running, "GET", ""))[0] == 200
        assert (await as_admin(running, "PUT", "/olga/role", {"role": "operator"}))[0] == 403, "ada is no admin now"
        status, answer = await olga.call("PUT", "/accounts/olga/role", json={"role": "operator"})
        assert (status, "their own account" in answer["error"]["message"]) == (409, True)


async def test_signing_out_everywhere_ends_every_session_but_not_the_watch(running: Any) -> None:
    async with at_seat(running, "olga") as olga:
        elsewhere = await running.sign_in("olga")
        await olga.done("POST", "/watch/on")
        status, body = await olga.call("DELETE", "/accounts/olga/sessions")
        assert (status, "cannot leave" in body["error"]["message"]) == (409, True)
        assert (await olga.call("DELETE", "/accounts/olga/sessions", params={"reason": "x"}))[0] == 403
        await running.sign_in("ada")
        status, _ = await running.call("DELETE", "/api/v1/accounts/olga/sessions", params={"reason": "gone home"})
        assert status == 204
        assert [(await olga.call("GET", "/session"))[0]] == [401]
        assert (await running.call("GET", "/api/v1/session", headers=elsewhere))[0] == 401
        watch = await running.get("/api/v1/watch")
        assert watch["on_duty"] == []
        log = (await running.get(f"/api/v1/shifts/{watch['shift']['id']}/log", order="newest"))["items"]
        assert [each["kind"] for each in log] == ["account", "sign_off", "sign_on"]


async def test_the_log_is_read_from_its_newest_entry_in_pages_and_a_note_sent_twice_stands_once(running: Any) -> None:
    await running.sign_in("olga")
    said: list[Any] = []
    for n in range(3):
        for _ in range(2):
            key = {"Idempotency-Key": f"note-{n}"}
            status, entry = await running.call("POST", "/api/v1/shifts/log", json={"text": f"entry {n}"}, headers=key)
            assert status == 201
            said.append(entry["id"])
    assert [first == second for first, second in zip(said[::2], said[1::2], strict=True)] == [True] * 3
    path = f"/api/v1/shifts/{entry['shift']}/log"
    first = await running.get(path, order="newest", limit="2")
    assert [each["text"] for each in first["items"]] == ["entry 2", "entry 1"]
    rest = await running.get(path, order="newest", limit="2", cursor=first["next_cursor"])
    assert ([each["text"] for each in rest["items"]], rest["next_cursor"]) == (["entry 0"], None)


async def test_anybody_changes_their_own_password_and_only_this_session_stays(running: Any) -> None:
    """The present one is asked for; elsewhere they are signed out, but for the seat of a watch that is on."""
    elsewhere = await running.sign_in("vera")
    await running.sign_in("vera")
    change = {"present": PASSWORD, "password": "quite another one"}
    for wrong, status in ((change | {"present": "not it at all"}, 403), (change | {"password": "short"}, 400)):
        assert (await running.call("PUT", "/api/v1/session/password", json=wrong))[0] == status
    assert (await running.call("PUT", "/api/v1/session/password", json=change))[0] == 204
    assert (await running.call("GET", "/api/v1/session"))[0] == 200
    assert (await running.call("GET", "/api/v1/session", headers=elsewhere))[0] == 401
    assert [await sign_in(running, "vera", word) for word in (PASSWORD, "quite another one")] == [401, 200]

    async with at_seat(running, "olga") as olga:
        assert (await running.call("POST", "/api/v1/watch/on", json={}))[0] == 200
        await running.sign_in("olga")
        assert (await running.call("PUT", "/api/v1/session/password", json=change))[0] == 204
        assert (await running.call("GET", "/api/v1/session", headers=olga.headers))[0] == 200
        assert not olga.socket.closed
