"""Self-tests over HTTP: how they stand, put on record by whom, and what may be taken for a unit's fire test."""

from typing import Any

import pytest
import unit_world

from firetower.core.clock import DAY, HOUR, MINUTE, to_datetime

PATH = "/api/v1/self-tests"


@pytest.fixture
async def city(running: Any) -> Any:
    """The mall has a panel, the school has none; an operator is signed in."""
    await unit_world.build(running.pool, running.clock.now())
    await running.pool.execute("UPDATE unit SET registered_at = $1", to_datetime(running.clock.now()))
    await running.pool.execute("INSERT INTO follower (name, seq) VALUES ('self_tests', $1)", running.clock.now())
    await running.sign_in()
    return running


async def states(city: Any, **params: str) -> dict[str, str]:
    items = (await city.get(PATH, **params))["items"]
    return {each["kind"] if each["unit"] is None else each["unit"]: each["state"] for each in items}


async def later(city: Any, by: int) -> None:
    city.clock.advance(by)
    await city.pool.execute("UPDATE session SET expires_at = $1", to_datetime(city.clock.now() + DAY))


async def test_what_is_due_is_listed_with_until_when_and_the_last_one(city: Any) -> None:
    assert await states(city) == {
        "link_119": "due", "clocks": "due", "power_changeover": "due", "mall-01": "due",
    }  # fmt: skip
    status, done = await city.call("POST", f"{PATH}/link_119", json={"result": "passed", "note": "heard them well"})
    assert (status, done["by"], done["unit"]) == (201, "olga", None)
    status, fire_test = await city.call("POST", f"{PATH}/unit_fire_test/mall-01", json={"result": "failed"})
    assert status == 201
    items = {each["kind"]: each for each in (await city.get(PATH))["items"]}
    assert (items["link_119"]["state"], items["link_119"]["last"]) == ("done", done)
    assert items["link_119"]["due_at"] == "2025-11-23T16:00:00.000Z", "the end of tomorrow in China"
    assert (items["unit_fire_test"]["state"], items["unit_fire_test"]["unit_name"]) == ("failed", "万象城")
    assert await states(city, state="failed") == {"mall-01": "failed"}
    assert await states(city, kind="link_119,clocks") == {"link_119": "done", "clocks": "due"}
    assert await states(city, unit="mall-01") == {"mall-01": "failed"}
    log = (await city.get(f"{PATH}/log"))["items"]
    assert [each["id"] for each in log] == [fire_test["id"], done["id"]]
    page = await city.get(f"{PATH}/log", limit="1")
    assert (await city.get(f"{PATH}/log", cursor=page["next_cursor"]))["items"] == [done]
    assert (await city.get(f"{PATH}/log", unit="mall-01"))["items"] == [fire_test]


async def test_time_makes_it_overdue_and_doing_it_makes_it_done(city: Any) -> None:
    await later(city, 17 * DAY)
    assert (await states(city))["mall-01"] == "overdue"
    await city.call("POST", f"{PATH}/unit_fire_test/mall-01", json={"result": "passed", "evidence": "17"})
    assert (await states(city))["mall-01"] == "done"
    assert await states(city, state="overdue", kind="unit_fire_test") == {}


async def test_a_fire_in_an_announced_test_is_suggested_and_nothing_is_put_on_record_by_itself(city: Any) -> None:
    """Nobody said that it came as it should; whoever watched the test says so."""
    now = city.clock.now()
    window = await city.pool.fetchval(
        "INSERT INTO announced_window (kind, unit, starts_at, ends_at, reason, requested_by, requested_at)"
        " VALUES ('test', 'mall-01', $1, $2, 'r', 'olga', $1) RETURNING id",
        *map(to_datetime, (now, now + HOUR)),
    )
    await later(city, MINUTE)
    alert = await city.raise_alert()
    assert not (await city.get(PATH, unit="mall-01"))["items"][0]["suggested"], "a fire outside any window is none"
    await city.pool.execute("UPDATE alert SET window_id = $1", window)
    (item,) = (await city.get(PATH, unit="mall-01"))["items"]
    assert (item["state"], item["suggested"]) == ("due", True)
    assert (item["suggestion"]["alert_id"], item["suggestion"]["window_id"]) == (alert, str(window))
    await later(city, MINUTE)
    await city.call("POST", f"{PATH}/unit_fire_test/mall-01", json={"result": "failed", "evidence": alert})
    assert not (await city.get(PATH, unit="mall-01"))["items"][0]["suggested"], "that fire is on record"


async def test_what_cannot_be_is_refused_in_words(city: Any) -> None:
    for path, body, status, told in (
        ("unit_fire_test", {"result": "passed"}, 400, "name the unit"),
        ("clocks/mall-01", {"result": "passed"}, 400, "leave the unit out"),
        ("unit_fire_test/nowhere", {"result": "passed"}, 404, "no unit 'nowhere'"),
        ("tea_break", {"result": "passed"}, 404, "known: link_119"),
        ("clocks", {"result": "ok"}, 400, "passed"),
        ("clocks", {}, 400, "result"),
    ):
        got, answer = await city.call("POST", f"{PATH}/{path}", json=body)
        assert got == status, path
        assert told in str(answer["error"]), path
    assert (await city.get(f"{PATH}/log"))["items"] == []
    await city.sign_in("vera")
    assert (await city.call("POST", f"{PATH}/clocks", json={"result": "passed"}))[0] == 403
    assert (await states(city))["clocks"] == "due"


async def test_the_same_request_again_is_one_test(city: Any) -> None:
    key = {"Idempotency-Key": "k"}
    first = await city.call("POST", f"{PATH}/clocks", json={"result": "passed"}, headers=key)
    await later(city, MINUTE)
    assert await city.call("POST", f"{PATH}/clocks", json={"result": "passed"}, headers=key) == first
    assert (await city.call("POST", f"{PATH}/clocks", json={"result": "failed"}, headers=key))[0] == 409


async def test_many_units_come_in_pages(city: Any) -> None:
    await city.pool.execute(
        "WITH u AS (INSERT INTO unit (code) SELECT 'x' || n FROM generate_series(1, 4) n RETURNING id)"
        " INSERT INTO device (unit_id, name, kind) SELECT id, 'p', 'panel' FROM u"
    )
    seen: list[str | None] = []
    page = await city.get(PATH, limit="2")
    while True:
        seen += [each["unit"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        page = await city.get(PATH, limit="2", cursor=page["next_cursor"])
    assert seen == [None, None, None, "mall-01", "x1", "x2", "x3", "x4"]
