"""The handover over the API, and the shift log that tells of it."""

from dataclasses import replace
from typing import Any

import pytest
from accounts_making import hash_cheaply
from watch_making import AtSeat, at_seat

from firetower.core.clock import SECOND
from firetower.storage import accounts
from firetower.web.server import make_app, serve

_HASH = hash_cheaply("a long enough one")
CALL = {"name": "caretaker", "number": "0571-1234567", "direction": "out", "purpose": "inform", "result": "no_answer"}


@pytest.fixture
async def wang(running: Any) -> None:
    """Whoever comes."""
    await accounts.add(running.pool, "wang", _HASH, "operator", running.clock.now())


async def begun(olga: AtSeat, **said: str) -> Any:
    """Sign olga on and begin a handover of hers."""
    await olga.done("POST", "/watch/on")
    return await olga.done("POST", "/watch/handovers", said)


async def test_every_open_alarm_is_accepted_by_name_also_a_fire_that_arrives_meanwhile_and_then_the_watch_changes(
    running: Any, wang: None
) -> None:
    fault = await running.raise_alert("pnl-1", event="fault")
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as comes:
        await olga.done("POST", f"/alerts/{fault}/assign", {"to": "olga"})
        await olga.done("POST", f"/alerts/{fault}/note", {"text": "part is ordered"})
        await olga.done("POST", f"/alerts/{fault}/calls", CALL)
        draft = await begun(olga, notes="pump 2 is dry")
        number = draft["id"]
        assert (draft["outgoing"], draft["incoming"], draft["open"]) == ("olga", None, 1)
        passed = draft["alerts"][0]
        assert {
            "id": fault,
            "notes": 1,
            "calls": 1,
            "last_call": "no_answer",
            "accepted": False,
        }.items() <= passed.items()
        status, body = await olga.call("POST", f"/watch/handovers/{number}/accept", json={"alerts": [fault]})
        assert (status, "under their own name" in body["error"]["message"]) == (409, True)
        draft = await comes.done("POST", f"/watch/handovers/{number}/accept", {"alerts": [fault]})
        assert (draft["incoming"], draft["accepted"]) == ("wang", 1)
        fire = await running.raise_alert("smk-9")
        status, body = await comes.call("POST", f"/watch/handovers/{number}/complete", json={})
        assert status == 409
        assert [each["id"] for each in body["error"]["details"]["current"]["missing"]] == [fire]
        assert (await comes.done("GET", "/watch"))["on_duty"][0]["account"] == "olga"
        draft = await comes.done("POST", f"/watch/handovers/{number}/accept", {"alerts": [fire, fault]})
        assert (draft["open"], draft["accepted"]) == (2, 2)
        done = await comes.done("POST", f"/watch/handovers/{number}/complete")
        assert (done["state"], done["ended_by"]) == ("completed", "wang")
        watch = await comes.done("GET", "/watch")
        assert ([each["account"] for each in watch["on_duty"]], watch["handover"]) == (["wang"], None)
        assert (await comes.done("GET", f"/alerts/{fault}"))["assignee"] == "wang"
        assert (await comes.done("GET", f"/alerts/{fire}"))["assignee"] is None
        assert (await olga.call("DELETE", "/session"))[0] == 204
        log = (await comes.done("GET", f"/shifts/{watch['shift']['id']}/log"))["items"]
        assert [each["kind"] for each in log] == ["call", "sign_on", "handover_begun", "handover"]
        assert log[-1]["text"] == "pump 2 is dry"
        assert {each["id"] for each in log[-1]["evidence"]["alerts"]} == {fault, fire}


async def test_one_handover_at_a_time_which_can_be_cancelled_and_begun_by_whoever_comes(
    running: Any, wang: None
) -> None:
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as comes, at_seat(running, "ada") as ada:
        first = await begun(olga)
        status, body = await comes.call("POST", "/watch/handovers", json={"from": "olga"})
        assert (status, f"{first['id']}, of olga" in body["error"]["message"]) == (409, True)
        frame = await comes.watch(lambda watch: watch["handover"])
        assert frame["handover"] == first["id"]
        assert (await comes.call("POST", f"/watch/handovers/{first['id']}/cancel", json={}))[0] == 409
        assert (await ada.done("POST", f"/watch/handovers/{first['id']}/cancel"))["state"] == "cancelled"
        second = await comes.done("POST", "/watch/handovers", {"from": "olga", "notes": "late"})
        assert (second["incoming"], second["begun_by"]) == ("wang", "wang")
        renamed = await olga.done("POST", f"/watch/handovers/{second['id']}/notes", {"notes": "nothing new"})
        assert renamed["notes"] == "nothing new"
        assert (await ada.call("POST", f"/watch/handovers/{second['id']}/accept", json={"alerts": ["1"]}))[0] == 409
        await comes.done("POST", f"/watch/handovers/{second['id']}/complete")
        states = [each["state"] for each in (await comes.done("GET", "/watch/handovers"))["items"]]
        assert states == ["completed", "cancelled"]


