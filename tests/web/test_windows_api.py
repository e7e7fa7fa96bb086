"""Announced windows over HTTP: who may announce what, how a unit asks, what is told when it may not be."""

import asyncio
from typing import Any

import pytest
import unit_world

from firetower.core.clock import HOUR, MINUTE, SECOND, rfc3339
from firetower.storage import changes
from firetower.web.window_json import WindowOut

WINDOWS = "/api/v1/windows"


@pytest.fixture
async def city(running: Any) -> Any:
    """A running web part with two registered units; olga is signed in."""
    await unit_world.build(running.pool, running.clock.now())
    await running.sign_in()
    return running


def asking(city: Any, kind: str = "test", hours: float = 2, **more: Any) -> dict[str, Any]:
    ends_at = rfc3339(city.clock.now() + int(hours * HOUR))
    given = {"kind": kind, "unit": "mall-01", "ends_at": ends_at, "reason": "yearly check"}
    if kind == "test":
        given |= {"person": "mall-room", "password": unit_world.PASSWORD}
    return {name: value for name, value in {**given, **more}.items() if value is not None}


async def announce(city: Any, **given: Any) -> dict[str, Any]:
    status, body = await city.call("POST", WINDOWS, json=asking(city, **given))
    assert status == 201, body
    return dict(body)


async def refused(city: Any, status: int, **given: Any) -> str:
    answered, body = await city.call("POST", WINDOWS, json=asking(city, **given))
    assert answered == status, body
    assert await city.pool.fetchval("select count(*) from announced_window") == 0
    return str(body["error"]["message"])


async def test_a_test_asked_for_on_the_phone_begins_ends_by_itself_and_is_told_to_the_consoles(city: Any) -> None:
    """The operator gives who called and the password; nobody has to end it."""
    before = await changes.latest(city.pool)
    body = await announce(city, zone="A/1")
    assert set(body) == set(WindowOut.model_fields)
    assert {
        "state": "active",
        "unit": "mall-01",
        "zone": "A/1",
        "device": None,
        "person": "mall-room",
        "requested_by": "olga",
        "approved_by": "olga",
    }.items() <= body.items()
    assert unit_world.PASSWORD not in str(body)
    async with city.pool.acquire() as conn:
        changed = await changes.since(conn, before)
    assert changed is not None
    assert changed.windows == [int(body["id"])]
    city.clock.advance(2 * HOUR)
    assert (await city.get(f"{WINDOWS}/{body['id']}"))["state"] == "ended"


async def test_a_wrong_password_announces_nothing_and_is_braked(city: Any) -> None:
    """Neither who exists nor of which unit is told, and guessing is slowed down as at sign-in."""
    for person in ("school-room", "olga"):  # right passwords, of accounts that are not this unit's
        assert "has that password (口令); nothing was announced" in await refused(city, 403, person=person)
    for _ in range(5):
        await refused(city, 403, password="wrong wrong")
    told = await refused(city, 429)  # even with the right one
    assert "too many passwords (口令) for 'mall-room' were wrong" in told
    assert "nothing was announced; try again in" in told
    city.clock.advance(2 * SECOND)
    await announce(city)


async def test_a_test_of_five_hours_is_refused_naming_four(city: Any) -> None:
    """Before anybody's password is looked at."""
    assert "4 hours" in await refused(city, 400, hours=5, password="wrong wrong")


async def test_what_nobody_registered_is_named_with_what_is_near_it(city: Any) -> None:
    """A window that covers nothing would be believed to cover something."""
    permit = {"kind": "water_permit"}
    for given, told in (
        ({"unit": "mall-1"}, "there is no unit 'mall-1'; registered near it: mall-01, school-02"),
        ({"zone": "A/3"}, "there is no zone 'A/3' in unit mall-01; registered near it: A/1, A/2"),
        ({"zone": "A/1/x"}, "registered near it: A/1/e, A/1/w, A/2/e"),
        ({"device": "smk-9"}, "there is no device 'smk-9' in unit mall-01"),
        ({"device": "smk-old"}, "device mall-01/smk-old is retired"),
        ({"device": "panel-1", "component": "2-9"}, "registered near it: 2-1, 2-2"),
        ({"device": "smk-1", "component": "2-1"}, "no component is registered of device mall-01/smk-1; leave it out"),
        ({"device": "smk-1", **permit}, "is a smoke; a water_permit is for one of hydrant"),
        ({"unit": None, "main": "main-2", **permit}, "there is no main 'main-2'"),
    ):
        assert told in await refused(city, 400, **{"kind": "drill", **given})


