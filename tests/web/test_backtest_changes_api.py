"""A changed rule tried over the API: from a form's fields or as YAML, how far it is, called off, and what to draw."""

import asyncio
from typing import Any

import pytest
from history_making import LOOSER, NOW, RULING, at, make_history
from waiting import until

from firetower.backtest_process import do_asked
from firetower.core.clock import ManualClock, rfc3339
from firetower.rules.book.rulebook import load_texts
from firetower.storage import backtests

PATH = "/api/v1/rules/backtests"
RANGE = {"from": rfc3339(at(5)), "to": rfc3339(NOW)}


@pytest.fixture
async def hour(running: Any) -> Any:
    """The web part over an hour of history, with the rules of that hour in force, as an admin."""
    await make_history(running.pool)
    running.clock.set(NOW)
    object.__setattr__(running.site.deps, "rulebook", lambda: load_texts(RULING))
    await running.sign_in("ada")
    return running


async def test_a_changed_limit_is_tried_from_fields_or_yaml_and_tells_what_to_draw(hour: Any) -> None:
    """Both ways give the same result: which alerts differ, with those stored, and each instant of the changed rule."""
    change = {"rule": "smoke-fire", "bands": [{"priority": 1, "limit": "0.30 dB/m", "clear": "0.20 dB/m"}]}
    found = []
    text = LOOSER["smoke.yaml"].replace("clear: 0.15", "clear: 0.20")
    for asked in ({"change": change}, {"rules": text}):
        status, begun = await hour.call("POST", PATH, json=RANGE | asked)
        assert (status, begun["progress"]) == (202, None), begun
        await do_asked(hour.pool, begun["id"], ManualClock(NOW))
        found.append((await hour.get(f"{PATH}/{begun['id']}"))["result"])
    first, second = ({name: each[name] for name in ("differs", "marks", "changed", "fires", "lines")} for each in found)
    assert first == second
    assert first["changed"] == ["smoke-fire"]
    assert (first["fires"]["confirmed"], first["fires"]["missed"]) == (2, 1)
    rows = {row["subject"]: (row["new"], row["in_force"], len(row["stored"])) for row in first["differs"]["list"]}
    assert rows == {"u1/smk-2": (0, 1, 1), "u1/smk-3": (0, 1, 1)}
    marks = [(each["side"], each["what"]) for each in first["marks"]["list"] if each["subject"] == "u1/smk-1"]
    assert sorted(marks) == [("in_force", "cleared"), ("in_force", "raised"), ("new", "cleared"), ("new", "raised")]
    assert {each["side"] for each in first["marks"]["list"] if each["subject"] == "u1/smk-2"} == {"in_force"}
    lines = {(each["side"], each["value"], each["clear"]) for each in first["lines"] if each["subject"] == "u1/smk-2"}
    assert lines == {("new", 0.3, 0.2), ("in_force", 0.2, 0.15)}


async def test_what_is_wrong_with_a_change_names_its_field_and_line_and_nothing_begins(hour: Any) -> None:
    async def refused(**asked: Any) -> tuple[int, str]:
        status, body = await hour.call("POST", PATH, json=RANGE | asked)
        return status, str(body["error"]["details"]) + body["error"]["message"]

    band = {"priority": 1, "on_delay": "soon"}
    status, said = await refused(change={"rule": "smoke-fire", "bands": [band]})
    assert (status, "changed.yaml:" in said, "bands[1].on_delay: 'soon'" in said) == (400, True, True), said
    status, said = await refused(change={"rule": "smoke-fire", "bands": [band | {"priority": 2}]})
    assert (status, "it has 1" in said) == (400, True)
    assert (await refused(change={"rule": "nothing", "bands": [band]}))[0] == 404
    status, said = await refused(rules="rules:\n  - id: x\n    foo: 1\n")
    assert (status, "changed.yaml:3: rules[1].foo: unknown field" in said) == (400, True), said
    status, said = await refused(rules="rules: []", rulebook=RULING)
    assert (status, "exactly one" in said) == (400, True)
    assert hour.begun == []


async def test_a_back_test_that_is_called_off_stops_and_another_may_begin(hour: Any) -> None:
    """Its process notices by itself; what it had found is not told, and no rule may lean on it."""
    _, begun = await hour.call("POST", PATH, json=RANGE | {"rulebook": LOOSER})
    path = f"{PATH}/{begun['id']}"
    await hour.sign_in("olga")
    assert (await hour.call("DELETE", path))[0] == 403
    await hour.sign_in("ada")
    assert await backtests.note_progress(hour.pool, begun["id"], 0.25)
    assert (await hour.get(path))["progress"] == 0.25
    assert (await hour.call("DELETE", path))[0] == 204
    assert not await backtests.note_progress(hour.pool, begun["id"], 0.5)
    assert await do_asked(hour.pool, begun["id"], ManualClock(NOW)) == ""
    off = await hour.get(path)
    assert (off["state"], off["error"], off["result"]) == ("cancelled", "ada called it off", None)
    assert "called it off" in str(await backtests.is_sound(hour.pool, begun["id"], off["digest"]))
    assert (await hour.call("DELETE", path))[0] == 409
    assert (await hour.call("POST", PATH, json=RANGE | {"rulebook": LOOSER}))[0] == 202


async def test_the_process_at_work_stops_once_it_is_called_off(hour: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long back-test does not run to its end for nobody."""
    monkeypatch.setattr("firetower.backtest_process._TOLD_EVERY_S", 0.01)

    async def endless(*_: Any, progress: Any, **__: Any) -> Any:
        progress(0.5)
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr("firetower.backtest_process.backtest", endless)
    _, begun = await hour.call("POST", PATH, json=RANGE | {"rulebook": LOOSER})
    path = f"{PATH}/{begun['id']}"

    async def halfway() -> bool:
        return bool((await hour.get(path))["progress"] == 0.5)

    work = asyncio.create_task(do_asked(hour.pool, begun["id"], ManualClock(NOW)))
    async with asyncio.timeout(10):
        await until(halfway)
        await hour.call("DELETE", path)
        assert await work == "cancelled"


async def test_one_rule_tells_how_it_is_written_and_what_it_raised(hour: Any) -> None:
    """The page's form is filled from it, and an operator sees how often it raised."""
    rule = await hour.get("/api/v1/rules/smoke-fire")
    assert rule["written"]["condition"]["limit"]["bands"][0]["limit"] == "0.20 dB/m"
    assert load_texts({"x.yaml": rule["text"]}).rule("smoke-fire") == load_texts(RULING).rule("smoke-fire")
    raised = rule["raised"]
    assert (raised["last_24_h"], raised["last_7_d"], raised["false_7_d"]) == (3, 3, 1), raised
    assert raised["by_day"] == [0, 0, 0, 0, 0, 0, 3]
