"""The watch over the API: signing on and off, the last seat, presence, sessions past twelve hours, roster, scopes."""

import asyncio
from typing import Any

import pytest
from accounts_making import hash_cheaply
from waiting import until
from watch_making import at_seat

from firetower.core.clock import HOUR, SECOND, to_datetime
from firetower.storage import accounts
from firetower.web import seat_book, watch_view

PASSWORD = "a long enough one"
_HASH = hash_cheaply(PASSWORD)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seats are written, and the watch is looked up, at once instead of every few seconds."""
    monkeypatch.setattr(seat_book, "EVERY_S", 0.1)
    monkeypatch.setattr(watch_view, "EVERY_S", 0.2)


@pytest.fixture
async def wang(running: Any) -> None:
    """Another operator."""
    await accounts.add(running.pool, "wang", _HASH, "operator", running.clock.now())


async def on_duty(running: Any) -> list[str]:
    return [row["account"] for row in await running.pool.fetch("SELECT account FROM watch_duty ORDER BY since")]


async def logged(running: Any) -> list[str]:
    return [row["kind"] for row in await running.pool.fetch("SELECT kind FROM shift_log ORDER BY id")]


async def test_signing_on_takes_a_seat_that_sounds_and_every_console_hears_of_it(running: Any, wang: None) -> None:
    async with at_seat(running, "olga", armed=False) as silent:
        status, body = await silent.call("POST", "/watch/on", json={})
        assert (status, "switch its sound on" in body["error"]["message"]) == (409, True)
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as other:
        said = await olga.done("POST", "/watch/on")
        assert [each["account"] for each in said["on_duty"]] == ["olga"]
        assert said["seats"] == 2
        await olga.done("POST", "/watch/on")
        told = await other.watch(lambda watch: watch["on_duty"])
        assert (told["on_duty"][0]["account"], told["presence"], told["handover"]) == ("olga", None, None)
        assert await logged(running) == ["sign_on"]


async def test_a_viewer_may_look_at_the_watch_and_not_join_it(running: Any) -> None:
    async with at_seat(running, "vera") as vera:
        assert (await vera.done("GET", "/watch"))["on_duty"] == []
        for path in ("on", "off", "presence", "handovers", "mute"):
            assert (await vera.call("POST", f"/watch/{path}", json={}))[0] == 403, path


async def test_the_last_one_on_duty_neither_goes_off_nor_signs_out_and_is_told_who_could_take_over(
    running: Any, wang: None
) -> None:
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as other:
        await olga.done("POST", "/watch/on")
        for method, path in (("POST", "/watch/off"), ("DELETE", "/session")):
            status, body = await olga.call(method, path, **({"json": {}} if method == "POST" else {}))
            assert status == 409
            assert "wang could take over" in body["error"]["message"]
            assert body["error"]["details"]["current"]["could_take_over"] == ["wang"]
        assert (await olga.call("GET", "/session"))[0] == 200
        await other.done("POST", "/watch/on")
        await olga.done("POST", "/watch/off")
        assert await on_duty(running) == ["wang"]
        assert (await olga.call("DELETE", "/session"))[0] == 204, "nobody is kept who is not on duty"
        assert (await other.call("DELETE", "/session"))[0] == 409


async def test_of_the_last_two_who_sign_out_at_once_one_stays(running: Any, wang: None) -> None:
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as other:
        await olga.done("POST", "/watch/on")
        await other.done("POST", "/watch/on")
        answers = await asyncio.gather(olga.call("DELETE", "/session"), other.call("DELETE", "/session"))
        assert sorted(status for status, _ in answers) == [204, 409]
        assert len(await on_duty(running)) == 1
        assert await running.pool.fetchval("SELECT count(*) FROM session") == 1


async def test_a_second_seat_of_the_same_person_may_leave_and_a_script_session_too(running: Any) -> None:
    async with at_seat(running, "olga") as olga:
        await olga.done("POST", "/watch/on")
        async with at_seat(running, "olga") as second:
            assert (await second.call("DELETE", "/session"))[0] == 204
        script = await running.sign_in("olga")
        assert (await running.call("DELETE", "/api/v1/session", headers=script))[0] == 204
        assert await on_duty(running) == ["olga"]


async def test_nobody_goes_off_with_open_alerts_of_their_own(running: Any, wang: None) -> None:
    alert = await running.raise_alert()
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as other:
        await olga.done("POST", "/watch/on")
        await other.done("POST", "/watch/on")
        await olga.done("POST", f"/alerts/{alert}/assign", {"to": "olga"})
        status, body = await olga.call("POST", "/watch/off", json={})
        assert (status, body["error"]["details"]["current"]["alerts"]) == (409, [alert])
        await olga.done("POST", f"/alerts/{alert}/assign", {"to": "wang"})
        await olga.done("POST", "/watch/off")


async def test_only_an_admin_forces_anybody_out_with_a_reason_that_stands_in_the_log(running: Any) -> None:
    async with at_seat(running, "olga") as olga, at_seat(running, "ada") as ada:
        await olga.done("POST", "/watch/on")
        assert (await olga.call("DELETE", "/session?reason=tired"))[0] == 403
        assert (await olga.call("POST", "/watch/off", json={"reason": "tired"}))[0] == 403
        assert (await ada.call("POST", "/watch/off", json={"account": "olga"}))[0] == 403, "not without a reason"
        await ada.done("POST", "/watch/off", {"account": "olga", "reason": "went home"})
        assert await on_duty(running) == []
        row = await running.pool.fetchrow("SELECT actor, evidence FROM shift_log ORDER BY id DESC LIMIT 1")
        assert (row["actor"], row["evidence"]) == ("ada", {"forced": True, "of": "olga", "reason": "went home"})
        await ada.done("POST", "/watch/on")
        assert (await ada.call("DELETE", "/session?reason=evacuation"))[0] == 204
        assert await running.pool.fetchval("SELECT left_at IS NOT NULL FROM watch_state")


async def test_a_presence_check_reaches_only_whom_it_asks_and_a_key_press_answers_it(running: Any, wang: None) -> None:
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as other:
        await olga.done("POST", "/watch/on")
        await running.pool.execute("UPDATE watch_duty SET asked_at = $1", to_datetime(running.clock.now()))
        asked = await olga.watch(lambda watch: watch["presence"])
        assert asked["presence"]["missed"] is False
        told = await other.watch(lambda watch: watch["on_duty"])
        assert told["presence"] is None
        assert (await olga.done("GET", "/watch"))["presence"] == asked["presence"]
        await olga.socket.send_json({"type": "present"})
        await olga.watch(lambda watch: watch["presence"] is None)
        assert await logged(running) == ["sign_on", "presence_answered"]
        assert await running.pool.fetchval("SELECT asked_at FROM watch_duty") is None
        await running.pool.execute("UPDATE watch_duty SET asked_at = $1", to_datetime(running.clock.now()))
        assert (await olga.done("POST", "/watch/presence"))["presence"] is None
        assert (await other.call("POST", "/watch/presence", json={}))[0] == 409


async def test_key_presses_put_the_next_question_off_and_are_written_once_a_minute(running: Any) -> None:
    async with at_seat(running, "olga") as olga:
        await olga.done("POST", "/watch/on")
        running.clock.advance(600 * SECOND)
        for _ in range(20):
            await olga.socket.send_json({"type": "present"})
        there = to_datetime(running.clock.now())
        await until(lambda: running.pool.fetchval("SELECT present_at = $1 FROM watch_duty", there))
        assert await logged(running) == ["sign_on"]


async def test_a_seat_of_the_watch_shows_past_twelve_hours_acts_four_more_and_then_asks_for_a_sign_in(
    running: Any,
) -> None:
    alert = await running.raise_alert()
    async with at_seat(running, "olga") as olga:
        await olga.done("POST", "/watch/on")
        await running.pool.execute("UPDATE session SET expires_at = $1", to_datetime(running.clock.now() + 12 * HOUR))
        await olga.heard()
        for hours in (11, 4):  # as a seat does that is heard all the time
            running.clock.advance(hours * HOUR)
            await olga.heard()
        running.clock.advance(11 * SECOND)
        await olga.heard()
        await olga.done("POST", f"/alerts/{alert}/note", {"text": "15 hours, the relief is late"})
        running.clock.advance(HOUR)
        await olga.heard()
        status, body = await olga.call("POST", f"/alerts/{alert}/acknowledge", json={})
        assert (status, body["error"]["code"]) == (401, "session_expired")
        assert (await olga.done("GET", f"/alerts/{alert}"))["state"] == "unacknowledged"
        await olga.done("POST", "/watch/presence")
        fresh = await running.sign_in("olga")
        assert (await running.call("POST", f"/api/v1/alerts/{alert}/acknowledge", headers=fresh, json={}))[0] == 200
        async with running.client.ws_connect(f"{running.url}/api/v1/live", headers=olga.headers) as again:
            assert (await again.receive_json())["type"] == "snapshot", "a broken connection comes back"


async def test_the_cookie_outlives_the_twelve_hours_and_is_given_anew_with_the_page(running: Any) -> None:
    token = (await running.sign_in())["Authorization"].split()[1]
    async with running.client.get(
        f"{running.url}/api/v1/session", headers={"Cookie": f"firetower_session={token}"}
    ) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert f"firetower_session={token}" in cookie
    assert "Max-Age=2592000" in cookie


async def test_a_roster_plans_the_shift_that_is_on_and_the_next_and_is_refused_with_every_mistake(running: Any) -> None:
    await running.sign_in("ada")
    good = {
        "weekly": [
            {"weekdays": [1, 2, 3, 4, 5, 6, 7], "start": start, "accounts": [who]}
            for start, who in (("08:00", "olga"), ("20:00", "ada"))
        ]
    }
    status, body = await running.call("PUT", "/api/v1/roster", json=good)
    assert (status, body["revision"]) == (200, 1)
    watch = await running.get("/api/v1/watch")
    assert {tuple(watch["shift"]["accounts"]), tuple(watch["next"]["accounts"])} == {("olga",), ("ada",)}
    assert watch["shift"]["end"] == watch["next"]["begin"]
    assert len((await running.get("/api/v1/roster"))["planned"]) == 14
    status, body = await running.call("PUT", "/api/v1/roster", json=good | {"expected_revision": 0})
    assert (status, body["error"]["details"]["current"]) == (409, {"revision": 1})
    bad = {
        "weekly": [{"weekdays": [1], "start": "09:00", "accounts": ["olga"]}],
        "shifts": [{"shift": "yesterday", "accounts": []}],
    }
    status, body = await running.call("PUT", "/api/v1/roster", json=bad)
    assert (status, len(body["error"]["details"])) == (400, 2)
    named = {"weekly": [{"weekdays": [1], "start": "08:00", "accounts": ["vera", "nobody"]}]}
    status, body = await running.call("PUT", "/api/v1/roster", json=named)
    assert (status, body["error"]["details"]["unknown"]) == (400, ["nobody", "vera"])
    await running.sign_in("olga")
    assert (await running.call("PUT", "/api/v1/roster", json=good))[0] == 403


async def test_a_scope_says_who_answers_and_only_a_seat_in_whose_scope_an_alarm_lies_has_shown_it(running: Any) -> None:
    await running.pool.execute("INSERT INTO grid (code, district) VALUES ('g1', 'east')")
    await running.pool.execute("INSERT INTO unit (code, grid_id) SELECT 'mall-01', id FROM grid")
    await running.pool.execute("INSERT INTO unit (code) VALUES ('school')")
    await running.sign_in("ada")
    status, body = await running.call("PUT", "/api/v1/accounts/olga/scope", json={"units": ["nowhere"]})
    assert (status, "no unit 'nowhere'" in body["error"]["message"]) == (400, True)
    assert (await running.call("PUT", "/api/v1/accounts/nobody/scope", json={}))[0] == 404
    assert (await running.call("PUT", "/api/v1/accounts/vera/scope", json={"units": ["school"]}))[0] == 400
    status, body = await running.call("PUT", "/api/v1/accounts/olga/scope", json={"units": ["school"]})
    assert (status, body["scope"]["units"]) == (200, ["school"])
    people = {each["username"]: each["scope"] for each in (await running.get("/api/v1/accounts"))["items"]}
    assert people["olga"]["units"] == ["school"]
    assert people["ada"]["units"] == []
    alert = await running.raise_alert()
    hub = running.site.hub
    await until(lambda: int(alert) in hub._state.alerts)
    hub.shown([int(alert)], "olga")
    await until(lambda: not hub._shown._noted)
    assert (await running.get(f"/api/v1/alerts/{alert}"))["shown_at"] is None
    await running.call("PUT", "/api/v1/accounts/olga/scope", json={"districts": ["east"]})
    hub.shown([int(alert)], "olga")
    await until(lambda: not hub._shown._noted)
    assert (await running.get(f"/api/v1/alerts/{alert}"))["shown_at"] is not None