async def test_texts_that_cannot_be_kept_and_empty_ones_are_refused(city: Any) -> None:
    """NUL, half a character, nothing but spaces."""
    for field in ("reason", "zone", "device", "person", "password"):
        assert field in await refused(city, 400, **{field: "a\x00b"})
    await refused(city, 400, reason="   ")
    await refused(city, 400, reason="\ud800")


async def test_a_unit_requests_and_the_centre_approves_or_refuses_with_a_reason(city: Any) -> None:
    """The unit's own request protects as before until somebody of the centre said yes."""
    await city.sign_in("mall-room")
    mine = {"unit": None, "person": None, "password": None}
    first = await announce(city, **mine)
    second = await announce(city, kind="impairment", hours=48, zone="A/2/e", measure="patrol every hour", **mine)
    assert [(window["state"], window["unit"]) for window in (first, second)] == [("requested", "mall-01")] * 2
    for act, body in (("approve", {}), ("refuse", {"reason": "x"})):
        status, answer = await city.call("POST", f"{WINDOWS}/{first['id']}/{act}", json=body)
        assert (status, answer["error"]["code"]) == (403, "forbidden")
    await city.sign_in()
    assert [window["id"] for window in (await city.get(WINDOWS, state="requested"))["items"]] == [
        second["id"],
        first["id"],
    ]
    status, body = await city.call("POST", f"{WINDOWS}/{first['id']}/approve", json={})
    assert (status, body["state"], body["approved_by"]) == (200, "active", "olga")
    assert (await city.call("POST", f"{WINDOWS}/{second['id']}/refuse", json={}))[0] == 400
    status, body = await city.call("POST", f"{WINDOWS}/{second['id']}/refuse", json={"reason": "not on a holiday"})
    assert (status, body["state"], body["refusal"]) == (200, "refused", "not on a holiday")
    status, body = await city.call("POST", f"{WINDOWS}/{second['id']}/approve", json={})
    assert (status, body["error"]["code"]) == (409, "conflict")
    assert body["error"]["details"]["current"]["state"] == "refused"
    await city.sign_in("mall-room")
    status, body = await city.call("POST", f"{WINDOWS}/{first['id']}/end", json={"reason": "done early"})
    assert (status, body["state"], body["ended_by"]) == (200, "ended", "mall-room")
    log = await city.pool.fetch(
        "SELECT actor, evidence->>'act' AS act FROM shift_log WHERE kind = 'window' ORDER BY id"
    )
    assert [tuple(row) for row in log] == [
        ("mall-room", "requested"), ("mall-room", "requested"), ("olga", "approved"), ("olga", "refused"),
        ("mall-room", "ended"),
    ], "the shift log tells of each"  # fmt: skip


async def test_the_same_window_twice_is_a_conflict_and_under_its_key_one_window(city: Any) -> None:
    """Sent again because the answer was lost, or at the same moment: one window."""
    given = asking(city, kind="drill")
    headers = {"Idempotency-Key": "drill-1"}
    answers = await asyncio.gather(*(city.call("POST", WINDOWS, json=given, headers=headers) for _ in range(3)))
    assert [(status, body["id"]) for status, body in answers] == [(201, answers[0][1]["id"])] * 3
    city.clock.advance(MINUTE)
    assert (await city.call("POST", WINDOWS, json=given, headers=headers))[1]["id"] == answers[0][1]["id"]
    status, body = await city.call("POST", WINDOWS, json=given)
    assert (status, body["error"]["details"]["current"]["id"]) == (409, answers[0][1]["id"])
    await announce(city, kind="drill", zone="A/1")  # elsewhere