async def test_a_handover_goes_on_over_a_restart_where_it_was(running: Any, wang: None) -> None:
    """Another node, which knows nothing but the store, completes what was begun and half accepted on this one."""
    fires = [await running.raise_alert(name) for name in ("smk-1", "smk-2")]
    async with at_seat(running, "olga") as olga, at_seat(running, "wang") as comes:
        number = (await begun(olga, notes="half of it"))["id"]
        await comes.done("POST", f"/watch/handovers/{number}/accept", {"alerts": fires[:1]})
    deps = running.site.deps
    async with serve(make_app(deps), "127.0.0.1", 0) as port:
        after = replace(running, url=f"http://127.0.0.1:{port}", headers={})
        async with at_seat(after, "wang") as comes:
            draft = await comes.done("GET", f"/watch/handovers/{number}")
            assert (draft["notes"], draft["incoming"], draft["accepted"], draft["open"]) == ("half of it", "wang", 1, 2)
            assert [each["id"] for each in draft["alerts"]] == [fires[1], fires[0]], "what waits stands first"
            await comes.done("POST", f"/watch/handovers/{number}/accept", {"alerts": fires[1:]})
            await comes.done("POST", f"/watch/handovers/{number}/complete")
            assert [each["account"] for each in (await comes.done("GET", "/watch"))["on_duty"]] == ["wang"]


async def test_whoever_comes_completes_at_a_live_seat_that_sounds_and_nobody_comes_who_may_not_act(
    running: Any, wang: None
) -> None:
    async with at_seat(running, "olga") as olga:
        draft = await begun(olga)
        for who, status in (("vera", 403), ("wang", 409)):
            headers = await running.sign_in(who)
            path = f"/api/v1/watch/handovers/{draft['id']}/complete"
            assert (await running.call("POST", path, headers=headers, json={}))[0] == status
        await olga.done("POST", f"/watch/handovers/{draft['id']}/cancel")
        for to in ("vera", "nobody"):
            status, body = await olga.call("POST", "/watch/handovers", json={"to": to})
            assert (status, body["error"]["details"]) == (400, {"field": "to"})
        assert (await olga.call("GET", "/watch/handovers/99"))[0] == 404
        assert (await olga.call("GET", "/watch/handovers/x"))[0] == 404
        draft = await olga.done("POST", "/watch/handovers", {"to": "wang"})
        wang_says = {"Authorization": (await running.sign_in("wang"))["Authorization"]}
        path = f"/api/v1/watch/handovers/{draft['id']}/accept"
        status, body = await running.call("POST", path, headers=wang_says, json={"alerts": ["77"]})
        assert (status, "no alert 77" in body["error"]["message"]) == (400, True)


async def test_entries_are_written_corrected_by_others_and_read_page_by_page(running: Any) -> None:
    await running.sign_in()
    first = await write(running, text="  the lift is stuck ")
    assert (first["text"], first["kind"], first["actor"]) == ("the lift is stuck", "note", "olga")
    running.clock.advance(SECOND)
    second = await write(running, text="it was the other lift", refers_to=first["id"])
    assert second["refers_to"] == first["id"]
    for bad, status in (({"text": " "}, 400), ({"text": "x", "refers_to": "99"}, 404), ({"text": "x\0"}, 400)):
        assert (await running.call("POST", "/api/v1/shifts/log", json=bad))[0] == status
    await running.call("POST", "/api/v1/watch/mute", json={"seconds": 60})
    path = f"/api/v1/shifts/{first['shift']}/log"
    page = await running.get(path, limit="2")
    assert [each["id"] for each in page["items"]] == [first["id"], second["id"]]
    rest = await running.get(path, limit="2", cursor=page["next_cursor"])
    assert ([each["kind"] for each in rest["items"]], rest["next_cursor"]) == (["mute"], None)
    report = await running.get(f"/api/v1/shifts/{first['shift']}")
    assert (report["log"], report["log_entries"]) == (path, 3)
    assert (await running.call("GET", "/api/v1/shifts/tomorrow/log"))[0] == 404
    await running.sign_in("vera")
    assert (await running.call("POST", "/api/v1/shifts/log", json={"text": "x"}))[0] == 403


async def write(running: Any, **said: str) -> Any:
    status, body = await running.call("POST", "/api/v1/shifts/log", json=said)
    assert status == 201, body
    return body