async def test_eight_who_decide_at_once_end_in_one_decision(city: Any) -> None:
    """Half approve, half refuse: whoever is first is right, the others see what it is by now."""
    await city.sign_in("mall-room")
    window = await announce(city, unit=None, person=None, password=None)
    await city.sign_in()
    answers = await asyncio.gather(
        *(
            city.call(
                "POST", f"{WINDOWS}/{window['id']}/{('approve', 'refuse')[n % 2]}", json=({}, {"reason": "no"})[n % 2]
            )
            for n in range(8)
        )
    )
    state = (await city.get(f"{WINDOWS}/{window['id']}"))["state"]
    assert sorted(status for status, _ in answers) == [200] * 4 + [409] * 4
    assert {body["state"] for status, body in answers if status == 200} == {state}
    assert {body["error"]["details"]["current"]["state"] for status, body in answers if status == 409} == {state}


async def test_windows_are_listed_newest_first_by_state_kind_unit_and_page(city: Any) -> None:
    """A board of what is planned, for whom."""
    ids = [(await announce(city, kind="maintenance", device=name))["id"] for name in ("smk-1", "panel-1", "hyd-1")]
    later = await announce(city, kind="drill", unit="school-02", starts_at=rfc3339(city.clock.now() + HOUR))
    assert [window["id"] for window in (await city.get(WINDOWS))["items"]] == [later["id"], *reversed(ids)]
    assert [window["id"] for window in (await city.get(WINDOWS, state="planned"))["items"]] == [later["id"]]
    assert [window["id"] for window in (await city.get(WINDOWS, kind="maintenance,test"))["items"]] == ids[::-1]
    first = await city.get(WINDOWS, unit="mall-01", limit="2")
    rest = await city.get(WINDOWS, unit="mall-01", limit="2", cursor=first["next_cursor"])
    assert [window["id"] for window in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    for name in ("0", "x", "9" * 40, "%00"):
        assert (await city.call("GET", f"{WINDOWS}/{name}"))[0] == 404
        assert (await city.call("POST", f"{WINDOWS}/{name}/end", json={}))[0] == 404


async def test_a_viewer_announces_nothing_and_a_unit_only_so_much(city: Any) -> None:
    """Looking is not deciding; and a unit cannot bury the centre in requests."""
    await city.sign_in("vera")
    await refused(city, 403)
    await city.sign_in("mall-room")
    assert "leave password out" in await refused(city, 400, unit=None)
    mine = {"kind": "drill", "person": None, "password": None}
    for n in range(20):
        starts = city.clock.now() + (2 * n + 1) * HOUR
        await announce(city, **mine, starts_at=rfc3339(starts), ends_at=rfc3339(starts + HOUR))
    status, body = await city.call("POST", WINDOWS, json=asking(city, **mine, zone="A"))
    assert (status, body["error"]["code"]) == (409, "conflict")
    assert "at most 20" in body["error"]["message"]


async def test_the_board_of_what_does_not_protect_is_written_as_the_contract_says(city: Any) -> None:
    """One line for what is announced: what, where, since, until, why, by whom, and what protects meanwhile."""
    window = await announce(city, kind="impairment", zone="A/1/e", measure="patrol every hour")
    board = await city.get("/api/v1/not-protected")
    assert board == {
        "items": [
            {
                "kind": "impairment",
                "unit": "mall-01",
                "zone": "A/1/e",
                "device": None,
                "component": None,
                "main": None,
                "place": None,
                "what": {"zh": "消防设施停用", "en": "Impairment"},
                "since": window["starts_at"],
                "until": window["ends_at"],
                "reason": "yearly check",
                "measure": "patrol every hour",
                "by": "olga",
                "id": window["id"],
                "alert_id": None,
                "rule": None,
                "scope": None,
                "approved_by": None,
                "changes": [],
            }
        ],
        "more": 0,
    }
